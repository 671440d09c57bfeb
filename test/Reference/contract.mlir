// RUN: %tenon_check %s

// Sums of products; the operands are small multiples of 1/4, so the sums are exact.

func.func @matmul() -> (tensor<2x4xf32>, tensor<2x4xf32>) {
  %x = tenon.constant dense<[[0.0, 0.0, 1.0], [2.0, -2.0, -1.5]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[1.25, 2.0, -1.0, -0.75], [1.5, -0.25, -1.0, 1.5], [-1.0, -0.5, 0.5, 0.25]]> : tensor<3x4xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x3xf32>, tensor<3x4xf32> -> tensor<2x4xf32>
  %expected = tenon.constant dense<[[-1.0, -0.5, 0.5, 0.25], [1.0, 5.25, -0.75, -4.875]]> : tensor<2x4xf32>
  return %z, %expected : tensor<2x4xf32>, tensor<2x4xf32>
}

func.func @transposed() -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %x = tenon.constant dense<[[-1.75, -2.0], [1.5, 1.0], [1.5, 0.25]]> : tensor<3x2xf32>
  %y = tenon.constant dense<[[1.25, -0.75, -0.25], [1.25, -1.5, -0.75], [-1.5, -0.25, 2.0], [-1.5, -0.5, -0.5]]> : tensor<4x3xf32>
  %z = tenon.contract %x, %y maps [affine_map<(n, m, k) -> (k, m)>, affine_map<(n, m, k) -> (n, k)>, affine_map<(n, m, k) -> (n, m)>]
       : tensor<3x2xf32>, tensor<4x3xf32> -> tensor<4x2xf32>
  %expected = tenon.constant dense<[[-3.6875, -3.3125], [-5.5625, -4.1875], [5.25, 3.25], [1.125, 2.375]]> : tensor<4x2xf32>
  return %z, %expected : tensor<4x2xf32>, tensor<4x2xf32>
}

func.func @batch() -> (tensor<2x2x2xf32>, tensor<2x2x2xf32>) {
  %x = tenon.constant dense<[[[1.75, -1.25, 0.0], [-1.0, -2.0, 1.0]], [[-1.75, -1.0, 0.0], [0.0, -1.75, 2.0]]]> : tensor<2x2x3xf32>
  %y = tenon.constant dense<[[[1.0, 2.0], [-1.75, 1.0], [-1.0, 0.25]], [[1.75, -1.0], [1.0, -1.5], [-0.75, 2.0]]]> : tensor<2x3x2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>]
       : tensor<2x2x3xf32>, tensor<2x3x2xf32> -> tensor<2x2x2xf32>
  %expected = tenon.constant dense<[[[3.9375, 2.25], [1.5, -3.75]], [[-4.0625, 3.25], [-3.25, 6.625]]]> : tensor<2x2x2xf32>
  return %z, %expected : tensor<2x2x2xf32>, tensor<2x2x2xf32>
}

func.func @batch_inside() -> (tensor<2x2x3xf32>, tensor<2x2x3xf32>) {
  %x = tenon.constant dense<[[[-0.25, 0.0], [-1.0, -1.75]], [[-0.25, 0.5], [-0.25, 1.25]]]> : tensor<2x2x2xf32>
  %y = tenon.constant dense<[[[-0.5, 0.5], [1.25, 1.75]], [[-0.25, -2.0], [1.0, 0.0]], [[1.5, -0.25], [-0.5, -1.75]]]> : tensor<3x2x2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, b, n, k) -> (m, b, k)>, affine_map<(m, b, n, k) -> (n, b, k)>, affine_map<(m, b, n, k) -> (m, b, n)>]
       : tensor<2x2x2xf32>, tensor<3x2x2xf32> -> tensor<2x2x3xf32>
  %expected = tenon.constant dense<[[[0.125, 0.0625, -0.375], [-4.3125, -1.0, 3.5625]], [[0.375, -0.9375, -0.5], [1.875, -0.25, -2.0625]]]> : tensor<2x2x3xf32>
  return %z, %expected : tensor<2x2x3xf32>, tensor<2x2x3xf32>
}

func.func @dot() -> (tensor<f32>, tensor<f32>) {
  %x = tenon.constant dense<[-0.25, 0.5, 1.25, 1.5, -1.25]> : tensor<5xf32>
  %y = tenon.constant dense<[0.5, 1.25, -1.0, -0.75, 1.5]> : tensor<5xf32>
  %z = tenon.contract %x, %y maps [affine_map<(k) -> (k)>, affine_map<(k) -> (k)>, affine_map<(k) -> ()>]
       : tensor<5xf32>, tensor<5xf32> -> tensor<f32>
  %expected = tenon.constant dense<-3.75> : tensor<f32>
  return %z, %expected : tensor<f32>, tensor<f32>
}

func.func @outer() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[0.25, 0.0]> : tensor<2xf32>
  %y = tenon.constant dense<[0.75, 0.0, 2.0]> : tensor<3xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n) -> (m)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>]
       : tensor<2xf32>, tensor<3xf32> -> tensor<2x3xf32>
  %expected = tenon.constant dense<[[0.1875, 0.0, 0.5], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  return %z, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @matvec() -> (tensor<3xf32>, tensor<3xf32>) {
  %x = tenon.constant dense<[[1.0, -2.0, -1.5, 0.25], [1.25, -1.75, 0.75, 1.0], [1.25, 1.5, -1.25, 0.25]]> : tensor<3x4xf32>
  %y = tenon.constant dense<[1.25, -0.5, -1.25, 0.0]> : tensor<4xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (k)>, affine_map<(m, k) -> (m)>]
       : tensor<3x4xf32>, tensor<4xf32> -> tensor<3xf32>
  %expected = tenon.constant dense<[4.125, 1.5, 2.375]> : tensor<3xf32>
  return %z, %expected : tensor<3xf32>, tensor<3xf32>
}

func.func @two_sums() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = tenon.constant dense<[[[-1.75, -1.25, 1.5], [0.75, 1.5, 1.5]], [[1.5, -0.75, 0.0], [0.5, -1.0, 1.75]]]> : tensor<2x2x3xf32>
  %y = tenon.constant dense<[[[-2.0, 1.5], [0.5, -1.0], [1.0, -0.25]], [[1.5, 2.0], [-1.0, -0.25], [-1.25, 0.75]]]> : tensor<2x3x2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, j, k) -> (m, j, k)>, affine_map<(m, n, j, k) -> (j, k, n)>, affine_map<(m, n, j, k) -> (m, n)>]
       : tensor<2x2x3xf32>, tensor<2x3x2xf32> -> tensor<2x2xf32>
  %expected = tenon.constant dense<[[2.125, 0.5], [-3.8125, 5.5625]]> : tensor<2x2xf32>
  return %z, %expected : tensor<2x2xf32>, tensor<2x2xf32>
}

func.func @summed_apart() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = tenon.constant dense<[[0.5, 1.5, 1.25], [2.0, 2.0, 1.75]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[-1.5, -2.0]> : tensor<2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x3xf32>, tensor<2xf32> -> tensor<2x2xf32>
  %expected = tenon.constant dense<[[-4.875, -6.5], [-8.625, -11.5]]> : tensor<2x2xf32>
  return %z, %expected : tensor<2x2xf32>, tensor<2x2xf32>
}

func.func @five_rows() -> (tensor<5x17xf32>, tensor<5x17xf32>) {
  %x = tenon.constant dense<[[0.0, -0.75], [1.75, 1.25], [-0.25, 0.25], [0.5, 1.75], [-2.0, 0.0]]> : tensor<5x2xf32>
  %y = tenon.constant dense<[[0.75, -0.25, 1.75, 2.0, 1.5, -0.25, 1.75, -1.75, 0.75, -1.0, -1.0, 0.75, 1.25, 1.75, -1.25, 1.5, 1.5], [-0.75, -1.75, 1.25, 1.5, -0.25, -1.5, -1.5, -0.5, 1.0, -0.75, -2.0, 0.75, 1.0, -1.25, 0.25, -0.5, 0.0]]> : tensor<2x17xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<5x2xf32>, tensor<2x17xf32> -> tensor<5x17xf32>
  %expected = tenon.constant dense<[[0.5625, 1.3125, -0.9375, -1.125, 0.1875, 1.125, 1.125, 0.375, -0.75, 0.5625, 1.5, -0.5625, -0.75, 0.9375, -0.1875, 0.375, 0.0], [0.375, -2.625, 4.625, 5.375, 2.3125, -2.3125, 1.1875, -3.6875, 2.5625, -2.6875, -4.25, 2.25, 3.4375, 1.5, -1.875, 2.0, 2.625], [-0.375, -0.375, -0.125, -0.125, -0.4375, -0.3125, -0.8125, 0.3125, 0.0625, 0.0625, -0.25, 0.0, -0.0625, -0.75, 0.375, -0.5, -0.375], [-0.9375, -3.1875, 3.0625, 3.625, 0.3125, -2.75, -1.75, -1.75, 2.125, -1.8125, -4.0, 1.6875, 2.375, -1.3125, -0.1875, -0.125, 0.75], [-1.5, 0.5, -3.5, -4.0, -3.0, 0.5, -3.5, 3.5, -1.5, 2.0, 2.0, -1.5, -2.5, -3.5, 2.5, -3.0, -3.0]]> : tensor<5x17xf32>
  return %z, %expected : tensor<5x17xf32>, tensor<5x17xf32>
}

func.func @no_terms() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.constant dense<> : tensor<0x2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x0xf32>, tensor<0x2xf32> -> tensor<2x2xf32>
  %expected = tenon.constant dense<[[0.0, 0.0], [0.0, 0.0]]> : tensor<2x2xf32>
  return %z, %expected : tensor<2x2xf32>, tensor<2x2xf32>
}

func.func @no_rows() -> (tensor<0x3xf32>, tensor<0x3xf32>) {
  %x = tenon.constant dense<> : tensor<0x2xf32>
  %y = tenon.constant dense<[[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<0x2xf32>, tensor<2x3xf32> -> tensor<0x3xf32>
  %expected = tenon.constant dense<> : tensor<0x3xf32>
  return %z, %expected : tensor<0x3xf32>, tensor<0x3xf32>
}

func.func @integers_wrap() -> (tensor<1x1xi8>, tensor<1x1xi8>) {
  %x = tenon.constant dense<[[100, 100]]> : tensor<1x2xi8>
  %y = tenon.constant dense<[[2], [1]]> : tensor<2x1xi8>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<1x2xi8>, tensor<2x1xi8> -> tensor<1x1xi8>
  %expected = tenon.constant dense<[[44]]> : tensor<1x1xi8>
  return %z, %expected : tensor<1x1xi8>, tensor<1x1xi8>
}

func.func @integers_widen() -> (tensor<1x1xi32>, tensor<1x1xi32>) {
  %x = tenon.constant dense<[[-100, 100]]> : tensor<1x2xi8>
  %y = tenon.constant dense<[[200], [100]]> : tensor<2x1xui8>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<1x2xi8>, tensor<2x1xui8> -> tensor<1x1xi32>
  %expected = tenon.constant dense<[[-10000]]> : tensor<1x1xi32>
  return %z, %expected : tensor<1x1xi32>, tensor<1x1xi32>
}

func.func @rounds_once() -> (tensor<1x1xf16>, tensor<1x1xf16>) {
  %x = tenon.constant dense<[[2048.0, 1.0, 1.0]]> : tensor<1x3xf16>
  %y = tenon.constant dense<[[1.0], [1.0], [1.0]]> : tensor<3x1xf16>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<1x3xf16>, tensor<3x1xf16> -> tensor<1x1xf16>
  %expected = tenon.constant dense<[[2050.0]]> : tensor<1x1xf16>
  return %z, %expected : tensor<1x1xf16>, tensor<1x1xf16>
}

func.func @infinities() -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %x = tenon.constant dense<[[0x7F800000], [1.0], [0x7FC00000]]> : tensor<3x1xf32>
  %y = tenon.constant dense<[[0.0, 2.0]]> : tensor<1x2xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<3x1xf32>, tensor<1x2xf32> -> tensor<3x2xf32>
  %expected = tenon.constant dense<[[0x7FC00000, 0x7F800000], [0.0, 2.0], [0x7FC00000, 0x7FC00000]]> : tensor<3x2xf32>
  return %z, %expected : tensor<3x2xf32>, tensor<3x2xf32>
}

func.func @stored_in_8_bits() -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %x = tenon.constant dense<[[0.5, 2.0, -1.5], [-0.25, 4.0, 1.0]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[1.5, -2.0], [0.5, 0.25], [-4.0, 1.0]]> : tensor<3x2xf8E4M3FN>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x3xf32>, tensor<3x2xf8E4M3FN> -> tensor<2x2xf32>
  %expected = tenon.constant dense<[[7.75, -2.0], [-2.375, 2.5]]> : tensor<2x2xf32>
  return %z, %expected : tensor<2x2xf32>, tensor<2x2xf32>
}
