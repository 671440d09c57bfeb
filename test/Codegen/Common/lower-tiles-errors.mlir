// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))"

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// How many units there are would be known in the middle of a run only.
tenon_tile.variants @exp {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @exp(%m: index, %x: memref<?xf32>) -> (%y: memref<?xf32>) {
      bind %x sizes [%m] : memref<?xf32>
      bind %y sizes [%m] : memref<?xf32>
      %n = processors
      // expected-error@+1 {{'tenon_tile.grid' op expects bounds that follow from the program's index arguments: launches count its units}}
      grid (%i, %mi) = 0 to %n step 2048 {
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @copy {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @copy(%x: memref<8xi32>) -> (%y: memref<8xi32>) {
      grid (%i) = 0 to 1 {
        // expected-error@+1 {{'tenon_tile.load' op can't be compiled on this target yet}}
        %0 = load %x[0] fill (0 : i32) : memref<8xi32> -> tensor<8xi32>
        store %0, %y[0] : tensor<8xi32>, memref<8xi32>
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// Lanes lie next to each other.
tenon_tile.variants @lanes {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @lanes(%x: memref<16xi32>) -> (%y: memref<8xi32>) {
      grid (%i) = 0 to 1 {
        // expected-error@+1 {{'tenon_tile.load' op can't be compiled on this target yet}}
        %0 = load %x[0] steps [2] : memref<16xi32> -> tensor<8xi32>
        store %0, %y[0] : tensor<8xi32>, memref<8xi32>
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @scratch {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @scratch(%x: memref<8xf32>) -> (%y: memref<8xf32>) {
      %n = processors
      // expected-error@+1 {{'tenon_tile.scratch' op expects sizes that follow from the program's index arguments: launches give the memory}}
      %s = scratch(%n) : memref<?xf32, #tenon_tile.memory<workgroup>>
      grid (%i) = 0 to 1 {
        %0 = load %x[0] : memref<8xf32> -> tensor<8xf32>
        store %0, %y[0] : tensor<8xf32>, memref<8xf32>
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// Rows of registers have no addresses.
tenon_tile.variants @rows {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    // expected-error@+1 {{what is computed asks for another tile than the one that is known}}
    tenon_tile.program @rows(%x: memref<8x8xf32>) -> (%y: memref<8x8xf32>) {
      %zero = tenon.constant dense<0.0> : tensor<2x8xf32>
      grid (%i) = 0 to 1 {
        %acc = for (%k) = 0 to 8 iter_args(%c = %zero) -> (tensor<2x8xf32>) {
          %a = load %x[0, %k] : memref<8x8xf32> -> tensor<2x1xf32>
          %b = load %x[%k, 0] : memref<8x8xf32> -> tensor<1x8xf32>
          %d = mma %a, %b, %c : tensor<2x1xf32>, tensor<1x8xf32> -> tensor<2x8xf32>
          yield %d : tensor<2x8xf32>
        }
        for (%r) = 0 to 2 {
          %o = compute at [%r, 0] (%v = %acc at [0, 0] : tensor<2x8xf32> of tensor<8x8xf32>) -> tensor<1x8xf32> {
            %0 = exp %v : tensor<8x8xf32>
            tenon_tile.yield %0 : tensor<8x8xf32>
          }
          store %o, %y[%r, 0] : tensor<1x8xf32>, memref<8x8xf32>
        }
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// What a view is made of is known where it stands.
tenon_tile.variants @late {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @late(%m: index, %x: memref<?xf32>) -> (%y: memref<?xf32>) {
      // expected-error@+1 {{'tenon_tile.view' op expects the bind of its memory in front of it}}
      %v = view %x (i, j) -> (i + j) sizes [%m, 1] : memref<?xf32> -> memref<?x1xf32, strided<[1, 1]>>
      bind %x sizes [%m] : memref<?xf32>
      bind %y sizes [%m] : memref<?xf32>
      grid (%i) = 0 to %m {
        %0 = load %v[%i, 0] : memref<?x1xf32, strided<[1, 1]>> -> tensor<1xf32>
        store %0, %y[%i] : tensor<1xf32>, memref<?xf32>
      }
    }
  }
}

// -----

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @form {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    // expected-error@+1 {{has argument 0 of 2 operands, but no form of it}}
    tenon_tile.program @form(%w: memref<8xf32> {tenon_tile.operands = [0, 1]}) -> (%y: memref<8xf32>) {
      grid (%i) = 0 to 1 {
        %0 = load %w[0] : memref<8xf32> -> tensor<8xf32>
        store %0, %y[0] : tensor<8xf32>, memref<8xf32>
      }
    }
  }
}

// -----

#amx = #tenon_tile.cpu<name = "amx", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.tdpbusd", m = 16, n = 16, k = 64>, ui8, i8, i32, per_cycle = 0.0625, latency = 52>, <<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// Matrices in registers of their own become numbers in memory only.
tenon_tile.variants @matrices {
  tenon_tile.variant @amx target #amx schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @matrices(%x: memref<16x64xui8>, %w: memref<16x16x4xi8>) -> (%y: memref<16x16xi32>) {
      grid (%i) = 0 to 1 {
        %zero = tenon.constant dense<0> : tensor<16x16xi32>
        %a = load %x[0, 0] : memref<16x64xui8> -> tensor<16x64xui8>
        %b = load %w[0, 0, 0] : memref<16x16x4xi8> -> tensor<16x16x4xi8>
        // expected-error@+1 {{'tenon_tile.mma' op expects to read both operands of x86.tdpbusd from memory whose rows are one stride apart, and sums that are stored before they are used}}
        %0 = mma %a, %b, %zero via <"x86.tdpbusd", m = 16, n = 16, k = 64> : tensor<16x64xui8>, tensor<16x16x4xi8> -> tensor<16x16xi32>
        %1 = tenon.neg %0 : tensor<16x16xi32>
        store %1, %y[0, 0] : tensor<16x16xi32>, memref<16x16xi32>
      }
    }
  }
}

// -----

#amx = #tenon_tile.cpu<name = "amx", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.tdpbusd", m = 16, n = 16, k = 64>, ui8, i8, i32, per_cycle = 0.0625, latency = 52>, <<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

tenon_tile.variants @begin {
  tenon_tile.variant @amx target #amx schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @begin(%x: memref<16x64xui8>, %w: memref<16x16x4xi8>) -> (%y: memref<16x16xi32>) {
      grid (%i) = 0 to 1 {
        // expected-error@+1 {{sums of a matrix instruction begin as zeros, or in memory}}
        %one = tenon.constant dense<1> : tensor<16x16xi32>
        %a = load %x[0, 0] : memref<16x64xui8> -> tensor<16x64xui8>
        %b = load %w[0, 0, 0] : memref<16x16x4xi8> -> tensor<16x16x4xi8>
        %0 = mma %a, %b, %one via <"x86.tdpbusd", m = 16, n = 16, k = 64> : tensor<16x64xui8>, tensor<16x16x4xi8> -> tensor<16x16xi32>
        store %0, %y[0, 0] : tensor<16x16xi32>, memref<16x16xi32>
      }
    }
  }
}
