// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<?x8xf32> {tenon.name = "x", tenon.dims = ["batch", ""]}, %c: tensor<i1>) -> !tenon_onnx.unknown {
  %w = tenon.constant dense<1.0> : tensor<4x8xf32>
  // CHECK: %[[NONE:.*]] = tenon_onnx.none
  %none = tenon_onnx.none
  // CHECK: tenon_onnx.node "Gemm" version 17(%{{.*}}, %{{.*}}, %[[NONE]]) {transB = 1 : i64} : (tensor<?x8xf32>, tensor<4x8xf32>, none) -> !tenon_onnx.unknown
  %y = tenon_onnx.node "Gemm" version 17 (%x, %w, %none) {transB = 1 : i64} : (tensor<?x8xf32>, tensor<4x8xf32>, none) -> !tenon_onnx.unknown
  // CHECK: tenon_onnx.node "If" domain "ai.onnx" version 17(%{{.*}}) {} regions ["then_branch", "else_branch"]
  %z = tenon_onnx.node "If" domain "ai.onnx" version 17 (%c) {} regions ["then_branch", "else_branch"] {
    tenon_onnx.yield %y : !tenon_onnx.unknown
  }, {
    %n = tenon_onnx.node "Neg" version 17 (%y) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
    tenon_onnx.yield %n : !tenon_onnx.unknown
  } : (tensor<i1>) -> !tenon_onnx.unknown
  return %z : !tenon_onnx.unknown
}
