module {
  module @kernel {
    tenon_tile.kernel @exp(%arg0: index, %arg1: tensor<?x4xf32>) -> tensor<?x4xf32> {
      tenon.bind_shape %arg1 [%arg0, 4] : tensor<?x4xf32>
      %0 = tenon.exp %arg1 : tensor<?x4xf32>
      tenon_tile.yield %0 : tensor<?x4xf32>
    }
    func.func @window_rows(%arg0: tensor<1x?x9x4xf32>) -> tensor<1x?x4x24xf32> {
      %0 = tenon_tile.window_rows %arg0 sizes [2, 3] strides [1, 2] dilations [3, 1] : tensor<1x?x9x4xf32> -> tensor<1x?x4x24xf32>
      return %0 : tensor<1x?x4x24xf32>
    }
    func.func @clipped_window_rows(%arg0: tensor<1x?x9x4xf32>) -> tensor<1x?x9x24xf32> {
      %0 = tenon_tile.window_rows %arg0 sizes [2, 3] strides [1, 1] dilations [3, 4] pads [0, 3, 4, 5] : tensor<1x?x9x4xf32> -> tensor<1x?x9x24xf32>
      return %0 : tensor<1x?x9x24xf32>
    }
    func.func @report(%arg0: index, %arg1: i64) {
      tenon_tile.report 1 at %arg0 value %arg1 limit %arg1
      return
    }
    func.func private @planned() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 ceildiv 4, 2)>, affine_map<()[s0] -> (1)>], workgroup = affine_map<()[s0] -> (s0 * 64, 6400)>, launch = affine_map<()[s0] -> (64)>>}
    func.func private @guarded() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0, s1] -> (s0)>], guard = affine_map<()[s0, s1] -> (-s0 + 4, s1 - 8)> zero [1]>}
  }
  module @programs {
    tenon_tile.form @transposed(%arg0: tensor<8x4xf32>) -> tensor<4x8xf32> {
      %0 = transpose %arg0 [1, 0] : tensor<8x4xf32> -> tensor<4x8xf32>
      tenon_tile.yield %0 : tensor<4x8xf32>
    }
    tenon_tile.program @memory(%arg0: index, %arg1: index, %arg2: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.align = 16 : i64}, %arg3: memref<4x8xf32> {tenon_tile.form = @transposed, tenon_tile.operands = [3]}) -> (%arg4: memref<?x8xf32, strided<[?, 1]>> {tenon_tile.tied = 2 : i64}) guard (%arg1 mod 8 == 0, -%arg0 + 4 >= 0) attributes {tenon_tile.computes = @kernel} {
      bind %arg2 sizes [%arg0, 8] strides [%arg1, 1] : memref<?x8xf32, strided<[?, 1]>>
      bind %arg4 sizes [%arg0, 8] strides [symbol(%arg0) * symbol(%arg1), 1] : memref<?x8xf32, strided<[?, 1]>>
      %scratch = scratch : memref<2x8xf32, #tenon_tile.memory<workgroup>>
      %scratch_0 = scratch(%arg0 + 1, %arg0 * 2) : memref<?x4x?xi32, #tenon_tile.memory<launch>>
      %0 = view %scratch_0 (d0, d1) -> (d0, 1, d1 * 4) sizes [%arg0, 8] : memref<?x4x?xi32, #tenon_tile.memory<launch>> -> memref<?x8xi8, strided<[?, 4], offset: ?>, #tenon_tile.memory<launch>>
      %processors = processors
      grid (%i, %mi) = 0 to %arg0 step 2, (%j) = %arg0 to %processors {
        %1 = load %arg2[%i - 1, 0] extents [%mi, 8] steps [2, 1] stream fill (1.000000e+00 : f32) : memref<?x8xf32, strided<[?, 1]>> -> tensor<2x8xf32>
        prefetch %arg3[%i, 0] level 1 write : memref<4x8xf32>
        %2 = position %i * 2 dim 0 : tensor<2xi64>
        %3 = load %arg3[gather %2, 3] dims [0] : memref<4x8xf32>, tensor<2xi64> -> tensor<2xf32>
        %4 = fill %1 extents [%mi, 8] with (0xFF800000 : f32) : tensor<2x8xf32>
        store %4, %arg4[gather %2, 0] extents [%mi, 8] stream : tensor<2x8xf32>, memref<?x8xf32, strided<[?, 1]>>, tensor<2xi64>
        stage "copies" {
          copy %arg2[%i, 0] to %scratch[0, 0] tile [2, 8] extents [%mi, 8] steps [2, 1] : memref<?x8xf32, strided<[?, 1]>>, memref<2x8xf32, #tenon_tile.memory<workgroup>>
        }
      }
      grid (%i) = 0 to 1 {
        %1:2 = stage "values" -> (tensor<8xf32>, tensor<f32>) {
          %2 = tenon.constant dense<0.000000e+00> : tensor<8xf32>
          %3 = tenon.constant dense<0.000000e+00> : tensor<f32>
          yield %2, %3 : tensor<8xf32>, tensor<f32>
        }
        for (%j) = 0 to 2, (%k, %mk) = 0 to 8 step 4 {
          peel (%e = %mk) of 4 {
          }
        }
      }
    }
    tenon_tile.program @tiles(%arg0: index, %arg1: memref<16x16xf16>, %arg2: memref<?xf32>) -> (%arg3: memref<?x8xf32>, %arg4: memref<?x8xf32>) attributes {warps = 3 : i64} {
      bind %arg2 sizes [%arg0] : memref<?xf32>
      bind %arg3 sizes [%arg0, 8] : memref<?x8xf32>
      bind %arg4 sizes [%arg0, 8] : memref<?x8xf32>
      %0 = tenon.constant dense<0.000000e+00> : tensor<16x8xf32>
      %1 = tenon.constant dense<0.000000e+00> : tensor<8x8x2xf16>
      %scratch = scratch : memref<2x16x16xf16, #tenon_tile.memory<workgroup, swizzle = 64>>
      %ring = ring slots 2
      grid (%i, %mi) = 0 to %arg0 step 16 {
        roles {
          role "copies" warps 1 {
            %true = arith.constant true
            put %ring[0] slot %slot when %true {
              copy %arg1[0, 0] to %scratch[%slot, 0, 0] tile [16, 16] via tma : memref<16x16xf16>, memref<2x16x16xf16, #tenon_tile.memory<workgroup, swizzle = 64>>
            }
          }
          role "sums" warps 2 registers 232 {
            %slot = take %ring[0]
            %2 = load %scratch[%slot, 0, 0] : memref<2x16x16xf16, #tenon_tile.memory<workgroup, swizzle = 64>> -> tensor<16x16xf16>
            %3 = mma %2, %1, %0 via <"nvvm.mma.sync", m = 16, n = 8, k = 16> : tensor<16x16xf16>, tensor<8x8x2xf16> -> tensor<16x8xf32>
            release %ring[0] lag 1
            %4 = tenon.constant dense<0.000000e+00> : tensor<8xf32>
            %5 = tenon.transpose %3 [1, 0] : tensor<16x8xf32> -> tensor<8x16xf32>
            %6:2 = compute at [%i, 0] dims [1, 0] extents [8, %mi] (%arg5 = %5 : tensor<8x16xf32> of tensor<?x8xf32>, %arg6 = %4 at [%i * 2, 0] : tensor<8xf32> of tensor<?x8xf32>, %arg7 = %arg2 : memref<?xf32>) -> (tensor<8x16xf32>, tensor<8x16xf32>) {
              bind_shape %arg7 [%arg0] : tensor<?xf32>
              %7 = broadcast %arg7 dims [0] sizes [%arg0, 8] : tensor<?xf32> -> tensor<?x8xf32>
              tenon_tile.yield %7, %arg5 : tensor<?x8xf32>, tensor<?x8xf32>
            }
            store %6#0, %arg3[%i, 0] extents [8, %mi] dims [1, 0] : tensor<8x16xf32>, memref<?x8xf32>
          }
        }
      }
    }
    tenon_tile.variants @relu {
      tenon_tile.variant @avx2 target #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> {
        tenon_tile.program @few(%arg0: index) -> (%arg1: memref<8xf32>) guard (-%arg0 + 4 >= 0) {
          grid (%i) = 0 to 1 {
          }
        }
        tenon_tile.program @many(%arg0: index) -> (%arg1: memref<8xf32>) {
          grid (%i) = 0 to 1 {
          }
        }
      }
    }
    tenon_tile.program @first(%arg0: memref<4x40xf32>) -> (%arg1: memref<4x2xf32>) {
      grid (%i) = 0 to 4 {
        topk %arg0 at [%i, 0] dim 1 lanes 8 smallest values %arg1 : memref<4x40xf32> values memref<4x2xf32>
      }
    }
  }
  module @variants {
    tenon_tile.variants @k {
      tenon_tile.variant @avx2 target #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> schedule(vector_bytes = 32, vectors = 1) {
        tenon_tile.kernel @k(%arg0: tensor<4xf32>) -> tensor<4xf32> {
          tenon_tile.yield %arg0 : tensor<4xf32>
        }
      }
      tenon_tile.variant @narrow target #tenon_tile.cpu<name = "narrow", core = "x86-64", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64", features = "", vector_bytes = 16, vector_registers = 16, memories = [<"L2", bytes = 262144, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 4, k = 1>, f32, f32, f32, per_cycle = 1, latency = 5>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> {
        tenon_tile.kernel @k(%arg0: tensor<4xf32>) -> tensor<4xf32> {
          tenon_tile.yield %arg0 : tensor<4xf32>
        }
      }
    }
    tenon_tile.variants @loops {
      tenon_tile.variant @avx2 target #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}> schedule() {
        func.func @loops(%arg0: memref<f32>, %arg1: index, %arg2: index) -> i32 {
          %c0_i32 = arith.constant 0 : i32
          return %c0_i32 : i32
        }
      }
    }
    func.func @main(%arg0: memref<f32>) {
      tenon_host.launch @loops outs(%arg0 : memref<f32>)
      return
    }
    tenon_tile.kernel @fixed(%arg0: tensor<4xf32>) -> tensor<4xf32> attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>} {
      tenon_tile.yield %arg0 : tensor<4xf32>
    }
  }
}
