#tenon_tile.cpu<name = "short", core = "short", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma",
  vector_bytes = 32, vector_registers = 16,
  memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>],
  rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>],
  layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25,
    tap_last = 0.09, plain_tap = 1, to_last = 100, to_first = 100, turned = 0.15, copied = 0.3, columns = 16, border = 1.125},
  schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01,
    depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32},
  launches = {alone = 80, woken = 2000, workers = 8, long_rows = 100}>
