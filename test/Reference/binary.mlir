// RUN: %tenon_check %s

// Binary arithmetic.

func.func @add() -> (tensor<7xf32>, tensor<7xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.add %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[7.5, -3.5, 0.0, 0.0, 0x7FC00000, 0x7FC00000, 1.0]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @sub() -> (tensor<7xf32>, tensor<7xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.sub %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[3.5, -7.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @mul() -> (tensor<7xf32>, tensor<7xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.mul %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[11.0, -11.0, -0.0, -0.0, 0xFF800000, 0x7FC00000, 0.0]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @div() -> (tensor<7xf32>, tensor<7xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.div %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[2.75, -2.75, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7F800000]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @rem() -> (tensor<7xf32>, tensor<7xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.rem %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[1.5, -1.5, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @pow() -> (tensor<7xf32>, tensor<7xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.pow %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[30.25, 30.25, 1.0, 1.0, 0.0, 0x7FC00000, 1.0]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @atan2() -> (tensor<7xf32>, tensor<7xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[5.5, -5.5, 0.0, -0.0, 0x7F800000, 0x7FC00000, 1.0]> : tensor<7xf32>
  %y = tenon.constant dense<[2.0, 2.0, -0.0, 0.0, 0xFF800000, 1.0, 0.0]> : tensor<7xf32>
  %z = tenon.atan2 %x, %y : tensor<7xf32>
  %expected = tenon.constant dense<[1.2220253, -1.2220253, 3.1415927, -0.0, 2.3561945, 0x7FC00000, 1.5707964]> : tensor<7xf32>
  return %z, %expected : tensor<7xf32>, tensor<7xf32>
}

func.func @mod() -> (tensor<5xf32>, tensor<5xf32>) {
  %x = tenon.constant dense<[5.5, -5.5, 5.5, -5.5, 4.0]> : tensor<5xf32>
  %y = tenon.constant dense<[2.0, 2.0, -2.0, -2.0, -2.0]> : tensor<5xf32>
  %z = tenon.mod %x, %y : tensor<5xf32>
  %expected = tenon.constant dense<[1.5, 0.5, -0.5, -1.5, -0.0]> : tensor<5xf32>
  return %z, %expected : tensor<5xf32>, tensor<5xf32>
}

func.func @min_max() -> (tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>) {
  %x = tenon.constant dense<[1.0, 0x7FC00000, 1.0, 0.0, -0.0, 0xFF800000]> : tensor<6xf32>
  %y = tenon.constant dense<[2.0, 1.0, 0x7FC00000, 0.0, -1.0, 0x7F800000]> : tensor<6xf32>
  %low = tenon.min %x, %y : tensor<6xf32>
  %high = tenon.max %x, %y : tensor<6xf32>
  %expected0 = tenon.constant dense<[1.0, 0x7FC00000, 0x7FC00000, 0.0, -1.0, 0xFF800000]> : tensor<6xf32>
  %expected1 = tenon.constant dense<[2.0, 0x7FC00000, 0x7FC00000, 0.0, -0.0, 0x7F800000]> : tensor<6xf32>
  return %low, %expected0, %high, %expected1 : tensor<6xf32>, tensor<6xf32>, tensor<6xf32>, tensor<6xf32>
}

func.func @add_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.add %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[9, -5, -128, 127, 5, -127]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @sub_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.sub %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[5, -9, 126, -127, 5, 127]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @mul_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.mul %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[14, -14, 127, -128, 0, -128]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @div_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.div %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[3, -3, 127, -128, 0, -128]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @rem_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.rem %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[1, -1, 0, 0, 0, 0]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @mod_integers() -> (tensor<6xi8>, tensor<6xi8>) {
  %x = tenon.constant dense<[7, -7, 127, -128, 5, -128]> : tensor<6xi8>
  %y = tenon.constant dense<[2, 2, 1, -1, 0, 1]> : tensor<6xi8>
  %z = tenon.mod %x, %y : tensor<6xi8>
  %expected = tenon.constant dense<[1, 1, 0, 0, 0, 0]> : tensor<6xi8>
  return %z, %expected : tensor<6xi8>, tensor<6xi8>
}

func.func @mod_signs() -> (tensor<3xi64>, tensor<3xi64>) {
  %x = tenon.constant dense<[7, -7, -7]> : tensor<3xi64>
  %y = tenon.constant dense<[-3, 3, -3]> : tensor<3xi64>
  %z = tenon.mod %x, %y : tensor<3xi64>
  %expected = tenon.constant dense<[-2, 2, -1]> : tensor<3xi64>
  return %z, %expected : tensor<3xi64>, tensor<3xi64>
}

func.func @pow_integers() -> (tensor<5xi32>, tensor<5xi32>) {
  %x = tenon.constant dense<[2, 3, -1, 2, 0]> : tensor<5xi32>
  %y = tenon.constant dense<[10, 0, -3, -1, -1]> : tensor<5xi32>
  %z = tenon.pow %x, %y : tensor<5xi32>
  %expected = tenon.constant dense<[1024, 1, -1, 0, 0]> : tensor<5xi32>
  return %z, %expected : tensor<5xi32>, tensor<5xi32>
}

func.func @div_unsigned() -> (tensor<2xui8>, tensor<2xui8>) {
  %x = tenon.constant dense<[200, 255]> : tensor<2xui8>
  %y = tenon.constant dense<[3, 0]> : tensor<2xui8>
  %z = tenon.div %x, %y : tensor<2xui8>
  %expected = tenon.constant dense<[66, 0]> : tensor<2xui8>
  return %z, %expected : tensor<2xui8>, tensor<2xui8>
}

func.func @wrap_unsigned() -> (tensor<2xui32>, tensor<2xui32>, tensor<2xui32>, tensor<2xui32>) {
  %x = tenon.constant dense<[200, 4294967295]> : tensor<2xui32>
  %y = tenon.constant dense<[4294967196, 4294967295]> : tensor<2xui32>
  %z = tenon.add %x, %y : tensor<2xui32>
  %p = tenon.mul %x, %y : tensor<2xui32>
  %expected0 = tenon.constant dense<[100, 4294967294]> : tensor<2xui32>
  %expected1 = tenon.constant dense<[4294947296, 1]> : tensor<2xui32>
  return %z, %expected0, %p, %expected1 : tensor<2xui32>, tensor<2xui32>, tensor<2xui32>, tensor<2xui32>
}

func.func @bits() -> (tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>) {
  %x = tenon.constant dense<[12, -1]> : tensor<2xi16>
  %y = tenon.constant dense<[10, 3]> : tensor<2xi16>
  %a = tenon.and %x, %y : tensor<2xi16>
  %o = tenon.or %x, %y : tensor<2xi16>
  %e = tenon.xor %x, %y : tensor<2xi16>
  %expected0 = tenon.constant dense<[8, 3]> : tensor<2xi16>
  %expected1 = tenon.constant dense<[14, -1]> : tensor<2xi16>
  %expected2 = tenon.constant dense<[6, -4]> : tensor<2xi16>
  return %a, %expected0, %o, %expected1, %e, %expected2 : tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>, tensor<2xi16>
}

func.func @shifts() -> (tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8>) {
  %x = tenon.constant dense<[-8, 1, 3]> : tensor<3xi8>
  %y = tenon.constant dense<[1, 7, 8]> : tensor<3xi8>
  %l = tenon.shl %x, %y : tensor<3xi8>
  %r = tenon.shr %x, %y : tensor<3xi8>
  %expected0 = tenon.constant dense<[-16, -128, 0]> : tensor<3xi8>
  %expected1 = tenon.constant dense<[-4, 0, 0]> : tensor<3xi8>
  return %l, %expected0, %r, %expected1 : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8>
}

func.func @shift_unsigned() -> (tensor<2xui8>, tensor<2xui8>) {
  %x = tenon.constant dense<[248, 255]> : tensor<2xui8>
  %y = tenon.constant dense<[1, 9]> : tensor<2xui8>
  %r = tenon.shr %x, %y : tensor<2xui8>
  %expected = tenon.constant dense<[124, 0]> : tensor<2xui8>
  return %r, %expected : tensor<2xui8>, tensor<2xui8>
}

func.func @rounds_once() -> (tensor<2xf16>, tensor<2xf16>) {
  %x = tenon.constant dense<[2048.0, 65500.0]> : tensor<2xf16>
  %y = tenon.constant dense<[1.0, 65500.0]> : tensor<2xf16>
  %z = tenon.add %x, %y : tensor<2xf16>
  %expected = tenon.constant dense<[2048.0, 0x7C00]> : tensor<2xf16>
  return %z, %expected : tensor<2xf16>, tensor<2xf16>
}

func.func @rank_zero() -> (tensor<f64>, tensor<f64>) {
  %x = tenon.constant dense<3.0> : tensor<f64>
  %y = tenon.constant dense<4.0> : tensor<f64>
  %z = tenon.mul %x, %y : tensor<f64>
  %expected = tenon.constant dense<12.0> : tensor<f64>
  return %z, %expected : tensor<f64>, tensor<f64>
}

func.func @no_elements() -> (tensor<0x3xf32>, tensor<0x3xf32>) {
  %x = tenon.constant dense<> : tensor<0x3xf32>
  %z = tenon.add %x, %x : tensor<0x3xf32>
  %expected = tenon.constant dense<> : tensor<0x3xf32>
  return %z, %expected : tensor<0x3xf32>, tensor<0x3xf32>
}
