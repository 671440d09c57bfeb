// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(tenon-kernels)"

// What passes ask of a program, each an error with a reason where it doesn't hold.

// expected-error @+1 {{size 0 of input 0 is not bound: tenon.bind_shape}}
func.func @unbound(%a: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = tenon.exp %a : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// expected-error @+1 {{size 1 of input 0 is not bound: tenon.bind_shape}}
func.func @bound_to_itself(%a: tensor<4x?xf32>) -> tensor<4x?xf32> {
  %n = tenon.size %a dim 1 : tensor<4x?xf32>
  tenon.bind_shape %a [4, %n] : tensor<4x?xf32>
  %0 = tenon.exp %a : tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// -----

// expected-error @+1 {{'func.func' op expects tensors of known rank, sequences or optionals, but argument 1 has type 'index'}}
func.func @index_argument(%x: tensor<4xf32>, %m: index) -> tensor<?xf32> {
  %y = tenon.broadcast %x dims [0] sizes [%m] : tensor<4xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// expected-error @+1 {{'func.func' op expects tensors of known rank, sequences or optionals, but result 0 has type 'i1'}}
func.func @truth_result(%x: tensor<4xf32>) -> i1 {
  %y = arith.constant true
  return %y : i1
}

// -----

// expected-error @+1 {{'func.func' op has buffers already, but a program on tensors is expected: one that tenon-kernels has not seen}}
func.func @placed() {
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  return
}

// -----

// expected-error @+1 {{'func.func' op expects one block, but has 2}}
func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}

// -----

func.func @countable(%x: tensor<f32>) -> tensor<f32> {
  // expected-error @+1 {{'tenon.broadcast' op has more than 2^56 elements: 'tensor<4294967296x4294967296xf32>'}}
  %y = tenon.broadcast %x dims [] sizes [4294967296, 4294967296] : tensor<f32> -> tensor<4294967296x4294967296xf32>
  return %x : tensor<f32>
}

// -----

// A function without a body is none of theirs.
func.func private @declared(tensor<?xf32>) -> tensor<?xf32>

// -----

func.func @symbol_inside(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %y = tenon.loop %n, %c carried(%x : tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<?xf32>):
    // expected-error @+1 {{'tenon.symbol' op expects to stand in a function, outside of loops and branches}}
    %s = tenon.symbol "n"
    tenon.bind_shape %x [%s] : tensor<?xf32>
    tenon.yield %c, %v : tensor<i1>, tensor<?xf32>
  }
  return %y : tensor<?xf32>
}

// -----

func.func @wide(%x: tensor<2x3xi129>) -> tensor<3x2xi129> {
  // expected-error @+1 {{'tenon.transpose' op expects integers of at most 64 bits, but has 'tensor<2x3xi129>'}}
  %y = tenon.transpose %x [1, 0] : tensor<2x3xi129> -> tensor<3x2xi129>
  return %y : tensor<3x2xi129>
}
