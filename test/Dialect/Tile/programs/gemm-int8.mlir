// An int8 product with row sums, made in a grid of their own, and requantising.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>
#launch = #tenon_tile.memory<launch>
#vnni = #tenon_tile.instruction<"x86.vpdpbusd", m = 1, n = 16, k = 4>

tenon_tile.kernel @qlinear(%m: index, %x: tensor<?x96xui8>, %w: tensor<96x64xi8>, %scale: tensor<64xf32>) -> tensor<?x64xui8> {
  tenon.bind_shape %x [%m, 96] : tensor<?x96xui8>
  %zx = tenon.constant dense<3> : tensor<1x1xi32>
  %zw = tenon.constant dense<-2> : tensor<1x1xi32>
  %0 = tenon.cast %x : tensor<?x96xui8> -> tensor<?x96xi32>
  %1 = tenon.broadcast %zx dims [0, 1] sizes [%m, 96] : tensor<1x1xi32> -> tensor<?x96xi32>
  %2 = tenon.sub %0, %1 : tensor<?x96xi32>
  %3 = tenon.cast %w : tensor<96x64xi8> -> tensor<96x64xi32>
  %4 = tenon.broadcast %zw dims [0, 1] sizes [96, 64] : tensor<1x1xi32> -> tensor<96x64xi32>
  %5 = tenon.sub %3, %4 : tensor<96x64xi32>
  %6 = tenon.contract %2, %5 maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x96xi32>, tensor<96x64xi32> -> tensor<?x64xi32>
  %7 = tenon.cast %6 : tensor<?x64xi32> -> tensor<?x64xf32>
  %8 = tenon.broadcast %scale dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
  %9 = tenon.mul %7, %8 : tensor<?x64xf32>
  %zy = tenon.constant dense<128.0> : tensor<1x1xf32>
  %unit = tenon.constant dense<0.002> : tensor<1x1xf32>
  %u = tenon.broadcast %unit dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %z = tenon.broadcast %zy dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %scaled = tenon.mul %9, %u : tensor<?x64xf32>
  %shifted = tenon.add %scaled, %z : tensor<?x64xf32>
  %10 = tenon.round %shifted : tensor<?x64xf32>
  %low = tenon.constant dense<0.0> : tensor<1x1xf32>
  %high = tenon.constant dense<255.0> : tensor<1x1xf32>
  %11 = tenon.broadcast %low dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %12 = tenon.broadcast %high dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
  %13 = tenon.max %10, %11 : tensor<?x64xf32>
  %14 = tenon.min %13, %12 : tensor<?x64xf32>
  %15 = tenon.cast %14 : tensor<?x64xf32> -> tensor<?x64xui8>
  tenon_tile.yield %15 : tensor<?x64xui8>
}

// Four products of a column in a run.
tenon_tile.form @fours(%w: tensor<96x64xi8>) -> tensor<2x24x32x4xi8> {
  %0 = reshape %w sizes [24, 4, 2, 32] : tensor<96x64xi8> -> tensor<24x4x2x32xi8>
  %1 = transpose %0 [2, 0, 3, 1] : tensor<24x4x2x32xi8> -> tensor<2x24x32x4xi8>
  tenon_tile.yield %1 : tensor<2x24x32x4xi8>
}

// What is left of (x - zx)(w - zw) that doesn't depend on x: 96 zx zw - zx times the sum of a column.
tenon_tile.form @column_sums(%w: tensor<96x64xi8>) -> tensor<64xi32> {
  %0 = cast %w : tensor<96x64xi8> -> tensor<96x64xi32>
  %1 = reduce sum %0 dims [0] : tensor<96x64xi32> -> tensor<64xi32>
  tenon_tile.yield %1 : tensor<64xi32>
}

// CHECK-LABEL: tenon_tile.program @two_grids(
// CHECK-SAME: memref<2x24x32x4xi8> {tenon_tile.form = @fours}
// CHECK-SAME: memref<64xi32> {tenon_tile.form = @column_sums, tenon_tile.operands = [1]}
tenon_tile.program @two_grids(%m: index, %sx: index, %x: memref<?x96xui8, strided<[?, 1]>>,
                              %w: memref<2x24x32x4xi8> {tenon_tile.form = @fours},
                              %cs: memref<64xi32> {tenon_tile.form = @column_sums, tenon_tile.operands = [1]},
                              %scale: memref<64xf32>) -> (%y: memref<?x64xui8>)
    attributes {tenon_tile.computes = @qlinear, tenon.sizes = [[0], [1], [13], [14], [15], [29]]} {
  bind %x sizes [%m, 96] strides [%sx, 1] : memref<?x96xui8, strided<[?, 1]>>
  bind %y sizes [%m, 64] : memref<?x64xui8>
  %zero32 = tenon.constant dense<0> : tensor<32xi32>
  %zero = tenon.constant dense<0> : tensor<14x32xi32>
  // CHECK: %[[SUMS:.*]] = scratch(%{{.*}}) : memref<?xi32, #launch>
  %sums = scratch(%m) : memref<?xi32, #launch>
  %s = scratch : memref<14x32xi32, #workgroup>
  grid (%i) = 0 to %m {
    %t = for (%k) = 0 to 96 step 32 iter_args(%c = %zero32) -> (tensor<32xi32>) {
      %a = load %x[%i, %k] : memref<?x96xui8, strided<[?, 1]>> -> tensor<32xui8>
      %0 = tenon.cast %a : tensor<32xui8> -> tensor<32xi32>
      %1 = tenon.add %c, %0 : tensor<32xi32>
      yield %1 : tensor<32xi32>
    }
    %u = tenon.reduce sum %t dims [0] : tensor<32xi32> -> tensor<i32>
    // CHECK: store %{{.*}}, %[[SUMS]][%{{.*}}] : tensor<i32>, memref<?xi32, #launch>
    store %u, %sums[%i] : tensor<i32>, memref<?xi32, #launch>
  }
  // CHECK: grid
  grid (%i0, %mi0) = 0 to %m step 28, (%p) = 0 to 2 {
    for (%i, %mi) = %i0 to %i0 + %mi0 step 14 {
      %acc = for (%k) = 0 to 24 step 4 iter_args(%c = %zero) -> (tensor<14x32xi32>) {
        %a = load %x[%i, %k * 4] extents [%mi, 16] : memref<?x96xui8, strided<[?, 1]>> -> tensor<14x16xui8>
        %b = load %w[%p, %k, 0, 0] : memref<2x24x32x4xi8> -> tensor<4x32x4xi8>
        // CHECK: mma %{{.*}}, %{{.*}}, %{{.*}} via #vpdpbusd : tensor<14x16xui8>, tensor<4x32x4xi8> -> tensor<14x32xi32>
        %d = mma %a, %b, %c via #vnni : tensor<14x16xui8>, tensor<4x32x4xi8> -> tensor<14x32xi32>
        yield %d : tensor<14x32xi32>
      }
      store %acc, %s[0, 0] : tensor<14x32xi32>, memref<14x32xi32, #workgroup>
      for (%r) = 0 to %mi {
        %t = load %s[%r, 0] : memref<14x32xi32, #workgroup> -> tensor<1x32xi32>
        %o = compute at [%i + %r, %p * 32]
             (%v = %t : tensor<1x32xi32> of tensor<?x64xi32>, %rs = %sums : memref<?xi32, #launch>, %c = %cs : memref<64xi32>,
              %f = %scale : memref<64xf32>) -> tensor<1x32xui8> {
          %zx = constant dense<3> : tensor<1x1xi32>
          %zw = constant dense<-2> : tensor<1x1xi32>
          %both = constant dense<-576> : tensor<1x1xi32>
          %0 = broadcast %rs dims [0] sizes [%m, 64] : tensor<?xi32> -> tensor<?x64xi32>
          %1 = broadcast %zw dims [0, 1] sizes [%m, 64] : tensor<1x1xi32> -> tensor<?x64xi32>
          %2 = mul %0, %1 : tensor<?x64xi32>
          %3 = sub %v, %2 : tensor<?x64xi32>
          %4 = broadcast %c dims [1] sizes [%m, 64] : tensor<64xi32> -> tensor<?x64xi32>
          %5 = broadcast %zx dims [0, 1] sizes [%m, 64] : tensor<1x1xi32> -> tensor<?x64xi32>
          %6 = mul %4, %5 : tensor<?x64xi32>
          %7 = sub %3, %6 : tensor<?x64xi32>
          %8 = broadcast %both dims [0, 1] sizes [%m, 64] : tensor<1x1xi32> -> tensor<?x64xi32>
          %9 = add %7, %8 : tensor<?x64xi32>
          %10 = cast %9 : tensor<?x64xi32> -> tensor<?x64xf32>
          %11 = broadcast %f dims [1] sizes [%m, 64] : tensor<64xf32> -> tensor<?x64xf32>
          %12 = mul %10, %11 : tensor<?x64xf32>
          %zy = constant dense<128.0> : tensor<1x1xf32>
          %unit = constant dense<0.002> : tensor<1x1xf32>
          %u = broadcast %unit dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
          %z = broadcast %zy dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
          %scaled = mul %12, %u : tensor<?x64xf32>
          %shifted = add %scaled, %z : tensor<?x64xf32>
          %13 = round %shifted : tensor<?x64xf32>
          %low = constant dense<0.0> : tensor<1x1xf32>
          %high = constant dense<255.0> : tensor<1x1xf32>
          %14 = broadcast %low dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
          %15 = broadcast %high dims [0, 1] sizes [%m, 64] : tensor<1x1xf32> -> tensor<?x64xf32>
          %16 = max %13, %14 : tensor<?x64xf32>
          %17 = min %16, %15 : tensor<?x64xf32>
          %18 = cast %17 : tensor<?x64xf32> -> tensor<?x64xui8>
          tenon_tile.yield %18 : tensor<?x64xui8>
        }
        store %o, %y[%i + %r, %p * 32] : tensor<1x32xui8>, memref<?x64xui8>
      }
    }
  }
}
