// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @undefined(%x: tensor<4xf32>) {
  // expected-error @+1 {{launches @k, which is not defined}}
  %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k()
func.func @mixed(%x: tensor<4xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{expects ins of the same kind as outs, but has 'memref<4xf32>'}}
  %0 = tenon_host.launch @k ins(%y : memref<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k()
func.func @results(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects one result per out, of its type}}
  %0 = tenon_host.launch @k outs(%x : tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @live() {
  // expected-error @+1 {{expects a first and a last launch of an arena buffer}}
  %0 = tenon_host.storage output 0 sizes [4] live [0, 1] : memref<4xf32>
  return
}

// -----

func.func @value() {
  // expected-error @+1 {{expects a value of a constant and of nothing else}}
  %0 = tenon_host.storage constant 0 sizes [4] : memref<4xf32>
  return
}

// -----

func.func @sizes() {
  // expected-error @+1 {{expects the sizes of 'memref<4xf32>'}}
  %0 = tenon_host.storage arena 0 sizes [5] : memref<4xf32>
  return
}

// -----

func.func @exchange(%n: index) {
  %a = tenon_host.storage growing 0 sizes [%n] : memref<?xf32>
  %b = tenon_host.storage arena 1 sizes [%n] : memref<?xf32>
  // expected-error @+1 {{expects growing storages}}
  tenon_host.exchange %a, %b : memref<?xf32>, memref<?xf32>
  return
}

// -----

func.func @live_growing() {
  // expected-error @+1 {{expects a first and a last launch of an arena buffer}}
  %a = tenon_host.storage growing 0 sizes [4] live [0, 1] : memref<4xf32>
  return
}
