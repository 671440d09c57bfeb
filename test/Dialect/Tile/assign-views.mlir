// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-views))" | FileCheck %s

// CHECK-LABEL: func.func @read_and_written_in_place
func.func @read_and_written_in_place(%x: tensor<?x9xf32>) -> tensor<?x9xf32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 9] : tensor<?x9xf32>
  // CHECK: tenon.slice {{.*}} {tenon_host.view}
  %a = tenon.slice %x offsets [0, 2] sizes [%m, 3] strides [1, 1] : tensor<?x9xf32> -> tensor<?x3xf32>
  %b = tenon.exp %a : tensor<?x3xf32>
  // A part of the input is copied by the concat, from where it is.
  // CHECK: tenon.slice {{.*}} {tenon_host.view}
  %c = tenon.slice %x offsets [0, 0] sizes [%m, 6] strides [1, 1] : tensor<?x9xf32> -> tensor<?x6xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0>}
  %y = tenon.concat %b, %c dim 1 : tensor<?x3xf32>, tensor<?x6xf32> -> tensor<?x9xf32>
  return %y : tensor<?x9xf32>
}

// CHECK-LABEL: func.func @steps
func.func @steps(%x: tensor<8x8xf32>) -> (tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x8xf32>) {
  // Every second row is a view, every second column and the reverse order are not.
  // CHECK: tenon.slice {{.*}} strides [2, 1] {tenon_host.view}
  %a = tenon.slice %x offsets [0, 0] sizes [4, 8] strides [2, 1] : tensor<8x8xf32> -> tensor<4x8xf32>
  // CHECK: tenon.slice {{.*}} strides [1, 2] :
  %b = tenon.slice %x offsets [0, 0] sizes [8, 4] strides [1, 2] : tensor<8x8xf32> -> tensor<8x4xf32>
  // CHECK: tenon.slice {{.*}} strides [-1, 1] :
  %c = tenon.slice %x offsets [7, 0] sizes [8, 8] strides [-1, 1] : tensor<8x8xf32> -> tensor<8x8xf32>
  %d = tenon.exp %a : tensor<4x8xf32>
  %e = tenon.exp %b : tensor<8x4xf32>
  %f = tenon.exp %c : tensor<8x8xf32>
  return %d, %e, %f : tensor<4x8xf32>, tensor<8x4xf32>, tensor<8x8xf32>
}

// CHECK-LABEL: func.func @reshaped
func.func @reshaped(%x: tensor<4x12xf32>) -> (tensor<4x2x3xf32>, tensor<24xf32>, tensor<4xf32>) {
  // Rows can be divided.
  // CHECK: tenon.slice {{.*}} {tenon_host.view}
  %a = tenon.slice %x offsets [0, 0] sizes [4, 6] strides [1, 1] : tensor<4x12xf32> -> tensor<4x6xf32>
  %b = tenon.reshape %a sizes [4, 2, 3] : tensor<4x6xf32> -> tensor<4x2x3xf32>
  %c = tenon.exp %b : tensor<4x2x3xf32>
  // They can't be joined.
  // CHECK: tenon.slice {{.*}} strides [1, 1] :
  %d = tenon.slice %x offsets [0, 6] sizes [4, 6] strides [1, 1] : tensor<4x12xf32> -> tensor<4x6xf32>
  %e = tenon.reshape %d sizes [24] : tensor<4x6xf32> -> tensor<24xf32>
  %f = tenon.exp %e : tensor<24xf32>
  // Nor can a column become a row.
  // CHECK: tenon.slice {{.*}} strides [1, 1] :
  %g = tenon.slice %x offsets [0, 5] sizes [4, 1] strides [1, 1] : tensor<4x12xf32> -> tensor<4x1xf32>
  %h = tenon.reshape %g sizes [4] : tensor<4x1xf32> -> tensor<4xf32>
  %i = tenon.exp %h : tensor<4xf32>
  return %c, %f, %i : tensor<4x2x3xf32>, tensor<24xf32>, tensor<4xf32>
}

// CHECK-LABEL: func.func @operands_of_concat
func.func @operands_of_concat(%x: tensor<4x4xf32>) -> (tensor<4x20xf32>, tensor<4x8xf32>, tensor<4x4xf32>) {
  %a = tenon.exp %x : tensor<4x4xf32>
  %b = tenon.neg %x : tensor<4x4xf32>
  %c = tenon.abs %x : tensor<4x4xf32>
  // An input, a tensor that is returned and the second occurrence of one are copied.
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 1>}
  %y = tenon.concat %x, %a, %b, %a, %c dim 1 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x20xf32>
  // The last concat that wants a tensor gets it.
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0>}
  %z = tenon.concat %b, %x dim 1 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x8xf32>
  return %y, %z, %c : tensor<4x20xf32>, tensor<4x8xf32>, tensor<4x4xf32>
}

// CHECK-LABEL: func.func @nested
func.func @nested(%x: tensor<4x4xf32>) -> tensor<4x12xf32> {
  %a = tenon.exp %x : tensor<4x4xf32>
  %b = tenon.neg %x : tensor<4x4xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0, 1>}
  %c = tenon.concat %a, %b dim 1 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x8xf32>
  %d = tenon.exp %a : tensor<4x4xf32>
  // CHECK: tenon.concat {{.*}} {tenon_host.placed = array<i64: 0, 1>}
  %y = tenon.concat %c, %d dim 1 : tensor<4x8xf32>, tensor<4x4xf32> -> tensor<4x12xf32>
  return %y : tensor<4x12xf32>
}

// What a loop carries and what a branch gives is copied; a slice within is a view of what comes from outside.
// CHECK-LABEL: func.func @branch
func.func @branch(%c: tensor<i1>, %x: tensor<4x8xf32>) -> (tensor<4x4xf32>, tensor<4x8xf32>) {
  // CHECK: tenon.slice {{.*}} offsets [0, 4] {{.*}} strides [1, 1] :
  %a = tenon.slice %x offsets [0, 4] sizes [4, 4] strides [1, 1] : tensor<4x8xf32> -> tensor<4x4xf32>
  %e = tenon.exp %x : tensor<4x8xf32>
  %y = tenon.if %c -> tensor<4x4xf32> {
    // CHECK: tenon.slice {{.*}} {tenon_host.view}
    %b = tenon.slice %x offsets [0, 0] sizes [4, 4] strides [1, 1] : tensor<4x8xf32> -> tensor<4x4xf32>
    %d = tenon.exp %b : tensor<4x4xf32>
    tenon.yield %d : tensor<4x4xf32>
  } else {
    tenon.yield %a : tensor<4x4xf32>
  }
  // CHECK: tenon.concat {{.*}} dim 1 :
  %z = tenon.concat %y, %x dim 1 : tensor<4x4xf32>, tensor<4x8xf32> -> tensor<4x12xf32>
  %s = tenon.slice %z offsets [0, 0] sizes [4, 8] strides [1, 1] : tensor<4x12xf32> -> tensor<4x8xf32>
  %r = tenon.add %s, %e : tensor<4x8xf32>
  return %y, %r : tensor<4x4xf32>, tensor<4x8xf32>
}
