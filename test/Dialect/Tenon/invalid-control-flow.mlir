// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @yield(%c: tensor<i1>, %a: tensor<4xf32>, %b: tensor<5xf32>) {
  // expected-error @+1 {{expects a value of type 'tensor<4xf32>' for result 0, but has 'tensor<5xf32>'}}
  %y = tenon.if %c -> tensor<4xf32> {
    tenon.yield %a : tensor<4xf32>
  } else {
    tenon.yield %b : tensor<5xf32>
  }
  return
}

// -----

func.func @loop_arguments(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects 2 body arguments, but has 1}}
  %0 = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>):
    tenon.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_number(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects the number of the iteration as tensor<i64>, but has 'tensor<i32>'}}
  %0 = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i32>, %v: tensor<4xf32>):
    tenon.yield %c, %v : tensor<i1>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_condition(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects the condition to go on as tensor<i1>, but has 'tensor<4xf32>'}}
  %0 = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    tenon.yield %v, %v : tensor<4xf32>, tensor<4xf32>
  }
  return
}

// -----

func.func @loop_stack(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) {
  // expected-error @+1 {{expects result 0 to stack 'tensor<4xf32>'}}
  %0 = tenon.loop %n, %c -> tensor<?x5xf32> {
  ^bb0(%i: tensor<i64>):
    tenon.yield %c, %x : tensor<i1>, tensor<4xf32>
  }
  return
}
