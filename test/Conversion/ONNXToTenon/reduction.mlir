// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Axes are an attribute or an operand.
// CHECK-LABEL: func.func @axes(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4, 5] : tensor<?x4x5xf32>
// CHECK: %[[V1:.*]] = tenon.reduce mean %[[ARG0]] dims [1, 2] : tensor<?x4x5xf32> -> tensor<?xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[V1]] sizes [%[[V0]], 1, 1] : tensor<?xf32> -> tensor<?x1x1xf32>
// CHECK: %[[V3:.*]] = tenon.reduce sum %[[ARG0]] dims [1] : tensor<?x4x5xf32> -> tensor<?x5xf32>
// CHECK: %[[V4:.*]] = tenon.reduce max %[[ARG0]] dims [0, 1, 2] : tensor<?x4x5xf32> -> tensor<f32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V4]] sizes [1, 1, 1] : tensor<f32> -> tensor<1x1x1xf32>
// CHECK: return %[[V2]], %[[V3]], %[[V5]] : tensor<?x1x1xf32>, tensor<?x5xf32>, tensor<1x1x1xf32>
func.func @axes(%x: tensor<?x4x5xf32> {tenon.name = "x", tenon.dims = ["n", "", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "ReduceMean" version 13 (%x) {axes = array<i64: -1, 1>} : (tensor<?x4x5xf32>) -> !tenon_onnx.unknown
  %a = tenon.constant dense<1> : tensor<1xi64>
  %1 = tenon_onnx.node "ReduceSum" version 13 (%x, %a) {keepdims = 0 : i64} : (tensor<?x4x5xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "ReduceMax" version 18 (%x) {} : (tensor<?x4x5xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @noop(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.mul %[[ARG0]], %[[ARG0]] : tensor<4xf32>
// CHECK: %[[V1:.*]] = tenon.reduce prod %[[ARG1]] dims [0] : tensor<4xi1> -> tensor<i1>
// CHECK: return %[[V0]], %[[V1]] : tensor<4xf32>, tensor<i1>
func.func @noop(%x: tensor<4xf32>, %c: tensor<4xi1>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "ReduceSumSquare" version 18 (%x) {noop_with_empty_axes = 1 : i64} : (tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "ReduceMin" version 20 (%c) {keepdims = 0 : i64} : (tensor<4xi1>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @log_sum_exp(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reduce max %[[ARG0]] dims [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[V0]] sizes [2, 1] : tensor<2xf32> -> tensor<2x1xf32>
// CHECK: %[[V2:.*]] = tenon.abs %[[V1]] : tensor<2x1xf32>
// CHECK: %[[V3:.*]] = tenon.compare eq %[[V2]], %{{.*}} : tensor<2x1xf32> -> tensor<2x1xi1>
// CHECK: %[[V4:.*]] = tenon.select %[[V3]], %{{.*}}, %[[V1]] : tensor<2x1xi1>, tensor<2x1xf32>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[V4]] dims [0, 1] sizes [2, 4] : tensor<2x1xf32> -> tensor<2x4xf32>
// CHECK: %[[V6:.*]] = tenon.sub %[[ARG0]], %[[V5]] : tensor<2x4xf32>
// CHECK: %[[V7:.*]] = tenon.exp %[[V6]] : tensor<2x4xf32>
// CHECK: %[[V8:.*]] = tenon.reduce sum %[[V7]] dims [1] : tensor<2x4xf32> -> tensor<2xf32>
// CHECK: %[[V9:.*]] = tenon.reshape %[[V4]] sizes [2] : tensor<2x1xf32> -> tensor<2xf32>
// CHECK: %[[V10:.*]] = tenon.log %[[V8]] : tensor<2xf32>
// CHECK: %[[V11:.*]] = tenon.add %[[V10]], %[[V9]] : tensor<2xf32>
// CHECK: return %[[V11]] : tensor<2xf32>
func.func @log_sum_exp(%x: tensor<2x4xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ReduceLogSumExp" version 13 (%x) {axes = array<i64: 1>, keepdims = 0 : i64} : (tensor<2x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @arg(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]] = tenon.arg_reduce max %[[ARG0]] dim 1 {last} : tensor<?x4xf32> -> tensor<?xi64>
// CHECK: %[[V2:.*]] = tenon.reshape %[[V1]] sizes [%[[V0]], 1] : tensor<?xi64> -> tensor<?x1xi64>
// CHECK: %[[V3:.*]] = tenon.arg_reduce min %[[ARG0]] dim 1 : tensor<?x4xf32> -> tensor<?xi64>
// CHECK: return %[[V2]], %[[V3]] : tensor<?x1xi64>, tensor<?xi64>
func.func @arg(%x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "ArgMax" version 13 (%x) {axis = 1 : i64, select_last_index = 1 : i64} : (tensor<?x4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "ArgMin" version 11 (%x) {axis = -1 : i64, keepdims = 0 : i64} : (tensor<?x4xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @pools(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8, 112, 112] : tensor<?x8x112x112xf32>
// CHECK: %[[V1:.*]] = tenon.window max %[[ARG0]] sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {ceil} : tensor<?x8x112x112xf32> -> tensor<?x8x57x57xf32>
// CHECK: %[[V2:.*]] = tenon.window mean %[[ARG0]] sizes [2, 2] strides [1, 1] dilations [1, 1] pads [1, 1, 0, 0] {count_pads} : tensor<?x8x112x112xf32> -> tensor<?x8x112x112xf32>
// CHECK: %[[V3:.*]] = tenon.reduce mean %[[ARG0]] dims [2, 3] : tensor<?x8x112x112xf32> -> tensor<?x8xf32>
// CHECK: %[[V4:.*]] = tenon.reshape %[[V3]] sizes [%[[V0]], 8, 1, 1] : tensor<?x8xf32> -> tensor<?x8x1x1xf32>
// CHECK: return %[[V1]], %[[V2]], %[[V4]] : tensor<?x8x57x57xf32>, tensor<?x8x112x112xf32>, tensor<?x8x1x1xf32>
func.func @pools(%x: tensor<?x8x112x112xf32> {tenon.name = "x", tenon.dims = ["n", "", "", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "MaxPool" version 12 (%x) {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, ceil_mode = 1 : i64} : (tensor<?x8x112x112xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "AveragePool" version 7 (%x) {kernel_shape = array<i64: 2, 2>, auto_pad = "SAME_LOWER", count_include_pad = 1 : i64} : (tensor<?x8x112x112xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "GlobalAveragePool" version 1 (%x) {} : (tensor<?x8x112x112xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @cumulate(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]] = tenon.scan sum %[[ARG0]] dim 1 {exclusive} : tensor<?x4xf32>
// CHECK: return %[[V1]] : tensor<?x4xf32>
func.func @cumulate(%x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> !tenon_onnx.unknown {
  %a = tenon.constant dense<-1> : tensor<i64>
  %0 = tenon_onnx.node "CumSum" version 14 (%x, %a) {exclusive = 1 : i64} : (tensor<?x4xf32>, tensor<i64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// An axis that is data: of three dimensions the middle one.
// CHECK-LABEL: func.func @given(
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3x4xf32>, %[[A:[^:]*]]: tensor<1xi64>
// CHECK: %[[I:.*]] = tenon.item %[[A]] at 0
// CHECK: cf.assert %{{.*}}, "the axes aren't as many different dimensions of the operand"
// CHECK: %[[V:.*]] = tenon.reshape %[[X]] sizes [%{{.*}}, %{{.*}}, %{{.*}}] : tensor<2x3x4xf32> -> tensor<?x?x?xf32>
// CHECK: %[[S:.*]] = tenon.reduce max %[[V]] dims [1] : tensor<?x?x?xf32> -> tensor<?x?xf32>
// CHECK: tenon.reshape %[[S]] sizes [%{{.*}}, %{{.*}}] : tensor<?x?xf32> -> tensor<?x?xf32>
func.func @given(%x: tensor<2x3x4xf32>, %a: tensor<1xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ReduceMax" version 18 (%x, %a) {keepdims = 0 : i64} : (tensor<2x3x4xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Of no axes nothing is read.
// CHECK-LABEL: func.func @given_none(
// CHECK-NOT: tenon.item
// CHECK: tenon.reduce sum %{{.*}} dims [0, 1]
func.func @given_none(%x: tensor<2x3xf32>, %a: tensor<0xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x, %a) {} : (tensor<2x3xf32>, tensor<0xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
