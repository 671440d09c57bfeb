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

// -----

func.func @size(%x: tensor<?x4xf32>) {
  // expected-error @+1 {{expects a dimension below 2, but has 2}}
  %0 = tenon.size %x dim 2 : tensor<?x4xf32>
  return
}

// -----

func.func @item_position(%x: tensor<2xi64>) {
  // expected-error @+1 {{expects a position in 'tensor<2xi64>', but has 2}}
  %0 = tenon.item %x at 2 : tensor<2xi64>
  return
}

// -----

func.func @item_negative(%x: tensor<?xi64>) {
  // expected-error @+1 {{expects a position in 'tensor<?xi64>', but has -1}}
  %0 = tenon.item %x at -1 : tensor<?xi64>
  return
}

// -----

func.func @item_type(%x: tensor<2xf32>) {
  // expected-error @+1 {{expects an operand of integers, but has 'tensor<2xf32>'}}
  %0 = tenon.item %x at 0 : tensor<2xf32>
  return
}

// -----

func.func @from_sizes_to_floats() {
  // expected-error @+1 {{result #0 must be ranked tensor of integer of 64, 32, 16 or at most 8 bits values, but got 'tensor<1xf32>'}}
  %0 = tenon.from_sizes [4] : tensor<1xf32>
  return
}

// -----

func.func @wide_item(%x: tensor<2xi128>) {
  // expected-error @+1 {{expects an operand of integers, but has 'tensor<2xi128>'}}
  %0 = tenon.item %x at 0 : tensor<2xi128>
  return
}
