// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2},tenon_tile.variants(tenon_tile.variant(tenon-select-schedules)))" | FileCheck %s
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2,avx512},tenon_tile.variants(tenon_tile.variant(tenon-select-schedules)))" | FileCheck %s --check-prefix=SHARED

// Three vectors of columns that they divide are panels of their own, and leave nothing of 128 rows, as tiles of six rows would.
// Several variants have panels in common, which are 32 columns wide.
// CHECK-LABEL: tenon_tile.variants @three
// CHECK: target #avx2 schedule({{.*}}panel_columns = 32, {{.*}}tile_rows = 4, {{.*}}vectors = 3, wide_rows = 2)
// SHARED: target #avx2 schedule({{.*}}tile_rows = 6, {{.*}}vectors = 2, wide_rows = 2)
tenon_tile.kernel @three(%x: tensor<128x8xf32>, %w: tensor<8x96xf32> {tenon_tile.constant}) -> tensor<128x96xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<128x8xf32>, tensor<8x96xf32> -> tensor<128x96xf32>
  tenon_tile.yield %y : tensor<128x96xf32>
}

// Others are two vectors: what they don't divide, what is no constant, what is stored in less.
// CHECK-LABEL: tenon_tile.variants @rest
// CHECK: target #avx2 schedule({{.*}}tile_rows = 6, {{.*}}vectors = 2, wide_rows = 2)
tenon_tile.kernel @rest(%x: tensor<128x8xf32>, %w: tensor<8x64xf32> {tenon_tile.constant}) -> tensor<128x64xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<128x8xf32>, tensor<8x64xf32> -> tensor<128x64xf32>
  tenon_tile.yield %y : tensor<128x64xf32>
}
// CHECK-LABEL: tenon_tile.variants @in_memory
// CHECK: target #avx2 schedule({{.*}}tile_rows = 6, {{.*}}vectors = 2, wide_rows = 2)
tenon_tile.kernel @in_memory(%x: tensor<128x8xf32>, %w: tensor<8x96xf32>) -> tensor<128x96xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<128x8xf32>, tensor<8x96xf32> -> tensor<128x96xf32>
  tenon_tile.yield %y : tensor<128x96xf32>
}
// CHECK-LABEL: tenon_tile.variants @narrow
// CHECK: target #avx2 schedule({{.*}}tile_rows = 6, {{.*}}vectors = 2, wide_rows = 2)
tenon_tile.kernel @narrow(%x: tensor<128x8xf16>, %w: tensor<8x96xf16> {tenon_tile.constant}) -> tensor<128x96xf16> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<128x8xf16>, tensor<8x96xf16> -> tensor<128x96xf16>
  tenon_tile.yield %y : tensor<128x96xf16>
}
