// RUN: %tenon_opt %s -split-input-file --pass-pipeline="builtin.module(func.func(tenon-form-host-calls))" | FileCheck %s

// Sizes that are stated: the function writes where the program says.
// CHECK-LABEL: func.func @stated(
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>
func.func @stated(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[N:.*]] = tenon.symbol "n"
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 4] : tensor<?x4xf32>
  // CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
  // CHECK: %[[Y:.*]] = tenon_host.call_external "scale" library "vendor" ins(%[[X]] : tensor<?x4xf32>) outs(%[[E]] : tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: tenon.bind_shape %[[Y]] [%[[N]], 4] : tensor<?x4xf32>
  // CHECK: return %[[Y]]
  %y = tenon.call_external "scale" library "vendor" (%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  tenon.bind_shape %y [%n, 4] : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// Sizes that only the function knows: the value is held until they are read.
// CHECK-LABEL: func.func @at(
// CHECK-SAME: %[[S:.*]]: !tenon.seq<tensor<?xf32>>, %[[I:.*]]: tensor<i64>
func.func @at(%s: !tenon.seq<tensor<?xf32>>, %i: tensor<i64>) -> tensor<?xf32> {
  // CHECK: %[[H:.*]] = tenon_host.call_external "sequence_at" library "tenon_runtime" ins(%[[S]], %[[I]] : !tenon.seq<tensor<?xf32>>, tensor<i64>) -> !tenon_host.value<tensor<?xf32>>
  // CHECK: %[[E:.*]] = tensor.empty() : tensor<1xi64>
  // CHECK: %[[SHAPE:.*]] = tenon_host.call_external "shape" library "tenon_runtime" ins(%[[H]] : !tenon_host.value<tensor<?xf32>>) outs(%[[E]] : tensor<1xi64>) -> tensor<1xi64>
  // CHECK: %[[N:.*]] = tenon.item %[[SHAPE]] at 0
  // CHECK: %[[F:.*]] = tensor.empty(%[[N]]) : tensor<?xf32>
  // CHECK: %[[V:.*]] = tenon_host.call_external "identity" library "tenon_runtime" ins(%[[H]] : !tenon_host.value<tensor<?xf32>>) outs(%[[F]] : tensor<?xf32>) -> tensor<?xf32>
  // CHECK: tenon.bind_shape %[[V]] [%[[N]]]
  // CHECK: return %[[V]]
  %v = tenon.sequence_at %s, %i : !tenon.seq<tensor<?xf32>>, tensor<i64> -> tensor<?xf32>
  return %v : tensor<?xf32>
}

// -----

// Attributes come first, as constants.
// CHECK-LABEL: func.func @attributes(
func.func @attributes(%x: tensor<3x4xf32>) -> !tenon.seq<tensor<4xf32>> {
  // CHECK-DAG: %[[DIM:.*]] = tenon.constant dense<0> : tensor<i64>
  // CHECK-DAG: %[[DROPS:.*]] = tenon.constant dense<1> : tensor<i64>
  // CHECK: tenon_host.call_external "sequence_split" library "tenon_runtime" ins(%[[DIM]], %[[DROPS]], %{{.*}} : tensor<i64>, tensor<i64>, tensor<3x4xf32>) -> !tenon.seq<tensor<4xf32>>
  %s = tenon.sequence_split %x dim 0 drop_dim : tensor<3x4xf32> -> !tenon.seq<tensor<4xf32>>
  return %s : !tenon.seq<tensor<4xf32>>
}

// -----

// Strings move by the numbers of their places.
// CHECK-LABEL: func.func @transpose(
// CHECK-SAME: %[[X:.*]]: tensor<2x3x!tenon.string>
func.func @transpose(%x: tensor<2x3x!tenon.string>) -> tensor<3x2x!tenon.string> {
  // CHECK: %[[IOTA:.*]] = tenon.iota dim 0 sizes [6] : tensor<6xi64>
  // CHECK: %[[PLACES:.*]] = tenon.reshape %[[IOTA]] sizes [2, 3]
  // CHECK: %[[MOVED:.*]] = tenon.transpose %[[PLACES]]
  // CHECK: tenon_host.call_external "strings_take" library "tenon_runtime" ins(%[[MOVED]], %[[X]] : tensor<3x2xi64>, tensor<2x3x!tenon.string>) -> tensor<3x2x!tenon.string>
  %y = tenon.transpose %x [1, 0] : tensor<2x3x!tenon.string> -> tensor<3x2x!tenon.string>
  return %y : tensor<3x2x!tenon.string>
}

// -----

// CHECK-LABEL: func.func @numbers_stay(
func.func @numbers_stay(%x: tensor<2x3xf32>) -> tensor<3x2xf32> {
  // CHECK-NOT: call_external
  // CHECK: tenon.transpose
  %y = tenon.transpose %x [1, 0] : tensor<2x3xf32> -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// CHECK-LABEL: func.func @compare(
func.func @compare(%x: tensor<2x!tenon.string>) -> tensor<2xi1> {
  // CHECK: %[[BYTES:.*]] = tenon.constant dense<[97, 98, 99]> : tensor<3xui8>
  // CHECK: tenon_host.call_external "strings" library "tenon_runtime" ins(%{{.*}}, %[[BYTES]], %{{.*}} : tensor<2xi64>, tensor<3xui8>, tensor<1xi64>) -> tensor<2x!tenon.string>
  %c = tenon.constant dense<["ab", "c"]> : tensor<2x!tenon.string>
  // CHECK: tenon_host.call_external "string_compare" library "tenon_host_functions" ins({{.*}}) outs({{.*}}) -> tensor<2xi1>
  %y = tenon.compare eq %x, %c : tensor<2x!tenon.string> -> tensor<2xi1>
  return %y : tensor<2xi1>
}
