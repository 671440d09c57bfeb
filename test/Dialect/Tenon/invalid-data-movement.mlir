// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @elements(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects 6 elements in the result, but has 8}}
  %0 = tenon.reshape %x sizes [8] : tensor<2x3xf32> -> tensor<8xf32>
  return
}

// -----

func.func @sizes(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{expects 1 sizes, but has 2}}
  %0 = tenon.reshape %x sizes [8, 1] : tensor<?x3xf32> -> tensor<?xf32>
  return
}

// -----

func.func @size(%x: tensor<?x3xf32>) {
  // expected-error @+1 {{expects size 9 of result dimension 0, but it is 6}}
  %0 = tenon.reshape %x sizes [9] : tensor<?x3xf32> -> tensor<6xf32>
  return
}

// -----

func.func @element_type(%x: tensor<?x3xf32>, %n: index) {
  // expected-error @+1 {{expects operand and result of one element type, but has 'f32' and 'f64'}}
  %0 = tenon.reshape %x sizes [%n] : tensor<?x3xf32> -> tensor<?xf64>
  return
}

// -----

func.func @broadcast_dims(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects ascending dims below 3, but has 0}}
  %0 = tenon.broadcast %x dims [1, 0] sizes [4, 2, 3] : tensor<2x3xf32> -> tensor<4x2x3xf32>
  return
}

// -----

func.func @broadcast_size(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects size 1 or 5 of the operand dimension that becomes 2, but it is 3}}
  %0 = tenon.broadcast %x dims [1, 2] sizes [4, 2, 5] : tensor<2x3xf32> -> tensor<4x2x5xf32>
  return
}

// -----

func.func @permutation(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects a permutation of 2 dimensions}}
  %0 = tenon.transpose %x [0, 0] : tensor<2x3xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @slice(%x: tensor<8xf32>) {
  // expected-error @+1 {{reads places 2 to 8 of dimension 0, which has 8}}
  %0 = tenon.slice %x offsets [2] sizes [3] strides [3] : tensor<8xf32> -> tensor<3xf32>
  return
}

// -----

func.func @pad_repeats_nothing(%x: tensor<2x0xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{'tenon.pad' op has no elements to repeat in dimension 1}}
  %0 = tenon.pad edge %x, %v low [0, 1] high [0, 0] : tensor<2x0xf32>, tensor<f32> -> tensor<2x1xf32>
  return
}

// -----

func.func @pad(%x: tensor<8xf32>, %v: tensor<1xf32>) {
  // expected-error @+1 {{expects a value of rank 0, but has 'tensor<1xf32>'}}
  %0 = tenon.pad constant %x, %v low [1] high [1] : tensor<8xf32>, tensor<1xf32> -> tensor<10xf32>
  return
}

// -----

func.func @concat(%x: tensor<8x2xf32>, %y: tensor<8x3xf32>) {
  // expected-error @+1 {{expects size 2 of dimension 1 in every operand, but one has 3}}
  %0 = tenon.concat %x, %y dim 0 : tensor<8x2xf32>, tensor<8x3xf32> -> tensor<16x2xf32>
  return
}

// -----

func.func @iota() {
  // expected-error @+1 {{expects a dimension below 1, but has 1}}
  %0 = tenon.iota dim 1 sizes [4] : tensor<4xi64>
  return
}

// -----

func.func @blob() {
  // expected-error @+1 {{a blob of 'tensor<4xf32>' takes 16 bytes, not 15}}
  %0 = tenon.constant #tenon.blob<"weights.bin", 0, 15> : tensor<4xf32>
  return
}

// -----

func.func @gather(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>) {
  // expected-error @+1 {{expects 2 positions in the last dimension of indices, but has 1}}
  %0 = tenon.gather error %x, %i dims [0, 1] batch_dims 0 : tensor<4x5xf32>, tensor<3x1xi64> -> tensor<3xf32>
  return
}

// -----

func.func @gather_mode(%x: tensor<4x5xf32>, %i: tensor<3x1xi64>) {
  // expected-error @+1 {{expects mode error, clamp or wrap}}
  %0 = tenon.gather drop %x, %i dims [0] batch_dims 0 : tensor<4x5xf32>, tensor<3x1xi64> -> tensor<3x5xf32>
  return
}

// -----

func.func @scatter_updates(%x: tensor<8x4xf32>, %i: tensor<3x1xi64>, %u: tensor<3x5xf32>) {
  // expected-error @+1 {{expects updates of type 'tensor<3x4xf32>', but has 'tensor<3x5xf32>'}}
  %0 = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<8x4xf32>, tensor<3x1xi64>, tensor<3x5xf32>
  return
}

// -----

func.func @scatter_mean(%x: tensor<8x4xf32>, %i: tensor<3x1xi64>, %u: tensor<3x4xf32>) {
  // expected-error @+1 {{expects sum, prod, min or max, but has mean}}
  %0 = tenon.scatter error mean %x, %i, %u dims [0] batch_dims 0 : tensor<8x4xf32>, tensor<3x1xi64>, tensor<3x4xf32>
  return
}

// -----

func.func @topk_size(%x: tensor<8x4xf32>) {
  // expected-error @+1 {{expects k from 0 to the size of dimension 1, but has 5}}
  %v, %i = tenon.topk %x dim 1 k [5] : tensor<8x4xf32> -> tensor<8x5xf32>, tensor<8x5xi64>
  return
}

// -----

func.func @topk_values(%x: tensor<8x4xf32>) {
  // expected-error @+1 {{expects values of type 'tensor<8x2xf32>' and indices of that shape, but has 'tensor<8x2xf64>' and 'tensor<8x2xi64>'}}
  %v, %i = tenon.topk %x dim 1 k [2] : tensor<8x4xf32> -> tensor<8x2xf64>, tensor<8x2xi64>
  return
}

// -----

func.func @suppress_candidates(%c: tensor<i1>, %b: tensor<4xf32>, %t: tensor<f32>, %n: tensor<i64>) {
  // expected-error @+1 {{expects candidates of rank 1 or more, but has 'tensor<i1>'}}
  %0 = tenon.suppress %c, %b threshold %t most %n : tensor<i1>, tensor<4xf32>, tensor<f32>, tensor<i64>
  return
}

// -----

func.func @suppress_boxes(%c: tensor<8xi1>, %b: tensor<8x4xf32>, %t: tensor<f32>, %n: tensor<i64>) {
  // expected-error @+1 {{expects boxes of type 'tensor<4x8xf32>', but has 'tensor<8x4xf32>'}}
  %0 = tenon.suppress %c, %b threshold %t most %n : tensor<8xi1>, tensor<8x4xf32>, tensor<f32>, tensor<i64>
  return
}

// -----

func.func @pad_operands(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{'tenon.pad' op expects one operand per dynamic low amount, but has 0 for 1}}
  %0 = "tenon.pad"(%x, %v) <{mode = 0 : i32, static_low = array<i64: -9223372036854775808>, static_high = array<i64: 0>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> : (tensor<4xf32>, tensor<f32>) -> tensor<?xf32>
  return
}

// -----

func.func @pad_size(%x: tensor<4xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{'tenon.pad' op expects size 6 of result dimension 0, but it is 7}}
  %0 = tenon.pad constant %x, %v low [1] high [1] : tensor<4xf32>, tensor<f32> -> tensor<7xf32>
  return
}

// -----

func.func @slice_operands(%x: tensor<8xf32>, %o: index) {
  // expected-error @+1 {{'tenon.slice' op expects one operand per dynamic offset, but has 1 for 0}}
  %0 = "tenon.slice"(%x, %o) <{static_offsets = array<i64: 0>, static_sizes = array<i64: 2>, static_strides = array<i64: 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> : (tensor<8xf32>, index) -> tensor<2xf32>
  return
}

// -----

func.func @slice_overflow(%x: tensor<8xf32>) {
  // expected-error @+1 {{reads places 1 to}}
  %0 = tenon.slice %x offsets [1] sizes [3] strides [9223372036854775807] : tensor<8xf32> -> tensor<3xf32>
  return
}

// -----

func.func @concat_size(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expects size 6 of result dimension 1, but it is 7}}
  %0 = tenon.concat %x, %x dim 1 : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x7xf32>
  return
}

// -----

func.func @pad_to_negative(%x: tensor<3xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{expects sizes that aren't negative, but result dimension 0 would have -2}}
  %0 = tenon.pad constant %x, %v low [-5] high [0] : tensor<3xf32>, tensor<f32> -> tensor<?xf32>
  return
}

// -----

func.func @pad_beside_unknown_size(%x: tensor<?x3xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{expects size 5 of result dimension 1, but it is 4}}
  %0 = tenon.pad constant %x, %v low [0, 1] high [0, 1] : tensor<?x3xf32>, tensor<f32> -> tensor<?x4xf32>
  return
}

// -----

func.func @gather_batch(%x: tensor<4x5xf32>, %i: tensor<3x2x1xi64>) {
  // expected-error @+1 {{expects one size of batch dimension 0, but has 4 and 3}}
  %0 = tenon.gather error %x, %i dims [1] batch_dims 1 : tensor<4x5xf32>, tensor<3x2x1xi64> -> tensor<3x2xf32>
  return
}

// -----

func.func @scatter_batch(%x: tensor<4x5xf32>, %i: tensor<3x2x1xi64>, %u: tensor<3x2xf32>) {
  // expected-error @+1 {{expects one size of batch dimension 0, but has 4 and 3}}
  %0 = tenon.scatter error %x, %i, %u dims [1] batch_dims 1 : tensor<4x5xf32>, tensor<3x2x1xi64>, tensor<3x2xf32>
  return
}

// -----

func.func @wide_indices(%x: tensor<4x5xf32>, %i: tensor<3x1xi128>) {
  // expected-error @+1 {{operand #1 must be ranked tensor of integer of 64, 32, 16 or at most 8 bits values, but got 'tensor<3x1xi128>'}}
  %0 = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<4x5xf32>, tensor<3x1xi128> -> tensor<3x5xf32>
  return
}

// -----

func.func @strings_as_numbers() {
  // expected-error @+1 {{expects strings one by one, and nothing else as strings}}
  %0 = tenon.constant dense<["a", "b"]> : tensor<2x!tenon.opt<tensor<f32>>>
  return
}

// -----

// Groups that add up, of other numbers of operands.
func.func @no_operand(%x: tensor<2xf32>, %v: tensor<f32>) {
  // expected-error @+1 {{expects 1 operand in group 0 of 'operandSegmentSizes', but has 0}}
  %0 = "tenon.pad"(%x, %v) <{mode = 0 : i32, operandSegmentSizes = array<i32: 0, 2, 0, 0>, static_low = array<i64: 1>, static_high = array<i64: 1>}> : (tensor<2xf32>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @two_operands(%x: tensor<2xf32>, %i: index) {
  // expected-error @+1 {{expects 1 operand in group 0 of 'operandSegmentSizes', but has 0}}
  %0 = "tenon.slice"(%i) <{operandSegmentSizes = array<i32: 0, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808>, static_sizes = array<i64: 1>, static_strides = array<i64: 1>}> : (index) -> tensor<1xf32>
  return
}
