// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" | FileCheck %s

func.func private @in(index, tensor<?x3xf32> {tenon_tile.contract = "inner"}) -> tensor<?x3xf32>
func.func private @out(index, tensor<?x3xf32>) -> (tensor<?x3xf32> {tenon_tile.contract = "inner"})
func.func private @plain(tensor<8xf32>) -> tensor<8xf32>

// CHECK-LABEL: func.func @slice_and_concat()
func.func @slice_and_concat(%x: tensor<?x9xf32>) -> tensor<?x6xf32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 9] : tensor<?x9xf32>
  // CHECK: %[[X:.*]] = tenon_host.storage input 0
  %a = tenon.slice %x offsets [0, 2] sizes [%m, 3] strides [1, 1] {tenon_host.view} : tensor<?x9xf32> -> tensor<?x3xf32>
  // CHECK: %[[A:.*]] = tenon_host.view %[[X]][2] sizes [%[[M:.*]], 3] strides [9, 1] : memref<?x9xf32> -> memref<?x3xf32, strided<[?, 1], offset: 2>>
  // CHECK: %[[B:.*]] = tenon_host.storage arena 0 sizes [%[[M]], 3] live [0, 2] : memref<?x3xf32>
  // CHECK: launch @in symbols(%[[M]]) ins(%[[A]] : {{.*}}) outs(%[[B]] : memref<?x3xf32>)
  %e = tensor.empty(%m) : tensor<?x3xf32>
  %b = tenon_host.launch @in symbols(%m) ins(%a : tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) -> tensor<?x3xf32>
  // CHECK: %[[Y:.*]] = tenon_host.storage output 0 sizes [%[[M]], 6]
  // CHECK: %[[C:.*]] = tenon_host.view %[[Y]][0] sizes [%[[M]], 3] strides [6, 1] : memref<?x6xf32> -> memref<?x3xf32, strided<[?, 1]>>
  // CHECK: launch @out symbols(%[[M]]) ins(%[[B]] : {{.*}}) outs(%[[C]] : memref<?x3xf32, strided<[?, 1]>>)
  %f = tensor.empty(%m) : tensor<?x3xf32>
  %c = tenon_host.launch @out symbols(%m) ins(%b : tensor<?x3xf32>) outs(%f : tensor<?x3xf32>) -> tensor<?x3xf32>
  // What isn't in place already is copied.
  // CHECK: %[[D:.*]] = tenon_host.view %[[Y]][3] sizes [%[[M]], 3] strides [6, 1]
  // CHECK-NEXT: tenon_host.copy %[[B]] to %[[D]]
  // CHECK-NOT: tenon_host.copy
  %y = tenon.concat %c, %b dim 1 {tenon_host.placed = array<i64: 0>} : tensor<?x3xf32>, tensor<?x3xf32> -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}

// Whole rows of a buffer are contiguous: a kernel that takes no strides reads and writes them. The place of the concat is
// in use from its first operand on.
// CHECK-LABEL: func.func @whole_rows()
func.func @whole_rows(%x: tensor<4x8xf32>) -> tensor<8xf32> {
  // CHECK: %[[X:.*]] = tenon_host.storage input 0
  // CHECK: %[[R:.*]] = tenon_host.view %[[X]][16] sizes [8] strides [1] : memref<4x8xf32> -> memref<8xf32>
  %a = tenon.slice %x offsets [2, 0] sizes [1, 8] strides [1, 1] {tenon_host.view} : tensor<4x8xf32> -> tensor<1x8xf32>
  %b = tenon.reshape %a sizes [8] : tensor<1x8xf32> -> tensor<8xf32>
  // CHECK: %[[C:.*]] = tenon_host.storage arena 0 sizes [2, 8] live [0, 3]
  // CHECK: %[[D:.*]] = tenon_host.view %[[C]][0] sizes [8] strides [1] : memref<2x8xf32> -> memref<8xf32>
  // CHECK: launch @plain ins(%[[R]] : memref<8xf32>) outs(%[[D]] : memref<8xf32>)
  %e = tensor.empty() : tensor<8xf32>
  %c = tenon_host.launch @plain ins(%b : tensor<8xf32>) outs(%e : tensor<8xf32>) -> tensor<8xf32>
  // CHECK: %[[E:.*]] = tenon_host.view %[[C]][8] sizes [8] strides [1] : memref<2x8xf32> -> memref<8xf32>
  // CHECK: launch @plain ins(%[[D]] : memref<8xf32>) outs(%[[E]] : memref<8xf32>)
  %f = tensor.empty() : tensor<8xf32>
  %d = tenon_host.launch @plain ins(%c : tensor<8xf32>) outs(%f : tensor<8xf32>) -> tensor<8xf32>
  %g = tenon.reshape %c sizes [1, 8] : tensor<8xf32> -> tensor<1x8xf32>
  %h = tenon.reshape %d sizes [1, 8] : tensor<8xf32> -> tensor<1x8xf32>
  %i = tenon.concat %g, %h dim 0 {tenon_host.placed = array<i64: 0, 1>} : tensor<1x8xf32>, tensor<1x8xf32> -> tensor<2x8xf32>
  // CHECK: %[[J:.*]] = tenon_host.view %[[C]][8] sizes [8] strides [1]
  // CHECK: launch @plain ins(%[[J]] : {{.*}})
  // CHECK-NOT: tenon_host.copy
  %j = tenon.slice %i offsets [1, 0] sizes [1, 8] strides [1, 1] {tenon_host.view} : tensor<2x8xf32> -> tensor<1x8xf32>
  %k = tenon.reshape %j sizes [8] : tensor<1x8xf32> -> tensor<8xf32>
  %l = tensor.empty() : tensor<8xf32>
  %m = tenon_host.launch @plain ins(%k : tensor<8xf32>) outs(%l : tensor<8xf32>) -> tensor<8xf32>
  return %m : tensor<8xf32>
}
