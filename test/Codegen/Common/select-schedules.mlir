// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2,avx512},tenon_tile.variants(tenon_tile.variant(tenon-select-schedules)))" | FileCheck %s

// Elements are computed in the widest vectors, one at a time where memory is the limit.
// CHECK-LABEL: tenon_tile.variants @add
// CHECK: target #avx2 schedule(unit_elements = 4096, vector_bytes = 32, vectors = 1)
// CHECK: target #avx512 schedule(unit_elements = 4096, vector_bytes = 64, vectors = 1)
tenon_tile.kernel @add(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.add %x, %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// Several at once hide the latency of functions and of reductions.
// CHECK-LABEL: tenon_tile.variants @exp
// CHECK: target #avx2 schedule(unit_elements = 4096, vector_bytes = 32, vectors = 4)
// CHECK: target #avx512 schedule(unit_elements = 4096, vector_bytes = 64, vectors = 4)
tenon_tile.kernel @exp(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// Not where the last of a row's vectors would be empty; a row of unknown length may be short.
// CHECK-LABEL: tenon_tile.variants @short_rows
// CHECK: target #avx2 schedule(vector_bytes = 32, vectors = 1)
// CHECK: target #avx512 schedule(vector_bytes = 64, vectors = 1)
tenon_tile.kernel @short_rows(%x: tensor<4x7xf32>) -> tensor<4xf32> {
  %y = tenon.reduce sum %x dims [1] : tensor<4x7xf32> -> tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
// CHECK-LABEL: tenon_tile.variants @any_length
// CHECK: target #avx2 schedule(part_elements = 16384, vector_bytes = 32, vectors = 4)
// CHECK: target #avx512 schedule(part_elements = 16384, vector_bytes = 64, vectors = 2)
tenon_tile.kernel @any_length(%n: index, %x: tensor<4x?xf32>) -> tensor<4xf32> {
  tenon.bind_shape %x [4, %n] : tensor<4x?xf32>
  %y = tenon.reduce sum %x dims [1] : tensor<4x?xf32> -> tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// Ordered kernels have no choice of how many.
// CHECK-LABEL: tenon_tile.variants @ordered
// CHECK: target #avx2 schedule(vector_bytes = 32)
// CHECK: target #avx512 schedule(vector_bytes = 64)
tenon_tile.kernel @ordered(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = tenon.scan sum %x dim 1 : tensor<4x8xf32>
  tenon_tile.yield %y : tensor<4x8xf32>
}

// The register tile with the most multiply-adds per load that the registers hold, and that leaves no lower ones of a unit
// of rows.
// CHECK-LABEL: tenon_tile.variants @any_rows
// CHECK: target #avx2 schedule(depth_block = 768, epilogue_rows = 32, fetch_rows = 32, resident_bytes = 262144, tile_rows = 6, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 32, vectors = 2, wide_rows = 2)
// CHECK: target #avx512 schedule(depth_block = 768, epilogue_rows = 32, fetch_rows = 32, resident_bytes = 524288, tile_rows = 12, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 64, vectors = 2, wide_rows = 2)
tenon_tile.kernel @any_rows(%m: index, %x: tensor<?x8xf32>, %w: tensor<8x32xf32>) -> tensor<?x32xf32> {
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x32xf32> -> tensor<?x32xf32>
  tenon_tile.yield %y : tensor<?x32xf32>
}

// One row leaves registers for wider tiles: more sums at once hide the latency of multiply-adds.
// CHECK-LABEL: tenon_tile.variants @one_row
// CHECK: target #avx2 schedule(depth_block = 768, epilogue_rows = 32, fetch_rows = 32, resident_bytes = 262144, tile_rows = 2, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 32, vectors = 4, wide_rows = 2)
// CHECK: target #avx512 schedule(depth_block = 768, epilogue_rows = 32, fetch_rows = 32, resident_bytes = 524288, tile_rows = 14, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 64, vectors = 2, wide_rows = 2)
tenon_tile.kernel @one_row(%x: tensor<1x8xf32>, %w: tensor<8x32xf32>) -> tensor<1x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<1x8xf32>, tensor<8x32xf32> -> tensor<1x32xf32>
  tenon_tile.yield %y : tensor<1x32xf32>
}

// What a person fixes stays, the rest is chosen to go with it: lower tiles can be wider.
// CHECK-LABEL: tenon_tile.variants @fixed
// CHECK: target #avx2 schedule(depth_block = 256, epilogue_rows = 32, fetch_rows = 32, resident_bytes = 262144, tile_rows = 2, turn_size = 12, unit_columns = 32, unit_rows = 96, vector_bytes = 32, vectors = 4, wide_rows = 2)
tenon_tile.kernel @fixed(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 2, depth_block = 256>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// Loops have no schedule to choose.
// CHECK-LABEL: tenon_tile.variants @loops
// CHECK: tenon_tile.variant @avx2 target #avx2 {
func.func @loops(%x: memref<f32>, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 1, strides = 0, symbols = 0}} {
  %ok = arith.constant 0 : i32
  return %ok : i32
}
