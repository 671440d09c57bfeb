// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// A known place is a slice; others come in the axis' place.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 - 1)>
// CHECK-LABEL: func.func @gather(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [30, %[[V0]], 8] : tensor<30x?x8xf32>
// CHECK: %[[V1:.*]] = tenon.symbol "k"
// CHECK: tenon.bind_shape %[[ARG1]] [2, %[[V1]]] : tensor<2x?xi64>
// CHECK: %[[V2:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V3:.*]] = tenon.slice %[[ARG0]] offsets [0, %[[V2]], 0] sizes [30, 1, 8] strides [1, 1, 1] : tensor<30x?x8xf32> -> tensor<30x1x8xf32>
// CHECK: %[[V4:.*]] = tenon.reshape %[[V3]] sizes [30, 8] : tensor<30x1x8xf32> -> tensor<30x8xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[ARG1]] sizes [2, %[[V1]], 1] : tensor<2x?xi64> -> tensor<2x?x1xi64>
// CHECK: %[[V6:.*]] = tenon.gather error %[[ARG0]], %[[V5]] dims [0] batch_dims 0 : tensor<30x?x8xf32>, tensor<2x?x1xi64> -> tensor<2x?x?x8xf32>
// CHECK: %[[V7:.*]] = tenon.reshape %[[ARG1]] sizes [2, %[[V1]], 1] : tensor<2x?xi64> -> tensor<2x?x1xi64>
// CHECK: %[[V8:.*]] = tenon.gather error %[[ARG0]], %[[V7]] dims [1] batch_dims 0 : tensor<30x?x8xf32>, tensor<2x?x1xi64> -> tensor<2x?x30x8xf32>
// CHECK: %[[V9:.*]] = tenon.transpose %[[V8]] [2, 0, 1, 3] : tensor<2x?x30x8xf32> -> tensor<30x2x?x8xf32>
// CHECK: return %[[V4]], %[[V6]], %[[V9]] : tensor<30x8xf32>, tensor<2x?x?x8xf32>, tensor<30x2x?x8xf32>
func.func @gather(%x: tensor<30x?x8xf32> {tenon.name = "x", tenon.dims = ["", "s", ""]}, %i: tensor<2x?xi64> {tenon.name = "i", tenon.dims = ["", "k"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %last = tenon.constant dense<-1> : tensor<i64>
  %0 = tenon_onnx.node "Gather" version 13 (%x, %last) {axis = 1 : i64} : (tensor<30x?x8xf32>, tensor<i64>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Gather" version 13 (%x, %i) {} : (tensor<30x?x8xf32>, tensor<2x?xi64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Gather" version 13 (%x, %i) {axis = 1 : i64} : (tensor<30x?x8xf32>, tensor<2x?xi64>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @gather_nd(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.gather error %[[ARG0]], %[[ARG1]] dims [1] batch_dims 1 : tensor<2x3x4xf32>, tensor<2x5x1xi64> -> tensor<2x5x4xf32>
// CHECK: return %[[V0]] : tensor<2x5x4xf32>
func.func @gather_nd(%x: tensor<2x3x4xf32>, %i: tensor<2x5x1xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "GatherND" version 13 (%x, %i) {batch_dims = 1 : i64} : (tensor<2x3x4xf32>, tensor<2x5x1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Dimensions of equal sizes run together, others need full positions.
// CHECK-LABEL: func.func @elements(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}} %[[ARG4:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reshape %[[ARG1]] sizes [3, 2, 1] : tensor<3x2xi64> -> tensor<3x2x1xi64>
// CHECK: %[[V1:.*]] = tenon.gather error %[[ARG0]], %[[V0]] dims [1] batch_dims 1 : tensor<3x4xf32>, tensor<3x2x1xi64> -> tensor<3x2xf32>
// CHECK: %[[V2:.*]] = tenon.transpose %[[ARG0]] [1, 0] : tensor<3x4xf32> -> tensor<4x3xf32>
// CHECK: %[[V3:.*]] = tenon.transpose %[[ARG2]] [1, 0] : tensor<2x4xi64> -> tensor<4x2xi64>
// CHECK: %[[V4:.*]] = tenon.reshape %[[V3]] sizes [4, 2, 1] : tensor<4x2xi64> -> tensor<4x2x1xi64>
// CHECK: %[[V5:.*]] = tenon.gather error %[[V2]], %[[V4]] dims [1] batch_dims 1 : tensor<4x3xf32>, tensor<4x2x1xi64> -> tensor<4x2xf32>
// CHECK: %[[V6:.*]] = tenon.transpose %[[V5]] [1, 0] : tensor<4x2xf32> -> tensor<2x4xf32>
// CHECK: %[[V7:.*]] = tenon.iota dim 0 sizes [2, 2] : tensor<2x2xi64>
// CHECK: %[[V8:.*]] = tenon.reshape %[[V7]] sizes [2, 2, 1] : tensor<2x2xi64> -> tensor<2x2x1xi64>
// CHECK: %[[V9:.*]] = tenon.reshape %[[ARG3]] sizes [2, 2, 1] : tensor<2x2xi64> -> tensor<2x2x1xi64>
// CHECK: %[[V10:.*]] = tenon.concat %[[V8]], %[[V9]] dim 2 : tensor<2x2x1xi64>, tensor<2x2x1xi64> -> tensor<2x2x2xi64>
// CHECK: %[[V11:.*]] = tenon.scatter error sum %[[ARG0]], %[[V10]], %[[ARG4]] dims [0, 1] batch_dims 0 : tensor<3x4xf32>, tensor<2x2x2xi64>, tensor<2x2xf32>
// CHECK: return %[[V1]], %[[V6]], %[[V11]] : tensor<3x2xf32>, tensor<2x4xf32>, tensor<3x4xf32>
func.func @elements(%x: tensor<3x4xf32>, %i: tensor<3x2xi64>, %j: tensor<2x4xi64>, %k: tensor<2x2xi64>, %u: tensor<2x2xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "GatherElements" version 13 (%x, %i) {axis = 1 : i64} : (tensor<3x4xf32>, tensor<3x2xi64>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "GatherElements" version 13 (%x, %j) {axis = 0 : i64} : (tensor<3x4xf32>, tensor<2x4xi64>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "ScatterElements" version 16 (%x, %k, %u) {axis = 1 : i64, reduction = "add"} : (tensor<3x4xf32>, tensor<2x2xi64>, tensor<2x2xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @scatter_nd(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "k"
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 1] : tensor<?x1xi64>
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]] = tenon.scatter error %[[ARG0]], %[[ARG1]], %[[ARG2]] dims [0] batch_dims 0 : tensor<3x4xf32>, tensor<?x1xi64>, tensor<?x4xf32>
// CHECK: return %[[V1]] : tensor<3x4xf32>
func.func @scatter_nd(%x: tensor<3x4xf32>, %i: tensor<?x1xi64> {tenon.name = "i", tenon.dims = ["k", ""]}, %u: tensor<?x4xf32> {tenon.name = "u", tenon.dims = ["k", ""]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ScatterND" version 18 (%x, %i, %u) {} : (tensor<3x4xf32>, tensor<?x1xi64>, tensor<?x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Sizes that depend on data.
// CHECK-LABEL: func.func @data(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.nonzero %[[ARG0]] : tensor<3x4xf32> -> tensor<2x?xi64>
// CHECK: %[[V1:.*]] = tenon.nonzero %[[ARG1]] : tensor<3xi1> -> tensor<1x?xi64>
// CHECK: %[[V2:.*]] = tenon.size %[[V1]] dim 1 : tensor<1x?xi64>
// CHECK: %[[V3:.*]] = tenon.reshape %[[V1]] sizes [%[[V2]]] : tensor<1x?xi64> -> tensor<?xi64>
// CHECK: %[[V4:.*]] = tenon.reshape %[[V3]] sizes [%[[V2]], 1] : tensor<?xi64> -> tensor<?x1xi64>
// CHECK: %[[V5:.*]] = tenon.gather error %[[ARG0]], %[[V4]] dims [0] batch_dims 0 : tensor<3x4xf32>, tensor<?x1xi64> -> tensor<?x4xf32>
// CHECK: return %[[V0]], %[[V5]] : tensor<2x?xi64>, tensor<?x4xf32>
func.func @data(%x: tensor<3x4xf32>, %c: tensor<3xi1>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "NonZero" version 13 (%x) {} : (tensor<3x4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Compress" version 11 (%x, %c) {axis = 0 : i64} : (tensor<3x4xf32>, tensor<3xi1>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @tensor_scatter(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4, 64, 8] : tensor<?x4x64x8xf32>
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 4, %[[V1]], 8] : tensor<?x4x?x8xf32>
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]]] : tensor<?xi64>
// CHECK: %[[V2:.*]] = tenon.transpose %[[ARG0]] [0, 2, 1, 3] : tensor<?x4x64x8xf32> -> tensor<?x64x4x8xf32>
// CHECK: %[[V3:.*]] = tenon.transpose %[[ARG1]] [0, 2, 1, 3] : tensor<?x4x?x8xf32> -> tensor<?x?x4x8xf32>
// CHECK: %[[V4:.*]] = tenon.iota dim 1 sizes [%[[V0]], %[[V1]]] : tensor<?x?xi64>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[ARG2]] dims [0] sizes [%[[V0]], %[[V1]]] : tensor<?xi64> -> tensor<?x?xi64>
// CHECK: %[[V6:.*]] = tenon.add %[[V4]], %[[V5]] : tensor<?x?xi64>
// CHECK: %[[V7:.*]] = tenon.from_sizes [64] : tensor<i64>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[V7]] dims [] sizes [%[[V0]], %[[V1]]] : tensor<i64> -> tensor<?x?xi64>
// CHECK: %[[V9:.*]] = tenon.mod %[[V6]], %[[V8]] : tensor<?x?xi64>
// CHECK: %[[V10:.*]] = tenon.reshape %[[V9]] sizes [%[[V0]], %[[V1]], 1] : tensor<?x?xi64> -> tensor<?x?x1xi64>
// CHECK: %[[V11:.*]] = tenon.scatter error %[[V2]], %[[V10]], %[[V3]] dims [1] batch_dims 1 : tensor<?x64x4x8xf32>, tensor<?x?x1xi64>, tensor<?x?x4x8xf32>
// CHECK: %[[V12:.*]] = tenon.transpose %[[V11]] [0, 2, 1, 3] : tensor<?x64x4x8xf32> -> tensor<?x4x64x8xf32>
// CHECK: return %[[V12]] : tensor<?x4x64x8xf32>
func.func @tensor_scatter(%c: tensor<?x4x64x8xf32> {tenon.name = "c", tenon.dims = ["b", "", "", ""]}, %u: tensor<?x4x?x8xf32> {tenon.name = "u", tenon.dims = ["b", "", "s", ""]}, %w: tensor<?xi64> {tenon.name = "w", tenon.dims = ["b"]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "TensorScatter" version 24 (%c, %u, %w) {mode = "circular"} : (tensor<?x4x64x8xf32>, tensor<?x4x?x8xf32>, tensor<?xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @topk(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8] : tensor<?x8xf32>
// CHECK: %[[K:.*]] = tenon.reshape %[[ARG1]] sizes [] : tensor<1xi64> -> tensor<i64>
// CHECK: %[[V1:.*]] = tenon.item %[[K]] at 0 : tensor<i64>
// CHECK: %[[V2:.*]], %[[V3:.*]] = tenon.topk %[[ARG0]] dim 1 k [%[[V1]]] {smallest} : tensor<?x8xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
// CHECK: %[[V4:.*]], %[[V5:.*]] = tenon.topk %[[ARG0]] dim 1 k [3] : tensor<?x8xf32> -> tensor<?x3xf32>, tensor<?x3xi64>
// CHECK: return %[[V3]], %[[V4]] : tensor<?x?xi64>, tensor<?x3xf32>
func.func @topk(%x: tensor<?x8xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %k: tensor<1xi64>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "TopK" version 11 (%x, %k) {largest = 0 : i64} : (tensor<?x8xf32>, tensor<1xi64>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  %1:2 = tenon_onnx.node "TopK" version 1 (%x) {k = 3 : i64} : (tensor<?x8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#1, %1#0 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @one_hot(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]]] : tensor<?xi64>
// CHECK: %[[V1:.*]] = tenon.compare lt %[[ARG0]], %{{.*}} : tensor<?xi64> -> tensor<?xi1>
// CHECK: %[[V2:.*]] = tenon.add %[[ARG0]], %{{.*}} : tensor<?xi64>
// CHECK: %[[V3:.*]] = tenon.select %[[V1]], %[[V2]], %[[ARG0]] : tensor<?xi1>, tensor<?xi64>
// CHECK: %[[V4:.*]] = tenon.reshape %[[V3]] sizes [%[[V0]], 1] : tensor<?xi64> -> tensor<?x1xi64>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[V4]] dims [0, 1] sizes [%[[V0]], 10] : tensor<?x1xi64> -> tensor<?x10xi64>
// CHECK: %[[V6:.*]] = tenon.iota dim 1 sizes [%[[V0]], 10] : tensor<?x10xi64>
// CHECK: %[[V7:.*]] = tenon.compare eq %[[V6]], %[[V5]] : tensor<?x10xi64> -> tensor<?x10xi1>
// CHECK: %[[V8:.*]] = tenon.slice %[[ARG1]] offsets [1] sizes [1] strides [1] : tensor<2xf32> -> tensor<1xf32>
// CHECK: %[[V9:.*]] = tenon.reshape %[[V8]] sizes [] : tensor<1xf32> -> tensor<f32>
// CHECK: %[[V10:.*]] = tenon.slice %[[ARG1]] offsets [0] sizes [1] strides [1] : tensor<2xf32> -> tensor<1xf32>
// CHECK: %[[V11:.*]] = tenon.reshape %[[V10]] sizes [] : tensor<1xf32> -> tensor<f32>
// CHECK: %[[V12:.*]] = tenon.broadcast %[[V9]] dims [] sizes [%[[V0]], 10] : tensor<f32> -> tensor<?x10xf32>
// CHECK: %[[V13:.*]] = tenon.broadcast %[[V11]] dims [] sizes [%[[V0]], 10] : tensor<f32> -> tensor<?x10xf32>
// CHECK: %[[V14:.*]] = tenon.select %[[V7]], %[[V12]], %[[V13]] : tensor<?x10xi1>, tensor<?x10xf32>
// CHECK: return %[[V14]] : tensor<?x10xf32>
func.func @one_hot(%i: tensor<?xi64> {tenon.name = "i", tenon.dims = ["n"]}, %v: tensor<2xf32>) -> !tenon_onnx.unknown {
  %d = tenon.constant dense<10> : tensor<i64>
  %0 = tenon_onnx.node "OneHot" version 11 (%i, %d, %v) {} : (tensor<?xi64>, tensor<i64>, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
