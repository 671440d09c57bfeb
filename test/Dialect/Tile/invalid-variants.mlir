// RUN: %tenon_opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{expects vectors of 16, 32 or 64 bytes, but has 48}}
#odd = #tenon_tile.cpu<name = "odd", core = "odd", triple = "", cpu = "", features = "", vector_bytes = 48, vector_registers = 16, memories = [<"L2", bytes = 1, bytes_per_cycle = 1, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 12, k = 1>, f32, f32, f32, per_cycle = 1, latency = 1>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 1, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{expects positive numbers, but has 0}}
#none = #tenon_tile.cpu<name = "none", core = "none", triple = "", cpu = "", features = "", vector_bytes = 32, vector_registers = 0, memories = [<"L2", bytes = 1, bytes_per_cycle = 1, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 1, latency = 1>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 1, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{expects a target with a name}}
#anonymous = #tenon_tile.cpu<name = "", core = "", triple = "", cpu = "", features = "", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 1, bytes_per_cycle = 1, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 1, latency = 1>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 1, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{sets 'vectors' twice}}
#twice = #tenon_tile.schedule<vectors = 1, vectors = 2>

// -----

// expected-error@+1 {{expects a positive number for 'vectors', but has 0 : i64}}
#zero = #tenon_tile.schedule<vectors = 0>

// -----

// expected-error@+1 {{'func.func' op expects 'tenon_tile.schedule' to be a schedule of a kernel}}
func.func @not_a_kernel() attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 1>} {
  return
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op expects 'tenon_tile.schedule' to be a schedule of a kernel}}
tenon_tile.kernel @not_a_schedule(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {tenon_tile.schedule = 1} {
  tenon_tile.yield %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.variants' op expects nothing but variants, but has 'func.func'}}
tenon_tile.variants @k {
  func.func @k() {
    return
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op expects one function, of the name 'k'}}
  tenon_tile.variant @avx2 target #avx2 {
    tenon_tile.kernel @other(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op expects one function, of the name 'k'}}
  tenon_tile.variant @avx2 target #avx2 {
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @k {
  tenon_tile.variant @first target #avx2 {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
  // expected-error@+1 {{'tenon_tile.variant' op is the second one for target 'avx2'}}
  tenon_tile.variant @second target #avx2 {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
}

// -----

// What a part lacks is its own error, though the whole is verified first.
#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @k {
  tenon_tile.variant @v target #avx2 {
    // expected-error@+1 {{'tenon_tile.program' op requires attribute 'function_type'}}
    "tenon_tile.program"() <{outputs = 1 : i64, sym_name = "k"}> ({
      "tenon_tile.release"() : () -> ()
    }) : () -> ()
  }
}

// -----

tenon_tile.variants @k {
  // expected-error@+1 {{'tenon_tile.variant' op requires attribute 'target'}}
  "tenon_tile.variant"() <{sym_name = "a"}> ({
    "tenon_tile.form"() : () -> ()
  }) : () -> ()
  // expected-error@+1 {{'tenon_tile.variant' op requires attribute 'target'}}
  "tenon_tile.variant"() <{sym_name = "b"}> ({
    "tenon_tile.form"() : () -> ()
  }) : () -> ()
}

// -----

// expected-error@+2 {{expects no 'tapped' here}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tapped = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+2 {{expects no 'tap_last' here}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_last = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+2 {{expects 'tap_first'}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{expects positive numbers, but has 0}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 0, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{expects a memory 'L2'}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L3", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{has two memories 'L2'}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>, <"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+2 {{expects a memory with a name}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+2 {{expects positive numbers, but has 0}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 0.0, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+2 {{expects types of numbers, but has 'index'}}
// expected-error@+1 {{failed to parse Tile_CPUTargetAttr parameter}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, index, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{expects a rate of f32}}
#wrong = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f64, f64, f64, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// -----

// expected-error@+1 {{'builtin.module' op expects 'tenon_tile.accuracy' to be "strict", "default" or "fast" of a module}}
module attributes {tenon_tile.accuracy = "most"} {
}

// -----

// expected-error@+1 {{'func.func' op expects 'tenon_tile.accuracy' to be "strict", "default" or "fast" of a module}}
func.func @part() attributes {tenon_tile.accuracy = "fast"} {
  return
}

// -----

// expected-error@+1 {{expects maps from the same symbols to numbers, but has affine_map<()[s0] -> (s0)>}}
func.func private @plan() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<() -> (1)>, affine_map<()[s0] -> (s0)>]>}

// -----

// expected-error@+1 {{expects a grid}}
func.func private @plan() attributes {tenon_tile.plan = #tenon_tile.plan<grids = []>}

// -----

// expected-error@+1 {{expects a guard of the same symbols, but has affine_set<()[s0] : (s0 >= 0)>}}
func.func private @plan() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<() -> (1)>], guard = affine_map<()[s0] -> (s0)>>}

// -----

// expected-error@+1 {{expects a guard with a constraint 1}}
func.func private @plan() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0)>], guard = affine_map<()[s0] -> (s0)> zero [1]>}

// -----

// expected-error@+1 {{expects 'tenon_tile.plan' to be the plan of a function}}
func.func private @plan() attributes {tenon_tile.plan = 1}
