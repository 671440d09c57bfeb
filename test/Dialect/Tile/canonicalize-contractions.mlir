// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-canonicalize-contractions))" | FileCheck %s

// Programs read a constant matrix in a form, whatever lies along its rows.
// CHECK-LABEL: func.func @constant
// CHECK: %[[W:.*]] = tenon.constant dense<1.000000e+00> : tensor<40x8xf32>
// CHECK-NEXT: tenon.contract %arg0, %[[W]]
func.func @constant(%x: tensor<4x8xf32>) -> tensor<4x40xf32> {
  %w = tenon.constant dense<1.0> : tensor<40x8xf32>
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xf32>, tensor<40x8xf32> -> tensor<4x40xf32>
  return %0 : tensor<4x40xf32>
}

// -----

// CHECK-LABEL: func.func @transposed
// CHECK: %[[T:.*]] = tenon.transpose %arg1 [1, 0] : tensor<40x8xf32> -> tensor<8x40xf32>
// CHECK: tenon.contract %arg0, %[[T]]
func.func @transposed(%x: tensor<4x8xf32>, %w: tensor<40x8xf32>) -> tensor<4x40xf32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xf32>, tensor<40x8xf32> -> tensor<4x40xf32>
  return %0 : tensor<4x40xf32>
}

// -----

// The operand with the result's columns comes second.
// CHECK-LABEL: func.func @swapped
// CHECK: tenon.contract %arg1, %arg0
func.func @swapped(%x: tensor<8x40xf32>, %w: tensor<4x8xf32>) -> tensor<4x40xf32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x40xf32>, tensor<4x8xf32> -> tensor<4x40xf32>
  return %0 : tensor<4x40xf32>
}

// -----

// Wide integers have no register tile.
// CHECK-LABEL: func.func @integers
// CHECK-NOT: transpose
func.func @integers(%x: tensor<4x8xi32>, %w: tensor<40x8xi32>) -> tensor<4x40xi32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xi32>, tensor<40x8xi32> -> tensor<4x40xi32>
  return %0 : tensor<4x40xi32>
}

// -----

// Bytes that are between -64 and 64 are said to be so.
// CHECK-LABEL: func.func @seven_bits
// CHECK: tenon.contract {{.*}} {tenon_tile.seven_bits}
// CHECK-LABEL: func.func @eight_bits
// CHECK-NOT: seven_bits
func.func @seven_bits(%x: tensor<4x8xui8>) -> tensor<4x40xi32> {
  %w = tenon.constant dense<-64> : tensor<40x8xi8>
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xui8>, tensor<40x8xi8> -> tensor<4x40xi32>
  return %0 : tensor<4x40xi32>
}
func.func @eight_bits(%x: tensor<4x8xui8>) -> tensor<4x40xi32> {
  %w = tenon.constant dense<65> : tensor<40x8xi8>
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xui8>, tensor<40x8xi8> -> tensor<4x40xi32>
  return %0 : tensor<4x40xi32>
}
