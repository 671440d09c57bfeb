// Layer normalisation over rows of any length, with the residual fused. On a GPU this is the same text with another step.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

tenon_tile.kernel @layer_norm(%m: index, %n: index, %x: tensor<?x?xf32>, %r: tensor<?x?xf32>, %g: tensor<?xf32>) -> tensor<?x?xf32> {
  tenon.bind_shape %x [%m, %n] : tensor<?x?xf32>
  tenon.bind_shape %r [%m, %n] : tensor<?x?xf32>
  tenon.bind_shape %g [%n] : tensor<?xf32>
  %0 = tenon.add %x, %r : tensor<?x?xf32>
  %1 = tenon.normalize %0 dims [1] epsilon 1.0e-5 : tensor<?x?xf32>
  %2 = tenon.broadcast %g dims [1] sizes [%m, %n] : tensor<?xf32> -> tensor<?x?xf32>
  %3 = tenon.mul %1, %2 : tensor<?x?xf32>
  tenon_tile.yield %3 : tensor<?x?xf32>
}

// CHECK-LABEL: tenon_tile.program @rows
tenon_tile.program @rows(%m: index, %n: index, %sx: index, %x: memref<?x?xf32, strided<[?, 1]>>, %r: memref<?x?xf32>,
                         %g: memref<?xf32>) -> (%y: memref<?x?xf32>)
    attributes {tenon_tile.computes = @layer_norm, tenon.tolerance = 1.0e-5,
                tenon.sizes = [[0, 64], [1, 1], [2, 63], [3, 64], [2, 65], [1, 130]]} {
  bind %x sizes [%m, %n] strides [%sx, 1] : memref<?x?xf32, strided<[?, 1]>>
  bind %r sizes [%m, %n] : memref<?x?xf32>
  bind %g sizes [%n] : memref<?xf32>
  bind %y sizes [%m, %n] : memref<?x?xf32>
  %zero = tenon.constant dense<0.0> : tensor<64xf32>
  %epsilon = tenon.constant dense<1.0e-5> : tensor<f32>
  grid (%i) = 0 to %m {
    %s = for (%j, %mj) = 0 to %n step 64 iter_args(%c = %zero) -> (tensor<64xf32>) {
      // CHECK: %{{.*}} = peel (%[[E:.*]] = %{{.*}}) of 64 -> (tensor<64xf32>) {
      %0 = peel (%e = %mj) of 64 -> (tensor<64xf32>) {
        // CHECK: compute at [%{{.*}}, %{{.*}}] extents [%[[E]]] (%{{.*}} = %{{.*}} : memref<?x?xf32, strided<[?, 1]>>, %{{.*}} = %{{.*}} : memref<?x?xf32>) -> tensor<64xf32> {
        %v = compute at [%i, %j] extents [%e] (%a = %x : memref<?x?xf32, strided<[?, 1]>>, %b = %r : memref<?x?xf32>) -> tensor<64xf32> {
          %1 = add %a, %b : tensor<?x?xf32>
          tenon_tile.yield %1 : tensor<?x?xf32>
        }
        // CHECK: fill %{{.*}} extents [%[[E]]] with (0.000000e+00 : f32) : tensor<64xf32>
        %w = fill %v extents [%e] with (0.0) : tensor<64xf32>
        %1 = tenon.add %c, %w : tensor<64xf32>
        yield %1 : tensor<64xf32>
      }
      yield %0 : tensor<64xf32>
    }
    %sum = tenon.reduce sum %s dims [0] : tensor<64xf32> -> tensor<f32>
    // CHECK: position %{{.*}} : tensor<i32>
    %n0 = position %n : tensor<i32>
    %n1 = tenon.cast %n0 : tensor<i32> -> tensor<f32>
    %mean = tenon.div %sum, %n1 : tensor<f32>
    %mean64 = tenon.broadcast %mean dims [] sizes [64] : tensor<f32> -> tensor<64xf32>
    %q = for (%j, %mj) = 0 to %n step 64 iter_args(%c = %zero) -> (tensor<64xf32>) {
      %0 = peel (%e = %mj) of 64 -> (tensor<64xf32>) {
        %v = compute at [%i, %j] extents [%e] (%a = %x : memref<?x?xf32, strided<[?, 1]>>, %b = %r : memref<?x?xf32>) -> tensor<64xf32> {
          %1 = add %a, %b : tensor<?x?xf32>
          tenon_tile.yield %1 : tensor<?x?xf32>
        }
        %1 = tenon.sub %v, %mean64 : tensor<64xf32>
        %2 = tenon.mul %1, %1 : tensor<64xf32>
        %w = fill %2 extents [%e] with (0.0) : tensor<64xf32>
        %3 = tenon.add %c, %w : tensor<64xf32>
        yield %3 : tensor<64xf32>
      }
      yield %0 : tensor<64xf32>
    }
    %squares = tenon.reduce sum %q dims [0] : tensor<64xf32> -> tensor<f32>
    %variance = tenon.div %squares, %n1 : tensor<f32>
    %above = tenon.add %variance, %epsilon : tensor<f32>
    %factor = tenon.rsqrt %above : tensor<f32>
    for (%j, %mj) = 0 to %n step 64 {
      peel (%e = %mj) of 64 {
        // CHECK: %{{.*}} = %{{.*}} at [%{{.*}}] : tensor<f32> of tensor<?xf32>
        %o = compute at [%i, %j] extents [%e]
             (%a = %x : memref<?x?xf32, strided<[?, 1]>>, %b = %r : memref<?x?xf32>, %w = %g : memref<?xf32>,
              %u = %mean at [%i] : tensor<f32> of tensor<?xf32>, %f = %factor at [%i] : tensor<f32> of tensor<?xf32>) -> tensor<64xf32> {
          %0 = add %a, %b : tensor<?x?xf32>
          %1 = broadcast %u dims [0] sizes [%m, %n] : tensor<?xf32> -> tensor<?x?xf32>
          %2 = sub %0, %1 : tensor<?x?xf32>
          %3 = broadcast %f dims [0] sizes [%m, %n] : tensor<?xf32> -> tensor<?x?xf32>
          %4 = mul %2, %3 : tensor<?x?xf32>
          %5 = broadcast %w dims [1] sizes [%m, %n] : tensor<?xf32> -> tensor<?x?xf32>
          %6 = mul %4, %5 : tensor<?x?xf32>
          tenon_tile.yield %6 : tensor<?x?xf32>
        }
        store %o, %y[%i, %j] extents [%e] : tensor<64xf32>, memref<?x?xf32>
      }
    }
  }
}
