// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @shape
func.func @shape(%x: tensor<?x128xf32>) -> index {
  // CHECK: %[[B:.*]] = tenon.symbol "batch" range [1, 64] divisible 8
  %b = tenon.symbol "batch" range [1, 64] divisible 8
  // CHECK: tenon.bind_shape %{{.*}} [%[[B]], 128] : tensor<?x128xf32>
  tenon.bind_shape %x [%b, 128] : tensor<?x128xf32>
  // CHECK: tenon.size %{{.*}} dim 0 : tensor<?x128xf32>
  %n = tenon.size %x dim 0 : tensor<?x128xf32>
  // CHECK: tenon.from_sizes [%{{.*}}, 128] : tensor<2xi64>
  %s = tenon.from_sizes [%n, 128] : tensor<2xi64>
  // CHECK: tenon.item %{{.*}} at 1 : tensor<2xi64>
  %i = tenon.item %s at 1 : tensor<2xi64>
  return %i : index
}
