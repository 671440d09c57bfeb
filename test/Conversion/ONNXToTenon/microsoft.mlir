// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// The last block and the last byte of zero points are filled up.
// CHECK-LABEL: func.func @blocks(
// CHECK-SAME: %[[X:.*]]: tensor<?x40xf32>{{.*}}, %[[W:.*]]: tensor<8x3x8xui8>, %[[S:.*]]: tensor<24xf32>, %[[Z:.*]]: tensor<16xui8>
// CHECK: %[[W1:.*]] = tenon.broadcast %[[W]] dims [0, 1, 2] sizes [8, 3, 8, 2]
// CHECK: %[[C:.*]] = tenon.constant dense<[0, 4]> : tensor<2xui8>
// CHECK: %[[C1:.*]] = tenon.broadcast %[[C]] dims [3] sizes [8, 3, 8, 2]
// CHECK: %[[W2:.*]] = tenon.shr %[[W1]], %[[C1]] : tensor<8x3x8x2xui8>
// CHECK: tenon.constant dense<15> : tensor<ui8>
// CHECK: %[[W3:.*]] = tenon.and %[[W2]], %{{.*}} : tensor<8x3x8x2xui8>
// CHECK: %[[W4:.*]] = tenon.reshape %[[W3]] sizes [8, 3, 16]
// CHECK: %[[W5:.*]] = tenon.cast %[[W4]] : tensor<8x3x16xui8> -> tensor<8x3x16xf32>
// CHECK: %[[Z1:.*]] = tenon.reshape %[[Z]] sizes [8, 2]
// CHECK: tenon.broadcast %[[Z1]] dims [0, 1] sizes [8, 2, 2]
// CHECK: %[[Z2:.*]] = tenon.and
// CHECK: %[[Z3:.*]] = tenon.reshape %[[Z2]] sizes [8, 4]
// CHECK: %[[Z4:.*]] = tenon.slice %[[Z3]] offsets [0, 0] sizes [8, 3]
// CHECK: %[[Z5:.*]] = tenon.cast %[[Z4]] : tensor<8x3xui8> -> tensor<8x3xf32>
// CHECK: %[[Z6:.*]] = tenon.broadcast %[[Z5]] dims [0, 1] sizes [8, 3, 16]
// CHECK: %[[W6:.*]] = tenon.sub %[[W5]], %[[Z6]]
// CHECK: %[[S1:.*]] = tenon.reshape %[[S]] sizes [8, 3]
// CHECK: %[[S2:.*]] = tenon.broadcast %[[S1]] dims [0, 1] sizes [8, 3, 16]
// CHECK: %[[W7:.*]] = tenon.mul %[[W6]], %[[S2]]
// CHECK: %[[W8:.*]] = tenon.reshape %[[W7]] sizes [8, 48]
// CHECK: %[[W9:.*]] = tenon.slice %[[W8]] offsets [0, 0] sizes [8, 40]
// CHECK: tenon.contract %[[X]], %[[W9]] {{.*}} : tensor<?x40xf32>, tensor<8x40xf32> -> tensor<?x8xf32>
func.func @blocks(%x: tensor<?x40xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %w: tensor<8x3x8xui8>, %s: tensor<24xf32>, %z: tensor<16xui8>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s, %z) {N = 8 : i64, K = 40 : i64, bits = 4 : i64, block_size = 16 : i64} : (tensor<?x40xf32>, tensor<8x3x8xui8>, tensor<24xf32>, tensor<16xui8>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Nothing to unpack or to cut; the zero point is 2^7. Scales are applied in f32.
// CHECK-LABEL: func.func @bytes(
// CHECK-SAME: %[[X:.*]]: tensor<2x32xf16>, %[[W:.*]]: tensor<8x2x16xui8>, %[[S:.*]]: tensor<8x2xf16>, %[[B:.*]]: tensor<8xf16>
// CHECK-NOT: tenon.shr
// CHECK: %[[W1:.*]] = tenon.cast %[[W]] : tensor<8x2x16xui8> -> tensor<8x2x16xf32>
// CHECK: tenon.constant dense<1.280000e+02> : tensor<f32>
// CHECK: %[[W2:.*]] = tenon.sub %[[W1]], %{{.*}} : tensor<8x2x16xf32>
// CHECK: %[[S1:.*]] = tenon.cast %[[S]] : tensor<8x2xf16> -> tensor<8x2xf32>
// CHECK: %[[S2:.*]] = tenon.broadcast %[[S1]] dims [0, 1] sizes [8, 2, 16]
// CHECK: %[[W3:.*]] = tenon.mul %[[W2]], %[[S2]]
// CHECK: %[[W4:.*]] = tenon.reshape %[[W3]] sizes [8, 32]
// CHECK-NOT: tenon.slice
// CHECK: %[[W5:.*]] = tenon.cast %[[W4]] : tensor<8x32xf32> -> tensor<8x32xf16>
// CHECK: %[[Y:.*]] = tenon.contract %[[X]], %[[W5]] {{.*}} -> tensor<2x8xf16>
// CHECK: %[[B1:.*]] = tenon.broadcast %[[B]] dims [1] sizes [2, 8]
// CHECK: tenon.add %[[Y]], %[[B1]] : tensor<2x8xf16>
func.func @bytes(%x: tensor<2x32xf16>, %w: tensor<8x2x16xui8>, %s: tensor<8x2xf16>, %b: tensor<8xf16>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s, %none, %none, %b) {N = 8 : i64, K = 32 : i64, bits = 8 : i64, block_size = 16 : i64} : (tensor<2x32xf16>, tensor<8x2x16xui8>, tensor<8x2xf16>, none, none, tensor<8xf16>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[A:.*]]: tensor<2x5x4xf32>, %[[B:.*]]: tensor<3x5xf32>
// CHECK: %[[Y:.*]] = tenon.contract %[[A]], %[[B]] {{.*}} -> tensor<2x4x3xf32>
// CHECK: tenon.constant dense<5.000000e-01> : tensor<f32>
// CHECK: tenon.mul %[[Y]], %{{.*}} : tensor<2x4x3xf32>
func.func @transposed(%a: tensor<2x5x4xf32>, %b: tensor<3x5xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "FusedMatMul" domain "com.microsoft" version 1 (%a, %b) {transA = 1 : i64, transB = 1 : i64, alpha = 5.0e-1 : f32} : (tensor<2x5x4xf32>, tensor<3x5xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @normalized(
// CHECK-SAME: %[[X:.*]]: tensor<?x4x8xf32> {{.*}}, %[[S:.*]]: tensor<4x8xf32>, %[[G:.*]]: tensor<8xf32>
// CHECK: %[[S1:.*]] = tenon.broadcast %[[S]] dims [1, 2] sizes [%[[N:.*]], 4, 8]
// CHECK: %[[SUM:.*]] = tenon.add %[[X]], %[[S1]] : tensor<?x4x8xf32>
// CHECK: %[[N1:.*]] = tenon.normalize %[[SUM]] dims [2] epsilon 0.001{{.*}} {rms}
// CHECK: %[[Y1:.*]] = tenon.mul %[[N1]],
// CHECK: %[[A1:.*]] = tenon.add %[[X]],
// CHECK: %[[G1:.*]] = tenon.broadcast %[[G]] dims [2] sizes [%[[N]], 4, 8]
// CHECK: %[[A2:.*]] = tenon.add %[[A1]], %[[G1]]
// CHECK-NOT: rms
// CHECK: %[[N2:.*]] = tenon.normalize %[[A2]] dims [2]
// CHECK: %[[Y2:.*]] = tenon.mul %[[N2]],
// CHECK: %[[N3:.*]] = tenon.normalize %[[X]] dims [2] epsilon 0.001{{.*}} {rms}
// CHECK: %[[Y3:.*]] = tenon.mul %[[N3]],
// CHECK: return %[[Y1]], %[[SUM]], %[[Y2]], %[[Y3]]
func.func @normalized(%x: tensor<?x4x8xf32> {tenon.name = "x", tenon.dims = ["n", "", ""]}, %s: tensor<4x8xf32>, %g: tensor<8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %0:4 = tenon_onnx.node "SkipSimplifiedLayerNormalization" domain "com.microsoft" version 1 (%x, %s, %g) {epsilon = 1.0e-3 : f32} : (tensor<?x4x8xf32>, tensor<4x8xf32>, tensor<8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  %1 = tenon_onnx.node "SkipLayerNormalization" domain "com.microsoft" version 1 (%x, %s, %g, %none, %g) {epsilon = 1.0e-3 : f32} : (tensor<?x4x8xf32>, tensor<4x8xf32>, tensor<8xf32>, none, tensor<8xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "SimplifiedLayerNormalization" version 17 (%x, %g) {epsilon = 1.0e-3 : f32} : (tensor<?x4x8xf32>, tensor<8xf32>) -> !tenon_onnx.unknown
  return %0#0, %0#3, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @activations(
// CHECK-SAME: %[[X:.*]]: tensor<4x8xf32>, %[[B:.*]]: tensor<8xf32>
// CHECK: %[[Y1:.*]] = tenon.gelu %[[X]] : tensor<4x8xf32>
// CHECK: %[[B1:.*]] = tenon.broadcast %[[B]] dims [1]
// CHECK: %[[S:.*]] = tenon.add %[[X]], %[[B1]]
// CHECK: %[[Y2:.*]] = tenon.gelu %[[S]] : tensor<4x8xf32>
// CHECK: %[[Y3:.*]] = tenon.gelu %[[X]] {tanh} : tensor<4x8xf32>
// CHECK: tenon.constant dense<1.702000e+00>
// CHECK: %[[M:.*]] = tenon.mul %[[X]],
// CHECK: %[[Q:.*]] = tenon.sigmoid %[[M]]
// CHECK: %[[Y4:.*]] = tenon.mul %[[X]], %[[Q]]
// CHECK: return %[[Y1]], %[[Y2]], %[[Y3]], %[[Y4]]
func.func @activations(%x: tensor<4x8xf32>, %b: tensor<8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Gelu" domain "com.microsoft" version 1 (%x) {} : (tensor<4x8xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "BiasGelu" domain "com.microsoft" version 1 (%x, %b) {} : (tensor<4x8xf32>, tensor<8xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "FastGelu" domain "com.microsoft" version 1 (%x) {} : (tensor<4x8xf32>) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "QuickGelu" domain "com.microsoft" version 1 (%x) {} : (tensor<4x8xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}
