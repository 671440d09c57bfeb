// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @results() {
  // expected-error @+1 {{'tenon_host.segment' op expects results of the types that it yields}}
  %0 = tenon_host.segment 0 -> index {
    %true = arith.constant true
    tenon_host.yield %true : i1
  }
  return
}

// -----

func.func @yields(%n: index) {
  // expected-error @+1 {{'tenon_host.yield' op expects parent op 'tenon_host.segment'}}
  tenon_host.yield %n : index
}

// -----

func.func @unknown() {
  // expected-error @+1 {{'tenon_host.plan' op is computed by @p, which is no plan}}
  tenon_host.plan 0 @p() : () -> ()
  return
}

// -----

func.func private @p()
func.func @no_plan() {
  // expected-error @+1 {{'tenon_host.plan' op is computed by @p, which is no plan}}
  tenon_host.plan 0 @p() : () -> ()
  return
}

// -----

func.func private @of_itself() attributes {tenon_host.plan} {
  // expected-error @+1 {{'tenon_host.plan' op has no place in a plan}}
  tenon_host.plan 0 @of_itself() : () -> ()
  return
}

// -----

func.func private @p() -> index attributes {tenon_host.plan}
func.func @other_results() {
  // expected-error @+1 {{'tenon_host.plan' op expects data and results of the types of @p}}
  tenon_host.plan 0 @p() : () -> i1
  return
}

// -----

func.func private @p(index) attributes {tenon_host.plan}
func.func @other_data() {
  // expected-error @+1 {{'tenon_host.plan' op expects data and results of the types of @p}}
  tenon_host.plan 0 @p() : () -> ()
  return
}

// -----

func.func @bytes_of_another_rank(%n: index) {
  // expected-error @+1 {{'tenon_host.buffer_bytes' op expects 2 sizes with one operand per dynamic one}}
  %0 = tenon_host.buffer_bytes sizes [%n] : memref<?x4xf32>
  return
}

// -----

func.func @rows_of_constants(%n: index) {
  // expected-error @+1 {{'tenon_host.check_rows' op expects an input or an output}}
  tenon_host.check_rows constant 0 sizes [%n, 4] strides [4]
  return
}

// -----

func.func @rows_without_strides(%n: index) {
  // expected-error @+1 {{'tenon_host.check_rows' op expects strides of all dimensions but the last, but has 0 of 2 dimensions}}
  tenon_host.check_rows input 0 sizes [%n, 4] strides []
  return
}

// -----

func.func @bytes_of_an_input(%n: index) {
  // expected-error @+1 {{'tenon_host.storage' op expects bytes of a buffer of the arena, or of one that grows}}
  %0 = tenon_host.storage input 0 sizes [4] bytes %n : memref<4xf32>
  return
}

// -----

// expected-error @+1 {{'builtin.module' op expects 'tenon_host.plan' to be a mark of a function}}
module attributes {tenon_host.plan} {}

// -----

func.func @view(%x: tensor<4xf32>) {
  // expected-error @+1 {{'tenon.neg' op expects 'tenon_host.view' to be a mark of a slice}}
  %0 = tenon.neg %x {tenon_host.view} : tensor<4xf32>
  return
}

// -----

func.func @placed(%x: tensor<4xf32>) {
  // expected-error @+1 {{'tenon.neg' op expects 'tenon_host.placed' to be numbers of operands of a concat or pad}}
  %0 = tenon.neg %x {tenon_host.placed = array<i64: 0>} : tensor<4xf32>
  return
}

// -----

func.func @placed_beyond(%x: tensor<4xf32>) {
  // expected-error @+1 {{'tenon.concat' op expects 'tenon_host.placed' to be ascending numbers below 2, but has array<i64: 0, 2>}}
  %0 = tenon.concat %x, %x dim 0 {tenon_host.placed = array<i64: 0, 2>} : tensor<4xf32>, tensor<4xf32> -> tensor<8xf32>
  return
}
