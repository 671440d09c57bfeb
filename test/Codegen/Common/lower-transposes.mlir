// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s

// An operand that lies along another dimension than the result is read in vectors along it, a block of which is turned in
// registers: three steps for eight lanes. So is what is left at the ends of rows: places beyond them are not written.
// CHECK-LABEL: func.func @turned
// CHECK-COUNT-8: vector.load {{.*}} vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: vector.store
// CHECK: arith.minui
// CHECK-COUNT-24: vector.shuffle
// CHECK: vector.maskedstore
tenon_tile.kernel @turned(%m: index, %x: tensor<2x?x40xf32>, %b: tensor<2x40x?xf32>) -> tensor<2x40x?xf32> {
  tenon.bind_shape %x [2, %m, 40] : tensor<2x?x40xf32>
  tenon.bind_shape %b [2, 40, %m] : tensor<2x40x?xf32>
  %y = tenon.transpose %x [0, 2, 1] : tensor<2x?x40xf32> -> tensor<2x40x?xf32>
  %z = tenon.add %y, %b : tensor<2x40x?xf32>
  tenon_tile.yield %z : tensor<2x40x?xf32>
}

// -----

// The number of rows that are left over is known: they are turned together, and only they are written.
// CHECK-LABEL: func.func @rest
// CHECK-COUNT-24: vector.shuffle
// CHECK-COUNT-8: vector.store
// CHECK-COUNT-8: vector.maskedload
// CHECK: vector.shuffle
// CHECK-COUNT-3: vector.store
// CHECK-NOT: vector.store
// CHECK: return
tenon_tile.kernel @rest(%x: tensor<16x11xf32>) -> tensor<11x16xf32> {
  %y = tenon.transpose %x [1, 0] : tensor<16x11xf32> -> tensor<11x16xf32>
  tenon_tile.yield %y : tensor<11x16xf32>
}

// -----

// Rows shorter than a vector are written together: each of three vectors of the operand gives every third element.
// CHECK-LABEL: func.func @short
// CHECK-COUNT-3: vector.load
// CHECK: vector.shuffle {{.*}} [0, 8, 0, 1, 9, 1, 2, 10]
// CHECK: vector.shuffle {{.*}} [0, 1, 8, 3, 4, 9, 6, 7]
// CHECK-COUNT-4: vector.shuffle
// CHECK-COUNT-3: vector.store
// CHECK: vector.maskedstore
tenon_tile.kernel @short(%n: index, %x: tensor<3x?xf32>) -> tensor<?x3xf32> {
  tenon.bind_shape %x [3, %n] : tensor<3x?xf32>
  %y = tenon.transpose %x [1, 0] : tensor<3x?xf32> -> tensor<?x3xf32>
  tenon_tile.yield %y : tensor<?x3xf32>
}

// -----

// Rows that stay rows are read as they are.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: vector.shuffle
// CHECK: return
tenon_tile.kernel @rows(%x: tensor<2x5x40xf32>) -> tensor<5x2x40xf32> {
  %y = tenon.transpose %x [1, 0, 2] : tensor<2x5x40xf32> -> tensor<5x2x40xf32>
  tenon_tile.yield %y : tensor<5x2x40xf32>
}

// -----

// Nothing is turned where there is nothing.
// CHECK-LABEL: func.func @empty
// CHECK-NOT: vector.transfer
// CHECK-NOT: vector.load
tenon_tile.kernel @empty(%x: tensor<2x0x24xf32>) -> tensor<2x24x0xf32> {
  %y = tenon.transpose %x [0, 2, 1] : tensor<2x0x24xf32> -> tensor<2x24x0xf32>
  tenon_tile.yield %y : tensor<2x24x0xf32>
}

// -----

// f64 is no register tile.
// CHECK-LABEL: func.func @doubles
// CHECK-NOT: vector.fma
// CHECK: return
tenon_tile.kernel @doubles(%x: tensor<8x16xf64>, %y: tensor<16x32xf64>) -> tensor<8x32xf64> {
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<8x16xf64>, tensor<16x32xf64> -> tensor<8x32xf64>
  tenon_tile.yield %z : tensor<8x32xf64>
}
