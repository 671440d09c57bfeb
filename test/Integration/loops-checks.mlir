// RUN: tenon-compile %s -o %t.so --quiet
// RUN: %python %S/Inputs/check-model.py %t.so pick | FileCheck %s

// The error with the lowest position is the one that is told, on any number of threads.
// CHECK: error: {{.*}}embed{{.*}}12
// CHECK-NEXT: error: {{.*}}embed{{.*}}12
// CHECK-NEXT: right
func.func @pick(%a: memref<f32>, %b: memref<i64>, %c: memref<f32>, %n: index, %m: index, %begin: index, %end: index,
                %slot: memref<32xi8>) -> i32
    attributes {tenon_tile.kernel = {buffers = 3, strides = 0, symbols = 2}, tenon_tile.checks,
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0, s1] -> (s1)>]>} {
  %ok = arith.constant 0 : i32
  %one = arith.constant 1 : index
  %limit = arith.index_cast %n : index to i64
  %table = memref.reinterpret_cast %a to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %indices = memref.reinterpret_cast %b to offset: [0], sizes: [%m], strides: [1] : memref<i64> to memref<?xi64>
  %y = memref.reinterpret_cast %c to offset: [0], sizes: [%m], strides: [1] : memref<f32> to memref<?xf32>
  scf.for %i = %begin to %end step %one {
    %u = memref.load %indices[%i] : memref<?xi64>
    %bad = arith.cmpi uge, %u, %limit : i64
    scf.if %bad {
      tenon_tile.report 1 at %i value %u limit %limit
    } else {
      %k = arith.index_cast %u : i64 to index
      %v = memref.load %table[%k] : memref<?xf32>
      memref.store %v, %y[%i] : memref<?xf32>
    }
  }
  return %ok : i32
}

func.func @main() {
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  %a = tenon_host.storage input 0 "table" sizes [%n] : memref<?xf32>
  %b = tenon_host.storage input 1 "indices" sizes [%m] : memref<?xi64>
  %c = tenon_host.storage output 0 "y" sizes [%m] : memref<?xf32>
  tenon_host.launch @pick symbols(%n, %m) ins(%a, %b : memref<?xf32>, memref<?xi64>) outs(%c : memref<?xf32>) loc("embed")
  return
}
