// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// Sizes that both branches agree on are bound.
// CHECK-LABEL: func.func @if(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}} %[[ARG3:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[ARG2]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [] : tensor<1xi1> -> tensor<i1>
// CHECK: %[[V2:.*]]:2 = tenon.if %[[V1]] -> tensor<?x4xf32>, tensor<?x4xf32> {
// CHECK: %[[V3:.*]] = tenon.add %[[ARG1]], %[[ARG2]] : tensor<?x4xf32>
// CHECK: tenon.yield %[[V3]], %[[ARG3]] : tensor<?x4xf32>, tensor<3x4xf32>
// CHECK: } else {
// CHECK: tenon.yield %[[ARG1]], %[[ARG2]] : tensor<?x4xf32>, tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V2]]#0 [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: return %[[V2]]#0, %[[V2]]#1 : tensor<?x4xf32>, tensor<?x4xf32>
func.func @if(%c: tensor<1xi1>, %x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["n", ""]}, %y: tensor<?x4xf32> {tenon.name = "y", tenon.dims = ["n", ""]}, %z: tensor<3x4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    %a = tenon_onnx.node "Add" version 16 (%x, %y) {} : (tensor<?x4xf32>, tensor<?x4xf32>) -> !tenon_onnx.unknown
    tenon_onnx.yield %a, %z : !tenon_onnx.unknown, tensor<3x4xf32>
  }, {
    tenon_onnx.yield %x, %y : tensor<?x4xf32>, tensor<?x4xf32>
  } : (tensor<1xi1>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// A condition on sizes leaves one branch.
// CHECK-LABEL: func.func @known(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 1] : tensor<?x1xf32>
// CHECK: %[[V1:.*]] = tenon.reshape %[[ARG0]] sizes [%[[V0]]] : tensor<?x1xf32> -> tensor<?xf32>
// CHECK: return %[[V1]] : tensor<?xf32>
func.func @known(%x: tensor<?x1xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 15 (%x) {start = 1 : i64} : (tensor<?x1xf32>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<1xi64>
  %c = tenon_onnx.node "Equal" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    %a = tenon_onnx.node "Squeeze" version 13 (%x, %one) {} : (tensor<?x1xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
    tenon_onnx.yield %a : !tenon_onnx.unknown
  }, {
    tenon_onnx.yield %x : tensor<?x1xf32>
  } : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// A carried value that keeps its sizes, one that grows, and values of all iterations.
// CHECK-LABEL: func.func @loop(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "m"
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V1:.*]]:3 = tenon.loop %[[ARG0]], %{{.*}} carried(%[[ARG1]], %[[ARG1]] : tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x4xf32> {
// CHECK: ^bb0(%[[V2:.*]]: tensor<i64>, %[[V3:.*]]: tensor<?x4xf32>, %[[V4:.*]]: tensor<?x4xf32>):
// CHECK: tenon.bind_shape %[[V3]] [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V5:.*]] = tenon.add %[[V3]], %[[ARG1]] : tensor<?x4xf32>
// CHECK: %[[V6:.*]] = tenon.concat %[[V4]], %[[ARG1]] dim 0 : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
// CHECK: tenon.yield %{{.*}}, %[[V5]], %[[V6]], %[[V5]] : tensor<i1>, tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>
// CHECK: tenon.bind_shape %[[V1]]#0 [%[[V0]], 4] : tensor<?x4xf32>
// CHECK: %[[V7:.*]] = tenon.size %[[V1]]#2 dim 0 : tensor<?x?x4xf32>
// CHECK: tenon.bind_shape %[[V1]]#2 [%[[V7]], %[[V0]], 4] : tensor<?x?x4xf32>
// CHECK: return %[[V1]]#0, %[[V1]]#1, %[[V1]]#2 : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x?x4xf32>
func.func @loop(%n: tensor<i64>, %x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["m", ""]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %0:3 = tenon_onnx.node "Loop" version 16 (%n, %none, %x, %x) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %a: !tenon_onnx.unknown, %b: !tenon_onnx.unknown):
    %s = tenon_onnx.node "Add" version 16 (%a, %x) {} : (!tenon_onnx.unknown, tensor<?x4xf32>) -> !tenon_onnx.unknown
    %g = tenon_onnx.node "Concat" version 16 (%b, %x) {axis = 0 : i64} : (!tenon_onnx.unknown, tensor<?x4xf32>) -> !tenon_onnx.unknown
    tenon_onnx.yield %c, %s, %g, %s : tensor<i1>, !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
  } : (tensor<i64>, none, tensor<?x4xf32>, tensor<?x4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1, %0#2 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// As often as the operand is long: the result's length is known.
// CHECK-LABEL: func.func @scan(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "b"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 6, 4] : tensor<?x6x4xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]]] : tensor<?xf32>
// CHECK: %[[V1:.*]] = tenon.from_sizes [6] : tensor<i64>
// CHECK: %[[V2:.*]]:2 = tenon.loop %[[V1]], %{{.*}} carried(%[[ARG1]] : tensor<?xf32>) -> tensor<?xf32>, tensor<6x?xf32> {
// CHECK: ^bb0(%[[V3:.*]]: tensor<i64>, %[[V4:.*]]: tensor<?xf32>):
// CHECK: tenon.bind_shape %[[V4]] [%[[V0]]] : tensor<?xf32>
// CHECK: %[[V5:.*]] = tenon.reshape %[[V3]] sizes [1] : tensor<i64> -> tensor<1xi64>
// CHECK: %[[V6:.*]] = tenon.gather error %[[ARG0]], %[[V5]] dims [1] batch_dims 0 : tensor<?x6x4xf32>, tensor<1xi64> -> tensor<?x4xf32>
// CHECK: %[[V7:.*]] = tenon.reduce mean %[[V6]] dims [1] : tensor<?x4xf32> -> tensor<?xf32>
// CHECK: %[[V8:.*]] = tenon.add %[[V4]], %[[V7]] : tensor<?xf32>
// CHECK: tenon.yield %{{.*}}, %[[V8]], %[[V8]] : tensor<i1>, tensor<?xf32>, tensor<?xf32>
// CHECK: tenon.bind_shape %[[V2]]#0 [%[[V0]]] : tensor<?xf32>
// CHECK: tenon.bind_shape %[[V2]]#1 [6, %[[V0]]] : tensor<6x?xf32>
// CHECK: %[[V9:.*]] = tenon.transpose %[[V2]]#1 [1, 0] : tensor<6x?xf32> -> tensor<?x6xf32>
// CHECK: return %[[V2]]#0, %[[V9]] : tensor<?xf32>, tensor<?x6xf32>
func.func @scan(%x: tensor<?x6x4xf32> {tenon.name = "x", tenon.dims = ["b", "", ""]}, %s: tensor<?xf32> {tenon.name = "s", tenon.dims = ["b"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "Scan" version 11 (%s, %x) {num_scan_inputs = 1 : i64, scan_input_axes = array<i64: 1>, scan_output_axes = array<i64: 1>} regions ["body"] {
  ^bb0(%state: !tenon_onnx.unknown, %item: !tenon_onnx.unknown):
    %m = tenon_onnx.node "ReduceMean" version 11 (%item) {axes = array<i64: 1>, keepdims = 0 : i64} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
    %next = tenon_onnx.node "Add" version 11 (%state, %m) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
    tenon_onnx.yield %next, %next : !tenon_onnx.unknown, !tenon_onnx.unknown
  } : (tensor<?xf32>, tensor<?x6x4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// What follows branches of different ranks is part of both; the same condition is known in what follows.
// CHECK-LABEL: func.func @ranks(
// CHECK-SAME: %[[X:[^:]*]]: tensor<3x?xf32>
// CHECK: %[[Z:.*]] = tenon.if %{{.*}} -> tensor<f32> {
// CHECK: %[[R:.*]] = tenon.reshape %[[X]] sizes [3]
// CHECK: %[[E:.*]] = tenon.exp %[[R]] : tensor<3xf32>
// CHECK: %[[S:.*]] = tenon.reduce sum %[[E]]
// CHECK: %[[T:.*]] = tenon.add %[[S]], %{{.*}} : tensor<f32>
// CHECK-NEXT: tenon.yield %[[T]] : tensor<f32>
// CHECK: } else {
// CHECK: %[[E:.*]] = tenon.exp %[[X]] : tensor<3x?xf32>
// CHECK: %[[S:.*]] = tenon.reduce sum %[[E]]
// CHECK-NEXT: tenon.yield %[[S]] : tensor<f32>
// CHECK: return %[[Z]] : tensor<f32>
func.func @ranks(%x: tensor<3x?xf32> {tenon.name = "x", tenon.dims = ["", "n"]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 15 (%x) {start = 1 : i64} : (tensor<3x?xf32>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<1xi64>
  %c = tenon_onnx.node "Equal" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    %q = tenon_onnx.node "Squeeze" version 13 (%x, %one) {} : (tensor<3x?xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
    tenon_onnx.yield %q : !tenon_onnx.unknown
  }, {
    tenon_onnx.yield %x : tensor<3x?xf32>
  } : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %e = tenon_onnx.node "Exp" version 13 (%0) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %r = tenon_onnx.node "ReduceSum" version 13 (%e) {keepdims = 0 : i64} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %again = tenon_onnx.node "Not" version 1 (%c) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "If" version 16 (%again) {} regions ["then_branch", "else_branch"] {
    tenon_onnx.yield %r : !tenon_onnx.unknown
  }, {
    %d = tenon_onnx.node "Add" version 13 (%r, %r) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
    tenon_onnx.yield %d : !tenon_onnx.unknown
  } : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

// A branch that ONNX gives no meaning to what follows is refused at run time.
// CHECK-LABEL: func.func @refused(
// CHECK-SAME: %[[X:[^:]*]]: tensor<3x?xf32>
// CHECK: %[[N:.*]] = tenon.symbol "n"
// CHECK: %[[C:.*]] = arith.cmpi eq, %[[N]], %{{.*}} : index
// CHECK: cf.assert %[[C]], "what follows the branch that is chosen here has no meaning: 'Transpose' (opset 13) expects a permutation of 2 dimensions
// CHECK: tenon.reshape %[[X]] sizes [3] : tensor<3x?xf32> -> tensor<3xf32>
// CHECK-NOT: tenon.if
func.func @refused(%x: tensor<3x?xf32> {tenon.name = "x", tenon.dims = ["", "n"]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 15 (%x) {start = 1 : i64} : (tensor<3x?xf32>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<1xi64>
  %c = tenon_onnx.node "Equal" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "If" version 16 (%c) {} regions ["then_branch", "else_branch"] {
    %q = tenon_onnx.node "Squeeze" version 13 (%x, %one) {} : (tensor<3x?xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
    tenon_onnx.yield %q : !tenon_onnx.unknown
  }, {
    tenon_onnx.yield %x : tensor<3x?xf32>
  } : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Transpose" version 13 (%0) {perm = array<i64: 0>} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

// Version 8 scans each element of a batch: a loop in a loop.
// CHECK-LABEL: func.func @batched_scan(
// CHECK-SAME: %[[X:[^:]*]]: tensor<2x3xf32>
// CHECK: %[[Y:.*]] = tenon.loop %{{.*}}, %{{.*}} -> tensor<2x3xf32> {
// CHECK: ^bb0(%[[B:.*]]: tensor<i64>):
// CHECK: %[[ROW:.*]] = tenon.gather error %[[X]]
// CHECK: %[[R:.*]] = tenon.loop %{{.*}}, %{{.*}} -> tensor<3xf32> {
// CHECK: tenon.gather error %[[ROW]]
// CHECK: tenon.yield %{{.*}}, %[[R]] : tensor<i1>, tensor<3xf32>
// CHECK: return %[[Y]]
func.func @batched_scan(%x: tensor<2x3xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "Scan" version 8 (%none, %x) {num_scan_inputs = 1 : i64} regions ["body"] {
  ^bb0(%a: tensor<f32>):
    %n = tenon_onnx.node "Neg" version 6 (%a) {} : (tensor<f32>) -> !tenon_onnx.unknown
    tenon_onnx.yield %n : !tenon_onnx.unknown
  } : (none, tensor<2x3xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// What a loop starts with and never reads is a placeholder, of whatever type: one of the type that the iterations give stands
// for it, of which there has to be one where the result is used.
// CHECK-LABEL: func.func @placeholder(
// CHECK-SAME: %[[M:.*]]: tensor<i64>, %[[X:.*]]: tensor<?x4xf32>
// CHECK: %[[N:.*]] = tenon.symbol "n"
// CHECK: %[[START:.*]] = tenon.broadcast %{{.*}} dims [] sizes [%[[N]], 4] : tensor<f32> -> tensor<?x4xf32>
// CHECK: cf.assert %{{.*}}, "the loop has no iteration
// CHECK: tenon.loop %[[M]], %{{.*}} carried(%[[START]] : tensor<?x4xf32>) -> tensor<?x4xf32> {
func.func @placeholder(%m: tensor<i64>, %x: tensor<?x4xf32> {tenon.name = "x", tenon.dims = ["n", ""]}) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %nothing = tenon.constant dense<0> : tensor<i32>
  %0 = tenon_onnx.node "Loop" version 16 (%m, %none, %nothing) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %old: tensor<?x4xf32>):
    %a = tenon_onnx.node "Neg" version 13 (%x) {} : (tensor<?x4xf32>) -> !tenon_onnx.unknown
    tenon_onnx.yield %c, %a : tensor<i1>, !tenon_onnx.unknown
  } : (tensor<i64>, none, tensor<i32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// One that is read goes through an iteration of its own; where it is known to happen nothing is checked.
// CHECK-LABEL: func.func @first_iteration(
// CHECK-SAME: %[[X:.*]]: tensor<3x4xf32>
// CHECK-NOT: cf.assert
// CHECK: %[[FIRST:.*]] = tenon.add %{{.*}}, %[[X]] : tensor<3x4xf32>
// CHECK: tenon.loop {{.*}} carried(%[[FIRST]] : tensor<3x4xf32>) -> tensor<3x4xf32> {
func.func @first_iteration(%x: tensor<3x4xf32>) -> !tenon_onnx.unknown {
  %none = tenon_onnx.none
  %m = tenon.constant dense<5> : tensor<i64>
  %start = tenon.constant dense<0.0> : tensor<f32>
  %0 = tenon_onnx.node "Loop" version 16 (%m, %none, %start) {} regions ["body"] {
  ^bb0(%i: tensor<i64>, %c: tensor<i1>, %sum: tensor<3x4xf32>):
    %a = tenon_onnx.node "Add" version 13 (%sum, %x) {} : (tensor<3x4xf32>, tensor<3x4xf32>) -> !tenon_onnx.unknown
    tenon_onnx.yield %c, %a : tensor<i1>, !tenon_onnx.unknown
  } : (tensor<i64>, none, tensor<f32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
