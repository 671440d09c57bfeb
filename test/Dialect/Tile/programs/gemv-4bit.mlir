// A vector times a matrix of 4 bits with a scale for each 32 rows: 4 panels of 16 columns at once.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

tenon_tile.kernel @linear_q4(%x: tensor<128xf32>, %w: tensor<128x128xui4>, %scale: tensor<128x4xf32>) -> tensor<128xf32> {
  %0 = tenon.cast %w : tensor<128x128xui4> -> tensor<128x128xf32>
  %8 = tenon.constant dense<8.0> : tensor<1x1xf32>
  %1 = tenon.broadcast %8 dims [0, 1] sizes [128, 128] : tensor<1x1xf32> -> tensor<128x128xf32>
  %2 = tenon.sub %0, %1 : tensor<128x128xf32>
  %3 = tenon.broadcast %scale dims [0, 1] sizes [128, 4, 32] : tensor<128x4xf32> -> tensor<128x4x32xf32>
  %4 = tenon.reshape %3 sizes [128, 128] : tensor<128x4x32xf32> -> tensor<128x128xf32>
  %5 = tenon.mul %2, %4 : tensor<128x128xf32>
  %6 = tenon.contract %x, %5 maps [affine_map<(j, k) -> (k)>, affine_map<(j, k) -> (j, k)>, affine_map<(j, k) -> (j)>]
       : tensor<128xf32>, tensor<128x128xf32> -> tensor<128xf32>
  tenon_tile.yield %6 : tensor<128xf32>
}

// Words of 8 products: 4 of them, of 16 columns, for each panel and block.
tenon_tile.form @words(%w: tensor<128x128xui4>) -> tensor<8x4x64xi32> {
  %0 = cast %w : tensor<128x128xui4> -> tensor<128x128xi32>
  %1 = reshape %0 sizes [8, 16, 4, 4, 8] : tensor<128x128xi32> -> tensor<8x16x4x4x8xi32>
  %shift = constant dense<[0, 4, 8, 12, 16, 20, 24, 28]> : tensor<8xi32>
  %2 = broadcast %shift dims [4] sizes [8, 16, 4, 4, 8] : tensor<8xi32> -> tensor<8x16x4x4x8xi32>
  %3 = shl %1, %2 : tensor<8x16x4x4x8xi32>
  %4 = reduce sum %3 dims [4] : tensor<8x16x4x4x8xi32> -> tensor<8x16x4x4xi32>
  %5 = transpose %4 [0, 2, 3, 1] : tensor<8x16x4x4xi32> -> tensor<8x4x4x16xi32>
  %6 = reshape %5 sizes [8, 4, 64] : tensor<8x4x4x16xi32> -> tensor<8x4x64xi32>
  tenon_tile.yield %6 : tensor<8x4x64xi32>
}

tenon_tile.form @scales(%s: tensor<128x4xf32>) -> tensor<8x4x16xf32> {
  %0 = reshape %s sizes [8, 16, 4] : tensor<128x4xf32> -> tensor<8x16x4xf32>
  %1 = transpose %0 [0, 2, 1] : tensor<8x16x4xf32> -> tensor<8x4x16xf32>
  tenon_tile.yield %1 : tensor<8x4x16xf32>
}

// CHECK-LABEL: tenon_tile.program @panels
tenon_tile.program @panels(%x: memref<128xf32>, %w: memref<8x4x64xi32> {tenon_tile.form = @words},
                           %ws: memref<8x4x16xf32> {tenon_tile.form = @scales}) -> (%y: memref<128xf32>)
    attributes {tenon_tile.computes = @linear_q4, tenon.tolerance = 1.0e-5} {
  // CHECK: view %{{.*}} (d0, d1, d2, d3) -> (d0, d1, d2 * 16 + d3) sizes [8, 4, 4, 16] : memref<8x4x64xi32> -> memref<8x4x4x16xi32, strided<[256, 64, 16, 1]>>
  %wv = view %w (p, b, g, c) -> (p, b, g * 16 + c) sizes [8, 4, 4, 16] : memref<8x4x64xi32> -> memref<8x4x4x16xi32, strided<[256, 64, 16, 1]>>
  %yv = view %y (p, c) -> (p * 16 + c) sizes [8, 16] : memref<128xf32> -> memref<8x16xf32, strided<[16, 1]>>
  %zero = tenon.constant dense<0.0> : tensor<4x16xf32>
  %table = tenon.constant dense<[-8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : tensor<16xf32>
  %shift = tenon.constant dense<[0, 4, 8, 12, 16, 20, 24, 28]> : tensor<8xi32>
  grid (%p) = 0 to 8 step 4 {
    %sum = for (%b) = 0 to 4 iter_args(%c = %zero) -> (tensor<4x16xf32>) {
      // CHECK: prefetch %{{.*}}[%{{.*}}, %{{.*}} + 4, 0] level 1 lines 4
      prefetch %w[%p, %b + 4, 0] level 1 lines 4 : memref<8x4x64xi32>
      // CHECK: load %{{.*}}[%{{.*}}, %{{.*}}, 0, 0] dims [0, 2, 3]
      %q = load %wv[%p, %b, 0, 0] dims [0, 2, 3] : memref<8x4x4x16xi32, strided<[256, 64, 16, 1]>> -> tensor<4x4x16xi32>
      %0 = tenon.broadcast %q dims [0, 1, 3] sizes [4, 4, 8, 16] : tensor<4x4x16xi32> -> tensor<4x4x8x16xi32>
      %1 = tenon.broadcast %shift dims [2] sizes [4, 4, 8, 16] : tensor<8xi32> -> tensor<4x4x8x16xi32>
      %2 = tenon.shr %0, %1 : tensor<4x4x8x16xi32>
      %3 = tenon.reshape %2 sizes [4, 4, 8, 16, 1] : tensor<4x4x8x16xi32> -> tensor<4x4x8x16x1xi32>
      // Modulo 16: one permutation, no mask.
      %v = tenon.gather wrap %table, %3 dims [0] batch_dims 0 : tensor<16xf32>, tensor<4x4x8x16x1xi32> -> tensor<4x4x8x16xf32>
      %a = load %x[%b * 32] : memref<128xf32> -> tensor<32xf32>
      %4 = tenon.reshape %a sizes [4, 8] : tensor<32xf32> -> tensor<4x8xf32>
      %5 = tenon.broadcast %4 dims [1, 2] sizes [4, 4, 8, 16] : tensor<4x8xf32> -> tensor<4x4x8x16xf32>
      %6 = tenon.mul %v, %5 : tensor<4x4x8x16xf32>
      %7 = tenon.reduce sum %6 dims [1, 2] : tensor<4x4x8x16xf32> -> tensor<4x16xf32>
      %f = load %ws[%p, %b, 0] dims [0, 2] : memref<8x4x16xf32> -> tensor<4x16xf32>
      %8 = tenon.mul %7, %f : tensor<4x16xf32>
      %9 = tenon.add %c, %8 : tensor<4x16xf32>
      yield %9 : tensor<4x16xf32>
    }
    store %sum, %yv[%p, 0] : tensor<4x16xf32>, memref<8x16xf32, strided<[16, 1]>>
  }
}
