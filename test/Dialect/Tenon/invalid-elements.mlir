// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

// Elements that ops compute with, and dimensions that composites name.

func.func @exp(%x: tensor<3xi32>) {
  // expected-error @+1 {{'tenon.exp' op operand #0 must be ranked tensor of floating-point number of 64, 32, 16 or at most 8 bits values, but got 'tensor<3xi32>'}}
  %0 = tenon.exp %x : tensor<3xi32>
  return
}

// -----

func.func @xor(%x: tensor<3xf32>) {
  // expected-error @+1 {{'tenon.xor' op operand #0 must be ranked tensor of integer of 64, 32, 16 or at most 8 bits values, but got 'tensor<3xf32>'}}
  %0 = tenon.xor %x, %x : tensor<3xf32>
  return
}

// -----

func.func @add(%x: tensor<3xcomplex<f32>>) {
  // expected-error @+1 {{'tenon.add' op operand #0 must be ranked tensor of number of 64, 32, 16 or at most 8 bits values, but got 'tensor<3xcomplex<f32>>'}}
  %0 = tenon.add %x, %x : tensor<3xcomplex<f32>>
  return
}

// -----

func.func @cast(%x: tensor<3x!tenon.string>) {
  // expected-error @+1 {{'tenon.cast' op operand #0 must be ranked tensor of number of 64, 32, 16 or at most 8 bits values, but got}}
  %0 = tenon.cast %x : tensor<3x!tenon.string> -> tensor<3xf32>
  return
}

// -----

func.func @widths(%x: tensor<3xi129>) {
  // expected-error @+1 {{'tenon.neg' op operand #0 must be ranked tensor of number of 64, 32, 16 or at most 8 bits values, but got}}
  %0 = tenon.neg %x : tensor<3xi129>
  return
}

// -----

func.func @softmax_dim(%x: tensor<3xf32>) {
  // expected-error @+1 {{'tenon.softmax' op expects different dimensions below 1, but has 5}}
  %0 = tenon.softmax %x dims [5] : tensor<3xf32>
  return
}

// -----

func.func @softmax_negative(%x: tensor<3xf32>) {
  // expected-error @+1 {{'tenon.softmax' op expects different dimensions below 1, but has -1}}
  %0 = tenon.softmax %x dims [-1] : tensor<3xf32>
  return
}

// -----

func.func @softmax_twice(%x: tensor<3xf32>) {
  // expected-error @+1 {{'tenon.softmax' op expects different dimensions below 1, but has 0}}
  %0 = tenon.softmax %x dims [0, 0] : tensor<3xf32>
  return
}

// -----

func.func @softmax_integers(%x: tensor<3xi32>) {
  // expected-error @+1 {{'tenon.softmax' op operand #0 must be ranked tensor of floating-point number of 64, 32, 16 or at most 8 bits values, but got 'tensor<3xi32>'}}
  %0 = tenon.softmax %x dims [0] : tensor<3xi32>
  return
}

// -----

func.func @normalize_dim(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'tenon.normalize' op expects different dimensions below 2, but has 2}}
  %0 = tenon.normalize %x dims [1, 2] epsilon 1.0e-5 : tensor<2x3xf32>
  return
}

// -----

func.func @gelu_integers(%x: tensor<3xi32>) {
  // expected-error @+1 {{'tenon.gelu' op operand #0 must be ranked tensor of floating-point number of 64, 32, 16 or at most 8 bits values, but got 'tensor<3xi32>'}}
  %0 = tenon.gelu %x : tensor<3xi32>
  return
}

// -----

func.func @bitcast_widths(%x: tensor<3xf32>) {
  // expected-error @+1 {{'tenon.bitcast' op expects elements of one width, but has 'f32' and 'i64'}}
  %0 = tenon.bitcast %x : tensor<3xf32> -> tensor<3xi64>
  return
}

// -----

func.func @bitcast_booleans(%x: tensor<3xi1>) {
  // expected-error @+1 {{'tenon.bitcast' op expects elements of bits, but has 'i1' and 'i8'}}
  %0 = tenon.bitcast %x : tensor<3xi1> -> tensor<3xi8>
  return
}
