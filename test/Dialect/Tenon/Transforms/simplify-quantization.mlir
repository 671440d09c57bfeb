// RUN: %tenon_opt --pass-pipeline="builtin.module(func.func(tenon-simplify-graph))" %s | FileCheck %s

// The greatest of dequantised numbers is that of what is stored.
// CHECK-LABEL: @pool
// CHECK-SAME: (%[[X:.*]]: tensor<?x4x9x9xui8>)
// CHECK: %[[P:.*]] = tenon.window max %[[X]] sizes [3, 3] {{.*}} : tensor<?x4x9x9xui8> -> tensor<?x4x5x5xui8>
// CHECK: tenon.cast %[[P]] : tensor<?x4x5x5xui8> -> tensor<?x4x5x5xi32>
// CHECK: tenon.mul
func.func @pool(%x: tensor<?x4x9x9xui8>) -> tensor<?x4x5x5xf32> {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 4, 9, 9] : tensor<?x4x9x9xui8>
  %s = tenon.constant dense<0.1> : tensor<f32>
  %z = tenon.constant dense<7> : tensor<i32>
  %i = tenon.cast %x : tensor<?x4x9x9xui8> -> tensor<?x4x9x9xi32>
  %zs = tenon.broadcast %z dims [] sizes [%n, 4, 9, 9] : tensor<i32> -> tensor<?x4x9x9xi32>
  %d = tenon.sub %i, %zs : tensor<?x4x9x9xi32>
  %f = tenon.cast %d : tensor<?x4x9x9xi32> -> tensor<?x4x9x9xf32>
  %ss = tenon.broadcast %s dims [] sizes [%n, 4, 9, 9] : tensor<f32> -> tensor<?x4x9x9xf32>
  %m = tenon.mul %f, %ss : tensor<?x4x9x9xf32>
  %y = tenon.window max %m sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1] : tensor<?x4x9x9xf32> -> tensor<?x4x5x5xf32>
  return %y : tensor<?x4x5x5xf32>
}

// A window without elements is infinite, a negative scale turns the order round.
// CHECK-LABEL: @not_pooled
// CHECK: tenon.window max %{{.*}} -> tensor<1x7xf32>
// CHECK: tenon.window max %{{.*}} -> tensor<1x4xf32>
func.func @not_pooled(%x: tensor<1x4xi8>) -> (tensor<1x7xf32>, tensor<1x4xf32>) {
  %s = tenon.constant dense<0.1> : tensor<1x4xf32>
  %negative = tenon.constant dense<-0.1> : tensor<1x4xf32>
  %f = tenon.cast %x : tensor<1x4xi8> -> tensor<1x4xf32>
  %a = tenon.mul %f, %s : tensor<1x4xf32>
  %b = tenon.mul %f, %negative : tensor<1x4xf32>
  %y = tenon.window max %a sizes [2] strides [1] dilations [1] pads [2, 2] : tensor<1x4xf32> -> tensor<1x7xf32>
  %z = tenon.window max %b sizes [3] strides [1] dilations [1] pads [1, 1] : tensor<1x4xf32> -> tensor<1x4xf32>
  return %y, %z : tensor<1x7xf32>, tensor<1x4xf32>
}

// A scale that is stated for each element.
// CHECK-LABEL: @pooled_by_equal_scales
// CHECK: %[[W:.*]] = tenon.window max %{{.*}} : tensor<1x4xi8> -> tensor<1x4xi8>
// CHECK: tenon.cast %[[W]]
func.func @pooled_by_equal_scales(%x: tensor<1x4xi8>) -> tensor<1x4xf32> {
  %s = tenon.constant dense<0.1> : tensor<1x4xf32>
  %f = tenon.cast %x : tensor<1x4xi8> -> tensor<1x4xf32>
  %a = tenon.mul %f, %s : tensor<1x4xf32>
  %y = tenon.window max %a sizes [3] strides [1] dilations [1] pads [1, 1] : tensor<1x4xf32> -> tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}

// Quantised again as it was, and otherwise.
// CHECK-LABEL: @restore
// CHECK-SAME: (%[[X:.*]]: tensor<8xi8>)
// CHECK: %[[Q:.*]] = tenon.cast %{{.*}} : tensor<8xf32> -> tensor<8xi8>
// CHECK: return %[[X]], %[[Q]]
func.func @restore(%x: tensor<8xi8>) -> (tensor<8xi8>, tensor<8xi8>) {
  %s = tenon.constant dense<0.1> : tensor<8xf32>
  %other = tenon.constant dense<0.11> : tensor<8xf32>
  %z = tenon.constant dense<3> : tensor<8xi32>
  %zf = tenon.constant dense<3.0> : tensor<8xf32>
  %low = tenon.constant dense<-128.0> : tensor<8xf32>
  %high = tenon.constant dense<127.0> : tensor<8xf32>
  %i = tenon.cast %x : tensor<8xi8> -> tensor<8xi32>
  %d = tenon.sub %i, %z : tensor<8xi32>
  %f = tenon.cast %d : tensor<8xi32> -> tensor<8xf32>
  %m = tenon.mul %f, %s : tensor<8xf32>
  %q = tenon.div %m, %s : tensor<8xf32>
  %r = tenon.round %q : tensor<8xf32>
  %a = tenon.add %r, %zf : tensor<8xf32>
  %b = tenon.max %a, %low : tensor<8xf32>
  %c = tenon.min %b, %high : tensor<8xf32>
  %y = tenon.cast %c : tensor<8xf32> -> tensor<8xi8>
  %q1 = tenon.div %m, %other : tensor<8xf32>
  %r1 = tenon.round %q1 : tensor<8xf32>
  %a1 = tenon.add %r1, %zf : tensor<8xf32>
  %b1 = tenon.max %a1, %low : tensor<8xf32>
  %c1 = tenon.min %b1, %high : tensor<8xf32>
  %y1 = tenon.cast %c1 : tensor<8xf32> -> tensor<8xi8>
  return %y, %y1 : tensor<8xi8>, tensor<8xi8>
}
