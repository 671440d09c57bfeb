// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-kernels)"

func.func @packed(%x: tensor<3x5xf32>) -> tensor<3x5xi4> {
  // expected-error @+1 {{gives elements of 'i4', which share bytes: kernels read such, but don't write them}}
  %y = tenon.cast %x : tensor<3x5xf32> -> tensor<3x5xi4>
  return %y : tensor<3x5xi4>
}

// -----

// Within a kernel they are numbers like others.
func.func @inside(%x: tensor<5xf32>) -> tensor<5xf32> {
  %y = tenon.cast %x : tensor<5xf32> -> tensor<5xi4>
  %z = tenon.cast %y : tensor<5xi4> -> tensor<5xf32>
  return %z : tensor<5xf32>
}

// -----

func.func @positions_of_any_number(%x: tensor<3x4xf32>) -> tensor<2x?xi64> {
  // expected-error @+1 {{'tenon.nonzero' op gives positions of a number that is not known: tenon-count-nonzero}}
  %0 = tenon.nonzero %x : tensor<3x4xf32> -> tensor<2x?xi64>
  return %0 : tensor<2x?xi64>
}

// -----

func.func @wide(%x: tensor<4x2xf128>) -> tensor<2x4xf128> {
  // expected-error @+1 {{'tenon.transpose' can't be compiled yet}}
  %y = tenon.transpose %x [1, 0] : tensor<4x2xf128> -> tensor<2x4xf128>
  return %y : tensor<2x4xf128>
}
