// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-expand-microkernels,tenon-expand-reports))" | FileCheck %s

// CHECK-LABEL: func.func @tile
// CHECK: scf.for {{.*}} iter_args(%[[A:.*]] = %{{.*}}, %[[B:.*]] = %{{.*}}) -> (vector<16xf32>, vector<16xf32>)
// CHECK:   %[[COLUMNS:.*]] = vector.load
// CHECK:   vector.fma %{{.*}}, %[[COLUMNS]], %[[A]]
// CHECK:   vector.fma %{{.*}}, %[[COLUMNS]], %[[B]]
// CHECK-NOT: microkernel
func.func @tile(%a: memref<?xf32>, %b: memref<?xf32>, %i: index) -> (vector<16xf32>, vector<16xf32>) {
  %c:2 = tenon_tile.microkernel %a[%i, %i] stride %i rhs %b[%i] stride %i depth %i : memref<?xf32>, memref<?xf32> -> vector<16xf32>, vector<16xf32>
  return %c#0, %c#1 : vector<16xf32>, vector<16xf32>
}

// CHECK-LABEL: func.func @masked
// CHECK: vector.maskedload
func.func @masked(%a: memref<?xf32>, %b: memref<?xf32>, %i: index) -> vector<16xf32> {
  %c = tenon_tile.microkernel %a[%i] stride %i rhs %b[%i] stride %i depth %i columns %i : memref<?xf32>, memref<?xf32> -> vector<16xf32>
  return %c : vector<16xf32>
}

// Four products are added per turn, the rest by a loop of their own; each turn fetches a line of what comes next.
// CHECK-LABEL: func.func @unrolled
// CHECK-SAME: %[[A:[^,]*]]: memref<?xf32>, %[[B:[^,]*]]: memref<?xf32>, %{{.*}}: index, %[[INIT:.*]]: vector<16xf32>)
// CHECK: %[[REST:.*]] = arith.remui %[[DEPTH:.*]], %{{.*}}
// CHECK: %[[END:.*]] = arith.subi %[[DEPTH]], %[[REST]]
// CHECK: scf.for {{.*}} to %[[END]] step %{{.*}} iter_args(%{{.*}} = %[[INIT]])
// CHECK: memref.prefetch %[[B]]{{.*}}, read, locality<2>, data
// CHECK-COUNT-4: vector.fma
// CHECK: scf.for {{.*}} = %[[END]] to %[[DEPTH]] step
// CHECK: vector.fma
// CHECK-NOT: vector.fma
func.func @unrolled(%a: memref<?xf32>, %b: memref<?xf32>, %i: index, %s: vector<16xf32>) -> vector<16xf32> {
  %depth = arith.constant 9 : index
  %c = tenon_tile.microkernel %a[%i] stride %i rhs %b[%i] stride %i depth %depth unroll 4 prefetch %i step %i
      init(%s : vector<16xf32>) : memref<?xf32>, memref<?xf32> -> vector<16xf32>
  return %c : vector<16xf32>
}

// The slot is written when it is empty or holds a later error; its code is what the kernel returns.
// CHECK-LABEL: func.func @report
// CHECK: llvm.load {{.*}} -> i32
// CHECK: scf.if
// CHECK: llvm.store
// CHECK: %[[CODE:.*]] = llvm.load {{.*}} -> i32
// CHECK: return %[[CODE]] : i32
func.func @report(%i: index, %v: i64, %slot: !llvm.ptr) -> i32 attributes {tenon_tile.checks} {
  tenon_tile.report 1 at %i value %v limit %v
  %zero = arith.constant 0 : i32
  return %zero : i32
}
