// RUN: %tenon_check %s

// Functions of floating point: f64 by NumPy, rounded once.

func.func @exp() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.exp %x : tensor<9xf32>
  %expected = tenon.constant dense<[0.22313017, 0.7788008, 1.0, 1.6487212, 2.117, 20.085537, 0x7F800000, 0.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @expm1() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.expm1 %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.77686983, -0.22119921, -0.0, 0.6487213, 1.117, 19.085537, 0x7F800000, -1.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @log() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.log %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, 0x7FC00000, 0xFF800000, -0.6931472, -0.2876821, 1.0986123, 0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @log1p() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.log1p %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, -0.2876821, -0.0, 0.4054651, 0.5596158, 1.3862944, 0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @sqrt() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.sqrt %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, 0x7FC00000, -0.0, 0.70710677, 0.8660254, 1.7320508, 0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @rsqrt() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.rsqrt %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, 0x7FC00000, 0xFF800000, 1.4142135, 1.1547005, 0.57735026, 0.0, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @reciprocal() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.reciprocal %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.6666667, -4.0, 0xFF800000, 2.0, 1.3333334, 0.33333334, 0.0, -0.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @sin() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.sin %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.997495, -0.24740396, -0.0, 0.47942555, 0.6816388, 0.14112, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @cos() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.cos %x : tensor<9xf32>
  %expected = tenon.constant dense<[0.0707372, 0.9689124, 1.0, 0.87758255, 0.73168886, -0.9899925, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @tan() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.tan %x : tensor<9xf32>
  %expected = tenon.constant dense<[-14.10142, -0.25534192, -0.0, 0.5463025, 0.93159646, -0.14254655, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

// Arguments of which most digits of pi are needed.
func.func @sin_of_large_f32() -> (tensor<5xf32>, tensor<5xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[0x56000000, 0xDD800000, 0x64078679, 0x6F79BE45, 0x7F7FFFFF]> : tensor<5xf32>
  %y = tenon.sin %x : tensor<5xf32>
  %expected = tenon.constant dense<[0.71849132, 0.8306492, -0.3001695, 1.0, -0.5218765]> : tensor<5xf32>
  return %y, %expected : tensor<5xf32>, tensor<5xf32>
}

func.func @sin_of_large_f64() -> (tensor<4xf64>, tensor<4xf64>) attributes {tenon.tolerance = 1.0e-15 : f64} {
  %x = tenon.constant dense<[0x42C0000000000000, 0xC480F0CF064DD592, 0x7506AC5B262CA1FF, 0x7FEFFFFFFFFFFFFF]> : tensor<4xf64>
  %y = tenon.sin %x : tensor<4xf64>
  %expected = tenon.constant dense<[0.71849129172091508, 0.85220084976718879, 1.0, 0.004961954789184062]> : tensor<4xf64>
  return %y, %expected : tensor<4xf64>, tensor<4xf64>
}

func.func @cos_of_large_f32() -> (tensor<5xf32>, tensor<5xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[0x56000000, 0xDD800000, 0x64078679, 0x6F79BE45, 0x7F7FFFFF]> : tensor<5xf32>
  %y = tenon.cos %x : tensor<5xf32>
  %expected = tenon.constant dense<[0.695536, -0.55679607, 0.9538859, -1.6147698e-09, 0.853021]> : tensor<5xf32>
  return %y, %expected : tensor<5xf32>, tensor<5xf32>
}

func.func @cos_of_large_f64() -> (tensor<4xf64>, tensor<4xf64>) attributes {tenon.tolerance = 1.0e-15 : f64} {
  %x = tenon.constant dense<[0x42C0000000000000, 0xC480F0CF064DD592, 0x7506AC5B262CA1FF, 0x7FEFFFFFFFFFFFFF]> : tensor<4xf64>
  %y = tenon.cos %x : tensor<4xf64>
  %expected = tenon.constant dense<[0.69553595429798654, 0.52321478539513899, -4.6871659242546277e-19, -0.99998768942655991]> : tensor<4xf64>
  return %y, %expected : tensor<4xf64>, tensor<4xf64>
}

func.func @tan_of_large_f32() -> (tensor<5xf32>, tensor<5xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[0x56000000, 0xDD800000, 0x64078679, 0x6F79BE45, 0x7F7FFFFF]> : tensor<5xf32>
  %y = tenon.tan %x : tensor<5xf32>
  %expected = tenon.constant dense<[1.0330038, -1.4918374, -0.31468072, -6.1928333e+08, -0.6117979]> : tensor<5xf32>
  return %y, %expected : tensor<5xf32>, tensor<5xf32>
}

func.func @tan_of_large_f64() -> (tensor<4xf64>, tensor<4xf64>) attributes {tenon.tolerance = 4.0e-15 : f64} {
  %x = tenon.constant dense<[0x42C0000000000000, 0xC480F0CF064DD592, 0x7506AC5B262CA1FF, 0x7FEFFFFFFFFFFFFF]> : tensor<4xf64>
  %y = tenon.tan %x : tensor<4xf64>
  %expected = tenon.constant dense<[1.0330038113501949, 1.6287782256068988, -2.1334853857537038e+18, -0.0049620158744448951]> : tensor<4xf64>
  return %y, %expected : tensor<4xf64>, tensor<4xf64>
}

func.func @asin() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.asin %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, -0.25268024, -0.0, 0.5235988, 0.8480621, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @acos() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.acos %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, 1.8234766, 1.5707964, 1.0471976, 0.7227343, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @atan() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.atan %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.98279375, -0.24497867, -0.0, 0.4636476, 0.6435011, 1.2490457, 1.5707964, -1.5707964, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @sinh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.sinh %x : tensor<9xf32>
  %expected = tenon.constant dense<[-2.1292794, -0.25261232, -0.0, 0.5210953, 0.8223167, 10.017875, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @cosh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.cosh %x : tensor<9xf32>
  %expected = tenon.constant dense<[2.3524096, 1.0314131, 1.0, 1.127626, 1.2946833, 10.067662, 0x7F800000, 0x7F800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @asinh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.asinh %x : tensor<9xf32>
  %expected = tenon.constant dense<[-1.1947632, -0.24746646, -0.0, 0.4812118, 0.6931472, 1.8184465, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @acosh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.acosh %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 1.7627472, 0x7F800000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @atanh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.atanh %x : tensor<9xf32>
  %expected = tenon.constant dense<[0x7FC00000, -0.25541282, -0.0, 0.54930615, 0.97295505, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @tanh() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.tanh %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.90514827, -0.24491866, -0.0, 0.46211717, 0.63514894, 0.9950548, 1.0, -1.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @erf() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.erf %x : tensor<9xf32>
  %expected = tenon.constant dense<[-0.96610516, -0.2763264, -0.0, 0.5204999, 0.71115565, 0.9999779, 1.0, -1.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @sigmoid() -> (tensor<9xf32>, tensor<9xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-1.5, -0.25, -0.0, 0.5, 0.75, 3.0, 0x7F800000, 0xFF800000, 0x7FC00000]> : tensor<9xf32>
  %y = tenon.sigmoid %x : tensor<9xf32>
  %expected = tenon.constant dense<[0.18242553, 0.4378235, 0.5, 0.62245935, 0.6791787, 0.95257413, 1.0, 0.0, 0x7FC00000]> : tensor<9xf32>
  return %y, %expected : tensor<9xf32>, tensor<9xf32>
}

func.func @exp_f16() -> (tensor<2xf16>, tensor<2xf16>) {
  %x = tenon.constant dense<[0.5, 2.0]> : tensor<2xf16>
  %y = tenon.exp %x : tensor<2xf16>
  %expected = tenon.constant dense<[1.648, 7.39]> : tensor<2xf16>
  return %y, %expected : tensor<2xf16>, tensor<2xf16>
}
