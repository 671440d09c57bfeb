// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s --check-prefix=LOOPS

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (n, k)>
#result = affine_map<(m, n, k) -> (m, n)>

// Numbers of 4 bits come in words, of each column the next eight, parameters of blocks one per block, all in panels. One row is
// written once as it is multiplied, and its sums in blocks: numbers are masked where they stand, each by its own factor. What a block
// shares is applied to its sum.
// CHECK-DAG: tenon_tile.form @words(%{{.*}}: tensor<64x4x32xui4>) -> tensor<2x16x32xi32>
// CHECK-DAG: tenon_tile.form @parameters(%{{.*}}: tensor<64x4xui8>) -> tensor<2x4x32xui8>
// CHECK-DAG: tenon_tile.form @parameters_0(%{{.*}}: tensor<64x4xf32>) -> tensor<2x4x32xf32>
// CHECK-LABEL: tenon_tile.program @row
// CHECK: %[[FACTORS:.*]] = scratch : memref<1x128xf32
// CHECK: %[[SUMS:.*]] = scratch : memref<1x4xf32
// CHECK: for (%[[B:.*]]) = 0 to 4 {
// CHECK: constant dense<{{\[\[}}1.000000e+00, 6.250000e-02, {{.*}}, 5.96046448E-8, 5.96046448E-8]]>
// CHECK: store %{{.*}}, %[[FACTORS]]
// CHECK: store %{{.*}}, %[[SUMS]][0, %[[B]]]
// CHECK: for (%{{.*}}) = 0 to 64 step 32 {
// CHECK: %[[W:.*]] = load {{.*}} : memref<2x16x32xi32> -> tensor<1x32xi32>
// CHECK: %[[Q:.*]] = tenon.and %[[W]], %{{.*}} : tensor<1x32xi32>
// CHECK: tenon.cast %[[Q]] : tensor<1x32xi32> -> tensor<1x32xf32>
// CHECK-COUNT-8: mma
// CHECK: load {{.*}} : memref<2x4x32xui8> -> tensor<32xui8>
// CHECK: load {{.*}} : memref<2x4x32xf32> -> tensor<32xf32>
// LOOPS-LABEL: func.func @row
// LOOPS-NOT: vector<8xi4>
// LOOPS: arith.andi %{{.*}} : vector<32xi32>
// LOOPS-NEXT: arith.sitofp %{{.*}} : vector<32xi32> to vector<32xf32>
// LOOPS: vector.fma {{.*}} : vector<32xf32>
tenon_tile.kernel @row(%x: tensor<1x128xf32>, %w: tensor<64x4x32xui4> {tenon_tile.constant},
                       %z: tensor<64x4xui8> {tenon_tile.constant},
                       %s: tensor<64x4xf32> {tenon_tile.constant}) -> tensor<1x64xf32> {
  %0 = tenon.cast %w : tensor<64x4x32xui4> -> tensor<64x4x32xf32>
  %1 = tenon.cast %z : tensor<64x4xui8> -> tensor<64x4xf32>
  %2 = tenon.broadcast %1 dims [0, 1] sizes [64, 4, 32] : tensor<64x4xf32> -> tensor<64x4x32xf32>
  %3 = tenon.sub %0, %2 : tensor<64x4x32xf32>
  %4 = tenon.broadcast %s dims [0, 1] sizes [64, 4, 32] : tensor<64x4xf32> -> tensor<64x4x32xf32>
  %5 = tenon.mul %3, %4 : tensor<64x4x32xf32>
  %6 = tenon.reshape %5 sizes [64, 128] : tensor<64x4x32xf32> -> tensor<64x128xf32>
  %7 = tenon.contract %x, %6 maps [#rows, #columns, #result] : tensor<1x128xf32>, tensor<64x128xf32> -> tensor<1x64xf32>
  tenon_tile.yield %7 : tensor<1x64xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Of many rows the columns of a unit are made once, in scratch. Under `strict` each is what the graph says, for few rows too.
// CHECK: tenon_tile.form @numbers(%{{.*}}: tensor<128x64xi8>) -> tensor<2x128x32xi8>
// CHECK-LABEL: tenon_tile.program @rows
// CHECK: %[[COLUMNS:.*]] = scratch : memref<128x64xf32
// CHECK: for (%{{.*}}) = 0 to 128 step 4, (%{{.*}}) = 0 to 64 step 32 {
// CHECK: load {{.*}} : memref<2x128x32xi8> -> tensor<1x32xi8>
// CHECK: tenon.mul
// CHECK: store %{{.*}}, %[[COLUMNS]]
// CHECK: load %[[COLUMNS]]{{.*}} -> tensor<{{.*}}x16xf32>
// CHECK-NEXT: mma
tenon_tile.kernel @rows(%x: tensor<48x128xf32>, %w: tensor<128x64xi8> {tenon_tile.constant},
                        %s: tensor<64xf32> {tenon_tile.constant}) -> tensor<48x64xf32> {
  %0 = tenon.cast %w : tensor<128x64xi8> -> tensor<128x64xf32>
  %1 = tenon.broadcast %s dims [1] sizes [128, 64] : tensor<64xf32> -> tensor<128x64xf32>
  %2 = tenon.mul %0, %1 : tensor<128x64xf32>
  %3 = tenon.contract %x, %2 maps [#rows, #columns, #result] : tensor<48x128xf32>, tensor<128x64xf32> -> tensor<48x64xf32>
  tenon_tile.yield %3 : tensor<48x64xf32>
}
