// RUN: %tenon_check %s

// Pooling.

func.func @max() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window max %x sizes [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0]
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[6.0, 8.0], [14.0, 16.0]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @sum() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window sum %x sizes [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0]
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[14.0, 22.0], [46.0, 54.0]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @mean() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window mean %x sizes [2, 2] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0]
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[3.5, 5.5], [11.5, 13.5]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @mean_inside() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window mean %x sizes [2, 2] strides [3, 3] dilations [1, 1] pads [1, 1, 1, 1]
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[1.0, 3.5], [11.0, 13.5]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @mean_with_pads() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window mean %x sizes [2, 2] strides [3, 3] dilations [1, 1] pads [1, 1, 1, 1] {count_pads}
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[0.25, 1.75], [5.5, 13.5]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @ceil() -> (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] {ceil}
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  %expected = tenon.constant dense<[[[[11.0, 12.0], [15.0, 16.0]]]]> : tensor<1x1x2x2xf32>
  return %y, %expected : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

func.func @dilated() -> (tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>) {
  %x = tenon.constant dense<[[[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0]]]]> : tensor<1x1x4x4xf32>
  %y = tenon.window min %x sizes [2, 2] strides [1, 1] dilations [2, 3] pads [0, 0, 0, 0]
       : tensor<1x1x4x4xf32> -> tensor<1x1x2x1xf32>
  %expected = tenon.constant dense<[[[[1.0], [5.0]]]]> : tensor<1x1x2x1xf32>
  return %y, %expected : tensor<1x1x2x1xf32>, tensor<1x1x2x1xf32>
}

func.func @nan() -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %x = tenon.constant dense<[[1.0, 0x7FC00000, -2.0]]> : tensor<1x3xf32>
  %y = tenon.window max %x sizes [2] strides [1] dilations [1] pads [0, 0]
       : tensor<1x3xf32> -> tensor<1x2xf32>
  %expected = tenon.constant dense<[[0x7FC00000, 0x7FC00000]]> : tensor<1x2xf32>
  return %y, %expected : tensor<1x2xf32>, tensor<1x2xf32>
}

func.func @all_outside() -> (tensor<1x3xf32>, tensor<1x3xf32>) {
  %x = tenon.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = tenon.window max %x sizes [1] strides [1] dilations [1] pads [1, 0]
       : tensor<1x2xf32> -> tensor<1x3xf32>
  %expected = tenon.constant dense<[[0xFF800000, 1.0, 2.0]]> : tensor<1x3xf32>
  return %y, %expected : tensor<1x3xf32>, tensor<1x3xf32>
}
