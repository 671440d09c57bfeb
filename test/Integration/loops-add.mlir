// RUN: tenon-compile %s -o %t.so --target-cpu=avx512,avx2 | FileCheck %s --check-prefix=SUMMARY
// RUN: tenon-run %t.so --list | FileCheck %s --check-prefix=LIST
// RUN: %python %S/Inputs/check-model.py %t.so add | FileCheck %s
// RUN: tenon-compile %s --emit=llvm --target-cpu=avx2 | FileCheck %s --check-prefix=LLVM
// RUN: tenon-compile %s --emit=asm --target-cpu=avx512 | FileCheck %s --check-prefix=ASM

// SUMMARY: add (avx512): {{[0-9]+}} instructions, {{[1-9][0-9]*}} bytes
// SUMMARY: add (avx2): {{[0-9]+}} instructions, {{[1-9][0-9]*}} bytes
// SUMMARY: 2 kernels, 1 launches
// SUMMARY: total
// LIST: input a: float32[n]
// LIST: input b: float32[n]
// LIST: output sum: float32[n]
// LIST: code: avx
// CHECK: error: {{.*}}b
// CHECK: right
// LLVM: define {{.*}}i32 @add(ptr %0, i64 %1, i64 %2, i32 %3)
// ASM: add.body:
// ASM: vaddps {{.*}}%zmm

// Units of 1000 elements, a scalar remainder.
func.func @add(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 3, strides = 0, symbols = 1},
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 ceildiv 1000)>]>} {
  %ok = arith.constant 0 : i32
  %one = arith.constant 1 : index
  %lanes = arith.constant 16 : index
  %thousand = arith.constant 1000 : index
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %y = memref.reinterpret_cast %b to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %z = memref.reinterpret_cast %c to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  scf.for %unit = %begin to %end step %one {
    %first = arith.muli %unit, %thousand : index
    %next = arith.addi %first, %thousand : index
    %last = arith.minsi %next, %n : index
    %extent = arith.subi %last, %first : index
    %rest = arith.remui %extent, %lanes : index
    %whole = arith.subi %last, %rest : index
    scf.for %i = %first to %whole step %lanes {
      %u = vector.load %x[%i] : memref<?xf32>, vector<16xf32>
      %v = vector.load %y[%i] : memref<?xf32>, vector<16xf32>
      %w = arith.addf %u, %v : vector<16xf32>
      vector.store %w, %z[%i] : memref<?xf32>, vector<16xf32>
    }
    scf.for %i = %whole to %last step %one {
      %u = memref.load %x[%i] : memref<?xf32>
      %v = memref.load %y[%i] : memref<?xf32>
      %w = arith.addf %u, %v : f32
      memref.store %w, %z[%i] : memref<?xf32>
    }
  }
  return %ok : i32
}

func.func @main() {
  %n = tenon.symbol "n"
  %a = tenon_host.storage input 0 "a" sizes [%n] : memref<?xf32>
  %b = tenon_host.storage input 1 "b" sizes [%n] : memref<?xf32>
  %c = tenon_host.storage output 0 "sum" sizes [%n] : memref<?xf32>
  tenon_host.launch @add symbols(%n) ins(%a, %b : memref<?xf32>, memref<?xf32>) outs(%c : memref<?xf32>)
  return
}
