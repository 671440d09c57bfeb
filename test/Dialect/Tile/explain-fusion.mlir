// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-kernels{explain})"

// What is one kernel needs no words.
func.func @fused(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.exp %x : tensor<4x8xf32>
  %1 = tenon.neg %0 : tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

func.func @two_products(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  // expected-remark @+1 {{is more than one kernel: 'tenon.contract' and 'tenon.contract' compute more than arithmetic on elements: each has a kernel of its own}}
  %1 = tenon.contract %0, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}

// -----

// What a contraction reads lies in memory.
func.func @before_a_product(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = tenon.exp %x : tensor<8x8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': 'tenon.contract' reads its operands from memory, more than once}}
  %1 = tenon.contract %0, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}

// -----

func.func @order(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.exp %x : tensor<4x8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': 'tenon.scan' goes through its elements in order, in a kernel of its own}}
  %1 = tenon.scan sum %0 dim 1 : tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

func.func @other_rows(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.softmax %x dims [1] : tensor<4x8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.softmax': 'tenon.softmax' and 'tenon.normalize' go along different rows}}
  %1 = tenon.normalize %0 dims [0] epsilon 1.0e-5 : tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

func.func @repeated(%x: tensor<8xf32>, %y: tensor<400x8xf32>) -> tensor<400x8xf32> {
  %0 = tenon.exp %x : tensor<8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': what 'tenon.broadcast' repeats would be computed again each time}}
  %1 = tenon.broadcast %0 dims [1] sizes [400, 8] : tensor<8xf32> -> tensor<400x8xf32>
  %2 = tenon.add %1, %y : tensor<400x8xf32>
  return %2 : tensor<400x8xf32>
}

// -----

// A few elements are computed again in less time than a launch takes.
func.func @repeated_a_little(%x: tensor<8xf32>, %y: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.exp %x : tensor<8xf32>
  %1 = tenon.broadcast %0 dims [1] sizes [4, 8] : tensor<8xf32> -> tensor<4x8xf32>
  %2 = tenon.add %1, %y : tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}

// -----

// How many there will be isn't known.
func.func @repeated_any_times(%x: tensor<8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %n = tenon.symbol "n"
  tenon.bind_shape %y [%n, 8] : tensor<?x8xf32>
  %0 = tenon.exp %x : tensor<8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': what 'tenon.broadcast' repeats would be computed again each time}}
  %1 = tenon.broadcast %0 dims [1] sizes [%n, 8] : tensor<8xf32> -> tensor<?x8xf32>
  %2 = tenon.add %1, %y : tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}

// -----

func.func @between(%x: tensor<4x8xf32>) -> tensor<32xf32> {
  %0 = tenon.exp %x : tensor<4x8xf32>
  %1 = tenon.reshape %0 sizes [32] : tensor<4x8xf32> -> tensor<32xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': 'tenon.reshape' between them says how the elements lie in memory}}
  %2 = tenon.neg %1 : tensor<32xf32>
  return %2 : tensor<32xf32>
}

// -----

// One kernel of the first and the last would need the sum's result before it could begin.
func.func @detour(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = tenon.exp %x : tensor<4x8xf32>
  // expected-remark @+1 {{isn't in one kernel with 'tenon.exp': 'tenon.scan' goes through its elements in order, in a kernel of its own}}
  %1 = tenon.scan sum %0 dim 1 : tensor<4x8xf32>
  // expected-remark @+2 {{isn't in one kernel with 'tenon.exp': what is computed between them needs the one, and the other needs it}}
  // expected-remark @+1 {{isn't in one kernel with 'tenon.scan': 'tenon.scan' goes through its elements in order, in a kernel of its own}}
  %2 = tenon.add %0, %1 : tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}
