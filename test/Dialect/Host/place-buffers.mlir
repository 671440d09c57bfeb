// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" | FileCheck %s

func.func private @k(index)

// CHECK-LABEL: func.func @two_launches()
func.func @two_launches(%x: tensor<?x8xf32> {tenon.name = "x"}) -> (tensor<?x2x2xf32> {tenon.name = "y"}) {
  // CHECK: %[[M:.*]] = tenon.symbol "m"
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  // CHECK: %[[X:.*]] = tenon_host.storage input 0 "x" sizes [%[[M]], 8] : memref<?x8xf32>
  // CHECK: %[[W:.*]] = tenon_host.storage constant 0 sizes [8] value(dense<1.000000e+00> : tensor<8xf32>) : memref<8xf32>
  %w = tenon.constant dense<1.0> : tensor<8xf32>
  // CHECK: %[[H:.*]] = tenon_host.storage arena 0 sizes [%[[M]], 8] live [0, 1] : memref<?x8xf32>
  // CHECK: tenon_host.launch @k symbols(%[[M]]) ins(%[[X]], %[[W]] : memref<?x8xf32>, memref<8xf32>) outs(%[[H]] : memref<?x8xf32>)
  %e = tensor.empty(%m) : tensor<?x8xf32>
  %h = tenon_host.launch @k symbols(%m) ins(%x, %w : tensor<?x8xf32>, tensor<8xf32>) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  // The reshape is the same place, and the place is the caller's output.
  // CHECK: %[[Y:.*]] = tenon_host.storage output 0 "y" sizes [%[[M]], 4] : memref<?x4xf32>
  // CHECK: tenon_host.launch @k symbols(%[[M]]) ins(%[[H]] : memref<?x8xf32>) outs(%[[Y]] : memref<?x4xf32>)
  %f = tensor.empty(%m) : tensor<?x4xf32>
  %g = tenon_host.launch @k symbols(%m) ins(%h : tensor<?x8xf32>) outs(%f : tensor<?x4xf32>) -> tensor<?x4xf32>
  // CHECK: tenon_host.storage output 0 "y" sizes [%[[M]], 2, 2] : memref<?x2x2xf32>
  // CHECK-NOT: tenon_host.copy
  %y = tenon.reshape %g sizes [%m, 2, 2] : tensor<?x4xf32> -> tensor<?x2x2xf32>
  return %y : tensor<?x2x2xf32>
}

// An input that is returned is copied.
// CHECK-LABEL: func.func @returned_input()
func.func @returned_input(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: %[[X:.*]] = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  // CHECK: %[[Y:.*]] = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  // CHECK: tenon_host.copy %[[X]] to %[[Y]] : memref<4xf32> to memref<4xf32>
  return %x : tensor<4xf32>
}

// A tensor returned twice is written once and copied.
// CHECK-LABEL: func.func @returned_twice()
func.func @returned_twice(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK: %[[A:.*]] = tenon_host.storage output 0 sizes [4]
  // CHECK: tenon_host.launch @k {{.*}} outs(%[[A]] : memref<4xf32>)
  %e = tensor.empty() : tensor<4xf32>
  %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  // CHECK: %[[B:.*]] = tenon_host.storage output 1 sizes [4]
  // CHECK: tenon_host.copy %[[A]] to %[[B]] : memref<4xf32> to memref<4xf32>
  return %0, %0 : tensor<4xf32>, tensor<4xf32>
}

func.func private @fill()

// One empty tensor for two results, as CSE makes it: they don't share a place.
// CHECK-LABEL: func.func @shared_empty
// CHECK: %[[A:.*]] = tenon_host.storage output 0
// CHECK: tenon_host.launch @fill outs(%[[A]] : memref<4xf32>)
// CHECK: %[[B:.*]] = tenon_host.storage output 1
// CHECK: tenon_host.launch @fill outs(%[[B]] : memref<4xf32>)
func.func @shared_empty() -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %a = tenon_host.launch @fill outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = tenon_host.launch @fill outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// What a launch reads is no destination of it, even of one empty tensor for both.
// CHECK-LABEL: func.func @empty_read()
// CHECK: tenon_host.launch @k ins(%[[IN:.*]] : memref<4xf32>) outs(%[[OUT:.*]] : memref<4xf32>)
// CHECK: tenon_host.launch @k ins(%[[OUT]] : memref<4xf32>)
func.func @empty_read() -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = tenon_host.launch @k ins(%e : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %f = tensor.empty() : tensor<4xf32>
  %1 = tenon_host.launch @k ins(%0 : tensor<4xf32>) outs(%f : tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// Inputs are named before what reads them, whatever else is said of their sizes.
// CHECK-LABEL: func.func @bound_to_data()
// CHECK: tenon_host.storage input 0 sizes [2] : memref<2xf32>
// CHECK: %[[N:.*]] = tenon_host.storage input 1 sizes [] : memref<i64>
// CHECK: tenon_host.read_scalar %[[N]] at 0
func.func @bound_to_data(%x: tensor<2xf32>, %n: tensor<i64>) -> tensor<?xf32> {
  %0 = tenon.item %n at 0 : tensor<i64>
  tenon.bind_shape %x [%0] : tensor<2xf32>
  %e = tensor.empty(%0) : tensor<?xf32>
  %1 = tenon_host.launch @k symbols(%0) ins(%x : tensor<2xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}
