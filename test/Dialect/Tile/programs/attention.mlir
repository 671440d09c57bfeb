// Attention with online softmax: causal, 4 query heads per head of keys, any lengths, a cache of keys in panels of 32.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>
#panels = affine_map<(n, v, g, i, t, d) -> (n, i, v, g, d)>

// %m queries behind %past ones, %b sequences, keys in %k panels, %l values.
tenon_tile.kernel @attention(%b: index, %m: index, %past: index, %k: index, %l: index, %q: tensor<?x?x8x64xf32>, %kc: tensor<?x2x?x64x32xf32>,
                             %vc: tensor<?x?x2x64xf32>) -> tensor<?x?x8x64xf32> {
  tenon.bind_shape %q [%b, %m, 8, 64] : tensor<?x?x8x64xf32>
  tenon.bind_shape %kc [%b, 2, %k, 64, 32] : tensor<?x2x?x64x32xf32>
  tenon.bind_shape %vc [%b, %l, 2, 64] : tensor<?x?x2x64xf32>
  %q1 = tenon.reshape %q sizes [%b, %m, 2, 4, 64] : tensor<?x?x8x64xf32> -> tensor<?x?x2x4x64xf32>
  %k0 = tenon.transpose %kc [0, 1, 2, 4, 3] : tensor<?x2x?x64x32xf32> -> tensor<?x2x?x32x64xf32>
  %keys = affine.apply affine_map<(k) -> (k * 32)>(%k)
  %length = affine.apply affine_map<(m, past) -> (m + past)>(%m, %past)
  %k1 = tenon.reshape %k0 sizes [%b, 2, %keys, 64] : tensor<?x2x?x32x64xf32> -> tensor<?x2x?x64xf32>
  %k2 = tenon.slice %k1 offsets [0, 0, 0, 0] sizes [%b, 2, %length, 64] strides [1, 1, 1, 1] : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
  %s0 = tenon.contract %q1, %k2 maps [#panels, affine_map<(n, v, g, i, t, d) -> (n, v, t, d)>, affine_map<(n, v, g, i, t, d) -> (n, v, g, i, t)>]
        : tensor<?x?x2x4x64xf32>, tensor<?x2x?x64xf32> -> tensor<?x2x4x?x?xf32>
  %scale = tenon.constant dense<0.125> : tensor<1xf32>
  %s1 = tenon.broadcast %scale dims [0] sizes [%b, 2, 4, %m, %length] : tensor<1xf32> -> tensor<?x2x4x?x?xf32>
  %s2 = tenon.mul %s0, %s1 : tensor<?x2x4x?x?xf32>
  %kp = tenon.iota dim 4 sizes [%b, 2, 4, %m, %length] : tensor<?x2x4x?x?xi64>
  %qp0 = tenon.iota dim 3 sizes [%b, 2, 4, %m, %length] : tensor<?x2x4x?x?xi64>
  %p0 = tenon.from_sizes [%past] : tensor<1xi64>
  %p1 = tenon.broadcast %p0 dims [0] sizes [%b, 2, 4, %m, %length] : tensor<1xi64> -> tensor<?x2x4x?x?xi64>
  %qp1 = tenon.add %qp0, %p1 : tensor<?x2x4x?x?xi64>
  %see = tenon.compare le %kp, %qp1 : tensor<?x2x4x?x?xi64> -> tensor<?x2x4x?x?xi1>
  %inf = tenon.constant dense<0xFF800000> : tensor<1xf32>
  %s3 = tenon.broadcast %inf dims [0] sizes [%b, 2, 4, %m, %length] : tensor<1xf32> -> tensor<?x2x4x?x?xf32>
  %s4 = tenon.select %see, %s2, %s3 : tensor<?x2x4x?x?xi1>, tensor<?x2x4x?x?xf32>
  %s5 = tenon.softmax %s4 dims [4] : tensor<?x2x4x?x?xf32>
  %v1 = tenon.slice %vc offsets [0, 0, 0, 0] sizes [%b, %length, 2, 64] strides [1, 1, 1, 1] : tensor<?x?x2x64xf32> -> tensor<?x?x2x64xf32>
  %o = tenon.contract %s5, %v1 maps [affine_map<(n, v, g, i, t, d) -> (n, v, g, i, t)>, affine_map<(n, v, g, i, t, d) -> (n, t, v, d)>, #panels]
       : tensor<?x2x4x?x?xf32>, tensor<?x?x2x64xf32> -> tensor<?x?x2x4x64xf32>
  %y = tenon.reshape %o sizes [%b, %m, 8, 64] : tensor<?x?x2x4x64xf32> -> tensor<?x?x8x64xf32>
  tenon_tile.yield %y : tensor<?x?x8x64xf32>
}

// CHECK-LABEL: tenon_tile.program @online_softmax
tenon_tile.program @online_softmax(%b: index, %m: index, %past: index, %k: index, %l: index, %q: memref<?x?x8x64xf32>, %kc: memref<?x2x?x64x32xf32>,
                                   %vc: memref<?x?x2x64xf32>) -> (%y: memref<?x?x8x64xf32>)
    attributes {tenon_tile.computes = @attention, tenon.tolerance = 1.0e-5,
                tenon.sizes = [[1, 1, 0, 1, 1], [2, 3, 29, 1, 32], [1, 4, 30, 2, 40], [1, 2, 63, 3, 65]]} {
  bind %q sizes [%b, %m, 8, 64] : memref<?x?x8x64xf32>
  bind %kc sizes [%b, 2, %k, 64, 32] : memref<?x2x?x64x32xf32>
  bind %vc sizes [%b, %l, 2, 64] : memref<?x?x2x64xf32>
  bind %y sizes [%b, %m, 8, 64] : memref<?x?x8x64xf32>
  // CHECK: view %{{.*}} (d0, d1, d2, d3, d4) -> (d0, d2, d1 * 4 + d3, d4) sizes [%{{.*}}, 2, %{{.*}}, 4, 64]
  // CHECK-SAME: memref<?x?x8x64xf32> -> memref<?x2x?x4x64xf32, strided<[?, 256, 512, 64, 1]>>
  %qv = view %q (n, v, i, g, d) -> (n, i, v * 4 + g, d) sizes [%b, 2, %m, 4, 64]
        : memref<?x?x8x64xf32> -> memref<?x2x?x4x64xf32, strided<[?, 256, 512, 64, 1]>>
  %yv = view %y (n, v, i, g, d) -> (n, i, v * 4 + g, d) sizes [%b, 2, %m, 4, 64]
        : memref<?x?x8x64xf32> -> memref<?x2x?x4x64xf32, strided<[?, 256, 512, 64, 1]>>
  %ps = scratch : memref<3x4x32xf32, #workgroup>
  %os = scratch : memref<3x4x64xf32, #workgroup>
  %zero = tenon.constant dense<0.0> : tensor<3x4x32xf32>
  %none = tenon.constant dense<0.0> : tensor<3x4x1xf32>
  %low = tenon.constant dense<-1.0e30> : tensor<3x4x1xf32>
  %inf = tenon.constant dense<0xFF800000> : tensor<3x4x32xf32>
  %scale = tenon.constant dense<0.125> : tensor<3x4x32xf32>
  grid (%n) = 0 to %b, (%v) = 0 to 2, (%i, %mi) = 0 to %m step 3 {
    for (%e) = 0 to 64 step 32 {
      store %zero, %os[0, 0, %e] : tensor<3x4x32xf32>, memref<3x4x64xf32, #workgroup>
    }
    // CHECK: %{{.*}}:2 = for (%{{.*}}, %{{.*}}) = 0 to %{{.*}} + %{{.*}} + %{{.*}} step 32 iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) -> (tensor<3x4x1xf32>, tensor<3x4x1xf32>)
    %l2, %h2 = for (%t, %mt) = 0 to %past + %i + %mi step 32 iter_args(%l0 = %none, %h0 = %low) -> (tensor<3x4x1xf32>, tensor<3x4x1xf32>) {
      %s0 = for (%d) = 0 to 64 step 4 iter_args(%c = %zero) -> (tensor<3x4x32xf32>) {
        %a = load %qv[%n, %v, %i, 0, %d] extents [%mi, 4, 4] : memref<?x2x?x4x64xf32, strided<[?, 256, 512, 64, 1]>> -> tensor<3x4x4xf32>
        %kt = load %kc[%n, %v, %t floordiv 32, %d, 0] : memref<?x2x?x64x32xf32> -> tensor<4x32xf32>
        // CHECK: mma %{{.*}}, %{{.*}}, %{{.*}} : tensor<3x4x4xf32>, tensor<4x32xf32> -> tensor<3x4x32xf32>
        %0 = mma %a, %kt, %c : tensor<3x4x4xf32>, tensor<4x32xf32> -> tensor<3x4x32xf32>
        yield %0 : tensor<3x4x32xf32>
      }
      // It hides what lies beyond the keys, too.
      // CHECK: position %{{.*}} dim 2 : tensor<3x4x32xi32>
      %kp = position %t dim 2 : tensor<3x4x32xi32>
      // CHECK: position %{{.*}} + %{{.*}} dim 0 : tensor<3x4x32xi32>
      %qp = position %past + %i dim 0 : tensor<3x4x32xi32>
      %see = tenon.compare le %kp, %qp : tensor<3x4x32xi32> -> tensor<3x4x32xi1>
      %s1 = tenon.mul %s0, %scale : tensor<3x4x32xf32>
      %s = tenon.select %see, %s1, %inf : tensor<3x4x32xi1>, tensor<3x4x32xf32>
      %0 = tenon.reduce max %s dims [2] : tensor<3x4x32xf32> -> tensor<3x4xf32>
      %top = tenon.reshape %0 sizes [3, 4, 1] : tensor<3x4xf32> -> tensor<3x4x1xf32>
      %h1 = tenon.max %h0, %top : tensor<3x4x1xf32>
      %1 = tenon.sub %h0, %h1 : tensor<3x4x1xf32>
      %f = tenon.exp %1 : tensor<3x4x1xf32>
      %2 = tenon.broadcast %h1 dims [0, 1, 2] sizes [3, 4, 32] : tensor<3x4x1xf32> -> tensor<3x4x32xf32>
      %3 = tenon.sub %s, %2 : tensor<3x4x32xf32>
      %p = tenon.exp %3 : tensor<3x4x32xf32>
      %4 = tenon.reduce sum %p dims [2] : tensor<3x4x32xf32> -> tensor<3x4xf32>
      %sum = tenon.reshape %4 sizes [3, 4, 1] : tensor<3x4xf32> -> tensor<3x4x1xf32>
      store %p, %ps[0, 0, 0] : tensor<3x4x32xf32>, memref<3x4x32xf32, #workgroup>
      for (%e) = 0 to 64 step 32 {
        %o0 = load %os[0, 0, %e] : memref<3x4x64xf32, #workgroup> -> tensor<3x4x32xf32>
        %5 = tenon.broadcast %f dims [0, 1, 2] sizes [3, 4, 32] : tensor<3x4x1xf32> -> tensor<3x4x32xf32>
        %o1 = tenon.mul %o0, %5 : tensor<3x4x32xf32>
        %o2 = for (%u) = 0 to %mt iter_args(%c = %o1) -> (tensor<3x4x32xf32>) {
          %a = load %ps[0, 0, %u] : memref<3x4x32xf32, #workgroup> -> tensor<3x4x1xf32>
          // CHECK: load %{{.*}}[%{{.*}}, %{{.*}} + %{{.*}}, %{{.*}}, %{{.*}}] dims [1, 3]
          %vt = load %vc[%n, %t + %u, %v, %e] dims [1, 3] : memref<?x?x2x64xf32> -> tensor<1x32xf32>
          %6 = mma %a, %vt, %c : tensor<3x4x1xf32>, tensor<1x32xf32> -> tensor<3x4x32xf32>
          yield %6 : tensor<3x4x32xf32>
        }
        store %o2, %os[0, 0, %e] : tensor<3x4x32xf32>, memref<3x4x64xf32, #workgroup>
      }
      %7 = tenon.mul %l0, %f : tensor<3x4x1xf32>
      %8 = tenon.add %7, %sum : tensor<3x4x1xf32>
      yield %8, %h1 : tensor<3x4x1xf32>, tensor<3x4x1xf32>
    }
    for (%e) = 0 to 64 step 32 {
      %o = load %os[0, 0, %e] : memref<3x4x64xf32, #workgroup> -> tensor<3x4x32xf32>
      %0 = tenon.broadcast %l2 dims [0, 1, 2] sizes [3, 4, 32] : tensor<3x4x1xf32> -> tensor<3x4x32xf32>
      %1 = tenon.div %o, %0 : tensor<3x4x32xf32>
      store %1, %yv[%n, %v, %i, 0, %e] extents [%mi, 4, 32] : tensor<3x4x32xf32>, memref<?x2x?x4x64xf32, strided<[?, 256, 512, 64, 1]>>
    }
  }
}
