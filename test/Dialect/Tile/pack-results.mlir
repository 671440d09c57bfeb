// RUN: %tenon_opt %s --allow-unregistered-dialect --pass-pipeline="builtin.module(func.func(tenon-pack-results))" | FileCheck %s

// CHECK-LABEL: @moved
func.func @moved(%x: tensor<3x5xi4>) -> tensor<5x3xi4> {
  // CHECK: %[[W:.*]] = tenon.cast %{{.*}} : tensor<3x5xi4> -> tensor<3x5xi8>
  // CHECK: %[[T:.*]] = tenon.transpose %[[W]] [1, 0] : tensor<3x5xi8> -> tensor<5x3xi8>
  // CHECK: %[[F:.*]] = tenon.reshape %[[T]] sizes [15]
  // CHECK: %[[P:.*]] = tenon.cast %[[F]] : tensor<15xi8> -> tensor<15xi4>
  // CHECK: tenon.reshape %[[P]] sizes [5, 3]
  %y = tenon.transpose %x [1, 0] : tensor<3x5xi4> -> tensor<5x3xi4>
  return %y : tensor<5x3xi4>
}

// CHECK-LABEL: @rounded
func.func @rounded(%x: tensor<7xf32>) -> tensor<7xui4> {
  // CHECK: %[[W:.*]] = tenon.cast %{{.*}} : tensor<7xf32> -> tensor<7xui8>
  // CHECK: tenon.cast %[[W]] : tensor<7xui8> -> tensor<7xui4>
  %y = tenon.cast %x : tensor<7xf32> -> tensor<7xui4>
  return %y : tensor<7xui4>
}

// What other kernels read is written, too.
// CHECK-LABEL: @between
func.func @between(%x: tensor<3x5xi4>) -> tensor<5x3xf32> {
  // CHECK: %[[T:.*]] = tenon.transpose %{{.*}} [1, 0] : tensor<3x5xi8> -> tensor<5x3xi8>
  // CHECK: tenon.cast %{{.*}} : tensor<15xi8> -> tensor<15xi4>
  // CHECK: tenon.cast %{{.*}} : tensor<5x3xi4> -> tensor<5x3xf32>
  %t = tenon.transpose %x [1, 0] : tensor<3x5xi4> -> tensor<5x3xi4>
  %y = tenon.cast %t : tensor<5x3xi4> -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// Of constants kernels take everything along.
// CHECK-LABEL: @constant
func.func @constant() -> tensor<5x3xf32> {
  // CHECK-NEXT: tenon.constant
  // CHECK-NEXT: tenon.transpose %{{.*}} : tensor<3x5xi4> -> tensor<5x3xi4>
  // CHECK-NEXT: tenon.cast
  %x = tenon.constant dense<3> : tensor<3x5xi4>
  %t = tenon.transpose %x [1, 0] : tensor<3x5xi4> -> tensor<5x3xi4>
  %y = tenon.cast %t : tensor<5x3xi4> -> tensor<5x3xf32>
  return %y : tensor<5x3xf32>
}

// Ops of dialects that aren't loaded are none of constants.
// CHECK-LABEL: @unknown
// CHECK: "unknown.op"
// CHECK: tenon.neg %{{.*}} : tensor<4xi8>
func.func @unknown(%x: tensor<4xi4>) -> tensor<4xi4> {
  %0 = "unknown.op"(%x) : (tensor<4xi4>) -> tensor<4xi4>
  %1 = tenon.neg %0 : tensor<4xi4>
  %2 = tenon.neg %1 : tensor<4xi4>
  return %2 : tensor<4xi4>
}
