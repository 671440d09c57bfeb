// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-loops)" | FileCheck %s

// An operand that lies along another dimension than the result is read in vectors along it, a block of which is turned in
// registers: three steps for eight lanes. What is left at the ends is read element by element.
// CHECK-LABEL: func.func @turned
// CHECK-COUNT-8: vector.load {{.*}} vector<8xf32>
// CHECK-COUNT-24: vector.shuffle
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: vector.store
// CHECK-NOT: vector.shuffle
// CHECK: vector.maskedstore
tenon_tile.kernel @turned(%m: index, %x: tensor<2x?x40xf32>, %b: tensor<2x40x?xf32>) -> tensor<2x40x?xf32> attributes {work = affine_map<()[s0] -> (6)>} {
  tenon.bind_shape %x [2, %m, 40] : tensor<2x?x40xf32>
  tenon.bind_shape %b [2, 40, %m] : tensor<2x40x?xf32>
  %y = tenon.transpose %x [0, 2, 1] : tensor<2x?x40xf32> -> tensor<2x40x?xf32>
  %z = tenon.add %y, %b : tensor<2x40x?xf32>
  tenon_tile.yield %z : tensor<2x40x?xf32>
}

// -----

// Rows that stay rows are read as they are.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: vector.shuffle
// CHECK: return
tenon_tile.kernel @rows(%x: tensor<2x5x40xf32>) -> tensor<5x2x40xf32> attributes {work = affine_map<() -> (1)>} {
  %y = tenon.transpose %x [1, 0, 2] : tensor<2x5x40xf32> -> tensor<5x2x40xf32>
  tenon_tile.yield %y : tensor<5x2x40xf32>
}
