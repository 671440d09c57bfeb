// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @constant() {
  // expected-error @+1 {{expects an input, an output or a place of the program's own}}
  %0 = tenon_host.slot constant 0 sizes [] : <!tenon.seq<tensor<?xf32>>>
  return
}

// -----

func.func @sizes() {
  // expected-error @+1 {{expects 1 sizes with one operand per dynamic one}}
  %0 = tenon_host.slot input 0 "x" sizes [] : <tensor<?x!tenon.string>>
  return
}

// -----

func.func @mixed(%x: memref<4xf32>, %e: tensor<4xf32>) {
  // expected-error @+1 {{expects no buffers where it has results, but has 'memref<4xf32>'}}
  %0 = tenon_host.call_external "f" library "" ins(%x : memref<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @placed(%x: tensor<4xf32>, %e: memref<4xf32>) {
  // expected-error @+1 {{expects buffers and slots, but has 'tensor<4xf32>'}}
  tenon_host.call_external "f" library "" ins(%x : tensor<4xf32>) outs(%e : memref<4xf32>)
  return
}

// -----

func.func @outs(%e: tensor<4xf32>) {
  // expected-error @+1 {{expects one out of its type for each tensor of numbers among the results}}
  %0 = tenon_host.call_external "f" library "" outs(%e : tensor<4xf32>) -> tensor<5xf32>
  return
}
