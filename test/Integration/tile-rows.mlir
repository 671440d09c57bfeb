// RUN: tenon-compile %s -o %t.so --quiet
// RUN: %python %S/Inputs/check-model.py %t.so tile_rows | FileCheck %s
// CHECK: right

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>

// Tile programs of rows and columns as compiled code: a block that is read turned and written as columns, lane by lane.
tenon_tile.variants @columns {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @columns(%m: index, %n: index, %x: memref<?x?xf32>, %b: memref<?x?xf32>) -> (%y: memref<?x?xf32>) {
      bind %x sizes [%m, %n] : memref<?x?xf32>
      bind %b sizes [%n, %m] : memref<?x?xf32>
      bind %y sizes [%m, %n] : memref<?x?xf32>
      grid (%i, %mi) = 0 to %m step 8, (%j, %nj) = 0 to %n step 8 {
        %0 = load %x[%i, %j] extents [%nj, %mi] dims [1, 0] : memref<?x?xf32> -> tensor<8x8xf32>
        %1 = load %b[%j, %i] extents [%nj, %mi] : memref<?x?xf32> -> tensor<8x8xf32>
        %2 = tenon.add %0, %1 : tensor<8x8xf32>
        store %2, %y[%i, %j] extents [%nj, %mi] dims [1, 0] : tensor<8x8xf32>, memref<?x?xf32>
      }
    }
  }
}

// Two rows at once, each element times its place, and the largest of the row; what is left of the rows in a peel among others.
tenon_tile.variants @rows {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @rows(%m: index, %n: index, %x: memref<?x1x?xf32>) -> (%y: memref<?x1xf32>, %z: memref<?x1xf32>) {
      bind %x sizes [%m, 1, %n] : memref<?x1x?xf32>
      bind %y sizes [%m, 1] : memref<?x1xf32>
      bind %z sizes [%m, 1] : memref<?x1xf32>
      %zero = tenon.constant dense<0.0> : tensor<2x1x8xf32>
      grid (%i, %mi) = 0 to %m step 2 {
        %s, %t = for (%j, %mj) = 0 to %n step 8 iter_args(%c = %zero, %d = %zero) -> (tensor<2x1x8xf32>, tensor<2x1x8xf32>) {
          %p = position %j + 1 dim 2 : tensor<2x1x8xi32>
          %q = tenon.cast %p : tensor<2x1x8xi32> -> tensor<2x1x8xf32>
          %0:2 = peel (%e = %mj) of 8 -> (tensor<2x1x8xf32>, tensor<2x1x8xf32>) {
            %v = load %x[%i, 0, %j] extents [%mi, 1, %e] : memref<?x1x?xf32> -> tensor<2x1x8xf32>
            %w = tenon.mul %v, %q : tensor<2x1x8xf32>
            %f = fill %w extents [%mi, 1, %e] with (0.0) : tensor<2x1x8xf32>
            %1 = tenon.add %c, %f : tensor<2x1x8xf32>
            %2 = tenon.max %d, %f : tensor<2x1x8xf32>
            yield %1, %2 : tensor<2x1x8xf32>, tensor<2x1x8xf32>
          }
          yield %0#0, %0#1 : tensor<2x1x8xf32>, tensor<2x1x8xf32>
        }
        %sum = tenon.reduce sum %s dims [2] : tensor<2x1x8xf32> -> tensor<2x1xf32>
        %most = tenon.reduce max %t dims [2] : tensor<2x1x8xf32> -> tensor<2x1xf32>
        store %sum, %y[%i, 0] extents [%mi, 1] : tensor<2x1xf32>, memref<?x1xf32>
        store %most, %z[%i, 0] extents [%mi, 1] : tensor<2x1xf32>, memref<?x1xf32>
      }
    }
  }
}

func.func @main() {
  %m = tenon.symbol "m" range [1, 4096]
  %n = tenon.symbol "n" range [1, 4096]
  %x = tenon_host.storage input 0 "x" sizes [%m, %n] : memref<?x?xf32>
  %b = tenon_host.storage input 1 "b" sizes [%n, %m] : memref<?x?xf32>
  %r = tenon_host.storage input 2 "r" sizes [%m, 1, %n] : memref<?x1x?xf32>
  %y = tenon_host.storage output 0 "y" sizes [%m, %n] : memref<?x?xf32>
  %s = tenon_host.storage output 1 "s" sizes [%m, 1] : memref<?x1xf32>
  %t = tenon_host.storage output 2 "t" sizes [%m, 1] : memref<?x1xf32>
  tenon_host.launch @columns symbols(%m, %n) ins(%x, %b : memref<?x?xf32>, memref<?x?xf32>) outs(%y : memref<?x?xf32>)
  tenon_host.launch @rows symbols(%m, %n) ins(%r : memref<?x1x?xf32>) outs(%s, %t : memref<?x1xf32>, memref<?x1xf32>)
  return
}
