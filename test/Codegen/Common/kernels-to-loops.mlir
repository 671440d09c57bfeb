// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx512},tenon-tiles,tenon-loops)" | FileCheck %s --check-prefix=WIDE

// Whole vectors, then one masked vector for the rest of a row.
// CHECK-LABEL: func.func @abs(%arg0: memref<f32>, %arg1: memref<f32>, %arg2: index, %arg3: index, %arg4: index) -> i32
// CHECK-SAME: tenon_tile.kernel = {buffers = 2 : i64, strides = 0 : i64, symbols = 1 : i64}
// CHECK: scf.for %[[UNIT:.*]] = %arg3 to %arg4
// CHECK:   %[[X:.*]] = vector.load %{{.*}} : memref<?xf32>, vector<8xf32>
// CHECK:   math.absf %[[X]] : vector<8xf32>
// CHECK:   vector.store
// CHECK:   vector.maskedload
// CHECK:   vector.maskedstore
// WIDE: vector.maskedload {{.*}} into vector<16xf32>
tenon_tile.kernel @abs(%m: index, %x: tensor<?x12xf32>) -> tensor<?x12xf32> {
  tenon.bind_shape %x [%m, 12] : tensor<?x12xf32>
  %y = tenon.abs %x : tensor<?x12xf32>
  tenon_tile.yield %y : tensor<?x12xf32>
}

// -----

// A row is reduced before it is read again.
// CHECK-LABEL: func.func @softmax
// CHECK: vector.reduction <maximumf>
// CHECK: math.exp
// CHECK: vector.reduction <add>
// CHECK: math.exp
// CHECK: arith.divf
// CHECK: vector.store
tenon_tile.kernel @softmax(%x: tensor<4x96xf32>) -> tensor<4x96xf32> {
  %y = tenon.softmax %x dims [1] : tensor<4x96xf32>
  tenon_tile.yield %y : tensor<4x96xf32>
}

// -----

// Columns that aren't whole register tiles are read and written under a limit.
// CHECK-LABEL: func.func @contract
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: } else {
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
tenon_tile.kernel @contract(%x: tensor<5x8xf32>, %w: tensor<8x20xf32>) -> tensor<5x20xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<5x8xf32>, tensor<8x20xf32> -> tensor<5x20xf32>
  tenon_tile.yield %y : tensor<5x20xf32>
}

// -----

// An index out of range is recorded, and something within range read.
// CHECK-LABEL: func.func @gather({{.*}}%{{.*}}: memref<32xi8>) -> i32
// CHECK-SAME: tenon_tile.checks
// CHECK: scf.if
// CHECK:   tenon_tile.report 1 at
tenon_tile.kernel @gather(%x: tensor<10x16xf32>, %i: tensor<3x1xi64>) -> tensor<3x16xf32> {
  %y = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<10x16xf32>, tensor<3x1xi64> -> tensor<3x16xf32>
  tenon_tile.yield %y : tensor<3x16xf32>
}
