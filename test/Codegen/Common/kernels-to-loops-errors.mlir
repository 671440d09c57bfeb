// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)"

tenon_tile.kernel @concrete(%x: tensor<2xi64>) -> tensor<2xi64> {
  // expected-error@+1 {{a constant of several values must be an operand of the kernel}}
  %c = tenon.constant dense<[1, 2]> : tensor<2xi64>
  %y = tenon.add %x, %c : tensor<2xi64>
  tenon_tile.yield %y : tensor<2xi64>
}

// -----

// expected-error@+1 {{elements of 'f6E2M3FN' can't be compiled}}
tenon_tile.kernel @nibble_floats(%x: tensor<4xf6E2M3FN>) -> tensor<4xf6E2M3FN> {
  tenon_tile.yield %x : tensor<4xf6E2M3FN>
}

// -----

tenon_tile.kernel @bytes(%x: tensor<4xf8E4M3FN>) -> tensor<4xf8E4M3FN> {
  // expected-error@+1 {{'tenon.exp' op can't compute with elements of 'f8E4M3FN'}}
  %y = tenon.exp %x : tensor<4xf8E4M3FN>
  tenon_tile.yield %y : tensor<4xf8E4M3FN>
}

// -----

// Register tiles read their operands from memory.
tenon_tile.kernel @computed(%x: tensor<8x16xf32>, %y: tensor<16x32xf32>) -> tensor<8x32xf32> attributes {work = affine_map<() -> (1)>} {
  %e = tenon.exp %x : tensor<8x16xf32>
  // expected-error@+1 {{'tenon.contract' op expects operands that are the kernel's}}
  %z = tenon.contract %e, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<8x16xf32>, tensor<16x32xf32> -> tensor<8x32xf32>
  tenon_tile.yield %z : tensor<8x32xf32>
}

// -----

tenon_tile.kernel @elements_of_windows(%x: tensor<1x9x4xf32>, %y: tensor<9x32xf32>) -> tensor<1x4x32xf32> attributes {work = affine_map<() -> (1)>} {
  %w = tenon_tile.window_rows %x sizes [1] strides [1] dilations [1] : tensor<1x9x4xf32> -> tensor<1x9x4xf32>
  // expected-error@+1 {{'tenon.contract' op expects to sum the elements of windows}}
  %z = tenon.contract %w, %y maps [affine_map<(n, c, m, k) -> (n, k, c)>, affine_map<(n, c, m, k) -> (k, m)>, affine_map<(n, c, m, k) -> (n, c, m)>]
       : tensor<1x9x4xf32>, tensor<9x32xf32> -> tensor<1x4x32xf32>
  tenon_tile.yield %z : tensor<1x4x32xf32>
}
