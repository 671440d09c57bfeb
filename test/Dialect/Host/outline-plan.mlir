// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan,tenon-outline-plan)" | FileCheck %s

func.func private @k(index)

// The plan computes what ops take, and bytes once for two buffers of one size; sizes of storages stay as they are.
// CHECK-LABEL: func.func private @plan_0() -> (index, index) attributes {tenon_host.plan} {
// CHECK-NEXT: %[[M:.*]] = tenon.symbol "m"
// CHECK-NEXT: %[[BYTES:.*]] = tenon_host.buffer_bytes sizes [%[[M]]] : memref<?xf32>
// CHECK-NEXT: return %[[M]], %[[BYTES]]
// CHECK-LABEL: func.func @main
// CHECK-NEXT: %[[SYMBOL:.*]] = tenon.symbol "m"
// CHECK-NEXT: %[[P:.*]]:2 = tenon_host.plan 0 @plan_0() : () -> (index, index)
// CHECK-NEXT: tenon_host.segment 0 {
// CHECK-NEXT:   storage input 0 "x" sizes [%[[SYMBOL]]]
// CHECK-NEXT:   storage arena 0 sizes [%[[SYMBOL]]] bytes %[[P]]#1
// CHECK-NEXT:   launch @k symbols(%[[P]]#0)
// CHECK-NEXT:   storage arena 1 sizes [%[[SYMBOL]]] bytes %[[P]]#1
// CHECK-NEXT:   launch @k symbols(%[[P]]#0)
func.func @main() {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %h = tenon_host.storage arena 0 sizes [%m] : memref<?xf32>
  tenon_host.launch @k symbols(%m) ins(%x : memref<?xf32>) outs(%h : memref<?xf32>)
  %g = tenon_host.storage arena 1 sizes [%m] : memref<?xf32>
  tenon_host.launch @k symbols(%m) ins(%h : memref<?xf32>) outs(%g : memref<?xf32>)
  return
}

// -----

// Rows of what is bound are checked, those of other strides too. Copies take strides of views; the size of an input that
// no symbol names is held against what it follows from, and an output's size is the plan's.
// CHECK-LABEL: func.func private @plan_0()
// CHECK-DAG: %[[M:.*]] = tenon.symbol "m"
// CHECK-DAG: %[[S:.*]] = tenon_host.bound_stride input 0 dim 0
// CHECK: %[[T:.*]] = affine.apply
// CHECK: tenon_host.bound_size input 1 dim 0
// CHECK: tenon_host.check_equal %{{.*}}, %[[T]] "input 'y': the size of dimension 0 is not what follows from those of the inputs"
// CHECK: return
// CHECK-LABEL: func.func @main
// CHECK: %[[P:.*]]:4 = tenon_host.plan 0
// CHECK: tenon_host.check_rows input 0 sizes [%[[P]]#{{.}}, 4] strides [%[[P]]#{{.}}]
// CHECK: tenon_host.check_rows input 1 sizes [%[[P]]#{{.}}, 4] strides [4]
// CHECK: tenon_host.check_rows output 0 sizes [%[[P]]#{{.}}, 8] strides [8]
// CHECK: %[[X:.*]] = tenon_host.storage input 0
// CHECK: %[[ROWS:.*]] = tenon_host.view %[[X]][0] sizes [%{{.*}}, 4] strides [%[[P]]#{{.}}, 1]
// CHECK: %[[H:.*]] = tenon_host.storage arena 0
// CHECK: %[[PLAIN:.*]] = tenon_host.view %[[H]][0] sizes [%{{.*}}, 4] strides [4, 1]
// CHECK: tenon_host.copy %[[ROWS]] to %[[PLAIN]]
// CHECK: tenon_host.storage output 0 "z" sizes [%[[P]]#{{.}}, 8]
func.func @main() {
  %m = tenon.symbol "m"
  %s = tenon_host.bound_stride input 0 dim 0
  %x = tenon_host.storage input 0 "x" sizes [%m, 4] strides(%s) : memref<?x4xf32, strided<[?, 1]>>
  %t = affine.apply affine_map<()[s0] -> (s0 * 2)>()[%m]
  %y = tenon_host.storage input 1 "y" sizes [%t, 4] : memref<?x4xf32>
  %h = tenon_host.storage arena 0 sizes [%m, 4] : memref<?x4xf32>
  tenon_host.copy %x to %h : memref<?x4xf32, strided<[?, 1]>> to memref<?x4xf32>
  %z = tenon_host.storage output 0 "z" sizes [%t, 8] : memref<?x8xf32>
  return
}

// -----

func.func private @k(index)

// A later plan is given numbers that were read; the size of an output is told by the first that knows it, and must not be
// negative.
// CHECK-LABEL: func.func private @plan_1(%{{.*}}: index) -> (index, index)
// CHECK: tenon_host.check_at_most %{{.*}}, %{{.*}} "a size of its result is negative: an input is too small"
// CHECK-LABEL: func.func @main
// CHECK: %[[S:.*]]:2 = tenon_host.segment 0 -> memref<i64>, index
// CHECK: %[[P:.*]]:2 = tenon_host.plan 1 @plan_1(%[[S]]#1) : (index) -> (index, index)
// CHECK: tenon_host.segment 1 {
// CHECK:   tenon_host.storage arena 0 sizes [%[[S]]#1] bytes %[[P]]#1
// CHECK:   tenon_host.launch @k ins(%[[S]]#0 : memref<i64>)
// CHECK:   tenon_host.storage output 0 "y" sizes [%[[P]]#0]
func.func @main() {
  %b = tenon_host.storage input 0 "n" sizes [] : memref<i64>
  %n = tenon_host.read_scalar %b at 0 : memref<i64> -> index
  %h = tenon_host.storage arena 0 sizes [%n] : memref<?xf32>
  tenon_host.launch @k ins(%b : memref<i64>) outs(%h : memref<?xf32>)
  %y = tenon_host.storage output 0 "y" sizes [%n] : memref<?xf32> loc("node")
  return
}

// -----

// The name of a plan gives way.
func.func private @plan_0(index)
// CHECK-LABEL: func.func private @plan_0_0()
// CHECK-LABEL: func.func @main
// CHECK: tenon_host.plan 0 @plan_0_0()
func.func @main() {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  tenon_host.launch @plan_0 outs(%x : memref<?xf32>)
  return
}
