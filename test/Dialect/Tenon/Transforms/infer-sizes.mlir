// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-infer-sizes))" | FileCheck %s

// A size goes from op to op; the returned value keeps its type.
// CHECK-LABEL: func.func @follows
// CHECK: tenon.contract {{.*}} -> tensor<4x32xf32>
// CHECK: %[[E:.*]] = tenon.exp %{{.*}} : tensor<4x32xf32>
// CHECK: %[[C:.*]] = tensor.cast %[[E]] : tensor<4x32xf32> to tensor<?x32xf32>
// CHECK: return %[[C]]
func.func @follows(%x: tensor<4x8xf32>, %w: tensor<8x32xf32>) -> tensor<?x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<4x8xf32>, tensor<8x32xf32> -> tensor<?x32xf32>
  %z = tenon.exp %y : tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}

// Sizes that are computed from constants.
// CHECK-LABEL: func.func @computed
// CHECK: tenon.slice {{.*}} -> tensor<6xf32>
// CHECK: tenon.reshape {{.*}} -> tensor<2x3xf32>
func.func @computed(%x: tensor<8xf32>) -> tensor<?x3xf32> {
  %two = arith.constant 2 : index
  %three = arith.constant 3 : index
  %six = arith.muli %two, %three : index
  %s = tenon.slice %x offsets [1] sizes [%six] strides [1] : tensor<8xf32> -> tensor<?xf32>
  %r = tenon.reshape %s sizes [%two, 3] : tensor<?xf32> -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// Operands of an elementwise op have one shape.
// CHECK-LABEL: func.func @elementwise
// CHECK: %[[X:.*]] = tensor.cast %arg0 : tensor<?xf32> to tensor<8xf32>
// CHECK: tenon.add %[[X]], %{{.*}} : tensor<8xf32>
func.func @elementwise(%x: tensor<?xf32>, %w: tensor<8xf32>) -> tensor<?xf32> {
  %r = tenon.transpose %w [0] : tensor<8xf32> -> tensor<?xf32>
  %y = tenon.add %x, %r : tensor<?xf32>
  return %y : tensor<?xf32>
}

// What is known at run time only stays, and so do regions.
// CHECK-LABEL: func.func @stays
// CHECK: tenon.exp %arg0 : tensor<?xf32>
// CHECK: tenon.if %arg2 -> tensor<?xf32>
// CHECK: %[[R:.*]] = tensor.cast %{{.*}} : tensor<8xf32> to tensor<?xf32>
// CHECK: tenon.yield %[[R]]
func.func @stays(%x: tensor<?xf32>, %w: tensor<8xf32>, %c: tensor<i1>) -> tensor<?xf32> {
  %e = tenon.exp %x : tensor<?xf32>
  %r = tenon.transpose %w [0] : tensor<8xf32> -> tensor<?xf32>
  %y = tenon.if %c -> tensor<?xf32> {
    tenon.yield %e : tensor<?xf32>
  } else {
    tenon.yield %r : tensor<?xf32>
  }
  return %y : tensor<?xf32>
}
