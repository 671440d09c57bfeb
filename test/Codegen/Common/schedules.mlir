// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s

// Register tiles as the cost model has them: 6 rows of 16 columns.
// CHECK-LABEL: func.func @chosen
// CHECK-NOT: memref.alloca
// CHECK: %{{.*}}:6 = scf.for {{.*}} step %c2 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
tenon_tile.kernel @chosen(%x: tensor<12x64xf32>, %w: tensor<64x32xf32>) -> tensor<12x32xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<12x64xf32>, tensor<64x32xf32> -> tensor<12x32xf32>
  tenon_tile.yield %y : tensor<12x32xf32>
}

// The same with a schedule by hand: 3 rows of 8 columns, turns of 8 products, sums of 32 products at a time.
// CHECK-LABEL: func.func @by_hand
// CHECK: memref.alloca
// CHECK: %{{.*}}:3 = scf.for {{.*}} step %c8 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>)
tenon_tile.kernel @by_hand(%x: tensor<12x64xf32>, %w: tensor<64x32xf32>) -> tensor<12x32xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 1, tile_rows = 3, turn_size = 24, depth_block = 32>} {
  %y = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<12x64xf32>, tensor<64x32xf32> -> tensor<12x32xf32>
  tenon_tile.yield %y : tensor<12x32xf32>
}

// Two vectors of 16 bytes at once.
// CHECK-LABEL: func.func @narrow
// CHECK: math.exp %{{.*}} : vector<8xf32>
tenon_tile.kernel @narrow(%x: tensor<4x64xf32>) -> tensor<4x64xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vector_bytes = 16, vectors = 2>} {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}
