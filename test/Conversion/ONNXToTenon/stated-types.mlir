// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// What the model states of an output is a hint: the operators have the last word.
// CHECK-LABEL: func.func @output(
// CHECK-SAME: -> (tensor<3x4xf32> {tenon.name = "y"})
func.func @output(%x: tensor<4x3xf32>) -> (tensor<3x5xf32> {tenon.dims = ["", ""], tenon.name = "y"}) {
  // expected-warning @+1 {{output 'y' has type 'tensor<3x4xf32>', but the model states 'tensor<3x5xf32>'}}
  %0 = tenon_onnx.node "Transpose" version 13 (%x) {} : (tensor<4x3xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

// So are ranks, a vector of one and a scalar.
// CHECK-LABEL: func.func @kinds(
// CHECK-SAME: -> (tensor<1xi64>, tensor<4x3xf32>)
func.func @kinds(%x: tensor<4x3xf32>) -> (tensor<i64>, tensor<?xf32>) {
  // expected-warning @+1 {{output '0' has type 'tensor<1xi64>', but the model states 'tensor<i64>'}}
  %0 = tenon_onnx.node "Shape" version 15 (%x) {end = 1 : i64} : (tensor<4x3xf32>) -> tensor<i64>
  // expected-warning @+1 {{output '1' has type 'tensor<4x3xf32>', but the model states 'tensor<?xf32>'}}
  %1 = tenon_onnx.node "Neg" version 13 (%x) {} : (tensor<4x3xf32>) -> tensor<?xf32>
  return %0, %1 : tensor<i64>, tensor<?xf32>
}

// -----

// Of values inside, one warning: an exporter that gets one wrong gets all wrong.
// CHECK-LABEL: func.func @inside(
func.func @inside(%x: tensor<4x3xf32>) -> !tenon_onnx.unknown {
  // expected-warning @+1 {{'Transpose' (opset 13) has type 'tensor<3x4xf32>', but the model states 'tensor<3x5xf32>'; 1 other result has another type than is stated, too}}
  %0 = tenon_onnx.node "Transpose" version 13 (%x) {} : (tensor<4x3xf32>) -> tensor<3x5xf32>
  %1 = tenon_onnx.node "Transpose" version 13 (%0) {} : (tensor<3x5xf32>) -> tensor<f32>
  %2 = tenon_onnx.node "Neg" version 13 (%1) {} : (tensor<f32>) -> tensor<?x3xf32>
  %3 = tenon_onnx.node "Neg" version 13 (%2) {} : (tensor<?x3xf32>) -> !tenon_onnx.unknown
  return %3 : !tenon_onnx.unknown
}

// -----

// A subgraph that is converted several times warns once.
// CHECK-LABEL: func.func @loop(
func.func @loop(%m: tensor<i64>, %x: tensor<?x4xf32>) -> !tenon_onnx.unknown {
  %true = tenon.constant dense<true> : tensor<i1>
  %0 = tenon_onnx.node "Loop" version 16 (%m, %true, %x) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %v: tensor<?x4xf32>):
    %a = tenon_onnx.node "Concat" version 13 (%v, %x) {axis = 0 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> !tenon_onnx.unknown
    // expected-warning @+1 {{'Neg' (opset 13) has type 'tensor<?x4xf32>', but the model states 'tensor<?xf32>'}}
    %b = tenon_onnx.node "Neg" version 13 (%a) {} : (!tenon_onnx.unknown) -> tensor<?xf32>
    tenon_onnx.yield %c, %b : tensor<i1>, tensor<?xf32>
  } : (tensor<i64>, tensor<i1>, tensor<?x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
