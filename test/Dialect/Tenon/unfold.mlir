// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @unfold
func.func @unfold(%x: tensor<1x4x6x?xf32>, %z: tensor<1x6x?x4xf32>) -> tensor<1x4x3x3x3x?xf32> {
  // CHECK: tenon.unfold %{{.*}} sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : tensor<1x4x6x?xf32> -> tensor<1x4x3x3x3x?xf32>
  %p = tenon.unfold %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : tensor<1x4x6x?xf32> -> tensor<1x4x3x3x3x?xf32>
  // CHECK: tenon.unfold %{{.*}} {channels_last} : tensor<1x6x?x4xf32> -> tensor<1x3x?x3x3x4xf32>
  %q = tenon.unfold %z sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {channels_last} : tensor<1x6x?x4xf32> -> tensor<1x3x?x3x3x4xf32>
  return %p : tensor<1x4x3x3x3x?xf32>
}
