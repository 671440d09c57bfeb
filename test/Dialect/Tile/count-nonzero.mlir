// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-count-nonzero))" | FileCheck %s

// CHECK-LABEL: func.func @count
// CHECK: %[[SET:.*]] = tenon.cast %arg0 : tensor<3x4xf32> -> tensor<3x4xi1>
// CHECK: %[[ONES:.*]] = tenon.cast %[[SET]] : tensor<3x4xi1> -> tensor<3x4xi64>
// CHECK: %[[SUM:.*]] = tenon.reduce sum %[[ONES]] dims [0, 1] : tensor<3x4xi64> -> tensor<i64>
// CHECK: %[[N:.*]] = tenon.item %[[SUM]] at 0 : tensor<i64>
// CHECK: tenon.nonzero %arg0 count %[[N]] : tensor<3x4xf32> -> tensor<2x?xi64>
func.func @count(%x: tensor<3x4xf32>) -> tensor<2x?xi64> {
  %i = tenon.nonzero %x : tensor<3x4xf32> -> tensor<2x?xi64>
  return %i : tensor<2x?xi64>
}

// -----

// What is counted already stays, and truth values need no comparison.
// CHECK-LABEL: func.func @counted
// CHECK-NOT: tenon.reduce
func.func @counted(%x: tensor<4xi1>, %n: index) -> tensor<1x?xi64> {
  %i = tenon.nonzero %x count %n : tensor<4xi1> -> tensor<1x?xi64>
  return %i : tensor<1x?xi64>
}
