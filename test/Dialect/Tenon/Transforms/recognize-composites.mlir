// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-recognize-composites)" | FileCheck %s

// CHECK-LABEL: func.func @layer_norm
// CHECK: tenon.normalize %arg0 dims [1] epsilon 9.99999974{{.*}}E-6 : tensor<?x8xf32>
func.func @layer_norm(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 8] : tensor<?x8xf32>
  %epsilon = tenon.constant dense<1.0e-5> : tensor<f32>
  %two = tenon.constant dense<2.0> : tensor<f32>
  %m = tenon.reduce mean %x dims [1] : tensor<?x8xf32> -> tensor<?xf32>
  %k = tenon.reshape %m sizes [%n, 1] : tensor<?xf32> -> tensor<?x1xf32>
  %b = tenon.broadcast %k dims [0, 1] sizes [%n, 8] : tensor<?x1xf32> -> tensor<?x8xf32>
  %c = tenon.sub %x, %b : tensor<?x8xf32>
  %t = tenon.broadcast %two dims [] sizes [%n, 8] : tensor<f32> -> tensor<?x8xf32>
  %q = tenon.pow %c, %t : tensor<?x8xf32>
  %v = tenon.reduce mean %q dims [1] : tensor<?x8xf32> -> tensor<?xf32>
  %w = tenon.reshape %v sizes [%n, 1] : tensor<?xf32> -> tensor<?x1xf32>
  %e = tenon.broadcast %epsilon dims [] sizes [%n, 1] : tensor<f32> -> tensor<?x1xf32>
  %s = tenon.add %w, %e : tensor<?x1xf32>
  %r = tenon.sqrt %s : tensor<?x1xf32>
  %d = tenon.broadcast %r dims [0, 1] sizes [%n, 8] : tensor<?x1xf32> -> tensor<?x8xf32>
  %y = tenon.div %c, %d : tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// Without the mean, by the inverse root; reduced dimensions are gone.
// CHECK-LABEL: func.func @rms
// CHECK: tenon.normalize %arg0 dims [1] epsilon 0.00100000004{{.*}} {rms} : tensor<4x8xf32>
func.func @rms(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %epsilon = tenon.constant dense<1.0e-3> : tensor<4xf32>
  %q = tenon.mul %x, %x : tensor<4x8xf32>
  %v = tenon.reduce mean %q dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %s = tenon.add %epsilon, %v : tensor<4xf32>
  %r = tenon.rsqrt %s : tensor<4xf32>
  %d = tenon.broadcast %r dims [0] sizes [4, 8] : tensor<4xf32> -> tensor<4x8xf32>
  %y = tenon.mul %d, %x : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// The mean of other squares, a sum in place of the mean, and rows that are repeated along another dimension are none.
// CHECK-LABEL: func.func @no_norm
// CHECK-NOT: tenon.normalize
func.func @no_norm(%x: tensor<8x8xf32>, %z: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>) {
  %epsilon = tenon.constant dense<1.0e-3> : tensor<8xf32>
  %q = tenon.mul %z, %z : tensor<8x8xf32>
  %v = tenon.reduce mean %q dims [1] : tensor<8x8xf32> -> tensor<8xf32>
  %s = tenon.add %epsilon, %v : tensor<8xf32>
  %r = tenon.rsqrt %s : tensor<8xf32>
  %d = tenon.broadcast %r dims [0] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %other = tenon.mul %d, %x : tensor<8x8xf32>
  %q1 = tenon.mul %x, %x : tensor<8x8xf32>
  %v1 = tenon.reduce sum %q1 dims [1] : tensor<8x8xf32> -> tensor<8xf32>
  %s1 = tenon.add %epsilon, %v1 : tensor<8xf32>
  %r1 = tenon.rsqrt %s1 : tensor<8xf32>
  %d1 = tenon.broadcast %r1 dims [0] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %sum = tenon.mul %d1, %x : tensor<8x8xf32>
  %q2 = tenon.mul %x, %x : tensor<8x8xf32>
  %v2 = tenon.reduce mean %q2 dims [1] : tensor<8x8xf32> -> tensor<8xf32>
  %s2 = tenon.add %epsilon, %v2 : tensor<8xf32>
  %r2 = tenon.rsqrt %s2 : tensor<8xf32>
  %d2 = tenon.broadcast %r2 dims [1] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %dim = tenon.mul %d2, %x : tensor<8x8xf32>
  return %other, %sum, %dim : tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>
}

// CHECK-LABEL: func.func @softmax
// CHECK: tenon.softmax %arg0 dims [1] : tensor<4x8xf32>
// CHECK: tenon.softmax %arg0 dims [1] {log} : tensor<4x8xf32>
func.func @softmax(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %m = tenon.reduce max %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %b = tenon.broadcast %m dims [0] sizes [4, 8] : tensor<4xf32> -> tensor<4x8xf32>
  %c = tenon.sub %x, %b : tensor<4x8xf32>
  %e = tenon.exp %c : tensor<4x8xf32>
  %s = tenon.reduce sum %e dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %t = tenon.broadcast %s dims [0] sizes [4, 8] : tensor<4xf32> -> tensor<4x8xf32>
  %y = tenon.div %e, %t : tensor<4x8xf32>
  %m1 = tenon.reduce max %x dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %b1 = tenon.broadcast %m1 dims [0] sizes [4, 8] : tensor<4xf32> -> tensor<4x8xf32>
  %c1 = tenon.sub %x, %b1 : tensor<4x8xf32>
  %e1 = tenon.exp %c1 : tensor<4x8xf32>
  %s1 = tenon.reduce sum %e1 dims [1] : tensor<4x8xf32> -> tensor<4xf32>
  %l1 = tenon.log %s1 : tensor<4xf32>
  %t1 = tenon.broadcast %l1 dims [0] sizes [4, 8] : tensor<4xf32> -> tensor<4x8xf32>
  %z = tenon.sub %c1, %t1 : tensor<4x8xf32>
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}

// A sum along another dimension is none; nor is one without the maximum, which overflows where softmax doesn't.
// CHECK-LABEL: func.func @no_softmax
// CHECK-NOT: tenon.softmax
func.func @no_softmax(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %m = tenon.reduce max %x dims [1] : tensor<8x8xf32> -> tensor<8xf32>
  %b = tenon.broadcast %m dims [0] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %c = tenon.sub %x, %b : tensor<8x8xf32>
  %e = tenon.exp %c : tensor<8x8xf32>
  %s = tenon.reduce sum %e dims [0] : tensor<8x8xf32> -> tensor<8xf32>
  %t = tenon.broadcast %s dims [1] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %y = tenon.div %e, %t : tensor<8x8xf32>
  %e1 = tenon.exp %x : tensor<8x8xf32>
  %s1 = tenon.reduce sum %e1 dims [1] : tensor<8x8xf32> -> tensor<8xf32>
  %t1 = tenon.broadcast %s1 dims [0] sizes [8, 8] : tensor<8xf32> -> tensor<8x8xf32>
  %z = tenon.div %e1, %t1 : tensor<8x8xf32>
  return %y, %z : tensor<8x8xf32>, tensor<8x8xf32>
}

// By the error function, the factors in another order than the formula, x a product itself.
// CHECK-LABEL: func.func @gelu
// CHECK: %[[X:.*]] = tenon.mul %arg0, %arg1
// CHECK: tenon.gelu %[[X]] : tensor<4xf32>
func.func @gelu(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %x = tenon.mul %a, %b : tensor<4xf32>
  %root = tenon.constant dense<1.41421354> : tensor<4xf32>
  %one = tenon.constant dense<1.0> : tensor<4xf32>
  %half = tenon.constant dense<0.5> : tensor<4xf32>
  %z = tenon.div %x, %root : tensor<4xf32>
  %e = tenon.erf %z : tensor<4xf32>
  %s = tenon.add %e, %one : tensor<4xf32>
  %p = tenon.mul %s, %half : tensor<4xf32>
  %y = tenon.mul %p, %x : tensor<4xf32>
  return %y : tensor<4xf32>
}

// By the hyperbolic tangent, its argument as x * (0.79788 + 0.035677 x^2).
// CHECK-LABEL: func.func @gelu_tanh
// CHECK: tenon.gelu %arg0 {tanh} : tensor<4xf32>
func.func @gelu_tanh(%x: tensor<4xf32>) -> tensor<4xf32> {
  %one = tenon.constant dense<1.0> : tensor<4xf32>
  %two = tenon.constant dense<2.0> : tensor<4xf32>
  %a = tenon.constant dense<0.79788456> : tensor<4xf32>
  %b = tenon.constant dense<0.0356774081> : tensor<4xf32>
  %q = tenon.pow %x, %two : tensor<4xf32>
  %c = tenon.mul %b, %q : tensor<4xf32>
  %d = tenon.add %a, %c : tensor<4xf32>
  %z = tenon.mul %x, %d : tensor<4xf32>
  %t = tenon.tanh %z : tensor<4xf32>
  %s = tenon.add %one, %t : tensor<4xf32>
  %p = tenon.mul %x, %s : tensor<4xf32>
  %y = tenon.div %p, %two : tensor<4xf32>
  return %y : tensor<4xf32>
}

// Other constants are other functions; a part that is used elsewhere stays.
// CHECK-LABEL: func.func @no_gelu
// CHECK-NOT: tenon.gelu
func.func @no_gelu(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %root = tenon.constant dense<1.5> : tensor<4xf32>
  %right = tenon.constant dense<1.41421354> : tensor<4xf32>
  %one = tenon.constant dense<1.0> : tensor<4xf32>
  %half = tenon.constant dense<0.5> : tensor<4xf32>
  %z = tenon.div %x, %root : tensor<4xf32>
  %e = tenon.erf %z : tensor<4xf32>
  %s = tenon.add %e, %one : tensor<4xf32>
  %p = tenon.mul %s, %half : tensor<4xf32>
  %other = tenon.mul %p, %x : tensor<4xf32>
  %z1 = tenon.div %x, %right : tensor<4xf32>
  %e1 = tenon.erf %z1 : tensor<4xf32>
  %s1 = tenon.add %e1, %one : tensor<4xf32>
  %p1 = tenon.mul %s1, %half : tensor<4xf32>
  %used = tenon.mul %p1, %x : tensor<4xf32>
  return %other, %used, %e1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
