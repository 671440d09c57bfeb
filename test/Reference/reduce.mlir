// RUN: %tenon_check %s

// Reductions over dimensions, positions of extremes, scans.

func.func @sum() -> (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, -0.0, 0x7FC00000]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %a = tenon.reduce sum %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = tenon.reduce sum %y dims [0, 2] : tensor<2x3x2xf32> -> tensor<3xf32>
  %c = tenon.reduce sum %y dims [0, 1, 2] : tensor<2x3x2xf32> -> tensor<f32>
  %expected0 = tenon.constant dense<[6.0, 0x7FC00000]> : tensor<2xf32>
  %expected1 = tenon.constant dense<[4.0, -2.5, 4.0]> : tensor<3xf32>
  %expected2 = tenon.constant dense<5.5> : tensor<f32>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>
}

func.func @prod() -> (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, -0.0, 0x7FC00000]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %a = tenon.reduce prod %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = tenon.reduce prod %y dims [0, 2] : tensor<2x3x2xf32> -> tensor<3xf32>
  %c = tenon.reduce prod %y dims [0, 1, 2] : tensor<2x3x2xf32> -> tensor<f32>
  %expected0 = tenon.constant dense<[6.0, 0x7FC00000]> : tensor<2xf32>
  %expected1 = tenon.constant dense<[-0.625, -0.0, -1.53125]> : tensor<3xf32>
  %expected2 = tenon.constant dense<-0.0> : tensor<f32>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>
}

func.func @min() -> (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, -0.0, 0x7FC00000]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %a = tenon.reduce min %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = tenon.reduce min %y dims [0, 2] : tensor<2x3x2xf32> -> tensor<3xf32>
  %c = tenon.reduce min %y dims [0, 1, 2] : tensor<2x3x2xf32> -> tensor<f32>
  %expected0 = tenon.constant dense<[1.0, 0x7FC00000]> : tensor<2xf32>
  %expected1 = tenon.constant dense<[-0.25, -1.25, -0.5]> : tensor<3xf32>
  %expected2 = tenon.constant dense<-1.25> : tensor<f32>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>
}

func.func @max() -> (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, -0.0, 0x7FC00000]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %a = tenon.reduce max %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = tenon.reduce max %y dims [0, 2] : tensor<2x3x2xf32> -> tensor<3xf32>
  %c = tenon.reduce max %y dims [0, 1, 2] : tensor<2x3x2xf32> -> tensor<f32>
  %expected0 = tenon.constant dense<[3.0, 0x7FC00000]> : tensor<2xf32>
  %expected1 = tenon.constant dense<[2.0, 0.0, 1.75]> : tensor<3xf32>
  %expected2 = tenon.constant dense<2.0> : tensor<f32>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>
}

func.func @mean() -> (tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, -0.0, 0x7FC00000]]> : tensor<2x3xf32>
  %y = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %a = tenon.reduce mean %x dims [1] : tensor<2x3xf32> -> tensor<2xf32>
  %b = tenon.reduce mean %y dims [0, 2] : tensor<2x3x2xf32> -> tensor<3xf32>
  %c = tenon.reduce mean %y dims [0, 1, 2] : tensor<2x3x2xf32> -> tensor<f32>
  %expected0 = tenon.constant dense<[2.0, 0x7FC00000]> : tensor<2xf32>
  %expected1 = tenon.constant dense<[1.0, -0.625, 1.0]> : tensor<3xf32>
  %expected2 = tenon.constant dense<0.45833334> : tensor<f32>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<2xf32>, tensor<2xf32>, tensor<3xf32>, tensor<3xf32>, tensor<f32>, tensor<f32>
}

func.func @sum_of_nothing() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.reduce sum %x dims [1] : tensor<2x0xf32> -> tensor<2xf32>
  %expected = tenon.constant dense<[0.0, 0.0]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @prod_of_nothing() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.reduce prod %x dims [1] : tensor<2x0xf32> -> tensor<2xf32>
  %expected = tenon.constant dense<[1.0, 1.0]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @min_of_nothing() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.reduce min %x dims [1] : tensor<2x0xf32> -> tensor<2xf32>
  %expected = tenon.constant dense<[0x7F800000, 0x7F800000]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @max_of_nothing() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.reduce max %x dims [1] : tensor<2x0xf32> -> tensor<2xf32>
  %expected = tenon.constant dense<[0xFF800000, 0xFF800000]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @mean_of_nothing() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %y = tenon.reduce mean %x dims [1] : tensor<2x0xf32> -> tensor<2xf32>
  %expected = tenon.constant dense<[0x7FC00000, 0x7FC00000]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @min_of_no_integers() -> (tensor<1xi8>, tensor<1xi8>) {
  %x = tenon.constant dense<> : tensor<1x0xi8>
  %y = tenon.reduce min %x dims [1] : tensor<1x0xi8> -> tensor<1xi8>
  %expected = tenon.constant dense<[127]> : tensor<1xi8>
  return %y, %expected : tensor<1xi8>, tensor<1xi8>
}

func.func @max_of_no_integers() -> (tensor<1xi8>, tensor<1xi8>) {
  %x = tenon.constant dense<> : tensor<1x0xi8>
  %y = tenon.reduce max %x dims [1] : tensor<1x0xi8> -> tensor<1xi8>
  %expected = tenon.constant dense<[-128]> : tensor<1xi8>
  return %y, %expected : tensor<1xi8>, tensor<1xi8>
}

func.func @booleans() -> (tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>) {
  %x = tenon.constant dense<[[true, false], [true, true], [false, false]]> : tensor<3x2xi1>
  %o = tenon.reduce sum %x dims [1] : tensor<3x2xi1> -> tensor<3xi1>
  %a = tenon.reduce prod %x dims [1] : tensor<3x2xi1> -> tensor<3xi1>
  %expected0 = tenon.constant dense<[true, true, false]> : tensor<3xi1>
  %expected1 = tenon.constant dense<[false, true, false]> : tensor<3xi1>
  return %o, %expected0, %a, %expected1 : tensor<3xi1>, tensor<3xi1>, tensor<3xi1>, tensor<3xi1>
}

func.func @no_dims() -> (tensor<2x3x2xf32>, tensor<2x3x2xf32>) {
  %x = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  %z = tenon.reduce sum %x dims [] : tensor<2x3x2xf32> -> tensor<2x3x2xf32>
  %expected = tenon.constant dense<[[[2.0, 1.25], [-1.0, 0.0], [1.0, 1.75]], [[-0.25, 1.0], [-1.25, -0.25], [1.75, -0.5]]]> : tensor<2x3x2xf32>
  return %z, %expected : tensor<2x3x2xf32>, tensor<2x3x2xf32>
}

func.func @sum_wraps() -> (tensor<i8>, tensor<i8>) {
  %x = tenon.constant dense<[100, 100]> : tensor<2xi8>
  %z = tenon.reduce sum %x dims [0] : tensor<2xi8> -> tensor<i8>
  %expected = tenon.constant dense<-56> : tensor<i8>
  return %z, %expected : tensor<i8>, tensor<i8>
}

func.func @arg_max() -> (tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>) {
  %x = tenon.constant dense<[[1.0, 3.0, 3.0], [0x7FC00000, 2.0, 0x7FC00000], [0.0, 0.0, -1.0]]> : tensor<3x3xf32>
  %a = tenon.arg_reduce max %x dim 1 : tensor<3x3xf32> -> tensor<3xi64>
  %b = tenon.arg_reduce max %x dim 1 {last} : tensor<3x3xf32> -> tensor<3xi64>
  %c = tenon.arg_reduce min %x dim 0 : tensor<3x3xf32> -> tensor<3xi64>
  %expected0 = tenon.constant dense<[1, 0, 0]> : tensor<3xi64>
  %expected1 = tenon.constant dense<[2, 2, 1]> : tensor<3xi64>
  %expected2 = tenon.constant dense<[1, 2, 1]> : tensor<3xi64>
  return %a, %expected0, %b, %expected1, %c, %expected2 : tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>
}

func.func @arg_of_nothing() -> tensor<2xi64> attributes {tenon.error = "has no elements along dimension 1"} {
  %x = tenon.constant dense<> : tensor<2x0xf32>
  %a = tenon.arg_reduce max %x dim 1 : tensor<2x0xf32> -> tensor<2xi64>
  return %a : tensor<2xi64>
}

func.func @scan() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = tenon.scan sum %x dim 1 : tensor<2x3xf32>
  %expected = tenon.constant dense<[[1.0, 3.0, 6.0], [4.0, 9.0, 15.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @scan_exclusive() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = tenon.scan sum %x dim 1 {exclusive} : tensor<2x3xf32>
  %expected = tenon.constant dense<[[0.0, 1.0, 3.0], [0.0, 4.0, 9.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @scan_reverse() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = tenon.scan sum %x dim 1 {reverse} : tensor<2x3xf32>
  %expected = tenon.constant dense<[[6.0, 5.0, 3.0], [15.0, 11.0, 6.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @scan_both() -> (tensor<2x3xf32>, tensor<2x3xf32>) {
  %x = tenon.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = tenon.scan sum %x dim 1 {exclusive, reverse} : tensor<2x3xf32>
  %expected = tenon.constant dense<[[5.0, 3.0, 0.0], [11.0, 6.0, 0.0]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @scan_dim_0() -> (tensor<2x2xui8>, tensor<2x2xui8>) {
  %x = tenon.constant dense<[[1, 200], [3, 100]]> : tensor<2x2xui8>
  %y = tenon.scan max %x dim 0 : tensor<2x2xui8>
  %expected = tenon.constant dense<[[1, 200], [3, 200]]> : tensor<2x2xui8>
  return %y, %expected : tensor<2x2xui8>, tensor<2x2xui8>
}
