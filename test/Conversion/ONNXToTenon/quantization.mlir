// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// CHECK-LABEL: func.func @linear(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[ARG1]] dims [] sizes [%[[V0]], 4] : tensor<f32> -> tensor<?x4xf32>
// CHECK: %[[V2:.*]] = tenon.cast %[[ARG2]] : tensor<ui8> -> tensor<f32>
// CHECK: %[[V3:.*]] = tenon.broadcast %[[V2]] dims [] sizes [%[[V0]], 4] : tensor<f32> -> tensor<?x4xf32>
// CHECK: %[[V4:.*]] = tenon.div %[[ARG0]], %[[V1]] : tensor<?x4xf32>
// CHECK: %[[V5:.*]] = tenon.round %[[V4]] : tensor<?x4xf32>
// CHECK: %[[V6:.*]] = tenon.add %[[V5]], %[[V3]] : tensor<?x4xf32>
// CHECK: %[[V7:.*]] = tenon.max %[[V6]], %{{.*}} : tensor<?x4xf32>
// CHECK: %[[V8:.*]] = tenon.min %[[V7]], %{{.*}} : tensor<?x4xf32>
// CHECK: %[[V9:.*]] = tenon.cast %[[V8]] : tensor<?x4xf32> -> tensor<?x4xui8>
// CHECK: %[[V10:.*]] = tenon.cast %[[V9]] : tensor<?x4xui8> -> tensor<?x4xi32>
// CHECK: %[[V11:.*]] = tenon.broadcast %[[ARG2]] dims [] sizes [%[[V0]], 4] : tensor<ui8> -> tensor<?x4xui8>
// CHECK: %[[V12:.*]] = tenon.cast %[[V11]] : tensor<?x4xui8> -> tensor<?x4xi32>
// CHECK: %[[V13:.*]] = tenon.sub %[[V10]], %[[V12]] : tensor<?x4xi32>
// CHECK: %[[V14:.*]] = tenon.cast %[[V13]] : tensor<?x4xi32> -> tensor<?x4xf32>
// CHECK: %[[V15:.*]] = tenon.broadcast %[[ARG1]] dims [] sizes [%[[V0]], 4] : tensor<f32> -> tensor<?x4xf32>
// CHECK: %[[V16:.*]] = tenon.mul %[[V14]], %[[V15]] : tensor<?x4xf32>
// CHECK: return %[[V9]], %[[V16]] : tensor<?x4xui8>, tensor<?x4xf32>
func.func @linear(%x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %s: tensor<f32>, %z: tensor<ui8>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "QuantizeLinear" version 10 (%x, %s, %z) {} : (tensor<?x4xf32>, tensor<f32>, tensor<ui8>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "DequantizeLinear" version 10 (%0, %s, %z) {} : (!tenon_onnx.unknown, tensor<f32>, tensor<ui8>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// One scale per place of the axis, or one per block.
// CHECK-LABEL: func.func @axes(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.cast %[[ARG0]] : tensor<4x6xi8> -> tensor<4x6xf32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[ARG1]] dims [0] sizes [4, 6] : tensor<4xf32> -> tensor<4x6xf32>
// CHECK: %[[V2:.*]] = tenon.mul %[[V0]], %[[V1]] : tensor<4x6xf32>
// CHECK: %[[V3:.*]] = tenon.cast %[[ARG0]] : tensor<4x6xi8> -> tensor<4x6xf32>
// CHECK: %[[V4:.*]] = tenon.broadcast %[[ARG2]] dims [0, 1] sizes [4, 2, 3] : tensor<4x2xf32> -> tensor<4x2x3xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V4]] sizes [4, 6] : tensor<4x2x3xf32> -> tensor<4x6xf32>
// CHECK: %[[V6:.*]] = tenon.mul %[[V3]], %[[V5]] : tensor<4x6xf32>
// CHECK: return %[[V2]], %[[V6]] : tensor<4x6xf32>, tensor<4x6xf32>
func.func @axes(%x: tensor<4x6xi8>, %s: tensor<4xf32>, %b: tensor<4x2xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "DequantizeLinear" version 13 (%x, %s) {axis = 0 : i64} : (tensor<4x6xi8>, tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "DequantizeLinear" version 21 (%x, %b) {axis = 1 : i64, block_size = 3 : i64} : (tensor<4x6xi8>, tensor<4x2xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]]] : tensor<?xf32>
// CHECK: %[[V1:.*]] = tenon.reduce min %[[ARG0]] dims [0] : tensor<?xf32> -> tensor<f32>
// CHECK: %[[V2:.*]] = tenon.min %[[V1]], %{{.*}} : tensor<f32>
// CHECK: %[[V3:.*]] = tenon.reduce max %[[ARG0]] dims [0] : tensor<?xf32> -> tensor<f32>
// CHECK: %[[V4:.*]] = tenon.max %[[V3]], %{{.*}} : tensor<f32>
// CHECK: %[[V5:.*]] = tenon.sub %[[V4]], %[[V2]] : tensor<f32>
// CHECK: %[[V6:.*]] = tenon.div %[[V5]], %{{.*}} : tensor<f32>
// CHECK: %[[V7:.*]] = tenon.compare eq %[[V6]], %{{.*}} : tensor<f32> -> tensor<i1>
// CHECK: %[[V8:.*]] = tenon.select %[[V7]], %{{.*}}, %[[V6]] : tensor<i1>, tensor<f32>
// CHECK: %[[V9:.*]] = tenon.div %[[V2]], %[[V8]] : tensor<f32>
// CHECK: %[[V10:.*]] = tenon.neg %[[V9]] : tensor<f32>
// CHECK: %[[V11:.*]] = tenon.round %[[V10]] : tensor<f32>
// CHECK: %[[V12:.*]] = tenon.max %[[V11]], %{{.*}} : tensor<f32>
// CHECK: %[[V13:.*]] = tenon.min %[[V12]], %{{.*}} : tensor<f32>
// CHECK: %[[V14:.*]] = tenon.broadcast %[[V8]] dims [] sizes [%[[V0]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V15:.*]] = tenon.div %[[ARG0]], %[[V14]] : tensor<?xf32>
// CHECK: %[[V16:.*]] = tenon.round %[[V15]] : tensor<?xf32>
// CHECK: %[[V17:.*]] = tenon.broadcast %[[V13]] dims [] sizes [%[[V0]]] : tensor<f32> -> tensor<?xf32>
// CHECK: %[[V18:.*]] = tenon.add %[[V16]], %[[V17]] : tensor<?xf32>
// CHECK: %[[V19:.*]] = tenon.max %[[V18]], %{{.*}} : tensor<?xf32>
// CHECK: %[[V20:.*]] = tenon.min %[[V19]], %{{.*}} : tensor<?xf32>
// CHECK: %[[V21:.*]] = tenon.cast %[[V20]] : tensor<?xf32> -> tensor<?xui8>
// CHECK: %[[V22:.*]] = tenon.cast %[[V13]] : tensor<f32> -> tensor<ui8>
// CHECK: return %[[V21]], %[[V6]], %[[V22]] : tensor<?xui8>, tensor<f32>, tensor<ui8>
func.func @dynamic(%x: tensor<?xf32> {tenon.name = "x", tenon.dims = ["n"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:3 = tenon_onnx.node "DynamicQuantizeLinear" version 11 (%x) {} : (tensor<?xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1, %0#2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "m"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8] : tensor<?x8xui8>
// CHECK: %[[V1:.*]] = tenon.cast %[[ARG0]] : tensor<?x8xui8> -> tensor<?x8xi32>
// CHECK: %[[V2:.*]] = tenon.cast %[[ARG2]] : tensor<ui8> -> tensor<i32>
// CHECK: %[[V3:.*]] = tenon.broadcast %[[V2]] dims [] sizes [%[[V0]], 8] : tensor<i32> -> tensor<?x8xi32>
// CHECK: %[[V4:.*]] = tenon.sub %[[V1]], %[[V3]] : tensor<?x8xi32>
// CHECK: %[[V5:.*]] = tenon.cast %[[ARG1]] : tensor<8x4xi8> -> tensor<8x4xi32>
// CHECK: %[[V6:.*]] = tenon.cast %[[ARG3]] : tensor<4xi8> -> tensor<4xi32>
// CHECK: %[[V7:.*]] = tenon.broadcast %[[V6]] dims [1] sizes [8, 4] : tensor<4xi32> -> tensor<8x4xi32>
// CHECK: %[[V8:.*]] = tenon.sub %[[V5]], %[[V7]] : tensor<8x4xi32>
// CHECK: %[[V9:.*]] = tenon.contract %[[V4]], %[[V8]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<?x8xi32>, tensor<8x4xi32> -> tensor<?x4xi32>
// CHECK: return %[[V9]] : tensor<?x4xi32>
func.func @matmul(%a: tensor<?x8xui8> {tenon.name = "a", tenon.dims = ["m", ""]}, %b: tensor<8x4xi8>, %z: tensor<ui8>, %y: tensor<4xi8>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "MatMulInteger" version 10 (%a, %b, %z, %y) {} : (tensor<?x8xui8>, tensor<8x4xi8>, tensor<ui8>, tensor<4xi8>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @conv(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}} %[[ARG4:.*]]: tensor{{.*}} %[[ARG5:.*]]: tensor{{.*}} %[[ARG6:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.cast %[[ARG0]] : tensor<1x3x8x8xui8> -> tensor<1x3x8x8xi32>
// CHECK: %[[V1:.*]] = tenon.cast %[[ARG3]] : tensor<ui8> -> tensor<i32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[V1]] dims [] sizes [1, 3, 8, 8] : tensor<i32> -> tensor<1x3x8x8xi32>
// CHECK: %[[V3:.*]] = tenon.sub %[[V0]], %[[V2]] : tensor<1x3x8x8xi32>
// CHECK: %[[V4:.*]] = tenon.cast %[[ARG1]] : tensor<4x3x3x3xi8> -> tensor<4x3x3x3xi32>
// CHECK: %[[V5:.*]] = tenon.cast %[[ARG5]] : tensor<4xi8> -> tensor<4xi32>
// CHECK: %[[V6:.*]] = tenon.broadcast %[[V5]] dims [0] sizes [4, 3, 3, 3] : tensor<4xi32> -> tensor<4x3x3x3xi32>
// CHECK: %[[V7:.*]] = tenon.sub %[[V4]], %[[V6]] : tensor<4x3x3x3xi32>
// CHECK: %[[V8:.*]] = tenon.conv %[[V3]], %[[V7]] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x3x8x8xi32>, tensor<4x3x3x3xi32> -> tensor<1x4x6x6xi32>
// CHECK: %[[V9:.*]] = tenon.broadcast %[[ARG6]] dims [1] sizes [1, 4, 6, 6] : tensor<4xi32> -> tensor<1x4x6x6xi32>
// CHECK: %[[V10:.*]] = tenon.add %[[V8]], %[[V9]] : tensor<1x4x6x6xi32>
// CHECK: %[[V11:.*]] = tenon.broadcast %[[ARG2]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V12:.*]] = tenon.broadcast %[[ARG2]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V13:.*]] = tenon.mul %[[V11]], %[[ARG4]] : tensor<4xf32>
// CHECK: %[[V14:.*]] = tenon.div %[[V13]], %[[V12]] : tensor<4xf32>
// CHECK: %[[V15:.*]] = tenon.cast %[[V10]] : tensor<1x4x6x6xi32> -> tensor<1x4x6x6xf32>
// CHECK: %[[V16:.*]] = tenon.broadcast %[[V14]] dims [1] sizes [1, 4, 6, 6] : tensor<4xf32> -> tensor<1x4x6x6xf32>
// CHECK: %[[V17:.*]] = tenon.mul %[[V15]], %[[V16]] : tensor<1x4x6x6xf32>
// CHECK: %[[V18:.*]] = tenon.cast %[[ARG3]] : tensor<ui8> -> tensor<f32>
// CHECK: %[[V19:.*]] = tenon.broadcast %[[V18]] dims [] sizes [1, 4, 6, 6] : tensor<f32> -> tensor<1x4x6x6xf32>
// CHECK: %[[V20:.*]] = tenon.round %[[V17]] : tensor<1x4x6x6xf32>
// CHECK: %[[V21:.*]] = tenon.add %[[V20]], %[[V19]] : tensor<1x4x6x6xf32>
// CHECK: %[[V22:.*]] = tenon.max %[[V21]], %{{.*}} : tensor<1x4x6x6xf32>
// CHECK: %[[V23:.*]] = tenon.min %[[V22]], %{{.*}} : tensor<1x4x6x6xf32>
// CHECK: %[[V24:.*]] = tenon.cast %[[V23]] : tensor<1x4x6x6xf32> -> tensor<1x4x6x6xui8>
// CHECK: return %[[V24]] : tensor<1x4x6x6xui8>
func.func @conv(%x: tensor<1x3x8x8xui8>, %w: tensor<4x3x3x3xi8>, %s: tensor<f32>, %z: tensor<ui8>, %ws: tensor<4xf32>, %wz: tensor<4xi8>, %b: tensor<4xi32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "QLinearConv" version 10 (%x, %s, %z, %w, %ws, %wz, %s, %z, %b) {} : (tensor<1x3x8x8xui8>, tensor<f32>, tensor<ui8>, tensor<4x3x3x3xi8>, tensor<4xf32>, tensor<4xi8>, tensor<f32>, tensor<ui8>, tensor<4xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
