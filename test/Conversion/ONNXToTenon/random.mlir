// RUN: %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// With a seed, numbers follow from it and from their places.
// CHECK-LABEL: func.func @with_seed
// CHECK-NOT: tenon.random_seed
// CHECK: tenon.iota {{.*}} : tensor<6xi64>
// CHECK: tenon.reshape {{.*}} -> tensor<2x3xf32>
func.func @with_seed() -> tensor<2x3xf32> {
  %0 = tenon_onnx.node "RandomUniform" version 22 () {shape = array<i64: 2, 3>, seed = 1.0 : f32} : () -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Without, each node has one of the system's.
// CHECK-LABEL: func.func @without
// CHECK: tenon.random_seed stream 0
// CHECK: tenon.random_seed stream 1
func.func @without() -> (tensor<2xf32>, tensor<2xf32>) {
  %0 = tenon_onnx.node "RandomUniform" version 22 () {shape = array<i64: 2>} : () -> tensor<2xf32>
  %1 = tenon_onnx.node "RandomNormalLike" version 22 (%0) {} : (tensor<2xf32>) -> tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}

// Nothing is dropped where the model isn't trained, and no seed is asked for.
// CHECK-LABEL: func.func @dropout
// CHECK-NOT: tenon.random_seed
// CHECK: return %arg0
func.func @dropout(%x: tensor<4xf32>) -> tensor<4xf32> {
  %ratio = tenon.constant dense<0.5> : tensor<f32>
  %training = tenon.constant dense<false> : tensor<i1>
  %0 = tenon_onnx.node "Dropout" version 13 (%x, %ratio, %training) {} : (tensor<4xf32>, tensor<f32>, tensor<i1>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
