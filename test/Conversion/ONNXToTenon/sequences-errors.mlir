// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(convert-onnx-to-tenon)"

func.func @rank(%s: !tenon.seq<tensor<*xf32>>, %i: tensor<i64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'SequenceAt' (opset 11) is not supported: the rank of the result is not known}}
  %0 = tenon_onnx.node "SequenceAt" version 11(%s, %i) {} : (!tenon.seq<tensor<*xf32>>, tensor<i64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @sequence(%x: tensor<4xf32>) -> tensor<i64> {
  // expected-error @+1 {{'SequenceLength' (opset 11) expects a sequence as operand 0, but has 'tensor<4xf32>'}}
  %0 = tenon_onnx.node "SequenceLength" version 11(%x) {} : (tensor<4xf32>) -> tensor<i64>
  return %0 : tensor<i64>
}

// -----

func.func @insert(%s: !tenon.seq<tensor<?xf32>>, %x: tensor<4xi64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{cannot insert 'tensor<4xi64>' into '!tenon.seq<tensor<?xf32>>'}}
  %0 = tenon_onnx.node "SequenceInsert" version 11(%s, %x) {} : (!tenon.seq<tensor<?xf32>>, tensor<4xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @numbers(%s: !tenon.seq<tensor<?xf32>>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Abs' (opset 13) is not supported: operand 0 has type '!tenon.seq<tensor<?xf32>>'}}
  %0 = tenon_onnx.node "Abs" version 13(%s) {} : (!tenon.seq<tensor<?xf32>>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @function(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'CallExternal' (opset 1) expects the attribute 'function'}}
  %0 = tenon_onnx.node "CallExternal" domain "tenon" version 1(%x) {} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @stated(%x: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{expects the model to state types of all results}}
  %0 = tenon_onnx.node "CallExternal" domain "tenon" version 1(%x) {function = "f"} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @strings(%x: tensor<4xf32>, %y: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'StringConcat' (opset 20) expects elements of type string as operand 0, but has 'tensor<4xf32>'}}
  %0 = tenon_onnx.node "StringConcat" version 20(%x, %y) {} : (tensor<4xf32>, tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
