// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)"

// expected-error@+1 {{can't write elements of 'i4', which share bytes}}
tenon_tile.kernel @nibbles(%x: tensor<4xi4>) -> tensor<4xi4> attributes {work = affine_map<() -> (1)>} {
  tenon_tile.yield %x : tensor<4xi4>
}

// -----

tenon_tile.kernel @concrete(%x: tensor<2xi64>) -> tensor<2xi64> attributes {work = affine_map<() -> (1)>} {
  // expected-error@+1 {{a constant of several values must be an operand of the kernel}}
  %c = tenon.constant dense<[1, 2]> : tensor<2xi64>
  %y = tenon.add %x, %c : tensor<2xi64>
  tenon_tile.yield %y : tensor<2xi64>
}

// -----

// expected-error@+1 {{elements of 'f4E2M1FN' can't be compiled}}
tenon_tile.kernel @nibble_floats(%x: tensor<4xf4E2M1FN>) -> tensor<4xf4E2M1FN> attributes {work = affine_map<() -> (1)>} {
  tenon_tile.yield %x : tensor<4xf4E2M1FN>
}

// -----

tenon_tile.kernel @bytes(%x: tensor<4xf8E4M3FN>) -> tensor<4xf8E4M3FN> attributes {work = affine_map<() -> (1)>} {
  // expected-error@+1 {{'tenon.exp' op can't compute with elements of 'f8E4M3FN'}}
  %y = tenon.exp %x : tensor<4xf8E4M3FN>
  tenon_tile.yield %y : tensor<4xf8E4M3FN>
}
