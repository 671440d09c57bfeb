module {
  module @node {
    func.func @main(%arg0: tensor<?x8xf32> {tenon.dims = ["batch", ""], tenon.name = "x"}, %arg1: tensor<i1>) -> !tenon_onnx.unknown {
      %0 = tenon.constant dense<1.000000e+00> : tensor<4x8xf32>
      %1 = tenon_onnx.none
      %2 = tenon_onnx.node "Gemm" version 17(%arg0, %0, %1) {transB = 1 : i64} : (tensor<?x8xf32>, tensor<4x8xf32>, none) -> !tenon_onnx.unknown
      %3 = tenon_onnx.node "If" domain "ai.onnx" version 17(%arg1) {} regions ["then_branch", "else_branch"] {
        tenon_onnx.yield %2 : !tenon_onnx.unknown
      }, {
        %4 = tenon_onnx.node "Neg" version 17(%2) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
        tenon_onnx.yield %4 : !tenon_onnx.unknown
      } : (tensor<i1>) -> !tenon_onnx.unknown
      return %3 : !tenon_onnx.unknown
    }
  }
}
