// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s

// A long reduction is cut: a grid of parts leaves sums in memory of the launch, a second one combines them in their order.
// CHECK-LABEL: tenon_tile.program @sum(
// CHECK-SAME: attributes {tenon_tile.workers = #{{.*}}}
// CHECK: %[[SUMS:.*]] = scratch : memref<62xf32, #launch>
// CHECK: grid (%[[I:.*]], %[[MI:.*]]) = 0 to 1000000 step 16384 {
// CHECK: for (%{{.*}}, %{{.*}}) = %[[I]] to %[[I]] + %[[MI]] step 32 iter_args
// CHECK: %[[PART:.*]] = tenon.reduce sum
// CHECK: store %[[PART]], %[[SUMS]][%[[I]] floordiv 16384] : tensor<f32>
// CHECK: grid (%{{.*}}) = 0 to 1 {
// CHECK: for (%[[P:.*]]) = 0 to 62 iter_args(%[[C:.*]] = %{{.*}}) -> (tensor<f32>) {
// CHECK: %[[OF:.*]] = load %[[SUMS]][%[[P]]]
// CHECK: tenon.add %[[C]], %[[OF]]
// CHECK: sqrt
// CHECK-NOT: tenon_tile.program
tenon_tile.kernel @sum(%x: tensor<1000000xf32>) -> tensor<f32> {
  %s = tenon.reduce sum %x dims [0] : tensor<1000000xf32> -> tensor<f32>
  %y = tenon.sqrt %s : tensor<f32>
  tenon_tile.yield %y : tensor<f32>
}

// -----

// Where the length shows at run time there are both programs. Rows of 24 columns stand in lanes; a part has as many rows as
// have its elements.
// CHECK-LABEL: tenon_tile.program @columns_in_parts(
// CHECK-SAME: guard (%[[N:.*]] - 1364 >= 0)
// CHECK: %[[SUMS:.*]] = scratch(%[[N]] ceildiv 682) : memref<?x24xf32, #launch>
// CHECK: grid (%[[I:.*]], %{{.*}}) = 0 to %[[N]] step 682 {
// CHECK: store %{{.*}}, %[[SUMS]][%[[I]] floordiv 682, 0] extents [24] : tensor<32xf32>
// CHECK: grid (%{{.*}}) = 0 to 1 {
// CHECK: tenon_tile.program @columns(
// CHECK-NOT: guard
// CHECK-NOT: launch
// CHECK: grid (%{{.*}}) = 0 to 1 {
// CHECK-NOT: grid
tenon_tile.kernel @columns(%n: index, %x: tensor<?x24xf32>) -> tensor<24xf32> {
  tenon.bind_shape %x [%n, 24] : tensor<?x24xf32>
  %y = tenon.reduce mean %x dims [0] : tensor<?x24xf32> -> tensor<24xf32>
  tenon_tile.yield %y : tensor<24xf32>
}

// -----

// Parts of the outer dimension lie in one piece each, if there are enough of them.
// CHECK-LABEL: tenon_tile.program @pieces(
// CHECK: grid (%[[I:.*]], %[[MI:.*]]) = 0 to 512 step 16 {
// CHECK: for (%[[J:.*]]) = %[[I]] to %[[I]] + %[[MI]] iter_args
// CHECK: for (%{{.*}}) = 0 to 1024 step 32 iter_args
tenon_tile.kernel @pieces(%x: tensor<512x1024xf32>) -> tensor<f32> {
  %y = tenon.reduce max %x dims [0, 1] : tensor<512x1024xf32> -> tensor<f32>
  tenon_tile.yield %y : tensor<f32>
}

// -----

// Reductions of the same elements are one pass, which looks for NaN once; not those that wait for another one, or read something else.
// CHECK-LABEL: tenon_tile.program @siblings(
// CHECK: grid (%[[I:.*]]) = 0 to 64 {
// CHECK: %[[S:.*]]:3 = for (%[[K:.*]]) = 0 to 256 step 32 iter_args(%[[LEAST:.*]] = %{{.*}}, %[[MOST:.*]] = %{{.*}}, %[[NAN:.*]] = %{{.*}})
// CHECK-NEXT: %[[X:.*]] = compute at [%[[I]], %[[K]]]
// CHECK-NOT: compute
// CHECK: tenon.compare lt %[[X]], %[[LEAST]]
// CHECK: tenon.compare ne %[[X]], %[[X]]
// CHECK: tenon.compare gt %[[X]], %[[MOST]]
// CHECK-NOT: tenon.compare ne
// CHECK: yield
// CHECK: tenon.reduce min
// CHECK: tenon.reduce max
// CHECK: = for (%{{.*}}) = 0 to 256 step 32 iter_args(%{{[a-z0-9]*}} = %{{[a-z0-9]*}}) -> (tensor<32xf32>)
// CHECK: = for (%{{.*}}) = 0 to 256 step 32 iter_args(%{{[a-z0-9]*}} = %{{[a-z0-9]*}}) -> (tensor<32xf32>)
tenon_tile.kernel @siblings(%x: tensor<64x256xf32>, %y: tensor<64x256xf32>) -> (tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>) {
  %least = tenon.reduce min %x dims [1] : tensor<64x256xf32> -> tensor<64xf32>
  %other = tenon.reduce sum %y dims [1] : tensor<64x256xf32> -> tensor<64xf32>
  %most = tenon.reduce max %x dims [1] : tensor<64x256xf32> -> tensor<64xf32>
  %all = tenon.broadcast %most dims [0] sizes [64, 256] : tensor<64xf32> -> tensor<64x256xf32>
  %below = tenon.sub %all, %x : tensor<64x256xf32>
  %sum = tenon.reduce sum %below dims [1] : tensor<64x256xf32> -> tensor<64xf32>
  tenon_tile.yield %least, %other, %most, %sum : tensor<64xf32>, tensor<64xf32>, tensor<64xf32>, tensor<64xf32>
}

// -----

// Not cut: what is short, and what is read again for each element of a row.
// CHECK-LABEL: tenon_tile.program @short(
// CHECK-NOT: launch
tenon_tile.kernel @short(%x: tensor<8x20000xf32>) -> tensor<8xf32> {
  %y = tenon.reduce max %x dims [1] : tensor<8x20000xf32> -> tensor<8xf32>
  tenon_tile.yield %y : tensor<8xf32>
}

// -----

// CHECK-LABEL: tenon_tile.program @softmax(
// CHECK-NOT: launch
tenon_tile.kernel @softmax(%x: tensor<2x100000xf32>) -> tensor<2x100000xf32> {
  %y = tenon.softmax %x dims [1] : tensor<2x100000xf32>
  tenon_tile.yield %y : tensor<2x100000xf32>
}
