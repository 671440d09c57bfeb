// Steps of an LSTM within one kernel: 16 hidden units with their four gates at once.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>

tenon_tile.kernel @lstm(%t: index, %b: index, %xw: tensor<?x?x4x32xf32>, %r: tensor<32x4x32xf32>, %h0: tensor<?x32xf32>,
                        %c0: tensor<?x32xf32>) -> tensor<?x?x32xf32> {
  tenon.bind_shape %xw [%t, %b, 4, 32] : tensor<?x?x4x32xf32>
  tenon.bind_shape %h0 [%b, 32] : tensor<?x32xf32>
  tenon.bind_shape %c0 [%b, 32] : tensor<?x32xf32>
  %0 = tenon.from_sizes [%t] : tensor<1xi64>
  %steps = tenon.reshape %0 sizes [] : tensor<1xi64> -> tensor<i64>
  %true = tenon.constant dense<true> : tensor<i1>
  %h, %c, %y = tenon.loop %steps, %true carried(%h0, %c0 : tensor<?x32xf32>, tensor<?x32xf32>)
      -> tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x?x32xf32> {
  ^bb0(%i: tensor<i64>, %hi: tensor<?x32xf32>, %ci: tensor<?x32xf32>):
    %at = tenon.reshape %i sizes [1] : tensor<i64> -> tensor<1xi64>
    %x = tenon.gather error %xw, %at dims [0] batch_dims 0 : tensor<?x?x4x32xf32>, tensor<1xi64> -> tensor<?x4x32xf32>
    %1 = tenon.contract %hi, %r maps [affine_map<(i, g, j, k) -> (i, k)>, affine_map<(i, g, j, k) -> (k, g, j)>, affine_map<(i, g, j, k) -> (i, g, j)>]
         : tensor<?x32xf32>, tensor<32x4x32xf32> -> tensor<?x4x32xf32>
    %2 = tenon.add %x, %1 : tensor<?x4x32xf32>
    %i0 = tenon.slice %2 offsets [0, 0, 0] sizes [%b, 1, 32] strides [1, 1, 1] : tensor<?x4x32xf32> -> tensor<?x1x32xf32>
    %f0 = tenon.slice %2 offsets [0, 1, 0] sizes [%b, 1, 32] strides [1, 1, 1] : tensor<?x4x32xf32> -> tensor<?x1x32xf32>
    %o0 = tenon.slice %2 offsets [0, 2, 0] sizes [%b, 1, 32] strides [1, 1, 1] : tensor<?x4x32xf32> -> tensor<?x1x32xf32>
    %g0 = tenon.slice %2 offsets [0, 3, 0] sizes [%b, 1, 32] strides [1, 1, 1] : tensor<?x4x32xf32> -> tensor<?x1x32xf32>
    %i1 = tenon.sigmoid %i0 : tensor<?x1x32xf32>
    %f1 = tenon.sigmoid %f0 : tensor<?x1x32xf32>
    %o1 = tenon.sigmoid %o0 : tensor<?x1x32xf32>
    %g1 = tenon.tanh %g0 : tensor<?x1x32xf32>
    %c1 = tenon.reshape %ci sizes [%b, 1, 32] : tensor<?x32xf32> -> tensor<?x1x32xf32>
    %3 = tenon.mul %f1, %c1 : tensor<?x1x32xf32>
    %4 = tenon.mul %i1, %g1 : tensor<?x1x32xf32>
    %5 = tenon.add %3, %4 : tensor<?x1x32xf32>
    %6 = tenon.tanh %5 : tensor<?x1x32xf32>
    %7 = tenon.mul %o1, %6 : tensor<?x1x32xf32>
    %cn = tenon.reshape %5 sizes [%b, 32] : tensor<?x1x32xf32> -> tensor<?x32xf32>
    %hn = tenon.reshape %7 sizes [%b, 32] : tensor<?x1x32xf32> -> tensor<?x32xf32>
    tenon.yield %true, %hn, %cn, %hn : tensor<i1>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>
  }
  tenon_tile.yield %y : tensor<?x?x32xf32>
}

tenon_tile.form @gates_16(%r: tensor<32x4x32xf32>) -> tensor<2x32x4x16xf32> {
  %0 = reshape %r sizes [32, 4, 2, 16] : tensor<32x4x32xf32> -> tensor<32x4x2x16xf32>
  %1 = transpose %0 [2, 0, 1, 3] : tensor<32x4x2x16xf32> -> tensor<2x32x4x16xf32>
  tenon_tile.yield %1 : tensor<2x32x4x16xf32>
}

// CHECK-LABEL: tenon_tile.program @steps
tenon_tile.program @steps(%t: index, %b: index, %xw: memref<?x?x4x32xf32>, %r: memref<2x32x4x16xf32> {tenon_tile.form = @gates_16},
                          %h0: memref<?x32xf32>, %c0: memref<?x32xf32>) -> (%y: memref<?x?x32xf32>)
    attributes {tenon_tile.computes = @lstm, tenon.tolerance = 1.0e-5, tenon.sizes = [[1, 1], [3, 5], [2, 6], [3, 7]]} {
  bind %xw sizes [%t, %b, 4, 32] : memref<?x?x4x32xf32>
  bind %h0 sizes [%b, 32] : memref<?x32xf32>
  bind %c0 sizes [%b, 32] : memref<?x32xf32>
  bind %y sizes [%t, %b, 32] : memref<?x?x32xf32>
  %h = scratch : memref<2x6x32xf32, #workgroup>
  %c = scratch : memref<6x32xf32, #workgroup>
  grid (%i, %mi) = 0 to %b step 6 {
    stage "start" {
      for (%q) = 0 to %mi {
        %0 = load %h0[%i + %q, 0] : memref<?x32xf32> -> tensor<32xf32>
        store %0, %h[0, %q, 0] : tensor<32xf32>, memref<2x6x32xf32, #workgroup>
        %1 = load %c0[%i + %q, 0] : memref<?x32xf32> -> tensor<32xf32>
        store %1, %c[%q, 0] : tensor<32xf32>, memref<6x32xf32, #workgroup>
      }
    }
    for (%s) = 0 to %t {
      stage "step" {
        for (%p) = 0 to 2 {
          %x = load %xw[%s, %i, 0, %p * 16] extents [%mi, 4, 16] : memref<?x?x4x32xf32> -> tensor<6x4x16xf32>
          %acc = for (%k) = 0 to 32 step 4 iter_args(%a0 = %x) -> (tensor<6x4x16xf32>) {
            // CHECK: load %{{.*}}[%{{.*}} mod 2, 0, %{{.*}}] extents [%{{.*}}, 4]
            %a = load %h[%s mod 2, 0, %k] extents [%mi, 4] : memref<2x6x32xf32, #workgroup> -> tensor<6x4xf32>
            %w = load %r[%p, %k, 0, 0] : memref<2x32x4x16xf32> -> tensor<4x4x16xf32>
            // CHECK: mma %{{.*}}, %{{.*}}, %{{.*}} : tensor<6x4xf32>, tensor<4x4x16xf32> -> tensor<6x4x16xf32>
            %d = mma %a, %w, %a0 : tensor<6x4xf32>, tensor<4x4x16xf32> -> tensor<6x4x16xf32>
            yield %d : tensor<6x4x16xf32>
          }
          %i0 = tenon.slice %acc offsets [0, 0, 0] sizes [6, 1, 16] strides [1, 1, 1] : tensor<6x4x16xf32> -> tensor<6x1x16xf32>
          %f0 = tenon.slice %acc offsets [0, 1, 0] sizes [6, 1, 16] strides [1, 1, 1] : tensor<6x4x16xf32> -> tensor<6x1x16xf32>
          %o0 = tenon.slice %acc offsets [0, 2, 0] sizes [6, 1, 16] strides [1, 1, 1] : tensor<6x4x16xf32> -> tensor<6x1x16xf32>
          %g0 = tenon.slice %acc offsets [0, 3, 0] sizes [6, 1, 16] strides [1, 1, 1] : tensor<6x4x16xf32> -> tensor<6x1x16xf32>
          %i1 = tenon.reshape %i0 sizes [6, 16] : tensor<6x1x16xf32> -> tensor<6x16xf32>
          %f1 = tenon.reshape %f0 sizes [6, 16] : tensor<6x1x16xf32> -> tensor<6x16xf32>
          %o1 = tenon.reshape %o0 sizes [6, 16] : tensor<6x1x16xf32> -> tensor<6x16xf32>
          %g1 = tenon.reshape %g0 sizes [6, 16] : tensor<6x1x16xf32> -> tensor<6x16xf32>
          %ig = tenon.sigmoid %i1 : tensor<6x16xf32>
          %fg = tenon.sigmoid %f1 : tensor<6x16xf32>
          %og = tenon.sigmoid %o1 : tensor<6x16xf32>
          %cg = tenon.tanh %g1 : tensor<6x16xf32>
          %co = load %c[0, %p * 16] extents [%mi, 16] : memref<6x32xf32, #workgroup> -> tensor<6x16xf32>
          %0 = tenon.mul %fg, %co : tensor<6x16xf32>
          %1 = tenon.mul %ig, %cg : tensor<6x16xf32>
          %cn = tenon.add %0, %1 : tensor<6x16xf32>
          %2 = tenon.tanh %cn : tensor<6x16xf32>
          %hn = tenon.mul %og, %2 : tensor<6x16xf32>
          store %cn, %c[0, %p * 16] : tensor<6x16xf32>, memref<6x32xf32, #workgroup>
          store %hn, %h[(%s + 1) mod 2, 0, %p * 16] : tensor<6x16xf32>, memref<2x6x32xf32, #workgroup>
          store %hn, %y[%s, %i, %p * 16] extents [%mi, 16] : tensor<6x16xf32>, memref<?x?x32xf32>
        }
      }
    }
  }
}
