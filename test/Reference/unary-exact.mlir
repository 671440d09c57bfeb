// RUN: %tenon_check %s

// Unary ops whose results are exact, on numbers, infinities, NaN and signed zeros.

func.func @neg() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.neg %x : tensor<9xf32>
  %expected = tenon.constant dense<[2.5, 0.0, -0.0, -0.5, -1.5, -2.5, 0xFF800000, 0x7F800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @abs() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.abs %x : tensor<9xf32>
  %expected = tenon.constant dense<[2.5, 0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0x7F800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @sign() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.sign %x : tensor<9xf32>
  %expected = tenon.constant dense<[-1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, -1.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @floor() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.floor %x : tensor<9xf32>
  %expected = tenon.constant dense<[-3.0, -0.0, 0.0, 0.0, 1.0, 2.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @ceil() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.ceil %x : tensor<9xf32>
  %expected = tenon.constant dense<[-2.0, -0.0, 0.0, 1.0, 2.0, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @round() -> (tensor<9xf32>, tensor<9xf32>) {
  %x = tenon.constant dense<[-2.5, -0.0, 0.0, 0.5, 1.5, 2.5, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.round %x : tensor<9xf32>
  %expected = tenon.constant dense<[-2.0, -0.0, 0.0, 0.0, 2.0, 2.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @neg_integers() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = tenon.constant dense<[-128, 0, 5]> : tensor<3xi8>
  %y = tenon.neg %x : tensor<3xi8>
  %expected = tenon.constant dense<[-128, 0, -5]> : tensor<3xi8>
  return %y, %expected : tensor<3xi8>, tensor<3xi8>
}

func.func @abs_integers() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = tenon.constant dense<[-128, -7, 5]> : tensor<3xi8>
  %y = tenon.abs %x : tensor<3xi8>
  %expected = tenon.constant dense<[-128, 7, 5]> : tensor<3xi8>
  return %y, %expected : tensor<3xi8>, tensor<3xi8>
}

func.func @sign_unsigned() -> (tensor<2xui8>, tensor<2xui8>) {
  %x = tenon.constant dense<[0, 200]> : tensor<2xui8>
  %y = tenon.sign %x : tensor<2xui8>
  %expected = tenon.constant dense<[0, 1]> : tensor<2xui8>
  return %y, %expected : tensor<2xui8>, tensor<2xui8>
}

func.func @not() -> (tensor<3xi32>, tensor<3xi32>, tensor<2xi1>, tensor<2xi1>) {
  %x = tenon.constant dense<[0, -1, 5]> : tensor<3xi32>
  %b = tenon.constant dense<[true, false]> : tensor<2xi1>
  %y = tenon.not %x : tensor<3xi32>
  %c = tenon.not %b : tensor<2xi1>
  %expected0 = tenon.constant dense<[-1, 0, -6]> : tensor<3xi32>
  %expected1 = tenon.constant dense<[false, true]> : tensor<2xi1>
  return %y, %expected0, %c, %expected1 : tensor<3xi32>, tensor<3xi32>, tensor<2xi1>, tensor<2xi1>
}
