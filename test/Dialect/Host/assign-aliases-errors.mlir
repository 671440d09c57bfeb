// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-assign-aliases))"

// expected-error@+1 {{output 'y' can't share the buffer of input 'x': it is not that input with more behind it}}
func.func @in_front(%x: tensor<2x4xf32> {tenon.name = "x"}, %z: tensor<1x4xf32>) -> (tensor<3x4xf32> {tenon.alias = 0 : i64, tenon.name = "y"}) {
  %y = tenon.concat %z, %x dim 0 : tensor<1x4xf32>, tensor<2x4xf32> -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// expected-error@+1 {{output '0' can't share the buffer of input '0': it is not that input with more behind it}}
func.func @computed(%x: tensor<2x4xf32>) -> (tensor<2x4xf32> {tenon.alias = 0 : i64}) {
  %y = tenon.exp %x : tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// expected-error@+1 {{output '1' can't share the buffer of input '0': another output does}}
func.func @twice(%x: tensor<2x4xf32>, %z: tensor<1x4xf32>) -> (tensor<3x4xf32> {tenon.alias = 0 : i64}, tensor<3x4xf32> {tenon.alias = 0 : i64}) {
  %y = tenon.concat %x, %z dim 0 : tensor<2x4xf32>, tensor<1x4xf32> -> tensor<3x4xf32>
  return %y, %y : tensor<3x4xf32>, tensor<3x4xf32>
}

// -----

// expected-error@+1 {{output '0' can't share the buffer of input 5: there is no such input}}
func.func @nowhere(%x: tensor<2x4xf32>) -> (tensor<2x4xf32> {tenon.alias = 5 : i64}) {
  return %x : tensor<2x4xf32>
}
