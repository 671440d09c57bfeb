// RUN: %tenon_check %s

// Conversions between element types.

func.func @truncates() -> (tensor<4xi32>, tensor<4xi32>) {
  %x = tenon.constant dense<[1.9, -1.9, 0.5, -0.5]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xi32>
  %expected = tenon.constant dense<[1, -1, 0, 0]> : tensor<4xi32>
  return %y, %expected : tensor<4xi32>, tensor<4xi32>
}

func.func @wraps() -> (tensor<3xi8>, tensor<3xi8>) {
  %x = tenon.constant dense<[300.0, -1.0, 256.0]> : tensor<3xf32>
  %y = tenon.cast %x : tensor<3xf32> -> tensor<3xi8>
  %expected = tenon.constant dense<[44, -1, 0]> : tensor<3xi8>
  return %y, %expected : tensor<3xi8>, tensor<3xi8>
}

func.func @wraps_unsigned() -> (tensor<2xui8>, tensor<2xui8>) {
  %x = tenon.constant dense<[300.0, -1.0]> : tensor<2xf32>
  %y = tenon.cast %x : tensor<2xf32> -> tensor<2xui8>
  %expected = tenon.constant dense<[44, 255]> : tensor<2xui8>
  return %y, %expected : tensor<2xui8>, tensor<2xui8>
}

func.func @nan_is_least() -> (tensor<1xi64>, tensor<1xi64>) {
  %x = tenon.constant dense<[0x7FC00000]> : tensor<1xf32>
  %y = tenon.cast %x : tensor<1xf32> -> tensor<1xi64>
  %expected = tenon.constant dense<[-9223372036854775808]> : tensor<1xi64>
  return %y, %expected : tensor<1xi64>, tensor<1xi64>
}

func.func @narrows_integers() -> (tensor<2xi8>, tensor<2xi8>) {
  %x = tenon.constant dense<[300, -129]> : tensor<2xi64>
  %y = tenon.cast %x : tensor<2xi64> -> tensor<2xi8>
  %expected = tenon.constant dense<[44, 127]> : tensor<2xi8>
  return %y, %expected : tensor<2xi8>, tensor<2xi8>
}

func.func @widens_signed() -> (tensor<1xi64>, tensor<1xi64>) {
  %x = tenon.constant dense<[-1]> : tensor<1xi8>
  %y = tenon.cast %x : tensor<1xi8> -> tensor<1xi64>
  %expected = tenon.constant dense<[-1]> : tensor<1xi64>
  return %y, %expected : tensor<1xi64>, tensor<1xi64>
}

func.func @widens_unsigned() -> (tensor<1xi64>, tensor<1xi64>) {
  %x = tenon.constant dense<[255]> : tensor<1xui8>
  %y = tenon.cast %x : tensor<1xui8> -> tensor<1xi64>
  %expected = tenon.constant dense<[255]> : tensor<1xi64>
  return %y, %expected : tensor<1xi64>, tensor<1xi64>
}

func.func @to_bool() -> (tensor<4xi1>, tensor<4xi1>) {
  %x = tenon.constant dense<[0.0, -0.0, 0.1, 0x7FC00000]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xi1>
  %expected = tenon.constant dense<[false, false, true, true]> : tensor<4xi1>
  return %y, %expected : tensor<4xi1>, tensor<4xi1>
}

func.func @from_bool() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<[true, false]> : tensor<2xi1>
  %y = tenon.cast %x : tensor<2xi1> -> tensor<2xf32>
  %expected = tenon.constant dense<[1.0, 0.0]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @ties_to_even() -> (tensor<4xf16>, tensor<4xf16>) {
  %x = tenon.constant dense<[2049.0, 2051.0, 65520.0, 1.0e-08]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xf16>
  %expected = tenon.constant dense<[2048.0, 2052.0, 0x7C00, 0.0]> : tensor<4xf16>
  return %y, %expected : tensor<4xf16>, tensor<4xf16>
}

func.func @from_f64() -> (tensor<3xf32>, tensor<3xf32>) {
  %x = tenon.constant dense<[1.0e+300, 0.1, 16777217.0]> : tensor<3xf64>
  %y = tenon.cast %x : tensor<3xf64> -> tensor<3xf32>
  %expected = tenon.constant dense<[0x7F800000, 0.1, 1.6777216e+07]> : tensor<3xf32>
  return %y, %expected : tensor<3xf32>, tensor<3xf32>
}

func.func @large_integers() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<[4611686018427387905, -9223372036854775808]> : tensor<2xi64>
  %y = tenon.cast %x : tensor<2xi64> -> tensor<2xf32>
  %expected = tenon.constant dense<[4.611686e+18, -9.223372e+18]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @from_uint64() -> (tensor<2xf32>, tensor<2xf32>) {
  %x = tenon.constant dense<[18446744073709551615, 9223372036854775808]> : tensor<2xui64>
  %y = tenon.cast %x : tensor<2xui64> -> tensor<2xf32>
  %expected = tenon.constant dense<[1.8446744e+19, 9.223372e+18]> : tensor<2xf32>
  return %y, %expected : tensor<2xf32>, tensor<2xf32>
}

func.func @to_bf16() -> (tensor<4xbf16>, tensor<4xbf16>) {
  %x = tenon.constant dense<[1.0039062, 1.0117188, 0x7FC00000, 3.0e+38]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xbf16>
  %expected = tenon.constant dense<[1.0, 1.015625, 0x7FC0, 0x7F62]> : tensor<4xbf16>
  return %y, %expected : tensor<4xbf16>, tensor<4xbf16>
}

func.func @to_f8E4M3FN() -> (tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>) {
  %x = tenon.constant dense<[1.0625, 448.0, 480.0, 0x7F800000]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xf8E4M3FN>
  %expected = tenon.constant dense<[1.0, 448.0, 0x7F, 0x7F]> : tensor<4xf8E4M3FN>
  return %y, %expected : tensor<4xf8E4M3FN>, tensor<4xf8E4M3FN>
}

func.func @to_f8E5M2() -> (tensor<4xf8E5M2>, tensor<4xf8E5M2>) {
  %x = tenon.constant dense<[1.125, 57344.0, 65536.0, 0xFF800000]> : tensor<4xf32>
  %y = tenon.cast %x : tensor<4xf32> -> tensor<4xf8E5M2>
  %expected = tenon.constant dense<[1.0, 57344.0, 0x7C, 0xFC]> : tensor<4xf8E5M2>
  return %y, %expected : tensor<4xf8E5M2>, tensor<4xf8E5M2>
}

func.func @saturates() -> (tensor<3xf8E4M3FN>, tensor<3xf8E4M3FN>) {
  %x = tenon.constant dense<[480.0, -1000.0, 0x7F800000]> : tensor<3xf32>
  %y = tenon.cast %x {saturate} : tensor<3xf32> -> tensor<3xf8E4M3FN>
  %expected = tenon.constant dense<[448.0, -448.0, 448.0]> : tensor<3xf8E4M3FN>
  return %y, %expected : tensor<3xf8E4M3FN>, tensor<3xf8E4M3FN>
}

// Powers of two: the nearest, of two the larger.
func.func @to_exponents() -> (tensor<8xui8>, tensor<8xui8>) {
  %x = tenon.constant dense<[1.0, 1.49, 1.5, -3.0, 0.0, 1.0e-40, 0x7F800000, 0x7FC00000]> : tensor<8xf32>
  %y = tenon.cast %x : tensor<8xf32> -> tensor<8xf8E8M0FNU>
  %bits = tenon.bitcast %y : tensor<8xf8E8M0FNU> -> tensor<8xui8>
  %expected = tenon.constant dense<[127, 127, 128, 129, 0, 0, 255, 255]> : tensor<8xui8>
  return %bits, %expected : tensor<8xui8>, tensor<8xui8>
}

func.func @to_exponents_saturating() -> (tensor<3xui8>, tensor<3xui8>) {
  %x = tenon.constant dense<[0x7F800000, 3.0e38, 0x7FC00000]> : tensor<3xf32>
  %y = tenon.cast %x {saturate} : tensor<3xf32> -> tensor<3xf8E8M0FNU>
  %bits = tenon.bitcast %y : tensor<3xf8E8M0FNU> -> tensor<3xui8>
  %expected = tenon.constant dense<[254, 254, 255]> : tensor<3xui8>
  return %bits, %expected : tensor<3xui8>, tensor<3xui8>
}

func.func @from_exponents() -> (tensor<4xf32>, tensor<4xf32>) {
  %x = tenon.constant dense<[0, 1, 127, 254]> : tensor<4xui8>
  %powers = tenon.bitcast %x : tensor<4xui8> -> tensor<4xf8E8M0FNU>
  %y = tenon.cast %powers : tensor<4xf8E8M0FNU> -> tensor<4xf32>
  %expected = tenon.constant dense<[0x00400000, 0x00800000, 1.0, 0x7F000000]> : tensor<4xf32>
  return %y, %expected : tensor<4xf32>, tensor<4xf32>
}
