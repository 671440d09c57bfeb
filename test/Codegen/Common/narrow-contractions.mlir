// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s --check-prefix=LOOPS

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Panels stay as narrow as the weights, and are widened as they are read; rows are widened once, in front of the products with all
// columns of a unit. Sums are f32, and rounded by what writes them: between fused operations they keep their bits.
// CHECK: tenon_tile.form @panels(%{{.*}}: tensor<768x64xf16>) -> tensor<2x768x32xf16>
// CHECK-LABEL: tenon_tile.program @halves
// CHECK: %[[WIDE:.*]] = scratch : memref<6x768xf32
// CHECK: for (%[[K:.*]]) = 0 to 768 step 8 {
// CHECK-NEXT: %[[X:.*]] = {{.*}}load %arg0[{{.*}}] : memref<48x768xf16> -> tensor<6x8xf16>
// CHECK-NEXT: %[[C:.*]] = {{.*}}cast %[[X]] : tensor<6x8xf16> -> tensor<6x8xf32>
// CHECK-NEXT: store %[[C]], %[[WIDE]][0, %[[K]]]
// CHECK: for (%{{.*}}) = 0 to 32 step 16 {
// CHECK: load %[[WIDE]][0, {{.*}}] : {{.*}} -> tensor<6x2xf32>
// CHECK-NEXT: %[[W:.*]] = {{.*}}load %arg1[{{.*}}] : memref<2x768x32xf16> -> tensor<2x16xf16>
// CHECK-NEXT: cast %[[W]] : tensor<2x16xf16> -> tensor<2x16xf32>
// CHECK-NEXT: mma
// CHECK: %[[Y:.*]] = {{.*}}cast %{{.*}} : tensor<{{.*}}xf32> -> tensor<{{.*}}xf16>
// CHECK-NEXT: compute at {{.*}}(%{{.*}} = %[[Y]] : tensor<{{.*}}xf16> of tensor<48x64xf16>)
// LOOPS-LABEL: func.func @halves
// LOOPS: arith.extf %{{.*}} fastmath<contract> : vector<8xf16> to vector<8xf32>
// LOOPS: vector.fma {{.*}} : vector<16xf32>
// LOOPS: arith.truncf %{{.*}} fastmath<contract> : vector<16xf32> to vector<16xf16>
tenon_tile.kernel @halves(%x: tensor<48x768xf16>, %w: tensor<768x64xf16> {tenon_tile.constant}) -> tensor<48x64xf16> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x768xf16>, tensor<768x64xf16> -> tensor<48x64xf16>
  %1 = tenon.neg %0 : tensor<48x64xf16>
  tenon_tile.yield %1 : tensor<48x64xf16>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// What is left of a vector of a row is read in lower powers of two. Of f32 nothing is widened.
// CHECK-LABEL: tenon_tile.program @ragged
// CHECK: %[[WIDE:.*]] = scratch : memref<6x13xf32
// CHECK: load %arg0{{.*}} -> tensor<6x8xbf16>
// CHECK: load %arg0[{{.*}}, 8] {{.*}} -> tensor<6x4xbf16>
// CHECK: load %arg0[{{.*}}, 12] {{.*}} -> tensor<6x1xbf16>
tenon_tile.kernel @ragged(%x: tensor<48x13xbf16>, %w: tensor<13x64xbf16> {tenon_tile.constant}) -> tensor<48x64xf32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x13xbf16>, tensor<13x64xbf16> -> tensor<48x64xf32>
  tenon_tile.yield %0 : tensor<48x64xf32>
}
