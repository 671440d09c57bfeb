// RUN: %tenon_opt %s --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2},tenon_tile.variants(tenon_tile.variant(tenon-select-schedules{print-space})))"

// expected-remark@+1 {{18 schedules of elementwise kernels: vector_bytes {32, 16} vectors {1, 2, 4} unit_elements {4096, 1024, 16384}}}
tenon_tile.kernel @exp(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// expected-remark@+1 {{6 schedules of kernels of rows: vector_bytes {32, 16} vectors {1, 2, 4}}}
tenon_tile.kernel @softmax(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.softmax %x dims [1] : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// expected-remark@+1 {{2 schedules of ordered kernels: vector_bytes {32, 16}}}
tenon_tile.kernel @ordered(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = tenon.scan sum %x dim 1 : tensor<4x8xf32>
  tenon_tile.yield %y : tensor<4x8xf32>
}

// Of both vector lengths 14 register tiles of one vector, 6 of two, 2 of four, none wider than a unit of work.
// expected-remark@+1 {{18792 schedules of contractions: vector_bytes {32, 16} vectors {2, 1, 4} tile_rows {16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1} depth_block {768, 256, 384, 512, 1024, 1536} turn_size {12, 6, 24} resident_bytes {262144} wide_rows {2} fetch_rows {32} epilogue_rows {32, 1} unit_rows {96, 48, 192} unit_columns {32, 16, 64, 128}}}
tenon_tile.kernel @contract(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}
