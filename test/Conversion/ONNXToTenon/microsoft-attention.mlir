// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// The new keys are written into the cache, with room for them, behind what was in use; a query sees keys up to its own place.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0, s1] -> (-s0 + s1)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d1, d2, d5)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d4, d5)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d3, d4)>
// CHECK-LABEL: func.func @cache(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}} %[[ARG4:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], %[[V1]], 64] : tensor<?x?x64xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], %[[V1]], 32] : tensor<?x?x32xf32>
// CHECK: %[[V2:.*]] = tenon.symbol "p"
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]], 2, %[[V2]], 16] : tensor<?x2x?x16xf32>
// CHECK: tenon.bind_shape %[[ARG3]] [%[[V0]]] : tensor<?xi32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]], %[[V1]], 4, 16] : tensor<?x?x64xf32> -> tensor<?x?x4x16xf32>
// CHECK: %[[V4:.*]] = tenon.reshape %[[ARG1]] sizes [%[[V0]], %[[V1]], 2, 16] : tensor<?x?x32xf32> -> tensor<?x?x2x16xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[ARG1]] sizes [%[[V0]], %[[V1]], 2, 16] : tensor<?x?x32xf32> -> tensor<?x?x2x16xf32>
// CHECK: %[[V6:.*]] = tenon.cast %[[ARG3]] : tensor<?xi32> -> tensor<?xi64>
// CHECK: %[[V7:.*]] = tenon.add %[[V6]], %{{.*}} : tensor<?xi64>
// CHECK: %[[V8:.*]] = tenon.from_sizes [%[[V1]]] : tensor<i64>
// CHECK: %[[V9:.*]] = tenon.broadcast %[[V8]] dims [] sizes [%[[V0]]] : tensor<i64> -> tensor<?xi64>
// CHECK: %[[V10:.*]] = tenon.sub %[[V7]], %[[V9]] : tensor<?xi64>
// CHECK: %[[V11:.*]] = tenon.max %[[V10]], %{{.*}} : tensor<?xi64>
// CHECK: %[[V12:.*]] = tenon.iota dim 1 sizes [%[[V0]], %[[V1]]] : tensor<?x?xi64>
// CHECK: %[[V13:.*]] = tenon.broadcast %[[V11]] dims [0] sizes [%[[V0]], %[[V1]]] : tensor<?xi64> -> tensor<?x?xi64>
// CHECK: %[[V14:.*]] = tenon.add %[[V12]], %[[V13]] : tensor<?x?xi64>
// CHECK: %[[V15:.*]] = tenon.item %[[ARG4]] at 0 : tensor<i32>
// CHECK: %[[V16:.*]] = arith.maxsi %[[V15]], %[[V2]] : index
// CHECK: %[[V17:.*]] = affine.apply #[[$MAP]]()[%[[V2]], %[[V16]]]
// CHECK: %[[V18:.*]] = tenon.broadcast %{{.*}} dims [] sizes [%[[V0]], 2, %[[V17]], 16] : tensor<f32> -> tensor<?x2x?x16xf32>
// CHECK: %[[V19:.*]] = tenon.concat %[[ARG2]], %[[V18]] dim 2
// CHECK: %[[V20:.*]] = tenon.reshape %[[V14]] sizes [%[[V0]], %[[V1]], 1] : tensor<?x?xi64> -> tensor<?x?x1xi64>
// CHECK: %[[V34:.*]] = tenon.scatter drop %[[V19]], %[[V20]], %[[V4]] dims [2] batch_dims 1
// CHECK: %[[V50:.*]] = tenon.scatter drop %{{.*}}, %{{.*}}, %[[V5]] dims [2] batch_dims 1
// CHECK: %[[V36:.*]] = tenon.slice %[[V34]] offsets [0, 0, 0, 0] sizes [%[[V0]], 2, %[[V15]], 16]
// CHECK: %[[V51:.*]] = tenon.slice %[[V50]] offsets [0, 0, 0, 0] sizes [%[[V0]], 2, %[[V15]], 16]
// CHECK: %[[V52:.*]] = tenon.iota dim 3 sizes [%[[V0]], 1, %[[V1]], %[[V15]]] : tensor<?x1x?x?xi64>
// CHECK: %[[V53:.*]] = tenon.broadcast %[[V14]] dims [0, 2] sizes [%[[V0]], 1, %[[V1]], %[[V15]]] : tensor<?x?xi64> -> tensor<?x1x?x?xi64>
// CHECK: %[[V54:.*]] = tenon.compare le %[[V52]], %[[V53]] : tensor<?x1x?x?xi64> -> tensor<?x1x?x?xi1>
// CHECK: %[[V55:.*]] = tenon.reshape %[[V3]] sizes [%[[V0]], %[[V1]], 2, 2, 16] : tensor<?x?x4x16xf32> -> tensor<?x?x2x2x16xf32>
// CHECK: %[[V56:.*]] = tenon.contract %[[V55]], %[[V36]] maps [#[[$MAP1]], #[[$MAP2]], #[[$MAP3]]] : tensor<?x?x2x2x16xf32>, tensor<?x2x?x16xf32> -> tensor<?x2x2x?x?xf32>
// CHECK: %[[V57:.*]] = tenon.mul %[[V56]], %{{.*}} : tensor<?x2x2x?x?xf32>
// CHECK: %[[V58:.*]] = tenon.reshape %[[V54]] sizes [%[[V0]], 1, 1, %[[V1]], %[[V15]]] : tensor<?x1x?x?xi1> -> tensor<?x1x1x?x?xi1>
// CHECK: %[[V59:.*]] = tenon.broadcast %[[V58]] dims [0, 1, 2, 3, 4] sizes [%[[V0]], 2, 2, %[[V1]], %[[V15]]] : tensor<?x1x1x?x?xi1> -> tensor<?x2x2x?x?xi1>
// CHECK: %[[V60:.*]] = tenon.select %[[V59]], %[[V57]], %{{.*}} : tensor<?x2x2x?x?xi1>, tensor<?x2x2x?x?xf32>
// CHECK: %[[V61:.*]] = tenon.softmax %[[V60]] dims [4] : tensor<?x2x2x?x?xf32>
// CHECK: %[[V62:.*]] = tenon.contract %[[V61]], %[[V51]] maps [#[[$MAP3]], #[[$MAP2]], #[[$MAP1]]] : tensor<?x2x2x?x?xf32>, tensor<?x2x?x16xf32> -> tensor<?x?x2x2x16xf32>
// CHECK: %[[V63:.*]] = tenon.reshape %[[V62]] sizes [%[[V0]], %[[V1]], 64] : tensor<?x?x2x2x16xf32> -> tensor<?x?x64xf32>
// CHECK: return %[[V63]], %[[V34]] : tensor<?x?x64xf32>, tensor<?x2x?x16xf32>
func.func @cache(%q: tensor<?x?x64xf32> {tenon.name = "q", tenon.dims = ["b", "s", ""]}, %k: tensor<?x?x32xf32> {tenon.name = "k", tenon.dims = ["b", "s", ""]}, %p: tensor<?x2x?x16xf32> {tenon.name = "p", tenon.dims = ["b", "", "p", ""]}, %used: tensor<?xi32> {tenon.name = "used", tenon.dims = ["b"]}, %total: tensor<i32> {tenon.name = "total"}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:3 = tenon_onnx.node "GroupQueryAttention" domain "com.microsoft" version 1 (%q, %k, %k, %p, %p, %used, %total) {num_heads = 4 : i64, kv_num_heads = 2 : i64} : (tensor<?x?x64xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?xi32>, tensor<i32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// What a mask hides keeps a finite score.
// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func.func @masked(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.reshape %[[ARG0]] sizes [2, 3, 3, 8] : tensor<2x3x24xf32> -> tensor<2x3x3x8xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG1]] sizes [2, 5, 3, 8] : tensor<2x5x24xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG1]] sizes [2, 5, 3, 8] : tensor<2x5x24xf32> -> tensor<2x5x3x8xf32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[ARG2]] sizes [2, 1, 1, 5] : tensor<2x5xi32> -> tensor<2x1x1x5xi32>
// CHECK: %[[V4:.*]] = tenon.compare gt %[[V3]], %{{.*}} : tensor<2x1x1x5xi32> -> tensor<2x1x1x5xi1>
// CHECK: %[[V5:.*]] = tenon.select %[[V4]], %{{.*}}, %{{.*}} : tensor<2x1x1x5xi1>, tensor<2x1x1x5xf32>
// CHECK: %[[V6:.*]] = tenon.contract %[[V0]], %[[V1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<2x3x3x8xf32>, tensor<2x5x3x8xf32> -> tensor<2x3x3x5xf32>
// CHECK: %[[V7:.*]] = tenon.mul %[[V6]], %{{.*}} : tensor<2x3x3x5xf32>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[V5]] dims [0, 1, 2, 3] sizes [2, 3, 3, 5] : tensor<2x1x1x5xf32> -> tensor<2x3x3x5xf32>
// CHECK: %[[V9:.*]] = tenon.add %[[V7]], %[[V8]] : tensor<2x3x3x5xf32>
// CHECK: %[[V10:.*]] = tenon.softmax %[[V9]] dims [3] : tensor<2x3x3x5xf32>
// CHECK: %[[V11:.*]] = tenon.contract %[[V10]], %[[V2]] maps [#[[$MAP2]], #[[$MAP1]], #[[$MAP]]] : tensor<2x3x3x5xf32>, tensor<2x5x3x8xf32> -> tensor<2x3x3x8xf32>
// CHECK: %[[V12:.*]] = tenon.reshape %[[V11]] sizes [2, 3, 24] : tensor<2x3x3x8xf32> -> tensor<2x3x24xf32>
// CHECK: return %[[V12]] : tensor<2x3x24xf32>
func.func @masked(%q: tensor<2x3x24xf32>, %k: tensor<2x5x24xf32>, %m: tensor<2x5xi32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "MultiHeadAttention" domain "com.microsoft" version 1 (%q, %k, %k, %none, %m) {num_heads = 3 : i64} : (tensor<2x3x24xf32>, tensor<2x5x24xf32>, tensor<2x5x24xf32>, none, tensor<2x5xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
