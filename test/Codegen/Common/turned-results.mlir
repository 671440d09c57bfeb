// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-loops)" | FileCheck %s

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// A result with rows next to each other: the tiles' sums stay in a buffer, whose blocks are turned into another one. Rows of an
// image run together, so vectors of them fill all but the last one of an image. 24 columns are three vectors of 4 rows.
// CHECK-LABEL: func.func @turned
// CHECK-COUNT-2: memref.alloca() {alignment = 64 : i64} : memref<3072xf32>
// CHECK: tenon_tile.microkernel
// CHECK-COUNT-12: vector.store {{.*}} memref<3072xf32>, vector<8xf32>
// CHECK-COUNT-8: vector.load {{.*}} memref<3072xf32>, vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store {{.*}} memref<3072xf32>, vector<8xf32>
// CHECK: arith.muli {{.*}} %c15 : index
// CHECK: %[[SUMS:.*]] = vector.load {{.*}} memref<3072xf32>, vector<8xf32>
// CHECK: %[[ADDED:.*]] = arith.addf %[[SUMS]], {{.*}} : vector<8xf32>
// CHECK: vector.store %[[ADDED]]
// CHECK: vector.maskedstore
tenon_tile.kernel @turned(%x: tensor<2x5x7x16xf32>, %w: tensor<1x144x32xf32>, %b: tensor<24xf32>) -> tensor<2x24x3x5xf32> attributes {work = affine_map<() -> (1)>} {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<2x5x7x16xf32> -> tensor<2x3x5x144xf32>
  %1 = tenon_tile.unpack %w depth 0 : tensor<1x144x32xf32> -> tensor<144x24xf32>
  %2 = tenon.contract %0, %1 maps [#rows, #columns, #result] : tensor<2x3x5x144xf32>, tensor<144x24xf32> -> tensor<2x3x5x24xf32>
  %3 = tenon.transpose %2 [0, 3, 1, 2] : tensor<2x3x5x24xf32> -> tensor<2x24x3x5xf32>
  %4 = tenon.broadcast %b dims [1] sizes [2, 24, 3, 5] : tensor<24xf32> -> tensor<2x24x3x5xf32>
  %5 = tenon.add %3, %4 : tensor<2x24x3x5xf32>
  tenon_tile.yield %5 : tensor<2x24x3x5xf32>
}

// -----

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// What is added differs along the last dimension: vectors end with it.
// CHECK-LABEL: func.func @along
// CHECK-COUNT-24: vector.shuffle
// CHECK: arith.muli {{.*}} %c5 : index
tenon_tile.kernel @along(%x: tensor<2x5x7x16xf32>, %w: tensor<1x144x32xf32>, %b: tensor<5xf32>) -> tensor<2x24x3x5xf32> attributes {work = affine_map<() -> (1)>} {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<2x5x7x16xf32> -> tensor<2x3x5x144xf32>
  %1 = tenon_tile.unpack %w depth 0 : tensor<1x144x32xf32> -> tensor<144x24xf32>
  %2 = tenon.contract %0, %1 maps [#rows, #columns, #result] : tensor<2x3x5x144xf32>, tensor<144x24xf32> -> tensor<2x3x5x24xf32>
  %3 = tenon.transpose %2 [0, 3, 1, 2] : tensor<2x3x5x24xf32> -> tensor<2x24x3x5xf32>
  %4 = tenon.broadcast %b dims [3] sizes [2, 24, 3, 5] : tensor<5xf32> -> tensor<2x24x3x5xf32>
  %5 = tenon.add %3, %4 : tensor<2x24x3x5xf32>
  tenon_tile.yield %5 : tensor<2x24x3x5xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Three vectors don't divide a panel: 32 columns are two tiles of two.
// CHECK-LABEL: func.func @whole
// CHECK: tenon_tile.microkernel {{.*}} -> vector<16xf32>
tenon_tile.kernel @whole(%x: tensor<40x64xf32>, %w: tensor<1x64x32xf32>) -> tensor<32x40xf32> attributes {work = affine_map<() -> (1)>} {
  %0 = tenon_tile.unpack %w depth 0 : tensor<1x64x32xf32> -> tensor<64x32xf32>
  %1 = tenon.contract %x, %0 maps [#rows, #columns, #result] : tensor<40x64xf32>, tensor<64x32xf32> -> tensor<40x32xf32>
  %2 = tenon.transpose %1 [1, 0] : tensor<40x32xf32> -> tensor<32x40xf32>
  tenon_tile.yield %2 : tensor<32x40xf32>
}
