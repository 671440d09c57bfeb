// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx512},tenon-tiles,tenon-loops)" | FileCheck %s

// A row is looked at once, vector by vector, whatever k is. Candidates are collected, and sorted by their digits when there
// are many: no loop over the results is around one over the row.
// CHECK-LABEL: func.func @many({{.*}}: memref<32xi8>) -> i32
// CHECK-NOT: tenon_tile.scratch
// CHECK-DAG: %[[LENGTH:.*]] = arith.constant 84000 : index
// CHECK-DAG: %[[LANES:.*]] = arith.constant 16 : index
// CHECK-DAG: %[[CAPACITY:.*]] = arith.constant 1200 : index
// CHECK-DAG: memref.alloca() {{.*}} : memref<1024xi32>
// CHECK-DAG: memref.alloca() {{.*}} : memref<20224xi8>
// CHECK: scf.for
// CHECK: %[[SCAN:.*]]:4 = scf.for %[[AT:.*]] = %{{.*}} to %[[LENGTH]] step %[[LANES]] iter_args
// CHECK:   %[[X:.*]] = vector.load %{{.*}} : memref<252000xf32>, vector<16xf32>
// CHECK:   %[[LESS:.*]] = arith.cmpi ult, %{{.*}} : vector<16xi32>
// CHECK:   vector.reduction <or>, %[[LESS]]
// CHECK:   scf.if
// CHECK:     %[[COUNT:.*]] = scf.for %{{.*}} = %[[AT]] to
// CHECK:     arith.cmpi sgt, %[[COUNT]], %[[CAPACITY]]
// CHECK:     scf.if
// CHECK:       scf.for %{{.*}} = %{{.*}} to %[[COUNT]] step
// CHECK-NOT: %[[LENGTH]] step
// CHECK: return
tenon_tile.kernel @many(%x: tensor<3x84000xf32>) -> (tensor<3x300xf32>, tensor<3x300xi64>) {
  %v, %i = tenon.topk %x dim 1 k [300] : tensor<3x84000xf32> -> tensor<3x300xf32>, tensor<3x300xi64>
  tenon_tile.yield %v, %i : tensor<3x300xf32>, tensor<3x300xi64>
}

// -----

// A few are kept in order on the stack.
// CHECK-LABEL: func.func @few
// CHECK-NOT: tenon_tile.scratch
// CHECK-DAG: memref.alloca() {{.*}} : memref<17xi64>
// CHECK-DAG: memref.alloca() {{.*}} : memref<17xi32>
// CHECK: vector.load {{.*}} vector<16xi64>
// CHECK: vector.reduction <or>
// CHECK: scf.while
tenon_tile.kernel @few(%x: tensor<3x500xi64>) -> tensor<3x5xi64> {
  %v, %i = tenon.topk %x dim 1 k [5] : tensor<3x500xi64> -> tensor<3x5xi64>, tensor<3x5xi64>
  tenon_tile.yield %i : tensor<3x5xi64>
}

// -----

// Both where the number isn't known: launches give the scratch, room for all of a row or what is collected. Elements that are
// apart from each other are read one by one.
// CHECK: #[[BYTES:.*]] = affine_map<()[s0] -> (12224, s0 * 64 + 1024)>
// CHECK-LABEL: func.func @unknown({{.*}}: memref<i8>, %{{.*}}: memref<32xi8>) -> i32
// CHECK-SAME: workgroup = #[[BYTES]]
// CHECK-SAME: tenon_tile.scratch
// CHECK: scf.while
// CHECK: scf.if
// CHECK-NOT: vector
// CHECK: return
tenon_tile.kernel @unknown(%k: index, %x: tensor<700x3xf32>) -> tensor<?x3xf32> {
  %v, %i = tenon.topk %x dim 0 k [%k] {smallest} : tensor<700x3xf32> -> tensor<?x3xf32>, tensor<?x3xi64>
  tenon_tile.yield %v : tensor<?x3xf32>
}

// -----

// More is known of k than its result's type says.
// CHECK-LABEL: func.func @stated(
// CHECK: scf.for
tenon_tile.kernel @stated(%x: tensor<3x500xi64>) -> tensor<3x?xi64> {
  %v, %i = tenon.topk %x dim 1 k [5] : tensor<3x500xi64> -> tensor<3x?xi64>, tensor<3x?xi64>
  tenon_tile.yield %i : tensor<3x?xi64>
}
