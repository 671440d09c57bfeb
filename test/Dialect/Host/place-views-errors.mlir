// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-place-buffers))"

func.func private @k(tensor<4x3xf32>) -> tensor<4x3xf32>

func.func @kernel_without_strides(%x: tensor<4x9xf32>) -> tensor<4x3xf32> {
  %a = tenon.slice %x offsets [0, 2] sizes [4, 3] strides [1, 1] {tenon_host.view} : tensor<4x9xf32> -> tensor<4x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  // expected-error@+1 {{operand #0 has rows apart from each other, which the kernel does not take}}
  %b = tenon_host.launch @k ins(%a : tensor<4x3xf32>) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  return %b : tensor<4x3xf32>
}

// -----

func.func @input_in_place(%x: tensor<4x3xf32>) -> tensor<8x3xf32> {
  // expected-error@+1 {{operand #1 can't be written in place}}
  %y = tenon.concat %x, %x dim 0 {tenon_host.placed = array<i64: 1>} : tensor<4x3xf32>, tensor<4x3xf32> -> tensor<8x3xf32>
  return %y : tensor<8x3xf32>
}

// -----

func.func @view_of_columns_as_row(%x: tensor<4x9xf32>) -> tensor<6xf32> {
  %a = tenon.slice %x offsets [0, 2] sizes [4, 3] strides [1, 1] {tenon_host.view} : tensor<4x9xf32> -> tensor<4x3xf32>
  %b = tenon.reshape %a sizes [12] : tensor<4x3xf32> -> tensor<12xf32>
  // expected-error@+1 {{operand #0 has no strides under which it could be a view}}
  %c = tenon.slice %b offsets [0] sizes [6] strides [1] {tenon_host.view} : tensor<12xf32> -> tensor<6xf32>
  return %c : tensor<6xf32>
}

// -----

func.func @input_within_border(%x: tensor<4x3xf32>) -> tensor<6x3xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  // expected-error@+1 {{operand #0 can't be written in place}}
  %y = tenon.pad constant %x, %zero low [1, 0] high [1, 0] {tenon_host.placed = array<i64: 0>} : tensor<4x3xf32>, tensor<f32> -> tensor<6x3xf32>
  return %y : tensor<6x3xf32>
}

// -----

func.func @pad_that_moves(%x: tensor<4x3xf32>) -> tensor<6x3xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  // expected-error@+1 {{'tenon.pad' op has no place in the host program}}
  %y = tenon.pad constant %x, %zero low [1, 0] high [1, 0] : tensor<4x3xf32>, tensor<f32> -> tensor<6x3xf32>
  return %y : tensor<6x3xf32>
}

// -----

func.func @columns_as_row(%x: tensor<4x9xf32>) -> tensor<6xf32> {
  %a = tenon.slice %x offsets [0, 2] sizes [4, 3] strides [1, 1] {tenon_host.view} : tensor<4x9xf32> -> tensor<4x3xf32>
  %b = tenon.reshape %a sizes [12] : tensor<4x3xf32> -> tensor<12xf32>
  // expected-error@+1 {{operand #0 has no strides}}
  %c = tenon.slice %b offsets [0] sizes [6] strides [1] : tensor<12xf32> -> tensor<6xf32>
  return %c : tensor<6xf32>
}

// -----

func.func @columns_returned(%x: tensor<4x9xf32>) -> tensor<12xf32> {
  %a = tenon.slice %x offsets [0, 2] sizes [4, 3] strides [1, 1] {tenon_host.view} : tensor<4x9xf32> -> tensor<4x3xf32>
  %b = tenon.reshape %a sizes [12] : tensor<4x3xf32> -> tensor<12xf32>
  // expected-error@+1 {{operand #0 has no strides}}
  return %b : tensor<12xf32>
}
