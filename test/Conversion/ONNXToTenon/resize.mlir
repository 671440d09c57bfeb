// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Whole scales repeat places: no data is looked up.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 2)>
// CHECK-LABEL: func.func @repeat(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "h"
// CHECK: tenon.bind_shape %[[ARG0]] [1, 8, %[[V0]], 4] : tensor<1x8x?x4xf32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[ARG0]] dims [0, 1, 2, 4] sizes [1, 8, %[[V0]], 2, 4, 2] : tensor<1x8x?x4xf32> -> tensor<1x8x?x2x4x2xf32>
// CHECK: %[[V2:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V3:.*]] = tenon.reshape %[[V1]] sizes [1, 8, %[[V2]], 8] : tensor<1x8x?x2x4x2xf32> -> tensor<1x8x?x8xf32>
// CHECK: %[[V4:.*]] = tenon.broadcast %[[ARG0]] dims [0, 1, 2, 3] sizes [1, 8, %[[V0]], 4, 3] : tensor<1x8x?x4xf32> -> tensor<1x8x?x4x3xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V4]] sizes [1, 8, %[[V0]], 12] : tensor<1x8x?x4x3xf32> -> tensor<1x8x?x12xf32>
// CHECK: return %[[V3]], %[[V5]] : tensor<1x8x?x8xf32>, tensor<1x8x?x12xf32>
func.func @repeat(%x: tensor<1x8x?x4xf32> {tenon.name = "x", tenon.dims = ["", "", "h", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %s = tenon.constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32>
  %0 = tenon_onnx.node "Resize" version 11 (%x, %none, %s) {mode = "nearest", coordinate_transformation_mode = "asymmetric", nearest_mode = "floor"} : (tensor<1x8x?x4xf32>, none, tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Upsample" version 7 (%x) {scales = array<f32: 1.0, 1.0, 1.0, 3.0>} : (tensor<1x8x?x4xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @nearest(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.iota dim 0 sizes [4] : tensor<4xf32>
// CHECK: %[[V2:.*]] = tenon.add %[[V0]], %{{.*}} : tensor<4xf32>
// The product before the quotient, which is rounded.
// CHECK: %[[V1:.*]] = tenon.constant dense<6.000000e+00> : tensor<f32>
// CHECK: %[[FROM:.*]] = tenon.broadcast %[[V1]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V3:.*]] = tenon.mul %[[V2]], %[[FROM]] : tensor<4xf32>
// CHECK: %[[V4:.*]] = tenon.div %[[V3]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V5:.*]] = tenon.sub %[[V4]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V6:.*]] = tenon.sub %[[V5]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V7:.*]] = tenon.ceil %[[V6]] : tensor<4xf32>
// CHECK: %[[V8:.*]] = tenon.cast %[[V7]] : tensor<4xf32> -> tensor<4xi64>
// CHECK: %[[V9:.*]] = tenon.max %[[V8]], %{{.*}} : tensor<4xi64>
// CHECK: %[[V10:.*]] = tenon.reshape %[[V9]] sizes [4, 1] : tensor<4xi64> -> tensor<4x1xi64>
// CHECK: %[[V11:.*]] = tenon.gather clamp %[[ARG0]], %[[V10]] dims [2] batch_dims 0 : tensor<1x8x6xf32>, tensor<4x1xi64> -> tensor<4x1x8xf32>
// CHECK: %[[V12:.*]] = tenon.transpose %[[V11]] [1, 2, 0] : tensor<4x1x8xf32> -> tensor<1x8x4xf32>
// CHECK: return %[[V12]] : tensor<1x8x4xf32>
func.func @nearest(%x: tensor<1x8x6xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %s = tenon.constant dense<[1, 8, 4]> : tensor<3xi64>
  %0 = tenon_onnx.node "Resize" version 13 (%x, %none, %none, %s) {} : (tensor<1x8x6xf32>, none, none, tensor<3xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> ((s0 * 3) floordiv 2)>
// CHECK-LABEL: func.func @linear(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "w"
// CHECK: tenon.bind_shape %[[ARG0]] [2, %[[V0]]] : tensor<2x?xf32>
// CHECK: %[[V1:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V2:.*]] = tenon.iota dim 0 sizes [%[[V1]]] : tensor<?xf32>
// CHECK: %[[V3:.*]] = tenon.from_sizes [%[[V0]]] : tensor<i64>
// CHECK: %[[V4:.*]] = tenon.cast %[[V3]] : tensor<i64> -> tensor<f32>
// CHECK: %[[V5:.*]] = tenon.mul %[[V4]], %{{.*}} : tensor<f32>
// CHECK: %[[V6:.*]] = tenon.sub %[[V5]], %{{.*}} : tensor<f32>
// CHECK: %[[V7:.*]] = tenon.compare eq %[[V6]], %{{.*}} : tensor<f32> -> tensor<i1>
// CHECK: %[[V8:.*]] = tenon.select %[[V7]], %{{.*}}, %[[V6]] : tensor<i1>, tensor<f32>
// CHECK: %[[V9:.*]] = tenon.sub %[[V4]], %{{.*}} : tensor<f32>
// CHECK: %[[V10:.*]] = tenon.broadcast %[[V9]] dims [] sizes [%[[V1]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V11:.*]] = tenon.mul %[[V2]], %[[V10]] : tensor<?xf32>
// CHECK: %[[V12:.*]] = tenon.broadcast %[[V8]] dims [] sizes [%[[V1]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V13:.*]] = tenon.div %[[V11]], %[[V12]] : tensor<?xf32>
// CHECK: %[[V14:.*]] = tenon.floor %[[V13]] : tensor<?xf32>
// CHECK: %[[V15:.*]] = tenon.sub %[[V13]], %[[V14]] : tensor<?xf32>
// CHECK: %[[V16:.*]] = tenon.sub %{{.*}}, %[[V15]] : tensor<?xf32>
// CHECK: %[[V17:.*]] = tenon.from_sizes [%[[V0]]] : tensor<i64>
// CHECK: %[[V18:.*]] = tenon.cast %[[V17]] : tensor<i64> -> tensor<f32>
// CHECK: %[[V19:.*]] = tenon.sub %[[V18]], %{{.*}} : tensor<f32>
// CHECK: %[[V20:.*]] = tenon.max %[[V14]], %{{.*}} : tensor<?xf32>
// CHECK: %[[V21:.*]] = tenon.broadcast %[[V19]] dims [] sizes [%[[V1]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V22:.*]] = tenon.min %[[V20]], %[[V21]] : tensor<?xf32>
// CHECK: %[[V23:.*]] = tenon.cast %[[V22]] : tensor<?xf32> -> tensor<?xi64>
// CHECK: %[[V24:.*]] = tenon.reshape %[[V23]] sizes [%[[V1]], 1] : tensor<?xi64> -> tensor<?x1xi64>
// CHECK: %[[V25:.*]] = tenon.gather clamp %[[ARG0]], %[[V24]] dims [1] batch_dims 0 : tensor<2x?xf32>, tensor<?x1xi64> -> tensor<?x2xf32>
// CHECK: %[[V26:.*]] = tenon.transpose %[[V25]] [1, 0] : tensor<?x2xf32> -> tensor<2x?xf32>
// CHECK: %[[V27:.*]] = tenon.broadcast %[[V16]] dims [1] sizes [2, %[[V1]]] : tensor<?xf32> -> tensor<2x?xf32>
// CHECK: %[[V28:.*]] = tenon.mul %[[V26]], %[[V27]] : tensor<2x?xf32>
// CHECK: %[[V29:.*]] = tenon.add %[[V14]], %{{.*}} : tensor<?xf32>
// CHECK: %[[V30:.*]] = tenon.max %[[V29]], %{{.*}} : tensor<?xf32>
// CHECK: %[[V31:.*]] = tenon.broadcast %[[V19]] dims [] sizes [%[[V1]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V32:.*]] = tenon.min %[[V30]], %[[V31]] : tensor<?xf32>
// CHECK: %[[V33:.*]] = tenon.cast %[[V32]] : tensor<?xf32> -> tensor<?xi64>
// CHECK: %[[V34:.*]] = tenon.reshape %[[V33]] sizes [%[[V1]], 1] : tensor<?xi64> -> tensor<?x1xi64>
// CHECK: %[[V35:.*]] = tenon.gather clamp %[[ARG0]], %[[V34]] dims [1] batch_dims 0 : tensor<2x?xf32>, tensor<?x1xi64> -> tensor<?x2xf32>
// CHECK: %[[V36:.*]] = tenon.transpose %[[V35]] [1, 0] : tensor<?x2xf32> -> tensor<2x?xf32>
// CHECK: %[[V37:.*]] = tenon.broadcast %[[V15]] dims [1] sizes [2, %[[V1]]] : tensor<?xf32> -> tensor<2x?xf32>
// CHECK: %[[V38:.*]] = tenon.mul %[[V36]], %[[V37]] : tensor<2x?xf32>
// CHECK: %[[V39:.*]] = tenon.add %[[V28]], %[[V38]] : tensor<2x?xf32>
// CHECK: return %[[V39]] : tensor<2x?xf32>
func.func @linear(%x: tensor<2x?xf32> {tenon.name = "x", tenon.dims = ["", "w"]}) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %s = tenon.constant dense<1.5> : tensor<1xf32>
  %0 = tenon_onnx.node "Resize" version 18 (%x, %none, %s) {mode = "linear", axes = array<i64: 1>, coordinate_transformation_mode = "align_corners"} : (tensor<2x?xf32>, none, tensor<1xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Scales that are data: the result's sizes are computed, then read.
// CHECK-LABEL: func.func @given_scales(
// CHECK-SAME: %[[X:[^:]*]]: tensor<4x4xf32>, %[[S:[^:]*]]: tensor<2xf32>
// CHECK: %[[F:.*]] = tenon.floor %{{.*}} : tensor<f32>
// CHECK: %[[I:.*]] = tenon.cast %[[F]] : tensor<f32> -> tensor<i64>
// CHECK: tenon.item %[[I]] at 0 : tensor<i64>
// CHECK: tenon.gather clamp %[[X]]
func.func @given_scales(%x: tensor<4x4xf32>, %s: tensor<2xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "Resize" version 19 (%x, %none, %s) {mode = "nearest"} : (tensor<4x4xf32>, none, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// With antialiasing each axis is a contraction with weights, over the operand and what goes on outside of it.
// CHECK-LABEL: func.func @antialias(
// CHECK: %[[P:.*]] = tenon.pad edge %arg0
// CHECK: tenon.contract %[[P]], {{.*}} : tensor<2x24xf32>, tensor<3x24xf32> -> tensor<2x3xf32>
func.func @antialias(%x: tensor<2x8xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %s = tenon.constant dense<[2, 3]> : tensor<2xi64>
  %0 = tenon_onnx.node "Resize" version 19 (%x, %none, %none, %s) {mode = "linear", antialias = 1 : i64} : (tensor<2x8xf32>, none, none, tensor<2xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
