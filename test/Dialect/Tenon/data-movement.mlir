// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @constants
func.func @constants() -> tensor<256xf32> {
  // CHECK: tenon.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %0 = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: tenon.constant #tenon.blob<"{{.*}}weights.bin", 4096, 1024> : tensor<256xf32>
  %1 = tenon.constant #tenon.blob<"weights.bin", 4096, 1024> : tensor<256xf32>
  // CHECK: tenon.constant #tenon.blob<"{{.*}}weights.bin", 0, 1024, xxh3 0x0fedcba987654321> : tensor<256xf32>
  %2 = tenon.constant #tenon.blob<"weights.bin", 0, 1024, xxh3 0xfedcba987654321> : tensor<256xf32>
  return %1 : tensor<256xf32>
}

// CHECK-LABEL: func.func @move
func.func @move(%x: tensor<?x768xf32>, %n: index, %v: tensor<f32>) -> tensor<?x3xi64> {
  // CHECK: tenon.reshape %{{.*}} sizes [%{{.*}}, 12, 64] : tensor<?x768xf32> -> tensor<?x12x64xf32>
  %0 = tenon.reshape %x sizes [%n, 12, 64] : tensor<?x768xf32> -> tensor<?x12x64xf32>
  // CHECK: tenon.broadcast %{{.*}} dims [1, 2] sizes [4, %{{.*}}, 768] : tensor<?x768xf32> -> tensor<4x?x768xf32>
  %1 = tenon.broadcast %x dims [1, 2] sizes [4, %n, 768] : tensor<?x768xf32> -> tensor<4x?x768xf32>
  // CHECK: tenon.transpose %{{.*}} [1, 0] : tensor<?x768xf32> -> tensor<768x?xf32>
  %2 = tenon.transpose %x [1, 0] : tensor<?x768xf32> -> tensor<768x?xf32>
  // CHECK: tenon.slice %{{.*}} offsets [0, %{{.*}}] sizes [%{{.*}}, 64] strides [1, -1] : tensor<?x768xf32> -> tensor<?x64xf32>
  %3 = tenon.slice %x offsets [0, %n] sizes [%n, 64] strides [1, -1] : tensor<?x768xf32> -> tensor<?x64xf32>
  // CHECK: tenon.pad reflect %{{.*}}, %{{.*}} low [0, 1] high [%{{.*}}, 2] : tensor<?x768xf32>, tensor<f32> -> tensor<?x771xf32>
  %4 = tenon.pad reflect %x, %v low [0, 1] high [%n, 2] : tensor<?x768xf32>, tensor<f32> -> tensor<?x771xf32>
  // CHECK: tenon.concat %{{.*}}, %{{.*}} dim 1 : tensor<?x768xf32>, tensor<?x64xf32> -> tensor<?x832xf32>
  %5 = tenon.concat %x, %3 dim 1 : tensor<?x768xf32>, tensor<?x64xf32> -> tensor<?x832xf32>
  // CHECK: tenon.iota dim 1 sizes [%{{.*}}, 3] : tensor<?x3xi64>
  %6 = tenon.iota dim 1 sizes [%n, 3] : tensor<?x3xi64>
  return %6 : tensor<?x3xi64>
}

// CHECK-LABEL: func.func @index
func.func @index(%x: tensor<30522x768xf32>, %i: tensor<?x1xi64>) -> tensor<2x?xi64> {
  // CHECK: tenon.gather error %{{.*}}, %{{.*}} dims [0] batch_dims 0 : tensor<30522x768xf32>, tensor<?x1xi64> -> tensor<?x768xf32>
  %0 = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<30522x768xf32>, tensor<?x1xi64> -> tensor<?x768xf32>
  // CHECK: tenon.nonzero %{{.*}} : tensor<?x768xf32> -> tensor<2x?xi64>
  %1 = tenon.nonzero %0 : tensor<?x768xf32> -> tensor<2x?xi64>
  return %1 : tensor<2x?xi64>
}

// CHECK-LABEL: func.func @scatter
func.func @scatter(%x: tensor<?x768xf32>, %i: tensor<?x1xi64>, %u: tensor<?x768xf32>, %k: index) {
  // CHECK: tenon.scatter error %{{.*}}, %{{.*}}, %{{.*}} dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
  %0 = tenon.scatter error %x, %i, %u dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
  // CHECK: tenon.scatter drop sum %{{.*}}, %{{.*}}, %{{.*}} dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
  %1 = tenon.scatter drop sum %x, %i, %u dims [0] batch_dims 0 : tensor<?x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
  // CHECK: tenon.topk %{{.*}} dim 1 k [8] : tensor<?x768xf32> -> tensor<?x8xf32>, tensor<?x8xi64>
  %v, %p = tenon.topk %x dim 1 k [8] : tensor<?x768xf32> -> tensor<?x8xf32>, tensor<?x8xi64>
  // CHECK: tenon.topk %{{.*}} dim 1 k [%{{.*}}] {smallest} : tensor<?x768xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
  %w, %q = tenon.topk %x dim 1 k [%k] {smallest} : tensor<?x768xf32> -> tensor<?x?xf32>, tensor<?x?xi64>
  return
}

// CHECK-LABEL: func @suppress
func.func @suppress(%c: tensor<80x?xi1>, %b: tensor<80x4x?xf32>, %t: tensor<f32>, %n: tensor<i64>) {
  // CHECK: tenon.suppress %{{.*}}, %{{.*}} threshold %{{.*}} most %{{.*}} : tensor<80x?xi1>, tensor<80x4x?xf32>, tensor<f32>, tensor<i64>
  %0 = tenon.suppress %c, %b threshold %t most %n : tensor<80x?xi1>, tensor<80x4x?xf32>, tensor<f32>, tensor<i64>
  return
}
