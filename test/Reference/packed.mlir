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

// The last byte is not whole; what lies in two bytes.

func.func @odd() -> (tensor<5xi32>, tensor<5xi32>) {
  %x = tenon.constant dense<[7.0, -8.0, 3.0, 1.0, -5.0]> : tensor<5xf32>
  %y = tenon.cast %x : tensor<5xf32> -> tensor<5xi4>
  %z = tenon.cast %y : tensor<5xi4> -> tensor<5xi32>
  %expected = tenon.constant dense<[7, -8, 3, 1, -5]> : tensor<5xi32>
  return %z, %expected : tensor<5xi32>, tensor<5xi32>
}

func.func @quarters() -> (tensor<7xi32>, tensor<7xi32>) {
  %x = tenon.constant dense<[0, 1, 2, 3, 2, 1, 3]> : tensor<7xi32>
  %y = tenon.cast %x : tensor<7xi32> -> tensor<7xui2>
  %z = tenon.cast %y : tensor<7xui2> -> tensor<7xi32>
  return %z, %x : tensor<7xi32>, tensor<7xi32>
}

func.func @straddling() -> (tensor<5xf32>, tensor<5xf32>) {
  %x = tenon.constant dense<[1.5, -2.0, 0.25, 28.0, -0.0]> : tensor<5xf32>
  %y = tenon.cast %x : tensor<5xf32> -> tensor<5xf6E3M2FN>
  %z = tenon.cast %y : tensor<5xf6E3M2FN> -> tensor<5xf32>
  return %z, %x : tensor<5xf32>, tensor<5xf32>
}
