// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-infer-sizes))"

func.func @refuted(%x: tensor<?xf32>) -> tensor<5xf32> {
  tenon.bind_shape %x [8] : tensor<?xf32>
  // expected-error @+1 {{'tenon.concat' op has a result of size 5 in dimension 0, but from its operands follows 16}}
  %s = tenon.concat %x, %x dim 0 : tensor<?xf32>, tensor<?xf32> -> tensor<5xf32>
  return %s : tensor<5xf32>
}

// -----

func.func @negative(%x: tensor<2x1x?x4xf32>) -> tensor<2x1x?x3xf32> {
  tenon.bind_shape %x [2, 1, 4, 4] : tensor<2x1x?x4xf32>
  // expected-error @+2 {{'tenon.pad' op has a result whose size in dimension 2 would be -2}}
  %z = tenon.constant dense<0.0> : tensor<f32>
  %y = tenon.pad constant %x, %z low [0, 0, -3, 0] high [0, 0, -3, -1] : tensor<2x1x?x4xf32>, tensor<f32> -> tensor<2x1x?x3xf32>
  return %y : tensor<2x1x?x3xf32>
}
