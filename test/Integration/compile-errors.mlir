// RUN: not tenon-compile %s -o %t.so 2>&1 | FileCheck %s
// RUN: not ls %t.so
// RUN: not tenon-compile %s 2>&1 | FileCheck %s --check-prefix=NO-FILE
// RUN: not tenon-compile %s -o %t.so --target-cpu=z80 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not tenon-compile %s -o %t.so --target-cpu=avx2,avx2 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not tenon-compile %t.none.mlir -o %t.so 2>&1 | FileCheck %s --check-prefix=MISSING

// CHECK: compile-errors.mlir:[[# @LINE + 9]]:{{.*}} error: 'tenon_host.launch' op launches 'k', which is no kernel
// NO-FILE: error: an artifact needs a file: give -o model.so
// TARGET: error: unknown target 'z80', expected one of host, avx2, avx512, znver3, sapphirerapids, znver4, znver5, or @FILE
// TWICE: error: target 'avx2' is listed twice
// MISSING: error: cannot read the model: No such file or directory

func.func private @k()
func.func @main() {
  %x = tenon_host.storage output 0 "x" sizes [4] : memref<4xf32>
  tenon_host.launch @k outs(%x : memref<4xf32>)
  return
}
