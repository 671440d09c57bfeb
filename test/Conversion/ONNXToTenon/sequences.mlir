// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// What is put into an empty sequence gives it its type.
// CHECK-LABEL: func.func @empty(
// CHECK-SAME: %[[X:.*]]: tensor<2x3xf32>
func.func @empty(%x: tensor<2x3xf32>, %i: tensor<1xi32>) -> !tenon_onnx.unknown {
  // CHECK: %[[NONE:.*]] = tenon.sequence() : () -> !tenon.seq<tensor<2x3xf32>>
  // CHECK: %[[S:.*]] = tenon.sequence_insert %[[NONE]], %[[X]] : !tenon.seq<tensor<2x3xf32>>, tensor<2x3xf32> -> !tenon.seq<tensor<2x3xf32>>
  // CHECK: %[[I:.*]] = tenon.cast %{{.*}} : tensor<i32> -> tensor<i64>
  // CHECK: tenon.sequence_at %[[S]], %[[I]] : !tenon.seq<tensor<2x3xf32>>, tensor<i64> -> tensor<2x3xf32>
  %0 = tenon_onnx.node "SequenceEmpty" version 11() {dtype = 1 : i64} : () -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "SequenceInsert" version 11(%0, %x) {} : (!tenon_onnx.unknown, tensor<2x3xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "SequenceAt" version 11(%1, %i) {} : (!tenon_onnx.unknown, tensor<1xi32>) -> !tenon_onnx.unknown
  return %2 : !tenon_onnx.unknown
}

// -----

// Sizes that differ are unknown.
// CHECK-LABEL: func.func @construct(
func.func @construct(%a: tensor<2x3xf32>, %b: tensor<4x3xf32>) -> tensor<?x3xf32> {
  // CHECK: %[[S:.*]] = tenon.sequence(%{{.*}}, %{{.*}}) : (tensor<2x3xf32>, tensor<4x3xf32>) -> !tenon.seq<tensor<?x3xf32>>
  // CHECK: tenon.sequence_concat %[[S]] dim 0 : !tenon.seq<tensor<?x3xf32>> -> tensor<?x3xf32>
  %0 = tenon_onnx.node "SequenceConstruct" version 11(%a, %b) {} : (tensor<2x3xf32>, tensor<4x3xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "ConcatFromSequence" version 11(%0) {axis = -2 : i64} : (!tenon_onnx.unknown) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// -----

// CHECK-LABEL: func.func @optional(
func.func @optional(%x: tensor<4xf32>, %o: !tenon.opt<tensor<4xf32>>) -> (tensor<i1>, tensor<i1>, tensor<4xf32>) {
  // A tensor is there.
  // CHECK: %[[TRUE:.*]] = tenon.constant dense<true> : tensor<i1>
  %0 = tenon_onnx.node "OptionalHasElement" version 18(%x) {} : (tensor<4xf32>) -> tensor<i1>
  // CHECK: %[[HAS:.*]] = tenon.optional_has
  %1 = tenon_onnx.node "OptionalHasElement" version 18(%o) {} : (!tenon.opt<tensor<4xf32>>) -> tensor<i1>
  // CHECK: %[[GET:.*]] = tenon.optional_get
  %2 = tenon_onnx.node "OptionalGetElement" version 18(%o) {} : (!tenon.opt<tensor<4xf32>>) -> tensor<4xf32>
  // CHECK: return %[[TRUE]], %[[HAS]], %[[GET]]
  return %0, %1, %2 : tensor<i1>, tensor<i1>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func.func @external(
func.func @external(%x: tensor<?x4xf32> {tenon.dims = ["n", ""], tenon.name = "x"}) -> tensor<?x4xf32> {
  // CHECK: %[[N:.*]] = tenon.symbol "n"
  // CHECK: %[[Y:.*]] = tenon.call_external "scale" library "vendor"(%{{.*}}) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: tenon.bind_shape %[[Y]] [%[[N]], 4]
  %0 = tenon_onnx.node "CallExternal" domain "tenon" version 1(%x) {function = "scale", library = "vendor", sizes_of = array<i64: 0>} : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
