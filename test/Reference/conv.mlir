// RUN: %tenon_check %s

// Convolutions and their windows.

func.func @one_by_one() -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) {
  %x = tenon.constant dense<[[[[-2.0, 0.5], [-1.0, 0.25]], [[-0.25, 0.5], [-1.75, -0.5]]]]> : tensor<1x2x2x2xf32>
  %w = tenon.constant dense<[[[[0.5]], [[1.25]]], [[[-0.5]], [[-2.0]]], [[[1.0]], [[0.0]]]]> : tensor<3x2x1x1xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1
       : tensor<1x2x2x2xf32>, tensor<3x2x1x1xf32> -> tensor<1x3x2x2xf32>
  %expected = tenon.constant dense<[[[[-1.3125, 0.875], [-2.6875, -0.5]], [[1.5, -1.25], [4.0, 0.875]], [[-2.0, 0.5], [-1.0, 0.25]]]]> : tensor<1x3x2x2xf32>
  return %y, %expected : tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>
}

func.func @padded() -> (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) {
  %x = tenon.constant dense<[[[[0.75, -1.5, -0.25], [1.75, 1.5, -0.75], [0.5, -1.75, 1.25]]]]> : tensor<1x1x3x3xf32>
  %w = tenon.constant dense<[[[[-1.0, -0.75, 2.0], [0.25, 1.5, -1.25], [1.0, 2.0, -1.75]]]]> : tensor<1x1x3x3xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1
       : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %expected = tenon.constant dense<[[[[3.875, 4.3125, -0.75], [1.25, -1.6875, 1.6875], [4.625, -8.4375, 0.5]]]]> : tensor<1x1x3x3xf32>
  return %y, %expected : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}

func.func @strided() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %x = tenon.constant dense<[[[[-1.0, -1.5, -1.0, -0.75, -1.75], [1.75, -1.0, 1.75, 1.0, -1.5], [0.75, 1.25, -1.5, -1.5, -0.5], [-1.75, -0.25, 0.0, 0.75, 0.25]], [[-0.25, -1.25, 0.25, -0.25, 1.5], [0.75, 1.0, 0.25, -0.5, -1.0], [-0.25, 0.25, -0.5, -1.5, -1.75], [-2.0, -1.25, -0.5, -1.0, -1.25]]]]> : tensor<1x2x4x5xf32>
  %w = tenon.constant dense<[[[[-0.75, 1.0], [-0.75, 1.75]], [[0.25, -1.5], [2.0, 1.5]]]]> : tensor<1x2x2x2xf32>
  %y = tenon.conv %x, %w strides [2, 3] dilations [1, 1] pads [0, 1, 0, 1] groups 1
       : tensor<1x2x4x5xf32>, tensor<1x2x2x2xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[3.5625, 0.625], [-4.9375, 0.5625]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @dilated() -> (tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>) {
  %x = tenon.constant dense<[[[[1.25, -1.5, 1.25, 0.75], [1.0, 1.0, 0.5, -0.75], [1.75, 2.0, 0.75, -0.5], [0.0, 0.25, -1.75, -1.75], [0.0, 0.25, -1.25, -1.0]]]]> : tensor<1x1x5x4xf32>
  %w = tenon.constant dense<[[[[-1.5, 1.75], [0.0, -1.0]]]]> : tensor<1x1x2x2xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [2, 3] pads [0, 0, 0, 0] groups 1
       : tensor<1x1x5x4xf32>, tensor<1x1x2x2xf32> -> tensor<1x1x3x1xf32>
  %expected = tenon.constant dense<[[[[-0.0625], [-1.0625], [-2.5]]]]> : tensor<1x1x3x1xf32>
  return %y, %expected : tensor<1x1x3x1xf32>, tensor<1x1x3x1xf32>
}

func.func @groups() -> (tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>) {
  %x = tenon.constant dense<[[[[1.25, 2.0], [-0.75, 1.75]], [[1.25, 1.25], [0.0, 1.75]], [[-1.5, -1.75], [2.0, 0.0]], [[-0.5, 1.0], [-0.75, 0.5]]]]> : tensor<1x4x2x2xf32>
  %w = tenon.constant dense<[[[[1.5, 1.25], [-1.5, 2.0]], [[1.0, 0.75], [-1.25, 1.75]]], [[[-0.5, 2.0], [-1.25, -1.75]], [[1.5, 0.25], [-0.5, 2.0]]]]> : tensor<2x2x2x2xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2
       : tensor<1x4x2x2xf32>, tensor<2x2x2x2xf32> -> tensor<1x2x1x1xf32>
  %expected = tenon.constant dense<[[[[14.25]], [[-4.375]]]]> : tensor<1x2x1x1xf32>
  return %y, %expected : tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>
}

func.func @depthwise() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>) {
  %x = tenon.constant dense<[[[2.0, -2.0, 0.5], [1.25, 0.75, 0.5]], [[0.0, 0.25, -0.75], [-1.5, -0.5, 0.75]]]> : tensor<2x2x3xf32>
  %w = tenon.constant dense<[[[1.75, 2.0]], [[-1.25, -2.0]]]> : tensor<2x1x2xf32>
  %y = tenon.conv %x, %w strides [1] dilations [1] pads [1, 0] groups 2
       : tensor<2x2x3xf32>, tensor<2x1x2xf32> -> tensor<2x2x3xf32>
  %expected = tenon.constant dense<[[[4.0, -0.5, -2.5], [-2.5, -3.0625, -1.9375]], [[0.0, 0.5, -1.0625], [3.0, 2.875, -0.875]]]> : tensor<2x2x3xf32>
  return %y, %expected : tensor<2x2x3xf32>, tensor<2x2x3xf32>
}

func.func @volume() -> (tensor<1x1x1x2x2xf32>, tensor<1x1x1x2x2xf32>) {
  %x = tenon.constant dense<[[[[[2.0, 0.75], [1.0, 1.25]], [[-0.5, 1.5], [0.5, 0.5]]]]]> : tensor<1x1x2x2x2xf32>
  %w = tenon.constant dense<[[[[[-0.5, -0.75]], [[-0.5, 1.0]]]]]> : tensor<1x1x2x1x2xf32>
  %y = tenon.conv %x, %w strides [1, 1, 1] dilations [1, 1, 1] pads [0, 0, 0, 0, 0, 1] groups 1
       : tensor<1x1x2x2x2xf32>, tensor<1x1x2x1x2xf32> -> tensor<1x1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[[0.1875, -1.125], [-1.1875, -0.875]]]]]> : tensor<1x1x1x2x2xf32>
  return %y, %expected : tensor<1x1x1x2x2xf32>, tensor<1x1x1x2x2xf32>
}

func.func @unfold() -> (tensor<1x1x2x1x3x2xf32>, tensor<1x1x2x1x3x2xf32>) {
  %x = tenon.constant dense<[[[[0.0, -2.0], [-2.0, -1.25], [0.0, 0.5]]]]> : tensor<1x1x3x2xf32>
  %y = tenon.unfold %x sizes [2, 1] strides [1, 1] dilations [1, 1] pads [1, 0, 0, 0]
       : tensor<1x1x3x2xf32> -> tensor<1x1x2x1x3x2xf32>
  %expected = tenon.constant dense<[[[[[[0.0, 0.0], [0.0, -2.0], [-2.0, -1.25]]], [[[0.0, -2.0], [-2.0, -1.25], [0.0, 0.5]]]]]]> : tensor<1x1x2x1x3x2xf32>
  return %y, %expected : tensor<1x1x2x1x3x2xf32>, tensor<1x1x2x1x3x2xf32>
}
