// RUN: %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// What an operator's rules say of sizes that the model leaves open is known, and checked at run time.

// Of axes whose number is data there is one number per dimension; each dimension is apart from one of size 1.
// CHECK-LABEL: func.func @kept(
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32>, %[[AXES:.*]]: tensor<?xi64>
// CHECK: %[[COUNT:.*]] = tenon.symbol "input1_0"
// CHECK: %[[IS_AXIS:.*]] = tenon.compare eq {{.*}} : tensor<?x2xi64> -> tensor<?x2xi1>
// CHECK: %[[HITS:.*]] = tenon.reduce sum %{{.*}} dims [0] : tensor<?x2xi64> -> tensor<2xi64>
// CHECK: tenon.item %[[HITS]] at 0
// CHECK: tenon.item %[[HITS]] at 1
// CHECK: %[[NAMED:.*]] = affine.apply
// CHECK: %[[DIFFER:.*]] = arith.cmpi eq, %[[NAMED]], %[[COUNT]]
// CHECK: cf.assert %[[DIFFER]], "the axes aren't as many different dimensions of the operand"
// CHECK: %[[APART:.*]] = tenon.reshape %[[X]] {{.*}} -> tensor<?x?x?x?xf32>
// CHECK: %[[Y:.*]] = tenon.reduce sum %[[APART]] dims [0, 2] : tensor<?x?x?x?xf32> -> tensor<?x?xf32>
// CHECK: return %[[Y]] : tensor<?x?xf32>
func.func @kept(%x: tensor<?x?xf32>, %axes: tensor<?xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "ReduceSum" version 13 (%x, %axes) {noop_with_empty_axes = 1 : i64} : (tensor<?x?xf32>, tensor<?xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// Where they are dropped their number follows from the rank of the result, here behind another operator.
// CHECK-LABEL: func.func @dropped(
// CHECK: cf.assert %{{.*}}, "the axes aren't as many different dimensions of the operand"
// CHECK: cf.assert %{{.*}}, "the axes aren't as many as follow from the ranks in the model"
// CHECK: tenon.reduce mean %{{.*}} dims [0, 2] : tensor<?x?x?x?xi64> -> tensor<?x?xi64>
// CHECK: tenon.reshape {{.*}} -> tensor<?xi64>
// CHECK: tenon.cast {{.*}} -> tensor<?xi32>
func.func @dropped(%x: tensor<?x?xi32>, %axes: tensor<?xi64>) -> tensor<?xi32> {
  %0 = tenon_onnx.node "ReduceMean" version 18 (%x, %axes) {keepdims = 0 : i64} : (tensor<?x?xi32>, tensor<?xi64>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Abs" version 13 (%0) {} : (!tenon_onnx.unknown) -> tensor<?xi32>
  return %1 : tensor<?xi32>
}

// CHECK-LABEL: func.func @reshape(
// CHECK-SAME: %[[SHAPE:[^:]*]]: tensor<?xi64>)
// CHECK: %[[COUNT:.*]] = tenon.symbol "input1_0"
// CHECK: %[[IS_THREE:.*]] = arith.cmpi eq, %[[COUNT]], %c3
// CHECK: cf.assert %[[IS_THREE]], "expects as many sizes, axes or amounts as follow from the ranks in the model"
// CHECK: %[[THREE:.*]] = tenon.reshape %[[SHAPE]] sizes [3] : tensor<?xi64> -> tensor<3xi64>
// CHECK: tenon.item %[[THREE]] at 2
// CHECK: tenon.reshape %{{.*}} : tensor<?x?xf32> -> tensor<?x?x?xf32>
func.func @reshape(%x: tensor<?x?xf32>, %shape: tensor<?xi64>) -> tensor<?x?x?xf32> {
  %0 = tenon_onnx.node "Reshape" version 14 (%x, %shape) {allowzero = 1 : i64} : (tensor<?x?xf32>, tensor<?xi64>) -> tensor<?x?x?xf32>
  return %0 : tensor<?x?x?xf32>
}

// CHECK-LABEL: func.func @filter(
// CHECK: %[[HEIGHT:.*]] = tenon.symbol "input1_2"
// CHECK: %[[IS_THREE:.*]] = arith.cmpi eq, %[[HEIGHT]], %c3
// CHECK: cf.assert %[[IS_THREE]], "expects a filter of the sizes in kernel_shape (3, 5)"
// CHECK: tenon.conv {{.*}} : tensor<1x?x?x?xf32>, tensor<?x?x3x5xf32> -> tensor<1x?x?x?xf32>
func.func @filter(%x: tensor<1x?x?x?xf32>, %w: tensor<?x?x?x?xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w) {kernel_shape = array<i64: 3, 5>} : (tensor<1x?x?x?xf32>, tensor<?x?x?x?xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// Nothing says how large this one is, but that it isn't empty.
// CHECK-LABEL: func.func @any_filter(
// CHECK-COUNT-2: cf.assert %{{.*}}, "expects filters of one tap or more"
// CHECK-NOT: cf.assert
// CHECK: tenon.conv {{.*}} : tensor<1x?x?x?xf32>, tensor<?x?x?x?xf32> -> tensor<1x?x?x?xf32>
func.func @any_filter(%x: tensor<1x?x?x?xf32>, %w: tensor<?x?x?x?xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Conv" version 11 (%x, %w) {} : (tensor<1x?x?x?xf32>, tensor<?x?x?x?xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// The hidden size of an attribute counts for all operands that have it.
// CHECK-LABEL: func.func @gates(
// CHECK-COUNT-2: cf.assert %{{.*}}, "expects weights for 1 direction and 3 gates"
// CHECK: tenon.reshape %{{.*}} sizes [1, 15, %{{.*}}] : tensor<?x?x?xf32> -> tensor<1x15x?xf32>
// CHECK: tenon.reshape %{{.*}} sizes [1, 15, 5] : tensor<?x?x?xf32> -> tensor<1x15x5xf32>
func.func @gates(%x: tensor<?x?x?xf32>, %w: tensor<?x?x?xf32>, %r: tensor<?x?x?xf32>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "GRU" version 14 (%x, %w, %r) {hidden_size = 5 : i64} : (tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
