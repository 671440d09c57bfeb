// RUN: %tenon_check %s

// Bits as another type of their width.

func.func @numbers_as_integers() -> (tensor<5xui32>, tensor<5xui32>) {
  %x = tenon.constant dense<[1.0, -0.0, 0x7F800000, 0x7FC00001, 0x00000001]> : tensor<5xf32>
  %y = tenon.bitcast %x : tensor<5xf32> -> tensor<5xui32>
  %expected = tenon.constant dense<[1065353216, 2147483648, 2139095040, 2143289345, 1]> : tensor<5xui32>
  return %y, %expected : tensor<5xui32>, tensor<5xui32>
}

func.func @integers_as_numbers() -> (tensor<2xf64>, tensor<2xf64>) {
  %x = tenon.constant dense<[4607182418800017408, -4611686018427387904]> : tensor<2xi64>
  %y = tenon.bitcast %x : tensor<2xi64> -> tensor<2xf64>
  %expected = tenon.constant dense<[1.0, -2.0]> : tensor<2xf64>
  return %y, %expected : tensor<2xf64>, tensor<2xf64>
}

func.func @sixteen_bits() -> (tensor<2xbf16>, tensor<2xbf16>) {
  %x = tenon.constant dense<[1.0, 0x4049]> : tensor<2xf16>
  %y = tenon.bitcast %x : tensor<2xf16> -> tensor<2xbf16>
  %expected = tenon.constant dense<[0x3C00, 0x4049]> : tensor<2xbf16>
  return %y, %expected : tensor<2xbf16>, tensor<2xbf16>
}

func.func @eight_bits() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = tenon.constant dense<[1.0, -2.0, 0x7F]> : tensor<3xf8E4M3FN>
  %y = tenon.bitcast %x : tensor<3xf8E4M3FN> -> tensor<3xi8>
  %expected = tenon.constant dense<[56, -64, 127]> : tensor<3xi8>
  return %y, %expected : tensor<3xi8>, tensor<3xi8>
}

// Computed, then looked at: the bits are those of the rounded number.
func.func @of_a_result() -> (tensor<2xui16>, tensor<2xui16>) {
  %x = tenon.constant dense<[1.0, 3.0]> : tensor<2xf16>
  %y = tenon.constant dense<[3.0, 1.0]> : tensor<2xf16>
  %quotient = tenon.div %x, %y : tensor<2xf16>
  %bits = tenon.bitcast %quotient : tensor<2xf16> -> tensor<2xui16>
  %expected = tenon.constant dense<[13653, 16896]> : tensor<2xui16>
  return %bits, %expected : tensor<2xui16>, tensor<2xui16>
}
