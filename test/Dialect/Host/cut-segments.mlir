// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments))" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-cut-segments,tenon-cut-segments))" | FileCheck %s

func.func private @k(index)

// A program of one segment: arithmetic stands before it.
// CHECK-LABEL: func.func @one
// CHECK: %[[M:.*]] = tenon.symbol "m"
// CHECK-NEXT: %[[TWICE:.*]] = affine.apply
// CHECK-NEXT: tenon_host.segment 0 {
// CHECK-NEXT:   %[[X:.*]] = tenon_host.storage input 0
// CHECK-NEXT:   %[[Y:.*]] = tenon_host.storage output 0 "y" sizes [%[[TWICE]]]
// CHECK-NEXT:   tenon_host.launch @k
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @one() {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %t = affine.apply affine_map<()[s0] -> (s0 * 2)>()[%m]
  %y = tenon_host.storage output 0 "y" sizes [%t] : memref<?xf32>
  tenon_host.launch @k ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
  return
}

// -----

// Nothing is done, but what is bound is checked.
// CHECK-LABEL: func.func @nothing
// CHECK: tenon_host.segment 0 {
// CHECK-NEXT: tenon_host.slot
// CHECK-NEXT: }
func.func @nothing() {
  %s = tenon_host.slot input 0 "words" sizes [] : <!tenon.seq<tensor<?xf32>>>
  return
}

// -----

func.func private @k(index)

// A size that is read: a new segment begins where a buffer has it, not where it is read, and not for what only uses
// it. Buffers that are named again, and numbers that were read, are results; what is computed from a number is computed
// where it is needed, and late arithmetic on symbols stands before the first segment.
// CHECK-LABEL: func.func @read
// CHECK: %[[M:.*]] = tenon.symbol "m"
// CHECK-NEXT: %[[LATE:.*]] = affine.apply #{{.*}}()[%[[M]]]
// CHECK-NEXT: %[[S:.*]]:2 = tenon_host.segment 0 -> memref<?xf32>, index {
// CHECK-NEXT:   %[[X:.*]] = tenon_host.storage input 0
// CHECK-NEXT:   %[[B:.*]] = tenon_host.storage input 1
// CHECK-NEXT:   %[[N:.*]] = tenon_host.read_scalar %[[B]]
// CHECK-NEXT:   %[[INSIDE:.*]] = affine.apply #{{.*}}()[%[[N]]]
// CHECK-NEXT:   tenon_host.check_at_most %[[INSIDE]], %[[M]] "too many"
// CHECK-NEXT:   tenon_host.yield %[[X]], %[[N]] : memref<?xf32>, index
// CHECK-NEXT: }
// CHECK-NEXT: %[[OUTSIDE:.*]] = affine.apply #{{.*}}()[%[[S]]#1]
// CHECK-NEXT: tenon_host.segment 1 {
// CHECK-NEXT:   %[[Y:.*]] = tenon_host.storage output 0 "y" sizes [%[[OUTSIDE]]]
// CHECK-NEXT:   %[[PART:.*]] = tenon_host.view %[[S]]#0[1] sizes [%[[OUTSIDE]]]
// CHECK-NEXT:   tenon_host.copy %[[PART]] to %[[Y]]
// CHECK-NEXT:   tenon_host.launch @k
func.func @read() {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %b = tenon_host.storage input 1 "n" sizes [] : memref<i64>
  %n = tenon_host.read_scalar %b at 0 : memref<i64> -> index
  %t = affine.apply affine_map<()[s0] -> (s0 * 2)>()[%n]
  tenon_host.check_at_most %t, %m "too many"
  %v = tenon_host.view %x[1] sizes [%t] strides [1] : memref<?xf32> -> memref<?xf32, strided<[1], offset: 1>>
  %y = tenon_host.storage output 0 "y" sizes [%t] : memref<?xf32>
  tenon_host.copy %v to %y : memref<?xf32, strided<[1], offset: 1>> to memref<?xf32>
  %late = affine.apply affine_map<()[s0] -> (s0 ceildiv 8)>()[%m]
  tenon_host.launch @k ins(%x : memref<?xf32>) outs(%y : memref<?xf32>)
  return
}

// -----

func.func private @k(index)

// A loop that names no buffers is part of a segment; one that does has segments inside, and ends the one before it.
// CHECK-LABEL: func.func @loops
// CHECK: %[[S:.*]]:4 = tenon_host.segment 0
// CHECK:   scf.while
// CHECK:   tenon_host.yield
// CHECK: scf.while
// CHECK:   scf.condition
// CHECK:   ^bb0(%{{.*}}: index, %[[SIZE:.*]]: index):
// CHECK:   %[[MORE:.*]] = arith.addi %[[SIZE]]
// CHECK:   tenon_host.segment 1 {
// CHECK:     tenon_host.storage growing 0 sizes [%[[SIZE]]]
// CHECK:     tenon_host.storage growing 1 sizes [%[[MORE]]]
// CHECK:     tenon_host.exchange
// CHECK:   }
// CHECK:   scf.yield
// CHECK: tenon_host.segment 2 {
// CHECK:   tenon_host.storage output 0
func.func @loops() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 "x" sizes [%m] : memref<?xf32>
  %n = tenon_host.storage input 1 "n" sizes [] : memref<i64>
  %trip = tenon_host.read_scalar %n at 0 : memref<i64> -> index
  %g = tenon_host.storage growing 0 sizes [%m] : memref<?xf32>
  tenon_host.copy %x to %g : memref<?xf32> to memref<?xf32>
  %closed = scf.while (%i = %c0) : (index) -> index {
    %on = arith.cmpi slt, %i, %trip : index
    scf.condition(%on) %i : index
  } do {
  ^bb0(%i: index):
    tenon_host.launch @k ins(%x : memref<?xf32>) outs(%g : memref<?xf32>)
    %j = arith.addi %i, %c1 : index
    scf.yield %j : index
  }
  %r:2 = scf.while (%i = %c0, %s = %closed) : (index, index) -> (index, index) {
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
  tenon_host.launch @k ins(%x : memref<?xf32>) outs(%g : memref<?xf32>)
  return
}

// -----

// What several ops compute from a number that was read is there once, however long.
// CHECK-LABEL: func.func @shared
// CHECK: %[[N:.*]] = tenon_host.read_scalar
// CHECK-NEXT: %[[A:.*]] = arith.addi %[[N]], %[[N]]
// CHECK-NEXT: %[[B:.*]] = arith.addi %[[A]], %[[A]]
// CHECK-NEXT: tenon_host.check_equal %[[B]], %[[A]]
// CHECK-NEXT: tenon_host.check_equal %[[B]], %[[N]]
// CHECK-NEXT: }
// CHECK-NEXT: return
func.func @shared() {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xi64>
  %n = tenon_host.read_scalar %x at 0 : memref<4xi64> -> index
  %a = arith.addi %n, %n : index
  %b = arith.addi %a, %a : index
  tenon_host.check_equal %b, %a "first"
  tenon_host.check_equal %b, %n "second"
  return
}
