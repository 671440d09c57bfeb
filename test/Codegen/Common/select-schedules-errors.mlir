// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2},tenon_tile.variants(tenon_tile.variant(tenon-select-schedules)))"

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a register tile of 8 rows and 2 vectors needs 19 registers, but target 'avx2' has 16}}
tenon_tile.kernel @registers(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 8, vectors = 2>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: vectors have 64 bytes, but those of target 'avx2' have 32}}
tenon_tile.kernel @vectors(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vector_bytes = 64>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: vectors have 16, 32 or 64 bytes, not 24}}
tenon_tile.kernel @bytes(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vector_bytes = 24>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: 1, 2, 4 or 8 vectors are computed at once, not 3}}
tenon_tile.kernel @number(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 3>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a register tile of 64 columns is wider than a unit of work, which has 32}}
tenon_tile.kernel @panel(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 8, unit_columns = 32>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a unit of work has from 1 to 4096 rows, not 5000}}
tenon_tile.kernel @many_rows(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<unit_rows = 5000>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a unit of work has a power of two of columns from 4 to 512, not 48}}
tenon_tile.kernel @odd_columns(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<unit_columns = 48>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a depth block has at least 16 products, not 4}}
tenon_tile.kernel @depth(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<depth_block = 4>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: a turn of a register tile's loop adds at most 64 products, not 100}}
tenon_tile.kernel @turn(%x: tensor<96x8xf32>, %w: tensor<8x32xf32>) -> tensor<96x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<turn_size = 100>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<96x8xf32>, tensor<8x32xf32> -> tensor<96x32xf32>
  tenon_tile.yield %y : tensor<96x32xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variant' op has a schedule with 'tile_rows', but elementwise kernels have vector_bytes, vectors}}
tenon_tile.kernel @rows(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<tile_rows = 2>} {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// -----

module attributes {tenon_tile.accuracy = "fast"} {
  // expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: elementary functions keep 12 or 24 bits, not 16}}
  tenon_tile.kernel @bits(%x: tensor<4xf32>) -> tensor<4xf32>
      attributes {tenon_tile.schedule = #tenon_tile.schedule<function_bits = 16>} {
    %y = tenon.exp %x : tensor<4xf32>
    tenon_tile.yield %y : tensor<4xf32>
  }
}

// -----

// Only where the module allows it.
// expected-error@+1 {{'tenon_tile.variant' op has a schedule with 'function_bits', but elementwise kernels have vector_bytes, vectors}}
tenon_tile.kernel @forbidden(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<function_bits = 12>} {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
