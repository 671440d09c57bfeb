// RUN: %tenon_check %s

// Attention by its formula, heads of queries that share one of keys; the compiled code decomposes it.

// No mask.
func.func @plain() -> (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %q = tenon.constant dense<[[[[1.75, 0.5], [0.5, 1.5]], [[0.25, 1.0], [1.25, -1.25]]], [[[-2.0, -1.0], [-1.0, 1.25]], [[1.5, -2.0], [-0.25, 1.25]]]]> : tensor<2x2x2x2xf32>
  %k = tenon.constant dense<[[[-1.5, 1.0], [-1.75, -0.25], [1.25, -1.0]], [[-0.75, -1.0], [0.75, -1.0], [1.75, -0.25]]]> : tensor<2x3x2xf32>
  %v = tenon.constant dense<[[[-0.25, 0.0], [0.25, 0.0], [0.0, 1.75]], [[1.0, 1.0], [0.75, 0.25], [-0.75, 1.75]]]> : tensor<2x3x2xf32>
  %y = tenon.attention %q, %k, %v maps [affine_map<(b, h, m, e, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, e)>, affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 0.5
       : tensor<2x2x2x2xf32>, tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x2x2x2xf32>
  %expected = tenon.constant dense<[[[[-0.01239, 1.41584], [-0.059041, 0.44557]], [[-0.087231, 0.428652], [0.009718, 1.525274]]], [[[0.879246, 0.902281], [0.139656, 1.0]], [[0.523728, 0.994353], [0.248464, 1.085075]]]]> : tensor<2x2x2x2xf32>
  return %y, %expected : tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>
}

// A mask that is added; minus infinity hides a key.
func.func @added() -> (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %q = tenon.constant dense<[[[[1.75, 0.5], [0.5, 1.5]], [[0.25, 1.0], [1.25, -1.25]]], [[[-2.0, -1.0], [-1.0, 1.25]], [[1.5, -2.0], [-0.25, 1.25]]]]> : tensor<2x2x2x2xf32>
  %k = tenon.constant dense<[[[-1.5, 1.0], [-1.75, -0.25], [1.25, -1.0]], [[-0.75, -1.0], [0.75, -1.0], [1.75, -0.25]]]> : tensor<2x3x2xf32>
  %v = tenon.constant dense<[[[-0.25, 0.0], [0.25, 0.0], [0.0, 1.75]], [[1.0, 1.0], [0.75, 0.25], [-0.75, 1.75]]]> : tensor<2x3x2xf32>
  %m = tenon.constant dense<[[0.0, -1.0, 0.5], [0.0, 0.0, 0xFF800000]]> : tensor<2x3xf32>
  %y = tenon.attention %q, %k, %v mask(%m : tensor<2x3xf32>) maps [affine_map<(b, h, m, e, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, e)>, affine_map<(b, h, m, e, n, k) -> (b, n)>, affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 0.5
       : tensor<2x2x2x2xf32>, tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x2x2x2xf32>
  %expected = tenon.constant dense<[[[[-0.015919, 1.577074], [-0.09886, 0.731529]], [[-0.115786, 0.685785], [-0.002314, 1.662599]]], [[[0.954394, 0.863181], [0.811271, 0.433814]], [[0.919795, 0.759384], [0.886685, 0.660054]]]]> : tensor<2x2x2x2xf32>
  return %y, %expected : tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>
}

// Its dimensions may lie in another order than those of the scores.
func.func @transposed_mask() -> (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %q = tenon.constant dense<[[[[1.75, 0.5], [0.5, 1.5]], [[0.25, 1.0], [1.25, -1.25]]], [[[-2.0, -1.0], [-1.0, 1.25]], [[1.5, -2.0], [-0.25, 1.25]]]]> : tensor<2x2x2x2xf32>
  %k = tenon.constant dense<[[[-1.5, 1.0], [-1.75, -0.25], [1.25, -1.0]], [[-0.75, -1.0], [0.75, -1.0], [1.75, -0.25]]]> : tensor<2x3x2xf32>
  %v = tenon.constant dense<[[[-0.25, 0.0], [0.25, 0.0], [0.0, 1.75]], [[1.0, 1.0], [0.75, 0.25], [-0.75, 1.75]]]> : tensor<2x3x2xf32>
  %m = tenon.constant dense<[[0.0, 0.0], [-1.0, 0.0], [0.5, 0xFF800000]]> : tensor<3x2xf32>
  %y = tenon.attention %q, %k, %v mask(%m : tensor<3x2xf32>) maps [affine_map<(b, h, m, e, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, e)>, affine_map<(b, h, m, e, n, k) -> (n, b)>, affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 0.5
       : tensor<2x2x2x2xf32>, tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x2x2x2xf32>
  %expected = tenon.constant dense<[[[[-0.015919, 1.577074], [-0.09886, 0.731529]], [[-0.115786, 0.685785], [-0.002314, 1.662599]]], [[[0.954394, 0.863181], [0.811271, 0.433814]], [[0.919795, 0.759384], [0.886685, 0.660054]]]]> : tensor<2x2x2x2xf32>
  return %y, %expected : tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>
}

// Where the mask is false all keys are as good: the second batch is the mean.
func.func @selected() -> (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %q = tenon.constant dense<[[[[1.75, 0.5], [0.5, 1.5]], [[0.25, 1.0], [1.25, -1.25]]], [[[-2.0, -1.0], [-1.0, 1.25]], [[1.5, -2.0], [-0.25, 1.25]]]]> : tensor<2x2x2x2xf32>
  %k = tenon.constant dense<[[[-1.5, 1.0], [-1.75, -0.25], [1.25, -1.0]], [[-0.75, -1.0], [0.75, -1.0], [1.75, -0.25]]]> : tensor<2x3x2xf32>
  %v = tenon.constant dense<[[[-0.25, 0.0], [0.25, 0.0], [0.0, 1.75]], [[1.0, 1.0], [0.75, 0.25], [-0.75, 1.75]]]> : tensor<2x3x2xf32>
  %m = tenon.constant dense<[[true, false, true], [false, false, false]]> : tensor<2x3xi1>
  %y = tenon.attention %q, %k, %v mask(%m : tensor<2x3xi1>) maps [affine_map<(b, h, m, e, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, e)>, affine_map<(b, h, m, e, n, k) -> (b, n)>, affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 1.0 fill -1.0e+4
       : tensor<2x2x2x2xf32>, tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x2x2x2xf32>
  %expected = tenon.constant dense<[[[[-0.005404, 1.712173], [-0.196983, 0.37112]], [[-0.208871, 0.287904], [-0.000658, 1.745395]]], [[[0.333333, 1.0], [0.333333, 1.0]], [[0.333333, 1.0], [0.333333, 1.0]]]]> : tensor<2x2x2x2xf32>
  return %y, %expected : tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>
}

// A query to which every key is hidden has weights of zero.
func.func @blind() -> (tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>) attributes {tenon.tolerance = 1.0e-6 : f64} {
  %q = tenon.constant dense<[[[[1.75, 0.5], [0.5, 1.5]], [[0.25, 1.0], [1.25, -1.25]]], [[[-2.0, -1.0], [-1.0, 1.25]], [[1.5, -2.0], [-0.25, 1.25]]]]> : tensor<2x2x2x2xf32>
  %k = tenon.constant dense<[[[-1.5, 1.0], [-1.75, -0.25], [1.25, -1.0]], [[-0.75, -1.0], [0.75, -1.0], [1.75, -0.25]]]> : tensor<2x3x2xf32>
  %v = tenon.constant dense<[[[-0.25, 0.0], [0.25, 0.0], [0.0, 1.75]], [[1.0, 1.0], [0.75, 0.25], [-0.75, 1.75]]]> : tensor<2x3x2xf32>
  %m = tenon.constant dense<[[0xFF800000, 0xFF800000, 0xFF800000], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  %y = tenon.attention %q, %k, %v mask(%m : tensor<2x3xf32>) maps [affine_map<(b, h, m, e, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, e)>, affine_map<(b, h, m, e, n, k) -> (b, n)>, affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 1.0 {zero_nan}
       : tensor<2x2x2x2xf32>, tensor<2x3x2xf32>, tensor<2x3x2xf32> -> tensor<2x2x2x2xf32>
  %expected = tenon.constant dense<[[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], [[[0.98289, 0.966805], [0.050061, 1.0]], [[0.705039, 0.992923], [0.160549, 1.166876]]]]> : tensor<2x2x2x2xf32>
  return %y, %expected : tensor<2x2x2x2xf32>, tensor<2x2x2x2xf32>
}
