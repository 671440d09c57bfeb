// RUN: %tenon_check %s

// Ops on images with channels last.

func.func @conv_padded() -> (tensor<1x3x3x3xf32>, tensor<1x3x3x3xf32>) {
  %x = tenon.constant dense<[[[[0.5, 1.5], [1.0, -1.0], [-0.75, 1.5]], [[-2.0, 1.25], [1.25, -0.25], [-0.75, -1.0]], [[-1.0, -0.25], [0.0, 0.25], [2.0, 1.25]]]]> : tensor<1x3x3x2xf32>
  %w = tenon.constant dense<[[[[0.5, 2.0, -1.25], [-1.25, 0.5, -1.75]], [[-1.75, 0.0, -0.25], [1.75, 0.5, 0.0]], [[-0.0, -1.0, -2.0], [-1.25, 0.75, -1.25]]], [[[-0.5, -2.0, 1.25], [-1.5, -1.0, 1.5]], [[0.0, 1.5, 0.5], [1.0, -1.75, 0.25]], [[0.0, 1.5, -0.5], [0.5, -1.75, -0.5]]], [[[-0.75, -1.5, 1.25], [-0.5, 2.0, 0.25]], [[0.5, 0.5, 0.75], [-1.5, -0.25, -1.0]], [[-0.5, -1.5, 1.75], [-1.25, 0.75, -0.75]]]]> : tensor<3x3x2x3xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last}
       : tensor<1x3x3x2xf32>, tensor<3x3x2x3xf32> -> tensor<1x3x3x3xf32>
  %expected = tenon.constant dense<[[[[-2.1875, -2.0, 0.25], [0.75, 3.5625, 1.1875], [2.8125, -7.25, 1.6875]], [[3.6875, -4.125, -2.75], [-10.6875, 7.6875, -2.0625], [3.4375, 1.8125, 1.5625]], [[5.875, -2.3125, -2.375], [-2.1875, -0.875, -0.4375], [1.375, 2.4375, 0.75]]]]> : tensor<1x3x3x3xf32>
  return %y, %expected : tensor<1x3x3x3xf32>, tensor<1x3x3x3xf32>
}

func.func @conv_pointwise() -> (tensor<2x2x1x2xf32>, tensor<2x2x1x2xf32>) {
  %x = tenon.constant dense<[[[[1.5, 0.75, -1.5]], [[1.5, 1.75, 1.5]]], [[[0.25, -1.5, -1.25]], [[1.75, 0.25, -1.25]]]]> : tensor<2x2x1x3xf32>
  %w = tenon.constant dense<[[[[1.5, 0.5], [0.25, -0.5], [-0.25, -1.0]]]]> : tensor<1x1x3x2xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 {channels_last}
       : tensor<2x2x1x3xf32>, tensor<1x1x3x2xf32> -> tensor<2x2x1x2xf32>
  %expected = tenon.constant dense<[[[[2.8125, 1.875]], [[2.3125, -1.625]]], [[[0.3125, 2.125]], [[3.0, 2.0]]]]> : tensor<2x2x1x2xf32>
  return %y, %expected : tensor<2x2x1x2xf32>, tensor<2x2x1x2xf32>
}

func.func @conv_strided_dilated() -> (tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>) {
  %x = tenon.constant dense<[[[[-1.75, 1.5], [-0.25, 0.25], [-0.75, 1.0], [-2.0, -0.5]], [[-2.0, -1.5], [1.75, 0.75], [-0.25, 0.0], [1.5, -0.5]], [[0.25, 0.75], [-0.5, 0.0], [1.0, 1.75], [-1.5, 1.75]], [[-2.0, 1.0], [1.25, -1.5], [-0.25, 1.25], [-2.0, 0.5]], [[1.25, 0.0], [1.0, -1.0], [-1.25, -0.5], [-1.25, -0.5]]]]> : tensor<1x5x4x2xf32>
  %w = tenon.constant dense<[[[[1.75], [0.25]], [[-0.75], [-1.0]]], [[[1.75], [-0.25]], [[2.0], [0.0]]]]> : tensor<2x2x2x1xf32>
  %y = tenon.conv %x, %w strides [2, 1] dilations [2, 3] pads [0, 1, 1, 0] groups 1 {channels_last}
       : tensor<1x5x4x2xf32>, tensor<2x2x2x1xf32> -> tensor<1x2x2x1xf32>
  %expected = tenon.constant dense<[[[[1.5625], [-3.4375]], [[-5.0], [-0.3125]]]]> : tensor<1x2x2x1xf32>
  return %y, %expected : tensor<1x2x2x1xf32>, tensor<1x2x2x1xf32>
}

func.func @conv_depthwise() -> (tensor<1x3x2x9xf32>, tensor<1x3x2x9xf32>) {
  %x = tenon.constant dense<[[[[0.0, 1.5, 1.0, 0.25, -0.25, 1.5, -0.25, 1.75, -1.75], [-0.25, 0.0, 1.75, -1.0, 1.25, 0.75, 0.75, 0.5, 2.0]], [[-0.75, -0.5, -1.25, -1.75, -1.25, 1.75, 1.25, -1.5, 0.5], [-0.0, 0.5, 0.75, -0.75, 1.75, -0.25, 0.5, 0.5, -1.25]], [[-1.75, -0.25, 1.0, 1.25, 1.0, -1.5, 1.75, 1.25, 1.5], [0.0, 1.75, -1.75, -2.0, -2.0, -1.0, -1.0, -1.25, 0.25]]]]> : tensor<1x3x2x9xf32>
  %w = tenon.constant dense<[[[[-1.75, 0.25, -1.25, 0.75, -2.0, -0.75, 1.75, 0.25, 1.25]], [[0.75, 0.5, -1.25, 0.25, -1.75, 1.25, 1.75, 1.5, -1.75]]], [[[-0.75, -0.75, -1.5, 0.5, 1.25, -0.75, 1.5, 1.25, -1.5]], [[1.0, 1.5, -1.25, 0.25, 0.5, 0.5, -1.5, 0.75, 0.5]]]]> : tensor<2x2x1x9xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 0, 0, 1] groups 9 {channels_last}
       : tensor<1x3x2x9xf32>, tensor<2x2x1x9xf32> -> tensor<1x3x2x9xf32>
  %expected = tenon.constant dense<[[[[-0.25, -1.125, -3.6875, -0.125, 0.3125, -0.75, -1.5, 2.5625, 3.625], [0.1875, 0.0, -2.625, -0.5, 1.5625, -0.5625, 1.125, 0.625, -3.0]], [[0.375, 1.5, -2.5, -1.125, -2.375, -1.625, 2.0, -0.3125, -7.0625], [0.4375, -0.375, -3.3125, -1.125, -0.3125, -0.375, 2.0625, 0.75, 4.375]], [[2.625, 2.9375, 1.3125, -1.375, -0.3125, -1.0, 7.1875, 1.0, 0.6875], [0.0, -1.1875, 1.6875, -1.5625, -6.0, 0.9375, -0.625, -1.4375, -1.9375]]]]> : tensor<1x3x2x9xf32>
  return %y, %expected : tensor<1x3x2x9xf32>, tensor<1x3x2x9xf32>
}

func.func @conv_depthwise_multiplier() -> (tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>) {
  %x = tenon.constant dense<[[[[1.25, 1.25], [-0.75, 1.0]], [[1.5, 1.5], [-1.25, -2.0]]]]> : tensor<1x2x2x2xf32>
  %w = tenon.constant dense<[[[[0.5, -1.25, 0.25, 1.75]]], [[[-0.5, -1.0, -0.25, 0.75]]]]> : tensor<2x1x1x4xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 0, 0, 0] groups 2 {channels_last}
       : tensor<1x2x2x2xf32>, tensor<2x1x1x4xf32> -> tensor<1x2x2x4xf32>
  %expected = tenon.constant dense<[[[[-0.625, -1.25, -0.3125, 0.9375], [0.375, 0.75, -0.25, 0.75]], [[-0.125, -3.0625, -0.0625, 3.3125], [0.25, 2.1875, 0.75, 0.25]]]]> : tensor<1x2x2x4xf32>
  return %y, %expected : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>
}

func.func @conv_groups() -> (tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>) {
  %x = tenon.constant dense<[[[[-1.5, -0.5, -1.5, 0.75], [1.25, -0.5, -0.5, 0.25], [-1.25, -1.0, -0.75, -0.25]], [[-1.75, 1.0, 0.25, -0.75], [-1.75, 1.0, -1.5, -1.5], [-1.5, -1.75, 1.75, -1.0]]]]> : tensor<1x2x3x4xf32>
  %w = tenon.constant dense<[[[[-0.75, 1.25, 0.5, -1.25], [-0.25, 1.5, -0.5, 0.75]], [[-1.5, 1.0, 1.0, 1.25], [0.75, -0.5, -1.75, 0.0]]], [[[1.0, -1.25, -1.0, 0.25], [1.0, 1.5, -1.5, -1.25]], [[1.25, 0.5, 1.0, 2.0], [1.75, 1.25, 1.0, -0.5]]]]> : tensor<2x2x2x4xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 {channels_last}
       : tensor<1x2x3x4xf32>, tensor<2x2x2x4xf32> -> tensor<1x1x2x4xf32>
  %expected = tenon.constant dense<[[[[-2.1875, 2.9375, -4.1875, 0.5625], [-5.375, 0.8125, 3.8125, 5.375]]]]> : tensor<1x1x2x4xf32>
  return %y, %expected : tensor<1x1x2x4xf32>, tensor<1x1x2x4xf32>
}

func.func @conv_groups_pointwise() -> (tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>) {
  %x = tenon.constant dense<[[[[0.5, -1.25, 1.0, 1.0], [1.0, -0.25, -0.5, -0.25]], [[-1.75, 1.5, 0.25, -0.5], [0.25, 1.0, -0.5, 1.25]]]]> : tensor<1x2x2x4xf32>
  %w = tenon.constant dense<[[[[1.75, -0.5, -1.5, 1.0], [2.0, -1.5, 0.75, 1.25]]]]> : tensor<1x1x2x4xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 {channels_last}
       : tensor<1x2x2x4xf32>, tensor<1x1x2x4xf32> -> tensor<1x2x2x4xf32>
  %expected = tenon.constant dense<[[[[-1.625, 1.625, -0.75, 2.25], [1.25, -0.125, 0.5625, -0.8125]], [[-0.0625, -1.375, -0.75, -0.375], [2.4375, -1.625, 1.6875, 1.0625]]]]> : tensor<1x2x2x4xf32>
  return %y, %expected : tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>
}

func.func @window_max() -> (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %x = tenon.constant dense<[[[[1.75, -1.5], [-1.75, 2.0], [-1.5, -1.25]], [[0.25, -0.25], [1.0, -1.25], [1.75, -1.25]], [[1.0, -1.75], [-0.0, -1.75], [-0.75, -0.75]], [[1.0, -0.25], [-1.75, 2.0], [1.5, 1.75]]]]> : tensor<1x4x3x2xf32>
  %y = tenon.window max %x sizes [2, 2] strides [2, 1] dilations [1, 1] pads [0, 1, 0, 0] {channels_last}
       : tensor<1x4x3x2xf32> -> tensor<1x2x3x2xf32>
  %expected = tenon.constant dense<[[[[1.75, -0.25], [1.75, 2.0], [1.75, 2.0]], [[1.0, -0.25], [1.0, 2.0], [1.5, 2.0]]]]> : tensor<1x2x3x2xf32>
  return %y, %expected : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

func.func @window_mean() -> (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) {
  %x = tenon.constant dense<[[[[1.75, -1.5], [-1.75, 2.0], [-1.5, -1.25]], [[0.25, -0.25], [1.0, -1.25], [1.75, -1.25]], [[1.0, -1.75], [-0.0, -1.75], [-0.75, -0.75]], [[1.0, -0.25], [-1.75, 2.0], [1.5, 1.75]]]]> : tensor<1x4x3x2xf32>
  %y = tenon.window mean %x sizes [2, 2] strides [2, 1] dilations [1, 1] pads [0, 1, 0, 0] {channels_last}
       : tensor<1x4x3x2xf32> -> tensor<1x2x3x2xf32>
  %expected = tenon.constant dense<[[[[1.0, -0.875], [0.3125, -0.25], [-0.125, -0.4375]], [[1.0, -1.0], [0.0625, -0.4375], [-0.25, 0.3125]]]]> : tensor<1x2x3x2xf32>
  return %y, %expected : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

func.func @unfold() -> (tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>) {
  %x = tenon.constant dense<[[[-1.0, -0.5], [-1.0, -1.5], [-1.75, 0.0]]]> : tensor<1x3x2xf32>
  %y = tenon.unfold %x sizes [2] strides [1] dilations [1] pads [1, 1] {channels_last} : tensor<1x3x2xf32> -> tensor<1x4x2x2xf32>
  %expected = tenon.constant dense<[[[[0.0, 0.0], [-1.0, -0.5]], [[-1.0, -0.5], [-1.0, -1.5]], [[-1.0, -1.5], [-1.75, 0.0]], [[-1.75, 0.0], [0.0, 0.0]]]]> : tensor<1x4x2x2xf32>
  return %y, %expected : tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>
}
