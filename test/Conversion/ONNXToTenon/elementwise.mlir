// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(convert-onnx-to-tenon)" | FileCheck %s

// A vector is repeated along the rows; sizes of one name are known to be equal.
// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "batch"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8] : tensor<?x8xf32>
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V0]], 8] : tensor<?x8xf32>
// CHECK: %[[V1:.*]] = tenon.add %[[ARG0]], %[[ARG1]] : tensor<?x8xf32>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[ARG2]] dims [1] sizes [%[[V0]], 8] : tensor<8xf32> -> tensor<?x8xf32>
// CHECK: %[[V3:.*]] = tenon.mul %[[V1]], %[[V2]] : tensor<?x8xf32>
// CHECK: return %[[V3]] : tensor<?x8xf32>
func.func @broadcast(%x: tensor<?x8xf32> {tenon.name = "x", tenon.dims = ["batch", ""]}, %y: tensor<?x8xf32> {tenon.name = "y", tenon.dims = ["batch", ""]}, %b: tensor<8xf32>)
    -> (!tenon_onnx.unknown {tenon.name = "z"}) {
  %0 = tenon_onnx.node "Add" version 17 (%x, %y) {} : (tensor<?x8xf32>, tensor<?x8xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Mul" version 17 (%0, %b) {} : (!tenon_onnx.unknown, tensor<8xf32>) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

// A dynamic size meets a static one: the result has the static one, whether the operand is repeated or not.
// CHECK-LABEL: func.func @dynamic_and_static(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "x_0"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]], 8] : tensor<?x8xf32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[ARG0]] dims [0, 1] sizes [4, 8] : tensor<?x8xf32> -> tensor<4x8xf32>
// CHECK: %[[V2:.*]] = tenon.sub %[[V1]], %[[ARG1]] : tensor<4x8xf32>
// CHECK: %[[V3:.*]] = tenon.broadcast %[[ARG2]] dims [0, 1] sizes [%[[V0]], 8] : tensor<1x8xf32> -> tensor<?x8xf32>
// CHECK: %[[V4:.*]] = tenon.sub %[[V3]], %[[ARG0]] : tensor<?x8xf32>
// CHECK: return %[[V2]], %[[V4]] : tensor<4x8xf32>, tensor<?x8xf32>
func.func @dynamic_and_static(%x: tensor<?x8xf32> {tenon.name = "x"}, %y: tensor<4x8xf32>, %z: tensor<1x8xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Sub" version 13 (%x, %y) {} : (tensor<?x8xf32>, tensor<4x8xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Sub" version 13 (%z, %x) {} : (tensor<1x8xf32>, tensor<?x8xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// Two dynamic sizes: the result has the second where the first is 1. Computed once.
// CHECK-LABEL: func.func @dynamic_and_dynamic(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.symbol "m"
// CHECK: tenon.bind_shape %[[ARG0]] [%[[V0]]] : tensor<?xf32>
// CHECK: %[[V1:.*]] = tenon.symbol "n"
// CHECK: tenon.bind_shape %[[ARG1]] [%[[V1]]] : tensor<?xf32>
// CHECK: %[[V2:.*]] = arith.cmpi eq, %[[V0]], %{{.*}} : index
// CHECK: %[[V3:.*]] = arith.select %[[V2]], %[[V1]], %[[V0]] : index
// CHECK: %[[V4:.*]] = tenon.broadcast %[[ARG0]] dims [0] sizes [%[[V3]]] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V5:.*]] = tenon.broadcast %[[ARG1]] dims [0] sizes [%[[V3]]] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V6:.*]] = tenon.div %[[V4]], %[[V5]] : tensor<?xf32>
// CHECK: %[[V7:.*]] = tenon.broadcast %[[ARG0]] dims [0] sizes [%[[V3]]] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V8:.*]] = tenon.broadcast %[[ARG1]] dims [0] sizes [%[[V3]]] : tensor<?xf32> -> tensor<?xf32>
// CHECK: %[[V9:.*]] = tenon.max %[[V7]], %[[V8]] : tensor<?xf32>
// CHECK: %[[V10:.*]] = tenon.max %[[V9]], %[[V6]] : tensor<?xf32>
// CHECK: return %[[V10]] : tensor<?xf32>
func.func @dynamic_and_dynamic(%x: tensor<?xf32> {tenon.name = "x", tenon.dims = ["m"]}, %y: tensor<?xf32> {tenon.name = "y", tenon.dims = ["n"]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Div" version 14 (%x, %y) {} : (tensor<?xf32>, tensor<?xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Max" version 13 (%x, %y, %0) {} : (tensor<?xf32>, tensor<?xf32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1 : !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @clip(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.constant dense<0.000000e+00> : tensor<f32>
// CHECK: %[[V1:.*]] = tenon.broadcast %[[V0]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V2:.*]] = tenon.max %[[ARG0]], %[[V1]] : tensor<4xf32>
// CHECK: %[[V3:.*]] = tenon.constant dense<6.000000e+00> : tensor<f32>
// CHECK: %[[V4:.*]] = tenon.broadcast %[[V3]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V5:.*]] = tenon.min %[[V2]], %[[V4]] : tensor<4xf32>
// CHECK: %[[V6:.*]] = tenon.reshape %[[ARG1]] sizes [] : tensor<1xf32> -> tensor<f32>
// CHECK: %[[V7:.*]] = tenon.broadcast %[[V6]] dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
// CHECK: %[[V8:.*]] = tenon.min %[[ARG0]], %[[V7]] : tensor<4xf32>
// CHECK: return %[[V5]], %[[V8]] : tensor<4xf32>, tensor<4xf32>
func.func @clip(%x: tensor<4xf32>, %high: tensor<1xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown) {
  %none = tenon_onnx.none
  %0 = tenon_onnx.node "Clip" version 6 (%x) {min = 0.0 : f32, max = 6.0 : f32} : (tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Clip" version 13 (%x, %none, %high) {} : (tensor<4xf32>, none, tensor<1xf32>) -> !tenon_onnx.unknown
  return %0, %1 : !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @activations(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.max %[[ARG0]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V1:.*]] = tenon.mul %[[V0]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V2:.*]] = tenon.add %[[V1]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V3:.*]] = tenon.max %[[V2]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V4:.*]] = tenon.min %[[V3]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V5:.*]] = tenon.mul %[[V0]], %{{.*}} : tensor<4xf32>
// CHECK: %[[V6:.*]] = tenon.compare lt %[[V0]], %{{.*}} : tensor<4xf32> -> tensor<4xi1>
// CHECK: %[[V7:.*]] = tenon.select %[[V6]], %[[V5]], %[[V0]] : tensor<4xi1>, tensor<4xf32>
// CHECK: %[[V8:.*]] = tenon.gelu %[[V0]] {tanh} : tensor<4xf32>
// CHECK: return %[[V4]], %[[V7]], %[[V8]] : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
func.func @activations(%x: tensor<4xf32>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Relu" version 14 (%x) {} : (tensor<4xf32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "HardSigmoid" version 6 (%0) {alpha = 0.25 : f32} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "LeakyRelu" version 16 (%0) {} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "Gelu" version 20 (%0) {approximate = "tanh"} : (!tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %1, %2, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}

// -----

// CHECK-LABEL: func.func @types(
// CHECK-SAME: %[[ARG0:.*]]: tensor{{.*}} %[[ARG1:.*]]: tensor{{.*}} %[[ARG2:.*]]: tensor{{.*}}
// CHECK: %[[V0:.*]] = tenon.cast %[[ARG0]] : tensor<4xi32> -> tensor<4xf64>
// CHECK: %[[V1:.*]] = tenon.cast %[[ARG1]] : tensor<f32> -> tensor<f64>
// CHECK: %[[V2:.*]] = tenon.broadcast %[[V1]] dims [] sizes [4] : tensor<f64> -> tensor<4xf64>
// CHECK: %[[V3:.*]] = tenon.pow %[[V0]], %[[V2]] : tensor<4xf64>
// CHECK: %[[V4:.*]] = tenon.cast %[[V3]] : tensor<4xf64> -> tensor<4xi32>
// CHECK: %[[V5:.*]] = tenon.rem %[[ARG0]], %[[ARG0]] : tensor<4xi32>
// CHECK: %[[V6:.*]] = tenon.select %[[ARG2]], %[[ARG0]], %[[V5]] : tensor<4xi1>, tensor<4xi32>
// CHECK: %[[V7:.*]] = tenon.compare le %[[ARG0]], %[[V6]] : tensor<4xi32> -> tensor<4xi1>
// CHECK: return %[[V4]], %[[V6]], %[[V7]] : tensor<4xi32>, tensor<4xi32>, tensor<4xi1>
func.func @types(%x: tensor<4xi32>, %e: tensor<f32>, %c: tensor<4xi1>) -> (!tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown) {
  %0 = tenon_onnx.node "Pow" version 15 (%x, %e) {} : (tensor<4xi32>, tensor<f32>) -> !tenon_onnx.unknown
  %1 = tenon_onnx.node "Mod" version 13 (%x, %x) {fmod = 1 : i64} : (tensor<4xi32>, tensor<4xi32>) -> !tenon_onnx.unknown
  %2 = tenon_onnx.node "Where" version 16 (%c, %x, %1) {} : (tensor<4xi1>, tensor<4xi32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  %3 = tenon_onnx.node "LessOrEqual" version 16 (%x, %2) {} : (tensor<4xi32>, !tenon_onnx.unknown) -> !tenon_onnx.unknown
  return %0, %2, %3 : !tenon_onnx.unknown, !tenon_onnx.unknown, !tenon_onnx.unknown
}
