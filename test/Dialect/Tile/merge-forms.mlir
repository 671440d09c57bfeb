// RUN: %tenon_opt %s --pass-pipeline='builtin.module(tenon-merge-forms)' | FileCheck %s

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// A form of the module keeps its name; what computes the same has that, too.
// CHECK: tenon_tile.form @known(%{{.*}}: tensor<4x8xf32>) -> tensor<8x4xf32>
// CHECK: tenon_tile.form @doubled
// CHECK: tenon_tile.variants @a
// CHECK: tenon_tile.program @a(%{{.*}}: memref<8x4xf32> {tenon_tile.form = @known})
// CHECK-NOT: tenon_tile.form @
// CHECK: tenon_tile.program @a(%{{.*}}: memref<8x4xf32> {tenon_tile.form = @doubled})
// CHECK-NOT: tenon_tile.form @
// Another one of a name that is taken gets a name of its own.
// CHECK: tenon_tile.form @doubled_0(%{{.*}}: tensor<2x2xf32>)
// CHECK: tenon_tile.variants @b
// CHECK: tenon_tile.program @b(%{{.*}}: memref<2x2xf32> {tenon_tile.form = @doubled_0})
// CHECK-NOT: tenon_tile.form @
tenon_tile.form @known(%w: tensor<4x8xf32>) -> tensor<8x4xf32> {
  %0 = transpose %w [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
  tenon_tile.yield %0 : tensor<8x4xf32>
}
tenon_tile.variants @a {
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.program @a(%w: memref<8x4xf32> {tenon_tile.form = @turned}) -> (%y: memref<8x4xf32>) {
      grid (%i) = 0 to 8 {
        %0 = load %w[%i, 0] : memref<8x4xf32> -> tensor<4xf32>
        store %0, %y[%i, 0] : tensor<4xf32>, memref<8x4xf32>
      }
    }
    tenon_tile.form @turned(%v: tensor<4x8xf32>) -> tensor<8x4xf32> {
      %0 = transpose %v [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
      tenon_tile.yield %0 : tensor<8x4xf32>
    }
  }
  tenon_tile.variant @other target #tenon_tile.cpu<name = "other", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> {
    tenon_tile.program @a(%w: memref<8x4xf32> {tenon_tile.form = @doubled}) -> (%y: memref<8x4xf32>) {
      grid (%i) = 0 to 8 {
        %0 = load %w[%i, 0] : memref<8x4xf32> -> tensor<4xf32>
        store %0, %y[%i, 0] : tensor<4xf32>, memref<8x4xf32>
      }
    }
    tenon_tile.form @doubled(%v: tensor<4x8xf32>) -> tensor<8x4xf32> {
      %0 = add %v, %v : tensor<4x8xf32>
      %1 = transpose %0 [1, 0] : tensor<4x8xf32> -> tensor<8x4xf32>
      tenon_tile.yield %1 : tensor<8x4xf32>
    }
  }
}
tenon_tile.variants @b {
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.program @b(%w: memref<2x2xf32> {tenon_tile.form = @doubled}) -> (%y: memref<2x2xf32>) {
      grid (%i) = 0 to 2 {
        %0 = load %w[%i, 0] : memref<2x2xf32> -> tensor<2xf32>
        store %0, %y[%i, 0] : tensor<2xf32>, memref<2x2xf32>
      }
    }
    tenon_tile.form @doubled(%w: tensor<2x2xf32>) -> tensor<2x2xf32> {
      %0 = add %w, %w : tensor<2x2xf32>
      tenon_tile.yield %0 : tensor<2x2xf32>
    }
  }
}
