// RUN: %tenon_opt %s -split-input-file --verify-diagnostics --pass-pipeline="builtin.module(convert-onnx-to-tenon)"

func.func @sizes(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects positive N and K, but has 0 and 32}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @bits(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) is not supported: weights of 3 bits}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {N = 3 : i64, K = 32 : i64, bits = 3 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @block(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects a power of 2 of at least 16 as block_size, but has 24}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {N = 3 : i64, K = 32 : i64, block_size = 24 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @order(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>, %g: tensor<31xi32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects the group of each of the 32 columns (g_idx), but has 'tensor<31xi32>'}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s, %none, %g) {N = 3 : i64, K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<6xf32>, none, tensor<31xi32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @rows(%x: tensor<2x32xi32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects floating-point rows, but has 'tensor<2x32xi32>'}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {N = 3 : i64, K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xi32>, tensor<3x2x8xui8>, tensor<6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @weights(%x: tensor<2x32xf32>, %w: tensor<3x16xui8>, %s: tensor<6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects weights of 'tensor<3x2x8xui8>', but has 'tensor<3x16xui8>'}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {N = 3 : i64, K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x16xui8>, tensor<6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @scales(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<3xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects 6 elements in operand 2, but has 'tensor<3xf32>'}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s) {N = 3 : i64, K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @zeros(%x: tensor<2x32xf32>, %w: tensor<3x2x8xui8>, %s: tensor<6xf32>, %z: tensor<3xi8>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMulNBits' (opset 1) expects zero points in bytes or in floating point, but has 'tensor<3xi8>'}}
  %0 = tenon_onnx.node "MatMulNBits" domain "com.microsoft" version 1 (%x, %w, %s, %z) {N = 3 : i64, K = 32 : i64, block_size = 16 : i64} : (tensor<2x32xf32>, tensor<3x2x8xui8>, tensor<6xf32>, tensor<3xi8>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @batch(%a: tensor<3x2x4xf32>, %b: tensor<2x4x5xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'FusedMatMul' (opset 1) cannot broadcast sizes 3 and 2}}
  %0 = tenon_onnx.node "FusedMatMul" domain "com.microsoft" version 1 (%a, %b) {} : (tensor<3x2x4xf32>, tensor<2x4x5xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @mixed(%a: tensor<3x4xf32>, %b: tensor<4x5xf16>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'FusedMatMul' (opset 1) expects operands of one element type, but has 'f32' and 'f16'}}
  %0 = tenon_onnx.node "FusedMatMul" domain "com.microsoft" version 1 (%a, %b) {} : (tensor<3x4xf32>, tensor<4x5xf16>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @scalar(%x: tensor<f32>, %g: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'SkipLayerNormalization' (opset 1) expects an operand of rank 1 or more, but has 'tensor<f32>'}}
  %0 = tenon_onnx.node "SkipLayerNormalization" domain "com.microsoft" version 1 (%x, %x, %g) {} : (tensor<f32>, tensor<f32>, tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
