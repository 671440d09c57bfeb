// Winograd F(4x4, 3x3) in three stages: 36 products of matrices between two transformations.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>
#rows = affine_map<(i, j, c, k) -> (i, k)>
#columns = affine_map<(i, j, c, k) -> (j, k)>

tenon_tile.kernel @conv(%n: index, %x: tensor<?x26x26x32xf32>, %w: tensor<3x3x32x64xf32>) -> tensor<?x24x24x64xf32> {
  tenon.bind_shape %x [%n, 26, 26, 32] : tensor<?x26x26x32xf32>
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 {channels_last}
       : tensor<?x26x26x32xf32>, tensor<3x3x32x64xf32> -> tensor<?x24x24x64xf32>
  %1 = tenon.sigmoid %0 : tensor<?x24x24x64xf32>
  tenon_tile.yield %1 : tensor<?x24x24x64xf32>
}

// G w G^T, for each of 36 places a matrix in panels.
tenon_tile.form @winograd(%w: tensor<3x3x32x64xf32>) -> tensor<36x2x32x32xf32> {
  %g = constant dense<[[0.25, 0.0, 0.0], [-0.16666667, -0.16666667, -0.16666667], [-0.16666667, 0.16666667, -0.16666667],
                       [0.041666668, 0.083333336, 0.16666667], [0.041666668, -0.083333336, 0.16666667], [0.0, 0.0, 1.0]]> : tensor<6x3xf32>
  %0 = contract %g, %w maps [affine_map<(i, j, c, o, k) -> (i, k)>, affine_map<(i, j, c, o, k) -> (k, j, c, o)>, affine_map<(i, j, c, o, k) -> (i, j, c, o)>]
       : tensor<6x3xf32>, tensor<3x3x32x64xf32> -> tensor<6x3x32x64xf32>
  %1 = contract %g, %0 maps [affine_map<(i, j, c, o, k) -> (j, k)>, affine_map<(i, j, c, o, k) -> (i, k, c, o)>, affine_map<(i, j, c, o, k) -> (i, j, c, o)>]
       : tensor<6x3xf32>, tensor<6x3x32x64xf32> -> tensor<6x6x32x64xf32>
  %2 = reshape %1 sizes [36, 32, 2, 32] : tensor<6x6x32x64xf32> -> tensor<36x32x2x32xf32>
  %3 = transpose %2 [0, 2, 1, 3] : tensor<36x32x2x32xf32> -> tensor<36x2x32x32xf32>
  tenon_tile.yield %3 : tensor<36x2x32x32xf32>
}

// A unit is two rows of tiles: 12 of 36.
// CHECK-LABEL: tenon_tile.program @stages
tenon_tile.program @stages(%n: index, %x: memref<?x26x26x32xf32>, %u: memref<36x2x32x32xf32> {tenon_tile.form = @winograd})
    -> (%y: memref<?x24x24x64xf32>)
    attributes {tenon_tile.computes = @conv, tenon.tolerance = 1.0e-4, tenon.sizes = [[1], [2]]} {
  bind %x sizes [%n, 26, 26, 32] : memref<?x26x26x32xf32>
  bind %y sizes [%n, 24, 24, 64] : memref<?x24x24x64xf32>
  %v = scratch : memref<36x12x32xf32, #workgroup>
  %q = scratch : memref<36x12x64xf32, #workgroup>
  %v6 = view %v (i, j, t, c) -> (i * 6 + j, t, c) sizes [6, 6, 12, 32]
        : memref<36x12x32xf32, #workgroup> -> memref<6x6x12x32xf32, strided<[2304, 384, 32, 1]>, #workgroup>
  %q6 = view %q (i, j, t, c) -> (i * 6 + j, t, c) sizes [6, 6, 12, 64]
        : memref<36x12x64xf32, #workgroup> -> memref<6x6x12x64xf32, strided<[4608, 768, 64, 1]>, #workgroup>
  %zero = tenon.constant dense<0.0> : tensor<6x32xf32>
  %bt = tenon.constant dense<[[4.0, 0.0, -5.0, 0.0, 1.0, 0.0], [0.0, -4.0, -4.0, 1.0, 1.0, 0.0], [0.0, 4.0, -4.0, -1.0, 1.0, 0.0],
                              [0.0, -2.0, -1.0, 2.0, 1.0, 0.0], [0.0, 2.0, -1.0, -2.0, 1.0, 0.0], [0.0, 4.0, 0.0, -5.0, 0.0, 1.0]]> : tensor<6x6xf32>
  %at = tenon.constant dense<[[1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, 2.0, -2.0, 0.0], [0.0, 1.0, 1.0, 4.0, 4.0, 0.0],
                              [0.0, 1.0, -1.0, 8.0, -8.0, 1.0]]> : tensor<4x6xf32>
  grid (%b) = 0 to %n, (%ty) = 0 to 6 step 2 {
    // CHECK: stage "input" {
    stage "input" {
      for (%t) = 0 to 12, (%c) = 0 to 32 step 16 {
        // CHECK: load %{{.*}}[%{{.*}}, (%{{.*}} + %{{.*}} floordiv 6) * 4, (%{{.*}} mod 6) * 4, %{{.*}}] : memref<?x26x26x32xf32> -> tensor<6x6x16xf32>
        %d = load %x[%b, (%ty + %t floordiv 6) * 4, (%t mod 6) * 4, %c] : memref<?x26x26x32xf32> -> tensor<6x6x16xf32>
        %0 = tenon.contract %bt, %d maps [#rows, affine_map<(i, j, c, k) -> (k, j, c)>, affine_map<(i, j, c, k) -> (i, j, c)>]
             : tensor<6x6xf32>, tensor<6x6x16xf32> -> tensor<6x6x16xf32>
        %1 = tenon.contract %bt, %0 maps [#columns, affine_map<(i, j, c, k) -> (i, k, c)>, affine_map<(i, j, c, k) -> (i, j, c)>]
             : tensor<6x6xf32>, tensor<6x6x16xf32> -> tensor<6x6x16xf32>
        // CHECK: store %{{.*}}, %{{.*}}[0, 0, %{{.*}}, %{{.*}}] dims [0, 1, 3]
        store %1, %v6[0, 0, %t, %c] dims [0, 1, 3]
              : tensor<6x6x16xf32>, memref<6x6x12x32xf32, strided<[2304, 384, 32, 1]>, #workgroup>
      }
    }
    stage "multiply" {
      for (%f) = 0 to 36, (%p) = 0 to 2, (%t) = 0 to 12 step 6 {
        %acc = for (%k) = 0 to 32 step 4 iter_args(%c = %zero) -> (tensor<6x32xf32>) {
          %a = load %v[%f, %t, %k] : memref<36x12x32xf32, #workgroup> -> tensor<6x4xf32>
          %w = load %u[%f, %p, %k, 0] : memref<36x2x32x32xf32> -> tensor<4x32xf32>
          %d = mma %a, %w, %c : tensor<6x4xf32>, tensor<4x32xf32> -> tensor<6x32xf32>
          yield %d : tensor<6x32xf32>
        }
        store %acc, %q[%f, %t, %p * 32] : tensor<6x32xf32>, memref<36x12x64xf32, #workgroup>
      }
    }
    stage "output" {
      for (%t) = 0 to 12, (%c) = 0 to 64 step 16 {
        %d = load %q6[0, 0, %t, %c] dims [0, 1, 3]
             : memref<6x6x12x64xf32, strided<[4608, 768, 64, 1]>, #workgroup> -> tensor<6x6x16xf32>
        %0 = tenon.contract %at, %d maps [#rows, affine_map<(i, j, c, k) -> (k, j, c)>, affine_map<(i, j, c, k) -> (i, j, c)>]
             : tensor<4x6xf32>, tensor<6x6x16xf32> -> tensor<4x6x16xf32>
        %1 = tenon.contract %at, %0 maps [#columns, affine_map<(i, j, c, k) -> (i, k, c)>, affine_map<(i, j, c, k) -> (i, j, c)>]
             : tensor<4x6xf32>, tensor<4x6x16xf32> -> tensor<4x4x16xf32>
        %o = compute at [%b, (%ty + %t floordiv 6) * 4, (%t mod 6) * 4, %c] (%a = %1 : tensor<4x4x16xf32> of tensor<?x24x24x64xf32>)
             -> tensor<4x4x16xf32> {
          %2 = sigmoid %a : tensor<?x24x24x64xf32>
          tenon_tile.yield %2 : tensor<?x24x24x64xf32>
        }
        store %o, %y[%b, (%ty + %t floordiv 6) * 4, (%t mod 6) * 4, %c] : tensor<4x4x16xf32>, memref<?x24x24x64xf32>
      }
    }
  }
}
