// Nodes of a model that states no types: they follow from its inputs, and ops are cut off on both sides.
// RUN: tenon-reduce %s --test=%python --test-arg=%S/Inputs/interesting.py --test-arg="LSTM" --test-arg=-- --test-arg="" \
// RUN:   --test-arg="--pass-pipeline=builtin.module(convert-onnx-to-tenon)" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// CHECK: func.func @main(
// CHECK-NOT: tenon_onnx.node
// CHECK: tenon_onnx.node "LSTM" version 14({{.*}}) {} : (tensor<1x1x1xf32>, tensor<1x4x1xf32>, tensor<1x4x1xf32>)
// CHECK-NOT: tenon_onnx.node
// CHECK: return

func.func @main(%x: tensor<?x5x10xf32> {tenon.dims = ["t", "", ""], tenon.name = "x"},
                %w: tensor<1x64x10xf32> {tenon.name = "w"}, %r: tensor<1x64x16xf32> {tenon.name = "r"})
    -> (tensor<*xf32> {tenon.name = "y"}, tensor<*xf32> {tenon.name = "z"}) {
  %0 = tenon_onnx.node "Exp" version 14(%x) {} : (tensor<?x5x10xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Mul" version 14(%0, %x) {} : (!tenon_onnx.unknown, tensor<?x5x10xf32>) -> !tenon_onnx.unknown
  %y:3 = tenon_onnx.node "LSTM" version 14(%1, %w, %r) {direction = "forward", hidden_size = 16 : i64}
    : (!tenon_onnx.unknown, tensor<1x64x10xf32>, tensor<1x64x16xf32>) -> (!tenon_onnx.unknown, none, !tenon_onnx.unknown)
  %2 = tenon_onnx.node "Squeeze" version 13(%y#2) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "Softmax" version 13(%2) {axis = 1 : i64} : (!tenon_onnx.unknown) -> tensor<*xf32>
  %4 = tenon_onnx.node "ReduceMax" version 13(%y#0) {keepdims = 0 : i64} : (!tenon_onnx.unknown) -> tensor<*xf32>
  return %3, %4 : tensor<*xf32>, tensor<*xf32>
}
