// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-build-tiles)))"

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @open {
  // expected-error@+1 {{'tenon_tile.variant' op expects a schedule with 'vectors': run tenon-select-schedules before}}
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32) {
    tenon_tile.kernel @open(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// What applies a schedule refuses one that the target can't have, too.
tenon_tile.variants @wide {
  // expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: vectors have 64 bytes, but those of target 'avx2' have 32}}
  tenon_tile.variant @avx2 target #avx2 schedule(unit_elements = 4096, vector_bytes = 64, vectors = 1) {
    tenon_tile.kernel @wide(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}
