// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK: #avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<{{#.*}}, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
#narrow = #tenon_tile.cpu<name = "narrow", core = "x86-64", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64", features = "", vector_bytes = 16, vector_registers = 16, memories = [<"L2", bytes = 262144, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 4, k = 1>, f32, f32, f32, per_cycle = 1, latency = 5>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// CHECK: tenon_tile.variants @k {
// CHECK:   tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
// CHECK:     tenon_tile.kernel @k
// CHECK:   tenon_tile.variant @narrow target #narrow {
tenon_tile.variants @k {
  tenon_tile.variant @avx2 target #avx2 schedule(vectors = 1, vector_bytes = 32) {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
  tenon_tile.variant @narrow target #narrow {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// A variant at level 3, and a launch that names the kernel.
// CHECK: tenon_tile.variants @loops {
// CHECK:   tenon_tile.variant @avx2 target #avx2 schedule() {
// CHECK:     func.func @loops
tenon_tile.variants @loops {
  tenon_tile.variant @avx2 target #avx2 schedule() {
    func.func @loops(%x: memref<f32>, %begin: index, %end: index) -> i32 {
      %ok = arith.constant 0 : i32
      return %ok : i32
    }
  }
}
func.func @main(%x: memref<f32>) {
  tenon_host.launch @loops outs(%x : memref<f32>)
  return
}

// CHECK: tenon_tile.kernel @fixed
// CHECK-SAME: tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>
tenon_tile.kernel @fixed(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>} {
  tenon_tile.yield %x : tensor<4xf32>
}
