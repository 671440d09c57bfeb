// The edges of a product: columns and depth that no panel divides, a depth in parts, and a second height for the rows that are left.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>

tenon_tile.kernel @linear(%m: index, %x: tensor<?x98xf32>, %w: tensor<98x40xf32>) -> tensor<?x40xf32> {
  tenon.bind_shape %x [%m, 98] : tensor<?x98xf32>
  %0 = tenon.contract %x, %w maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x98xf32>, tensor<98x40xf32> -> tensor<?x40xf32>
  tenon_tile.yield %0 : tensor<?x40xf32>
}

tenon_tile.form @panels(%w: tensor<98x40xf32>) -> tensor<2x98x32xf32> {
  %zero = constant dense<0.0> : tensor<f32>
  %0 = pad constant %w, %zero low [0, 0] high [0, 24] : tensor<98x40xf32>, tensor<f32> -> tensor<98x64xf32>
  %1 = reshape %0 sizes [98, 2, 32] : tensor<98x64xf32> -> tensor<98x2x32xf32>
  %2 = transpose %1 [1, 0, 2] : tensor<98x2x32xf32> -> tensor<2x98x32xf32>
  tenon_tile.yield %2 : tensor<2x98x32xf32>
}

// Sums stay in registers over a part of the depth, and in scratch between parts.
// CHECK-LABEL: tenon_tile.program @depth_in_parts
tenon_tile.program @depth_in_parts(%m: index, %x: memref<?x98xf32>, %w: memref<2x98x32xf32> {tenon_tile.form = @panels})
    -> (%y: memref<?x40xf32>)
    attributes {tenon_tile.computes = @linear, tenon.tolerance = 1.0e-5, tenon.sizes = [[1], [13], [14], [15]]} {
  bind %x sizes [%m, 98] : memref<?x98xf32>
  bind %y sizes [%m, 40] : memref<?x40xf32>
  %zero = tenon.constant dense<0.0> : tensor<14x32xf32>
  // CHECK: %[[SCRATCH:scratch]] = scratch : memref<14x32xf32, #workgroup>
  %s = scratch : memref<14x32xf32, #workgroup>
  // CHECK: grid (%[[I:i]], %[[MI:mi]]) = 0 to %{{.*}} step 14, (%[[J:j]], %[[MJ:mj]]) = 0 to 40 step 32 {
  grid (%i, %mi) = 0 to %m step 14, (%j, %mj) = 0 to 40 step 32 {
    // CHECK-NEXT: peel (%[[E:e]] = %[[MJ]]) of 32 {
    peel (%e = %mj) of 32 {
      store %zero, %s[0, 0] : tensor<14x32xf32>, memref<14x32xf32, #workgroup>
      // CHECK: for (%[[K:k]], %[[MK:mk]]) = 0 to 98 step 48 {
      for (%part, %mp) = 0 to 98 step 48 {
        %before = load %s[0, 0] : memref<14x32xf32, #workgroup> -> tensor<14x32xf32>
        // CHECK: for (%[[L:l]]) = %[[K]] to %[[K]] + (%[[MK]] floordiv 4) * 4 step 4 iter_args(
        %fours = for (%k) = %part to %part + %mp floordiv 4 * 4 step 4 iter_args(%c = %before) -> (tensor<14x32xf32>) {
          %a = load %x[%i, %k] extents [%mi, 4] : memref<?x98xf32> -> tensor<14x4xf32>
          %b = load %w[%j floordiv 32, %k, 0] : memref<2x98x32xf32> -> tensor<4x32xf32>
          %d = mma %a, %b, %c : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
          yield %d : tensor<14x32xf32>
        }
        %all = for (%k) = %part + %mp floordiv 4 * 4 to %part + %mp iter_args(%c = %fours) -> (tensor<14x32xf32>) {
          %a = load %x[%i, %k] extents [%mi, 1] : memref<?x98xf32> -> tensor<14x1xf32>
          %b = load %w[%j floordiv 32, %k, 0] : memref<2x98x32xf32> -> tensor<1x32xf32>
          %d = mma %a, %b, %c : tensor<14x1xf32>, tensor<1x32xf32> -> tensor<14x32xf32>
          yield %d : tensor<14x32xf32>
        }
        store %all, %s[0, 0] : tensor<14x32xf32>, memref<14x32xf32, #workgroup>
      }
      %sum = load %s[0, 0] : memref<14x32xf32, #workgroup> -> tensor<14x32xf32>
      // CHECK: store %{{.*}}, %{{.*}}[%[[I]], %[[J]]] extents [%[[MI]], %[[E]]]
      store %sum, %y[%i, %j] extents [%mi, %e] : tensor<14x32xf32>, memref<?x40xf32>
    }
  }
}

// Whole tiles of 14 rows, then tiles of 4: at most 3 rows too many, whatever the number of rows.
// CHECK-LABEL: tenon_tile.program @two_heights
tenon_tile.program @two_heights(%m: index, %x: memref<?x98xf32>, %w: memref<2x98x32xf32> {tenon_tile.form = @panels})
    -> (%y: memref<?x40xf32>)
    attributes {tenon_tile.computes = @linear, tenon.tolerance = 1.0e-5,
                tenon.sizes = [[0], [1], [4], [5], [14], [15], [17], [28], [29], [43]]} {
  bind %x sizes [%m, 98] : memref<?x98xf32>
  bind %y sizes [%m, 40] : memref<?x40xf32>
  %zero14 = tenon.constant dense<0.0> : tensor<14x32xf32>
  %zero4 = tenon.constant dense<0.0> : tensor<4x32xf32>
  grid (%i0, %mi0) = 0 to %m step 28, (%j, %mj) = 0 to 40 step 32 {
    for (%i) = %i0 to %i0 + %mi0 floordiv 14 * 14 step 14 {
      %acc = for (%k) = 0 to 98 step 2 iter_args(%c = %zero14) -> (tensor<14x32xf32>) {
        %a = load %x[%i, %k] : memref<?x98xf32> -> tensor<14x2xf32>
        %b = load %w[%j floordiv 32, %k, 0] : memref<2x98x32xf32> -> tensor<2x32xf32>
        %d = mma %a, %b, %c : tensor<14x2xf32>, tensor<2x32xf32> -> tensor<14x32xf32>
        yield %d : tensor<14x32xf32>
      }
      store %acc, %y[%i, %j] extents [14, %mj] : tensor<14x32xf32>, memref<?x40xf32>
    }
    for (%i, %mi) = %i0 + %mi0 floordiv 14 * 14 to %i0 + %mi0 step 4 {
      %acc = for (%k) = 0 to 98 step 2 iter_args(%c = %zero4) -> (tensor<4x32xf32>) {
        %a = load %x[%i, %k] extents [%mi, 2] : memref<?x98xf32> -> tensor<4x2xf32>
        %b = load %w[%j floordiv 32, %k, 0] : memref<2x98x32xf32> -> tensor<2x32xf32>
        %d = mma %a, %b, %c : tensor<4x2xf32>, tensor<2x32xf32> -> tensor<4x32xf32>
        yield %d : tensor<4x32xf32>
      }
      store %acc, %y[%i, %j] extents [%mi, %mj] : tensor<4x32xf32>, memref<?x40xf32>
    }
  }
}
