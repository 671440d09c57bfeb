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

// -----

// With channels last the windows are rows of one matrix product, and a constant filter is its matrix as it lies.
// CHECK-LABEL: func.func @channels_last
// CHECK: %[[P:.*]] = tenon.pad constant %arg0, %{{.*}} low [0, 1, 1, 0] high [0, 1, 1, 0] : tensor<1x6x6x4xf32>, tensor<f32> -> tensor<1x8x8x4xf32>
// CHECK-DAG: %[[L:.*]] = tenon_tile.window_rows %[[P]] sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x8x8x4xf32> -> tensor<1x6x6x36xf32>
// CHECK-DAG: %[[F:.*]] = tenon.constant dense<1.000000e+00> : tensor<36x8xf32>
// CHECK: tenon.contract %[[L]], %[[F]] {{.*}} -> tensor<1x6x6x8xf32>
func.func @channels_last(%x: tensor<1x6x6x4xf32>) -> tensor<1x6x6x8xf32> {
  %w = tenon.constant dense<1.0> : tensor<3x3x4x8xf32>
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last} : tensor<1x6x6x4xf32>, tensor<3x3x4x8xf32> -> tensor<1x6x6x8xf32>
  return %0 : tensor<1x6x6x8xf32>
}

// -----

// CHECK-LABEL: func.func @channels_last_groups
// CHECK-DAG: %[[L:.*]] = tenon.reshape %arg0 sizes [1, 6, 6, 2, 4]
// CHECK-DAG: %[[F:.*]] = tenon.reshape %arg1 sizes [4, 2, 3]
// CHECK: %[[C:.*]] = tenon.contract %[[L]], %[[F]] {{.*}} -> tensor<1x6x6x2x3xf32>
// CHECK: tenon.reshape %[[C]] sizes [1, 6, 6, 6]
func.func @channels_last_groups(%x: tensor<1x6x6x8xf32>, %w: tensor<1x1x4x6xf32>) -> tensor<1x6x6x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 {channels_last} : tensor<1x6x6x8xf32>, tensor<1x1x4x6xf32> -> tensor<1x6x6x6xf32>
  return %0 : tensor<1x6x6x6xf32>
}

// -----

// Channels of a group don't run together with its taps: element by element.
// CHECK-LABEL: func.func @channels_last_windows_of_groups
// CHECK: tenon.conv
func.func @channels_last_windows_of_groups(%x: tensor<1x6x6x8xf32>, %w: tensor<3x3x4x6xf32>) -> tensor<1x4x4x6xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 2 {channels_last} : tensor<1x6x6x8xf32>, tensor<3x3x4x6xf32> -> tensor<1x4x4x6xf32>
  return %0 : tensor<1x4x4x6xf32>
}

// -----

// Where much of the windows is border they are clipped to the image, whose border isn't made then: only of dilated windows.
// CHECK-LABEL: func.func @dilated
// CHECK-NOT: tenon.pad
// CHECK: tenon_tile.window_rows %arg0 sizes [3, 3] strides [1, 1] dilations [4, 4] pads [4, 4, 4, 4] : tensor<1x9x9x4xf32> -> tensor<1x9x9x36xf32>
func.func @dilated(%x: tensor<1x9x9x4xf32>, %w: tensor<3x3x4x8xf32>) -> tensor<1x9x9x8xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [4, 4] pads [4, 4, 4, 4] groups 1 {channels_last} : tensor<1x9x9x4xf32>, tensor<3x3x4x8xf32> -> tensor<1x9x9x8xf32>
  return %0 : tensor<1x9x9x8xf32>
}

// -----

// CHECK-LABEL: func.func @dilated_in_a_large_image
// CHECK: tenon.pad
// CHECK: tenon_tile.window_rows %{{.*}} sizes [3, 3] strides [1, 1] dilations [2, 2] : tensor<1x54x54x4xf32>
func.func @dilated_in_a_large_image(%x: tensor<1x50x50x4xf32>, %w: tensor<3x3x4x8xf32>) -> tensor<1x50x50x8xf32> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [2, 2] pads [2, 2, 2, 2] groups 1 {channels_last} : tensor<1x50x50x4xf32>, tensor<3x3x4x8xf32> -> tensor<1x50x50x8xf32>
  return %0 : tensor<1x50x50x8xf32>
}
