// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Places of the class that is ignored read class 0 and don't count.
// CHECK-LABEL: func.func @ignored(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 5, 7] : tensor<?x5x7xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 7] : tensor<?x7xi64>
// CHECK: %[[V1:.*]] = tenon.softmax %[[ARG0]] dims [1] {log} : tensor<?x5x7xf32>
// CHECK: %[[V2:.*]] = tenon.compare ne %[[ARG1]], %{{.*}} : tensor<?x7xi64> -> tensor<?x7xi1>
// CHECK: %[[V3:.*]] = tenon.select %[[V2]], %[[ARG1]], %{{.*}} : tensor<?x7xi1>, tensor<?x7xi64>
// CHECK: %[[V4:.*]] = tenon.transpose %[[V1]] [0, 2, 1] : tensor<?x5x7xf32> -> tensor<?x7x5xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V3]] sizes [%[[V0]], 7, 1] : tensor<?x7xi64> -> tensor<?x7x1xi64>
// CHECK: %[[V6:.*]] = tenon.gather error %[[V4]], %[[V5]] dims [2] batch_dims 2 : tensor<?x7x5xf32>, tensor<?x7x1xi64> -> tensor<?x7xf32>
// CHECK: %[[V7:.*]] = tenon.select %[[V2]], %{{.*}}, %{{.*}} : tensor<?x7xi1>, tensor<?x7xf32>
// CHECK: %[[V8:.*]] = tenon.mul %[[V6]], %[[V7]] : tensor<?x7xf32>
// CHECK: %[[V9:.*]] = tenon.neg %[[V8]] : tensor<?x7xf32>
// CHECK: %[[V10:.*]] = tenon.reduce sum %[[V9]] dims [0, 1] : tensor<?x7xf32> -> tensor<f32>
// CHECK: %[[V11:.*]] = tenon.reduce sum %[[V7]] dims [0, 1] : tensor<?x7xf32> -> tensor<f32>
// CHECK: %[[V12:.*]] = tenon.div %[[V10]], %[[V11]] : tensor<f32>
// CHECK: return %[[V12]], %[[V1]] : tensor<f32>, tensor<?x5x7xf32>
func.func @ignored(%x: tensor<?x5x7xf32> {tenon.name = "x", tenon.dims = ["n", "", ""]}, %t: tensor<?x7xi64> {tenon.name = "t", tenon.dims = ["n", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "SoftmaxCrossEntropyLoss" version 13 (%x, %t) {ignore_index = -1 : i64} : (tensor<?x5x7xf32>, tensor<?x7xi64>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @weights(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reshape %[[ARG1]] sizes [3, 1] : tensor<3xi64> -> tensor<3x1xi64>
// CHECK: %[[V1:.*]] = tenon.gather error %[[ARG0]], %[[V0]] dims [1] batch_dims 1 : tensor<3x5xf32>, tensor<3x1xi64> -> tensor<3xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG1]] sizes [3, 1] : tensor<3xi64> -> tensor<3x1xi64>
// CHECK: %[[V3:.*]] = tenon.gather error %[[ARG2]], %[[V2]] dims [0] batch_dims 0 : tensor<5xf32>, tensor<3x1xi64> -> tensor<3xf32>
// CHECK: %[[V4:.*]] = tenon.mul %[[V1]], %[[V3]] : tensor<3xf32>
// CHECK: %[[V5:.*]] = tenon.neg %[[V4]] : tensor<3xf32>
// CHECK: return %[[V5]] : tensor<3xf32>
func.func @weights(%x: tensor<3x5xf32>, %t: tensor<3xi64>, %w: tensor<5xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "NegativeLogLikelihoodLoss" version 13 (%x, %t, %w) {reduction = "none"} : (tensor<3x5xf32>, tensor<3xi64>, tensor<5xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
