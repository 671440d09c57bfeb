// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Scale and shift are computed on vectors, which fold where they are constant.
// CHECK-LABEL: func.func @batch(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8, 4, 4] : tensor<?x8x4x4xf32>
// CHECK: %[[V1:.*]] = tenon.constant dense<1.000000e-03> : tensor<f32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[V1]] dims [] sizes [8] : tensor<f32> -> tensor<8xf32>
// CHECK: %[[V3:.*]] = tenon.add %[[ARG1]], %[[V2]] : tensor<8xf32>
// CHECK: %[[V4:.*]] = tenon.sqrt %[[V3]] : tensor<8xf32>
// CHECK: %[[V5:.*]] = tenon.div %[[ARG1]], %[[V4]] : tensor<8xf32>
// CHECK: %[[V6:.*]] = tenon.mul %[[ARG1]], %[[V5]] : tensor<8xf32>
// CHECK: %[[V7:.*]] = tenon.sub %[[ARG1]], %[[V6]] : tensor<8xf32>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[V5]] dims [1] sizes [%[[V0]], 8, 4, 4] : tensor<8xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V9:.*]] = tenon.mul %[[ARG0]], %[[V8]] : tensor<?x8x4x4xf32>
// CHECK: %[[V10:.*]] = tenon.broadcast %[[V7]] dims [1] sizes [%[[V0]], 8, 4, 4] : tensor<8xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V11:.*]] = tenon.add %[[V9]], %[[V10]] : tensor<?x8x4x4xf32>
// CHECK: return %[[V11]] : tensor<?x8x4x4xf32>
func.func @batch(%x: tensor<?x8x4x4xf32> {tenon.name = "x", tenon.dims = ["n", "", "", ""]}, %s: tensor<8xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "BatchNormalization" version 15 (%x, %s, %s, %s, %s) {epsilon = 0.001 : f32} : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, tensor<8xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @layer(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8, 16] : tensor<?x8x16xf32>
// CHECK: %[[V1:.*]] = tenon.normalize %[[ARG0]] dims [2] epsilon 9.9999997473787516E-6 : tensor<?x8x16xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[ARG1]] dims [2] sizes [%[[V0]], 8, 16] : tensor<16xf32> -> tensor<?x8x16xf32>
// CHECK: %[[V3:.*]] = tenon.mul %[[V1]], %[[V2]] : tensor<?x8x16xf32>
// CHECK: %[[V4:.*]] = tenon.broadcast %[[ARG1]] dims [2] sizes [%[[V0]], 8, 16] : tensor<16xf32> -> tensor<?x8x16xf32>
// CHECK: %[[V5:.*]] = tenon.add %[[V3]], %[[V4]] : tensor<?x8x16xf32>
// CHECK: %[[V6:.*]] = tenon.normalize %[[ARG0]] dims [2] epsilon 9.9999997473787516E-6 {rms} : tensor<?x8x16xf32>
// CHECK: %[[V7:.*]] = tenon.broadcast %[[ARG1]] dims [2] sizes [%[[V0]], 8, 16] : tensor<16xf32> -> tensor<?x8x16xf32>
// CHECK: %[[V8:.*]] = tenon.mul %[[V6]], %[[V7]] : tensor<?x8x16xf32>
// CHECK: return %[[V5]], %[[V8]] : tensor<?x8x16xf32>, tensor<?x8x16xf32>
func.func @layer(%x: tensor<?x8x16xf32> {tenon.name = "x", tenon.dims = ["n", "", ""]}, %s: tensor<16xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:3 = tenon_onnx.node "LayerNormalization" version 17 (%x, %s, %s) {} : (tensor<?x8x16xf32>, tensor<16xf32>, tensor<16xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  %1 = tenon_onnx.node "RMSNormalization" version 23 (%x, %s) {axis = 2 : i64} : (tensor<?x8x16xf32>, tensor<16xf32>) -> !tenon_onnx.unknown
  return %0#0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @layer_statistics(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reduce mean %[[ARG0]] dims [1] : tensor<4x16xf32> -> tensor<4xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[V0]] sizes [4, 1] : tensor<4xf32> -> tensor<4x1xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[V1]] dims [0, 1] sizes [4, 16] : tensor<4x1xf32> -> tensor<4x16xf32>
// CHECK: %[[V3:.*]] = tenon.sub %[[ARG0]], %[[V2]] : tensor<4x16xf32>
// CHECK: %[[V4:.*]] = tenon.mul %[[V3]], %[[V3]] : tensor<4x16xf32>
// CHECK: %[[V5:.*]] = tenon.reduce mean %[[V4]] dims [1] : tensor<4x16xf32> -> tensor<4xf32>
// CHECK: %[[V6:.*]] = tenon.reshape %[[V5]] sizes [4, 1] : tensor<4xf32> -> tensor<4x1xf32>
// CHECK: %[[V7:.*]] = tenon.constant dense<9.99999974E-6> : tensor<f32>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[V7]] dims [] sizes [4, 1] : tensor<f32> -> tensor<4x1xf32>
// CHECK: %[[V9:.*]] = tenon.add %[[V6]], %[[V8]] : tensor<4x1xf32>
// CHECK: %[[V10:.*]] = tenon.rsqrt %[[V9]] : tensor<4x1xf32>
// CHECK: return %[[V10]] : tensor<4x1xf32>
func.func @layer_statistics(%x: tensor<4x16xf32>, %s: tensor<16xf32>) -> !tenon_onnx.unknown {
  %0:3 = tenon_onnx.node "LayerNormalization" version 17 (%x, %s) {} : (tensor<4x16xf32>, tensor<16xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#2 : !tenon_onnx.unknown
}

// -----

// Scale and bias are per group before version 21, then per channel.
// CHECK-LABEL: func.func @group(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8, 4, 4] : tensor<?x8x4x4xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], 2, 4, 4, 4] : tensor<?x8x4x4xf32> -> tensor<?x2x4x4x4xf32>
// CHECK: %[[V2:.*]] = tenon.normalize %[[V1]] dims [2, 3, 4] epsilon 9.9999997473787516E-6 : tensor<?x2x4x4x4xf32>
// CHECK: %[[V3:.*]] = tenon.broadcast %[[ARG1]] dims [1] sizes [%[[V0]], 2, 4, 4, 4] : tensor<2xf32> -> tensor<?x2x4x4x4xf32>
// CHECK: %[[V4:.*]] = tenon.mul %[[V2]], %[[V3]] : tensor<?x2x4x4x4xf32>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[ARG1]] dims [1] sizes [%[[V0]], 2, 4, 4, 4] : tensor<2xf32> -> tensor<?x2x4x4x4xf32>
// CHECK: %[[V6:.*]] = tenon.add %[[V4]], %[[V5]] : tensor<?x2x4x4x4xf32>
// CHECK: %[[V7:.*]] = tenon.reshape %[[V6]] sizes [%[[V0]], 8, 4, 4] : tensor<?x2x4x4x4xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V8:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], 2, 4, 4, 4] : tensor<?x8x4x4xf32> -> tensor<?x2x4x4x4xf32>
// CHECK: %[[V9:.*]] = tenon.normalize %[[V8]] dims [2, 3, 4] epsilon 9.9999997473787516E-6 : tensor<?x2x4x4x4xf32>
// CHECK: %[[V10:.*]] = tenon.reshape %[[V9]] sizes [%[[V0]], 8, 4, 4] : tensor<?x2x4x4x4xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V11:.*]] = tenon.broadcast %[[ARG2]] dims [1] sizes [%[[V0]], 8, 4, 4] : tensor<8xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V12:.*]] = tenon.mul %[[V10]], %[[V11]] : tensor<?x8x4x4xf32>
// CHECK: %[[V13:.*]] = tenon.broadcast %[[ARG2]] dims [1] sizes [%[[V0]], 8, 4, 4] : tensor<8xf32> -> tensor<?x8x4x4xf32>
// CHECK: %[[V14:.*]] = tenon.add %[[V12]], %[[V13]] : tensor<?x8x4x4xf32>
// CHECK: return %[[V7]], %[[V14]] : tensor<?x8x4x4xf32>, tensor<?x8x4x4xf32>
func.func @group(%x: tensor<?x8x4x4xf32> {tenon.name = "x", tenon.dims = ["n", "", "", ""]}, %g: tensor<2xf32>, %c: tensor<8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "GroupNormalization" version 18 (%x, %g, %g) {num_groups = 2 : i64} : (tensor<?x8x4x4xf32>, tensor<2xf32>, tensor<2xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "GroupNormalization" version 21 (%x, %c, %c) {num_groups = 2 : i64} : (tensor<?x8x4x4xf32>, tensor<8xf32>, tensor<8xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// All dimensions from the axis on before version 13, then one.
// CHECK-LABEL: func.func @softmax(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.softmax %[[ARG0]] dims [1, 2] : tensor<2x3x4xf32>
// CHECK: %[[V1:.*]] = tenon.softmax %[[ARG0]] dims [2] : tensor<2x3x4xf32>
// CHECK: %[[V2:.*]] = tenon.softmax %[[ARG0]] dims [0] {log} : tensor<2x3x4xf32>
// CHECK: return %[[V0]], %[[V1]], %[[V2]] : tensor<2x3x4xf32>, tensor<2x3x4xf32>, tensor<2x3x4xf32>
func.func @softmax(%x: tensor<2x3x4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Softmax" version 11 (%x) {} : (tensor<2x3x4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Softmax" version 13 (%x) {} : (tensor<2x3x4xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "LogSoftmax" version 13 (%x) {axis = 0 : i64} : (tensor<2x3x4xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @hardmax(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[MOST:.*]] = tenon.reduce max %[[ARG0]] dims [1] : tensor<2x3xf32> -> tensor<2xf32>
// CHECK: %[[IS_MOST:.*]] = tenon.compare eq %[[ARG0]], %{{.*}} : tensor<2x3xf32> -> tensor<2x3xi1>
// CHECK: %[[IS_NAN:.*]] = tenon.is_nan %[[ARG0]]
// CHECK: %[[PLACE:.*]] = tenon.iota dim 1 sizes [2, 3] : tensor<2x3xi64>
// CHECK: %[[EITHER:.*]] = tenon.or %[[IS_MOST]], %[[IS_NAN]] : tensor<2x3xi1>
// CHECK: %[[PLACES:.*]] = tenon.select %[[EITHER]], %[[PLACE]], %{{.*}} : tensor<2x3xi1>, tensor<2x3xi64>
// CHECK: tenon.reduce min %[[PLACES]] dims [1] : tensor<2x3xi64> -> tensor<2xi64>
// CHECK: tenon.compare eq %[[PLACE]], %{{.*}} : tensor<2x3xi64> -> tensor<2x3xi1>
func.func @hardmax(%x: tensor<2x3xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Hardmax" version 13 (%x) {} : (tensor<2x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
