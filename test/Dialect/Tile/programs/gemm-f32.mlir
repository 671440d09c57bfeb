// An f32 product in panels with an epilogue, any number of rows; few rows have a program of their own.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>

tenon_tile.kernel @linear(%m: index, %x: tensor<?x96xf32>, %w: tensor<96x64xf32>, %bias: tensor<64xf32>) -> tensor<?x64xf32> {
  tenon.bind_shape %x [%m, 96] : tensor<?x96xf32>
  %0 = tenon.contract %x, %w maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x96xf32>, tensor<96x64xf32> -> tensor<?x64xf32>
  %1 = tenon.broadcast %bias dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
  %2 = tenon.add %0, %1 : tensor<?x64xf32>
  %3 = tenon.sigmoid %2 : tensor<?x64xf32>
  tenon_tile.yield %3 : tensor<?x64xf32>
}

tenon_tile.form @panels(%w: tensor<96x64xf32>) -> tensor<2x96x32xf32> {
  %0 = reshape %w sizes [96, 2, 32] : tensor<96x64xf32> -> tensor<96x2x32xf32>
  %1 = transpose %0 [1, 0, 2] : tensor<96x2x32xf32> -> tensor<2x96x32xf32>
  tenon_tile.yield %1 : tensor<2x96x32xf32>
}

// The epilogue goes row by row over scratch, once in code whatever the height of the register tile.
// CHECK-LABEL: tenon_tile.program @rows(
// CHECK-SAME: %[[M:.*]]: index, %[[SX:.*]]: index, %[[X:.*]]: memref<?x96xf32, strided<[?, 1]>>,
// CHECK-SAME: memref<2x96x32xf32> {tenon_tile.form = @panels}, %{{.*}}: memref<64xf32>) -> (%[[Y:.*]]: memref<?x64xf32>)
tenon_tile.program @rows(%m: index, %sx: index, %x: memref<?x96xf32, strided<[?, 1]>>,
                         %w: memref<2x96x32xf32> {tenon_tile.form = @panels}, %bias: memref<64xf32>) -> (%y: memref<?x64xf32>)
    attributes {tenon_tile.computes = @linear, tenon.tolerance = 1.0e-5,
                tenon.sizes = [[0], [1], [13], [14], [15], [27], [28], [29], [57]]} {
  // CHECK: bind %[[X]] sizes [%[[M]], 96] strides [%[[SX]], 1] : memref<?x96xf32, strided<[?, 1]>>
  bind %x sizes [%m, 96] strides [%sx, 1] : memref<?x96xf32, strided<[?, 1]>>
  bind %y sizes [%m, 64] : memref<?x64xf32>
  %zero = tenon.constant dense<0.0> : tensor<14x32xf32>
  // CHECK: %[[S:.*]] = scratch : memref<14x32xf32, #workgroup>
  %s = scratch : memref<14x32xf32, #workgroup>
  // CHECK: grid (%[[I0:.*]], %[[MI0:.*]]) = 0 to %[[M]] step 28, (%[[P:.*]]) = 0 to 2 {
  grid (%i0, %mi0) = 0 to %m step 28, (%p) = 0 to 2 {
    // CHECK: for (%[[I:.*]], %[[MI:.*]]) = %[[I0]] to %[[I0]] + %[[MI0]] step 14 {
    for (%i, %mi) = %i0 to %i0 + %mi0 step 14 {
      // CHECK: %[[ACC:.*]] = for (%[[K:.*]]) = 0 to 96 step 4 iter_args(%[[C:.*]] = %{{.*}}) -> (tensor<14x32xf32>) {
      %acc = for (%k) = 0 to 96 step 4 iter_args(%c = %zero) -> (tensor<14x32xf32>) {
        // CHECK: prefetch %{{.*}}[%[[P]] + 1, (%[[I]] - %[[I0]]) * 8 + %[[K]] floordiv 7, 0] level 2 lines 2 : memref<2x96x32xf32>
        prefetch %w[%p + 1, (%i - %i0) * 8 + %k floordiv 7, 0] level 2 lines 2 : memref<2x96x32xf32>
        // CHECK: load %[[X]][%[[I]], %[[K]]] extents [%[[MI]], 4] : memref<?x96xf32, strided<[?, 1]>> -> tensor<14x4xf32>
        %a = load %x[%i, %k] extents [%mi, 4] : memref<?x96xf32, strided<[?, 1]>> -> tensor<14x4xf32>
        %b = load %w[%p, %k, 0] : memref<2x96x32xf32> -> tensor<4x32xf32>
        // CHECK: mma %{{.*}}, %{{.*}}, %[[C]] : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
        %d = mma %a, %b, %c : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
        yield %d : tensor<14x32xf32>
      }
      // CHECK: store %[[ACC]], %[[S]][0, 0] : tensor<14x32xf32>, memref<14x32xf32, #workgroup>
      store %acc, %s[0, 0] : tensor<14x32xf32>, memref<14x32xf32, #workgroup>
      for (%r) = 0 to %mi {
        %t = load %s[%r, 0] : memref<14x32xf32, #workgroup> -> tensor<1x32xf32>
        // CHECK: compute at [%[[I]] + %{{.*}}, %[[P]] * 32] (%{{.*}} = %{{.*}} : tensor<1x32xf32> of tensor<?x64xf32>, %{{.*}} = %{{.*}} : memref<64xf32>) -> tensor<1x32xf32> {
        %o = compute at [%i + %r, %p * 32] (%v = %t : tensor<1x32xf32> of tensor<?x64xf32>, %b = %bias : memref<64xf32>)
             -> tensor<1x32xf32> {
          // CHECK-NEXT: = broadcast %{{.*}} dims [1] sizes [%[[M]], 64]
          %0 = broadcast %b dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
          %1 = add %v, %0 : tensor<?x64xf32>
          %2 = sigmoid %1 : tensor<?x64xf32>
          // CHECK: tenon_tile.yield %{{.*}} : tensor<?x64xf32>
          tenon_tile.yield %2 : tensor<?x64xf32>
        }
        store %o, %y[%i + %r, %p * 32] : tensor<1x32xf32>, memref<?x64xf32>
      }
    }
  }
}

// Two panels at once: [K, N..] with two dimensions of columns.
// CHECK-LABEL: tenon_tile.program @few_rows
// CHECK-SAME: guard (-%{{.*}} + 4 >= 0)
tenon_tile.program @few_rows(%m: index, %sx: index, %x: memref<?x96xf32, strided<[?, 1]>>,
                             %w: memref<2x96x32xf32> {tenon_tile.form = @panels}, %bias: memref<64xf32>)
    -> (%y: memref<?x64xf32>) guard (4 - %m >= 0)
    attributes {tenon_tile.computes = @linear, tenon.tolerance = 1.0e-5, tenon.sizes = [[1], [3], [4], [5]]} {
  bind %x sizes [%m, 96] strides [%sx, 1] : memref<?x96xf32, strided<[?, 1]>>
  bind %y sizes [%m, 64] : memref<?x64xf32>
  %zero = tenon.constant dense<0.0> : tensor<4x2x32xf32>
  // CHECK: view %{{.*}} (d0, d1, d2) -> (d0, d1 * 32 + d2) sizes [%{{.*}}, 2, 32] : memref<?x64xf32> -> memref<?x2x32xf32, strided<[64, 32, 1]>>
  %yv = view %y (i, p, c) -> (i, p * 32 + c) sizes [%m, 2, 32] : memref<?x64xf32> -> memref<?x2x32xf32, strided<[64, 32, 1]>>
  grid (%i, %mi) = 0 to %m step 4 {
    %acc = for (%k) = 0 to 96 step 4 iter_args(%c = %zero) -> (tensor<4x2x32xf32>) {
      %a = load %x[%i, %k] extents [%mi, 4] : memref<?x96xf32, strided<[?, 1]>> -> tensor<4x4xf32>
      // CHECK: load %{{.*}}[0, %{{.*}}, 0] dims [1, 0, 2] : memref<2x96x32xf32> -> tensor<4x2x32xf32>
      %b = load %w[0, %k, 0] dims [1, 0, 2] : memref<2x96x32xf32> -> tensor<4x2x32xf32>
      %d = mma %a, %b, %c : tensor<4x4xf32>, tensor<4x2x32xf32> -> tensor<4x2x32xf32>
      yield %d : tensor<4x2x32xf32>
    }
    %bv = load %bias[0] : memref<64xf32> -> tensor<64xf32>
    %b2 = tenon.reshape %bv sizes [2, 32] : tensor<64xf32> -> tensor<2x32xf32>
    %b3 = tenon.broadcast %b2 dims [1, 2] sizes [4, 2, 32] : tensor<2x32xf32> -> tensor<4x2x32xf32>
    %s = tenon.add %acc, %b3 : tensor<4x2x32xf32>
    %o = tenon.sigmoid %s : tensor<4x2x32xf32>
    store %o, %yv[%i, 0, 0] extents [%mi, 2, 32] : tensor<4x2x32xf32>, memref<?x2x32xf32, strided<[64, 32, 1]>>
  }
}
