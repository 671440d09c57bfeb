// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-convert-kernels-to-llvm)" | FileCheck %s

// All dialects at once: no cast is left between them.
// CHECK-NOT: unrealized_conversion_cast

// CHECK-LABEL: llvm.func @load(
// CHECK-SAME: !llvm.ptr
// CHECK: llvm.getelementptr
// CHECK: llvm.load
func.func @load(%m: memref<16xf32>, %i: index) -> f32 {
  %0 = memref.load %m[%i] : memref<16xf32>
  return %0 : f32
}

// CHECK-LABEL: llvm.func @branches
// CHECK: ^{{.*}}(%{{.*}}: i64, %{{.*}}: vector<8xf32>)
// CHECK: llvm.icmp "slt"
// CHECK: llvm.cond_br
// CHECK: llvm.intr.fmuladd
func.func @branches(%n: index, %m: memref<64xf32>, %a: vector<8xf32>) -> vector<8xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  cf.br ^head(%c0, %a : index, vector<8xf32>)
^head(%i: index, %sum: vector<8xf32>):
  %more = arith.cmpi slt, %i, %n : index
  cf.cond_br %more, ^body, ^end
^body:
  %x = vector.load %m[%i] : memref<64xf32>, vector<8xf32>
  %next = vector.fma %x, %x, %sum : vector<8xf32>
  %at = affine.apply affine_map<(d0)[s0] -> (d0 + s0)>(%i)[%c8]
  cf.br ^head(%at, %next : index, vector<8xf32>)
^end:
  return %sum : vector<8xf32>
}

// CHECK-LABEL: llvm.func @sqrt
// CHECK: llvm.intr.sqrt
// CHECK: llvm.mlir.poison
func.func @sqrt(%x: f32) -> (f32, f32) {
  %0 = math.sqrt %x : f32
  %1 = ub.poison : f32
  return %0, %1 : f32, f32
}
