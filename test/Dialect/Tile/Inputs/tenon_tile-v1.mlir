module {
  module @kernel {
    tenon_tile.kernel @exp(%arg0: index, %arg1: tensor<?x4xf32>) -> tensor<?x4xf32> attributes {work = affine_map<()[s0] -> (s0)>} {
      tenon.bind_shape %arg1 [%arg0, 4] : tensor<?x4xf32>
      %0 = tenon.exp %arg1 : tensor<?x4xf32>
      tenon_tile.yield %0 : tensor<?x4xf32>
    }
    func.func @panels() -> tensor<8x40xf32> {
      %0 = tenon.constant #tenon_tile.panels<dense<1.000000e+00> : tensor<8x40xf32>, 0> : tensor<2x8x32xf32>
      %1 = tenon_tile.unpack %0 depth 0 : tensor<2x8x32xf32> -> tensor<8x40xf32>
      return %1 : tensor<8x40xf32>
    }
    func.func @window_rows(%arg0: tensor<1x?x9x4xf32>) -> tensor<1x?x4x24xf32> {
      %0 = tenon_tile.window_rows %arg0 sizes [2, 3] strides [1, 2] dilations [3, 1] : tensor<1x?x9x4xf32> -> tensor<1x?x4x24xf32>
      return %0 : tensor<1x?x4x24xf32>
    }
    func.func @clipped_window_rows(%arg0: tensor<1x?x9x4xf32>) -> tensor<1x?x9x24xf32> {
      %0 = tenon_tile.window_rows %arg0 sizes [2, 3] strides [1, 1] dilations [3, 4] pads [0, 3, 4, 5] : tensor<1x?x9x4xf32> -> tensor<1x?x9x24xf32>
      return %0 : tensor<1x?x9x24xf32>
    }
    func.func @microkernel(%arg0: memref<?xf32>, %arg1: memref<?xf32>, %arg2: index) -> (vector<16xf32>, vector<16xf32>) {
      %0:2 = tenon_tile.microkernel %arg0[%arg2, %arg2] stride %arg2 rhs %arg1[%arg2] stride %arg2 depth %arg2 columns %arg2 prefetch %arg2 step %arg2 : memref<?xf32>, memref<?xf32> -> vector<16xf32>, vector<16xf32>
      return %0#0, %0#1 : vector<16xf32>, vector<16xf32>
    }
    func.func @report(%arg0: index, %arg1: i64) {
      tenon_tile.report 1 at %arg0 value %arg1 limit %arg1
      return
    }
  }
  module @variants {
    tenon_tile.variants @k {
      tenon_tile.variant @avx2 target <name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32> schedule(vector_bytes = 32, vectors = 1) {
        tenon_tile.kernel @k(%arg0: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
          tenon_tile.yield %arg0 : tensor<4xf32>
        }
      }
      tenon_tile.variant @narrow target <name = "narrow", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64", features = "", vector_bytes = 16, vector_registers = 16, level1_bytes = 32768, level2_bytes = 262144, level3_bytes = 4194304, fmas_per_cycle = 1, loads_per_cycle = 2, fma_latency = 5, level2_bytes_per_cycle = 32> {
        tenon_tile.kernel @k(%arg0: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
          tenon_tile.yield %arg0 : tensor<4xf32>
        }
      }
    }
    tenon_tile.variants @loops {
      tenon_tile.variant @avx2 target <name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32> schedule() {
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
    tenon_tile.kernel @fixed(%arg0: tensor<4xf32>) -> tensor<4xf32> attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>, work = affine_map<() -> (1)>} {
      tenon_tile.yield %arg0 : tensor<4xf32>
    }
  }
}
