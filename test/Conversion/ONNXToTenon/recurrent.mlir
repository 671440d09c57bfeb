// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// One product for all steps, one loop over time; the states keep their sizes.
// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$MAP4:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[$MAP5:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @lstm(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "t"
// CHECK: %[[V1:.*]] = tenon.symbol "b"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], %[[V1]], 3] : tensor<?x?x3xf32>
// CHECK: %[[V2:.*]] = tenon.reshape %[[ARG2]] sizes [16, 4] : tensor<1x16x4xf32> -> tensor<16x4xf32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[ARG3]] sizes [32] : tensor<1x32xf32> -> tensor<32xf32>
// CHECK: %[[V4:.*]] = tenon.slice %[[V3]] offsets [0] sizes [16] strides [1] : tensor<32xf32> -> tensor<16xf32>
// CHECK: %[[V5:.*]] = tenon.slice %[[V3]] offsets [16] sizes [16] strides [1] : tensor<32xf32> -> tensor<16xf32>
// CHECK: %[[V6:.*]] = tenon.reshape %[[ARG1]] sizes [16, 3] : tensor<1x16x3xf32> -> tensor<16x3xf32>
// CHECK: %[[V7:.*]] = tenon.contract %[[ARG0]], %[[V6]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<?x?x3xf32>, tensor<16x3xf32> -> tensor<?x?x16xf32>
// CHECK: %[[V8:.*]] = tenon.from_sizes [%[[V0]]] : tensor<i64>
// CHECK: %[[V9:.*]]:3 = tenon.loop %[[V8]], %{{.*}} carried(%{{.*}}, %{{.*}} : tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x4xf32> {
// CHECK: ^bb0(%[[V10:.*]]: tensor<i64>, %[[V11:.*]]: tensor<?x4xf32>, %[[V12:.*]]: tensor<?x4xf32>):
// CHECK: tenon.bind_shape %[[V11]] [%[[V1]], 4] : tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V12]] [%[[V1]], 4] : tensor<?x4xf32>
// CHECK: %[[V13:.*]] = tenon.reshape %[[V10]] sizes [1] : tensor<i64> -> tensor<1xi64>
// CHECK: %[[V14:.*]] = tenon.gather error %[[V7]], %[[V13]] dims [0] batch_dims 0 : tensor<?x?x16xf32>, tensor<1xi64> -> tensor<?x16xf32>
// CHECK: %[[V15:.*]] = tenon.contract %[[V11]], %[[V2]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<?x4xf32>, tensor<16x4xf32> -> tensor<?x16xf32>
// CHECK: %[[V16:.*]] = tenon.add %[[V14]], %[[V15]] : tensor<?x16xf32>
// CHECK: %[[V17:.*]] = tenon.broadcast %[[V4]] dims [1] sizes [%[[V1]], 16] : tensor<16xf32> -> tensor<?x16xf32>
// CHECK: %[[V18:.*]] = tenon.add %[[V16]], %[[V17]] : tensor<?x16xf32>
// CHECK: %[[V19:.*]] = tenon.broadcast %[[V5]] dims [1] sizes [%[[V1]], 16] : tensor<16xf32> -> tensor<?x16xf32>
// CHECK: %[[V20:.*]] = tenon.add %[[V18]], %[[V19]] : tensor<?x16xf32>
// CHECK: %[[V21:.*]] = tenon.slice %[[V20]] offsets [0, 0] sizes [%[[V1]], 4] strides [1, 1] : tensor<?x16xf32> -> tensor<?x4xf32>
// CHECK: %[[V22:.*]] = tenon.sigmoid %[[V21]] : tensor<?x4xf32>
// CHECK: %[[V23:.*]] = tenon.slice %[[V20]] offsets [0, 8] sizes [%[[V1]], 4] strides [1, 1] : tensor<?x16xf32> -> tensor<?x4xf32>
// CHECK: %[[V24:.*]] = tenon.sigmoid %[[V23]] : tensor<?x4xf32>
// CHECK: %[[V25:.*]] = tenon.slice %[[V20]] offsets [0, 12] sizes [%[[V1]], 4] strides [1, 1] : tensor<?x16xf32> -> tensor<?x4xf32>
// CHECK: %[[V26:.*]] = tenon.tanh %[[V25]] : tensor<?x4xf32>
// CHECK: %[[V27:.*]] = tenon.mul %[[V24]], %[[V12]] : tensor<?x4xf32>
// CHECK: %[[V28:.*]] = tenon.mul %[[V22]], %[[V26]] : tensor<?x4xf32>
// CHECK: %[[V29:.*]] = tenon.add %[[V27]], %[[V28]] : tensor<?x4xf32>
// CHECK: %[[V30:.*]] = tenon.slice %[[V20]] offsets [0, 4] sizes [%[[V1]], 4] strides [1, 1] : tensor<?x16xf32> -> tensor<?x4xf32>
// CHECK: %[[V31:.*]] = tenon.sigmoid %[[V30]] : tensor<?x4xf32>
// CHECK: %[[V32:.*]] = tenon.tanh %[[V29]] : tensor<?x4xf32>
// CHECK: %[[V33:.*]] = tenon.mul %[[V31]], %[[V32]] : tensor<?x4xf32>
// CHECK: tenon.yield %{{.*}}, %[[V33]], %[[V29]], %[[V33]] : tensor<i1>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V9]]#0 [%[[V1]], 4] : tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V9]]#1 [%[[V1]], 4] : tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V9]]#2 [%[[V0]], %[[V1]], 4] : tensor<?x?x4xf32>
// CHECK: %[[V34:.*]] = tenon.reshape %[[V9]]#2 sizes [%[[V0]], 1, %[[V1]], 4] : tensor<?x?x4xf32> -> tensor<?x1x?x4xf32>
// CHECK: %[[V35:.*]] = tenon.reshape %[[V9]]#0 sizes [1, %[[V1]], 4] : tensor<?x4xf32> -> tensor<1x?x4xf32>
// CHECK: %[[V36:.*]] = tenon.reshape %[[V9]]#1 sizes [1, %[[V1]], 4] : tensor<?x4xf32> -> tensor<1x?x4xf32>
// CHECK: return %[[V34]], %[[V35]], %[[V36]] : tensor<?x1x?x4xf32>, tensor<1x?x4xf32>, tensor<1x?x4xf32>
func.func @lstm(%x: tensor<?x?x3xf32> {tenon.name = "x", tenon.dims = ["t", "b", ""]}, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>, %b: tensor<1x32xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:3 = tenon_onnx.node "LSTM" version 14 (%x, %w, %r, %b) {hidden_size = 4 : i64} : (tensor<?x?x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>, tensor<1x32xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1, %0#2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$MAP4:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[$MAP5:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @rnn_reverse(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// Lengths of sequences are places from 0 to 5.
// CHECK: %[[CAST:.*]] = tenon.cast %[[ARG3]] : tensor<2xi32> -> tensor<2xi64>
// CHECK: %[[NEGATIVE:.*]] = tenon.compare lt %[[CAST]], %{{.*}} : tensor<2xi64> -> tensor<2xi1>
// CHECK: tenon.select %[[NEGATIVE]], %{{.*}}, %[[CAST]] : tensor<2xi1>, tensor<2xi64>
// CHECK: %[[V14:.*]] = tenon.gather error %{{.*}}, %{{.*}} dims [0] batch_dims 0 : tensor<6xi64>, tensor<2x1xi64> -> tensor<2xi64>
// CHECK: %[[V0:.*]] = tenon.reshape %[[ARG2]] sizes [4, 4] : tensor<1x4x4xf32> -> tensor<4x4xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG1]] sizes [4, 3] : tensor<1x4x3xf32> -> tensor<4x3xf32>
// CHECK: %[[V2:.*]] = tenon.contract %[[ARG0]], %[[V1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<5x2x3xf32>, tensor<4x3xf32> -> tensor<5x2x4xf32>
// CHECK: %[[V3:.*]] = tenon.from_sizes [5] : tensor<i64>
// CHECK: %[[V4:.*]]:2 = tenon.loop %[[V3]], %{{.*}} carried(%{{.*}} : tensor<2x4xf32>) -> tensor<2x4xf32>, tensor<5x2x4xf32> {
// CHECK: ^bb0(%[[V5:.*]]: tensor<i64>, %[[V6:.*]]: tensor<2x4xf32>):
// CHECK: %[[V7:.*]] = tenon.from_sizes [4] : tensor<i64>
// CHECK: %[[V8:.*]] = tenon.sub %[[V7]], %[[V5]] : tensor<i64>
// CHECK: %[[V9:.*]] = tenon.reshape %[[V8]] sizes [1] : tensor<i64> -> tensor<1xi64>
// CHECK: %[[V10:.*]] = tenon.gather error %[[V2]], %[[V9]] dims [0] batch_dims 0 : tensor<5x2x4xf32>, tensor<1xi64> -> tensor<2x4xf32>
// CHECK: %[[V11:.*]] = tenon.contract %[[V6]], %[[V0]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
// CHECK: %[[V12:.*]] = tenon.add %[[V10]], %[[V11]] : tensor<2x4xf32>
// CHECK: %[[V13:.*]] = tenon.max %[[V12]], %{{.*}} : tensor<2x4xf32>
// CHECK: %[[V15:.*]] = tenon.broadcast %[[V8]] dims [] sizes [2] : tensor<i64> -> tensor<2xi64>
// CHECK: %[[V16:.*]] = tenon.compare lt %[[V15]], %[[V14]] : tensor<2xi64> -> tensor<2xi1>
// CHECK: %[[V17:.*]] = tenon.broadcast %[[V16]] dims [0] sizes [2, 4] : tensor<2xi1> -> tensor<2x4xi1>
// CHECK: %[[V18:.*]] = tenon.select %[[V17]], %[[V13]], %{{.*}} : tensor<2x4xi1>, tensor<2x4xf32>
// CHECK: %[[V19:.*]] = tenon.select %[[V17]], %[[V13]], %[[V6]] : tensor<2x4xi1>, tensor<2x4xf32>
// CHECK: tenon.yield %{{.*}}, %[[V19]], %[[V18]] : tensor<i1>, tensor<2x4xf32>, tensor<2x4xf32>
// CHECK: %[[V20:.*]] = tenon.slice %[[V4]]#1 offsets [4, 0, 0] sizes [5, 2, 4] strides [-1, 1, 1] : tensor<5x2x4xf32> -> tensor<5x2x4xf32>
// CHECK: %[[LAST:.*]] = tenon.select %{{.*}}, %[[V4]]#0, %{{.*}} : tensor<2x4xi1>, tensor<2x4xf32>
// CHECK: %[[V21:.*]] = tenon.reshape %[[V20]] sizes [5, 1, 2, 4] : tensor<5x2x4xf32> -> tensor<5x1x2x4xf32>
// CHECK: %[[V22:.*]] = tenon.reshape %[[LAST]] sizes [1, 2, 4] : tensor<2x4xf32> -> tensor<1x2x4xf32>
// CHECK: return %[[V21]], %[[V22]] : tensor<5x1x2x4xf32>, tensor<1x2x4xf32>
func.func @rnn_reverse(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %l: tensor<2xi32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %0:2 = tenon_onnx.node "RNN" version 14 (%x, %w, %r, %none, %l) {hidden_size = 4 : i64, direction = "reverse", activations = ["Relu"]} : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, none, tensor<2xi32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3) -> (d2, d3)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$MAP4:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[$MAP5:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @gru_bidirectional(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.slice %[[ARG2]] offsets [0, 0, 0] sizes [1, 12, 4] strides [1, 1, 1] : tensor<2x12x4xf32> -> tensor<1x12x4xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[V0]] sizes [12, 4] : tensor<1x12x4xf32> -> tensor<12x4xf32>
// CHECK: %[[V2:.*]] = tenon.slice %[[ARG1]] offsets [0, 0, 0] sizes [1, 12, 3] strides [1, 1, 1] : tensor<2x12x3xf32> -> tensor<1x12x3xf32>
// CHECK: %[[V3:.*]] = tenon.reshape %[[V2]] sizes [12, 3] : tensor<1x12x3xf32> -> tensor<12x3xf32>
// CHECK: %[[V4:.*]] = tenon.contract %[[ARG0]], %[[V3]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<5x2x3xf32>, tensor<12x3xf32> -> tensor<5x2x12xf32>
// CHECK: %[[V5:.*]] = tenon.from_sizes [5] : tensor<i64>
// CHECK: %[[V6:.*]]:2 = tenon.loop %[[V5]], %{{.*}} carried(%{{.*}} : tensor<2x4xf32>) -> tensor<2x4xf32>, tensor<5x2x4xf32> {
// CHECK: ^bb0(%[[V7:.*]]: tensor<i64>, %[[V8:.*]]: tensor<2x4xf32>):
// CHECK: %[[V9:.*]] = tenon.reshape %[[V7]] sizes [1] : tensor<i64> -> tensor<1xi64>
// CHECK: %[[V10:.*]] = tenon.gather error %[[V4]], %[[V9]] dims [0] batch_dims 0 : tensor<5x2x12xf32>, tensor<1xi64> -> tensor<2x12xf32>
// CHECK: %[[V11:.*]] = tenon.slice %[[V1]] offsets [0, 0] sizes [8, 4] strides [1, 1] : tensor<12x4xf32> -> tensor<8x4xf32>
// CHECK: %[[V12:.*]] = tenon.contract %[[V8]], %[[V11]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
// CHECK: %[[V13:.*]] = tenon.slice %[[V10]] offsets [0, 0] sizes [2, 8] strides [1, 1] : tensor<2x12xf32> -> tensor<2x8xf32>
// CHECK: %[[V14:.*]] = tenon.add %[[V13]], %[[V12]] : tensor<2x8xf32>
// CHECK: %[[V15:.*]] = tenon.sigmoid %[[V14]] : tensor<2x8xf32>
// CHECK: %[[V16:.*]] = tenon.slice %[[V15]] offsets [0, 0] sizes [2, 4] strides [1, 1] : tensor<2x8xf32> -> tensor<2x4xf32>
// CHECK: %[[V17:.*]] = tenon.slice %[[V15]] offsets [0, 4] sizes [2, 4] strides [1, 1] : tensor<2x8xf32> -> tensor<2x4xf32>
// CHECK: %[[V18:.*]] = tenon.slice %[[V1]] offsets [8, 0] sizes [4, 4] strides [1, 1] : tensor<12x4xf32> -> tensor<4x4xf32>
// CHECK: %[[V19:.*]] = tenon.contract %[[V8]], %[[V18]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
// CHECK: %[[V20:.*]] = tenon.mul %[[V17]], %[[V19]] : tensor<2x4xf32>
// CHECK: %[[V21:.*]] = tenon.slice %[[V10]] offsets [0, 8] sizes [2, 4] strides [1, 1] : tensor<2x12xf32> -> tensor<2x4xf32>
// CHECK: %[[V22:.*]] = tenon.add %[[V21]], %[[V20]] : tensor<2x4xf32>
// CHECK: %[[V23:.*]] = tenon.tanh %[[V22]] : tensor<2x4xf32>
// CHECK: %[[V24:.*]] = tenon.sub %{{.*}}, %[[V16]] : tensor<2x4xf32>
// CHECK: %[[V25:.*]] = tenon.mul %[[V24]], %[[V23]] : tensor<2x4xf32>
// CHECK: %[[V26:.*]] = tenon.mul %[[V16]], %[[V8]] : tensor<2x4xf32>
// CHECK: %[[V27:.*]] = tenon.add %[[V25]], %[[V26]] : tensor<2x4xf32>
// CHECK: tenon.yield %{{.*}}, %[[V27]], %[[V27]] : tensor<i1>, tensor<2x4xf32>, tensor<2x4xf32>
// CHECK: %[[V28:.*]] = tenon.slice %[[ARG2]] offsets [1, 0, 0] sizes [1, 12, 4] strides [1, 1, 1] : tensor<2x12x4xf32> -> tensor<1x12x4xf32>
// CHECK: %[[V29:.*]] = tenon.reshape %[[V28]] sizes [12, 4] : tensor<1x12x4xf32> -> tensor<12x4xf32>
// CHECK: %[[V30:.*]] = tenon.slice %[[ARG1]] offsets [1, 0, 0] sizes [1, 12, 3] strides [1, 1, 1] : tensor<2x12x3xf32> -> tensor<1x12x3xf32>
// CHECK: %[[V31:.*]] = tenon.reshape %[[V30]] sizes [12, 3] : tensor<1x12x3xf32> -> tensor<12x3xf32>
// CHECK: %[[V32:.*]] = tenon.contract %[[ARG0]], %[[V31]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<5x2x3xf32>, tensor<12x3xf32> -> tensor<5x2x12xf32>
// CHECK: %[[V33:.*]] = tenon.from_sizes [5] : tensor<i64>
// CHECK: %[[V34:.*]]:2 = tenon.loop %[[V33]], %{{.*}} carried(%{{.*}} : tensor<2x4xf32>) -> tensor<2x4xf32>, tensor<5x2x4xf32> {
// CHECK: ^bb0(%[[V35:.*]]: tensor<i64>, %[[V36:.*]]: tensor<2x4xf32>):
// CHECK: %[[V37:.*]] = tenon.from_sizes [4] : tensor<i64>
// CHECK: %[[V38:.*]] = tenon.sub %[[V37]], %[[V35]] : tensor<i64>
// CHECK: %[[V39:.*]] = tenon.reshape %[[V38]] sizes [1] : tensor<i64> -> tensor<1xi64>
// CHECK: %[[V40:.*]] = tenon.gather error %[[V32]], %[[V39]] dims [0] batch_dims 0 : tensor<5x2x12xf32>, tensor<1xi64> -> tensor<2x12xf32>
// CHECK: %[[V41:.*]] = tenon.slice %[[V29]] offsets [0, 0] sizes [8, 4] strides [1, 1] : tensor<12x4xf32> -> tensor<8x4xf32>
// CHECK: %[[V42:.*]] = tenon.contract %[[V36]], %[[V41]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<2x4xf32>, tensor<8x4xf32> -> tensor<2x8xf32>
// CHECK: %[[V43:.*]] = tenon.slice %[[V40]] offsets [0, 0] sizes [2, 8] strides [1, 1] : tensor<2x12xf32> -> tensor<2x8xf32>
// CHECK: %[[V44:.*]] = tenon.add %[[V43]], %[[V42]] : tensor<2x8xf32>
// CHECK: %[[V45:.*]] = tenon.sigmoid %[[V44]] : tensor<2x8xf32>
// CHECK: %[[V46:.*]] = tenon.slice %[[V45]] offsets [0, 0] sizes [2, 4] strides [1, 1] : tensor<2x8xf32> -> tensor<2x4xf32>
// CHECK: %[[V47:.*]] = tenon.slice %[[V45]] offsets [0, 4] sizes [2, 4] strides [1, 1] : tensor<2x8xf32> -> tensor<2x4xf32>
// CHECK: %[[V48:.*]] = tenon.slice %[[V29]] offsets [8, 0] sizes [4, 4] strides [1, 1] : tensor<12x4xf32> -> tensor<4x4xf32>
// CHECK: %[[V49:.*]] = tenon.contract %[[V36]], %[[V48]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<2x4xf32>, tensor<4x4xf32> -> tensor<2x4xf32>
// CHECK: %[[V50:.*]] = tenon.mul %[[V47]], %[[V49]] : tensor<2x4xf32>
// CHECK: %[[V51:.*]] = tenon.slice %[[V40]] offsets [0, 8] sizes [2, 4] strides [1, 1] : tensor<2x12xf32> -> tensor<2x4xf32>
// CHECK: %[[V52:.*]] = tenon.add %[[V51]], %[[V50]] : tensor<2x4xf32>
// CHECK: %[[V53:.*]] = tenon.tanh %[[V52]] : tensor<2x4xf32>
// CHECK: %[[V54:.*]] = tenon.broadcast %[[V24]] dims [] sizes [2, 4] : tensor<f32> -> tensor<2x4xf32>
// CHECK: %[[V55:.*]] = tenon.sub %[[V54]], %[[V46]] : tensor<2x4xf32>
// CHECK: %[[V56:.*]] = tenon.mul %[[V55]], %[[V53]] : tensor<2x4xf32>
// CHECK: %[[V57:.*]] = tenon.mul %[[V46]], %[[V36]] : tensor<2x4xf32>
// CHECK: %[[V58:.*]] = tenon.add %[[V56]], %[[V57]] : tensor<2x4xf32>
// CHECK: tenon.yield %{{.*}}, %[[V58]], %[[V58]] : tensor<i1>, tensor<2x4xf32>, tensor<2x4xf32>
// CHECK: %[[V59:.*]] = tenon.reshape %[[V6]]#0 sizes [1, 2, 4] : tensor<2x4xf32> -> tensor<1x2x4xf32>
// CHECK: %[[V60:.*]] = tenon.reshape %[[V34]]#0 sizes [1, 2, 4] : tensor<2x4xf32> -> tensor<1x2x4xf32>
// CHECK: %[[V61:.*]] = tenon.concat %[[V59]], %[[V60]] dim 0 : tensor<1x2x4xf32>, tensor<1x2x4xf32> -> tensor<2x2x4xf32>
// CHECK: return %[[V61]] : tensor<2x2x4xf32>
func.func @gru_bidirectional(%x: tensor<5x2x3xf32>, %w: tensor<2x12x3xf32>, %r: tensor<2x12x4xf32>) -> !tenon_onnx.unknown {
  %0:2 = tenon_onnx.node "GRU" version 14 (%x, %w, %r) {hidden_size = 4 : i64, direction = "bidirectional", linear_before_reset = 1 : i64} : (tensor<5x2x3xf32>, tensor<2x12x3xf32>, tensor<2x12x4xf32>) -> (none, !tenon_onnx.unknown)
  return %0#1 : !tenon_onnx.unknown
}
