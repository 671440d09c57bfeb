// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon)" 2>&1 | FileCheck %s

// One error for all nodes of an operator, at the first; what an exporter says about where a node comes from is a note.
// CHECK: error: {{.*}}'Mystery' (opset 15) is not supported: no conversion of the operator is known; 4 nodes: 'a', 'b', 'c', ...
// CHECK: error: {{.*}}'Add' (opset 15) cannot broadcast sizes 4 and 3
// CHECK: note: {{.*}}it comes from 'encoder.layer.0' at model.py:12
// CHECK-NOT: error:
func.func @main(%x: tensor<4xf32>, %y: tensor<3xf32>, %c: tensor<i1>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Mystery" version 15 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown loc("a")
  %1 = tenon_onnx.node "If" version 15 (%c) {} regions ["then_branch", "else_branch"] {
    %2 = tenon_onnx.node "Mystery" version 15 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown loc("b")
    tenon_onnx.yield %2 : !tenon_onnx.unknown
  }, {
    %2 = tenon_onnx.node "Mystery" version 15 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown loc("c")
    tenon_onnx.yield %2 : !tenon_onnx.unknown
  } : (tensor<i1>) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "Mystery" version 15 (%1) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown loc("d")
  %4 = tenon_onnx.node "Add" version 15 (%x, %y) {} {tenon_onnx.origin = "'encoder.layer.0' at model.py:12"} : (tensor<4xf32>, tensor<3xf32>) -> !tenon_onnx.unknown
  return %3 : !tenon_onnx.unknown
}
