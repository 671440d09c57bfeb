// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

#workgroup = #tenon_tile.memory<workgroup>
#swizzled = #tenon_tile.memory<workgroup, swizzle = 64>
#launch = #tenon_tile.memory<launch>
#mma = #tenon_tile.instruction<"nvvm.mma.sync", m = 16, n = 8, k = 16>

// CHECK-LABEL: tenon_tile.form @transposed(%{{.*}}: tensor<8x4xf32>) -> tensor<4x8xf32> {
tenon_tile.form @transposed(%w: tensor<8x4xf32>) -> tensor<4x8xf32> {
  // CHECK-NEXT: %{{.*}} = transpose %{{.*}} [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
  %0 = transpose %w [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
  tenon_tile.yield %0 : tensor<4x8xf32>
}

// CHECK-LABEL: tenon_tile.program @memory
// CHECK-SAME: (%[[M:.*]]: index, %[[S:.*]]: index, %[[X:.*]]: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.align = 16 : i64}, %[[W:.*]]: memref<4x8xf32> {tenon_tile.form = @transposed, tenon_tile.operands = [3]})
// CHECK-SAME: -> (%[[Y:.*]]: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.tied = 2 : i64})
// CHECK-SAME: guard (%[[S]] mod 8 == 0, -%[[M]] + 4 >= 0) attributes {tenon_tile.computes = @kernel}
tenon_tile.program @memory(%m: index, %s: index, %x: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.align = 16},
                           %w: memref<4x8xf32> {tenon_tile.form = @transposed, tenon_tile.operands = [3]})
    -> (%y: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.tied = 2}) guard (%s mod 8 == 0, 4 - %m >= 0)
    attributes {tenon_tile.computes = @kernel} {
  // CHECK-NEXT: bind %[[X]] sizes [%[[M]], 8] strides [%[[S]], 1] : memref<?x8xf32, strided<[?, 1]>>
  bind %x sizes [%m, 8] strides [%s, 1] : memref<?x8xf32, strided<[?, 1]>>
  // CHECK-NEXT: bind %[[Y]] sizes [%[[M]], 8] strides [symbol(%[[M]]) * symbol(%[[S]]), 1]
  bind %y sizes [%m, 8] strides [symbol(%m) * symbol(%s), 1] : memref<?x8xf32, strided<[?, 1]>>
  // CHECK-NEXT: %[[G:.*]] = scratch : memref<2x8xf32, #workgroup>
  %g = scratch : memref<2x8xf32, #workgroup>
  // CHECK-NEXT: %[[L:.*]] = scratch(%[[M]] + 1, %[[M]] * 2) : memref<?x4x?xi32, #launch>
  %l = scratch(%m + 1, %m * 2) : memref<?x4x?xi32, #launch>
  // CHECK-NEXT: %[[B:.*]] = view %[[L]] (d0, d1) -> (d0, 1, d1 * 4) sizes [%[[M]], 8] : memref<?x4x?xi32, #launch> -> memref<?x8xi8, strided<[?, 4], offset: ?>, #launch>
  %b = view %l (i, j) -> (i, 1, j * 4) sizes [%m, 8] : memref<?x4x?xi32, #launch> -> memref<?x8xi8, strided<[?, 4], offset: ?>, #launch>
  %p = processors
  // CHECK: grid (%[[I:.*]], %[[MI:.*]]) = 0 to %[[M]] step 2, (%[[J:.*]]) = %[[M]] to %{{.*}} {
  grid (%i, %mi) = 0 to %m step 2, (%j) = %m to %p {
    // CHECK-NEXT: %[[A:.*]] = load %[[X]][%[[I]] - 1, 0] extents [%[[MI]], 8] steps [2, 1] stream fill (1.000000e+00 : f32) : memref<?x8xf32, strided<[?, 1]>> -> tensor<2x8xf32>
    %a = load %x[%i - 1, 0] extents [%mi, 8] steps [2, 1] stream fill (1.0) : memref<?x8xf32, strided<[?, 1]>> -> tensor<2x8xf32>
    // CHECK-NEXT: prefetch %[[W]][%[[I]], 0] level 1 write : memref<4x8xf32>
    prefetch %w[%i, 0] level 1 write : memref<4x8xf32>
    // CHECK-NEXT: %[[R:.*]] = position %[[I]] * 2 dim 0 : tensor<2xi64>
    %r = position %i * 2 dim 0 : tensor<2xi64>
    // CHECK-NEXT: load %[[W]][gather %[[R]], 3] dims [0] : memref<4x8xf32>, tensor<2xi64> -> tensor<2xf32>
    %c = load %w[gather %r, 3] dims [0] : memref<4x8xf32>, tensor<2xi64> -> tensor<2xf32>
    // CHECK-NEXT: %[[F:.*]] = fill %[[A]] extents [%[[MI]], 8] with (0xFF800000 : f32) : tensor<2x8xf32>
    %f = fill %a extents [%mi, 8] with (0xFF800000 : f32) : tensor<2x8xf32>
    // CHECK-NEXT: store %[[F]], %[[Y]][gather %[[R]], 0] extents [%[[MI]], 8] stream : tensor<2x8xf32>, memref<?x8xf32, strided<[?, 1]>>, tensor<2xi64>
    store %f, %y[gather %r, 0] extents [%mi, 8] stream : tensor<2x8xf32>, memref<?x8xf32, strided<[?, 1]>>, tensor<2xi64>
    // CHECK-NEXT: stage "copies" {
    stage "copies" {
      // CHECK-NEXT: copy %[[X]][%[[I]], 0] to %[[G]][0, 0] tile [2, 8] extents [%[[MI]], 8] steps [2, 1] : memref<?x8xf32, strided<[?, 1]>>, memref<2x8xf32, #workgroup>
      copy %x[%i, 0] to %g[0, 0] tile [2, 8] extents [%mi, 8] steps [2, 1] : memref<?x8xf32, strided<[?, 1]>>, memref<2x8xf32, #workgroup>
    }
  }
  // CHECK: grid
  grid (%i) = 0 to 1 {
    // CHECK: %[[V:.*]]:2 = stage "values" -> (tensor<8xf32>, tensor<f32>) {
    %v:2 = stage "values" -> (tensor<8xf32>, tensor<f32>) {
      %0 = tenon.constant dense<0.0> : tensor<8xf32>
      %1 = tenon.constant dense<0.0> : tensor<f32>
      // CHECK: yield %{{.*}}, %{{.*}} : tensor<8xf32>, tensor<f32>
      yield %0, %1 : tensor<8xf32>, tensor<f32>
    }
    // CHECK: for (%{{.*}}) = 0 to 2, (%{{.*}}, %[[MK:.*]]) = 0 to 8 step 4 {
    for (%j) = 0 to 2, (%k, %mk) = 0 to 8 step 4 {
      // CHECK-NEXT: peel (%{{.*}} = %[[MK]]) of 4 {
      peel (%e = %mk) of 4 {
      }
    }
  }
}

// CHECK-LABEL: tenon_tile.program @tiles
tenon_tile.program @tiles(%m: index, %x: memref<16x16xf16>, %b: memref<?xf32>) -> (%y: memref<?x8xf32>, %z: memref<?x8xf32>)
    attributes {warps = 3} {
  bind %b sizes [%m] : memref<?xf32>
  bind %y sizes [%m, 8] : memref<?x8xf32>
  bind %z sizes [%m, 8] : memref<?x8xf32>
  %zero = tenon.constant dense<0.0> : tensor<16x8xf32>
  %w = tenon.constant dense<0.0> : tensor<8x8x2xf16>
  // CHECK: %[[S:.*]] = scratch : memref<2x16x16xf16, #workgroup_64>
  %s = scratch : memref<2x16x16xf16, #swizzled>
  // CHECK: %[[RING:.*]] = ring slots 2
  %ring = ring slots 2
  grid (%i, %mi) = 0 to %m step 16 {
    // CHECK: roles {
    roles {
      // CHECK-NEXT: role "copies" warps 1 {
      role "copies" warps 1 {
        %true = arith.constant true
        // CHECK: put %[[RING]][0] slot %[[SLOT:.*]] when %{{.*}} {
        // CHECK-NEXT: copy %{{.*}}[0, 0] to %[[S]][%[[SLOT]], 0, 0] tile [16, 16] via tma
        put %ring[0] slot %q when %true {
          copy %x[0, 0] to %s[%q, 0, 0] tile [16, 16] via tma : memref<16x16xf16>, memref<2x16x16xf16, #swizzled>
        }
      }
      // CHECK: role "sums" warps 2 registers 232 {
      role "sums" warps 2 registers 232 {
        // CHECK-NEXT: %[[T:.*]] = take %[[RING]][0]
        %t = take %ring[0]
        %a = load %s[%t, 0, 0] : memref<2x16x16xf16, #swizzled> -> tensor<16x16xf16>
        // CHECK: %[[D:.*]] = mma %{{.*}}, %{{.*}}, %{{.*}} via #[[MMA:.*]] : tensor<16x16xf16>, tensor<8x8x2xf16> -> tensor<16x8xf32>
        %d = mma %a, %w, %zero via #mma : tensor<16x16xf16>, tensor<8x8x2xf16> -> tensor<16x8xf32>
        // CHECK-NEXT: release %[[RING]][0] lag 1
        release %ring[0] lag 1
        %u = tenon.constant dense<0.0> : tensor<8xf32>
        // CHECK: compute at [%{{.*}}, 0] dims [1, 0] extents [8, %{{[a-z0-9]+}}]
        // CHECK-SAME: (%[[V:.*]] = %{{.*}} : tensor<8x16xf32> of tensor<?x8xf32>, %{{.*}} = %{{.*}} at [%{{.*}} * 2, 0] : tensor<8xf32> of tensor<?x8xf32>, %[[B:.*]] = %{{.*}} : memref<?xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
        // CHECK-NEXT: bind_shape %[[B]] [%{{.*}}] : tensor<?xf32>
        %e = tenon.transpose %d [1, 0] : tensor<16x8xf32> -> tensor<8x16xf32>
        %o:2 = compute at [%i, 0] dims [1, 0] extents [8, %mi]
               (%v = %e : tensor<8x16xf32> of tensor<?x8xf32>, %n = %u at [%i * 2, 0] : tensor<8xf32> of tensor<?x8xf32>,
                %c = %b : memref<?xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
          bind_shape %c [%m] : tensor<?xf32>
          %0 = broadcast %c dims [0] sizes [%m, 8] : tensor<?xf32> -> tensor<?x8xf32>
          // CHECK: tenon_tile.yield %{{.*}}, %[[V]] : tensor<?x8xf32>, tensor<?x8xf32>
          tenon_tile.yield %0, %v : tensor<?x8xf32>, tensor<?x8xf32>
        }
        store %o#0, %y[%i, 0] extents [8, %mi] dims [1, 0] : tensor<8x16xf32>, memref<?x8xf32>
      }
    }
  }
}

// A variant may have several programs.
// CHECK-LABEL: tenon_tile.variants @relu
tenon_tile.variants @relu {
  tenon_tile.variant @avx2 target #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> {
    // CHECK: tenon_tile.program @few
    tenon_tile.program @few(%m: index) -> (%y: memref<8xf32>) guard (4 - %m >= 0) {
      grid (%i) = 0 to 1 {
      }
    }
    // CHECK: tenon_tile.program @many
    tenon_tile.program @many(%m: index) -> (%y: memref<8xf32>) {
      grid (%i) = 0 to 1 {
      }
    }
  }
}

// CHECK-LABEL: tenon_tile.program @first(
// CHECK: topk %{{.*}} at [%{{.*}}, 0] dim 1 lanes 8 smallest values %{{.*}} : memref<4x40xf32> values memref<4x2xf32>
tenon_tile.program @first(%x: memref<4x40xf32>) -> (%v: memref<4x2xf32>) {
  grid (%i) = 0 to 4 {
    topk %x at [%i, 0] dim 1 lanes 8 smallest values %v : memref<4x40xf32> values memref<4x2xf32>
  }
}
