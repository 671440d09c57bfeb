// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Integers that follow from constants, by floating-point numbers and conditions too, are computed as they are read.
// CHECK-LABEL: func.func @constants(
// CHECK: tenon.slice %{{.*}} offsets [0] sizes [2] strides [1] : tensor<8xf32> -> tensor<2xf32>
func.func @constants(%x: tensor<8xf32>) -> !tenon_onnx.unknown {
  %a = tenon.constant dense<[5.5]> : tensor<1xf32>
  %b = tenon.constant dense<[7]> : tensor<1xi64>
  %zero = tenon.constant dense<[0]> : tensor<1xi64>
  %f = tenon_onnx.node "Floor" version 13 (%a) {} : (tensor<1xf32>) -> !tenon_onnx.unknown
  %i = tenon_onnx.node "Cast" version 13 (%f) {to = 7 : i64} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %m = tenon_onnx.node "Mod" version 13 (%b, %i) {} : (tensor<1xi64>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %less = tenon_onnx.node "Less" version 13 (%m, %i) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %end = tenon_onnx.node "Where" version 16 (%less, %m, %b) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "Slice" version 13 (%x, %zero, %end) {} : (tensor<8xf32>, tensor<1xi64>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// A result whose length follows from its elements.
// CHECK-LABEL: func.func @length(
// CHECK: tenon.reshape %{{.*}} sizes [2, 4] : tensor<8xf32> -> tensor<2x4xf32>
func.func @length(%x: tensor<8xf32>) -> !tenon_onnx.unknown {
  %v = tenon.constant dense<[0, 3, 0, 5]> : tensor<4xi64>
  %n = tenon_onnx.node "NonZero" version 13 (%v) {} : (tensor<4xi64>) -> !tenon_onnx.unknown
  %axis = tenon.constant dense<[0]> : tensor<1xi64>
  %s = tenon_onnx.node "Squeeze" version 13 (%n, %axis) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<[1, 1]> : tensor<2xi64>
  %p = tenon_onnx.node "Add" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<2xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "Reshape" version 13 (%x, %p) {} : (tensor<8xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// What is known of symbolic sizes: that they aren't negative.
// CHECK-DAG: #[[MOD:.*]] = affine_map<()[s0] -> (s0 mod 4)>
// CHECK-LABEL: func.func @symbols(
// CHECK: %[[N:.*]] = tenon.symbol "n"
// CHECK: %[[REST:.*]] = affine.apply #[[MOD]]()[%[[N]]]
// CHECK: tenon.reshape %{{.*}} sizes [%[[REST]], %[[N]], %[[N]], 0]
func.func @symbols(%x: tensor<?xf32> {tenon.name = "x", tenon.dims = ["n"]}, %y: tensor<?xf32> {tenon.name = "y", tenon.dims = ["m"]}) -> !tenon_onnx.unknown {
  %four = tenon.constant dense<[4]> : tensor<1xi64>
  %none = tenon.constant dense<[-1]> : tensor<1xi64>
  %zero = tenon.constant dense<[0]> : tensor<1xi64>
  %n = tenon_onnx.node "Shape" version 15 (%x) {} : (tensor<?xf32>) -> !tenon_onnx.unknown
  %mod = tenon_onnx.node "Mod" version 13 (%n, %four) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %max = tenon_onnx.node "Max" version 13 (%none, %n) {} : (tensor<1xi64>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %neg = tenon_onnx.node "Neg" version 13 (%none) {} : (tensor<1xi64>) -> !tenon_onnx.unknown
  %more = tenon_onnx.node "Mul" version 13 (%neg, %n) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %abs = tenon_onnx.node "Abs" version 13 (%more) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %min = tenon_onnx.node "Min" version 13 (%n, %zero) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %all = tenon_onnx.node "Concat" version 13 (%mod, %max, %abs, %min) {axis = 0 : i64} : (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "Reshape" version 14 (%y, %all) {allowzero = 1 : i64} : (tensor<?xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
