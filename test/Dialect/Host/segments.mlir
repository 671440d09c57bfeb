// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

func.func private @k(index)

// CHECK-LABEL: func.func private @plan_0() -> (index, index, i1) attributes {tenon_host.plan}
func.func private @plan_0() -> (index, index, i1) attributes {tenon_host.plan} {
  %m = tenon.symbol "m"
  // CHECK: tenon_host.bound_size input 0 dim 0
  %s = tenon_host.bound_size input 0 dim 0
  // CHECK: %[[B:.*]] = tenon_host.buffer_bytes sizes [%{{.*}}, 4] : memref<?x4xf32>
  %b = tenon_host.buffer_bytes sizes [%m, 4] : memref<?x4xf32>
  %c = arith.cmpi slt, %s, %m : index
  return %s, %b, %c : index, index, i1
}

func.func private @plan_1(%n: index) -> index attributes {tenon_host.plan} {
  return %n : index
}

// CHECK-LABEL: func.func @main
func.func @main() {
  %m = tenon.symbol "m"
  // CHECK: %[[P:.*]]:3 = tenon_host.plan 0 @plan_0() : () -> (index, index, i1)
  %0:3 = tenon_host.plan 0 @plan_0() : () -> (index, index, i1)
  // CHECK: %[[S:.*]]:2 = tenon_host.segment 0 -> memref<?x4xf32>, index {
  %1:2 = tenon_host.segment 0 -> memref<?x4xf32>, index {
    // CHECK: tenon_host.check_rows input 0 sizes [%[[P]]#0, 4] strides [4]
    tenon_host.check_rows input 0 sizes [%0#0, 4] strides [4]
    %x = tenon_host.storage input 0 "x" sizes [%m, 4] : memref<?x4xi64>
    // CHECK: tenon_host.storage arena 0 sizes [%{{.*}}, 4] bytes %[[P]]#1 live [0, 1] : memref<?x4xf32>
    %h = tenon_host.storage arena 0 sizes [%m, 4] bytes %0#1 live [0, 1] : memref<?x4xf32>
    tenon_host.launch @k symbols(%0#0) ins(%x : memref<?x4xi64>) outs(%h : memref<?x4xf32>)
    %n = tenon_host.read_scalar %x at 0 : memref<?x4xi64> -> index
    // CHECK: tenon_host.yield %{{.*}}, %{{.*}} : memref<?x4xf32>, index
    tenon_host.yield %h, %n : memref<?x4xf32>, index
  }
  // CHECK: tenon_host.plan 1 @plan_1(%[[S]]#1) : (index) -> index
  %2 = tenon_host.plan 1 @plan_1(%1#1) : (index) -> index
  // CHECK: tenon_host.segment 1 {
  tenon_host.segment 1 {
    %y = tenon_host.storage output 0 "y" sizes [%2] : memref<?xf32>
    tenon_host.launch @k symbols(%2) ins(%1#0 : memref<?x4xf32>) outs(%y : memref<?xf32>)
  }
  return
}
