// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-layouts{remarks=true target=@%S/Inputs/dear-transposes.mlir}))" --verify-diagnostics --split-input-file

// Where transposes cost much, only what needs none has channels last.
// expected-remark@+1 {{channels last: 0 of 2 ops, 0 transposes}}
func.func @dear(%x: tensor<1x64x8x8xf32>) -> tensor<1x64x8x8xf32> {
  %w = tenon.constant dense<1.0> : tensor<64x64x3x3xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x64x8x8xf32>, tensor<64x64x3x3xf32> -> tensor<1x64x8x8xf32>
  %z = tenon.exp %y : tensor<1x64x8x8xf32>
  return %z : tensor<1x64x8x8xf32>
}

// -----

// Images of one place move for nothing.
// expected-remark@+1 {{channels last: 1 of 1 ops, 2 transposes}}
func.func @free(%x: tensor<1x512x1x1xf32>) -> tensor<1x512x1x1xf32> {
  %w = tenon.constant dense<1.0> : tensor<512x512x1x1xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x512x1x1xf32>, tensor<512x512x1x1xf32> -> tensor<1x512x1x1xf32>
  return %y : tensor<1x512x1x1xf32>
}

// -----

// Nothing to choose.
// expected-remark@+1 {{channels last: 0 of 0 ops, 0 transposes}}
func.func @none(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
