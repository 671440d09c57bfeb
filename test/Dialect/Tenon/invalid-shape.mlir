// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @range() {
  // expected-error @+1 {{expects a range of a least and a largest size}}
  %0 = tenon.symbol "n" range [4, 2]
  return
}

// -----

func.func @divisible() {
  // expected-error @+1 {{expects a positive divisor, but has 0}}
  %0 = tenon.symbol "n" divisible 0
  return
}

// -----

func.func @bind(%x: tensor<?x4xf32>, %n: index) {
  // expected-error @+1 {{expects size 4 of dimension 1, but it is 5}}
  tenon.bind_shape %x [%n, 5] : tensor<?x4xf32>
  return
}

// -----

func.func @from_sizes(%n: index) {
  // expected-error @+1 {{expects a static tensor of 1 integers, but has 'tensor<2xi64>'}}
  %0 = tenon.from_sizes [%n] : tensor<2xi64>
  return
}
