// Products by AMX: int8, where the block before is requantised between the products of the next one; f32 as three products of
// bf16 parts.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>
#amx = #tenon_tile.instruction<"x86.tdpbusd", m = 16, n = 16, k = 64>
#amx_bf16 = #tenon_tile.instruction<"x86.tdpbf16ps", m = 16, n = 16, k = 32>

tenon_tile.kernel @qlinear(%m: index, %x: tensor<?x128xui8>, %w: tensor<128x64xi8>, %scale: tensor<64xf32>) -> tensor<?x64xi8> {
  tenon.bind_shape %x [%m, 128] : tensor<?x128xui8>
  %0 = tenon.cast %x : tensor<?x128xui8> -> tensor<?x128xi32>
  %1 = tenon.cast %w : tensor<128x64xi8> -> tensor<128x64xi32>
  %2 = tenon.contract %0, %1 maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x128xi32>, tensor<128x64xi32> -> tensor<?x64xi32>
  %3 = tenon.cast %2 : tensor<?x64xi32> -> tensor<?x64xf32>
  %4 = tenon.broadcast %scale dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
  %5 = tenon.mul %3, %4 : tensor<?x64xf32>
  %unit = tenon.constant dense<2.0e-5> : tensor<1x1xf32>
  %u = tenon.broadcast %unit dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %scaled = tenon.mul %5, %u : tensor<?x64xf32>
  %6 = tenon.tanh %scaled : tensor<?x64xf32>
  %7 = tenon.constant dense<127.0> : tensor<1x1xf32>
  %8 = tenon.broadcast %7 dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %9 = tenon.mul %6, %8 : tensor<?x64xf32>
  %10 = tenon.cast %9 : tensor<?x64xf32> -> tensor<?x64xi8>
  tenon_tile.yield %10 : tensor<?x64xi8>
}

tenon_tile.form @fours(%w: tensor<128x64xi8>) -> tensor<2x32x32x4xi8> {
  %0 = reshape %w sizes [32, 4, 2, 32] : tensor<128x64xi8> -> tensor<32x4x2x32xi8>
  %1 = transpose %0 [2, 0, 3, 1] : tensor<32x4x2x32xi8> -> tensor<2x32x32x4xi8>
  tenon_tile.yield %1 : tensor<2x32x32x4xi8>
}

// The last block of 32 rows overlaps the one before it, so that there are no edges: equal bits are stored twice.
// CHECK-LABEL: tenon_tile.program @interleaved
// CHECK-SAME: guard (%{{.*}} - 32 >= 0)
tenon_tile.program @interleaved(%m: index, %x: memref<?x128xui8>, %w: memref<2x32x32x4xi8> {tenon_tile.form = @fours},
                                %scale: memref<64xf32>) -> (%y: memref<?x64xi8>) guard (%m - 32 >= 0)
    attributes {tenon_tile.computes = @qlinear, tenon.sizes = [[31], [32], [33], [64], [127], [128], [129], [161]]} {
  bind %x sizes [%m, 128] : memref<?x128xui8>
  bind %y sizes [%m, 64] : memref<?x64xi8>
  %zero = tenon.constant dense<0> : tensor<32x32xi32>
  %s = scratch : memref<2x32x32xi32, #workgroup>
  grid (%i0, %mi0) = 0 to %m step 128, (%p) = 0 to 2 {
    for (%b) = 0 to %mi0 step 32 {
      %i = affine.min affine_map<(i, b, m) -> (i + b, m - 32)>(%i0, %b, %m)
      // Rows of the block before: none at first.
      %before = affine.min affine_map<(b) -> (b, 32)>(%b)
      %acc = for (%k) = 0 to 128 step 64 iter_args(%c = %zero) -> (tensor<32x32xi32>) {
        %a = load %x[%i, %k] : memref<?x128xui8> -> tensor<32x64xui8>
        %v = load %w[%p, %k floordiv 4, 0, 0] : memref<2x32x32x4xi8> -> tensor<16x32x4xi8>
        // CHECK: mma %{{.*}}, %{{.*}}, %{{.*}} via #tdpbusd
        %d = mma %a, %v, %c via #amx : tensor<32x64xui8>, tensor<16x32x4xi8> -> tensor<32x32xi32>
        %to = affine.min affine_map<(k, before) -> (k floordiv 4 + 16, before)>(%k, %before)
        for (%r) = %k floordiv 4 to %to {
          %t = load %s[(%b floordiv 32 + 1) mod 2, %r, 0] : memref<2x32x32xi32, #workgroup> -> tensor<32xi32>
          %o = compute at [%i0 + %b - 32 + %r, %p * 32] (%q = %t : tensor<32xi32> of tensor<?x64xi32>, %f = %scale : memref<64xf32>)
               -> tensor<32xi8> {
            %0 = cast %q : tensor<?x64xi32> -> tensor<?x64xf32>
            %1 = broadcast %f dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
            %2 = mul %0, %1 : tensor<?x64xf32>
            %unit = constant dense<2.0e-5> : tensor<1x1xf32>
            %u = broadcast %unit dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
            %scaled = mul %2, %u : tensor<?x64xf32>
            %3 = tanh %scaled : tensor<?x64xf32>
            %4 = constant dense<127.0> : tensor<1x1xf32>
            %5 = broadcast %4 dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
            %6 = mul %3, %5 : tensor<?x64xf32>
            %7 = cast %6 : tensor<?x64xf32> -> tensor<?x64xi8>
            tenon_tile.yield %7 : tensor<?x64xi8>
          }
          store %o, %y[%i0 + %b - 32 + %r, %p * 32] : tensor<32xi8>, memref<?x64xi8>
        }
        yield %d : tensor<32x32xi32>
      }
      store %acc, %s[%b floordiv 32 mod 2, 0, 0] : tensor<32x32xi32>, memref<2x32x32xi32, #workgroup>
    }
    // Rows of the last block.
    %last = affine.min affine_map<(i, mi, m) -> (i + (mi - 1) floordiv 32 * 32, m - 32)>(%i0, %mi0, %m)
    for (%r) = 0 to 32 {
      %t = load %s[(%mi0 - 1) floordiv 32 mod 2, %r, 0] : memref<2x32x32xi32, #workgroup> -> tensor<32xi32>
      %o = compute at [%last + %r, %p * 32] (%q = %t : tensor<32xi32> of tensor<?x64xi32>, %f = %scale : memref<64xf32>) -> tensor<32xi8> {
        %0 = cast %q : tensor<?x64xi32> -> tensor<?x64xf32>
        %1 = broadcast %f dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
        %2 = mul %0, %1 : tensor<?x64xf32>
        %unit = constant dense<2.0e-5> : tensor<1x1xf32>
        %u = broadcast %unit dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
        %scaled = mul %2, %u : tensor<?x64xf32>
        %3 = tanh %scaled : tensor<?x64xf32>
        %4 = constant dense<127.0> : tensor<1x1xf32>
        %5 = broadcast %4 dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
        %6 = mul %3, %5 : tensor<?x64xf32>
        %7 = cast %6 : tensor<?x64xf32> -> tensor<?x64xi8>
        tenon_tile.yield %7 : tensor<?x64xi8>
      }
      store %o, %y[%last + %r, %p * 32] : tensor<32xi8>, memref<?x64xi8>
    }
  }
}

tenon_tile.kernel @linear(%m: index, %x: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> tensor<?x64xf32> {
  tenon.bind_shape %x [%m, 64] : tensor<?x64xf32>
  %0 = tenon.contract %x, %w maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x64xf32>, tensor<64x64xf32> -> tensor<?x64xf32>
  tenon_tile.yield %0 : tensor<?x64xf32>
}

// High parts, then low parts; two products of a column in a run.
tenon_tile.form @split_pairs(%w: tensor<64x64xf32>) -> tensor<2x2x32x32x2xbf16> {
  %0 = cast %w : tensor<64x64xf32> -> tensor<64x64xbf16>
  %1 = cast %0 : tensor<64x64xbf16> -> tensor<64x64xf32>
  %2 = sub %w, %1 : tensor<64x64xf32>
  %3 = cast %2 : tensor<64x64xf32> -> tensor<64x64xbf16>
  %4 = concat %0, %3 dim 0 : tensor<64x64xbf16>, tensor<64x64xbf16> -> tensor<128x64xbf16>
  %5 = reshape %4 sizes [2, 32, 2, 2, 32] : tensor<128x64xbf16> -> tensor<2x32x2x2x32xbf16>
  %6 = transpose %5 [0, 3, 1, 4, 2] : tensor<2x32x2x2x32xbf16> -> tensor<2x2x32x32x2xbf16>
  tenon_tile.yield %6 : tensor<2x2x32x32x2xbf16>
}

// CHECK-LABEL: tenon_tile.program @three_products
tenon_tile.program @three_products(%m: index, %sx: index, %x: memref<?x64xf32, strided<[?, 1]>>,
                                   %w: memref<2x2x32x32x2xbf16> {tenon_tile.form = @split_pairs}) -> (%y: memref<?x64xf32>)
    attributes {tenon_tile.computes = @linear, tenon.tolerance = 1.0e-4, tenon.sizes = [[0], [1], [31], [32], [33], [97]]} {
  bind %x sizes [%m, 64] strides [%sx, 1] : memref<?x64xf32, strided<[?, 1]>>
  bind %y sizes [%m, 64] : memref<?x64xf32>
  %zero = tenon.constant dense<0.0> : tensor<32x32xf32>
  %ah = scratch : memref<96x64xbf16, #workgroup>
  %al = scratch : memref<96x64xbf16, #workgroup>
  grid (%i0, %mi0) = 0 to %m step 96 {
    stage "split" {
      for (%r) = 0 to %mi0, (%k) = 0 to 64 step 32 {
        %v = load %x[%i0 + %r, %k] : memref<?x64xf32, strided<[?, 1]>> -> tensor<32xf32>
        %h = tenon.cast %v : tensor<32xf32> -> tensor<32xbf16>
        %0 = tenon.cast %h : tensor<32xbf16> -> tensor<32xf32>
        %1 = tenon.sub %v, %0 : tensor<32xf32>
        %l = tenon.cast %1 : tensor<32xf32> -> tensor<32xbf16>
        store %h, %ah[%r, %k] : tensor<32xbf16>, memref<96x64xbf16, #workgroup>
        store %l, %al[%r, %k] : tensor<32xbf16>, memref<96x64xbf16, #workgroup>
      }
    }
    stage "multiply" {
      for (%p) = 0 to 2, (%i, %mi) = 0 to %mi0 step 32 {
        %acc = for (%k) = 0 to 64 step 32 iter_args(%c = %zero) -> (tensor<32x32xf32>) {
          %h = load %ah[%i, %k] extents [%mi, 32] : memref<96x64xbf16, #workgroup> -> tensor<32x32xbf16>
          %l = load %al[%i, %k] extents [%mi, 32] : memref<96x64xbf16, #workgroup> -> tensor<32x32xbf16>
          %wh = load %w[0, %p, %k floordiv 2, 0, 0] : memref<2x2x32x32x2xbf16> -> tensor<16x32x2xbf16>
          %wl = load %w[1, %p, %k floordiv 2, 0, 0] : memref<2x2x32x32x2xbf16> -> tensor<16x32x2xbf16>
          %0 = mma %l, %wh, %c via #amx_bf16 : tensor<32x32xbf16>, tensor<16x32x2xbf16> -> tensor<32x32xf32>
          %1 = mma %h, %wl, %0 via #amx_bf16 : tensor<32x32xbf16>, tensor<16x32x2xbf16> -> tensor<32x32xf32>
          %2 = mma %h, %wh, %1 via #amx_bf16 : tensor<32x32xbf16>, tensor<16x32x2xbf16> -> tensor<32x32xf32>
          yield %2 : tensor<32x32xf32>
        }
        store %acc, %y[%i0 + %i, %p * 32] extents [%mi, 32] : tensor<32x32xf32>, memref<?x64xf32>
      }
    }
  }
}
