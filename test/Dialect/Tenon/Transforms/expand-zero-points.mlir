// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-expand-zero-points))" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-expand-zero-points{dequantized=false}))" | FileCheck %s --check-prefix=STRICT

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: func.func @one_zero_point(
// CHECK-SAME: %[[X:.*]]: tensor<?x64xui8>, %[[Z:.*]]: tensor<ui8>)
// CHECK: %[[W:.*]] = tenon.constant dense<3> : tensor<64x32xi8>
// CHECK: %[[P:.*]] = tenon.contract %[[X]], %[[W]] maps {{.*}} : tensor<?x64xui8>, tensor<64x32xi8> -> tensor<?x32xi32>
// CHECK: %[[S:.*]] = tenon.reduce sum %{{.*}} dims [0] : tensor<64x32xi32> -> tensor<32xi32>
// CHECK: %[[Z32:.*]] = tenon.broadcast %{{.*}} dims [] sizes [32] : tensor<i32> -> tensor<32xi32>
// CHECK: %[[O:.*]] = tenon.mul %[[Z32]], %[[S]] : tensor<32xi32>
// CHECK: %[[OS:.*]] = tenon.broadcast %[[O]] dims [1] sizes [%{{.*}}, 32] : tensor<32xi32> -> tensor<?x32xi32>
// CHECK: %[[Y:.*]] = tenon.sub %[[P]], %[[OS]]
// CHECK: return %[[Y]]
func.func @one_zero_point(%x: tensor<?x64xui8>, %z: tensor<ui8>) -> tensor<?x32xi32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 64] : tensor<?x64xui8>
  %w = tenon.constant dense<3> : tensor<64x32xi8>
  %xi = tenon.cast %x : tensor<?x64xui8> -> tensor<?x64xi32>
  %zi = tenon.cast %z : tensor<ui8> -> tensor<i32>
  %zs = tenon.broadcast %zi dims [] sizes [%m, 64] : tensor<i32> -> tensor<?x64xi32>
  %a = tenon.sub %xi, %zs : tensor<?x64xi32>
  %b = tenon.cast %w : tensor<64x32xi8> -> tensor<64x32xi32>
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<?x64xi32>, tensor<64x32xi32> -> tensor<?x32xi32>
  return %y : tensor<?x32xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Constants without a sign get one, what is computed with a sign loses it. What stays of the constants' zero points is
// multiplied with sums of rows.
// CHECK-LABEL: func.func @two_zero_points(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xi8>)
// CHECK: %[[W:.*]] = tenon.cast %{{.*}} : tensor<64x32xi32> -> tensor<64x32xi8>
// CHECK: %[[U:.*]] = tenon.cast %{{.*}} : tensor<4x64xi32> -> tensor<4x64xui8>
// CHECK: tenon.contract %[[U]], %[[W]] maps {{.*}} : tensor<4x64xui8>, tensor<64x32xi8> -> tensor<4x32xi32>
// CHECK: tenon.reduce sum %{{.*}} dims [1] : tensor<4x64xi32> -> tensor<4xi32>
// CHECK: tenon.reduce sum %{{.*}} dims [0] : tensor<64x32xi32> -> tensor<32xi32>
// CHECK: return
func.func @two_zero_points(%x: tensor<4x64xi8>) -> tensor<4x32xi32> {
  %w = tenon.constant dense<200> : tensor<64x32xui8>
  %p = tenon.constant dense<5> : tensor<i8>
  %q = tenon.constant dense<[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]> : tensor<32xui8>
  %xi = tenon.cast %x : tensor<4x64xi8> -> tensor<4x64xi32>
  %pi = tenon.cast %p : tensor<i8> -> tensor<i32>
  %ps = tenon.broadcast %pi dims [] sizes [4, 64] : tensor<i32> -> tensor<4x64xi32>
  %a = tenon.sub %xi, %ps : tensor<4x64xi32>
  %wi = tenon.cast %w : tensor<64x32xui8> -> tensor<64x32xi32>
  %qs = tenon.broadcast %q dims [1] sizes [64, 32] : tensor<32xui8> -> tensor<64x32xui8>
  %qi = tenon.cast %qs : tensor<64x32xui8> -> tensor<64x32xi32>
  %b = tenon.sub %wi, %qi : tensor<64x32xi32>
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<4x64xi32>, tensor<64x32xi32> -> tensor<4x32xi32>
  return %y : tensor<4x32xi32>
}

// -----

// A border is the zero point. Filters whose zero points are the middle of their range have none with a sign.
// CHECK-LABEL: func.func @convolution(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xui8>, %[[Z:.*]]: tensor<ui8>)
// CHECK: %[[B:.*]] = tenon.pad constant %[[X]], %[[Z]] low [0, 0, 1, 1] high [0, 0, 1, 1] : tensor<1x3x8x8xui8>, tensor<ui8> -> tensor<1x3x10x10xui8>
// CHECK: tenon.conv %[[B]], %{{.*}} strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x3x10x10xui8>, tensor<4x3x3x3xi8> -> tensor<1x4x8x8xi32>
// CHECK: tenon.reduce sum %{{.*}} dims [1, 2, 3] : tensor<4x3x3x3xi32> -> tensor<4xi32>
// CHECK: tenon.sub
func.func @convolution(%x: tensor<1x3x8x8xui8>, %z: tensor<ui8>) -> tensor<1x4x8x8xi32> {
  %w = tenon.constant dense<200> : tensor<4x3x3x3xui8>
  %q = tenon.constant dense<128> : tensor<4x3x3x3xi32>
  %xi = tenon.cast %x : tensor<1x3x8x8xui8> -> tensor<1x3x8x8xi32>
  %zi = tenon.cast %z : tensor<ui8> -> tensor<i32>
  %zs = tenon.broadcast %zi dims [] sizes [1, 3, 8, 8] : tensor<i32> -> tensor<1x3x8x8xi32>
  %a = tenon.sub %xi, %zs : tensor<1x3x8x8xi32>
  %wi = tenon.cast %w : tensor<4x3x3x3xui8> -> tensor<4x3x3x3xi32>
  %b = tenon.sub %wi, %q : tensor<4x3x3x3xi32>
  %y = tenon.conv %a, %b strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 : tensor<1x3x8x8xi32>, tensor<4x3x3x3xi32> -> tensor<1x4x8x8xi32>
  return %y : tensor<1x4x8x8xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (n, k)>
#result = affine_map<(m, n, k) -> (m, n)>

// Numbers that were dequantised: the sum of integers is exact, and multiplied with both scales at last.
// CHECK-LABEL: func.func @dequantized(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xui8>)
// CHECK: %[[P:.*]] = tenon.contract %[[X]], %{{.*}} : tensor<4x64xui8>, tensor<2x64xi8> -> tensor<4x2xi32>
// CHECK: %[[Y:.*]] = tenon.cast %[[P]] : tensor<4x2xi32> -> tensor<4x2xf32>
// CHECK: %[[A:.*]] = tenon.broadcast %{{.*}} dims [] sizes [2] : tensor<f32> -> tensor<2xf32>
// CHECK: %[[B:.*]] = tenon.mul %[[A]], %{{.*}} : tensor<2xf32>
// CHECK: %[[S:.*]] = tenon.broadcast %[[B]] dims [1] sizes [4, 2]
// CHECK: tenon.mul %[[Y]], %[[S]]
// STRICT-LABEL: func.func @dequantized(
// STRICT: tenon.contract {{.*}} : tensor<4x64xf32>, tensor<2x64xf32> -> tensor<4x2xf32>
func.func @dequantized(%x: tensor<4x64xui8>) -> tensor<4x2xf32> {
  %w = tenon.constant dense<3> : tensor<2x64xi8>
  %s = tenon.constant dense<0.5> : tensor<f32>
  %t = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %xf = tenon.cast %x : tensor<4x64xui8> -> tensor<4x64xf32>
  %ss = tenon.broadcast %s dims [] sizes [4, 64] : tensor<f32> -> tensor<4x64xf32>
  %a = tenon.mul %xf, %ss : tensor<4x64xf32>
  %wf = tenon.cast %w : tensor<2x64xi8> -> tensor<2x64xf32>
  %ts = tenon.broadcast %t dims [0] sizes [2, 64] : tensor<2xf32> -> tensor<2x64xf32>
  %b = tenon.mul %wf, %ts : tensor<2x64xf32>
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<4x64xf32>, tensor<2x64xf32> -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Weights that are turned once they are dequantised are turned as they are stored.
// CHECK-LABEL: func.func @turned(
// CHECK: %[[W:.*]] = tenon.transpose %{{.*}} [1, 0] : tensor<32x64xi8> -> tensor<64x32xi8>
// CHECK: tenon.contract %{{.*}}, %[[W]] maps {{.*}} : tensor<4x64xui8>, tensor<64x32xi8> -> tensor<4x32xi32>
// STRICT-LABEL: func.func @turned(
// STRICT: tenon.contract {{.*}} -> tensor<4x32xf32>
func.func @turned(%x: tensor<4x64xui8>, %s: tensor<f32>, %t: tensor<32xf32>) -> tensor<4x32xf32> {
  %w = tenon.constant dense<3> : tensor<32x64xi8>
  %xi = tenon.cast %x : tensor<4x64xui8> -> tensor<4x64xf32>
  %ss = tenon.broadcast %s dims [] sizes [4, 64] : tensor<f32> -> tensor<4x64xf32>
  %a = tenon.mul %xi, %ss : tensor<4x64xf32>
  %wi = tenon.cast %w : tensor<32x64xi8> -> tensor<32x64xf32>
  %ts = tenon.broadcast %t dims [0] sizes [32, 64] : tensor<32xf32> -> tensor<32x64xf32>
  %b = tenon.mul %wi, %ts : tensor<32x64xf32>
  %c = tenon.transpose %b [1, 0] : tensor<32x64xf32> -> tensor<64x32xf32>
  %y = tenon.contract %a, %c maps [#rows, #columns, #result] : tensor<4x64xf32>, tensor<64x32xf32> -> tensor<4x32xf32>
  return %y : tensor<4x32xf32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Numbers that are both computed are multiplied in f32, as long as it holds their sums.
// CHECK-LABEL: func.func @computed(
// CHECK: %[[Y:.*]] = tenon.contract %{{.*}} : tensor<4x258xf32>, tensor<258x32xf32> -> tensor<4x32xf32>
// CHECK: tenon.cast %[[Y]] : tensor<4x32xf32> -> tensor<4x32xi32>
// CHECK-LABEL: func.func @more(
// CHECK: tenon.contract %{{.*}} -> tensor<4x32xi32>
func.func @computed(%x: tensor<4x258xui8>, %z: tensor<258x32xi8>) -> tensor<4x32xi32> {
  %a = tenon.cast %x : tensor<4x258xui8> -> tensor<4x258xi32>
  %b = tenon.cast %z : tensor<258x32xi8> -> tensor<258x32xi32>
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<4x258xi32>, tensor<258x32xi32> -> tensor<4x32xi32>
  return %y : tensor<4x32xi32>
}
func.func @more(%x: tensor<4x259xui8>, %z: tensor<259x32xi8>) -> tensor<4x32xi32> {
  %a = tenon.cast %x : tensor<4x259xui8> -> tensor<4x259xi32>
  %b = tenon.cast %z : tensor<259x32xi8> -> tensor<259x32xi32>
  %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<4x259xi32>, tensor<259x32xi32> -> tensor<4x32xi32>
  return %y : tensor<4x32xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// What was quantised to bytes with a sign is quantised without one, and moved back for others.
// CHECK-LABEL: func.func @quantised_with_a_sign(
// CHECK-SAME: %[[X:.*]]: tensor<4x64xf32>)
// CHECK: %[[R:.*]] = tenon.round %[[X]]
// CHECK: %[[U:.*]] = tenon.cast %{{.*}} : tensor<4x64xf32> -> tensor<4x64xui8>
// CHECK: %[[B:.*]] = tenon.cast %{{.*}} : tensor<4x64xi32> -> tensor<4x64xi8>
// CHECK: tenon.contract %[[U]], %{{.*}} : tensor<4x64xui8>, tensor<64x32xi8> -> tensor<4x32xi32>
// CHECK: return %{{.*}}, %[[B]]
func.func @quantised_with_a_sign(%x: tensor<4x64xf32>) -> (tensor<4x32xi32>, tensor<4x64xi8>) {
  %w = tenon.constant dense<3> : tensor<64x32xi8>
  %z = tenon.constant dense<5.0> : tensor<4x64xf32>
  %low = tenon.constant dense<-128.0> : tensor<4x64xf32>
  %high = tenon.constant dense<127.0> : tensor<4x64xf32>
  %r = tenon.round %x : tensor<4x64xf32>
  %s = tenon.add %r, %z : tensor<4x64xf32>
  %a = tenon.max %s, %low : tensor<4x64xf32>
  %b = tenon.min %a, %high : tensor<4x64xf32>
  %q = tenon.cast %b : tensor<4x64xf32> -> tensor<4x64xi8>
  %qi = tenon.cast %q : tensor<4x64xi8> -> tensor<4x64xi32>
  %wi = tenon.cast %w : tensor<64x32xi8> -> tensor<64x32xi32>
  %y = tenon.contract %qi, %wi maps [#rows, #columns, #result] : tensor<4x64xi32>, tensor<64x32xi32> -> tensor<4x32xi32>
  return %y, %q : tensor<4x32xi32>, tensor<4x64xi8>
}

// -----

// Zero points of filters are multiplied with sums of windows, which have sums of channels.
// CHECK-LABEL: func.func @filters_with_zero_points(
// CHECK-SAME: %[[X:.*]]: tensor<1x8x9x9xui8>)
// CHECK: tenon.conv %[[X]], %{{.*}} : tensor<1x8x9x9xui8>, tensor<4x8x3x3xi8> -> tensor<1x4x4x4xi32>
// CHECK: %[[C:.*]] = tenon.reduce sum %{{.*}} dims [1] : tensor<1x8x9x9xi32> -> tensor<1x9x9xi32>
// CHECK: tenon.window sum %[[C]] sizes [3, 3] strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] : tensor<1x9x9xi32> -> tensor<1x4x4xi32>
// CHECK: return
func.func @filters_with_zero_points(%x: tensor<1x8x9x9xui8>) -> tensor<1x4x4x4xi32> {
  %w = tenon.constant dense<200> : tensor<4x8x3x3xui8>
  %z = tenon.constant dense<77> : tensor<4xui8>
  %zi = tenon.cast %z : tensor<4xui8> -> tensor<4xi32>
  %q = tenon.broadcast %zi dims [0] sizes [4, 8, 3, 3] : tensor<4xi32> -> tensor<4x8x3x3xi32>
  %xi = tenon.cast %x : tensor<1x8x9x9xui8> -> tensor<1x8x9x9xi32>
  %wi = tenon.cast %w : tensor<4x8x3x3xui8> -> tensor<4x8x3x3xi32>
  %b = tenon.sub %wi, %q : tensor<4x8x3x3xi32>
  %y = tenon.conv %xi, %b strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] groups 1 : tensor<1x8x9x9xi32>, tensor<4x8x3x3xi32> -> tensor<1x4x4x4xi32>
  return %y : tensor<1x4x4x4xi32>
}
