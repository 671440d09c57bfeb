// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

func.func @ranks(%x: tensor<1x4x6xf32>) {
  // expected-error@+1 {{'tenon.unfold' op expects an operand of rank n + 2 and a result of rank 2n + 2 of one element type, but has 'tensor<1x4x6xf32>' and 'tensor<1x4x3xf32>'}}
  %p = tenon.unfold %x sizes [3] strides [1] dilations [1] pads [1, 1] : tensor<1x4x6xf32> -> tensor<1x4x3xf32>
  return
}

// -----

func.func @count(%x: tensor<1x4x6xf32>) {
  // expected-error@+1 {{'tenon.unfold' op expects 1 sizes, strides and dilations and 2 pads}}
  %p = tenon.unfold %x sizes [3] strides [1] dilations [1] pads [1] : tensor<1x4x6xf32> -> tensor<1x4x3x6xf32>
  return
}

// -----

func.func @positive(%x: tensor<1x4x6xf32>) {
  // expected-error@+1 {{'tenon.unfold' op expects positive strides of at most 2147483648, but has 0}}
  %p = tenon.unfold %x sizes [3] strides [0] dilations [1] pads [1, 1] : tensor<1x4x6xf32> -> tensor<1x4x3x6xf32>
  return
}

// -----

func.func @result(%x: tensor<1x4x6xf32>) {
  // expected-error@+1 {{'tenon.unfold' op expects size 6 of result dimension 3, but it is 5}}
  %p = tenon.unfold %x sizes [3] strides [1] dilations [1] pads [1, 1] : tensor<1x4x6xf32> -> tensor<1x4x3x5xf32>
  return
}
