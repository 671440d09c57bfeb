// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-form-kernels)" | FileCheck %s

// A view's rows lie apart: its dimensions stay, and the contract says so. What the other kernel reads and writes is
// contiguous, and one dimension.
// CHECK: tenon_tile.kernel @[[K0:exp_[0-9a-f]+]](%{{.*}}: tensor<4x6xf32> {tenon_tile.contract = "inner"}) -> tensor<4x6xf32>
// CHECK: tenon_tile.kernel @[[K1:neg_[0-9a-f]+]](%{{.*}}: tensor<24xf32>) -> tensor<24xf32>
// CHECK-LABEL: func.func @read
func.func @read(%x: tensor<4x12xf32>) -> tensor<4x6xf32> {
  // CHECK: %[[A:.*]] = tenon.slice
  %a = tenon.slice %x offsets [0, 2] sizes [4, 6] strides [1, 1] {tenon_host.view} : tensor<4x12xf32> -> tensor<4x6xf32>
  // CHECK: tenon_host.launch @[[K0]] ins(%[[A]] : tensor<4x6xf32>)
  %b = tenon.exp %a : tensor<4x6xf32>
  %c = tenon.reshape %b sizes [6, 4] : tensor<4x6xf32> -> tensor<6x4xf32>
  %d = tenon.neg %c : tensor<6x4xf32>
  %e = tenon.reshape %d sizes [4, 6] : tensor<6x4xf32> -> tensor<4x6xf32>
  return %e : tensor<4x6xf32>
}

// -----

// Only at the dimension that is cut are there gaps: the others run together. A batch of one has none.
// CHECK: tenon_tile.kernel @[[K0:exp_[0-9a-f]+]](%{{.*}}: tensor<2x48xf32>) -> (tensor<2x48xf32> {tenon_tile.contract = "inner"})
// CHECK: tenon_tile.kernel @[[K1:exp_[0-9a-f]+]](%{{.*}}: tensor<48xf32>) -> tensor<48xf32>
// CHECK-LABEL: func.func @images
func.func @images(%x: tensor<2x3x4x4xf32>, %y: tensor<1x3x4x4xf32>) -> (tensor<2x6x4x4xf32>, tensor<1x6x4x4xf32>) {
  %a = tenon.exp %x : tensor<2x3x4x4xf32>
  %b = tenon.concat %x, %a dim 1 {tenon_host.placed = array<i64: 1>} : tensor<2x3x4x4xf32>, tensor<2x3x4x4xf32> -> tensor<2x6x4x4xf32>
  %c = tenon.exp %y : tensor<1x3x4x4xf32>
  %d = tenon.concat %c, %y dim 1 {tenon_host.placed = array<i64: 0>} : tensor<1x3x4x4xf32>, tensor<1x3x4x4xf32> -> tensor<1x6x4x4xf32>
  return %b, %d : tensor<2x6x4x4xf32>, tensor<1x6x4x4xf32>
}

// -----

// Kernels that differ in their contracts are two, equal ones are one.
// CHECK-COUNT-2: tenon_tile.kernel
// CHECK-NOT: tenon_tile.kernel
// CHECK-LABEL: func.func @merged
func.func @merged(%x: tensor<4x12xf32>, %y: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>) {
  %a = tenon.slice %x offsets [0, 2] sizes [4, 6] strides [1, 1] {tenon_host.view} : tensor<4x12xf32> -> tensor<4x6xf32>
  %b = tenon.slice %x offsets [0, 6] sizes [4, 6] strides [1, 1] {tenon_host.view} : tensor<4x12xf32> -> tensor<4x6xf32>
  // CHECK: launch @[[K:[a-z0-9_]*]] ins
  %c = tenon.exp %a : tensor<4x6xf32>
  // CHECK: launch @[[K]] ins
  %d = tenon.exp %b : tensor<4x6xf32>
  %e = tenon.exp %y : tensor<4x6xf32>
  return %c, %d, %e : tensor<4x6xf32>, tensor<4x6xf32>, tensor<4x6xf32>
}

// -----

// A border is no kernel: who writes what is within takes strides, between images and between rows. What else it computes
// is contiguous, and so is what reads all of the image.
// CHECK: tenon_tile.kernel @[[K0:exp_abs_[0-9a-f]+]](%{{.*}}: index, %{{.*}}: tensor<?x5x28xf32>) -> (tensor<?x5x28xf32> {tenon_tile.contract = "inner"}, tensor<?x5x28xf32>)
// CHECK: tenon_tile.kernel @[[K1:neg_[0-9a-f]+]]({{.*}}: tensor<?xf32>) -> tensor<?xf32>
// CHECK-LABEL: func.func @halo
func.func @halo(%x: tensor<?x5x7x4xf32>) -> (tensor<?x7x9x4xf32>, tensor<?x5x7x4xf32>) {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 5, 7, 4] : tensor<?x5x7x4xf32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  // CHECK: launch @[[K0]]
  %a = tenon.exp %x : tensor<?x5x7x4xf32>
  %b = tenon.abs %a : tensor<?x5x7x4xf32>
  // CHECK: %[[P:.*]] = tenon.pad
  %p = tenon.pad constant %a, %zero low [0, 1, 1, 0] high [0, 1, 1, 0] {tenon_host.placed = array<i64: 0>} : tensor<?x5x7x4xf32>, tensor<f32> -> tensor<?x7x9x4xf32>
  // CHECK: %[[F:.*]] = tenon.reshape %[[P]]
  // CHECK: launch @[[K1]]{{.*}} ins(%[[F]]
  %c = tenon.neg %p : tensor<?x7x9x4xf32>
  return %c, %b : tensor<?x7x9x4xf32>, tensor<?x5x7x4xf32>
}
