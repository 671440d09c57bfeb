// RUN: %tenon_check %s

// Comparisons, selection and NaN.

func.func @eq() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare eq %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[false, true, false, true, true]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @ne() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare ne %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[true, false, true, false, false]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @lt() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare lt %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[true, false, false, false, false]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @le() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare le %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[true, true, false, true, true]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @gt() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare gt %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[false, false, false, false, false]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @ge() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, 0x7FC00000, -0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.compare ge %x, %y : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[false, true, false, true, true]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @unsigned() -> (tensor<1xi1>, tensor<1xi1>) {
  %x = tenon.constant dense<[255]> : tensor<1xui8>
  %y = tenon.constant dense<[1]> : tensor<1xui8>
  %c = tenon.compare gt %x, %y : tensor<1xui8> -> tensor<1xi1>
  %expected = tenon.constant dense<[true]> : tensor<1xi1>
  return %c, %expected : tensor<1xi1>, tensor<1xi1>
}

func.func @signed() -> (tensor<1xi1>, tensor<1xi1>) {
  %x = tenon.constant dense<[-1]> : tensor<1xi8>
  %y = tenon.constant dense<[1]> : tensor<1xi8>
  %c = tenon.compare gt %x, %y : tensor<1xi8> -> tensor<1xi1>
  %expected = tenon.constant dense<[false]> : tensor<1xi1>
  return %c, %expected : tensor<1xi1>, tensor<1xi1>
}

func.func @is_nan() -> (tensor<5xi1>, tensor<5xi1>) {
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000, 0.0, 0x7F800000]> : tensor<5xf32>
  %c = tenon.is_nan %x : tensor<5xf32> -> tensor<5xi1>
  %expected = tenon.constant dense<[false, false, true, false, false]> : tensor<5xi1>
  return %c, %expected : tensor<5xi1>, tensor<5xi1>
}

func.func @select() -> (tensor<3xf32>, tensor<3xf32>) {
  %c = tenon.constant dense<[true, false, true]> : tensor<3xi1>
  %x = tenon.constant dense<[1.0, 2.0, 0x7FC00000]> : tensor<3xf32>
  %y = tenon.constant dense<[4.0, -0.0, 6.0]> : tensor<3xf32>
  %z = tenon.select %c, %x, %y : tensor<3xi1>, tensor<3xf32>
  %expected = tenon.constant dense<[1.0, -0.0, 0x7FC00000]> : tensor<3xf32>
  return %z, %expected : tensor<3xf32>, tensor<3xf32>
}
