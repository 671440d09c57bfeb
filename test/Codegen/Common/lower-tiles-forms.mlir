// What a program takes in a form comes through the launch's constants, and not among its buffers.
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))' | FileCheck %s

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.form @turned(%w: tensor<4x8xf32>) -> tensor<8x4xf32> {
  %0 = transpose %w [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  tenon_tile.yield %0 : tensor<8x4xf32>
}
tenon_tile.form @sum(%v: tensor<8x4xf32>, %w: tensor<4x8xf32>) -> tensor<8x4xf32> {
  %0 = transpose %w [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  %1 = add %v, %0 : tensor<8x4xf32>
  tenon_tile.yield %1 : tensor<8x4xf32>
}

// The launch has five buffers: operands 0 to 3, of which the second and the last are read in forms, and the result.
// CHECK-LABEL: tenon_tile.variants @forms
// CHECK: tenon_tile.variant @avx2
// CHECK-SAME: tenon_tile.constants = [{form = @turned, operands = array<i64: 1>}, {form = @sum, operands = array<i64: 3, 1>}]
// CHECK: func.func @forms(%[[X:.*]]: memref<f32>, %[[B:.*]]: memref<f32>, %[[Y:.*]]: memref<f32>, %[[W:.*]]: memref<f32>, %[[S:.*]]: memref<f32>,
// CHECK-SAME: tenon_tile.kernel = {buffers = 3 : i64, constants = 2 : i64, places = array<i64: 0, 2, 4>, strides = 0 : i64, symbols = 0 : i64}
tenon_tile.variants @forms {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 16, vectors = 1) {
    tenon_tile.program @forms(%x: memref<8x4xf32>, %w: memref<8x4xf32> {tenon_tile.form = @turned}, %b: memref<4xf32>,
                              %s: memref<8x4xf32> {tenon_tile.form = @sum, tenon_tile.operands = [3, 1]}) -> (%y: memref<8x4xf32>) {
      grid (%i) = 0 to 8 {
        %0 = load %x[%i, 0] : memref<8x4xf32> -> tensor<4xf32>
        %1 = load %w[%i, 0] : memref<8x4xf32> -> tensor<4xf32>
        %2 = load %b[0] : memref<4xf32> -> tensor<4xf32>
        %3 = load %s[%i, 0] : memref<8x4xf32> -> tensor<4xf32>
        %4 = tenon.add %0, %1 : tensor<4xf32>
        %5 = tenon.add %4, %2 : tensor<4xf32>
        %6 = tenon.add %5, %3 : tensor<4xf32>
        store %6, %y[%i, 0] : tensor<4xf32>, memref<8x4xf32>
      }
    }
  }
}
