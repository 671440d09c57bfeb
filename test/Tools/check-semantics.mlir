// A pipeline that keeps results, from the graph to tile programs for two targets: the function, and each variant.
// RUN: tenon-opt %s --tenon-check-semantics --pass-pipeline="builtin.module(tenon-graph,tenon-kernels,tenon-variants{targets=avx2,avx512},tenon-tiles)" \
// RUN:   -o %t.mlir 2>&1 | FileCheck %s --check-prefix=KEPT --implicit-check-not=error
// KEPT: remark: semantics are kept: 3 parts, {{[0-9]+}} runs after {{[0-9]+}} changes

// What comes after the first wrong pass doesn't run any more.
// RUN: not tenon-opt %s --load-pass-plugin=%tenon_build/lib/TenonTestPasses.so --tenon-check-semantics \
// RUN:   --pass-pipeline="builtin.module(cse,func.func(test-swap-operands{op=tenon.sub}),test-swap-operands{op=tenon.sub})" -o %t.none 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GRAPH --implicit-check-not=error:
// RUN: not ls %t.none
// GRAPH: check-semantics.mlir:[[#@LINE + 19]]:1: error: after pass 'test-swap-operands', function 'main' has another result 0 ('y'): it has {{-?[0-9.]+}} at [0, 0], expected {{-?[0-9.]+}} (12 of 12 elements differ, by at most {{[0-9.]+}}), at sizes n = 3

// A kernel for one of two targets.
// RUN: not tenon-opt %s --load-pass-plugin=%tenon_build/lib/TenonTestPasses.so --tenon-check-semantics \
// RUN:   --pass-pipeline="builtin.module(tenon-graph,tenon-kernels,tenon-variants{targets=avx2,avx512},tenon_tile.variants(tenon_tile.variant(test-swap-operands{op=tenon.sub})))" \
// RUN:   2>&1 | FileCheck %s --check-prefix=VARIANT --implicit-check-not=error:
// VARIANT: error: after pass 'test-swap-operands', variant 'avx2' of kernel '[[KERNEL:sub_exp_.*]]' has another result 0: {{.*}}, at sizes n = 3

// Sizes, inputs and tolerances that are given.
// RUN: not tenon-opt %s --load-pass-plugin=%tenon_build/lib/TenonTestPasses.so --tenon-check-semantics --tenon-check-semantics-seed=7 \
// RUN:   --tenon-check-semantics-sizes=n=2 --pass-pipeline="builtin.module(test-swap-operands{op=tenon.sub})" 2>&1 | FileCheck %s --check-prefix=SIZES
// SIZES: (8 of 8 elements differ, {{.*}}), at sizes n = 2
// RUN: tenon-opt %s --load-pass-plugin=%tenon_build/lib/TenonTestPasses.so --tenon-check-semantics --tenon-check-semantics-tolerance=1e9 \
// RUN:   --pass-pipeline="builtin.module(test-swap-operands{op=tenon.sub})" -o %t.mlir
// RUN: not tenon-opt %s --tenon-check-semantics --tenon-check-semantics-sizes=n 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: tenon-opt: error: --tenon-check-semantics-sizes expects NAME=N,.., but has 'n'
// RUN: not tenon-opt %s --tenon-check-semantics-seed=1 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: tenon-opt: error: options of --tenon-check-semantics are given without it

func.func @main(%x: tensor<?x4xf32>, %z: tensor<?x4xf32>) -> (tensor<?x4xf32> {tenon.name = "y"}) {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 4] : tensor<?x4xf32>
  tenon.bind_shape %z [%n, 4] : tensor<?x4xf32>
  %a = tenon.sub %x, %z : tensor<?x4xf32>
  %b = tenon.exp %a : tensor<?x4xf32>
  return %b : tensor<?x4xf32>
}
