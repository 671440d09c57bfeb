// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// What is left over of the elements: sizes cancel, also symbolic ones.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0, s1] -> (s0 * s1)>
// CHECK-LABEL: func.func @reshape(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], %[[V1]], 768] : tensor<?x?x768xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], %[[V1]], 12, 64] : tensor<?x?x768xf32> -> tensor<?x?x12x64xf32>
// CHECK: %[[V3:.*]] = affine.apply #[[$MAP]]()[%[[V0]], %[[V1]]]
// CHECK: %[[V4:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V3]], 768] : tensor<?x?x768xf32> -> tensor<?x768xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V2]] sizes [%[[V0]], %[[V1]], 768] : tensor<?x?x12x64xf32> -> tensor<?x?x768xf32>
// CHECK: return %[[V2]], %[[V4]], %[[V5]] : tensor<?x?x12x64xf32>, tensor<?x768xf32>, tensor<?x?x768xf32>
func.func @reshape(%x: tensor<?x?x768xf32> {tenon.name = "x", tenon.dims = ["b", "s", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %s0 = tenon.constant dense<[0, 0, 12, -1]> : tensor<4xi64>
  %0 = tenon_onnx.node "Reshape" version 14 (%x, %s0) {} : (tensor<?x?x768xf32>, tensor<4xi64>) -> !tenon_onnx.unknown
  %s1 = tenon.constant dense<[-1, 768]> : tensor<2xi64>
  %1 = tenon_onnx.node "Reshape" version 14 (%x, %s1) {} : (tensor<?x?x768xf32>, tensor<2xi64>) -> !tenon_onnx.unknown
  %shape = tenon_onnx.node "Shape" version 15 (%x) {end = 2 : i64} : (tensor<?x?x768xf32>) -> !tenon_onnx.unknown
  %rest = tenon.constant dense<[-1]> : tensor<1xi64>
  %s2 = tenon_onnx.node "Concat" version 13 (%shape, %rest) {axis = 0 : i64} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Reshape" version 14 (%0, %s2) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Sizes that are read from data.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0, s1] -> (s0 * s1)>
// CHECK-LABEL: func.func @reshape_data(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.item %[[ARG1]] at 0 : tensor<2xi64>
// CHECK: %[[V1:.*]] = tenon.item %[[ARG1]] at 1 : tensor<2xi64>
// CHECK: %[[V2:.*]] = arith.cmpi eq, %[[V0]], %{{.*}} : index
// CHECK: %[[V3:.*]] = arith.select %[[V2]], %{{.*}}, %[[V0]] : index
// CHECK: %{{.*}}-1 = arith.constant -1 : index
// CHECK: %[[V4:.*]] = arith.cmpi eq, %[[V3]], %{{.*}}-1 : index
// CHECK: %[[V5:.*]] = arith.select %[[V4]], %{{.*}}, %[[V3]] : index
// CHECK: %{{.*}}-1_0 = arith.constant -1 : index
// CHECK: %[[V6:.*]] = arith.cmpi eq, %[[V1]], %{{.*}}-1_0 : index
// CHECK: %[[V7:.*]] = arith.select %[[V6]], %{{.*}}, %[[V1]] : index
// CHECK: %[[V8:.*]] = affine.apply #[[$MAP]]()[%[[V5]], %[[V7]]]
// CHECK: %[[V9:.*]] = arith.maxsi %[[V8]], %{{.*}} : index
// CHECK: %[[V10:.*]] = arith.divsi %{{.*}}, %[[V9]] : index
// CHECK: %{{.*}}-1_4 = arith.constant -1 : index
// CHECK: %[[V11:.*]] = arith.cmpi eq, %[[V3]], %{{.*}}-1_4 : index
// CHECK: %[[V12:.*]] = arith.select %[[V11]], %[[V10]], %[[V3]] : index
// CHECK: %{{.*}}-1_5 = arith.constant -1 : index
// CHECK: %[[V13:.*]] = arith.cmpi eq, %[[V1]], %{{.*}}-1_5 : index
// CHECK: %[[V14:.*]] = arith.select %[[V13]], %[[V10]], %[[V1]] : index
// CHECK: %[[V15:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V12]], %[[V14]]] : tensor<12xf32> -> tensor<?x?xf32>
// CHECK: return %[[V15]] : tensor<?x?xf32>
func.func @reshape_data(%x: tensor<12xf32>, %s: tensor<2xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Reshape" version 14 (%x, %s) {} : (tensor<12xf32>, tensor<2xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @dims(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [1, 3, %[[V0]]] : tensor<1x3x?xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [3, %[[V0]]] : tensor<1x3x?xf32> -> tensor<3x?xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[V1]] sizes [1, 3, %[[V0]], 1] : tensor<3x?xf32> -> tensor<1x3x?x1xf32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[ARG0]] sizes [3, %[[V0]]] : tensor<1x3x?xf32> -> tensor<3x?xf32>
// CHECK: %[[V4:.*]] = tenon.transpose %[[V1]] [1, 0] : tensor<3x?xf32> -> tensor<?x3xf32>
// CHECK: return %[[V2]], %[[V3]], %[[V4]] : tensor<1x3x?x1xf32>, tensor<3x?xf32>, tensor<?x3xf32>
func.func @dims(%x: tensor<1x3x?xf32> {tenon.name = "x", tenon.dims = ["", "", "n"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Squeeze" version 11 (%x) {axes = array<i64: 0>} : (tensor<1x3x?xf32>) -> !tenon_onnx.unknown
  %a = tenon.constant dense<[0, -1]> : tensor<2xi64>
  %1 = tenon_onnx.node "Unsqueeze" version 13 (%0, %a) {} : (!tenon_onnx.unknown, tensor<2xi64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Flatten" version 13 (%x) {axis = -1 : i64} : (tensor<1x3x?xf32>) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "Transpose" version 13 (%0) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1, %2, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 2)>
// CHECK-LABEL: func.func @repeat(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 3] : tensor<?x3xf32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[ARG0]] dims [1, 2] sizes [2, %[[V0]], 3] : tensor<?x3xf32> -> tensor<2x?x3xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[ARG0]] dims [1, 2] sizes [2, %[[V0]], 3] : tensor<?x3xf32> -> tensor<2x?x3xf32>
// CHECK: %[[V3:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V4:.*]] = tenon.reshape %[[V2]] sizes [%[[V3]], 3] : tensor<2x?x3xf32> -> tensor<?x3xf32>
// CHECK: return %[[V1]], %[[V4]] : tensor<2x?x3xf32>, tensor<?x3xf32>
func.func @repeat(%x: tensor<?x3xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %s = tenon.constant dense<[2, 1, 3]> : tensor<3xi64>
  %0 = tenon_onnx.node "Expand" version 13 (%x, %s) {} : (tensor<?x3xf32>, tensor<3xi64>) -> !tenon_onnx.unknown
  %r = tenon.constant dense<[2, 1]> : tensor<2xi64>
  %1 = tenon_onnx.node "Tile" version 13 (%x, %r) {} : (tensor<?x3xf32>, tensor<2xi64>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 2)>
// CHECK-LABEL: func.func @blocks(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "h"
// CHECK: tenon.bind_shape %[[ARG0]] [1, 8, %[[V0]], 3] : tensor<1x8x?x3xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [1, 2, 2, 2, %[[V0]], 3] : tensor<1x8x?x3xf32> -> tensor<1x2x2x2x?x3xf32>
// CHECK: %[[V2:.*]] = tenon.transpose %[[V1]] [0, 1, 4, 2, 5, 3] : tensor<1x2x2x2x?x3xf32> -> tensor<1x2x?x2x3x2xf32>
// CHECK: %[[V3:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V4:.*]] = tenon.reshape %[[V2]] sizes [1, 2, %[[V3]], 6] : tensor<1x2x?x2x3x2xf32> -> tensor<1x2x?x6xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V4]] sizes [1, 2, %[[V0]], 2, 3, 2] : tensor<1x2x?x6xf32> -> tensor<1x2x?x2x3x2xf32>
// CHECK: %[[V6:.*]] = tenon.transpose %[[V5]] [0, 3, 5, 1, 2, 4] : tensor<1x2x?x2x3x2xf32> -> tensor<1x2x2x2x?x3xf32>
// CHECK: %[[V7:.*]] = tenon.reshape %[[V6]] sizes [1, 8, %[[V0]], 3] : tensor<1x2x2x2x?x3xf32> -> tensor<1x8x?x3xf32>
// CHECK: return %[[V4]], %[[V7]] : tensor<1x2x?x6xf32>, tensor<1x8x?x3xf32>
func.func @blocks(%x: tensor<1x8x?x3xf32> {tenon.name = "x", tenon.dims = ["", "", "h", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "DepthToSpace" version 13 (%x) {blocksize = 2 : i64, mode = "CRD"} : (tensor<1x8x?x3xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "SpaceToDepth" version 13 (%0) {blocksize = 2 : i64} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}
