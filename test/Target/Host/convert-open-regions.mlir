// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan,tenon-convert-host-to-llvm)" | FileCheck %s

func.func private @k(index)

// A loop that names buffers runs between segments, and carries numbers from block to block; the segment in its body is planned
// from them, gets room for what grows, and is executed.
// CHECK-LABEL: llvm.func @execute_0
// CHECK-LABEL: llvm.func @execute_1
// CHECK-SAME: (%[[CONTEXT:.*]]: !llvm.ptr,
// The buffer's address; then the two buffers change places.
// CHECK: llvm.getelementptr %[[CONTEXT]][15]
// CHECK: %[[FNS:.*]] = llvm.getelementptr %{{.*}}[13]
// CHECK: %[[EXCHANGE:.*]] = llvm.load %[[FNS]]
// CHECK: llvm.call %[[EXCHANGE]](%[[CONTEXT]], %{{.*}}, %{{.*}})
// CHECK-LABEL: llvm.func @plan_1
// CHECK-LABEL: llvm.func @run(
// CHECK-SAME: %[[PROGRAM:.*]]: !llvm.ptr
// CHECK: %[[ARGUMENTS:.*]] = llvm.alloca
// Segment 0 and its room.
// CHECK-COUNT-4: llvm.call
// CHECK: llvm.br ^[[BEFORE:bb[0-9]+]](
// CHECK: ^[[BEFORE]](%[[PLACE:.*]]: i64, %[[SIZE:.*]]: i64):
// CHECK: llvm.icmp "slt" %[[PLACE]]
// CHECK: llvm.cond_br %{{.*}}, ^[[BODY:bb[0-9]+]](%[[PLACE]], %[[SIZE]] : i64, i64), ^[[END:bb[0-9]+]](
// A cancelled run ends at the start of an iteration.
// CHECK: ^[[BODY]](%{{.*}}: i64, %[[GIVEN:.*]]: i64):
// CHECK: llvm.call %{{.*}}(%[[PROGRAM]], {{.*}} (!llvm.ptr, i32, i32, i64, i64) -> i32
// CHECK: llvm.cond_br %{{.*}}, ^[[TURN:.*]], ^
// CHECK: ^[[END]](
// CHECK: ^[[TURN]]:
// CHECK: %[[PLACE:.*]] = llvm.getelementptr %[[ARGUMENTS]][1]
// CHECK: llvm.store %[[GIVEN]], %[[PLACE]]
// CHECK: llvm.call %{{.*}}(%[[PROGRAM]], %{{.*}}, %[[ARGUMENTS]])
// Reserve, twice room, execute, then around.
// CHECK: llvm.call {{.*}} (!llvm.ptr, i32) -> i32
// CHECK: llvm.call {{.*}} (!llvm.ptr, i32, i64) -> i32
// CHECK: llvm.call {{.*}} (!llvm.ptr, i32, i64) -> i32
// CHECK: llvm.call {{.*}} (!llvm.ptr, i32) -> i32
// CHECK: llvm.br ^[[BEFORE]](
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %n = tenon_host.storage input 1 "n" sizes [] : memref<i64>
  %trip = tenon_host.read_scalar %n at 0 : memref<i64> -> index
  %g = tenon_host.storage growing 0 sizes [%m] : memref<?xf32>
  tenon_host.copy %x to %g : memref<?xf32> to memref<?xf32>
  %r:2 = scf.while (%i = %c0, %s = %m) : (index, index) -> (index, index) {
    %on = arith.cmpi slt, %i, %trip : index
    scf.condition(%on) %i, %s : index, index
  } do {
  ^bb0(%i: index, %s: index):
    %given = tenon_host.storage growing 0 sizes [%s] : memref<?xf32>
    %more = arith.addi %s, %c1 : index
    %next = tenon_host.storage growing 1 sizes [%more] : memref<?xf32>
    tenon_host.launch @k symbols(%s) ins(%given : memref<?xf32>) outs(%next : memref<?xf32>)
    tenon_host.exchange %given, %next : memref<?xf32>, memref<?xf32>
    %j = arith.addi %i, %c1 : index
    scf.yield %j, %more : index, index
  }
  %y = tenon_host.storage growing 0 sizes [%r#1] : memref<?xf32>
  %o = tenon_host.storage output 0 "y" sizes [%r#1] : memref<?xf32>
  tenon_host.copy %y to %o : memref<?xf32> to memref<?xf32>
  return
}

// -----

// A branch between segments leaves its size for those behind it.
// CHECK-LABEL: llvm.func @execute_3
// CHECK-LABEL: llvm.func @run(
// CHECK-COUNT-3: llvm.call
// CHECK: llvm.cond_br %{{.*}}, ^{{.*}}, ^{{.*}}{{$}}
// CHECK: ^[[AFTER:bb[0-9]+]](%[[SIZE:.*]]: i64):
// CHECK-NEXT: llvm.store %[[SIZE]]
// CHECK: %[[TWO:.*]] = llvm.mlir.constant(2 : i64)
// CHECK: llvm.br ^[[AFTER]](%[[TWO]] : i64)
// CHECK: %[[FOUR:.*]] = llvm.mlir.constant(4 : i64)
// CHECK: llvm.br ^[[AFTER]](%[[FOUR]] : i64)
func.func private @k(index)
func.func @main() {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  %c = tenon_host.storage input 1 "c" sizes [] : memref<i1>
  %on = tenon_host.read_scalar %c at 0 : memref<i1> -> i1
  %n = scf.if %on -> (index) {
    %two = arith.constant 2 : index
    %g = tenon_host.storage growing 0 sizes [2] : memref<2xf32>
    tenon_host.launch @k ins(%x : memref<4xf32>) outs(%g : memref<2xf32>)
    scf.yield %two : index
  } else {
    %four = arith.constant 4 : index
    %g = tenon_host.storage growing 0 sizes [4] : memref<4xf32>
    tenon_host.copy %x to %g : memref<4xf32> to memref<4xf32>
    scf.yield %four : index
  }
  %y = tenon_host.storage growing 0 sizes [%n] : memref<?xf32>
  %o = tenon_host.storage output 0 "y" sizes [%n] : memref<?xf32>
  tenon_host.copy %y to %o : memref<?xf32> to memref<?xf32>
  return
}
