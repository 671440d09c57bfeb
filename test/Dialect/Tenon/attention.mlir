// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @heads
func.func @heads(%q: tensor<?x?x12x64xf32>, %k: tensor<?x?x12x64xf32>, %v: tensor<?x?x12x64xf32>, %m: tensor<?x?xf32>) -> tensor<?x?x12x64xf32> {
  // CHECK: tenon.attention %{{.*}}, %{{.*}}, %{{.*}} mask(%{{.*}} : tensor<?x?xf32>) maps [{{.*}}] scale 1.250000e-01 : tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32> -> tensor<?x?x12x64xf32>
  %y = tenon.attention %q, %k, %v mask(%m : tensor<?x?xf32>)
       maps [affine_map<(b, h, m, e, n, k) -> (b, m, h, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, h, k)>,
             affine_map<(b, h, m, e, n, k) -> (b, n, h, e)>, affine_map<(b, h, m, e, n, k) -> (b, n)>,
             affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 1.250000e-01
       : tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32> -> tensor<?x?x12x64xf32>
  return %y : tensor<?x?x12x64xf32>
}

// CHECK-LABEL: func.func @selects
func.func @selects(%q: tensor<4x8xf16>, %k: tensor<5x8xf16>, %v: tensor<5x3xf16>, %m: tensor<4x5xi1>) -> tensor<4x3xf16> {
  // CHECK: tenon.attention %{{.*}} mask(%{{.*}} : tensor<4x5xi1>) maps [{{.*}}] scale 1.000000e+00 fill -1.000000e+04 {zero_nan} :
  %y = tenon.attention %q, %k, %v mask(%m : tensor<4x5xi1>)
       maps [affine_map<(m, e, n, k) -> (m, k)>, affine_map<(m, e, n, k) -> (n, k)>, affine_map<(m, e, n, k) -> (n, e)>,
             affine_map<(m, e, n, k) -> (m, n)>, affine_map<(m, e, n, k) -> (m, e)>] scale 1.0 fill -1.0e+4 {zero_nan}
       : tensor<4x8xf16>, tensor<5x8xf16>, tensor<5x3xf16> -> tensor<4x3xf16>
  return %y : tensor<4x3xf16>
}
