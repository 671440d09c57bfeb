// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// A second operand that isn't packed has its columns as far apart as its rows: each of 16 tiles fetches 3 of 48 rows of the
// next panel. What the end reads and the result's rows are fetched as the tile begins, one cache line of each of 6 rows.
// CHECK-LABEL: tenon_tile.program @far
// CHECK: for (%[[ROW:.*]]) = 0 to 96 step 6 {
// CHECK: for (%[[N:.*]]) = 0 to 3 {
// CHECK-NEXT: prefetch %arg1[(%[[ROW]] floordiv 6) * 3 + %[[N]], %{{.*}} * 32 + %{{.*}} + 32] level 2 : memref<48x128xf32>
// CHECK-COUNT-6: prefetch %arg2[%[[ROW]]{{.*}} level 2 :
// CHECK-COUNT-6: prefetch %arg3[%[[ROW]]{{.*}} level 2 write :
// CHECK-NOT: prefetch
// CHECK: mma
tenon_tile.kernel @far(%a: tensor<96x48xf32>, %b: tensor<48x128xf32>, %r: tensor<96x128xf32>) -> tensor<96x128xf32> {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<96x48xf32>, tensor<48x128xf32> -> tensor<96x128xf32>
  %z = tenon.add %y, %r : tensor<96x128xf32>
  tenon_tile.yield %z : tensor<96x128xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Few rows leave no time for it.
// CHECK-LABEL: tenon_tile.program @few
// CHECK-NOT: prefetch %arg1
// CHECK: mma
tenon_tile.kernel @few(%a: tensor<6x48xf32>, %b: tensor<48x128xf32>) -> tensor<6x128xf32> {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<6x48xf32>, tensor<48x128xf32> -> tensor<6x128xf32>
  tenon_tile.yield %y : tensor<6x128xf32>
}
