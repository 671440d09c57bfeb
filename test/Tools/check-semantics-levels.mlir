// What no interpreter runs is said once; functions come and go.
// RUN: tenon-opt %s --split-input-file --load-pass-plugin=%tenon_build/lib/TenonTestPasses.so --tenon-check-semantics \
// RUN:   --pass-pipeline="builtin.module(test-change-symbols{copy=f},canonicalize,test-change-symbols{erase=f},func.func(test-swap-operands{op=tenon.mul}))" \
// RUN:   -o %t.mlir 2>&1 | FileCheck %s

// CHECK-NOT: error
// CHECK: semantics are kept: 2 parts, 2 runs after 2 changes
// CHECK: check-semantics-levels.mlir:{{.*}} remark: function 'strange' is not checked here: {{.*}}: 'arith.addf' is not known to the interpreter
// CHECK-NOT: remark: function 'strange'
// CHECK: warning: semantics were not checked: nothing of this module could be interpreted

func.func @f(%x: tensor<2xf32>, %i: tensor<3x1xi64>) -> tensor<3xf32> {
  %zero = tenon.constant dense<0> : tensor<3x1xi64>
  %same = tenon.add %i, %zero : tensor<3x1xi64>
  // Random positions are within.
  %y = tenon.gather error %x, %same dims [0] batch_dims 0 : tensor<2xf32>, tensor<3x1xi64> -> tensor<3xf32>
  %z = tenon.mul %y, %y : tensor<3xf32>
  return %z : tensor<3xf32>
}

// -----

func.func @strange(%x: tensor<2xf32>, %y: tensor<2xf32>) -> tensor<2xf32> {
  %z = arith.addf %x, %y : tensor<2xf32>
  return %z : tensor<2xf32>
}
