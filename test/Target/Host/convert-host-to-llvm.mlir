// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan,tenon-convert-host-to-llvm)" | FileCheck %s

func.func private @k(index)

// CHECK-LABEL: llvm.func @execute_0
// CHECK-SAME: (%[[CONTEXT:.*]]: !llvm.ptr, %[[SLOTS:.*]]: !llvm.ptr) -> i32
// The input pointer, the arena pointer, then the launch.
// CHECK: %[[INPUTS:.*]] = llvm.getelementptr %[[CONTEXT]][1]
// CHECK: llvm.load %[[INPUTS]]
// CHECK: %[[ARENAS:.*]] = llvm.getelementptr %[[CONTEXT]][6]
// CHECK: llvm.load %[[ARENAS]]
// CHECK: %[[RC:.*]] = llvm.call %{{.*}}(%[[CONTEXT]], %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32, !llvm.ptr, !llvm.ptr, !llvm.ptr) -> i32
// CHECK: %[[OK:.*]] = llvm.icmp "eq" %[[RC]]
// CHECK: llvm.cond_br %[[OK]], ^{{.*}}, ^[[EXIT:.*]](%[[RC]] : i32)
// CHECK: ^[[EXIT]](%[[RESULT:.*]]: i32):
// CHECK-NEXT: llvm.return %[[RESULT]]
// CHECK-LABEL: llvm.func @plan_0
// CHECK-SAME: (%[[SYMBOLS:.*]]: !llvm.ptr, %[[PLAN:.*]]: !llvm.ptr) -> i32
// CHECK: llvm.load
// CHECK: llvm.intr.smul.with.overflow
// CHECK-LABEL: llvm.func @run(
// CHECK-COUNT-3: llvm.call
// CHECK: llvm.return
func.func @main() {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %h = tenon_host.storage arena 0 sizes [%m] live [0, 1] : memref<?xf32>
  tenon_host.launch @k symbols(%m) ins(%x : memref<?xf32>) outs(%h : memref<?xf32>)
  %y = tenon_host.storage output 0 "y" sizes [%m] : memref<?xf32>
  tenon_host.launch @k symbols(%m) ins(%h : memref<?xf32>) outs(%y : memref<?xf32>)
  return
}

// -----

func.func private @k(index)

// A division by a symbol is guarded, also against the smallest integer by -1, and an error is the plan's result.
// CHECK-LABEL: llvm.func @plan_0
// CHECK: %[[ZERO:.*]] = llvm.icmp "eq"
// CHECK: %[[FAILS:.*]] = llvm.and %[[ZERO]]
// CHECK: %[[CODE:.*]] = llvm.mlir.constant(257 : i32)
// CHECK: llvm.select %[[FAILS]], %[[CODE]]
// CHECK: llvm.mlir.constant(-9223372036854775808 : index)
// CHECK: %[[TRAPS:.*]] = llvm.or %[[ZERO]]
// CHECK: %[[DIVISOR:.*]] = llvm.select %[[TRAPS]]
// CHECK: llvm.sdiv %{{.*}}, %[[DIVISOR]]
func.func @main() {
  %m = tenon.symbol "m"
  %n = tenon.symbol "n"
  %x = tenon_host.storage input 0 "x" sizes [%m, %n] : memref<?x?xf32>
  %q = affine.apply affine_map<()[s0, s1] -> (s0 floordiv s1)>()[%m, %n]
  %y = tenon_host.storage output 0 "y" sizes [%q] : memref<?xf32>
  tenon_host.launch @k ins(%x : memref<?x?xf32>) outs(%y : memref<?xf32>)
  return
}

// -----

// A program of a module inside stays, with its plans.
// CHECK-LABEL: module @inside
// CHECK: func.func private @plan_0
// CHECK: tenon_host.plan 0 @plan_0
module @outside {
  module @inside {
    func.func private @plan_0() -> index attributes {tenon_host.plan} {
      %m = tenon.symbol "m"
      return %m : index
    }
    func.func @main() {
      %0 = tenon_host.plan 0 @plan_0() : () -> index
      return
    }
  }
}

// -----

// What stands beside the program is not converted: kernels have passes of their own.
// CHECK-LABEL: func.func @loops(
// CHECK: arith.remui
// CHECK-LABEL: tenon_tile.kernel @whole(
// CHECK: affine.apply
// CHECK: llvm.func @run(
func.func @loops(%n: i64, %m: i64) -> i64 attributes {tenon_tile.kernel = {buffers = 0 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  %r = arith.remui %n, %m : i64
  return %r : i64
}

tenon_tile.kernel @whole(%n: index, %x: tensor<?xf32>) -> tensor<?xf32> {
  %m = affine.apply affine_map<()[s0] -> (s0 * 10)>()[%n]
  tenon.bind_shape %x [%m] : tensor<?xf32>
  %0 = tenon.exp %x : tensor<?xf32>
  tenon_tile.yield %0 : tensor<?xf32>
}

func.func @main() {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  %y = tenon_host.storage output 0 "y" sizes [4] : memref<4xf32>
  return
}
