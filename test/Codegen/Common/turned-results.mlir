// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s

#rows = affine_map<(n, h, w, m, k) -> (n, h, w, k)>
#columns = affine_map<(n, h, w, m, k) -> (k, m)>
#result = affine_map<(n, h, w, m, k) -> (n, h, w, m)>

// A result with rows next to each other: the tiles' sums wait in scratch, whose blocks are turned into another one. Rows of an
// image run together, so vectors of them fill all but the last one of an image. 24 columns are three vectors of 4 rows.
// CHECK-LABEL: tenon_tile.program @turned
// CHECK: %[[S:.*]] = scratch : memref<40x24xf32
// CHECK: %[[T:.*]] = scratch : memref<24x40xf32
// CHECK: %[[Y:.*]] = view %arg3 {{.*}} sizes [2, 24, 1, 15]
// CHECK: %[[ZEROS:.*]] = tenon.constant dense<0.0{{.*}}> : tensor<1x24xf32>
// CHECK-NEXT: for (%[[ROW:.*]]) = 24 to 32 {
// CHECK-NEXT: store %[[ZEROS]], %[[S]][%[[ROW]], 0]
// CHECK: mma {{.*}} -> tensor<4x24xf32>
// CHECK: store %{{.*}}, %[[S]]
// CHECK: for (%[[ROW:.*]]) = 0 to 30 step 8, (%[[COLUMN:.*]]) = 0 to 24 step 8 {
// CHECK-NEXT: %[[BLOCK:.*]] = load %[[S]][%[[ROW]], %[[COLUMN]]] dims [1, 0]
// CHECK-NEXT: store %[[BLOCK]], %[[T]][%[[COLUMN]], %[[ROW]]]
// CHECK: for (%[[COLUMN:.*]]) = 0 to 24 {
// CHECK-NEXT: for (%[[IMAGE:.*]]) = 0 to 2 {
// CHECK: peel (%[[E:.*]] = %{{.*}}) of 8 {
// CHECK-NEXT: %[[SUMS:.*]] = load %[[T]][%[[COLUMN]], %[[IMAGE]] * 15 + %[[P:.*]]] extents [%[[E]]]
// CHECK-NEXT: %[[R:.*]] = compute at [%[[IMAGE]], %{{.*}} + %[[COLUMN]], 0, %[[P]]] extents [%[[E]]] ({{.*}} = %[[SUMS]] :
// CHECK: store %[[R]], %[[Y]][%[[IMAGE]], %{{.*}} + %[[COLUMN]], 0, %[[P]]] extents [%[[E]]]
tenon_tile.kernel @turned(%x: tensor<2x5x7x16xf32>, %w: tensor<144x24xf32> {tenon_tile.constant}, %b: tensor<24xf32>) -> tensor<2x24x3x5xf32> {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<2x5x7x16xf32> -> tensor<2x3x5x144xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<2x3x5x144xf32>, tensor<144x24xf32> -> tensor<2x3x5x24xf32>
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
// CHECK-LABEL: tenon_tile.program @along
// CHECK: load {{.*}} dims [1, 0]
// CHECK: for (%[[LINE:.*]]) = 0 to 6 {
// CHECK: load %{{.*}}[%{{.*}}, %[[LINE]] * 5 + %{{.*}}] extents
tenon_tile.kernel @along(%x: tensor<2x5x7x16xf32>, %w: tensor<144x24xf32> {tenon_tile.constant}, %b: tensor<5xf32>) -> tensor<2x24x3x5xf32> {
  %0 = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<2x5x7x16xf32> -> tensor<2x3x5x144xf32>
  %2 = tenon.contract %0, %w maps [#rows, #columns, #result] : tensor<2x3x5x144xf32>, tensor<144x24xf32> -> tensor<2x3x5x24xf32>
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
// CHECK-LABEL: tenon_tile.program @whole
// CHECK: mma {{.*}} -> tensor<5x16xf32>
tenon_tile.kernel @whole(%x: tensor<40x64xf32>, %w: tensor<64x32xf32> {tenon_tile.constant}) -> tensor<32x40xf32> {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<40x64xf32>, tensor<64x32xf32> -> tensor<40x32xf32>
  %2 = tenon.transpose %1 [1, 0] : tensor<40x32xf32> -> tensor<32x40xf32>
  tenon_tile.yield %2 : tensor<32x40xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// The last tile begins early: its sums move to where its rows are before they are turned.
// CHECK-LABEL: tenon_tile.program @early
// CHECK: affine.min
// CHECK: mma
// CHECK: for (%[[I:.*]]) = 0 to 6, (%[[J:.*]]) = 0 to 32 step 8 {
// CHECK-NEXT: %[[MOVED:.*]] = load %[[S:.*]][%[[I]] + 12, %[[J]]]
// CHECK-NEXT: store %[[MOVED]], %[[S]][%[[I]] + 8, %[[J]]]
// CHECK: load %[[S]]{{.*}} dims [1, 0]
tenon_tile.kernel @early(%x: tensor<14x64xf32>, %w: tensor<64x32xf32> {tenon_tile.constant}) -> tensor<32x14xf32> attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 6>} {
  %1 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<14x64xf32>, tensor<64x32xf32> -> tensor<14x32xf32>
  %2 = tenon.transpose %1 [1, 0] : tensor<14x32xf32> -> tensor<32x14xf32>
  tenon_tile.yield %2 : tensor<32x14xf32>
}
