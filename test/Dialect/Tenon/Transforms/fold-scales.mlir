// RUN: %tenon_opt --pass-pipeline="builtin.module(tenon-fold-constants,func.func(tenon-simplify-graph),tenon-fold-constants)" %s | FileCheck %s
// RUN: %tenon_opt --pass-pipeline="builtin.module(func.func(tenon-simplify-graph{fold-scales=false}))" %s | FileCheck %s --check-prefix=OFF

// Batch normalisation after a convolution with bias.
// CHECK-LABEL: @batch_norm
// CHECK-SAME: (%[[X:.*]]: tensor<1x2x4x4xf32>)
// CHECK-DAG: %[[W:.*]] = tenon.constant dense<{{\[}}{{\[}}{{\[}}[2.000000e+00]], {{\[}}[4.000000e+00]]], {{\[}}{{\[}}[9.000000e+00]], {{\[}}[1.200000e+01]]]]> : tensor<2x2x1x1xf32>
// CHECK: %[[C:.*]] = tenon.conv %[[X]], %[[W]]
// CHECK-NEXT: %[[B:.*]] = tenon.constant dense<[1.200000e+01, 3.700000e+01]> : tensor<2xf32>
// CHECK-NEXT: %[[V:.*]] = tenon.broadcast %[[B]] dims [1] sizes [1, 2, 4, 4]
// CHECK-NEXT: %[[Y:.*]] = tenon.add %[[C]], %[[V]]
// CHECK-NEXT: return %[[Y]]
// OFF-LABEL: @batch_norm
// OFF: tenon.mul
func.func @batch_norm(%x: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  %w = tenon.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %b = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %s = tenon.constant dense<[[[2.0]], [[3.0]]]> : tensor<2x1x1xf32>
  %h = tenon.constant dense<[10.0, 31.0]> : tensor<2xf32>
  %c = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1
       : tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32> -> tensor<1x2x4x4xf32>
  %bw = tenon.broadcast %b dims [1] sizes [1, 2, 4, 4] : tensor<2xf32> -> tensor<1x2x4x4xf32>
  %y = tenon.add %c, %bw : tensor<1x2x4x4xf32>
  %sw = tenon.broadcast %s dims [1, 2, 3] sizes [1, 2, 4, 4] : tensor<2x1x1xf32> -> tensor<1x2x4x4xf32>
  %z = tenon.mul %y, %sw : tensor<1x2x4x4xf32>
  %hw = tenon.broadcast %h dims [1] sizes [1, 2, 4, 4] : tensor<2xf32> -> tensor<1x2x4x4xf32>
  %r = tenon.add %z, %hw : tensor<1x2x4x4xf32>
  return %r : tensor<1x2x4x4xf32>
}

// Weights on the left, their channels the second dimension of the result; division by one number.
// CHECK-LABEL: @contract
// CHECK-DAG: tenon.constant dense<{{\[}}[1.000000e+00, 1.500000e+00], [3.000000e+00, 3.500000e+00]]> : tensor<2x2xf32>
// CHECK-NOT: tenon.div
// CHECK-NOT: tenon.mul
// CHECK: return
func.func @contract(%x: tensor<?x2xf32>, %n: index) -> tensor<?x2xf32> {
  %w = tenon.constant dense<[[2.0, 3.0], [6.0, 7.0]]> : tensor<2x2xf32>
  %two = tenon.constant dense<2.0> : tensor<f32>
  %c = tenon.contract %w, %x maps [affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, k)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x2xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  %d = tenon.broadcast %two dims [] sizes [%n, 2] : tensor<f32> -> tensor<?x2xf32>
  %y = tenon.div %c, %d : tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// A factor per row isn't one of the weights'; what else uses the product needs it unscaled.
// CHECK-LABEL: @stays
// CHECK: tenon.mul
// CHECK: tenon.mul
func.func @stays(%x: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>) {
  %w = tenon.constant dense<[[2.0, 3.0], [6.0, 7.0]]> : tensor<2x2xf32>
  %s = tenon.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %rows = tenon.broadcast %s dims [0] sizes [2, 2] : tensor<2xf32> -> tensor<2x2xf32>
  %a = tenon.mul %c, %rows : tensor<2x2xf32>
  %d = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x2xf32>, tensor<2x2xf32> -> tensor<2x2xf32>
  %columns = tenon.broadcast %s dims [1] sizes [2, 2] : tensor<2xf32> -> tensor<2x2xf32>
  %b = tenon.mul %d, %columns : tensor<2x2xf32>
  return %a, %b, %d : tensor<2x2xf32>, tensor<2x2xf32>, tensor<2x2xf32>
}
