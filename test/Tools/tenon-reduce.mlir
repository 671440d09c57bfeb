// The op that matters out of a graph of twenty, with sizes that are still those of the batch.
// RUN: tenon-reduce %s --test=%python --test-arg=%S/Inputs/interesting.py --test-arg="tenon.softmax" --test-arg=-- --test-arg="" 2> %t.said | FileCheck %s
// RUN: FileCheck %s --check-prefix=SAID < %t.said
// SAID: tenon-reduce: 23 ops became 3 in {{[0-9]+}} tests
// CHECK: func.func @main(%[[X:.*]]: tensor<?x1xf32> {tenon.name = "cut{{[0-9]+}}"}) -> tensor<?x1xf32> {
// CHECK-NEXT: %[[Y:.*]] = tenon.softmax %[[X]] dims [1] : tensor<?x1xf32>
// CHECK-NEXT: return %[[Y]]

// What a wrong pass changes: both operands are needed.
// RUN: tenon-reduce %s --test=%python --test-arg=%S/Inputs/interesting.py --test-arg=-- --test-arg="after pass 'test-swap-operands', function 'main' has another result" \
// RUN:   --test-arg=--tenon-check-semantics --test-arg=--load-pass-plugin=%tenon_build/lib/TenonTestPasses.so \
// RUN:   --test-arg="--pass-pipeline=builtin.module(test-swap-operands{op=tenon.sub})" -o %t.mlir
// RUN: FileCheck %s --check-prefix=SWAP < %t.mlir
// SWAP: func.func @main(%{{.*}}: tensor<?x1xf32> {{{.*}}}, %{{.*}}: tensor<?x1xf32> {{{.*}}})
// SWAP-NEXT: %[[Y:.*]] = tenon.sub %{{.*}}, %{{.*}} : tensor<?x1xf32>
// SWAP-NEXT: return %[[Y]]

// RUN: not tenon-reduce %s --test=%python --test-arg=%S/Inputs/interesting.py --test-arg="tenon.sort" --test-arg=-- --test-arg="" -o %t.none 2>&1 \
// RUN:   | FileCheck %s --check-prefix=BORING
// RUN: not ls %t.none
// BORING: tenon-reduce: error: the module is not interesting to begin with: '{{.*}}' doesn't exit with status 1
// RUN: not tenon-reduce %s --test=%t.there-is-none 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: tenon-reduce: error: there is no program '{{.*}}.there-is-none'

func.func @main(%x: tensor<?x8xf32>, %z: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?xf32>) {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 8] : tensor<?x8xf32>
  tenon.bind_shape %z [%n, 8] : tensor<?x8xf32>
  %0 = tenon.exp %x : tensor<?x8xf32>
  %1 = tenon.tanh %z : tensor<?x8xf32>
  %2 = tenon.add %0, %1 : tensor<?x8xf32>
  %3 = tenon.mul %2, %x : tensor<?x8xf32>
  %4 = tenon.neg %3 : tensor<?x8xf32>
  %5 = tenon.abs %4 : tensor<?x8xf32>
  %6 = tenon.sub %5, %2 : tensor<?x8xf32>
  %7 = tenon.softmax %6 dims [1] : tensor<?x8xf32>
  %8 = tenon.exp %7 : tensor<?x8xf32>
  %9 = tenon.add %8, %1 : tensor<?x8xf32>
  %10 = tenon.mul %9, %9 : tensor<?x8xf32>
  %11 = tenon.neg %10 : tensor<?x8xf32>
  %12 = tenon.tanh %11 : tensor<?x8xf32>
  %13 = tenon.abs %12 : tensor<?x8xf32>
  %14 = tenon.add %13, %3 : tensor<?x8xf32>
  %15 = tenon.mul %14, %14 : tensor<?x8xf32>
  %16 = tenon.exp %15 : tensor<?x8xf32>
  %17 = tenon.reduce sum %16 dims [1] : tensor<?x8xf32> -> tensor<?xf32>
  return %15, %17 : tensor<?x8xf32>, tensor<?xf32>
}
