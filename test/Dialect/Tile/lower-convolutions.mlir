// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-lower-convolutions))" | FileCheck %s

// CHECK-LABEL: func.func @windows
// CHECK: %[[U:.*]] = tenon.unfold %arg0 sizes [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] : tensor<1x4x6x6xf32> -> tensor<1x4x3x3x6x6xf32>
// CHECK: tenon.contract %arg1, %[[U]]
// CHECK-NOT: tenon.conv
func.func @windows(%x: tensor<1x4x6x6xf32>, %w: tensor<8x4x3x3xf32>) -> tensor<1x8x6x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x4x6x6xf32>, tensor<8x4x3x3xf32> -> tensor<1x8x6x6xf32>
  return %0 : tensor<1x8x6x6xf32>
}

// -----

// CHECK-LABEL: func.func @pointwise
// CHECK-NOT: tenon.unfold
// CHECK: %[[W:.*]] = tenon.reshape %arg1 sizes [8, 4]
// CHECK: tenon.contract %[[W]], %arg0
func.func @pointwise(%x: tensor<1x4x6x6xf32>, %w: tensor<8x4x1x1xf32>) -> tensor<1x8x6x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x4x6x6xf32>, tensor<8x4x1x1xf32> -> tensor<1x8x6x6xf32>
  return %0 : tensor<1x8x6x6xf32>
}

// -----

// CHECK-LABEL: func.func @groups
// CHECK: tenon.unfold
// CHECK: tenon.reshape %arg1 sizes [2, 4, 2, 3, 3]
// CHECK: %[[C:.*]] = tenon.contract {{.*}} -> tensor<1x2x4x6x6xf32>
// CHECK: tenon.reshape %[[C]] sizes [1, 8, 6, 6]
func.func @groups(%x: tensor<1x4x6x6xf32>, %w: tensor<8x2x3x3xf32>) -> tensor<1x8x6x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 2 : tensor<1x4x6x6xf32>, tensor<8x2x3x3xf32> -> tensor<1x8x6x6xf32>
  return %0 : tensor<1x8x6x6xf32>
}

// -----

// CHECK-LABEL: func.func @depthwise
// CHECK: tenon.conv
func.func @depthwise(%x: tensor<1x4x6x6xf32>, %w: tensor<4x1x3x3xf32>) -> tensor<1x4x6x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 4 : tensor<1x4x6x6xf32>, tensor<4x1x3x3xf32> -> tensor<1x4x6x6xf32>
  return %0 : tensor<1x4x6x6xf32>
}
