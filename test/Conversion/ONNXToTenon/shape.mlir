// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Arithmetic on shapes leaves sizes, and nothing else.
// CHECK-LABEL: func.func @arithmetic(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], %[[V1]], 768] : tensor<?x?x768xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], %[[V1]], 12, 64] : tensor<?x?x768xf32> -> tensor<?x?x12x64xf32>
// CHECK: return %[[V2]] : tensor<?x?x12x64xf32>
func.func @arithmetic(%x: tensor<?x?x768xf32> {tenon.name = "x", tenon.dims = ["b", "s", ""]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 13 (%x) {} : (tensor<?x?x768xf32>) -> !tenon_onnx.unknown
  %i = tenon.constant dense<2> : tensor<i64>
  %n = tenon_onnx.node "Gather" version 13 (%s, %i) {} : (!tenon_onnx.unknown, tensor<i64>) -> !tenon_onnx.unknown
  %h = tenon.constant dense<12> : tensor<i64>
  %d = tenon_onnx.node "Div" version 13 (%n, %h) {} : (!tenon_onnx.unknown, tensor<i64>) -> !tenon_onnx.unknown
  %zero = tenon.constant dense<0> : tensor<i64>
  %b = tenon_onnx.node "Gather" version 13 (%s, %zero) {} : (!tenon_onnx.unknown, tensor<i64>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<i64>
  %t = tenon_onnx.node "Gather" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<i64>) -> !tenon_onnx.unknown
  %a = tenon.constant dense<0> : tensor<1xi64>
  %ub = tenon_onnx.node "Unsqueeze" version 13 (%b, %a) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %ut = tenon_onnx.node "Unsqueeze" version 13 (%t, %a) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %uh = tenon_onnx.node "Unsqueeze" version 13 (%h, %a) {} : (tensor<i64>, tensor<1xi64>) -> !tenon_onnx.unknown
  %ud = tenon_onnx.node "Unsqueeze" version 13 (%d, %a) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %c = tenon_onnx.node "Concat" version 13 (%ub, %ut, %uh, %ud) {axis = 0 : i64} : (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %y = tenon_onnx.node "Reshape" version 13 (%x, %c) {} : (tensor<?x?x768xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %y : !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 3)>
// CHECK-LABEL: func.func @sizes(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 3] : tensor<?x3xf32>
// CHECK: %[[V1:.*]] = tenon.from_sizes [%[[V0]], 3] : tensor<2xi64>
// CHECK: %[[V2:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V3:.*]] = tenon.from_sizes [%[[V2]]] : tensor<i64>
// CHECK: %[[V4:.*]] = tenon.constant dense<7> : tensor<i32>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[V4]] dims [] sizes [%[[V0]], 3] : tensor<i32> -> tensor<?x3xi32>
// CHECK: return %[[V1]], %[[V3]], %[[V5]] : tensor<2xi64>, tensor<i64>, tensor<?x3xi32>
func.func @sizes(%x: tensor<?x3xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Shape" version 13 (%x) {} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Size" version 13 (%x) {} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "ConstantOfShape" version 9 (%0) {value = dense<7> : tensor<1xi32>} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @constants
// CHECK: %[[V0:.*]] = tenon.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: %[[V1:.*]] = tenon.constant dense<3> : tensor<i64>
// CHECK: %[[V2:.*]] = tenon.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: return %[[V0]], %[[V1]], %[[V2]] : tensor<2xf32>, tensor<i64>, tensor<2xf32>
func.func @constants() -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Constant" version 13 () {value = dense<[1.0, 2.0]> : tensor<2xf32>} : () -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Constant" version 13 () {value_int = 3 : i64} : () -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Constant" version 13 () {value_floats = array<f32: 1.0, 2.0>} : () -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 3)>
// CHECK: #[[$MAP1:.*]] = affine_map<()[s0] -> ((s0 - 2) ceildiv 2)>
// CHECK-LABEL: func.func @range(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 3] : tensor<?x3xf32>
// CHECK: %[[V1:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V2:.*]] = tenon.iota dim 0 sizes [%[[V1]]] : tensor<?xi64>
// CHECK: %[[V3:.*]] = tenon.item %[[ARG1]] at 0 : tensor<i64>
// CHECK: %[[V4:.*]] = affine.apply #[[$MAP1]]()[%[[V3]]]
// CHECK: %[[V5:.*]] = arith.maxsi %[[V4]], %{{.*}} : index
// CHECK: %[[V6:.*]] = tenon.iota dim 0 sizes [%[[V5]]] : tensor<?xi64>
// CHECK: %[[V7:.*]] = tenon.mul %[[V6]], %{{.*}} : tensor<?xi64>
// CHECK: %[[V8:.*]] = tenon.add %[[V7]], %{{.*}} : tensor<?xi64>
// CHECK: %[[V9:.*]] = tenon.iota dim 0 sizes [4] : tensor<4xf32>
// CHECK: %[[V10:.*]] = tenon.mul %[[V9]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V11:.*]] = tenon.add %[[V10]], %{{.*}} : tensor<4xf32>
// CHECK: return %[[V2]], %[[V8]], %[[V11]] : tensor<?xi64>, tensor<?xi64>, tensor<4xf32>
func.func @range(%x: tensor<?x3xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %limit: tensor<i64>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Size" version 13 (%x) {} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  %zero = tenon.constant dense<0> : tensor<i64>
  %two = tenon.constant dense<2> : tensor<i64>
  %one = tenon.constant dense<1> : tensor<i64>
  %1 = tenon_onnx.node "Range" version 11 (%zero, %0, %one) {} : (tensor<i64>, !tenon_onnx.unknown, tensor<i64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Range" version 11 (%two, %limit, %two) {} : (tensor<i64>, tensor<i64>, tensor<i64>) -> !tenon_onnx.unknown
  %a = tenon.constant dense<1.0> : tensor<f32>
  %b = tenon.constant dense<0.0> : tensor<f32>
  %c = tenon.constant dense<-0.25> : tensor<f32>
  %3 = tenon_onnx.node "Range" version 11 (%a, %b, %c) {} : (tensor<f32>, tensor<f32>, tensor<f32>) -> !tenon_onnx.unknown
  return %1, %2, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @window
// CHECK: %[[V0:.*]] = tenon.from_sizes [10] : tensor<i64>
// CHECK: %[[V1:.*]] = tenon.cast %[[V0]] : tensor<i64> -> tensor<f32>
// CHECK: %[[V2:.*]] = tenon.sub %[[V1]], %{{.*}} : tensor<f32>
// CHECK: %[[V3:.*]] = tenon.iota dim 0 sizes [10] : tensor<10xf32>
// CHECK: %[[V4:.*]] = tenon.mul %[[V3]], %{{.*}} : tensor<10xf32>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[V2]] dims [] sizes [10] : tensor<f32> -> tensor<10xf32>
// CHECK: %[[V6:.*]] = tenon.div %[[V4]], %[[V5]] : tensor<10xf32>
// CHECK: %[[V7:.*]] = tenon.cos %[[V6]] : tensor<10xf32>
// CHECK: %[[V8:.*]] = tenon.mul %[[V7]], %{{.*}} : tensor<10xf32>
// CHECK: %[[V9:.*]] = tenon.add %[[V8]], %{{.*}} : tensor<10xf32>
// CHECK: return %[[V9]] : tensor<10xf32>
func.func @window() -> !tenon_onnx.unknown {
  %n = tenon.constant dense<10> : tensor<i64>
  %0 = tenon_onnx.node "HannWindow" version 17 (%n) {periodic = 0 : i64} : (tensor<i64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @casts(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 3] : tensor<?x3xf32>
// CHECK: %[[V1:.*]] = tenon.cast %[[ARG0]] {saturate} : tensor<?x3xf32> -> tensor<?x3xf8E4M3FN>
// CHECK: %[[V2:.*]] = tenon.cast %[[ARG0]] : tensor<?x3xf32> -> tensor<?x3xui8>
// CHECK: return %[[V1]], %[[V2]], %[[ARG0]] : tensor<?x3xf8E4M3FN>, tensor<?x3xui8>, tensor<?x3xf32>
func.func @casts(%x: tensor<?x3xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %y: tensor<1xui8>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Cast" version 19 (%x) {to = 17 : i64} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "CastLike" version 15 (%x, %y) {} : (tensor<?x3xf32>, tensor<1xui8>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Cast" version 13 (%x) {to = 1 : i64} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @triangle(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "m"
// CHECK: tenon.bind_shape %[[ARG0]] [2, %[[V0]], 4] : tensor<2x?x4xf32>
// CHECK: %[[V1:.*]] = tenon.constant dense<1> : tensor<i64>
// CHECK: %[[V2:.*]] = tenon.iota dim 0 sizes [%[[V0]], 4] : tensor<?x4xi64>
// CHECK: %[[V3:.*]] = tenon.iota dim 1 sizes [%[[V0]], 4] : tensor<?x4xi64>
// CHECK: %[[V4:.*]] = tenon.broadcast %[[V1]] dims [] sizes [%[[V0]], 4] : tensor<i64> -> tensor<?x4xi64>
// CHECK: %[[V5:.*]] = tenon.add %[[V2]], %[[V4]] : tensor<?x4xi64>
// CHECK: %[[V6:.*]] = tenon.compare le %[[V3]], %[[V5]] : tensor<?x4xi64> -> tensor<?x4xi1>
// CHECK: %[[V7:.*]] = tenon.broadcast %[[V6]] dims [1, 2] sizes [2, %[[V0]], 4] : tensor<?x4xi1> -> tensor<2x?x4xi1>
// CHECK: %[[V8:.*]] = tenon.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[V9:.*]] = tenon.broadcast %[[V8]] dims [] sizes [2, %[[V0]], 4] : tensor<f32> -> tensor<2x?x4xf32>
// CHECK: %[[V10:.*]] = tenon.select %[[V7]], %[[ARG0]], %[[V9]] : tensor<2x?x4xi1>, tensor<2x?x4xf32>
// CHECK: return %[[V10]] : tensor<2x?x4xf32>
func.func @triangle(%x: tensor<2x?x4xf32> {tenon.name = "x", tenon.dims = ["", "m", ""]}) -> !tenon_onnx.unknown {
  %k = tenon.constant dense<1> : tensor<i64>
  %0 = tenon_onnx.node "Trilu" version 14 (%x, %k) {upper = 0 : i64} : (tensor<2x?x4xf32>, tensor<i64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @dropout(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.constant dense<true> : tensor<i1>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[V0]] dims [] sizes [4] : tensor<i1> -> tensor<4xi1>
// CHECK: return %[[ARG0]], %[[V1]] : tensor<4xf32>, tensor<4xi1>
func.func @dropout(%x: tensor<4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "Dropout" version 13 (%x) {} : (tensor<4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}
