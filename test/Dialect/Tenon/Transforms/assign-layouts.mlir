// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-layouts,tenon-simplify-graph))" | FileCheck %s

// Two convolutions and what stands between them: one transpose on either side, filters transposed as constants.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: %[[X:.*]]: tensor<1x32x56x56xf32>
func.func @chain(%x: tensor<1x32x56x56xf32>) -> tensor<1x32x28x28xf32> {
  %w = tenon.constant dense<1.0> : tensor<32x32x3x3xf32>
  %b = tenon.constant dense<2.0> : tensor<32xf32>
  // CHECK: %[[T:.*]] = tenon.transpose %[[X]] [0, 2, 3, 1]
  // CHECK: %[[F:.*]] = tenon.transpose %{{.*}} [2, 3, 1, 0] : tensor<32x32x3x3xf32> -> tensor<3x3x32x32xf32>
  // CHECK: %[[Y:.*]] = tenon.conv %[[T]], %[[F]] {{.*}} groups 1 {channels_last}
  // CHECK: %[[B:.*]] = tenon.broadcast %{{.*}} dims [3] sizes [1, 56, 56, 32]
  // CHECK: %[[A:.*]] = tenon.add %[[Y]], %[[B]] : tensor<1x56x56x32xf32>
  // CHECK: %[[P:.*]] = tenon.window max %[[A]] {{.*}} {channels_last} : tensor<1x56x56x32xf32> -> tensor<1x28x28x32xf32>
  // CHECK: %[[R:.*]] = tenon.transpose %[[P]] [0, 3, 1, 2]
  // CHECK: return %[[R]]
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x32x56x56xf32>, tensor<32x32x3x3xf32> -> tensor<1x32x56x56xf32>
  %c = tenon.broadcast %b dims [1] sizes [1, 32, 56, 56] : tensor<32xf32> -> tensor<1x32x56x56xf32>
  %z = tenon.add %y, %c : tensor<1x32x56x56xf32>
  %p = tenon.window max %z sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : tensor<1x32x56x56xf32> -> tensor<1x32x28x28xf32>
  return %p : tensor<1x32x28x28xf32>
}

// A convolution that isn't worth two transposes stays; so does what offers nothing better.
// CHECK-LABEL: func.func @small
func.func @small(%x: tensor<1x64x56x56xf32>) -> tensor<1x1x56x56xf32> {
  // CHECK-NOT: transpose
  // CHECK: tenon.conv %{{.*}} groups 1 : tensor<1x64x56x56xf32>
  // CHECK-NOT: transpose
  %w = tenon.constant dense<1.0> : tensor<1x64x1x1xf32>
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x64x56x56xf32>, tensor<1x64x1x1xf32> -> tensor<1x1x56x56xf32>
  return %y : tensor<1x1x56x56xf32>
}

// The first convolution reads few channels as they are and gives channels last: a contraction writes any order.
// CHECK-LABEL: func.func @first_of_many
func.func @first_of_many(%x: tensor<1x3x224x224xf32>) -> tensor<1x32xf32> {
  // CHECK: %[[A:.*]] = tenon.conv %{{.*}} groups 1 : tensor<1x3x224x224xf32>
  // CHECK: %[[T:.*]] = tenon.transpose %[[A]] [0, 2, 3, 1]
  // CHECK: %[[E:.*]] = tenon.exp %[[T]]
  // CHECK: %[[B:.*]] = tenon.conv %[[E]], %{{.*}} groups 32 {channels_last}
  // CHECK: tenon.reduce mean %[[B]] dims [1, 2] : tensor<1x112x112x32xf32> -> tensor<1x32xf32>
  // CHECK-NOT: transpose
  %w = tenon.constant dense<1.0> : tensor<32x3x3x3xf32>
  %d = tenon.constant dense<1.0> : tensor<32x1x3x3xf32>
  %a = tenon.conv %x, %w strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x3x224x224xf32>, tensor<32x3x3x3xf32> -> tensor<1x32x112x112xf32>
  %e = tenon.exp %a : tensor<1x32x112x112xf32>
  %b = tenon.conv %e, %d strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 32 : tensor<1x32x112x112xf32>, tensor<32x1x3x3xf32> -> tensor<1x32x112x112xf32>
  %m = tenon.reduce mean %b dims [2, 3] : tensor<1x32x112x112xf32> -> tensor<1x32xf32>
  return %m : tensor<1x32xf32>
}

// A model that comes with channels last around every convolution loses its transposes.
// CHECK-LABEL: func.func @already
func.func @already(%x: tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32> {
  // CHECK-NOT: transpose %{{.*}} [0,
  // CHECK: tenon.conv %{{.*}} {channels_last} : tensor<1x56x56x64xf32>
  // CHECK-NOT: transpose %{{.*}} [0,
  // CHECK: return
  %w = tenon.constant dense<1.0> : tensor<64x64x3x3xf32>
  %t = tenon.transpose %x [0, 3, 1, 2] : tensor<1x56x56x64xf32> -> tensor<1x64x56x56xf32>
  %y = tenon.conv %t, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32> -> tensor<1x64x56x56xf32>
  %u = tenon.transpose %y [0, 2, 3, 1] : tensor<1x64x56x56xf32> -> tensor<1x56x56x64xf32>
  return %u : tensor<1x56x56x64xf32>
}

// What a loop carries has one layout; so have the arms of a branch.
// CHECK-LABEL: func.func @regions
func.func @regions(%x: tensor<1x64x56x56xf32>, %n: tensor<i64>, %c: tensor<i1>) -> tensor<1x64xf32> {
  %w = tenon.constant dense<1.0> : tensor<64x1x3x3xf32>
  // CHECK: %[[T:.*]] = tenon.transpose %{{.*}} [0, 2, 3, 1]
  // CHECK: %[[L:.*]] = tenon.loop {{.*}} carried(%[[T]] : tensor<1x56x56x64xf32>) -> tensor<1x56x56x64xf32>
  %l = tenon.loop %n, %c carried(%x : tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32> {
  // CHECK: ^bb0(%{{.*}}: tensor<i64>, %[[V:.*]]: tensor<1x56x56x64xf32>):
  ^bb0(%i: tensor<i64>, %v: tensor<1x64x56x56xf32>):
    // CHECK: %[[D:.*]] = tenon.conv %[[V]], %{{.*}} {channels_last}
    // CHECK: tenon.yield %{{.*}}, %[[D]] : tensor<i1>, tensor<1x56x56x64xf32>
    %y = tenon.conv %v, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 64 : tensor<1x64x56x56xf32>, tensor<64x1x3x3xf32> -> tensor<1x64x56x56xf32>
    tenon.yield %c, %y : tensor<i1>, tensor<1x64x56x56xf32>
  }
  // CHECK: %[[I:.*]] = tenon.if %{{.*}} -> tensor<1x56x56x64xf32>
  %b = tenon.if %c -> tensor<1x64x56x56xf32> {
    // CHECK: tenon.yield %[[L]] : tensor<1x56x56x64xf32>
    tenon.yield %l : tensor<1x64x56x56xf32>
  } else {
    // CHECK: %[[G:.*]] = tenon.conv %[[L]], %{{.*}} {channels_last}
    // CHECK: tenon.yield %[[G]] : tensor<1x56x56x64xf32>
    %y = tenon.conv %l, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 64 : tensor<1x64x56x56xf32>, tensor<64x1x3x3xf32> -> tensor<1x64x56x56xf32>
    tenon.yield %y : tensor<1x64x56x56xf32>
  }
  // CHECK: tenon.reduce mean %[[I]] dims [1, 2]
  %m = tenon.reduce mean %b dims [2, 3] : tensor<1x64x56x56xf32> -> tensor<1x64xf32>
  return %m : tensor<1x64xf32>
}

// Movement on dimensions of images, of sizes that aren't known.
// CHECK-LABEL: func.func @movement
func.func @movement(%x: tensor<?x64x?x?xf32>) -> tensor<?x128xf32> {
  %w = tenon.constant dense<1.0> : tensor<64x1x3x3xf32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  // CHECK: %[[N:.*]] = tenon.symbol "n"
  %n = tenon.symbol "n"
  %h = tenon.symbol "h"
  %v = tenon.symbol "v"
  // CHECK: tenon.bind_shape
  tenon.bind_shape %x [%n, 64, %h, %v] : tensor<?x64x?x?xf32>
  // CHECK: %[[Y:.*]] = tenon.conv %{{.*}} {channels_last}
  %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 64 : tensor<?x64x?x?xf32>, tensor<64x1x3x3xf32> -> tensor<?x64x?x?xf32>
  // CHECK: %[[C:.*]] = tenon.concat %[[Y]], %[[Y]] dim 3 : tensor<?x?x?x64xf32>, tensor<?x?x?x64xf32> -> tensor<?x?x?x128xf32>
  %c = tenon.concat %y, %y dim 1 : tensor<?x64x?x?xf32>, tensor<?x64x?x?xf32> -> tensor<?x128x?x?xf32>
  // CHECK: %[[P:.*]] = tenon.pad constant %[[C]], %{{.*}} low [0, 1, 2, 0] high [0, 3, 4, 0]
  %p = tenon.pad constant %c, %zero low [0, 0, 1, 2] high [0, 0, 3, 4] : tensor<?x128x?x?xf32>, tensor<f32> -> tensor<?x128x?x?xf32>
  // CHECK: %[[S:.*]] = tenon.slice %[[P]] offsets [0, 5, 0, 0] sizes [%[[N]], 6, 7, 128] strides [1, 2, 3, 1]
  %s = tenon.slice %p offsets [0, 0, 5, 0] sizes [%n, 128, 6, 7] strides [1, 1, 2, 3] : tensor<?x128x?x?xf32> -> tensor<?x128x6x7xf32>
  // CHECK: %[[R:.*]] = tenon.reshape %[[S]] sizes [%[[N]], 42, 128]
  %r = tenon.reshape %s sizes [%n, 128, 42] : tensor<?x128x6x7xf32> -> tensor<?x128x42xf32>
  // CHECK: %[[M:.*]] = tenon.softmax %[[R]] dims [2]
  %m = tenon.softmax %r dims [1] : tensor<?x128x42xf32>
  // CHECK: tenon.reduce sum %[[M]] dims [1]
  %q = tenon.reduce sum %m dims [2] : tensor<?x128x42xf32> -> tensor<?x128xf32>
  return %q : tensor<?x128xf32>
}
