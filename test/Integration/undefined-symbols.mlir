// RUN: not tenon-compile %s -o %t.so 2>&1 | FileCheck %s
// RUN: not ls %t.so

// A call that code generation left is an internal error that names it, not an artifact that fails where it runs.
// CHECK: error: internal error: the image can't be linked
// CHECK-SAME: undefined symbol: cosf
func.func @k(%a: memref<f32>, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 1, strides = 0, symbols = 0},
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<() -> (1)>]>} {
  %ok = arith.constant 0 : i32
  %x = memref.load %a[] : memref<f32>
  %y = llvm.intr.cos(%x) : (f32) -> f32
  memref.store %y, %a[] : memref<f32>
  return %ok : i32
}
func.func @main() {
  %y = tenon_host.storage output 0 "y" sizes [] : memref<f32>
  tenon_host.launch @k outs(%y : memref<f32>)
  return
}
