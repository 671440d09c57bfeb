// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Weights are taken as they lie, also behind a transposition.
// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: func.func @gemm(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8] : tensor<?x8xf32>
// CHECK: %[[V1:.*]] = tenon.contract %[[ARG0]], %[[ARG1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[ARG2]] dims [1] sizes [%[[V0]], 4] : tensor<4xf32> -> tensor<?x4xf32>
// CHECK: %[[V3:.*]] = tenon.add %[[V1]], %[[V2]] : tensor<?x4xf32>
// CHECK: %[[V4:.*]] = tenon.contract %[[ARG0]], %[[ARG1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
// CHECK: return %[[V3]], %[[V4]] : tensor<?x4xf32>, tensor<?x4xf32>
func.func @gemm(%x: tensor<?x8xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %w: tensor<4x8xf32>, %b: tensor<4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Gemm" version 11 (%x, %w, %b) {transB = 1 : i64, alpha = 1.0 : f32} : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> !tenon_onnx.unknown
  %t = tenon_onnx.node "Transpose" version 13 (%w) {perm = array<i64: 1, 0>} : (tensor<4x8xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "MatMul" version 13 (%x, %t) {} : (tensor<?x8xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Batch dimensions that are repeated are absent from the operand's map.
// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4, d3)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK: #[[$MAP4:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK: #[[$MAP5:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[$MAP6:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK: #[[$MAP7:.*]] = affine_map<(d0, d1) -> (d1, d0)>
// CHECK: #[[$MAP8:.*]] = affine_map<(d0, d1) -> (d0)>
// CHECK-LABEL: func.func @matmul(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 12, 128, 64] : tensor<?x12x128x64xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 1, 64, 128] : tensor<?x1x64x128xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG1]] sizes [%[[V0]], 64, 128] : tensor<?x1x64x128xf32> -> tensor<?x64x128xf32>
// CHECK: %[[V2:.*]] = tenon.contract %[[ARG0]], %[[V1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<?x12x128x64xf32>, tensor<?x64x128xf32> -> tensor<?x12x128x128xf32>
// CHECK: %[[V3:.*]] = tenon.contract %[[ARG0]], %[[ARG2]] maps [#[[$MAP3]], #[[$MAP4]], #[[$MAP5]]] : tensor<?x12x128x64xf32>, tensor<64xf32> -> tensor<?x12x128xf32>
// CHECK: %[[V4:.*]] = tenon.contract %[[ARG2]], %[[ARG3]] maps [#[[$MAP6]], #[[$MAP7]], #[[$MAP8]]] : tensor<64xf32>, tensor<64x3xf32> -> tensor<3xf32>
// CHECK: return %[[V2]], %[[V3]], %[[V4]] : tensor<?x12x128x128xf32>, tensor<?x12x128xf32>, tensor<3xf32>
func.func @matmul(%a: tensor<?x12x128x64xf32> {tenon.name = "a", tenon.dims = ["b", "", "", ""]}, %b: tensor<?x1x64x128xf32> {tenon.name = "b", tenon.dims = ["b", "", "", ""]}, %v: tensor<64xf32>, %w: tensor<64x3xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "MatMul" version 13 (%a, %b) {} : (tensor<?x12x128x64xf32>, tensor<?x1x64x128xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "MatMul" version 13 (%a, %v) {} : (tensor<?x12x128x64xf32>, tensor<64xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "MatMul" version 13 (%v, %w) {} : (tensor<64xf32>, tensor<64x3xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d3)>
// CHECK: #[[$MAP1:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>
// CHECK: #[[$MAP2:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>
// CHECK: #[[$MAP3:.*]] = affine_map<(d0, d1, d2, d3) -> (d3, d2)>
// CHECK-LABEL: func.func @einsum(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.contract %[[ARG0]], %[[ARG1]] maps [#[[$MAP]], #[[$MAP1]], #[[$MAP2]]] : tensor<2x3x4xf32>, tensor<2x5x4xf32> -> tensor<2x3x5xf32>
// CHECK: %[[V1:.*]] = tenon.contract %[[V0]], %[[ARG2]] maps [#[[$MAP]], #[[$MAP3]], #[[$MAP2]]] : tensor<2x3x5xf32>, tensor<5x7xf32> -> tensor<2x3x7xf32>
// CHECK: %[[V2:.*]] = tenon.reduce sum %[[ARG0]] dims [0] : tensor<2x3x4xf32> -> tensor<3x4xf32>
// CHECK: %[[V3:.*]] = tenon.transpose %[[V2]] [1, 0] : tensor<3x4xf32> -> tensor<4x3xf32>
// CHECK: return %[[V1]], %[[V3]] : tensor<2x3x7xf32>, tensor<4x3xf32>
func.func @einsum(%a: tensor<2x3x4xf32>, %b: tensor<2x5x4xf32>, %c: tensor<5x7xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Einsum" version 12 (%a, %b, %c) {equation = "...ik,...jk,jl->...il"} : (tensor<2x3x4xf32>, tensor<2x5x4xf32>, tensor<5x7xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Einsum" version 12 (%a) {equation = "bij->ji"} : (tensor<2x3x4xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @conv(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 3, 224, 224] : tensor<?x3x224x224xf32>
// CHECK: %[[V1:.*]] = tenon.conv %[[ARG0]], %[[ARG1]] strides [2, 2] dilations [1, 1] pads [3, 3, 3, 3] groups 1 : tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<?x64x112x112xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[ARG2]] dims [1] sizes [%[[V0]], 64, 112, 112] : tensor<64xf32> -> tensor<?x64x112x112xf32>
// CHECK: %[[V3:.*]] = tenon.add %[[V1]], %[[V2]] : tensor<?x64x112x112xf32>
// CHECK: %[[V4:.*]] = tenon.conv %[[ARG0]], %[[ARG1]] strides [2, 2] dilations [1, 1] pads [2, 2, 3, 3] groups 1 : tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<?x64x112x112xf32>
// CHECK: return %[[V3]], %[[V4]] : tensor<?x64x112x112xf32>, tensor<?x64x112x112xf32>
func.func @conv(%x: tensor<?x3x224x224xf32> {tenon.name = "x", tenon.dims = ["n", "", "", ""]}, %w: tensor<64x3x7x7xf32>, %b: tensor<64xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w, %b) {strides = array<i64: 2, 2>, pads = array<i64: 3, 3, 3, 3>, kernel_shape = array<i64: 7, 7>} : (tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32>, tensor<64xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Conv" version 11 (%x, %w) {strides = array<i64: 2, 2>, auto_pad = "SAME_UPPER"} : (tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Padding that depends on a size.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (-s0 + (s0 ceildiv 2) * 2 + 2)>
// CHECK: #[[$MAP1:.*]] = affine_map<()[s0] -> (s0 - s0 floordiv 2)>
// CHECK: #[[$MAP2:.*]] = affine_map<()[s0] -> (s0 floordiv 2)>
// CHECK-LABEL: func.func @conv_same_dynamic(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "w"
// CHECK: tenon.bind_shape %[[ARG0]] [1, 3, %[[V0]]] : tensor<1x3x?xf32>
// CHECK: %[[V1:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V2:.*]] = arith.constant 0 : index
// CHECK: %[[V3:.*]] = arith.maxsi %[[V1]], %[[V2]] : index
// CHECK: %[[V4:.*]] = tenon.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[V5:.*]] = affine.apply #[[$MAP1]]()[%[[V3]]]
// CHECK: %[[V6:.*]] = affine.apply #[[$MAP2]]()[%[[V3]]]
// CHECK: %[[V7:.*]] = tenon.pad constant %[[ARG0]], %[[V4]] low [0, 0, %[[V5]]] high [0, 0, %[[V6]]] : tensor<1x3x?xf32>, tensor<f32> -> tensor<1x3x?xf32>
// CHECK: %[[V8:.*]] = tenon.conv %[[V7]], %[[ARG1]] strides [2] dilations [1] pads [0, 0] groups 1 : tensor<1x3x?xf32>, tensor<8x3x4xf32> -> tensor<1x8x?xf32>
// CHECK: return %[[V8]] : tensor<1x8x?xf32>
func.func @conv_same_dynamic(%x: tensor<1x3x?xf32> {tenon.name = "x", tenon.dims = ["", "", "w"]}, %w: tensor<8x3x4xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w) {strides = array<i64: 2>, auto_pad = "SAME_LOWER"} : (tensor<1x3x?xf32>, tensor<8x3x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Where the places of a period of results sum equally many products, each is a convolution: they are one, whose results
// move apart with channels last. Others are a convolution between zeros.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 * 2)>
// CHECK-LABEL: func.func @conv_transpose(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "h"
// CHECK: tenon.bind_shape %[[ARG0]] [1, 8, %[[V0]], 4] : tensor<1x8x?x4xf32>
// CHECK: %[[F0:.*]] = tenon.reshape %[[ARG1]] sizes [8, 6, 1, 2, 1, 2]
// CHECK: %[[F1:.*]] = tenon.slice %[[F0]] offsets [0, 0, 0, 0, 0, 0] sizes [8, 6, 1, 2, 1, 2] strides [1, 1, -1, 1, -1, 1]
// CHECK: %[[F2:.*]] = tenon.transpose %[[F1]] [3, 5, 1, 0, 2, 4] : tensor<8x6x1x2x1x2xf32> -> tensor<2x2x6x8x1x1xf32>
// CHECK: %[[F3:.*]] = tenon.reshape %[[F2]] sizes [24, 8, 1, 1]
// CHECK: %[[Y0:.*]] = tenon.conv %[[ARG0]], %[[F3]] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x8x?x4xf32>, tensor<24x8x1x1xf32> -> tensor<1x24x?x4xf32>
// CHECK: %[[Y1:.*]] = tenon.transpose %[[Y0]] [0, 2, 3, 1]
// CHECK: %[[Y2:.*]] = tenon.reshape %[[Y1]] sizes [1, %[[V0]], 4, 2, 2, 6]
// CHECK: %[[Y3:.*]] = tenon.transpose %[[Y2]] [0, 1, 3, 2, 4, 5] : tensor<1x?x4x2x2x6xf32> -> tensor<1x?x2x4x2x6xf32>
// CHECK: %[[V2:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[Y4:.*]] = tenon.reshape %[[Y3]] sizes [1, %[[V2]], 8, 6]
// CHECK: %[[V3:.*]] = tenon.transpose %[[Y4]] [0, 3, 1, 2] : tensor<1x?x8x6xf32> -> tensor<1x6x?x8xf32>
// CHECK: %[[V4:.*]] = tenon.reshape %[[ARG0]] sizes [1, 8, %[[V0]], 1, 4, 1] : tensor<1x8x?x4xf32> -> tensor<1x8x?x1x4x1xf32>
// CHECK: %[[V5:.*]] = tenon.pad constant %[[V4]], %{{.*}} low [0, 0, 0, 0, 0, 0] high [0, 0, 0, 1, 0, 1] : tensor<1x8x?x1x4x1xf32>, tensor<f32> -> tensor<1x8x?x2x4x2xf32>
// CHECK: %[[V6:.*]] = tenon.reshape %[[V5]] sizes [1, 8, %[[V2]], 8] : tensor<1x8x?x2x4x2xf32> -> tensor<1x8x?x8xf32>
// CHECK: %[[V7:.*]] = tenon.pad constant %[[V6]], %{{.*}} low [0, 0, 1, 1] high [0, 0, 1, 1] : tensor<1x8x?x8xf32>, tensor<f32> -> tensor<1x8x?x10xf32>
// CHECK: %[[V8:.*]] = tenon.slice %[[ARG2]] offsets [0, 0, 2, 2] sizes [8, 3, 3, 3] strides [1, 1, -1, -1] : tensor<8x3x3x3xf32> -> tensor<8x3x3x3xf32>
// CHECK: %[[V9:.*]] = tenon.reshape %[[V8]] sizes [2, 4, 3, 3, 3] : tensor<8x3x3x3xf32> -> tensor<2x4x3x3x3xf32>
// CHECK: %[[V10:.*]] = tenon.transpose %[[V9]] [0, 2, 1, 3, 4] : tensor<2x4x3x3x3xf32> -> tensor<2x3x4x3x3xf32>
// CHECK: %[[V11:.*]] = tenon.reshape %[[V10]] sizes [6, 4, 3, 3] : tensor<2x3x4x3x3xf32> -> tensor<6x4x3x3xf32>
// CHECK: %[[V12:.*]] = tenon.conv %[[V7]], %[[V11]] strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 : tensor<1x8x?x10xf32>, tensor<6x4x3x3xf32> -> tensor<1x6x?x8xf32>
// CHECK: return %[[V3]], %[[V12]] : tensor<1x6x?x8xf32>, tensor<1x6x?x8xf32>
func.func @conv_transpose(%x: tensor<1x8x?x4xf32> {tenon.name = "x", tenon.dims = ["", "", "h", ""]}, %w: tensor<8x6x2x2xf32>, %v: tensor<8x3x3x3xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "ConvTranspose" version 11 (%x, %w) {strides = array<i64: 2, 2>} : (tensor<1x8x?x4xf32>, tensor<8x6x2x2xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "ConvTranspose" version 11 (%x, %v) {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, output_padding = array<i64: 1, 1>, group = 2 : i64} : (tensor<1x8x?x4xf32>, tensor<8x3x3x3xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Two taps in each phase, the last one first; what is cut off is cut off behind.
// CHECK-LABEL: func.func @conv_transpose_overlapping(
// CHECK: tenon.reshape %{{.*}} sizes [8, 6, 2, 2] : tensor<8x6x4xf32> -> tensor<8x6x2x2xf32>
// CHECK: tenon.slice %{{.*}} offsets [0, 0, 1, 0] sizes [8, 6, 2, 2] strides [1, 1, -1, 1]
// CHECK: tenon.transpose %{{.*}} [3, 1, 0, 2] : tensor<8x6x2x2xf32> -> tensor<2x6x8x2xf32>
// CHECK: tenon.conv %{{.*}} strides [1] dilations [1] pads [1, 1] groups 1 : tensor<1x8x?xf32>, tensor<12x8x2xf32> -> tensor<1x12x?xf32>
// CHECK: tenon.pad constant %{{.*}} low [0, 0, -1] high [0, 0, 0]
func.func @conv_transpose_overlapping(%x: tensor<1x8x?xf32> {tenon.name = "x", tenon.dims = ["", "", "h"]}, %w: tensor<8x6x4xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ConvTranspose" version 11 (%x, %w) {strides = array<i64: 2>, pads = array<i64: 1, 1>, output_padding = array<i64: 1>} : (tensor<1x8x?xf32>, tensor<8x6x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
