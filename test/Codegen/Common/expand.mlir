// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-expand-reports))" | FileCheck %s

// The slot is written when it is empty or holds a later error; its code is what the kernel returns.
// CHECK-LABEL: func.func @report
// CHECK-SAME: %[[SLOT:[a-z0-9]+]]: memref<32xi8>
// CHECK: memref.view %[[SLOT]]{{.*}} to memref<i32>
// CHECK: memref.load {{.*}} : memref<i32>
// CHECK: scf.if
// CHECK: memref.store
// CHECK: %[[CODE:.*]] = memref.load {{.*}} : memref<i32>
// CHECK: return %[[CODE]] : i32
func.func @report(%i: index, %v: i64, %slot: memref<32xi8>) -> i32 attributes {tenon_tile.checks} {
  tenon_tile.report 1 at %i value %v limit %v
  %zero = arith.constant 0 : i32
  return %zero : i32
}
