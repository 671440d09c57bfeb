// RUN: %tenon_opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" -split-input-file -verify-diagnostics

func.func @graph_op(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.exp' op has no place in the host program: run tenon-form-kernels before}}
  %0 = tenon.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @scanned_strings(%n: tensor<i64>, %c: tensor<i1>, %s: tensor<2x!tenon.string>) -> tensor<?x2x!tenon.string> {
  // expected-error @+1 {{collects scan values of type 'tensor<?x2x!tenon.string>', which no buffer holds}}
  %0 = tenon.loop %n, %c -> tensor<?x2x!tenon.string> {
  ^bb0(%i: tensor<i64>):
    tenon.yield %c, %s : tensor<i1>, tensor<2x!tenon.string>
  }
  return %0 : tensor<?x2x!tenon.string>
}

// -----

func.func @strings_of_another_shape(%s: tensor<2x!tenon.string>) -> tensor<1x2x!tenon.string> {
  // expected-error @+1 {{takes or gives 'tensor<2x!tenon.string>', which no buffer holds: tenon-form-host-calls}}
  %0 = tenon.reshape %s sizes [1, 2] : tensor<2x!tenon.string> -> tensor<1x2x!tenon.string>
  return %0 : tensor<1x2x!tenon.string>
}

// -----

func.func @branch_to_number(%c: tensor<i1>) -> tensor<i1> {
  // expected-error @+1 {{expects results that are tensors of known rank, sequences or optionals, but has 'index'}}
  %0 = tenon.if %c -> index {
    %1 = arith.constant 1 : index
    tenon.yield %1 : index
  } else {
    %2 = arith.constant 2 : index
    tenon.yield %2 : index
  }
  return %c : tensor<i1>
}

// -----

func.func private @k(tensor<4xf32>) -> tensor<4xf32>
func.func @buffers_already(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has no place in the host program: it has buffers already}}
  %0 = memref.alloc() : memref<4xf32>
  tenon_host.launch @k ins(%0 : memref<4xf32>) outs(%0 : memref<4xf32>)
  return %x : tensor<4xf32>
}

// -----

func.func @negative(%x: tensor<?xf32>, %v: tensor<f32>) -> tensor<?xf32> {
  tenon.bind_shape %x [4] : tensor<?xf32>
  // expected-error @+1 {{would have -2 as size 0}}
  %0 = tenon.pad constant %x, %v low [-3] high [-3] : tensor<?xf32>, tensor<f32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// expected-error @+1 {{sizes of input 0 are bound to what isn't computed from symbols}}
func.func @bound_to_data(%x: tensor<?xf32>, %n: tensor<i64>) -> tensor<?xf32> {
  %0 = tenon.item %n at 0 : tensor<i64>
  tenon.bind_shape %x [%0] : tensor<?xf32>
  return %x : tensor<?xf32>
}

// -----

// expected-error @+1 {{'func.func' op has buffers already, but a program on tensors is expected}}
func.func private @plan() -> index attributes {tenon_host.plan} {
  %m = tenon.symbol "m"
  return %m : index
}

// -----

// What reads a tensor of a loop's body stays, the tensor doesn't.
func.func private @more(index)

func.func @read_in_loop(%n: tensor<i64>, %c: tensor<i1>) -> tensor<?x4xf32> {
  %r = tenon.loop %n, %c -> tensor<?x4xf32> {
  ^bb0(%i: tensor<i64>):
    // expected-error @+1 {{'unknown.op' op has no place in the host program: run tenon-form-kernels before}}
    %size = "unknown.op"(%i) : (tensor<i64>) -> index
    %to = tensor.empty() : tensor<4xf32>
    %x = tenon_host.launch @more symbols(%size) outs(%to : tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return %r : tensor<?x4xf32>
}
