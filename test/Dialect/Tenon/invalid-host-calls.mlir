// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @name() {
  // expected-error @+1 {{expects a name of the function}}
  %0 = tenon.call_external "" () : () -> tensor<4xf32>
  return
}

// -----

func.func @result() {
  // expected-error @+1 {{expects results that are tensors of known rank, sequences or optionals, but has 'tensor<*xf32>'}}
  %0 = tenon.call_external "f" () : () -> tensor<*xf32>
  return
}

// -----

func.func @operands(%a: tensor<2xf32>, %b: tensor<3xi64>) {
  // expected-error @+1 {{expects operands of type 'tensor<?xf32>', but has 'tensor<3xi64>'}}
  %s = tenon.sequence (%a, %b) : (tensor<2xf32>, tensor<3xi64>) -> !tenon.seq<tensor<?xf32>>
  return
}

// -----

func.func @insert(%s: !tenon.seq<tensor<?xf32>>, %a: tensor<2x2xf32>) {
  // expected-error @+1 {{expects a value of type 'tensor<?xf32>', but has 'tensor<2x2xf32>'}}
  %0 = tenon.sequence_insert %s, %a : !tenon.seq<tensor<?xf32>>, tensor<2x2xf32> -> !tenon.seq<tensor<?xf32>>
  return
}

// -----

func.func @insert_into(%s: !tenon.seq<tensor<?xf32>>, %a: tensor<2xf32>) {
  // expected-error @+1 {{expects a sequence that fits into '!tenon.seq<tensor<?x?xf32>>', but has '!tenon.seq<tensor<?xf32>>'}}
  %0 = tenon.sequence_insert %s, %a : !tenon.seq<tensor<?xf32>>, tensor<2xf32> -> !tenon.seq<tensor<?x?xf32>>
  return
}

// -----

func.func @at(%s: !tenon.seq<tensor<?xf32>>, %i: tensor<i64>) {
  // expected-error @+1 {{expects a result of type 'tensor<?xf32>', but has 'tensor<?xi32>'}}
  %0 = tenon.sequence_at %s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xi32>
  return
}

// -----

func.func @concat_dim(%s: !tenon.seq<tensor<?xf32>>) {
  // expected-error @+1 {{expects a dimension below 1, but has 1}}
  %0 = tenon.sequence_concat %s dim 1 : !tenon.seq<tensor<?xf32>> -> tensor<?xf32>
  return
}

// -----

func.func @concat_rank(%s: !tenon.seq<tensor<?xf32>>) {
  // expected-error @+1 {{expects tensors that make up 'tensor<?x?xf32>', but has '!tenon.seq<tensor<?xf32>>'}}
  %0 = tenon.sequence_concat %s dim 0 : !tenon.seq<tensor<?xf32>> -> tensor<?x?xf32>
  return
}

// -----

func.func @split_dim(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects a dimension below 1, but has 1}}
  %0 = tenon.sequence_split %x dim 1 : tensor<4xf32> -> !tenon.seq<tensor<1xf32>>
  return
}

// -----

func.func @split_drop(%x: tensor<4xf32>, %n: tensor<i64>) {
  // expected-error @+1 {{expects parts of size 1 where their dimension is dropped}}
  %0 = tenon.sequence_split %x by %n dim 0 drop_dim : tensor<4xf32>, tensor<i64> -> !tenon.seq<tensor<f32>>
  return
}

// -----

func.func @split_sizes(%x: tensor<4xf32>, %n: tensor<1x1xi64>) {
  // expected-error @+1 {{expects one size or a list of sizes, but has 'tensor<1x1xi64>'}}
  %0 = tenon.sequence_split %x by %n dim 0 : tensor<4xf32>, tensor<1x1xi64> -> !tenon.seq<tensor<?xf32>>
  return
}

// -----

func.func @split_parts(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects parts of type 'tensor<2xf32>', but has 'tensor<1xf32>'}}
  %0 = tenon.sequence_split %x dim 0 : tensor<4xf32> -> !tenon.seq<tensor<2xf32>>
  return
}

// -----

func.func @optional(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects a value of type 'tensor<5xf32>', but has 'tensor<4xf32>'}}
  %0 = tenon.optional %x : tensor<4xf32> -> !tenon.opt<tensor<5xf32>>
  return
}

// -----

func.func @get(%o: !tenon.opt<tensor<4xf32>>) {
  // expected-error @+1 {{expects a result of type 'tensor<4xf32>', but has 'tensor<4xi1>'}}
  %0 = tenon.optional_get %o : !tenon.opt<tensor<4xf32>> -> tensor<4xi1>
  return
}

// -----

func.func @concat_numbers(%x: tensor<4xf32>) {
  // expected-error @+1 {{must be tensor of strings}}
  %0 = tenon.string_concat %x, %x : tensor<4xf32>
  return
}

// -----

func.func @case(%x: tensor<4x!tenon.string>) {
  // expected-error @+1 {{expects "lower", "upper" or "none", but has "title"}}
  %0 = tenon.string_normalize "title" %x without [] : tensor<4x!tenon.string> -> tensor<?x!tenon.string>
  return
}

// -----

func.func @rows(%x: tensor<2x4x!tenon.string>) {
  // expected-error @+1 {{expects rank 1, or one row, but has 'tensor<2x4x!tenon.string>'}}
  %0 = tenon.string_normalize "none" %x without [] : tensor<2x4x!tenon.string> -> tensor<2x?x!tenon.string>
  return
}

// -----

func.func @normalized(%x: tensor<4x!tenon.string>) {
  // expected-error @+1 {{expects a result of rank 1, but has 'tensor<1x?x!tenon.string>'}}
  %0 = tenon.string_normalize "none" %x without [] : tensor<4x!tenon.string> -> tensor<1x?x!tenon.string>
  return
}

// -----

func.func @parts(%x: tensor<4x!tenon.string>) {
  // expected-error @+1 {{expects parts of rank 2 and counts of rank 1, but has 'tensor<?x!tenon.string>' and 'tensor<4xi64>'}}
  %0:2 = tenon.string_split %x delimiter "," max_splits 1 : tensor<4x!tenon.string> -> tensor<?x!tenon.string>, tensor<4xi64>
  return
}

// -----

func.func @values(%x: tensor<?xi64>, %keys: tensor<3xi64>, %values: tensor<2xi64>, %d: tensor<i64>) {
  // expected-error @+1 {{expects as many values as keys, but has 'tensor<2xi64>' and 'tensor<3xi64>'}}
  %0 = tenon.lookup %x, %keys, %values, %d : tensor<?xi64>, tensor<3xi64>, tensor<2xi64>, tensor<i64> -> tensor<?xi64>
  return
}

// -----

func.func @keys(%x: tensor<?xi64>, %keys: tensor<3xf32>, %values: tensor<3xi64>, %d: tensor<i64>) {
  // expected-error @+1 {{expects keys of the operand's element type, but has 'tensor<3xf32>'}}
  %0 = tenon.lookup %x, %keys, %values, %d : tensor<?xi64>, tensor<3xf32>, tensor<3xi64>, tensor<i64> -> tensor<?xi64>
  return
}

// -----

func.func @default(%x: tensor<?xi64>, %keys: tensor<3xi64>, %values: tensor<3xi64>, %d: tensor<1xi64>) {
  // expected-error @+1 {{expects a default like one of the values, but has 'tensor<1xi64>'}}
  %0 = tenon.lookup %x, %keys, %values, %d : tensor<?xi64>, tensor<3xi64>, tensor<3xi64>, tensor<1xi64> -> tensor<?xi64>
  return
}

// -----

func.func @found(%x: tensor<?xi64>, %keys: tensor<3xi64>, %values: tensor<3xi64>, %d: tensor<i64>) {
  // expected-error @+1 {{expects one of the values for each element, but has 'tensor<?xf32>'}}
  %0 = tenon.lookup %x, %keys, %values, %d : tensor<?xi64>, tensor<3xi64>, tensor<3xi64>, tensor<i64> -> tensor<?xf32>
  return
}

// -----

func.func @operand(%n: index) {
  // expected-error @+1 {{expects operands that are tensors of known rank, sequences or optionals, but has 'index'}}
  %0 = tenon.call_external "f" (%n) : (index) -> tensor<4xf32>
  return
}

// -----

func.func @at_number(%s: !tenon.seq<i32>, %i: tensor<i64>) {
  // expected-error @+1 {{expects a result of type 'i32', but has 'i32'}}
  %0 = tenon.sequence_at %s, %i : !tenon.seq<i32>, tensor<i64> -> i32
  return
}
