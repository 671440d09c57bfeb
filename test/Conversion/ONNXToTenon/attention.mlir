// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Heads that share keys run in a dimension of their own; a query that sees no key has weights of 0.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0, s1] -> (s0 + s1)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d5)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
// CHECK-LABEL: func.func @causal(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8, %[[V1]], 16] : tensor<?x8x?x16xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 2, %[[V1]], 16] : tensor<?x2x?x16xf32>
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]], 2, %[[V1]], 16] : tensor<?x2x?x16xf32>
// CHECK: %[[V2:.*]] = tenon.symbol "past"
// CHECK: tenon.bind_shape %[[ARG3]] [%[[V0]], 2, %[[V2]], 16] : tensor<?x2x?x16xf32>
// CHECK: %[[V3:.*]] = tenon.concat %[[ARG3]], %[[ARG1]] dim 2 : tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32> -> tensor<?x2x?x16xf32>
// CHECK: %[[V4:.*]] = tenon.concat %[[ARG3]], %[[ARG2]] dim 2 : tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32> -> tensor<?x2x?x16xf32>
// CHECK: %[[V5:.*]] = affine.apply #[[$MAP]]()[%[[V1]], %[[V2]]]
// CHECK: %[[V6:.*]] = tenon.iota dim 0 sizes [%[[V1]], %[[V5]]] : tensor<?x?xi64>
// CHECK: %[[V7:.*]] = tenon.iota dim 1 sizes [%[[V1]], %[[V5]]] : tensor<?x?xi64>
// CHECK: %[[V8:.*]] = tenon.sub %[[V6]], %[[V7]] : tensor<?x?xi64>
// CHECK: %[[V9:.*]] = tenon.from_sizes [%[[V2]]] : tensor<i64>
// CHECK: %[[V10:.*]] = tenon.broadcast %[[V9]] dims [] sizes [%[[V1]], %[[V5]]] : tensor<i64> -> tensor<?x?xi64>
// CHECK: %[[V11:.*]] = tenon.add %[[V8]], %[[V10]] : tensor<?x?xi64>
// CHECK: %[[V12:.*]] = tenon.compare ge %[[V11]], %{{.*}} : tensor<?x?xi64> -> tensor<?x?xi1>
// CHECK: %[[V13:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], 2, 4, %[[V1]], 16] : tensor<?x8x?x16xf32> -> tensor<?x2x4x?x16xf32>
// CHECK: %[[V14:.*]] = tenon.contract %[[V13]], %[[V3]] maps [#[[$MAP1]], #[[$MAP2]], #[[$MAP3]]] : tensor<?x2x4x?x16xf32>, tensor<?x2x?x16xf32> -> tensor<?x2x4x?x?xf32>
// CHECK: %[[V15:.*]] = tenon.mul %[[V14]], %{{.*}} : tensor<?x2x4x?x?xf32>
// CHECK: %[[V16:.*]] = tenon.broadcast %[[V12]] dims [3, 4] sizes [%[[V0]], 2, 4, %[[V1]], %[[V5]]] : tensor<?x?xi1> -> tensor<?x2x4x?x?xi1>
// CHECK: %[[V17:.*]] = tenon.select %[[V16]], %[[V15]], %{{.*}} : tensor<?x2x4x?x?xi1>, tensor<?x2x4x?x?xf32>
// CHECK: %[[V18:.*]] = tenon.softmax %[[V17]] dims [4] : tensor<?x2x4x?x?xf32>
// CHECK: %[[V19:.*]] = tenon.reduce max %[[V17]] dims [4] : tensor<?x2x4x?x?xf32> -> tensor<?x2x4x?xf32>
// CHECK: %[[V20:.*]] = tenon.reshape %[[V19]] sizes [%[[V0]], 2, 4, %[[V1]], 1] : tensor<?x2x4x?xf32> -> tensor<?x2x4x?x1xf32>
// CHECK: %[[V21:.*]] = tenon.compare eq %[[V20]], %{{.*}} : tensor<?x2x4x?x1xf32> -> tensor<?x2x4x?x1xi1>
// CHECK: %[[V22:.*]] = tenon.broadcast %[[V21]] dims [0, 1, 2, 3, 4] sizes [%[[V0]], 2, 4, %[[V1]], %[[V5]]] : tensor<?x2x4x?x1xi1> -> tensor<?x2x4x?x?xi1>
// CHECK: %[[V23:.*]] = tenon.select %[[V22]], %{{.*}}, %[[V18]] : tensor<?x2x4x?x?xi1>, tensor<?x2x4x?x?xf32>
// CHECK: %[[V24:.*]] = tenon.contract %[[V23]], %[[V4]] maps [#[[$MAP3]], #[[$MAP2]], #[[$MAP1]]] : tensor<?x2x4x?x?xf32>, tensor<?x2x?x16xf32> -> tensor<?x2x4x?x16xf32>
// CHECK: %[[V25:.*]] = tenon.reshape %[[V24]] sizes [%[[V0]], 8, %[[V1]], 16] : tensor<?x2x4x?x16xf32> -> tensor<?x8x?x16xf32>
// CHECK: return %[[V25]], %[[V3]] : tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>
func.func @causal(%q: tensor<?x8x?x16xf32> {tenon.name = "q", tenon.dims = ["b", "", "s", ""]}, %k: tensor<?x2x?x16xf32> {tenon.name = "k", tenon.dims = ["b", "", "s", ""]}, %v: tensor<?x2x?x16xf32> {tenon.name = "v", tenon.dims = ["b", "", "s", ""]}, %p: tensor<?x2x?x16xf32> {tenon.name = "p", tenon.dims = ["b", "", "past", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %0:3 = tenon_onnx.node "Attention" version 23 (%q, %k, %v, %none, %p, %p) {is_causal = 1 : i64} : (tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, none, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @flat(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reshape %[[ARG0]] sizes [2, 5, 3, 8] : tensor<2x5x24xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [2, 5, 3, 8] : tensor<2x5x24xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG0]] sizes [2, 5, 3, 8] : tensor<2x5x24xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V3:.*]] = tenon.contract %[[V0]], %[[V1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<2x5x3x8xf32>, tensor<2x5x3x8xf32> -> tensor<2x3x5x5xf32>
// CHECK: %[[V4:.*]] = tenon.mul %[[V3]], %{{.*}} : tensor<2x3x5x5xf32>
// CHECK: %[[V5:.*]] = tenon.div %[[V4]], %{{.*}} : tensor<2x3x5x5xf32>
// CHECK: %[[V6:.*]] = tenon.tanh %[[V5]] : tensor<2x3x5x5xf32>
// CHECK: %[[V7:.*]] = tenon.mul %[[V6]], %{{.*}} : tensor<2x3x5x5xf32>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[ARG1]] dims [2, 3] sizes [2, 3, 5, 5] : tensor<5x5xi1> -> tensor<2x3x5x5xi1>
// CHECK: %[[V9:.*]] = tenon.select %[[V8]], %[[V7]], %{{.*}} : tensor<2x3x5x5xi1>, tensor<2x3x5x5xf32>
// CHECK: %[[V10:.*]] = tenon.softmax %[[V9]] dims [3] : tensor<2x3x5x5xf32>
// CHECK: %[[V11:.*]] = tenon.reduce max %[[V9]] dims [3] : tensor<2x3x5x5xf32> -> tensor<2x3x5xf32>
// CHECK: %[[V12:.*]] = tenon.reshape %[[V11]] sizes [2, 3, 5, 1] : tensor<2x3x5xf32> -> tensor<2x3x5x1xf32>
// CHECK: %[[V13:.*]] = tenon.compare eq %[[V12]], %{{.*}} : tensor<2x3x5x1xf32> -> tensor<2x3x5x1xi1>
// CHECK: %[[V14:.*]] = tenon.broadcast %[[V13]] dims [0, 1, 2, 3] sizes [2, 3, 5, 5] : tensor<2x3x5x1xi1> -> tensor<2x3x5x5xi1>
// CHECK: %[[V15:.*]] = tenon.select %[[V14]], %{{.*}}, %[[V10]] : tensor<2x3x5x5xi1>, tensor<2x3x5x5xf32>
// CHECK: %[[V16:.*]] = tenon.contract %[[V15]], %[[V2]] maps [#[[$MAP2]], #[[$MAP1]], #[[$MAP]]] : tensor<2x3x5x5xf32>, tensor<2x5x3x8xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V17:.*]] = tenon.reshape %[[V16]] sizes [2, 5, 24] : tensor<2x5x3x8xf32> -> tensor<2x5x24xf32>
// CHECK: return %[[V17]] : tensor<2x5x24xf32>
func.func @flat(%x: tensor<2x5x24xf32>, %m: tensor<5x5xi1>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Attention" version 23 (%x, %x, %x, %m) {q_num_heads = 3 : i64, kv_num_heads = 3 : i64, softcap = 2.0 : f32} : (tensor<2x5x24xf32>, tensor<2x5x24xf32>, tensor<2x5x24xf32>, tensor<5x5xi1>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @rotary(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 4, %[[V1]], 8] : tensor<?x4x?x8xf32>
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]], %[[V1]]] : tensor<?x?xi64>
// CHECK: %[[V2:.*]] = tenon.transpose %[[ARG0]] [0, 2, 1, 3] : tensor<?x4x?x8xf32> -> tensor<?x?x4x8xf32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[ARG2]] sizes [%[[V0]], %[[V1]], 1] : tensor<?x?xi64> -> tensor<?x?x1xi64>
// CHECK: %[[V4:.*]] = tenon.gather error %[[ARG1]], %[[V3]] dims [0] batch_dims 0 : tensor<50x4xf32>, tensor<?x?x1xi64> -> tensor<?x?x4xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[ARG2]] sizes [%[[V0]], %[[V1]], 1] : tensor<?x?xi64> -> tensor<?x?x1xi64>
// CHECK: %[[V6:.*]] = tenon.gather error %[[ARG1]], %[[V5]] dims [0] batch_dims 0 : tensor<50x4xf32>, tensor<?x?x1xi64> -> tensor<?x?x4xf32>
// CHECK: %[[V7:.*]] = tenon.slice %[[V2]] offsets [0, 0, 0, 0] sizes [%[[V0]], %[[V1]], 4, 4] strides [1, 1, 1, 1] : tensor<?x?x4x8xf32> -> tensor<?x?x4x4xf32>
// CHECK: %[[V8:.*]] = tenon.slice %[[V2]] offsets [0, 0, 0, 4] sizes [%[[V0]], %[[V1]], 4, 4] strides [1, 1, 1, 1] : tensor<?x?x4x8xf32> -> tensor<?x?x4x4xf32>
// CHECK: %[[V9:.*]] = tenon.reshape %[[V4]] sizes [%[[V0]], %[[V1]], 1, 4] : tensor<?x?x4xf32> -> tensor<?x?x1x4xf32>
// CHECK: %[[V10:.*]] = tenon.broadcast %[[V9]] dims [0, 1, 2, 3] sizes [%[[V0]], %[[V1]], 4, 4] : tensor<?x?x1x4xf32> -> tensor<?x?x4x4xf32>
// CHECK: %[[V11:.*]] = tenon.reshape %[[V6]] sizes [%[[V0]], %[[V1]], 1, 4] : tensor<?x?x4xf32> -> tensor<?x?x1x4xf32>
// CHECK: %[[V12:.*]] = tenon.broadcast %[[V11]] dims [0, 1, 2, 3] sizes [%[[V0]], %[[V1]], 4, 4] : tensor<?x?x1x4xf32> -> tensor<?x?x4x4xf32>
// CHECK: %[[V13:.*]] = tenon.mul %[[V10]], %[[V7]] : tensor<?x?x4x4xf32>
// CHECK: %[[V14:.*]] = tenon.mul %[[V12]], %[[V8]] : tensor<?x?x4x4xf32>
// CHECK: %[[V15:.*]] = tenon.sub %[[V13]], %[[V14]] : tensor<?x?x4x4xf32>
// CHECK: %[[V16:.*]] = tenon.mul %[[V12]], %[[V7]] : tensor<?x?x4x4xf32>
// CHECK: %[[V17:.*]] = tenon.mul %[[V10]], %[[V8]] : tensor<?x?x4x4xf32>
// CHECK: %[[V18:.*]] = tenon.add %[[V16]], %[[V17]] : tensor<?x?x4x4xf32>
// CHECK: %[[V19:.*]] = tenon.concat %[[V15]], %[[V18]] dim 3 : tensor<?x?x4x4xf32>, tensor<?x?x4x4xf32> -> tensor<?x?x4x8xf32>
// CHECK: %[[V20:.*]] = tenon.transpose %[[V19]] [0, 2, 1, 3] : tensor<?x?x4x8xf32> -> tensor<?x4x?x8xf32>
// CHECK: return %[[V20]] : tensor<?x4x?x8xf32>
func.func @rotary(%x: tensor<?x4x?x8xf32> {tenon.name = "x", tenon.dims = ["b", "", "s", ""]}, %c: tensor<50x4xf32>, %p: tensor<?x?xi64> {tenon.name = "p", tenon.dims = ["b", "s"]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "RotaryEmbedding" version 23 (%x, %c, %c, %p) {} : (tensor<?x4x?x8xf32>, tensor<50x4xf32>, tensor<50x4xf32>, tensor<?x?xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
