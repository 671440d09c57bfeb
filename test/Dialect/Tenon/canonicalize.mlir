// RUN: %tenon_opt --pass-pipeline="builtin.module(func.func(canonicalize))" %s | FileCheck %s

// CHECK-LABEL: @move_nothing
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @move_nothing(%x: tensor<2x3xf32>, %v: tensor<f32>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>,
        tensor<2x3xf32>) {
  %a = tenon.transpose %x [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %b = tenon.reshape %x sizes [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  %c = tenon.broadcast %x dims [0, 1] sizes [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  %d = tenon.slice %x offsets [0, 0] sizes [2, 3] strides [1, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %e = tenon.pad constant %x, %v low [0, 0] high [0, 0] : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
  %f = tenon.concat %x dim 0 : tensor<2x3xf32> -> tensor<2x3xf32>
  %g = tenon.cast %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return %a, %b, %c, %d, %e, %f, %g
      : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>,
        tensor<2x3xf32>
}

// CHECK-LABEL: @move_something
// CHECK: tenon.transpose
// CHECK: tenon.slice
// CHECK: tenon.pad
// CHECK: tenon.concat
func.func @move_something(%x: tensor<3x3xf32>, %v: tensor<f32>)
    -> (tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<6x3xf32>) {
  %a = tenon.transpose %x [1, 0] : tensor<3x3xf32> -> tensor<3x3xf32>
  %b = tenon.slice %x offsets [2, 0] sizes [3, 3] strides [-1, 1] : tensor<3x3xf32> -> tensor<3x3xf32>
  %c = tenon.pad constant %x, %v low [1, 0] high [-1, 0] : tensor<3x3xf32>, tensor<f32> -> tensor<3x3xf32>
  %d = tenon.concat %x, %x dim 0 : tensor<3x3xf32>, tensor<3x3xf32> -> tensor<6x3xf32>
  return %a, %b, %c, %d : tensor<3x3xf32>, tensor<3x3xf32>, tensor<3x3xf32>, tensor<6x3xf32>
}

// Sizes that are those of the operand as they are written: its own size, or what its op lists. Others need an analysis.
// CHECK-LABEL: @dynamic_sizes
// CHECK-SAME: (%[[X:.*]]: tensor<?x3xf32>
// CHECK: %[[Y:.*]] = tenon.iota
// CHECK: %[[Z:.*]] = tenon.reshape %[[X]]
// CHECK: return %[[X]], %[[Y]], %[[Z]]
func.func @dynamic_sizes(%x: tensor<?x3xf32>, %n: index) -> (tensor<?x3xf32>, tensor<?x3xi64>, tensor<?x3xf32>) {
  %s = tenon.size %x dim 0 : tensor<?x3xf32>
  %a = tenon.reshape %x sizes [%s, 3] : tensor<?x3xf32> -> tensor<?x3xf32>
  %i = tenon.iota dim 0 sizes [%n, 3] : tensor<?x3xi64>
  %b = tenon.broadcast %i dims [0, 1] sizes [%n, 3] : tensor<?x3xi64> -> tensor<?x3xi64>
  %c = tenon.reshape %x sizes [%n, 3] : tensor<?x3xf32> -> tensor<?x3xf32>
  return %a, %b, %c : tensor<?x3xf32>, tensor<?x3xi64>, tensor<?x3xf32>
}

// CHECK-LABEL: @in_a_row
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>
// CHECK-DAG: tenon.reshape %[[X]] sizes [4, 6] : tensor<2x3x4xf32> -> tensor<4x6xf32>
// CHECK-DAG: tenon.transpose %[[X]] [2, 1, 0] : tensor<2x3x4xf32> -> tensor<4x3x2xf32>
// CHECK-DAG: tenon.broadcast %[[X]] dims [1, 2, 3] sizes [5, 2, 3, 4] : tensor<2x3x4xf32> -> tensor<5x2x3x4xf32>
// CHECK: return %{{.*}}, %{{.*}}, %[[X]], %{{.*}}
func.func @in_a_row(%x: tensor<2x3x4xf32>)
    -> (tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x4xf32>, tensor<5x2x3x4xf32>) {
  %a = tenon.reshape %x sizes [24] : tensor<2x3x4xf32> -> tensor<24xf32>
  %b = tenon.reshape %a sizes [4, 6] : tensor<24xf32> -> tensor<4x6xf32>
  %c = tenon.transpose %x [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %d = tenon.transpose %c [1, 0, 2] : tensor<3x4x2xf32> -> tensor<4x3x2xf32>
  %e = tenon.transpose %c [2, 0, 1] : tensor<3x4x2xf32> -> tensor<2x3x4xf32>
  %f = tenon.broadcast %x dims [0, 1, 2] sizes [2, 3, 4] : tensor<2x3x4xf32> -> tensor<2x3x4xf32>
  %g = tenon.broadcast %f dims [1, 2, 3] sizes [5, 2, 3, 4] : tensor<2x3x4xf32> -> tensor<5x2x3x4xf32>
  return %b, %d, %e, %g : tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x4xf32>, tensor<5x2x3x4xf32>
}

// CHECK-LABEL: @arithmetic
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>, %[[I:.*]]: tensor<4xi32>, %[[C:.*]]: tensor<4xi1>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[I]], %[[I]], %[[I]]
func.func @arithmetic(%x: tensor<4xf32>, %i: tensor<4xi32>, %condition: tensor<4xi1>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
        tensor<4xi32>, tensor<4xi32>, tensor<4xi32>) {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %ones = tenon.broadcast %one dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
  %zero = tenon.constant dense<0.0> : tensor<4xf32>
  %negative = tenon.constant dense<-0.0> : tensor<4xf32>
  %none = tenon.constant dense<0> : tensor<4xi32>
  %a = tenon.mul %ones, %x : tensor<4xf32>
  %b = tenon.div %x, %ones : tensor<4xf32>
  %c = tenon.sub %x, %zero : tensor<4xf32>
  %d = tenon.add %x, %negative : tensor<4xf32>
  %n = tenon.neg %x : tensor<4xf32>
  %e = tenon.neg %n : tensor<4xf32>
  %f = tenon.max %x, %x : tensor<4xf32>
  %g = tenon.select %condition, %x, %x : tensor<4xi1>, tensor<4xf32>
  %h = tenon.add %none, %i : tensor<4xi32>
  %j = tenon.not %i : tensor<4xi32>
  %k = tenon.not %j : tensor<4xi32>
  %l = tenon.and %i, %i : tensor<4xi32>
  return %a, %b, %c, %d, %e, %f, %g, %h, %k, %l
      : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>,
        tensor<4xi32>, tensor<4xi32>, tensor<4xi32>
}

// 0 and -0 differ: -0 + 0 is 0, and 0 - x is -x. Nothing is 1 times something else.
// CHECK-LABEL: @not_equal
// CHECK: tenon.add
// CHECK: tenon.sub
// CHECK: tenon.sub
// CHECK: tenon.div
func.func @not_equal(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = tenon.constant dense<0.0> : tensor<4xf32>
  %negative = tenon.constant dense<-0.0> : tensor<4xf32>
  %one = tenon.constant dense<1.0> : tensor<4xf32>
  %a = tenon.add %x, %zero : tensor<4xf32>
  %b = tenon.sub %zero, %x : tensor<4xf32>
  %c = tenon.sub %x, %negative : tensor<4xf32>
  %d = tenon.div %one, %x : tensor<4xf32>
  return %a, %b, %c, %d : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// By way of a wider type each value comes back, by way of a narrower one it doesn't.
// CHECK-LABEL: @there_and_back
// CHECK-SAME: (%[[X:.*]]: tensor<4xf16>, %[[Y:.*]]: tensor<4xf32>
// CHECK-NEXT: %[[A:.*]] = tenon.cast %[[Y]]
// CHECK-NEXT: %[[B:.*]] = tenon.cast %[[A]]
// CHECK-NEXT: return %[[X]], %[[B]]
func.func @there_and_back(%x: tensor<4xf16>, %y: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xf32>) {
  %a = tenon.cast %x : tensor<4xf16> -> tensor<4xf32>
  %b = tenon.cast %a : tensor<4xf32> -> tensor<4xf16>
  %c = tenon.cast %y : tensor<4xf32> -> tensor<4xf16>
  %d = tenon.cast %c : tensor<4xf16> -> tensor<4xf32>
  return %b, %d : tensor<4xf16>, tensor<4xf32>
}

// CHECK-LABEL: @size
// CHECK-SAME: (%[[X:.*]]: tensor<?x3xf32>
// CHECK-DAG: %[[THREE:.*]] = arith.constant 3 : index
// CHECK-DAG: %[[N:.*]] = tenon.size %[[X]] dim 0
// CHECK: return %[[N]], %[[THREE]]
func.func @size(%x: tensor<?x3xf32>) -> (index, index) {
  %n = tenon.size %x dim 0 : tensor<?x3xf32>
  %m = tenon.size %x dim 1 : tensor<?x3xf32>
  return %n, %m : index, index
}
