// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles,canonicalize,cse)))" | FileCheck %s

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
#launch = #tenon_tile.memory<launch>
#workgroup = #tenon_tile.memory<workgroup>

// Each grid is a function, the first of a program has its plan: the guard, units along each dimension, and bytes of scratch,
// which begins at multiples of 64. What is small lies on the stack; what stands before grids is in those that use it.
// CHECK-DAG: #[[UNITS:.*]] = affine_map<()[s0, s1] -> (s0 ceildiv 3, 2)>
// CHECK-DAG: #[[ROWS:.*]] = affine_map<()[s0, s1] -> (s0)>
// CHECK-DAG: #[[LAUNCH:.*]] = affine_map<()[s0, s1] -> ((s0 ceildiv 16) * 64 + 64)>
// CHECK-DAG: #[[LEAST:.*]] = affine_map<()[s0, s1] -> ((s0 ceildiv 64) * 64, 6400)>
// CHECK-DAG: #[[GUARD:.*]] = affine_map<()[s0, s1] -> (-s0 + 4, s1 - 8)>
// CHECK: func.func @rows(%{{.*}}: memref<f32>, %{{.*}}: memref<f32>, %{{.*}}: index, %[[M:.*]]: index, %[[BEGIN:.*]]: index, %[[END:.*]]: index) -> i32
// CHECK-SAME: tenon_tile.plan = #tenon_tile.plan<grids = [#[[UNITS]]], guard = #[[GUARD]] zero [1]>
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<32xf32>
// CHECK: func.func @rows.1({{.*}}, %[[M:.*]]: index, %[[BEGIN:.*]]: index, %[[END:.*]]: index, %[[OWN:.*]]: memref<i8>, %[[ALL:.*]]: memref<i8>) -> i32
// CHECK-SAME: tenon_tile.launch_scratch
// CHECK-SAME: tenon_tile.plan = #tenon_tile.plan<grids = [#[[ROWS]], #[[ROWS]]], workgroup = #[[LEAST]], launch = #[[LAUNCH]]>
// CHECK-SAME: tenon_tile.scratch
// CHECK: memref.reinterpret_cast %[[ALL]]
// CHECK: memref.view %{{.*}}[%c64][%[[M]]] : memref<?xi8> to memref<?xf32>
// CHECK: func.func @rows.2(
// CHECK-NOT: tenon_tile.plan
// CHECK: memref.view %{{.*}}[%c64][%{{.*}}] : memref<?xi8> to memref<?xf32>
tenon_tile.variants @rows {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @few(%m: index, %sx: index, %x: memref<?x8xf32, strided<[?, 1]>>) -> (%y: memref<?xf32>) guard (4 - %m >= 0, %sx - 8 == 0) {
      bind %x sizes [%m, 8] strides [%sx, 1] : memref<?x8xf32, strided<[?, 1]>>
      bind %y sizes [%m] : memref<?xf32>
      %s = scratch : memref<4x8xf32, #workgroup>
      grid (%i, %mi) = 0 to %m step 3, (%j) = 0 to 2 {
        %a = load %x[%i, 0] : memref<?x8xf32, strided<[?, 1]>> -> tensor<8xf32>
        store %a, %s[%j, 0] : tensor<8xf32>, memref<4x8xf32, #workgroup>
      }
    }
    tenon_tile.program @many(%m: index, %sx: index, %x: memref<?x8xf32, strided<[?, 1]>>) -> (%y: memref<?xf32>) {
      bind %x sizes [%m, 8] strides [%sx, 1] : memref<?x8xf32, strided<[?, 1]>>
      bind %y sizes [%m] : memref<?xf32>
      %n = affine.min affine_map<()[s0] -> (s0, 6400)>()[%m]
      %before = scratch : memref<3xf32, #launch>
      %sums = scratch(%m) : memref<?xf32, #launch>
      %large = scratch(%n) : memref<?xi8, #workgroup>
      grid (%i) = 0 to %m {
        %a = load %x[%i, 0] : memref<?x8xf32, strided<[?, 1]>> -> tensor<8xf32>
        %s = tenon.reduce sum %a dims [0] : tensor<8xf32> -> tensor<f32>
        store %s, %sums[%i] : tensor<f32>, memref<?xf32, #launch>
      }
      grid (%i) = 0 to %m {
        %s = load %sums[%m - %i - 1] : memref<?xf32, #launch> -> tensor<f32>
        store %s, %y[%i] : tensor<f32>, memref<?xf32>
      }
    }
  }
}
