// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-generalize-sizes)" | FileCheck %s

// Two outermost sizes become a symbol, and the kernels one; a third that differs in its rows stays.
// CHECK: tenon_tile.kernel @[[K:exp_[0-9a-f]+]](%[[N:.*]]: index, %[[X:.*]]: tensor<?x32xf32>) -> tensor<?x32xf32>
// CHECK-NEXT: tenon.bind_shape %[[X]] [%[[N]], 32]
// CHECK-NEXT: tenon.exp %[[X]] : tensor<?x32xf32>
// CHECK-NOT: kernel @exp_1
// CHECK: tenon_tile.kernel @exp_2(%{{.*}}: tensor<8x16xf32>)
tenon_tile.kernel @exp_0(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {
  %y = tenon.exp %x : tensor<8x32xf32>
  tenon_tile.yield %y : tensor<8x32xf32>
}
tenon_tile.kernel @exp_1(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
  %y = tenon.exp %x : tensor<4x32xf32>
  tenon_tile.yield %y : tensor<4x32xf32>
}
tenon_tile.kernel @exp_2(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %y = tenon.exp %x : tensor<8x16xf32>
  tenon_tile.yield %y : tensor<8x16xf32>
}
// CHECK: func.func @launches
func.func @launches(%a: tensor<8x32xf32>, %b: tensor<4x32xf32>, %c: tensor<8x16xf32>)
    -> (tensor<8x32xf32>, tensor<4x32xf32>, tensor<8x16xf32>) {
  %one = arith.constant 1 : index
  %d = tensor.empty() : tensor<8x32xf32>
  // CHECK: launch @[[K]]{{.*}} symbols(%c8{{.*}}) ins(%{{.*}} : tensor<8x32xf32>)
  %e = tenon_host.launch @exp_0 ins(%a : tensor<8x32xf32>) outs(%d : tensor<8x32xf32>) -> tensor<8x32xf32>
  %f = tensor.empty() : tensor<4x32xf32>
  // CHECK: launch @[[K]]{{.*}} symbols(%c4{{.*}}) ins(%{{.*}} : tensor<4x32xf32>)
  %g = tenon_host.launch @exp_1 ins(%b : tensor<4x32xf32>) outs(%f : tensor<4x32xf32>) -> tensor<4x32xf32>
  %h = tensor.empty() : tensor<8x16xf32>
  // CHECK: launch @exp_2{{.*}} ins(%{{.*}} : tensor<8x16xf32>)
  %i = tenon_host.launch @exp_2 ins(%c : tensor<8x16xf32>) outs(%h : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %e, %g, %i : tensor<8x32xf32>, tensor<4x32xf32>, tensor<8x16xf32>
}

// -----

// Long rows may differ in their length, and what is repeated along them follows. Sizes that are equal stay known, symbols
// that are there come first, and so do the attributes of what moves.
// CHECK: tenon_tile.kernel @bias_{{[0-9a-f]+}}(%[[M:.*]]: index, %[[C:.*]]: index, %[[X:.*]]: tensor<?x7x?xf32> {tenon_tile.contract = "inner"}, %[[B:.*]]: tensor<?xf32>)
// CHECK-DAG: tenon.bind_shape %[[X]] [%[[M]], 7, %[[C]]]
// CHECK-DAG: tenon.bind_shape %[[B]] [%[[C]]]
// CHECK: tenon.broadcast %[[B]] dims [2] sizes [%[[M]], 7, %[[C]]]
// CHECK-NOT: @add_1
tenon_tile.kernel @add_0(%m: index, %x: tensor<?x7x64xf32> {tenon_tile.contract = "inner"}, %b: tensor<64xf32>)
    -> tensor<?x7x64xf32> {
  tenon.bind_shape %x [%m, 7, 64] : tensor<?x7x64xf32>
  %c = tenon.broadcast %b dims [2] sizes [%m, 7, 64] : tensor<64xf32> -> tensor<?x7x64xf32>
  %y = tenon.add %x, %c : tensor<?x7x64xf32>
  tenon_tile.yield %y : tensor<?x7x64xf32>
}
tenon_tile.kernel @add_1(%m: index, %x: tensor<?x7x128xf32> {tenon_tile.contract = "inner"}, %b: tensor<128xf32>)
    -> tensor<?x7x128xf32> {
  tenon.bind_shape %x [%m, 7, 128] : tensor<?x7x128xf32>
  %c = tenon.broadcast %b dims [2] sizes [%m, 7, 128] : tensor<128xf32> -> tensor<?x7x128xf32>
  %y = tenon.add %x, %c : tensor<?x7x128xf32>
  tenon_tile.yield %y : tensor<?x7x128xf32>
}

// -----

// What is summed stays known, and so do the rows of register tiles; their batch needn't be.
// CHECK: tenon_tile.kernel @sum_0(%{{.*}}: tensor<4x64xf32>)
// CHECK: tenon_tile.kernel @sum_1(%{{.*}}: tensor<4x128xf32>)
tenon_tile.kernel @sum_0(%x: tensor<4x64xf32>) -> tensor<4xf32> {
  %y = tenon.reduce sum %x dims [1] : tensor<4x64xf32> -> tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
tenon_tile.kernel @sum_1(%x: tensor<4x128xf32>) -> tensor<4xf32> {
  %y = tenon.reduce sum %x dims [1] : tensor<4x128xf32> -> tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
// CHECK: tenon_tile.kernel @rows_0(%{{.*}}: tensor<16x8xf32>
tenon_tile.kernel @rows_0(%x: tensor<16x8xf32>, %w: tensor<8x32xf32>) -> tensor<16x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<16x8xf32>, tensor<8x32xf32> -> tensor<16x32xf32>
  tenon_tile.yield %y : tensor<16x32xf32>
}
// CHECK: tenon_tile.kernel @rows_1(%{{.*}}: tensor<24x8xf32>
tenon_tile.kernel @rows_1(%x: tensor<24x8xf32>, %w: tensor<8x32xf32>) -> tensor<24x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<24x8xf32>, tensor<8x32xf32> -> tensor<24x32xf32>
  tenon_tile.yield %y : tensor<24x32xf32>
}
// CHECK: tenon_tile.kernel @matmul_{{[0-9a-f]+}}(%[[B:.*]]: index, %{{.*}}: tensor<?x16x8xf32>, %{{.*}}: tensor<?x8x32xf32>)
// CHECK-NOT: @batch_1
tenon_tile.kernel @batch_0(%x: tensor<2x16x8xf32>, %w: tensor<2x8x32xf32>) -> tensor<2x16x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
       : tensor<2x16x8xf32>, tensor<2x8x32xf32> -> tensor<2x16x32xf32>
  tenon_tile.yield %y : tensor<2x16x32xf32>
}
tenon_tile.kernel @batch_1(%x: tensor<3x16x8xf32>, %w: tensor<3x8x32xf32>) -> tensor<3x16x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
       : tensor<3x16x8xf32>, tensor<3x8x32xf32> -> tensor<3x16x32xf32>
  tenon_tile.yield %y : tensor<3x16x32xf32>
}

// -----

// Neighbours are read along the windowed dimensions: the sizes of windows stay. So does a constant's.
// CHECK: @window_0(%{{.*}}: tensor<1x4x8x8xf32>
// CHECK: @window_1(%{{.*}}: tensor<1x6x8x8xf32>
tenon_tile.kernel @window_0(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x7x7xf32> {
  %y = tenon.window max %x sizes [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x4x7x7xf32>
  tenon_tile.yield %y : tensor<1x4x7x7xf32>
}
tenon_tile.kernel @window_1(%x: tensor<1x6x8x8xf32>) -> tensor<1x6x7x7xf32> {
  %y = tenon.window max %x sizes [2, 2] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] : tensor<1x6x8x8xf32> -> tensor<1x6x7x7xf32>
  tenon_tile.yield %y : tensor<1x6x7x7xf32>
}
// CHECK: @constant_0(%{{.*}}: tensor<8x4xf32>
// CHECK: @constant_1(%{{.*}}: tensor<6x4xf32>
tenon_tile.kernel @constant_0(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %c = tenon.constant dense<1.0> : tensor<8x4xf32>
  %y = tenon.add %x, %c : tensor<8x4xf32>
  tenon_tile.yield %y : tensor<8x4xf32>
}
tenon_tile.kernel @constant_1(%x: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %c = tenon.constant dense<1.0> : tensor<6x4xf32>
  %y = tenon.add %x, %c : tensor<6x4xf32>
  tenon_tile.yield %y : tensor<6x4xf32>
}
