// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// CHECK-LABEL: func.func @static(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.slice %[[ARG0]] offsets [7, 1] sizes [3, 18] strides [1, 1] : tensor<10x20xf32> -> tensor<3x18xf32>
// CHECK: %[[V1:.*]] = tenon.slice %[[ARG0]] offsets [0, 19] sizes [10, 7] strides [1, -3] : tensor<10x20xf32> -> tensor<10x7xf32>
// CHECK: return %[[V0]], %[[V1]] : tensor<3x18xf32>, tensor<10x7xf32>
func.func @static(%x: tensor<10x20xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Slice" version 1 (%x) {starts = array<i64: -3, 1>, ends = array<i64: 1000, -1>} : (tensor<10x20xf32>) -> !tenon_onnx.unknown
  %starts = tenon.constant dense<-1> : tensor<1xi64>
  %ends = tenon.constant dense<-9223372036854775807> : tensor<1xi64>
  %axes = tenon.constant dense<1> : tensor<1xi64>
  %steps = tenon.constant dense<-3> : tensor<1xi64>
  %1 = tenon_onnx.node "Slice" version 13 (%x, %starts, %ends, %axes, %steps) {} : (tensor<10x20xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Literal bounds are clamped: x[1:] and x[:-1] have one size.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 - 1)>
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]]] : tensor<?xf32>
// CHECK: %[[V1:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V2:.*]] = arith.constant 0 : index
// CHECK: %[[V3:.*]] = arith.maxsi %[[V1]], %[[V2]] : index
// CHECK: %[[V4:.*]] = tenon.slice %[[ARG0]] offsets [1] sizes [%[[V3]]] strides [1] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V5:.*]] = tenon.slice %[[ARG0]] offsets [0] sizes [%[[V3]]] strides [1] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V6:.*]] = tenon.sub %[[V4]], %[[V5]] : tensor<?xf32>
// CHECK: return %[[V6]] : tensor<?xf32>
func.func @dynamic(%x: tensor<?xf32> {tenon.name = "x", tenon.dims = ["n"]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Slice" version 9 (%x) {starts = array<i64: 1>, ends = array<i64: 9223372036854775807>} : (tensor<?xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Slice" version 9 (%x) {starts = array<i64: 0>, ends = array<i64: -1>} : (tensor<?xf32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Sub" version 9 (%0, %1) {} : (!tenon_onnx.unknown, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %2 : !tenon_onnx.unknown
}

// -----

// A bound that is a size may lie behind the operand.
// CHECK-LABEL: func.func @by_size(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK: %[[V2:.*]] = arith.minsi %[[V1]], %{{.*}} : index
// CHECK: tenon.slice %[[ARG0]] offsets [0, 0] sizes [1, %[[V2]]] strides [1, 1] : tensor<1x512xi64> -> tensor<1x?xi64>
func.func @by_size(%p: tensor<1x512xi64>, %x: tensor<?x?xf32> {tenon.name = "x", tenon.dims = ["b", "s"]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 13 (%x) {} : (tensor<?x?xf32>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<1xi64>
  %zero = tenon.constant dense<0> : tensor<1xi64>
  %end = tenon_onnx.node "Gather" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "Slice" version 13 (%p, %zero, %end, %one) {} : (tensor<1x512xi64>, tensor<1xi64>, !tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Where what is cut off must have that size it has it, or the run ends in an error: no other size is left.
// CHECK-LABEL: func.func @by_size_of_others(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V1:.*]] = tenon.symbol "s"
// CHECK-NOT: arith.minsi
// CHECK: tenon.slice %[[ARG0]] offsets [0, 0] sizes [1, %[[V1]]] strides [1, 1] : tensor<1x512xf32> -> tensor<1x?xf32>
// CHECK-NOT: arith.select
// CHECK: return
func.func @by_size_of_others(%p: tensor<1x512xf32>, %x: tensor<?x?xf32> {tenon.name = "x", tenon.dims = ["b", "s"]}) -> !tenon_onnx.unknown {
  %s = tenon_onnx.node "Shape" version 13 (%x) {} : (tensor<?x?xf32>) -> !tenon_onnx.unknown
  %one = tenon.constant dense<1> : tensor<1xi64>
  %zero = tenon.constant dense<0> : tensor<1xi64>
  %end = tenon_onnx.node "Gather" version 13 (%s, %one) {} : (!tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %0 = tenon_onnx.node "Slice" version 13 (%p, %zero, %end, %one) {} : (tensor<1x512xf32>, tensor<1xi64>, !tenon_onnx.unknown, tensor<1xi64>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Add" version 13 (%x, %0) {} : (tensor<?x?xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

// A bound from data is clamped at run time.
// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (-s0 + 8)>
// CHECK-LABEL: func.func @by_data(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.item %[[ARG1]] at 0 : tensor<1xi64>
// CHECK: %[[V1:.*]] = arith.constant 8 : index
// CHECK: %[[V2:.*]] = arith.constant 0 : index
// CHECK: %[[V3:.*]] = arith.cmpi slt, %[[V0]], %[[V2]] : index
// CHECK: %[[V4:.*]] = arith.addi %[[V0]], %[[V1]] : index
// CHECK: %[[V5:.*]] = arith.select %[[V3]], %[[V4]], %[[V0]] : index
// CHECK: %[[V6:.*]] = arith.constant 0 : index
// CHECK: %[[V7:.*]] = arith.maxsi %[[V5]], %[[V6]] : index
// CHECK: %[[V8:.*]] = affine.apply #[[$MAP]]()[%[[V7]]]
// CHECK: %[[V9:.*]] = arith.constant 0 : index
// CHECK: %[[V10:.*]] = arith.maxsi %[[V8]], %[[V9]] : index
// CHECK: %[[V11:.*]] = tenon.slice %[[ARG0]] offsets [%[[V7]]] sizes [%[[V10]]] strides [1] : tensor<8xf32> -> tensor<?xf32>
// CHECK: return %[[V11]] : tensor<?xf32>
func.func @by_data(%x: tensor<8xf32>, %start: tensor<1xi64>) -> !tenon_onnx.unknown {
  %end = tenon.constant dense<8> : tensor<1xi64>
  %0 = tenon_onnx.node "Slice" version 13 (%x, %start, %end) {} : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// CHECK: #[[$MAP:.*]] = affine_map<()[s0] -> (s0 ceildiv 2)>
// CHECK: #[[$MAP1:.*]] = affine_map<()[s0] -> (s0 - s0 ceildiv 2)>
// CHECK-LABEL: func.func @split(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [7, %[[V0]]] : tensor<7x?xf32>
// CHECK: %[[V1:.*]] = tenon.slice %[[ARG0]] offsets [0, 0] sizes [4, %[[V0]]] strides [1, 1] : tensor<7x?xf32> -> tensor<4x?xf32>
// CHECK: %[[V2:.*]] = tenon.slice %[[ARG0]] offsets [4, 0] sizes [3, %[[V0]]] strides [1, 1] : tensor<7x?xf32> -> tensor<3x?xf32>
// CHECK: %[[V3:.*]] = affine.apply #[[$MAP]]()[%[[V0]]]
// CHECK: %[[V4:.*]] = affine.apply #[[$MAP1]]()[%[[V0]]]
// CHECK: %[[V5:.*]] = tenon.slice %[[ARG0]] offsets [0, %[[V3]]] sizes [7, %[[V4]]] strides [1, 1] : tensor<7x?xf32> -> tensor<7x?xf32>
// CHECK: return %[[V1]], %[[V2]], %[[V5]] : tensor<4x?xf32>, tensor<3x?xf32>, tensor<7x?xf32>
func.func @split(%x: tensor<7x?xf32> {tenon.name = "x", tenon.dims = ["", "n"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0:2 = tenon_onnx.node "Split" version 18 (%x) {num_outputs = 2 : i64} : (tensor<7x?xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  %1:2 = tenon_onnx.node "Split" version 11 (%x) {axis = 1 : i64} : (tensor<7x?xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown)
  return %0#0, %0#1, %1#1 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @pad(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG0]] [2, %[[V0]]] : tensor<2x?xf32>
// CHECK: %[[V1:.*]] = tenon.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[V2:.*]] = tenon.pad reflect %[[ARG0]], %[[V1]] low [0, 1] high [0, 2] : tensor<2x?xf32>, tensor<f32> -> tensor<2x?xf32>
// CHECK: %[[V3:.*]] = tenon.constant dense<3.000000e+00> : tensor<f32>
// CHECK: %[[V4:.*]] = tenon.pad constant %[[ARG0]], %[[V3]] low [0, 1] high [0, -1] : tensor<2x?xf32>, tensor<f32> -> tensor<2x?xf32>
// CHECK: return %[[V2]], %[[V4]] : tensor<2x?xf32>, tensor<2x?xf32>
func.func @pad(%x: tensor<2x?xf32> {tenon.name = "x", tenon.dims = ["", "n"]}) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Pad" version 2 (%x) {mode = "reflect", pads = array<i64: 0, 1, 0, 2>} : (tensor<2x?xf32>) -> !tenon_onnx.unknown
  %pads = tenon.constant dense<[1, -1]> : tensor<2xi64>
  %axes = tenon.constant dense<-1> : tensor<1xi64>
  %value = tenon.constant dense<3.0> : tensor<f32>
  %1 = tenon_onnx.node "Pad" version 18 (%x, %pads, %value, %axes) {} : (tensor<2x?xf32>, tensor<2xi64>, tensor<f32>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Half of what a dimension is longer or shorter, rounded towards zero, goes before it.
// CHECK-LABEL: func.func @center(
// CHECK: %[[W:.*]] = tenon.item %arg1 at 0
// CHECK: %[[T:.*]] = affine.apply {{.*}}[%[[W]]]
// CHECK: %[[P:.*]] = arith.maxsi %[[T]], %{{.*}} : index
// CHECK: %[[C:.*]] = arith.maxsi %{{.*}}, %{{.*}} : index
// CHECK: tenon.pad constant %arg0, %{{.*}} low [%{{.*}}] high [%{{.*}}] : tensor<4xf32>, tensor<f32> -> tensor<?xf32>
func.func @center(%x: tensor<4xf32>, %s: tensor<1xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "CenterCropPad" version 18 (%x, %s) {} : (tensor<4xf32>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}

// -----

// Bounds along an axis that is data: each dimension has those of the axis, or none.
// CHECK-LABEL: func.func @given_axis(
// CHECK: %[[A:.*]] = tenon.item %arg3 at 0
// CHECK: cf.assert %{{.*}}, "the axes aren't as many different dimensions of the operand"
// CHECK: tenon.slice %arg0 offsets [%{{.*}}, %{{.*}}] sizes [%{{.*}}, %{{.*}}] strides [1, 1] : tensor<4x3xf32> -> tensor<?x?xf32>
func.func @given_axis(%x: tensor<4x3xf32>, %s: tensor<1xi64>, %e: tensor<1xi64>, %a: tensor<1xi64>) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Slice" version 13 (%x, %s, %e, %a) {} : (tensor<4x3xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
