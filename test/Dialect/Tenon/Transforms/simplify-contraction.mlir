// RUN: %tenon_opt --pass-pipeline="builtin.module(func.func(tenon-simplify-graph))" %s | FileCheck %s

// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[KN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK-DAG: #[[MN:.*]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-DAG: #[[NM:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK-DAG: #[[MBN:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d2)>

// CHECK-LABEL: @operand
// CHECK-SAME: (%[[X:.*]]: tensor<?x8xf32>, %[[W:.*]]: tensor<4x8xf32>)
// CHECK-NEXT: tenon.contract %[[X]], %[[W]] maps [#[[MK]], #[[NK]], #[[MN]]]
func.func @operand(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) -> tensor<?x4xf32> {
  %t = tenon.transpose %w [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %c = tenon.contract %x, %t maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  return %c : tensor<?x4xf32>
}

// The last dimension of the result comes from the other operand.
// CHECK-LABEL: @result
// CHECK-NEXT: tenon.contract %{{.*}}, %{{.*}} maps [#[[MK]], #[[KN]], #[[NM]]]
// CHECK-NEXT: return
func.func @result(%x: tensor<?x8xf32>, %w: tensor<8x9xf32>) -> tensor<9x?xf32> {
  %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x9xf32> -> tensor<?x9xf32>
  %t = tenon.transpose %c [1, 0] : tensor<?x9xf32> -> tensor<9x?xf32>
  return %t : tensor<9x?xf32>
}

// Transposing the operand, whose columns those would be, moves more than transposing the result.
// CHECK-LABEL: @smaller_result
// CHECK: tenon.contract
// CHECK: tenon.transpose
func.func @smaller_result(%x: tensor<?x8xf32>, %w: tensor<8x7xf32>) -> tensor<7x?xf32> {
  %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x7xf32> -> tensor<?x7xf32>
  %t = tenon.transpose %c [1, 0] : tensor<?x7xf32> -> tensor<7x?xf32>
  return %t : tensor<7x?xf32>
}

// Nothing is to be transposed where its columns are rows already.
// CHECK-LABEL: @smaller_result_of_columns
// CHECK-NOT: tenon.transpose
// CHECK: return
func.func @smaller_result_of_columns(%x: tensor<8x?xf32>, %w: tensor<8x7xf32>) -> tensor<7x?xf32> {
  %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<8x?xf32>, tensor<8x7xf32> -> tensor<?x7xf32>
  %t = tenon.transpose %c [1, 0] : tensor<?x7xf32> -> tensor<7x?xf32>
  return %t : tensor<7x?xf32>
}

// The last dimension stays; heads become columns of one row.
// CHECK-LABEL: @batch
// CHECK: maps [#{{.*}}, #{{.*}}, #[[MBN]]]
// CHECK-NEXT: return
func.func @batch(%x: tensor<2x5x8xf32>, %w: tensor<2x8x4xf32>) -> tensor<5x2x4xf32> {
  %c = tenon.contract %x, %w maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>,
                                   affine_map<(b, m, n, k) -> (b, m, n)>]
       : tensor<2x5x8xf32>, tensor<2x8x4xf32> -> tensor<2x5x4xf32>
  %t = tenon.transpose %c [1, 0, 2] : tensor<2x5x4xf32> -> tensor<5x2x4xf32>
  return %t : tensor<5x2x4xf32>
}

// A batch dimension as the last one would leave no rows; another user needs the result as it is.
// CHECK-LABEL: @stays
// CHECK: tenon.transpose
// CHECK: tenon.transpose
func.func @stays(%x: tensor<2x5x8xf32>, %w: tensor<2x8x4xf32>, %y: tensor<?x8xf32>, %v: tensor<8x4xf32>)
    -> (tensor<5x4x2xf32>, tensor<?x4xf32>, tensor<4x?xf32>) {
  %c = tenon.contract %x, %w maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>,
                                   affine_map<(b, m, n, k) -> (b, m, n)>]
       : tensor<2x5x8xf32>, tensor<2x8x4xf32> -> tensor<2x5x4xf32>
  %t = tenon.transpose %c [1, 2, 0] : tensor<2x5x4xf32> -> tensor<5x4x2xf32>
  %d = tenon.contract %y, %v maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (m, n)>]
       : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  %u = tenon.transpose %d [1, 0] : tensor<?x4xf32> -> tensor<4x?xf32>
  return %t, %d, %u : tensor<5x4x2xf32>, tensor<?x4xf32>, tensor<4x?xf32>
}

// Windows have no buffer: it is the result that is transposed, even where it has more elements.
// CHECK-LABEL: func.func @windows
// CHECK: %[[C:.*]] = tenon.contract
// CHECK: tenon.transpose %[[C]] [0, 3, 1, 2]
func.func @windows(%x: tensor<1x10x10x2xf32>, %w: tensor<18x40xf32>) -> tensor<1x40x8x8xf32> {
  %r = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1] : tensor<1x10x10x2xf32> -> tensor<1x8x8x18xf32>
  %y = tenon.contract %r, %w maps [affine_map<(n, h, w, m, k) -> (n, h, w, k)>, affine_map<(n, h, w, m, k) -> (k, m)>, affine_map<(n, h, w, m, k) -> (n, h, w, m)>] : tensor<1x8x8x18xf32>, tensor<18x40xf32> -> tensor<1x8x8x40xf32>
  %t = tenon.transpose %y [0, 3, 1, 2] : tensor<1x8x8x40xf32> -> tensor<1x40x8x8xf32>
  return %t : tensor<1x40x8x8xf32>
}
