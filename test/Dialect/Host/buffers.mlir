// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

func.func private @k(memref<4xf32, #tenon_host.device<"gpu">>)

// CHECK-LABEL: func.func @copies
func.func @copies(%n: index, %a: memref<?x4xf32>, %b: memref<?x4xf32, strided<[8, 1]>>) {
  // CHECK: tenon_host.copy %{{.*}} to %{{.*}} : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1]>>
  tenon_host.copy %a to %b : memref<?x4xf32> to memref<?x4xf32, strided<[8, 1]>>
  // CHECK: %[[G:.*]] = tenon_host.storage growing 0 sizes [%{{.*}}] : memref<?xf32>
  %g = tenon_host.storage growing 0 sizes [%n] : memref<?xf32>
  %h = tenon_host.storage growing 1 sizes [%n] : memref<?xf32>
  // CHECK: tenon_host.exchange %[[G]], %{{.*}} : memref<?xf32>, memref<?xf32>
  tenon_host.exchange %g, %h : memref<?xf32>, memref<?xf32>
  return
}

// CHECK-LABEL: func.func @strides
func.func @strides(%past: tensor<2x?x16xf32>) -> index {
  // CHECK: %[[S:.*]] = tenon_host.bound_stride input 1 dim 0
  %s0 = tenon_host.bound_stride input 1 dim 0
  %s1 = tenon_host.bound_stride input 1 dim 1
  // CHECK: tenon_host.bind_strides %{{.*}}[%[[S]], %{{.*}}] : tensor<2x?x16xf32>
  tenon_host.bind_strides %past[%s0, %s1] : tensor<2x?x16xf32>
  // CHECK: tenon_host.is_aliased output 0 input 1
  %a = tenon_host.is_aliased output 0 input 1
  return %a : index
}

// CHECK-LABEL: func.func @device
func.func @device(%x: memref<4xf32>, %d: memref<4xf32, #tenon_host.device<"gpu">>) {
  // CHECK: %[[T:.*]] = tenon_host.async {
  %t = tenon_host.async {
    tenon_host.copy %x to %d : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
  }
  // CHECK: %[[U:.*]] = tenon_host.async after(%[[T]]) {
  // CHECK: tenon_host.launch @k outs(%{{.*}} : memref<4xf32, #tenon_host.device<"gpu">>)
  %u = tenon_host.async after(%t) {
    tenon_host.launch @k outs(%d : memref<4xf32, #tenon_host.device<"gpu">>)
  }
  // CHECK: tenon_host.await %[[T]], %[[U]]
  tenon_host.await %t, %u
  return
}
