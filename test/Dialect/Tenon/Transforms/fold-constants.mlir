// RUN: %tenon_opt --pass-pipeline="builtin.module(tenon-fold-constants)" %s | FileCheck %s
// RUN: %tenon_opt --pass-pipeline="builtin.module(tenon-fold-constants{constants-file=%t.constants})" %s -o %t.mlir
// RUN: tenon-interpret %t.mlir --function large | FileCheck %s --check-prefix=KEPT
// KEPT: result0: tensor<32x32xf32>

// CHECK-LABEL: @arithmetic
// CHECK-NEXT: %[[C:.*]] = tenon.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-NEXT: return %[[C]]
func.func @arithmetic() -> tensor<2xf32> {
  %v = tenon.constant dense<[3.0, 15.0]> : tensor<2xf32>
  %e = tenon.constant dense<1.0> : tensor<f32>
  %w = tenon.broadcast %e dims [] sizes [2] : tensor<f32> -> tensor<2xf32>
  %s = tenon.add %v, %w : tensor<2xf32>
  %r = tenon.rsqrt %s : tensor<2xf32>
  return %r : tensor<2xf32>
}

// A contraction of two constants; equal elements are one.
// CHECK-LABEL: @contract
// CHECK-NEXT: tenon.constant dense<3.000000e+00> : tensor<2x2xf32>
func.func @contract() -> tensor<2x2xf32> {
  %a = tenon.constant dense<1.0> : tensor<2x3xf32>
  %c = tenon.contract %a, %a maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<2x3xf32>, tensor<2x3xf32> -> tensor<2x2xf32>
  return %c : tensor<2x2xf32>
}

// Above 1 kB the result goes to a file, and further results are computed from there.
// CHECK-LABEL: @large
// CHECK-DAG: %[[A:.*]] = tenon.constant #tenon.blob<"{{.*}}", {{[0-9]+}}, 4096> : tensor<32x32xf32>
// CHECK-DAG: %[[B:.*]] = tenon.constant #tenon.blob<"{{.*}}", {{[0-9]+}}, 4096> : tensor<32x32xf32>
// CHECK-NEXT: return %[[A]], %[[B]]
func.func @large() -> (tensor<32x32xf32>, tensor<32x32xf32>) {
  %v = tenon.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0,
                             15.0, 16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0]> : tensor<32xf32>
  %many = tenon.concat %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v, %v dim 0
      : tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>,
        tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32>,
        tensor<32xf32>, tensor<32xf32>, tensor<32xf32>, tensor<32xf32> -> tensor<512xf32>
  %all = tenon.concat %many, %many dim 0 : tensor<512xf32>, tensor<512xf32> -> tensor<1024xf32>
  %square = tenon.reshape %all sizes [32, 32] : tensor<1024xf32> -> tensor<32x32xf32>
  %t = tenon.neg %square : tensor<32x32xf32>
  %u = tenon.exp %t : tensor<32x32xf32>
  return %t, %u : tensor<32x32xf32>, tensor<32x32xf32>
}

// What repeats a small constant stays, and what is computed from it as large.
// CHECK-LABEL: @repeats
// CHECK: %[[W:.*]] = tenon.broadcast
// CHECK: %[[I:.*]] = tenon.iota
// CHECK: return %[[W]], %[[I]]
func.func @repeats() -> (tensor<4x64xf32>, tensor<300xi64>) {
  %c = tenon.constant dense<2.0> : tensor<1x1xf32>
  %w = tenon.broadcast %c dims [0, 1] sizes [4, 64] : tensor<1x1xf32> -> tensor<4x64xf32>
  %i = tenon.iota dim 0 sizes [300] : tensor<300xi64>
  return %w, %i : tensor<4x64xf32>, tensor<300xi64>
}

// Booleans and packed integers.
// CHECK-LABEL: @narrow
// CHECK-DAG: tenon.constant dense<[true, false]> : tensor<2xi1>
// CHECK-DAG: tenon.constant dense<[7, -8]> : tensor<2xi4>
func.func @narrow() -> (tensor<2xi1>, tensor<2xi4>) {
  %x = tenon.constant dense<[7, 8]> : tensor<2xi64>
  %y = tenon.constant dense<[8, 8]> : tensor<2xi64>
  %c = tenon.compare lt %x, %y : tensor<2xi64> -> tensor<2xi1>
  %n = tenon.cast %x : tensor<2xi64> -> tensor<2xi4>
  return %c, %n : tensor<2xi1>, tensor<2xi4>
}

// CHECK-LABEL: @sizes
// CHECK: %[[N:.*]] = arith.constant 3 : index
// CHECK: tenon.broadcast %{{.*}} dims [] sizes [%[[N]]]
func.func @sizes(%x: tensor<f32>) -> tensor<?xf32> {
  %s = tenon.constant dense<[2, 3]> : tensor<2xi64>
  %n = tenon.item %s at 1 : tensor<2xi64>
  %y = tenon.broadcast %x dims [] sizes [%n] : tensor<f32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// What fails stays, to fail where it runs; so do regions.
// CHECK-LABEL: @stays
// CHECK: tenon.gather
// CHECK: tenon.if
func.func @stays() -> (tensor<1xf32>, tensor<1xf32>) {
  %x = tenon.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %i = tenon.constant dense<5> : tensor<1x1xi64>
  %y = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<2xf32>, tensor<1x1xi64> -> tensor<1xf32>
  %true = tenon.constant dense<true> : tensor<i1>
  %z = tenon.if %true -> tensor<1xf32> {
    // CHECK: tenon.constant dense<2.000000e+00> : tensor<1xf32>
    %a = tenon.slice %x offsets [0] sizes [1] strides [1] : tensor<2xf32> -> tensor<1xf32>
    tenon.yield %a : tensor<1xf32>
  } else {
    tenon.yield %y : tensor<1xf32>
  }
  return %y, %z : tensor<1xf32>, tensor<1xf32>
}

// Weights that are stored in fewer bytes: columns of a contraction are made in its kernel, rows are read from memory.
// What only elementwise ops read stays small.
// CHECK-LABEL: @weights
// CHECK: %[[COLUMNS:.*]] = tenon.cast %{{.*}} : tensor<32x32xi8> -> tensor<32x32xf32>
// CHECK: tenon.contract %arg0, %[[COLUMNS]]
// CHECK: %[[ROWS:.*]] = tenon.constant #tenon.blob<{{.*}}> : tensor<32x32xf32>
// CHECK: tenon.contract %[[ROWS]], %arg1
// CHECK: tenon.cast %{{.*}} : tensor<32x32xi8> -> tensor<32x32xf32>
func.func @weights(%x: tensor<4x32xf32>, %z: tensor<32x32xf32>) -> (tensor<4x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>) {
  %i = tenon.iota dim 0 sizes [32, 32] : tensor<32x32xi8>
  %s = tenon.constant dense<"0x000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F"> : tensor<32xi8>
  %b = tenon.broadcast %s dims [1] sizes [32, 32] : tensor<32xi8> -> tensor<32x32xi8>
  %q = tenon.add %i, %b : tensor<32x32xi8>
  %w = tenon.cast %q : tensor<32x32xi8> -> tensor<32x32xf32>
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<4x32xf32>, tensor<32x32xf32> -> tensor<4x32xf32>
  %r = tenon.cast %q : tensor<32x32xi8> -> tensor<32x32xf32>
  %u = tenon.contract %r, %z maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<32x32xf32>, tensor<32x32xf32> -> tensor<32x32xf32>
  %v = tenon.cast %q : tensor<32x32xi8> -> tensor<32x32xf32>
  %e = tenon.add %z, %v : tensor<32x32xf32>
  return %y, %u, %e : tensor<4x32xf32>, tensor<32x32xf32>, tensor<32x32xf32>
}
