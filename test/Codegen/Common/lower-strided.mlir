// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s

// Strides come behind the buffers, then the symbols: one per dimension but the last.
// CHECK-LABEL: func.func @elements(
// CHECK-SAME: %[[X:.*]]: memref<f32>, %[[Y:.*]]: memref<f32>, %[[SX:.*]]: index, %[[M:.*]]: index, %[[BEGIN:.*]]: index, %[[END:.*]]: index
// CHECK-SAME: {tenon_tile.kernel = {buffers = 2 : i64, strides = 1 : i64, symbols = 1 : i64}, tenon_tile.plan = #tenon_tile.plan<grids = [#{{.*}}], workers = #{{.*}}>}
// CHECK: scf.for %[[R:.*]] = %[[BEGIN]] to %[[END]]
// CHECK: %[[FROM:.*]] = arith.muli %[[R]], %[[SX]]
// CHECK: vector.load %{{.*}}[%[[FROM]]]
// CHECK: %[[TO:.*]] = arith.muli %[[R]], %c8
// CHECK: vector.store %{{.*}}, %{{.*}}[%[[TO]]]
tenon_tile.kernel @elements(%m: index, %x: tensor<?x8xf32> {tenon_tile.contract = "inner"}) -> tensor<?x8xf32> {
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  %y = tenon.exp %x : tensor<?x8xf32>
  tenon_tile.yield %y : tensor<?x8xf32>
}

// A contraction reads and writes rows at their strides; a register tile lies in a line of rows.
// CHECK-LABEL: func.func @contraction(
// CHECK-SAME: %{{.*}}: memref<f32>, %{{.*}}: memref<f32>, %{{.*}}: memref<f32>, %[[S0:[a-z0-9]*]]: index, %[[S1:[a-z0-9]*]]: index, %[[SB:[a-z0-9]*]]: index, %[[SY0:[a-z0-9]*]]: index, %[[SY1:[a-z0-9]*]]: index,
// CHECK-SAME: strides = 5 : i64, symbols = 0 : i64
// CHECK: scf.for %[[LINE:.*]] = %c0 to %c2
// CHECK: %[[TO:.*]] = arith.muli %[[LINE]], %[[SY0]]
// CHECK: %[[COLUMNS:.*]] = arith.muli %[[K:.*]], %[[SB]]
// CHECK: vector.load %{{.*}}[%[[COLUMNS]]]
// CHECK: %[[ROW:.*]] = arith.muli %[[LINE]], %[[S0]]
// CHECK: %[[FROM:.*]] = arith.addi %[[ROW]], %[[K]]
// CHECK: memref.load %{{.*}}[%[[FROM]]]
// CHECK: %[[NEXTROW:.*]] = arith.addi %[[ROW]], %[[S1]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[NEXTROW]], %[[K]]
// CHECK: memref.load %{{.*}}[%[[NEXT]]]
// CHECK: vector.store %{{.*}}, %{{.*}}[%[[TO]]]
tenon_tile.kernel @contraction(%a: tensor<2x6x4xf32> {tenon_tile.contract = "inner"}, %b: tensor<4x16xf32> {tenon_tile.contract = "inner"})
    -> (tensor<2x6x16xf32> {tenon_tile.contract = "inner"}) {
  %c = tenon.contract %a, %b maps [affine_map<(i, j, n, k) -> (i, j, k)>, affine_map<(i, j, n, k) -> (k, n)>, affine_map<(i, j, n, k) -> (i, j, n)>]
       : tensor<2x6x4xf32>, tensor<4x16xf32> -> tensor<2x6x16xf32>
  tenon_tile.yield %c : tensor<2x6x16xf32>
}
