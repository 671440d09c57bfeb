// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @placed(
func.func @placed(%n: index, %x: memref<?xf32>, %y: memref<?xf32>) {
  // CHECK: %[[W:.*]] = tenon_host.slot input 0 "words" sizes [%{{.*}}] : <tensor<?x!tenon.string>>
  %w = tenon_host.slot input 0 "words" sizes [%n] : <tensor<?x!tenon.string>>
  // CHECK: %[[S:.*]] = tenon_host.slot arena 2 sizes [] : <!tenon.seq<tensor<?xf32>>>
  %s = tenon_host.slot arena 2 sizes [] : <!tenon.seq<tensor<?xf32>>>
  // CHECK: tenon_host.call_external "scale" library "vendor" ins(%{{.*}}, %[[W]] : memref<?xf32>, !tenon_host.value<tensor<?x!tenon.string>>) outs(%{{.*}}, %[[S]] : memref<?xf32>, !tenon_host.value<!tenon.seq<tensor<?xf32>>>)
  tenon_host.call_external "scale" library "vendor" ins(%x, %w : memref<?xf32>, !tenon_host.value<tensor<?x!tenon.string>>) outs(%y, %s : memref<?xf32>, !tenon_host.value<!tenon.seq<tensor<?xf32>>>)
  return
}

// CHECK-LABEL: func.func @tensors(
func.func @tensors(%e: tensor<4xf32>) {
  // CHECK: tenon_host.call_external "f" library "" outs(%{{.*}} : tensor<4xf32>) -> tensor<4xf32>, !tenon.seq<tensor<?xf32>>
  %0:2 = tenon_host.call_external "f" library "" outs(%e : tensor<4xf32>) -> tensor<4xf32>, !tenon.seq<tensor<?xf32>>
  return
}
