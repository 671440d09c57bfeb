// RUN: tenon-compile %s -o %t.so --quiet
// RUN: %python %S/Inputs/check-model.py %t.so grids | FileCheck %s
// CHECK: 'x': index -5 is out of range for size 0
// CHECK: right

#avx2 = #tenon_tile.cpu<name = "avx2", core = "avx2", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v3", features = "+avx,+avx2,+fma", vector_bytes = 32, vector_registers = 16, memories = [<"L2", bytes = 524288, bytes_per_cycle = 32, shared = false>], rates = [<<"x86.vfmadd231ps", m = 1, n = 8, k = 1>, f32, f32, f32, per_cycle = 2, latency = 4>], layouts = {multiply_first = 0.025, multiply_last = 0.021, gather_first = 0.36, part_last = 1, tap_first = 0.25, tap_last = 0.09, plain_tap = 1, to_last = 0.35, to_first = 0.5, turned = 0.15, copied = 0.3, columns = 16, border = 1.125}, schedules = {loads_per_cycle = 2, instructions_per_cycle = 2, turn_cycles = 8, many_instructions = 16, tile_cycles = 0.01, depth_block = 768, turn_size = 12, wide_rows = 2, fetch_rows = 32, unit_rows = 96, unit_columns = 32}>
#launch = #tenon_tile.memory<launch>
#workgroup = #tenon_tile.memory<workgroup>

// Each row and the sum of the one that lies as far from the other end: for up to 4 rows in one grid, else in two, the first of
// which goes through more scratch than the stack has. The second result says which program it was.
tenon_tile.variants @sums {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @few(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>, %z: memref<1xf32>) guard (4 - %m >= 0) {
      bind %x sizes [%m, 8] : memref<?x8xf32>
      bind %y sizes [%m, 8] : memref<?x8xf32>
      %one = tenon.constant dense<1.0> : tensor<1xf32>
      grid (%i) = 0 to %m {
        %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
        %b = load %x[%m - %i - 1, 0] : memref<?x8xf32> -> tensor<8xf32>
        %s = tenon.reduce sum %b dims [0] : tensor<8xf32> -> tensor<f32>
        %t = tenon.broadcast %s dims [] sizes [8] : tensor<f32> -> tensor<8xf32>
        %c = tenon.add %a, %t : tensor<8xf32>
        store %c, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
        store %one, %z[0] : tensor<1xf32>, memref<1xf32>
      }
    }
    tenon_tile.program @many(%m: index, %x: memref<?x8xf32>) -> (%y: memref<?x8xf32>, %z: memref<1xf32>) {
      bind %x sizes [%m, 8] : memref<?x8xf32>
      bind %y sizes [%m, 8] : memref<?x8xf32>
      %two = tenon.constant dense<2.0> : tensor<1xf32>
      %before = scratch : memref<3xf32, #launch>
      %sums = scratch(%m) : memref<?xf32, #launch>
      %large = scratch : memref<40000xf32, #workgroup>
      grid (%i) = 0 to %m {
        %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
        store %a, %large[39992] : tensor<8xf32>, memref<40000xf32, #workgroup>
        %b = load %large[39992] : memref<40000xf32, #workgroup> -> tensor<8xf32>
        %s = tenon.reduce sum %b dims [0] : tensor<8xf32> -> tensor<f32>
        store %s, %sums[%i] : tensor<f32>, memref<?xf32, #launch>
      }
      grid (%i) = 0 to %m {
        %a = load %x[%i, 0] : memref<?x8xf32> -> tensor<8xf32>
        %s = load %sums[%m - %i - 1] : memref<?xf32, #launch> -> tensor<f32>
        %t = tenon.broadcast %s dims [] sizes [8] : tensor<f32> -> tensor<8xf32>
        %c = tenon.add %a, %t : tensor<8xf32>
        store %c, %y[%i, 0] : tensor<8xf32>, memref<?x8xf32>
        store %two, %z[0] : tensor<1xf32>, memref<1xf32>
      }
    }
  }
}

// An error of the first grid ends the launch: the second would report one that comes before.
tenon_tile.variants @checked {
  tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
    tenon_tile.program @checked(%m: index, %x: memref<?xi64>) -> (%y: memref<?xi64>) {
      bind %x sizes [%m] : memref<?xi64>
      bind %y sizes [%m] : memref<?xi64>
      %zero = arith.constant 0 : i64
      grid (%i) = 0 to %m {
        %a = load %x[%i] : memref<?xi64> -> tensor<i64>
        %v = tensor.extract %a[] : tensor<i64>
        %isWrong = arith.cmpi slt, %v, %zero : i64
        scf.if %isWrong {
          tenon_tile.report 1 at %i value %v limit %zero
        }
        store %a, %y[%i] : tensor<i64>, memref<?xi64>
      }
      grid (%i) = 0 to %m {
        %a = load %x[%i] : memref<?xi64> -> tensor<i64>
        %v = tensor.extract %a[] : tensor<i64>
        %isWrong = arith.cmpi slt, %v, %zero : i64
        scf.if %isWrong {
          %first = arith.constant 0 : index
          tenon_tile.report 4 at %first value %v limit %zero
        }
      }
    }
  }
}

func.func @main() {
  %m = tenon.symbol "m" range [1, 4096]
  %x = tenon_host.storage input 0 "x" sizes [%m, 8] : memref<?x8xf32>
  %p = tenon_host.storage input 1 "p" sizes [%m] : memref<?xi64>
  %y = tenon_host.storage output 0 "y" sizes [%m, 8] : memref<?x8xf32>
  %z = tenon_host.storage output 1 "z" sizes [1] : memref<1xf32>
  %q = tenon_host.storage output 2 "q" sizes [%m] : memref<?xi64>
  tenon_host.launch @sums symbols(%m) ins(%x : memref<?x8xf32>) outs(%y, %z : memref<?x8xf32>, memref<1xf32>)
  tenon_host.launch @checked symbols(%m) ins(%p : memref<?xi64>) outs(%q : memref<?xi64>) loc("x")
  return
}
