// RUN: tenon-interpret --check %s

// Elements that share bytes, as they are written.

func.func @to_i4() -> (tensor<4xi4>, tensor<4xi4>) {
  %x = tenon.constant dense<[7.0, -8.0, 9.0, 1.0]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xi4>
  %expected = tenon.constant dense<[7, -8, -7, 1]> : tensor<4xi4>
  return %y, %expected : tensor<4xi4>, tensor<4xi4>
}

func.func @packed() -> (tensor<3x2xi4>, tensor<3x2xi4>) {
  %x = tenon.constant dense<[[1, -2, 3], [-4, 5, 7]]> : tensor<2x3xi4>
  %y = tenon.transpose %x [1, 0] : tensor<2x3xi4> -> tensor<3x2xi4>
  %expected = tenon.constant dense<[[1, -4], [-2, 5], [3, 7]]> : tensor<3x2xi4>
  return %y, %expected : tensor<3x2xi4>, tensor<3x2xi4>
}

func.func @joined() -> (tensor<2x5xui4>, tensor<2x5xui4>) {
  %x = tenon.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xui4>
  %y = tenon.constant dense<[[15, 14], [13, 12]]> : tensor<2x2xui4>
  %z = tenon.concat %x, %y dim 1 : tensor<2x3xui4>, tensor<2x2xui4> -> tensor<2x5xui4>
  %expected = tenon.constant dense<[[1, 2, 3, 15, 14], [4, 5, 6, 13, 12]]> : tensor<2x5xui4>
  return %z, %expected : tensor<2x5xui4>, tensor<2x5xui4>
}

func.func @sliced() -> (tensor<2x1xi4>, tensor<2x1xi4>) {
  %x = tenon.constant dense<[[1, -2, 3], [-4, 5, 7]]> : tensor<2x3xi4>
  %y = tenon.slice %x offsets [0, 1] sizes [2, 1] strides [1, 1] : tensor<2x3xi4> -> tensor<2x1xi4>
  %expected = tenon.constant dense<[[-2], [5]]> : tensor<2x1xi4>
  return %y, %expected : tensor<2x1xi4>, tensor<2x1xi4>
}
