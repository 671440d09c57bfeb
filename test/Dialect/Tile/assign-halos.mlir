// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-views))" | FileCheck %s

// What a kernel computes is written inside of the border, whoever else reads it.
// CHECK-LABEL: func.func @residual
func.func @residual(%x: tensor<?x?x7x8xf32>) -> (tensor<?x?x5x72xf32>, tensor<?x?x4x8xf32>, tensor<?x?x7x8xf32>) {
  %n = tenon.symbol "n"
  %h = tenon.symbol "h"
  tenon.bind_shape %x [%n, %h, 7, 8] : tensor<?x?x7x8xf32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %a = tenon.exp %x : tensor<?x?x7x8xf32>
  // CHECK: tenon.pad {{.*}} {tenon_host.placed = array<i64: 0>}
  %b = tenon.pad constant %a, %zero low [0, 1, 0, 0] high [0, 1, 0, 0] : tensor<?x?x7x8xf32>, tensor<f32> -> tensor<?x?x7x8xf32>
  %c = tenon_tile.window_rows %b sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<?x?x7x8xf32> -> tensor<?x?x5x72xf32>
  %d = tenon_tile.window_rows %a sizes [1, 1] strides [2, 2] dilations [1, 1] : tensor<?x?x7x8xf32> -> tensor<?x?x4x8xf32>
  %e = tenon.neg %a : tensor<?x?x7x8xf32>
  %f = tenon.exp %c : tensor<?x?x5x72xf32>
  %g = tenon.exp %d : tensor<?x?x4x8xf32>
  return %f, %g, %e : tensor<?x?x5x72xf32>, tensor<?x?x4x8xf32>, tensor<?x?x7x8xf32>
}

// Inputs, tensors that are returned and what branches give are moved.
// CHECK-LABEL: func.func @from_elsewhere
func.func @from_elsewhere(%x: tensor<2x3x4xf32>, %p: tensor<i1>)
    -> (tensor<2x3x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>) {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %a = tenon.exp %x : tensor<2x3x4xf32>
  %b = tenon.if %p -> tensor<2x3x4xf32> {
    %c = tenon.abs %x : tensor<2x3x4xf32>
    tenon.yield %c : tensor<2x3x4xf32>
  } else {
    tenon.yield %x : tensor<2x3x4xf32>
  }
  // CHECK-NOT: tenon_host.placed
  %d = tenon.pad constant %x, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  %e = tenon.pad constant %a, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  %f = tenon.pad constant %b, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  return %a, %d, %e, %f : tensor<2x3x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>, tensor<2x5x4xf32>
}

// A border within rows would tear them apart, which costs their writer more than the copy; nothing is written outside of
// what is left of it, nor a border that is no single number, or as wide as only a run shows.
// CHECK-LABEL: func.func @other_borders
func.func @other_borders(%x: tensor<2x4x4xf32>, %n: tensor<3xf32>)
    -> (tensor<2x4x6xf32>, tensor<2x4x4xf32>, tensor<2x6x4xf32>, tensor<2x?x4xf32>) {
  %s = tenon.symbol "s"
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %a = tenon.exp %x : tensor<2x4x4xf32>
  // CHECK-NOT: tenon_host.placed
  %b = tenon.pad constant %a, %zero low [0, 0, 1] high [0, 0, 1] : tensor<2x4x4xf32>, tensor<f32> -> tensor<2x4x6xf32>
  %c = tenon.pad constant %a, %zero low [0, -1, 0] high [0, 1, 0] : tensor<2x4x4xf32>, tensor<f32> -> tensor<2x4x4xf32>
  %d = tenon.pad edge %a, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x4x4xf32>, tensor<f32> -> tensor<2x6x4xf32>
  %e = tenon.pad constant %a, %zero low [0, %s, 0] high [0, 0, 0] : tensor<2x4x4xf32>, tensor<f32> -> tensor<2x?x4xf32>
  return %b, %c, %d, %e : tensor<2x4x6xf32>, tensor<2x4x4xf32>, tensor<2x6x4xf32>, tensor<2x?x4xf32>
}

// A tensor is in one place only: the last border gets it. Another value is another border, whatever the value is.
// CHECK-LABEL: func.func @two_borders
func.func @two_borders(%x: tensor<2x3x4xf32>) -> (tensor<2x5x4xf32>, tensor<2x4x4xf32>) {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %low = tenon.constant dense<0xFF800000> : tensor<f32>
  %a = tenon.exp %x : tensor<2x3x4xf32>
  // CHECK: tenon.pad {{.*}} high [0, 1, 0] : tensor<2x3x4xf32>
  %b = tenon.pad constant %a, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  // CHECK: tenon.pad {{.*}} high [0, 1, 0] {tenon_host.placed = array<i64: 0>}
  %c = tenon.pad constant %a, %low low [0, 0, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x4x4xf32>
  return %b, %c : tensor<2x5x4xf32>, tensor<2x4x4xf32>
}

// The operands of a concat go where it goes, and what is padded may be part of a concat; windows that read neighbours
// together can't read channels between others.
// CHECK-LABEL: func.func @with_concats
func.func @with_concats(%x: tensor<2x3x4xf32>, %y: tensor<2x5x4xf32>)
    -> (tensor<2x5x8xf32>, tensor<2x5x8xf32>, tensor<2x5x8xf32>, tensor<2x4x8xf32>) {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %a = tenon.exp %x : tensor<2x3x4xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0>}
  %b = tenon.concat %a, %x dim 2 : tensor<2x3x4xf32>, tensor<2x3x4xf32> -> tensor<2x3x8xf32>
  // CHECK: tenon.pad {{.*}} {tenon_host.placed = array<i64: 0>}
  %c = tenon.pad constant %b, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x8xf32>, tensor<f32> -> tensor<2x5x8xf32>
  %d = tenon.neg %x : tensor<2x3x4xf32>
  // CHECK: tenon.pad {{.*}} {tenon_host.placed = array<i64: 0>}
  %e = tenon.pad constant %d, %zero low [0, 1, 0] high [0, 1, 0] : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  %f = tenon.exp %e : tensor<2x5x4xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0>}
  %g = tenon.concat %e, %y dim 2 : tensor<2x5x4xf32>, tensor<2x5x4xf32> -> tensor<2x5x8xf32>
  %h = tenon.abs %e : tensor<2x5x4xf32>
  %i = tenon_tile.window_rows %h sizes [2] strides [1] dilations [1] : tensor<2x5x4xf32> -> tensor<2x4x8xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 1>}
  %j = tenon.concat %h, %f dim 2 : tensor<2x5x4xf32>, tensor<2x5x4xf32> -> tensor<2x5x8xf32>
  %k = tenon.exp %i : tensor<2x4x8xf32>
  return %c, %g, %j, %k : tensor<2x5x8xf32>, tensor<2x5x8xf32>, tensor<2x5x8xf32>, tensor<2x4x8xf32>
}

// Sizes that are computed from those of inputs are known at the start, wherever the arithmetic stood; a division that may
// fail stays where it is, behind what checks it.
// CHECK-LABEL: func.func @computed_sizes
func.func @computed_sizes(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NEXT: %[[M:.*]] = tenon.symbol "m"
  // CHECK-NEXT: %[[N:.*]] = tenon.symbol "n"
  // CHECK-NEXT: tenon.bind_shape %arg0
  // CHECK-NEXT: tenon.bind_shape %arg1
  // CHECK-NEXT: %[[ONE:.*]] = arith.constant 1
  // CHECK-NEXT: %[[IS:.*]] = arith.cmpi eq, %[[M]], %[[ONE]]
  // CHECK-NEXT: %[[S:.*]] = arith.select %[[IS]], %[[N]], %[[M]]
  // CHECK-NEXT: tenon.constant
  %m = tenon.symbol "m"
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%m, 4] : tensor<?x4xf32>
  tenon.bind_shape %y [%n, 4] : tensor<?x4xf32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %a = tenon.exp %x : tensor<?x4xf32>
  %one = arith.constant 1 : index
  %is = arith.cmpi eq, %m, %one : index
  %s = arith.select %is, %n, %m : index
  %b = tenon.broadcast %a dims [0, 1] sizes [%s, 4] : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: tenon.pad {{.*}} {tenon_host.placed = array<i64: 0>}
  %c = tenon.pad constant %b, %zero low [1, 0] high [1, 0] : tensor<?x4xf32>, tensor<f32> -> tensor<?x4xf32>
  // CHECK: arith.divui
  %q = arith.divui %m, %n : index
  %d = tenon.broadcast %a dims [0, 1] sizes [%q, 4] : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: tenon.pad {{.*}} high [1, 0] :
  %e = tenon.pad constant %d, %zero low [1, 0] high [1, 0] : tensor<?x4xf32>, tensor<f32> -> tensor<?x4xf32>
  return %c, %e : tensor<?x4xf32>, tensor<?x4xf32>
}
