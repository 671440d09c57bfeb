// RUN: tenon-interpret --check %s | FileCheck %s
// RUN: tenon-opt %s --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan)" -o %t.mlir
// RUN: tenon-interpret --check %t.mlir | FileCheck %s
// Programs on buffers, as the interpreter runs them: results are compared in pairs.
// CHECK-COUNT-8: : ok
// CHECK-NOT: : ok

tenon_tile.kernel @negate(%n: index, %x: tensor<?xf32>) -> tensor<?xf32> {
  tenon.bind_shape %x [%n] : tensor<?xf32>
  %y = tenon.neg %x : tensor<?xf32>
  tenon_tile.yield %y : tensor<?xf32>
}

// Columns 1 and 2 of two rows, by a view.
func.func @views() -> (memref<2x2xf32>, memref<2x2xf32>) {
  %x = tenon_host.storage constant 0 sizes [2, 3] value(dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>) : memref<2x3xf32>
  %v = tenon_host.view %x[1] sizes [2, 2] strides [3, 1] : memref<2x3xf32> -> memref<2x2xf32, strided<[3, 1], offset: 1>>
  %y = tenon_host.storage output 0 sizes [2, 2] : memref<2x2xf32>
  tenon_host.copy %v to %y : memref<2x2xf32, strided<[3, 1], offset: 1>> to memref<2x2xf32>
  %expected = tenon_host.storage constant 1 sizes [2, 2] value(dense<[[2.0, 3.0], [5.0, 6.0]]> : tensor<2x2xf32>) : memref<2x2xf32>
  %z = tenon_host.storage output 1 sizes [2, 2] : memref<2x2xf32>
  tenon_host.copy %expected to %z : memref<2x2xf32> to memref<2x2xf32>
  return %y, %z : memref<2x2xf32>, memref<2x2xf32>
}

// A launch in a loop, as often as data says; what it gives lies where it was taken from.
func.func @loop() -> (memref<2xf32>, memref<2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %trips = tenon_host.storage constant 0 sizes [] value(dense<3> : tensor<i64>) : memref<i64>
  %x = tenon_host.storage constant 1 sizes [2] value(dense<[1.0, -2.0]> : tensor<2xf32>) : memref<2xf32>
  %y = tenon_host.storage output 0 sizes [2] : memref<2xf32>
  tenon_host.copy %x to %y : memref<2xf32> to memref<2xf32>
  %n = tenon_host.read_scalar %trips at 0 : memref<i64> -> index
  %end = scf.while (%i = %c0) : (index) -> index {
    %goesOn = arith.cmpi slt, %i, %n : index
    scf.condition(%goesOn) %i : index
  } do {
  ^bb0(%i: index):
    tenon_host.launch @negate symbols(%c2) ins(%y : memref<2xf32>) outs(%y : memref<2xf32>)
    %next = arith.addi %i, %c1 : index
    scf.yield %next : index
  }
  %expected = tenon_host.storage constant 2 sizes [2] value(dense<[-1.0, 2.0]> : tensor<2xf32>) : memref<2xf32>
  %z = tenon_host.storage output 1 sizes [2] : memref<2xf32>
  tenon_host.copy %expected to %z : memref<2xf32> to memref<2xf32>
  return %y, %z : memref<2xf32>, memref<2xf32>
}

// Buffers that grow keep what they hold, and change places.
func.func @growing() -> (memref<2xf32>, memref<2xf32>) {
  %x = tenon_host.storage constant 0 sizes [2] value(dense<[1.0, 2.0]> : tensor<2xf32>) : memref<2xf32>
  %a = tenon_host.storage growing 0 sizes [2] : memref<2xf32>
  tenon_host.copy %x to %a : memref<2xf32> to memref<2xf32>
  %b = tenon_host.storage growing 1 sizes [8] : memref<8xf32>
  %larger = tenon_host.storage growing 0 sizes [8] : memref<8xf32>
  tenon_host.exchange %larger, %b : memref<8xf32>, memref<8xf32>
  %kept = tenon_host.view %b[0] sizes [2] strides [1] : memref<8xf32> -> memref<2xf32, strided<[1]>>
  %y = tenon_host.storage output 0 sizes [2] : memref<2xf32>
  tenon_host.copy %kept to %y : memref<2xf32, strided<[1]>> to memref<2xf32>
  %z = tenon_host.storage output 1 sizes [2] : memref<2xf32>
  tenon_host.copy %x to %z : memref<2xf32> to memref<2xf32>
  return %y, %z : memref<2xf32>, memref<2xf32>
}

func.func @outside() -> (memref<2xf32>, memref<2xf32>) attributes {tenon.error = "reaches element 3 of a buffer of 12 bytes"} {
  %x = tenon_host.storage constant 0 sizes [3] value(dense<[1.0, 2.0, 3.0]> : tensor<3xf32>) : memref<3xf32>
  %two = arith.constant 2 : index
  %v = tenon_host.view %x[%two] sizes [2] strides [1] : memref<3xf32> -> memref<2xf32, strided<[1], offset: ?>>
  %y = tenon_host.storage output 0 sizes [2] : memref<2xf32>
  tenon_host.copy %v to %y : memref<2xf32, strided<[1], offset: ?>> to memref<2xf32>
  return %y, %y : memref<2xf32>, memref<2xf32>
}

func.func @checked() -> (memref<2xf32>, memref<2xf32>) attributes {tenon.error = "sizes differ: 1, not 2"} {
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  tenon_host.check_equal %one, %two "sizes differ"
  %y = tenon_host.storage output 0 sizes [2] : memref<2xf32>
  return %y, %y : memref<2xf32>, memref<2xf32>
}

// What is no buffer, and what no memory has.
func.func @returns_number() -> index attributes {tenon.error = "gives what is no buffer"} {
  %x = tenon_host.storage arena 0 sizes [2] : memref<2xf32>
  %c0 = arith.constant 0 : index
  return %c0 : index
}

func.func @huge() -> memref<?x?xf32> attributes {tenon.error = "has sizes [4294967296, 4294967296]"} {
  %n = arith.constant 4294967296 : index
  %x = tenon_host.storage arena 0 sizes [%n, %n] : memref<?x?xf32>
  return %x : memref<?x?xf32>
}

func.func @far_off() -> memref<2xf32, strided<[?], offset: ?>> attributes {tenon.error = "of a buffer of 8 bytes"} {
  %n = arith.constant 9223372036854775807 : index
  %x = tenon_host.storage arena 0 sizes [2] : memref<2xf32>
  %y = tenon_host.view %x[%n] sizes [2] strides [%n] : memref<2xf32> -> memref<2xf32, strided<[?], offset: ?>>
  return %y : memref<2xf32, strided<[?], offset: ?>>
}
