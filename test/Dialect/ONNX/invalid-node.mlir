// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

func.func @version(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tenon_onnx.node' op expects a positive version, but has 0}}
  %y = tenon_onnx.node "Neg" version 0 (%x) {} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @names(%c: tensor<i1>) {
  // expected-error@+1 {{'tenon_onnx.node' op expects 1 region names, but has 2}}
  tenon_onnx.node "If" version 17 (%c) {} regions ["then_branch", "else_branch"] {
    tenon_onnx.yield
  } : (tensor<i1>) -> ()
  return
}

// -----

func.func @terminator(%c: tensor<i1>) {
  // expected-error@+1 {{'tenon_onnx.node' op expects subgraphs that end with tenon_onnx.yield}}
  tenon_onnx.node "If" version 17 (%c) {} regions ["then_branch"] {
    %n = tenon_onnx.none
  } : (tensor<i1>) -> ()
  return
}
