// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

#a = affine_map<(b, m, n, k) -> (b, m, k)>
#b = affine_map<(b, m, n, k) -> (b, k, n)>
#c = affine_map<(b, m, n, k) -> (b, m, n)>

// CHECK-LABEL: func.func @batched
func.func @batched(%a: tensor<?x?x64xf32>, %b: tensor<?x64x32xf32>) -> tensor<?x?x32xf32> {
  // CHECK: tenon.contract %{{.*}}, %{{.*}} maps [#{{.*}}, #{{.*}}, #{{.*}}] : tensor<?x?x64xf32>, tensor<?x64x32xf32> -> tensor<?x?x32xf32>
  %0 = tenon.contract %a, %b maps [#a, #b, #c] : tensor<?x?x64xf32>, tensor<?x64x32xf32> -> tensor<?x?x32xf32>
  return %0 : tensor<?x?x32xf32>
}

// CHECK-LABEL: func.func @stem
func.func @stem(%x: tensor<?x3x224x224xf32>, %w: tensor<64x3x7x7xf32>) -> tensor<?x64x112x112xf32> {
  // CHECK: tenon.conv %{{.*}}, %{{.*}} strides [2, 2] dilations [1, 1] pads [3, 3, 3, 3] groups 1 : tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<?x64x112x112xf32>
  %0 = tenon.conv %x, %w strides [2, 2] dilations [1, 1] pads [3, 3, 3, 3] groups 1
       : tensor<?x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<?x64x112x112xf32>
  return %0 : tensor<?x64x112x112xf32>
}
