// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK: #avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>
#avx2 = #tenon_tile.target<name = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, level1_bytes = 32768, level2_bytes = 524288, level3_bytes = 16777216, fmas_per_cycle = 2, loads_per_cycle = 2, fma_latency = 4, level2_bytes_per_cycle = 32>
#narrow = #tenon_tile.target<name = "narrow", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64", features = "", vector_bytes = 16, vector_registers = 16, level1_bytes = 32768, level2_bytes = 262144, level3_bytes = 4194304, fmas_per_cycle = 1, loads_per_cycle = 2, fma_latency = 5, level2_bytes_per_cycle = 32>

// CHECK: tenon_tile.variants @k {
// CHECK:   tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
// CHECK:     tenon_tile.kernel @k
// CHECK:   tenon_tile.variant @narrow target #narrow {
tenon_tile.variants @k {
  tenon_tile.variant @avx2 target #avx2 schedule(vectors = 1, vector_bytes = 32) {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
      tenon_tile.yield %x : tensor<4xf32>
    }
  }
  tenon_tile.variant @narrow target #narrow {
    tenon_tile.kernel @k(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
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
    attributes {work = affine_map<() -> (1)>, tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>} {
  tenon_tile.yield %x : tensor<4xf32>
}
