// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-lower-vectors))" | FileCheck %s

// A row at a time, with one load each.
// CHECK-LABEL: func.func @rows
// CHECK-NOT: vector.transfer
// CHECK-COUNT-2: vector.load {{.*}} : memref<?x16xf32>, vector<8xf32>
// CHECK-NOT: vector.load
// CHECK: return
func.func @rows(%m: memref<?x16xf32>, %i: index, %j: index) -> vector<2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %v = vector.transfer_read %m[%i, %j], %zero {in_bounds = [true, true]} : memref<?x16xf32>, vector<2x8xf32>
  return %v : vector<2x8xf32>
}

// Only rows that may end early have a mask.
// CHECK-LABEL: func.func @masked
// CHECK: vector.maskedstore
// CHECK-NOT: vector.transfer
// CHECK: return
func.func @masked(%m: memref<?xf32>, %i: index, %v: vector<8xf32>) {
  vector.transfer_write %v, %m[%i] : vector<8xf32>, memref<?xf32>
  return
}

// A view is an offset and strides.
// CHECK-LABEL: func.func @view
// CHECK-NOT: memref.subview
// CHECK: affine.apply
// CHECK: memref.reinterpret_cast
// CHECK: return
func.func @view(%m: memref<16x16xf32>, %i: index) -> f32 {
  %c0 = arith.constant 0 : index
  %s = memref.subview %m[%i, 4] [2, 4] [1, 1] : memref<16x16xf32> to memref<2x4xf32, strided<[16, 1], offset: ?>>
  %x = memref.load %s[%c0, %c0] : memref<2x4xf32, strided<[16, 1], offset: ?>>
  return %x : f32
}

// CHECK-LABEL: func.func @transpose
// CHECK-NOT: vector.transpose
// CHECK: return
func.func @transpose(%v: vector<2x3xf32>) -> vector<3x2xf32> {
  %t = vector.transpose %v, [1, 0] : vector<2x3xf32> to vector<3x2xf32>
  return %t : vector<3x2xf32>
}
