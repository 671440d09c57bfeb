// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-lower-kernels)))"

#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

tenon_tile.variants @open {
  // expected-error@+1 {{'tenon_tile.variant' op expects a schedule with 'vectors': run tenon-select-schedules before}}
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32) {
    tenon_tile.kernel @open(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>

// What applies a schedule refuses one that the target can't have, too.
tenon_tile.variants @wide {
  // expected-error@+1 {{'tenon_tile.variant' op can't have this schedule: vectors have 64 bytes, but those of target 'avx2' have 32}}
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 64, vectors = 1) {
    tenon_tile.kernel @wide(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}
