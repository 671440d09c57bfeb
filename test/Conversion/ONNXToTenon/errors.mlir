// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(convert-onnx-to-tenon)"

// All at once; what depends on a failed node stays silent.
func.func @several(%x: tensor<4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  // expected-error @+1 {{'Mystery' (opset 15) is not supported: no conversion of the operator is known}}
  %0 = tenon_onnx.node "Mystery" version 15 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Neg" version 15 (%0) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Nonsense' (opset 1) is not supported: no conversion of the operator is known in domain 'com.acme'}}
  %2 = tenon_onnx.node "Nonsense" domain "com.acme" version 1 (%1) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  // expected-error @+1 {{'IsNaN' (opset 6) is not supported: the oldest form of the operator that is known is of opset 9, export the model at that or a later one}}
  %3 = tenon_onnx.node "IsNaN" version 6 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Sub' (opset 15) expects 2 operands, but has 1}}
  %4 = tenon_onnx.node "Sub" version 15 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %2, %4 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

func.func @broadcast(%x: tensor<4x3xf32>, %y: tensor<5x3xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Mul' (opset 15) cannot broadcast sizes 4 and 5}}
  %0 = tenon_onnx.node "Mul" version 15 (%x, %y) {} : (tensor<4x3xf32>, tensor<5x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @element_types(%x: tensor<4xf32>, %y: tensor<4xf64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Mul' (opset 15) expects operands of one element type, but has 'f32' and 'f64'}}
  %0 = tenon_onnx.node "Mul" version 15 (%x, %y) {} : (tensor<4xf32>, tensor<4xf64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @attribute(%x: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Softmax' (opset 13) expects an integer as attribute 'axis', but has "one"}}
  %0 = tenon_onnx.node "Softmax" version 13 (%x) {axis = "one"} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @axis(%x: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Softmax' (opset 13) expects an axis from -1 to 0, but has 1}}
  %0 = tenon_onnx.node "Softmax" version 13 (%x) {axis = 1 : i64} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @conv(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32>, %v: tensor<4x2x3x3xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  // expected-error @+1 {{'Conv' (opset 11) expects a filter of the sizes in kernel_shape (5, 5), but has 'tensor<4x3x3x3xf32>'}}
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w) {kernel_shape = array<i64: 5, 5>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Conv' (opset 11) cannot take operands of types 'tensor<1x3x8x8xf32>', 'tensor<4x2x3x3xf32>': expects input channels (3) to be groups (1) x filter channels (2)}}
  %1 = tenon_onnx.node "Conv" version 11 (%x, %v) {} : (tensor<1x3x8x8xf32>, tensor<4x2x3x3xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

func.func @conv_size(%x: tensor<1x3x2x2xf32>, %w: tensor<4x3x5x5xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{expects sizes that aren't negative, but result dimension 2 would have -2}}
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w) {} : (tensor<1x3x2x2xf32>, tensor<4x3x5x5xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @amount(%x: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Pad' (opset 2) has a size or an amount of -9223372036854775808}}
  %0 = tenon_onnx.node "Pad" version 2 (%x) {pads = array<i64: -9223372036854775808, 0>} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @reshape(%x: tensor<4x3xf32>) -> !tenon_onnx.unknown {
  %s = tenon.constant dense<[5, -1]> : tensor<2xi64>
  // expected-error @+1 {{'Reshape' (opset 13) cannot divide 12 elements into rows of 5}}
  %0 = tenon_onnx.node "Reshape" version 13 (%x, %s) {} : (tensor<4x3xf32>, tensor<2xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @rank(%x: tensor<4x3xf32>, %s: tensor<?xi64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Reshape' (opset 13) is not supported: the number of sizes in 'tensor<?xi64>' is not known when compiling; fix 'input1_0' when compiling: --size input1_0=N of tenon-compile, or sizes of tenon.compile}}
  %0 = tenon_onnx.node "Reshape" version 13 (%x, %s) {} : (tensor<4x3xf32>, tensor<?xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @axes(%x: tensor<4x3xf32>, %a: tensor<?xi64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'ReduceSum' (opset 13) is not supported: the rank of the result follows from the number of axes in 'tensor<?xi64>', which is not known when compiling; fix 'input1_0' when compiling: --size input1_0=N of tenon-compile, or sizes of tenon.compile}}
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x, %a) {keepdims = 0 : i64} : (tensor<4x3xf32>, tensor<?xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @many_axes(%x: tensor<4x3xf32>, %a: tensor<3xi64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'ReduceSum' (opset 13) expects at most 2 different axes, but has 3}}
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x, %a) {} : (tensor<4x3xf32>, tensor<3xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @matmul(%x: tensor<4x3xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMul' (opset 13) expects as many columns of the first matrix as rows of the second, but has 'tensor<4x3xf32>' and 'tensor<4x3xf32>'}}
  %0 = tenon_onnx.node "MatMul" version 13 (%x, %x) {} : (tensor<4x3xf32>, tensor<4x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @input(%x: !tenon_onnx.unknown {tenon.name = "x"}) -> !tenon_onnx.unknown { // expected-error {{input 'x' has type '!tenon_onnx.unknown', but a tensor of known rank is expected}}
  %0 = tenon_onnx.node "Neg" version 13 (%x) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @strings(%x: tensor<4x!tenon.string>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Less' (opset 13) is not supported: operand 0 holds strings}}
  %0 = tenon_onnx.node "Less" version 13 (%x, %x) {} : (tensor<4x!tenon.string>, tensor<4x!tenon.string>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @branches(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4x1xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'If' (opset 16) is not supported: the subgraphs give 'tensor<4xf32>' and 'tensor<4x1xf32>' as one result, of different rank or element type}}
  %0 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    tenon_onnx.yield %x : tensor<4xf32>
  }, {
    tenon_onnx.yield %y : tensor<4x1xf32>
  } : (tensor<i1>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @counts(%c: tensor<i1>, %x: tensor<4xf32>, %y: tensor<4x1xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    // expected-error @+1 {{'If' (opset 16) expects 1 results of the subgraph that holds it, but it has 2}}
    %1 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
      tenon_onnx.yield %x : tensor<4xf32>
    }, {
      tenon_onnx.yield %y : tensor<4x1xf32>
    } : (tensor<i1>) -> !tenon_onnx.unknown
    tenon_onnx.yield %1, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
  }, {
    tenon_onnx.yield %x : tensor<4xf32>
  } : (tensor<i1>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @carried(%n: tensor<i64>, %x: tensor<4xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %axis = tenon.constant dense<0> : tensor<1xi64>
  // expected-error @+1 {{'Loop' (opset 16) is not supported: carried value 0 changes from 'tensor<1x4xf32>' to 'tensor<1x1x4xf32>'}}
  %0 = tenon_onnx.node "Loop" version 16 (%n, %none, %x) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %a: !tenon_onnx.unknown):
    %s = tenon_onnx.node "Unsqueeze" version 16 (%a, %axis) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
    tenon_onnx.yield %c, %s : tensor<i1>, !tenon_onnx.unknown
  } : (tensor<i64>, none, tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @inside(%n: tensor<i64>, %x: tensor<4xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "Loop" version 16 (%n, %none, %x) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %a: !tenon_onnx.unknown):
    %s = tenon_onnx.node "Neg" version 16 (%a) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
    // expected-error @+1 {{'Einsum' (opset 16) expects one term per operand in 'i,i->i', but has 1 operands}}
    %e = tenon_onnx.node "Einsum" version 16 (%a) {equation = "i,i->i"} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
    // expected-error @+1 {{'Softmax' (opset 16) expects an axis from -1 to 0, but has 3}}
    %t = tenon_onnx.node "Softmax" version 16 (%a) {axis = 3 : i64} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
    tenon_onnx.yield %c, %t : tensor<i1>, !tenon_onnx.unknown
  } : (tensor<i64>, none, tensor<4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @ellipses(%a: tensor<4xf32>, %b: tensor<2x4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Einsum' (opset 12) expects each '...' to stand for as many dimensions, but has 0 in '...i' and 1 in '...i'}}
  %0 = tenon_onnx.node "Einsum" version 12 (%a, %b) {equation = "...i,...i->..."} : (tensor<4xf32>, tensor<2x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @scales_without_end(%x: tensor<4x4xf32>, %s: tensor<4611686018427387904xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'Resize' (opset 19) expects as many scales as axes, but has 'tensor<4611686018427387904xf32>'}}
  %0 = tenon_onnx.node "Resize" version 19 (%x, %none, %s) {} : (tensor<4x4xf32>, none, tensor<4611686018427387904xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @region(%x: tensor<4x4xf32>, %r: tensor<3xf32>, %s: tensor<2xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Resize' (opset 19) expects a region of 4 numbers, but has 'tensor<3xf32>'}}
  %0 = tenon_onnx.node "Resize" version 19 (%x, %r, %s) {coordinate_transformation_mode = "tf_crop_and_resize"} : (tensor<4x4xf32>, tensor<3xf32>, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @coordinates(%x: tensor<4x4xf32>, %s: tensor<2xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  // expected-error @+1 {{'Resize' (opset 19) expects a known coordinate_transformation_mode, but has 'middle'}}
  %0 = tenon_onnx.node "Resize" version 19 (%x, %none, %s) {coordinate_transformation_mode = "middle"} : (tensor<4x4xf32>, none, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @batch_of_lengths(%n: tensor<2xi64>, %x: tensor<2x4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Scan' (opset 8) is not supported: sequences of different lengths in a batch}}
  %0 = tenon_onnx.node "Scan" version 8 (%n, %x) {num_scan_inputs = 1 : i64} regions ["body"] {
  ^bb0(%a: tensor<f32>):
    tenon_onnx.yield %a : tensor<f32>
  } : (tensor<2xi64>, tensor<2x4xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// What the standard says of element types.
func.func @operand_types(%i: tensor<4xi32>, %f: tensor<4xf32>, %b: tensor<4xi1>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  // expected-error @+1 {{'Exp' (opset 13) expects elements of type float32, float16, float64 or bfloat16 as operand 0, but has 'tensor<4xi32>'}}
  %0 = tenon_onnx.node "Exp" version 13 (%i) {} : (tensor<4xi32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Xor' (opset 7) expects elements of type bool as operand 1, but has 'tensor<4xf32>'}}
  %1 = tenon_onnx.node "Xor" version 7 (%b, %f) {} : (tensor<4xi1>, tensor<4xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Abs' (opset 13) does not take 'tensor<4xi1>' as operand 0}}
  %2 = tenon_onnx.node "Abs" version 13 (%b) {} : (tensor<4xi1>) -> !tenon_onnx.unknown
  return %0, %1, %2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// An error ends a node, wherever it shows: nothing goes on with half a result.
func.func @matmul_batches(%x: tensor<3x4x8xf32>, %y: tensor<2x8x6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'MatMul' (opset 17) cannot broadcast sizes 3 and 2}}
  %0 = tenon_onnx.node "MatMul" version 17 (%x, %y) {} : (tensor<3x4x8xf32>, tensor<2x8x6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @range_of_floats(%x: tensor<2xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{expects scalars of one type}}
  %0 = tenon_onnx.node "Range" version 11 (%x, %x, %x) {} : (tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @many_axes(%x: tensor<4x3xf32>, %axes: tensor<1099511627776xi64>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'ReduceSum' (opset 13) expects at most 4096 sizes or axes, but has 'tensor<1099511627776xi64>'}}
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x, %axes) {} : (tensor<4x3xf32>, tensor<1099511627776xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Elements that an output doesn't have are an error, all of them at once.
func.func @elements(%x: tensor<4x3xf32>) -> (tensor<4x3xf32> {tenon.name = "y"}, tensor<*xf16> {tenon.name = "z"}) {
  // expected-error @+1 {{output 'y' has elements of 'i1', but the model states 'f32': state the former, or cast to the latter}}
  %0 = tenon_onnx.node "IsNaN" version 13 (%x) {} : (tensor<4x3xf32>) -> tensor<4x3xf32>
  // expected-error @+1 {{output 'z' has elements of 'f32', but the model states 'f16'}}
  %1 = tenon_onnx.node "Neg" version 13 (%x) {} : (tensor<4x3xf32>) -> tensor<*xf16>
  return %0, %1 : tensor<4x3xf32>, tensor<*xf16>
}

// -----

func.func @nothing_returned(%x: tensor<4x3xf32>) -> (none, !tenon_onnx.unknown, none) {
  %0 = tenon_onnx.none
  %1 = tenon_onnx.node "Neg" version 13 (%x) {} : (tensor<4x3xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "NonZero" version 13 (%x) {} : (tensor<4x3xf32>) -> none
  // expected-error @+2 {{output 0 is stated to be none, but a value is expected}}
  // expected-error @+1 {{output 2 is stated to be none, but a value is expected}}
  return %0, %1, %2 : none, !tenon_onnx.unknown, none
}

// -----

func.func @needs_what_failed(%c: tensor<i1>, %x: tensor<4xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Mystery' (opset 15) is not supported: no conversion of the operator is known}}
  %0 = tenon_onnx.node "Mystery" version 15 (%x) {} : (tensor<4xf32>) -> tensor<4xf32>
  %1 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    tenon_onnx.yield %x : tensor<4xf32>
  }, {
    %2 = tenon.neg %0 : tensor<4xf32>
    tenon_onnx.yield %2 : tensor<4xf32>
  } : (tensor<i1>) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

func.func @between_nodes(%x: tensor<4xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Neg" version 15 (%x) {} : (tensor<4xf32>) -> tensor<4xf32>
  // expected-error @+1 {{'tenon.neg' op takes what a node gives, but is none}}
  %1 = tenon.neg %0 : tensor<4xf32>
  %2 = tenon_onnx.node "Neg" version 15 (%1) {} : (tensor<4xf32>) -> !tenon_onnx.unknown
  return %2 : !tenon_onnx.unknown
}

// -----

func.func @around_nodes(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.if' op has regions, which in a model only nodes may have}}
  %0 = tenon.if %c -> tensor<4xf32> {
    %1 = tenon_onnx.node "Neg" version 15 (%x) {} : (tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %1 : tensor<4xf32>
  } else {
    tenon.yield %x : tensor<4xf32>
  }
  return %0 : tensor<4xf32>
}

// -----

func.func @boxes(%x: tensor<1x4x8xf32>, %s: tensor<1x2x8xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'NonMaxSuppression' (opset 11) expects boxes [N, B, 4], but has 'tensor<1x4x8xf32>'}}
  %0 = tenon_onnx.node "NonMaxSuppression" version 11 (%x, %s) {} : (tensor<1x4x8xf32>, tensor<1x2x8xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @real_parts(%x: tensor<2x8x3xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'DFT' (opset 20) expects floating-point numbers with a last dimension of 1 or 2, the parts of complex ones, but has 'tensor<2x8x3xf32>'}}
  %0 = tenon_onnx.node "DFT" version 20 (%x) {} : (tensor<2x8x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @rectangle(%x: tensor<2x8x3xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'Det' (opset 22) expects square matrices of floating-point numbers, but has 'tensor<2x8x3xf32>'}}
  %0 = tenon_onnx.node "Det" version 22 (%x) {} : (tensor<2x8x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @deformed(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %o: tensor<1x16x6x6xf32>) -> !tenon_onnx.unknown {
  // expected-error @+1 {{'DeformConv' (opset 22) expects 18 offsets, but has 16}}
  %0 = tenon_onnx.node "DeformConv" version 22 (%x, %w, %o) {} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<1x16x6x6xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

func.func @sizes_before_broadcasting(%x: tensor<2x3x4xf32>, %y: tensor<3x4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  // expected-error @+1 {{'Add' (opset 6) expects operands of equal sizes where broadcast isn't set, but has 'tensor<2x3x4xf32>' and 'tensor<3x4xf32>'}}
  %0 = tenon_onnx.node "Add" version 6 (%x, %y) {} : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Add' (opset 6) expects dimensions from 2 on for all of 'tensor<3x4xf32>', but has 'tensor<2x3x4xf32>'}}
  %1 = tenon_onnx.node "Add" version 6 (%x, %y) {broadcast = 1 : i64, axis = 2 : i64} : (tensor<2x3x4xf32>, tensor<3x4xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// What the standard says of attributes, which may change with the version, and of results. Tools keep notes of their own.
func.func @signatures(%x: tensor<4x3xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  // expected-error @+1 {{'ReduceSum' (opset 13) has no attribute 'axes', only keepdims, noop_with_empty_axes}}
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x) {axes = array<i64: 1>} : (tensor<4x3xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Abs' (opset 13) has no attribute 'alpha'}}
  %1 = tenon_onnx.node "Abs" version 13 (%x) {alpha = 1.0 : f32} : (tensor<4x3xf32>) -> !tenon_onnx.unknown
  // expected-error @+1 {{'Exp' (opset 13) gives at most 1 results, but has 2}}
  %2:2 = tenon_onnx.node "Exp" version 13 (%x) {} : (tensor<4x3xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  %3 = tenon_onnx.node "Neg" version 13 (%x) {__note = "from somewhere"} : (tensor<4x3xf32>) -> !tenon_onnx.unknown
  return %0, %1, %2#0, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}
