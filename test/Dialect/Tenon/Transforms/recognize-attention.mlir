// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-recognize-composites)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-recognize-composites,tenon-decompose-composites{ops=tenon.attention})" | FileCheck %s --check-prefix=BACK

#q = affine_map<(b, h, m, n, k) -> (b, m, h, k)>
#k = affine_map<(b, h, m, n, k) -> (b, n, h, k)>
#s = affine_map<(b, h, m, n, k) -> (b, h, m, n)>
#p = affine_map<(b, h, m, e, n) -> (b, h, m, n)>
#v = affine_map<(b, h, m, e, n) -> (b, n, h, e)>
#y = affine_map<(b, h, m, e, n) -> (b, m, h, e)>

// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d5)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d5)>
// CHECK-DAG: #[[V:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4, d1, d3)>
// CHECK-DAG: #[[M:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d4)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d2, d1, d3)>

// A mask of the keys in the form [B, 1, 1, N], the scores divided.
// CHECK-LABEL: func.func @added
// CHECK: %[[MASK:.*]] = tenon.reshape %arg3 sizes [%{{.*}}, %{{.*}}] : tensor<?x1x1x?xf32> -> tensor<?x?xf32>
// CHECK: tenon.attention %arg0, %arg1, %arg2 mask(%[[MASK]] : tensor<?x?xf32>) maps [#[[Q]], #[[K]], #[[V]], #[[M]], #[[Y]]] scale 1.250000e-01 :
// BACK-LABEL: func.func @added
// BACK: %[[S:.*]] = tenon.contract %arg0, %arg1 {{.*}} -> tensor<?x12x?x?xf32>
// BACK: %[[T:.*]] = tenon.mul %[[S]]
// BACK: %[[U:.*]] = tenon.add %[[T]]
// BACK: %[[P:.*]] = tenon.softmax %[[U]] dims [3]
// BACK: tenon.contract %[[P]], %arg2
func.func @added(%q: tensor<?x?x12x64xf32>, %k: tensor<?x?x12x64xf32>, %v: tensor<?x?x12x64xf32>, %mask: tensor<?x1x1x?xf32>) -> tensor<?x?x12x64xf32> {
  %b = tenon.symbol "b"
  %m = tenon.symbol "m"
  %n = tenon.symbol "n"
  tenon.bind_shape %q [%b, %m, 12, 64] : tensor<?x?x12x64xf32>
  tenon.bind_shape %k [%b, %n, 12, 64] : tensor<?x?x12x64xf32>
  tenon.bind_shape %v [%b, %n, 12, 64] : tensor<?x?x12x64xf32>
  tenon.bind_shape %mask [%b, 1, 1, %n] : tensor<?x1x1x?xf32>
  %eight = tenon.constant dense<8.0> : tensor<f32>
  %s = tenon.contract %q, %k maps [#q, #k, #s] : tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32> -> tensor<?x12x?x?xf32>
  %e = tenon.broadcast %eight dims [] sizes [%b, 12, %m, %n] : tensor<f32> -> tensor<?x12x?x?xf32>
  %t = tenon.div %s, %e : tensor<?x12x?x?xf32>
  %w = tenon.broadcast %mask dims [0, 1, 2, 3] sizes [%b, 12, %m, %n] : tensor<?x1x1x?xf32> -> tensor<?x12x?x?xf32>
  %u = tenon.add %t, %w : tensor<?x12x?x?xf32>
  %p = tenon.softmax %u dims [3] : tensor<?x12x?x?xf32>
  %y = tenon.contract %p, %v maps [#p, #v, #y] : tensor<?x12x?x?xf32>, tensor<?x?x12x64xf32> -> tensor<?x?x12x64xf32>
  return %y : tensor<?x?x12x64xf32>
}

// -----

#q = affine_map<(m, n, k) -> (m, k)>
#k = affine_map<(m, n, k) -> (n, k)>
#s = affine_map<(m, n, k) -> (m, n)>
#p = affine_map<(m, e, n) -> (m, n)>
#v = affine_map<(m, e, n) -> (n, e)>
#y = affine_map<(m, e, n) -> (m, e)>

// Query and key scaled, a condition that selects, and NaN as zero.
// CHECK-LABEL: func.func @selected
// CHECK: tenon.attention %arg0, %arg1, %arg2 mask(%arg3 : tensor<4x5xi1>) maps {{.*}} scale 2.500000e-01 fill -1.000000e+04 {zero_nan}
// BACK-LABEL: func.func @selected
// BACK: tenon.select
// BACK: tenon.softmax
// BACK: tenon.is_nan
func.func @selected(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>, %mask: tensor<4x5xi1>) -> tensor<4x3xf32> {
  %half = tenon.constant dense<0.5> : tensor<f32>
  %zero = tenon.constant dense<0.0> : tensor<4x5xf32>
  %low = tenon.constant dense<-1.0e+4> : tensor<4x5xf32>
  %hq = tenon.broadcast %half dims [] sizes [4, 8] : tensor<f32> -> tensor<4x8xf32>
  %hk = tenon.broadcast %half dims [] sizes [5, 8] : tensor<f32> -> tensor<5x8xf32>
  %sq = tenon.mul %q, %hq : tensor<4x8xf32>
  %sk = tenon.mul %hk, %k : tensor<5x8xf32>
  %s = tenon.contract %sq, %sk maps [#q, #k, #s] : tensor<4x8xf32>, tensor<5x8xf32> -> tensor<4x5xf32>
  %t = tenon.select %mask, %s, %low : tensor<4x5xi1>, tensor<4x5xf32>
  %p = tenon.softmax %t dims [1] : tensor<4x5xf32>
  %n = tenon.is_nan %p : tensor<4x5xf32> -> tensor<4x5xi1>
  %w = tenon.select %n, %zero, %p : tensor<4x5xi1>, tensor<4x5xf32>
  %y = tenon.contract %w, %v maps [#p, #v, #y] : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// The weights as second operand, the keys as first.
// CHECK-LABEL: func.func @swapped
// CHECK: tenon.attention %arg0, %arg1, %arg2 maps {{.*}} scale 1.000000e+00 :
func.func @swapped(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  %s = tenon.contract %k, %q maps [affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<5x8xf32>, tensor<4x8xf32> -> tensor<4x5xf32>
  %p = tenon.softmax %s dims [1] : tensor<4x5xf32>
  %y = tenon.contract %v, %p maps [affine_map<(m, e, n) -> (n, e)>, affine_map<(m, e, n) -> (m, n)>, affine_map<(m, e, n) -> (m, e)>]
       : tensor<5x3xf32>, tensor<4x5xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// Scores that are used elsewhere stay.
// CHECK-LABEL: func.func @used
// CHECK-NOT: tenon.attention
func.func @used(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> (tensor<4x3xf32>, tensor<4x5xf32>) {
  %s = tenon.contract %q, %k maps [#q, #k, #s] : tensor<4x8xf32>, tensor<5x8xf32> -> tensor<4x5xf32>
  %p = tenon.softmax %s dims [1] : tensor<4x5xf32>
  %y = tenon.contract %p, %v maps [#p, #v, #y] : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y, %s : tensor<4x3xf32>, tensor<4x5xf32>
}

// A softmax along the queries is none.
// CHECK-LABEL: func.func @other_dim
// CHECK-NOT: tenon.attention
func.func @other_dim(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  %s = tenon.contract %q, %k maps [#q, #k, #s] : tensor<4x8xf32>, tensor<5x8xf32> -> tensor<4x5xf32>
  %p = tenon.softmax %s dims [0] : tensor<4x5xf32>
  %y = tenon.contract %p, %v maps [#p, #v, #y] : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// A logarithm of the weights is none either.
// CHECK-LABEL: func.func @log
// CHECK-NOT: tenon.attention
func.func @log(%q: tensor<4x8xf32>, %k: tensor<5x8xf32>, %v: tensor<5x3xf32>) -> tensor<4x3xf32> {
  %s = tenon.contract %q, %k maps [#q, #k, #s] : tensor<4x8xf32>, tensor<5x8xf32> -> tensor<4x5xf32>
  %p = tenon.softmax %s dims [1] {log} : tensor<4x5xf32>
  %y = tenon.contract %p, %v maps [#p, #v, #y] : tensor<4x5xf32>, tensor<5x3xf32> -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}
