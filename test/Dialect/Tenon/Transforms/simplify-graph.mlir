// RUN: %tenon_opt --pass-pipeline="builtin.module(func.func(tenon-simplify-graph))" %s | FileCheck %s

// CHECK-LABEL: @identities
// CHECK-SAME: (%[[X:.*]]: tensor<2x3xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @identities(%x: tensor<2x3xf32>, %v: tensor<f32>)
    -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %a = tenon.transpose %x [0, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %b = tenon.reshape %x sizes [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  %c = tenon.broadcast %x dims [0, 1] sizes [2, 3] : tensor<2x3xf32> -> tensor<2x3xf32>
  %d = tenon.slice %x offsets [0, 0] sizes [2, 3] strides [1, 1] : tensor<2x3xf32> -> tensor<2x3xf32>
  %e = tenon.pad constant %x, %v low [0, 0] high [0, 0] : tensor<2x3xf32>, tensor<f32> -> tensor<2x3xf32>
  %f = tenon.cast %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return %a, %b, %c, %d, %e, %f
      : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// Sizes that are known to be equal, and those that aren't.
// CHECK-LABEL: @dynamic_reshape
// CHECK-SAME: (%[[X:.*]]: tensor<?x3xf32>
// CHECK: %[[Y:.*]] = tenon.reshape
// CHECK: return %[[X]], %[[Y]]
func.func @dynamic_reshape(%x: tensor<?x3xf32>, %n: index) -> (tensor<?x3xf32>, tensor<?x3xf32>) {
  %b = tenon.symbol "batch"
  tenon.bind_shape %x [%b, 3] : tensor<?x3xf32>
  %y = tenon.reshape %x sizes [%b, 3] : tensor<?x3xf32> -> tensor<?x3xf32>
  %z = tenon.reshape %x sizes [%n, 3] : tensor<?x3xf32> -> tensor<?x3xf32>
  return %y, %z : tensor<?x3xf32>, tensor<?x3xf32>
}

// CHECK-LABEL: @in_a_row
// CHECK-DAG: tenon.reshape %{{.*}} sizes [4, 6] : tensor<2x3x4xf32> -> tensor<4x6xf32>
// CHECK-DAG: tenon.transpose %{{.*}} [2, 1, 0] : tensor<2x3x4xf32> -> tensor<4x3x2xf32>
// CHECK-DAG: tenon.broadcast %{{.*}} dims [0, 1, 3] sizes [2, 3, 5, 4]
func.func @in_a_row(%x: tensor<2x3x4xf32>, %s: tensor<2x1x4xf32>)
    -> (tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x5x4xf32>) {
  %a = tenon.reshape %x sizes [24] : tensor<2x3x4xf32> -> tensor<24xf32>
  %b = tenon.reshape %a sizes [4, 6] : tensor<24xf32> -> tensor<4x6xf32>
  %c = tenon.transpose %x [1, 2, 0] : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  %d = tenon.transpose %c [1, 0, 2] : tensor<3x4x2xf32> -> tensor<4x3x2xf32>
  %e = tenon.broadcast %s dims [0, 1, 2] sizes [2, 3, 4] : tensor<2x1x4xf32> -> tensor<2x3x4xf32>
  %f = tenon.broadcast %e dims [0, 1, 3] sizes [2, 3, 5, 4] : tensor<2x3x4xf32> -> tensor<2x3x5x4xf32>
  return %b, %d, %f : tensor<4x6xf32>, tensor<4x3x2xf32>, tensor<2x3x5x4xf32>
}

// CHECK-LABEL: @units_at_broadcasts
// CHECK-SAME: (%[[X:.*]]: tensor<8xf32>, %[[Y:.*]]: tensor<1x8xf32>
// CHECK-NOT: tenon.reshape
// CHECK-DAG: tenon.broadcast %[[X]] dims [1] sizes [2, 8, 4, 4]
// CHECK-DAG: tenon.broadcast %[[Y]] dims [0, 1] sizes [2, 8]
// CHECK-DAG: tenon.broadcast %[[X]] dims [2] sizes [2, 1, 8]
func.func @units_at_broadcasts(%x: tensor<8xf32>, %y: tensor<1x8xf32>)
    -> (tensor<2x8x4x4xf32>, tensor<2x8xf32>, tensor<2x1x8xf32>) {
  %a = tenon.reshape %x sizes [8, 1, 1] : tensor<8xf32> -> tensor<8x1x1xf32>
  %b = tenon.broadcast %a dims [1, 2, 3] sizes [2, 8, 4, 4] : tensor<8x1x1xf32> -> tensor<2x8x4x4xf32>
  %c = tenon.reshape %y sizes [8] : tensor<1x8xf32> -> tensor<8xf32>
  %d = tenon.broadcast %c dims [1] sizes [2, 8] : tensor<8xf32> -> tensor<2x8xf32>
  %e = tenon.broadcast %x dims [1] sizes [2, 8] : tensor<8xf32> -> tensor<2x8xf32>
  %f = tenon.reshape %e sizes [2, 1, 8] : tensor<2x8xf32> -> tensor<2x1x8xf32>
  return %b, %d, %f : tensor<2x8x4x4xf32>, tensor<2x8xf32>, tensor<2x1x8xf32>
}

// CHECK-LABEL: @arithmetic
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32>
// CHECK-NEXT: return %[[X]], %[[X]], %[[X]], %[[X]], %[[X]]
func.func @arithmetic(%x: tensor<4xf32>)
    -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %one = tenon.constant dense<1.0> : tensor<f32>
  %ones = tenon.broadcast %one dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
  %zero = tenon.constant dense<0.0> : tensor<4xf32>
  %negative = tenon.constant dense<-0.0> : tensor<4xf32>
  %a = tenon.mul %ones, %x : tensor<4xf32>
  %b = tenon.div %x, %ones : tensor<4xf32>
  %c = tenon.sub %x, %zero : tensor<4xf32>
  %d = tenon.add %x, %negative : tensor<4xf32>
  %n = tenon.neg %x : tensor<4xf32>
  %e = tenon.neg %n : tensor<4xf32>
  return %a, %b, %c, %d, %e : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// Zero added to -0 is 0, and subtracted from a number it is its negative; a third is no exact factor.
// CHECK-LABEL: @not_exact
// CHECK: tenon.add
// CHECK: tenon.sub
// CHECK: tenon.div
func.func @not_exact(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %zero = tenon.constant dense<0.0> : tensor<4xf32>
  %three = tenon.constant dense<3.0> : tensor<4xf32>
  %a = tenon.add %x, %zero : tensor<4xf32>
  %b = tenon.sub %zero, %x : tensor<4xf32>
  %c = tenon.div %x, %three : tensor<4xf32>
  return %a, %b, %c : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// CHECK-LABEL: @divide_by_eight
// CHECK: %[[C:.*]] = tenon.constant dense<1.250000e-01> : tensor<f32>
// CHECK: %[[W:.*]] = tenon.broadcast %[[C]] dims [] sizes [%{{.*}}] : tensor<f32> -> tensor<?xf32>
// CHECK: tenon.mul %{{.*}}, %[[W]] : tensor<?xf32>
func.func @divide_by_eight(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
  %eight = tenon.constant dense<8.0> : tensor<f32>
  %w = tenon.broadcast %eight dims [] sizes [%n] : tensor<f32> -> tensor<?xf32>
  %y = tenon.div %x, %w : tensor<?xf32>
  return %y : tensor<?xf32>
}

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

// A square is a product; a cube stays what it is.
// CHECK-LABEL: func.func @powers
func.func @powers(%x: tensor<4xf32>, %n: tensor<4xi32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xi32>) {
  %two = tenon.constant dense<2.0> : tensor<f32>
  %twos = tenon.broadcast %two dims [] sizes [4] : tensor<f32> -> tensor<4xf32>
  %threes = tenon.constant dense<3.0> : tensor<4xf32>
  %squares = tenon.constant dense<2> : tensor<4xi32>
  %ones = tenon.constant dense<1> : tensor<4xi32>
  // CHECK: %[[A:.*]] = tenon.mul %[[X:.*]], %[[X]] : tensor<4xf32>
  %a = tenon.pow %x, %twos : tensor<4xf32>
  // CHECK: %[[B:.*]] = tenon.pow
  %b = tenon.pow %x, %threes : tensor<4xf32>
  // CHECK: %[[C:.*]] = tenon.mul %[[N:.*]], %[[N]] : tensor<4xi32>
  %c = tenon.pow %n, %squares : tensor<4xi32>
  %d = tenon.pow %n, %ones : tensor<4xi32>
  // CHECK: return %[[A]], %[[B]], %[[C]], %[[N]]
  return %a, %b, %c, %d : tensor<4xf32>, tensor<4xf32>, tensor<4xi32>, tensor<4xi32>
}

// A concat continues the longest one that it begins with.
// CHECK-LABEL: func.func @concats_of_a_dense_block
func.func @concats_of_a_dense_block(%a: tensor<1x4xf32>, %b: tensor<1x4xf32>, %c: tensor<1x4xf32>, %d: tensor<1x4xf32>)
    -> (tensor<1x8xf32>, tensor<1x12xf32>, tensor<1x16xf32>, tensor<3x4xf32>, tensor<1x12xf32>) {
  // CHECK: %[[AB:.*]] = tenon.concat %arg0, %arg1 dim 1
  %0 = tenon.concat %a, %b dim 1 : tensor<1x4xf32>, tensor<1x4xf32> -> tensor<1x8xf32>
  // CHECK: %[[ABC:.*]] = tenon.concat %[[AB]], %arg2 dim 1
  %1 = tenon.concat %a, %b, %c dim 1 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32> -> tensor<1x12xf32>
  // CHECK: tenon.concat %[[ABC]], %arg3 dim 1
  %2 = tenon.concat %a, %b, %c, %d dim 1 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32> -> tensor<1x16xf32>
  // Not along another dimension, nor in another order.
  // CHECK: tenon.concat %arg0, %arg1, %arg2 dim 0
  %3 = tenon.concat %a, %b, %c dim 0 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32> -> tensor<3x4xf32>
  // CHECK: tenon.concat %arg0, %arg2, %arg1 dim 1
  %4 = tenon.concat %a, %c, %b dim 1 : tensor<1x4xf32>, tensor<1x4xf32>, tensor<1x4xf32> -> tensor<1x12xf32>
  return %0, %1, %2, %3, %4 : tensor<1x8xf32>, tensor<1x12xf32>, tensor<1x16xf32>, tensor<3x4xf32>, tensor<1x12xf32>
}

// Rows of a table are gathered before they are widened and scaled, as few as they are or, of an unknown number, because the table
// is large.
// CHECK-LABEL: func.func @rows_of_a_table_that_is_arithmetic
// CHECK-SAME: (%[[I:.*]]: tensor<?x1xi64>)
func.func @rows_of_a_table_that_is_arithmetic(%i: tensor<?x1xi64>) -> tensor<?x8192xf32> {
  %n = tenon.symbol "n"
  tenon.bind_shape %i [%n, 1] : tensor<?x1xi64>
  // CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
  // CHECK-DAG: %[[Q:.*]] = tenon.constant {{.*}} : tensor<4x1xi8>
  // CHECK-DAG: %[[S:.*]] = tenon.constant {{.*}} : tensor<4x1xf32>
  // CHECK-DAG: %[[C:.*]] = tenon.constant {{.*}} : tensor<8192xf32>
  %q = tenon.constant dense<[[1], [3], [5], [7]]> : tensor<4x1xi8>
  %s = tenon.constant dense<[[1.0], [2.0], [3.0], [4.0]]> : tensor<4x1xf32>
  %c = tenon.constant dense<5.0> : tensor<8192xf32>
  %0 = tenon.cast %q : tensor<4x1xi8> -> tensor<4x1xf32>
  %1 = tenon.broadcast %0 dims [0, 1] sizes [4, 8192] : tensor<4x1xf32> -> tensor<4x8192xf32>
  %2 = tenon.broadcast %s dims [0, 1] sizes [4, 8192] : tensor<4x1xf32> -> tensor<4x8192xf32>
  %3 = tenon.broadcast %c dims [1] sizes [4, 8192] : tensor<8192xf32> -> tensor<4x8192xf32>
  %4 = tenon.sub %1, %3 : tensor<4x8192xf32>
  %5 = tenon.mul %4, %2 : tensor<4x8192xf32>
  // CHECK-DAG: %[[QI:.*]] = tenon.gather error %[[Q]], %[[I]] dims [0] batch_dims 0 : tensor<4x1xi8>, tensor<?x1xi64> -> tensor<?x1xi8>
  // CHECK-DAG: %[[X:.*]] = tenon.cast %[[QI]] : tensor<?x1xi8> -> tensor<?x1xf32>
  // CHECK-DAG: %[[XB:.*]] = tenon.broadcast %[[X]] dims [0, 1] sizes [%[[N]], 8192] : tensor<?x1xf32> -> tensor<?x8192xf32>
  // CHECK-DAG: %[[CI:.*]] = tenon.broadcast %[[C]] dims [1] sizes [%[[N]], 8192] : tensor<8192xf32> -> tensor<?x8192xf32>
  // CHECK-DAG: %[[D:.*]] = tenon.sub %[[XB]], %[[CI]] : tensor<?x8192xf32>
  // CHECK-DAG: %[[SI:.*]] = tenon.gather error %[[S]], %[[I]] dims [0] batch_dims 0 : tensor<4x1xf32>, tensor<?x1xi64> -> tensor<?x1xf32>
  // CHECK-DAG: %[[SB:.*]] = tenon.broadcast %[[SI]] dims [0, 1] sizes [%[[N]], 8192] : tensor<?x1xf32> -> tensor<?x8192xf32>
  // CHECK: %[[Y:.*]] = tenon.mul %[[D]], %[[SB]] : tensor<?x8192xf32>
  // CHECK: return %[[Y]]
  %y = tenon.gather error %5, %i dims [0] batch_dims 0 : tensor<4x8192xf32>, tensor<?x1xi64> -> tensor<?x8192xf32>
  return %y : tensor<?x8192xf32>
}

// CHECK-LABEL: func.func @few_rows
func.func @few_rows(%i: tensor<3x1xi64>) -> tensor<3x2xf32> {
  %q = tenon.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %0 = tenon.cast %q : tensor<4x2xi8> -> tensor<4x2xf32>
  // CHECK: tenon.gather error %{{.*}} : tensor<4x2xi8>
  %y = tenon.gather error %0, %i dims [0] batch_dims 0 : tensor<4x2xf32>, tensor<3x1xi64> -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// Not where more is read than there is, or may be of a small table, nor of what isn't constant.
// CHECK-LABEL: func.func @whole_tables
func.func @whole_tables(%i: tensor<5x1xi64>, %j: tensor<?x1xi64>, %x: tensor<4x2xi8>)
    -> (tensor<5x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %q = tenon.constant dense<[[1, 2], [3, 4], [5, 6], [7, 8]]> : tensor<4x2xi8>
  %0 = tenon.cast %q : tensor<4x2xi8> -> tensor<4x2xf32>
  %1 = tenon.cast %x : tensor<4x2xi8> -> tensor<4x2xf32>
  // CHECK-COUNT-3: tenon.gather error %{{.*}} : tensor<4x2xf32>
  %y = tenon.gather error %0, %i dims [0] batch_dims 0 : tensor<4x2xf32>, tensor<5x1xi64> -> tensor<5x2xf32>
  %z = tenon.gather error %1, %j dims [0] batch_dims 0 : tensor<4x2xf32>, tensor<?x1xi64> -> tensor<?x2xf32>
  %u = tenon.gather error %0, %j dims [0] batch_dims 0 : tensor<4x2xf32>, tensor<?x1xi64> -> tensor<?x2xf32>
  return %y, %z, %u : tensor<5x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
