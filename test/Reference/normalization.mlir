// RUN: %tenon_check %s

// Composites by their own formulas.

func.func @softmax() -> (tensor<2x3xf32>, tensor<2x3xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[-2.0, 1.25, -0.75], [-0.25, 2.0, -0.5]]> : tensor<2x3xf32>
  %y = tenon.softmax %x dims [1] : tensor<2x3xf32>
  %expected = tenon.constant dense<[[0.033024356, 0.8517093, 0.11526632], [0.088758424, 0.8421165, 0.06912513]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @log_softmax() -> (tensor<2x3xf32>, tensor<2x3xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[-2.0, 1.25, -0.75], [-0.25, 2.0, -0.5]]> : tensor<2x3xf32>
  %y = tenon.softmax %x dims [1] {log} : tensor<2x3xf32>
  %expected = tenon.constant dense<[[-3.41051, -0.16050997, -2.16051], [-2.4218369, -0.17183697, -2.6718369]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @softmax_dim_0() -> (tensor<2x3xf32>, tensor<2x3xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[-2.0, 1.25, -0.75], [-0.25, 2.0, -0.5]]> : tensor<2x3xf32>
  %y = tenon.softmax %x dims [0] : tensor<2x3xf32>
  %expected = tenon.constant dense<[[0.1480472, 0.32082132, 0.4378235], [0.8519528, 0.6791787, 0.5621765]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @softmax_infinities() -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %x = tenon.constant dense<[[0xFF800000, 0.0], [0xFF800000, 0xFF800000], [1000.0, 1000.0]]> : tensor<3x2xf32>
  %y = tenon.softmax %x dims [1] : tensor<3x2xf32>
  %expected = tenon.constant dense<[[0.0, 1.0], [0x7FC00000, 0x7FC00000], [0.5, 0.5]]> : tensor<3x2xf32>
  return %y, %expected : tensor<3x2xf32>, tensor<3x2xf32>
}

func.func @normalize() -> (tensor<2x3xf32>, tensor<2x3xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[-2.0, 1.25, -0.75], [-0.25, 2.0, -0.5]]> : tensor<2x3xf32>
  %y = tenon.normalize %x dims [1] epsilon 1.0e-5 : tensor<2x3xf32>
  %expected = tenon.constant dense<[[-1.1206279, 1.3073993, -0.18677132], [-0.59299713, 1.4083681, -0.81537104]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @rms() -> (tensor<2x3xf32>, tensor<2x3xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[[-2.0, 1.25, -0.75], [-0.25, 2.0, -0.5]]> : tensor<2x3xf32>
  %y = tenon.normalize %x dims [1] epsilon 1.0e-5 {rms} : tensor<2x3xf32>
  %expected = tenon.constant dense<[[-1.399705, 0.87481564, -0.52488935], [-0.20851369, 1.6681095, -0.41702738]]> : tensor<2x3xf32>
  return %y, %expected : tensor<2x3xf32>, tensor<2x3xf32>
}

func.func @gelu() -> (tensor<5xf32>, tensor<5xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-3.0, -0.5, -0.0, 1.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.gelu %x : tensor<5xf32>
  %expected = tenon.constant dense<[-0.004049694, -0.15426877, -0.0, 0.8413448, 0x7F800000]> : tensor<5xf32>
  return %y, %expected : tensor<5xf32>, tensor<5xf32>
}

func.func @gelu_tanh() -> (tensor<5xf32>, tensor<5xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %x = tenon.constant dense<[-3.0, -0.5, -0.0, 1.0, 0x7F800000]> : tensor<5xf32>
  %y = tenon.gelu %x {tanh} : tensor<5xf32>
  %expected = tenon.constant dense<[-0.003637392, -0.154286, -0.0, 0.841192, 0x7F800000]> : tensor<5xf32>
  return %y, %expected : tensor<5xf32>, tensor<5xf32>
}
