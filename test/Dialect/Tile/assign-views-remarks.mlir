// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-views))" --remarks-filter=tenon-assign-views \
// RUN:   -o /dev/null 2>&1 | FileCheck %s
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-views))" -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=QUIET --allow-empty

// Nothing is said unless somebody asks.
// QUIET-NOT: remark:

func.func @steps(%x: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x8xf32>) {
  // What is a view is no loss.
  // CHECK-NOT: remark:
  %a = tenon.slice %x offsets [0, 0] sizes [4, 8] strides [2, 1] : tensor<8x8xf32> -> tensor<4x8xf32>
  // CHECK: [[#@LINE+1]]:8: remark: [Missed] slice-is-copied | Category:tenon-assign-views | Reason="elements of its rows aren't next to each other"
  %b = tenon.slice %x offsets [0, 0] sizes [8, 4] strides [1, 2] : tensor<8x8xf32> -> tensor<8x4xf32>
  // CHECK: remark: {{.*}} Reason="its steps aren't known to go forward"
  %c = tenon.slice %x offsets [7, 0] sizes [8, 8] strides [-1, 1] : tensor<8x8xf32> -> tensor<8x8xf32>
  %d = tenon.exp %a : tensor<4x8xf32>
  %e = tenon.exp %b : tensor<8x4xf32>
  %f = tenon.exp %c : tensor<8x8xf32>
  return %d, %e, %f : tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x8xf32>
}

func.func @parts(%x: tensor<4x4xf32>) -> tensor<4x8xf32> {
  %a = tenon.exp %x : tensor<4x4xf32>
  // CHECK: remark: [Missed] operand-is-copied {{.*}} Reason="no kernel beside it writes it", Remark="operand 0"
  // CHECK-NOT: operand 1
  %y = tenon.concat %x, %a dim 1 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
