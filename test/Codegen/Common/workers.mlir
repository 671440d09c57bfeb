// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s

// A launch pays for as many workers as wake-ups, of 2000 cycles, are what they save: of what is computed in vectors, of a
// product's multiplications and a window's taps; but data moves to another core's cache, unless it would fit into none. Less
// than one is one, and of two numbers the larger one counts.
// CHECK-DAG: #[[NONE:.*]] = affine_map<() -> (-1)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0] -> ((s0 * 4) floordiv 125, (s0 * 525 - 275251) floordiv 8000)>
// CHECK-DAG: #[[PRODUCTS:.*]] = affine_map<() -> (263)>
// CHECK-DAG: #[[TAPS:.*]] = affine_map<() -> (29)>

// CHECK: func.func @few(
// CHECK-SAME: workers = #[[NONE]]
tenon_tile.kernel @few(%x: tensor<64xf32>) -> tensor<64xf32> {
  %c = tenon.constant dense<0.0> : tensor<64xf32>
  %y = tenon.max %x, %c : tensor<64xf32>
  tenon_tile.yield %y : tensor<64xf32>
}

// CHECK: func.func @dynamic(
// CHECK-SAME: workers = #[[ROWS]]
tenon_tile.kernel @dynamic(%n: index, %x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  tenon.bind_shape %x [%n, 64] : tensor<?x64xf32>
  %y = tenon.exp %x : tensor<?x64xf32>
  tenon_tile.yield %y : tensor<?x64xf32>
}

// CHECK: func.func @product(
// CHECK-SAME: workers = #[[PRODUCTS]]
tenon_tile.kernel @product(%x: tensor<64x256xf32>, %w: tensor<256x512xf32>) -> tensor<64x512xf32> {
  %y = tenon.contract %x, %w maps [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>] : tensor<64x256xf32>, tensor<256x512xf32> -> tensor<64x512xf32>
  tenon_tile.yield %y : tensor<64x512xf32>
}

// CHECK: func.func @pool(
// CHECK-SAME: workers = #[[TAPS]]
tenon_tile.kernel @pool(%x: tensor<1x64x56x56xf32>) -> tensor<1x64x28x28xf32> {
  %y = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 0, 0] : tensor<1x64x56x56xf32> -> tensor<1x64x28x28xf32>
  tenon_tile.yield %y : tensor<1x64x28x28xf32>
}
