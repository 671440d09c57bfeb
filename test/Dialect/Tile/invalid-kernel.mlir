// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{'tenon_tile.kernel' op expects index arguments, then tensors, but has 'tensor<4xf32>' as argument 0}}
tenon_tile.kernel @order(%x: tensor<4xf32>, %m: index) -> tensor<4xf32> {
  tenon_tile.yield %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects a body that yields 'tensor<4xf32>'}}
tenon_tile.kernel @results(%x: tensor<8xf32>) -> tensor<4xf32> {
  tenon_tile.yield %x : tensor<8xf32>
}

// -----

// expected-error@+1 {{expects the contract 'inner', of a tensor of two dimensions or more, but has "any" of 'tensor<4x4xf32>'}}
tenon_tile.kernel @unknown_contract(%x: tensor<4x4xf32> {tenon_tile.contract = "any"}) -> tensor<4x4xf32> {
  tenon_tile.yield %x : tensor<4x4xf32>
}

// -----

// expected-error@+1 {{expects the contract 'inner', of a tensor of two dimensions or more, but has "inner" of 'tensor<4xf32>'}}
tenon_tile.kernel @contract_of_one_row(%x: tensor<4xf32>) -> (tensor<4xf32> {tenon_tile.contract = "inner"}) {
  tenon_tile.yield %x : tensor<4xf32>
}

// -----

func.func @window_rows_size(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects size 36 of result dimension 3, but it is 9}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x8x8x4xf32> -> tensor<1x6x6x9xf32>
  return
}

// -----

func.func @window_rows_strides(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects 2 sizes, strides and dilations}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1] dilations [1, 1] : tensor<1x8x8x4xf32> -> tensor<1x6x6x36xf32>
  return
}

// -----

func.func @window_rows_zero(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects positive strides of at most 2147483648, but has 0}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 0] dilations [1, 1] : tensor<1x8x8x4xf32> -> tensor<1x6x6x36xf32>
  return
}

// -----

func.func @window_rows_pads(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects 4 pads that aren't negative}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1] : tensor<1x8x8x4xf32> -> tensor<1x8x8x36xf32>
  return
}

// -----

func.func @window_rows_channels(%x: tensor<1x8x8x?xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects images of a known number of channels}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x8x8x?xf32> -> tensor<1x6x6x36xf32>
  return
}

// -----

// Verifiers look at types, so they come to an end where an op names itself.
func.func @window_rows_of_itself() -> tensor<?x?x7x8xf32> {
  // expected-error@+2 {{operand #0 does not dominate this use}}
  // expected-note@+1 {{operand defined here (op in the same block)}}
  %c = tenon_tile.window_rows %c sizes [1, 1] strides [1, 1] dilations [1, 1] : tensor<?x?x7x8xf32> -> tensor<?x?x7x8xf32>
  return %c : tensor<?x?x7x8xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects tenon.bind_shape of argument 0, whose sizes are dynamic}}
tenon_tile.kernel @unbound(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %y = tenon.exp %x : tensor<?x4xf32>
  tenon_tile.yield %y : tensor<?x4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects a body that yields}}
"tenon_tile.kernel"() <{function_type = () -> tensor<4xf32>, sym_name = "empty"}> ({
^bb0:
}) : () -> ()

// -----

func.func @window_rows_overflow(%x: tensor<1x8x8x4xf32>) {
  // expected-error@+1 {{'tenon_tile.window_rows' op expects pads of at most 2147483648, but has 9223372036854775807}}
  %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] pads [9223372036854775807, 1, 1, 1] : tensor<1x8x8x4xf32> -> tensor<1x8x8x36xf32>
  return
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects tensors of numbers, but has 'tensor<3x4xcomplex<f32>>'}}
tenon_tile.kernel @complex(%x: tensor<3x4xcomplex<f32>>) -> tensor<4x3xcomplex<f32>> {
  %y = tenon.transpose %x [1, 0] : tensor<3x4xcomplex<f32>> -> tensor<4x3xcomplex<f32>>
  tenon_tile.yield %y : tensor<4x3xcomplex<f32>>
}

// -----

// expected-error@+1 {{expects constants to be contiguous tensors of static sizes, but argument 1 is 'tensor<?xf32>'}}
tenon_tile.kernel @dynamic_constant(%m: index, %x: tensor<?xf32> {tenon_tile.constant}) -> tensor<?xf32> {
  tenon.bind_shape %x [%m] : tensor<?xf32>
  %0 = tenon.exp %x : tensor<?xf32>
  tenon_tile.yield %0 : tensor<?xf32>
}
