// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Many rows copy the columns of an operand in memory next to each other; those beyond its end are zeros.
// CHECK-LABEL: tenon_tile.program @many
// CHECK: %[[COPY:.*]] = scratch : memref<48x32xf32
// CHECK: peel (%[[E:.*]] = %{{.*}}) of 32 {
// CHECK-NEXT: for (%[[K:.*]]) = 0 to 48 {
// CHECK-NEXT: %[[COLUMNS:.*]] = load %arg1[%[[K]], %{{.*}} * 32] extents [1, %[[E]]] : memref<48x100xf32> -> tensor<1x32xf32>
// CHECK-NEXT: store %[[COLUMNS]], %[[COPY]][%[[K]], 0]
// CHECK: %[[B:.*]] = load %[[COPY]][%{{.*}}, %{{.*}}] {{.*}} -> tensor<2x16xf32>
// CHECK: mma %{{.*}}, %[[B]], %{{.*}}
tenon_tile.kernel @many(%a: tensor<96x48xf32>, %b: tensor<48x100xf32>) -> tensor<96x100xf32> {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<96x48xf32>, tensor<48x100xf32> -> tensor<96x100xf32>
  tenon_tile.yield %y : tensor<96x100xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Few rows read them where they are.
// CHECK-LABEL: tenon_tile.program @few
// CHECK-NOT: scratch
// CHECK: mma
tenon_tile.kernel @few(%a: tensor<24x48xf32>, %b: tensor<48x128xf32>) -> tensor<24x128xf32> {
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<24x48xf32>, tensor<48x128xf32> -> tensor<24x128xf32>
  tenon_tile.yield %y : tensor<24x128xf32>
}
