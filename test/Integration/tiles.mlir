// RUN: tenon-compile %s -o %t.so --quiet
// RUN: %python %S/Inputs/check-model.py %t.so tiles | FileCheck %s
// CHECK: right

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// Tile programs as compiled code: a product with bias in scratch, one whose registers are written row by row, and windows.
tenon_tile.variants @gemm {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 2) {
    tenon_tile.program @gemm(%m: index, %x: memref<?x8xf32>, %w: memref<2x8x16xf32>, %bias: memref<32xf32>) -> (%y: memref<?x32xf32>) {
      bind %x sizes [%m, 8] : memref<?x8xf32>
      bind %y sizes [%m, 32] : memref<?x32xf32>
      %s = scratch : memref<3x16xf32, #tenon_tile.memory<workgroup>>
      %zero = tenon.constant dense<0.0> : tensor<3x16xf32>
      grid (%i, %mi) = 0 to %m step 3, (%p) = 0 to 2 {
        %acc = for (%k) = 0 to 8 step 2 iter_args(%c = %zero) -> (tensor<3x16xf32>) {
          prefetch %w[%p + 1, %k, 0] level 2 : memref<2x8x16xf32>
          %a = load %x[%i, %k] extents [%mi, 2] : memref<?x8xf32> -> tensor<3x2xf32>
          %b = load %w[%p, %k, 0] : memref<2x8x16xf32> -> tensor<2x16xf32>
          %d = mma %a, %b, %c : tensor<3x2xf32>, tensor<2x16xf32> -> tensor<3x16xf32>
          yield %d : tensor<3x16xf32>
        }
        store %acc, %s[0, 0] : tensor<3x16xf32>, memref<3x16xf32, #tenon_tile.memory<workgroup>>
        for (%r) = 0 to %mi {
          %t = load %s[%r, 0] : memref<3x16xf32, #tenon_tile.memory<workgroup>> -> tensor<1x16xf32>
          %o = compute at [%i + %r, %p * 16] (%v = %t : tensor<1x16xf32> of tensor<?x32xf32>, %b = %bias : memref<32xf32>) -> tensor<1x16xf32> {
            %0 = broadcast %b dims [1] sizes [%m, 32] : tensor<32xf32> -> tensor<?x32xf32>
            %1 = add %v, %0 : tensor<?x32xf32>
            tenon_tile.yield %1 : tensor<?x32xf32>
          }
          store %o, %y[%i + %r, %p * 16] : tensor<1x16xf32>, memref<?x32xf32>
        }
      }
    }
  }
}

tenon_tile.variants @pieces {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 16, vectors = 3) {
    tenon_tile.program @pieces(%m: index, %n: index, %x: memref<?x8xf32>, %w: memref<8x?xf32>) -> (%y: memref<?x?xf32>) {
      bind %x sizes [%m, 8] : memref<?x8xf32>
      bind %w sizes [8, %n] : memref<8x?xf32>
      bind %y sizes [%m, %n] : memref<?x?xf32>
      %zero = tenon.constant dense<0.0> : tensor<2x12xf32>
      grid (%i, %mi) = 0 to %m step 2, (%j, %nj) = 0 to %n step 12 {
        %acc = for (%k) = 0 to 8 iter_args(%c = %zero) -> (tensor<2x12xf32>) {
          %a = load %x[%i, %k] extents [%mi, 1] : memref<?x8xf32> -> tensor<2x1xf32>
          %b = load %w[%k, %j] extents [1, %nj] : memref<8x?xf32> -> tensor<1x12xf32>
          %d = mma %a, %b, %c : tensor<2x1xf32>, tensor<1x12xf32> -> tensor<2x12xf32>
          yield %d : tensor<2x12xf32>
        }
        store %acc, %y[%i, %j] extents [%mi, %nj] : tensor<2x12xf32>, memref<?x?xf32>
      }
    }
  }
}

tenon_tile.variants @windows {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @windows(%x: memref<5x7x4xf32>, %f: memref<3x12x8xf32>) -> (%y: memref<2x3x8xf32>) {
      %zero = tenon.constant dense<0.0> : tensor<2x8xf32>
      %win = view %x (h, w, kh, r) -> (h * 2 + kh, w * 2, r) sizes [2, 3, 3, 12]
             : memref<5x7x4xf32> -> memref<2x3x3x12xf32, strided<[56, 8, 28, 1]>>
      grid (%h) = 0 to 2, (%w, %mw) = 0 to 3 step 2 {
        %acc = for (%kh) = 0 to 3 iter_args(%c0 = %zero) -> (tensor<2x8xf32>) {
          %0 = for (%r) = 0 to 12 step 4 iter_args(%c = %c0) -> (tensor<2x8xf32>) {
            %a = load %win[%h, %w, %kh, %r] extents [%mw, 4] dims [1, 3] : memref<2x3x3x12xf32, strided<[56, 8, 28, 1]>> -> tensor<2x4xf32>
            %b = load %f[%kh, %r, 0] : memref<3x12x8xf32> -> tensor<4x8xf32>
            %d = mma %a, %b, %c : tensor<2x4xf32>, tensor<4x8xf32> -> tensor<2x8xf32>
            yield %d : tensor<2x8xf32>
          }
          yield %0 : tensor<2x8xf32>
        }
        store %acc, %y[%h, %w, 0] extents [%mw, 8] : tensor<2x8xf32>, memref<2x3x8xf32>
      }
    }
  }
}

func.func @main() {
  %m = tenon.symbol "m" range [1, 4096]
  %n = tenon.symbol "n" range [1, 4096]
  %x = tenon_host.storage input 0 "x" sizes [%m, 8] : memref<?x8xf32>
  %w = tenon_host.storage input 1 "w" sizes [2, 8, 16] : memref<2x8x16xf32>
  %b = tenon_host.storage input 2 "b" sizes [32] : memref<32xf32>
  %v = tenon_host.storage input 3 "v" sizes [8, %n] : memref<8x?xf32>
  %i = tenon_host.storage input 4 "i" sizes [5, 7, 4] : memref<5x7x4xf32>
  %f = tenon_host.storage input 5 "f" sizes [3, 12, 8] : memref<3x12x8xf32>
  %y = tenon_host.storage output 0 "y" sizes [%m, 32] : memref<?x32xf32>
  %z = tenon_host.storage output 1 "z" sizes [%m, %n] : memref<?x?xf32>
  %o = tenon_host.storage output 2 "o" sizes [2, 3, 8] : memref<2x3x8xf32>
  tenon_host.launch @gemm symbols(%m) ins(%x, %w, %b : memref<?x8xf32>, memref<2x8x16xf32>, memref<32xf32>) outs(%y : memref<?x32xf32>)
  tenon_host.launch @pieces symbols(%m, %n) ins(%x, %v : memref<?x8xf32>, memref<8x?xf32>) outs(%z : memref<?x?xf32>)
  tenon_host.launch @windows ins(%i, %f : memref<5x7x4xf32>, memref<3x12x8xf32>) outs(%o : memref<2x3x8xf32>)
  return
}
