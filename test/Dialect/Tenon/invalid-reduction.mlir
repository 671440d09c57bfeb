// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @dims(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects different dimensions below 2, but has 2}}
  %0 = tenon.reduce sum %x dims [2] : tensor<2x3xf32> -> tensor<2xf32>
  return
}

// -----

func.func @shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects a result of the dimensions that are kept, but has 'tensor<3xf32>'}}
  %0 = tenon.reduce sum %x dims [1] : tensor<2x3xf32> -> tensor<3xf32>
  return
}

// -----

func.func @type(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects operand and result of one element type}}
  %0 = tenon.reduce sum %x dims [1] : tensor<2x3xf32> -> tensor<2xf64>
  return
}

// -----

func.func @arg(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects min or max, but has sum}}
  %0 = tenon.arg_reduce sum %x dim 1 : tensor<2x3xf32> -> tensor<2xi64>
  return
}

// -----

func.func @window(%x: tensor<1x1x4x4xf32>) {
  // expected-error @+1 {{expects positive strides of at most 2147483648, but has 0}}
  %0 = tenon.window max %x sizes [2, 2] strides [0, 1] dilations [1, 1] pads [0, 0, 0, 0] : tensor<1x1x4x4xf32> -> tensor<1x1x3x3xf32>
  return
}

// -----

func.func @scan_dim(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects a dimension below 2, but has 2}}
  %0 = tenon.scan sum %x dim 2 : tensor<2x3xf32>
  return
}

// -----

func.func @scan_mean(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects sum, prod, min or max, but has mean}}
  %0 = tenon.scan mean %x dim 1 : tensor<2x3xf32>
  return
}

// -----

func.func @channels_last(%x: tensor<8x8xf32>) {
  // expected-error@+1 {{'tenon.window' op expects at most 1 window sizes, as many strides and dilations, and twice as many pads}}
  %y = tenon.window max %x sizes [3, 3] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] {channels_last} : tensor<8x8xf32> -> tensor<6x6xf32>
  return
}

// -----

func.func @window_size(%x: tensor<1x64x112x112xf32>) {
  // expected-error @+1 {{expects size 57 of result dimension 2, but it is 56}}
  %0 = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {ceil}
       : tensor<1x64x112x112xf32> -> tensor<1x64x56x56xf32>
  return
}
