// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @reduce
func.func @reduce(%x: tensor<?x768xf32>) -> tensor<?xi64> {
  // CHECK: tenon.reduce sum %{{.*}} dims [1] : tensor<?x768xf32> -> tensor<?xf32>
  %0 = tenon.reduce sum %x dims [1] : tensor<?x768xf32> -> tensor<?xf32>
  // CHECK: tenon.reduce mean %{{.*}} dims [0, 1] : tensor<?x768xf32> -> tensor<f32>
  %1 = tenon.reduce mean %x dims [0, 1] : tensor<?x768xf32> -> tensor<f32>
  // CHECK: tenon.arg_reduce max %{{.*}} dim 1 {last} : tensor<?x768xf32> -> tensor<?xi64>
  %2 = tenon.arg_reduce max %x dim 1 {last} : tensor<?x768xf32> -> tensor<?xi64>
  return %2 : tensor<?xi64>
}

// CHECK-LABEL: func.func @window
func.func @window(%x: tensor<1x64x112x112xf32>) -> tensor<1x64x57x57xf32> {
  // CHECK: tenon.window max %{{.*}} sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {ceil} : tensor<1x64x112x112xf32> -> tensor<1x64x57x57xf32>
  %0 = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] {ceil}
       : tensor<1x64x112x112xf32> -> tensor<1x64x57x57xf32>
  return %0 : tensor<1x64x57x57xf32>
}

// CHECK-LABEL: func.func @scan
func.func @scan(%x: tensor<?x768xf32>) -> tensor<?x768xf32> {
  // CHECK: tenon.scan sum %{{.*}} dim 1 {exclusive, reverse} : tensor<?x768xf32>
  %0 = tenon.scan sum %x dim 1 {exclusive, reverse} : tensor<?x768xf32>
  return %0 : tensor<?x768xf32>
}
