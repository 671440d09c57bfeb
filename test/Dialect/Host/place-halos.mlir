// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" | FileCheck %s

func.func private @k(tensor<2x3x4xf32>) -> (tensor<2x3x4xf32> {tenon_tile.contract = "inner"})
func.func private @read(tensor<2x6x4xf32>) -> tensor<2xf32>

// The operand is written where the result has it. What is around it is written behind that: each time, for others use the
// place in between.
// CHECK-LABEL: func.func @rows()
func.func @rows(%x: tensor<2x3x4xf32>) -> tensor<2xf32> {
  %zero = tenon.constant dense<-1.0> : tensor<f32>
  %e = tensor.empty() : tensor<2x3x4xf32>
  // CHECK: %[[P:.*]] = tenon_host.storage arena 0 sizes [2, 6, 4] live [0, 2]
  // CHECK: %[[A:.*]] = tenon_host.view %[[P]][4] sizes [2, 3, 4] strides [24, 4, 1]
  // CHECK: launch @k ins({{.*}}) outs(%[[A]] : memref<2x3x4xf32, strided<[?, ?, 1], offset: 4>>)
  %a = tenon_host.launch @k ins(%x : tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: %[[Z:.*]] = tenon_host.storage constant 0 sizes [] value(dense<-1.000000e+00> : tensor<f32>)
  // CHECK: %[[B:.*]] = tenon_host.view %[[Z]][0] sizes [2, 1, 4] strides [0, 0, 0]
  // CHECK: %[[C:.*]] = tenon_host.view %[[P]][0] sizes [2, 1, 4] strides [24, 4, 1]
  // CHECK: tenon_host.copy %[[B]] to %[[C]]
  // CHECK: %[[D:.*]] = tenon_host.view %[[Z]][0] sizes [2, 2, 4] strides [0, 0, 0]
  // CHECK: %[[E:.*]] = tenon_host.view %[[P]][16] sizes [2, 2, 4] strides [24, 4, 1]
  // CHECK: tenon_host.copy %[[D]] to %[[E]]
  // CHECK-NOT: tenon_host.copy
  %p = tenon.pad constant %a, %zero low [0, 1, 0] high [0, 2, 0] {tenon_host.placed = array<i64: 0>} : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x6x4xf32>
  // CHECK: launch @read ins(%[[P]] :
  %f = tensor.empty() : tensor<2xf32>
  %y = tenon_host.launch @read ins(%p : tensor<2x6x4xf32>) outs(%f : tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

func.func private @image(index, index, index, tensor<?x?x?x8xf32>)
    -> (tensor<?x?x?x8xf32> {tenon_tile.contract = "inner"})

// Above, below, then left and right of the rows between.
// CHECK-LABEL: func.func @images()
func.func @images(%x: tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32> {
  %n = tenon.symbol "n"
  %h = tenon.symbol "h"
  %w = tenon.symbol "w"
  tenon.bind_shape %x [%n, %h, %w, 8] : tensor<?x?x?x8xf32>
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %e = tensor.empty(%n, %h, %w) : tensor<?x?x?x8xf32>
  // CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
  // CHECK-DAG: %[[H:.*]] = tenon.symbol "h"
  // CHECK-DAG: %[[W:.*]] = tenon.symbol "w"
  // CHECK: launch @image
  %a = tenon_host.launch @image symbols(%n, %h, %w) ins(%x : tensor<?x?x?x8xf32>) outs(%e : tensor<?x?x?x8xf32>) -> tensor<?x?x?x8xf32>
  // CHECK: tenon_host.view %{{.*}}[0] sizes [%[[N]], 1, %[[WIDE:.*]], 8] strides [0, 0, 0, 0]
  // CHECK: tenon_host.copy
  // CHECK: tenon_host.view %{{.*}}[0] sizes [%[[N]], 1, %{{.*}}, 8] strides [0, 0, 0, 0]
  // CHECK: tenon_host.copy
  // CHECK: tenon_host.view %{{.*}}[0] sizes [%[[N]], %[[H]], 2, 8] strides [0, 0, 0, 0]
  // CHECK: tenon_host.copy
  // CHECK: tenon_host.view %{{.*}}[0] sizes [%[[N]], %[[H]], 1, 8] strides [0, 0, 0, 0]
  // CHECK: tenon_host.copy
  // CHECK-NOT: tenon_host.copy
  %p = tenon.pad constant %a, %zero low [0, 1, 2, 0] high [0, 1, 1, 0] {tenon_host.placed = array<i64: 0>} : tensor<?x?x?x8xf32>, tensor<f32> -> tensor<?x?x?x8xf32>
  return %p : tensor<?x?x?x8xf32>
}

// A border in a part of a concat's place; one that has no width isn't written.
// CHECK-LABEL: func.func @part_of_concat()
func.func @part_of_concat(%x: tensor<2x3x4xf32>) -> tensor<2x8x4xf32> {
  %zero = tenon.constant dense<0.0> : tensor<f32>
  %e = tensor.empty() : tensor<2x3x4xf32>
  // CHECK: %[[P:.*]] = tenon_host.storage output 0 sizes [2, 8, 4]
  // CHECK: tenon_host.view %[[P]][12] sizes [2, 3, 4] strides [32, 4, 1]
  // CHECK: launch @k
  %a = tenon_host.launch @k ins(%x : tensor<2x3x4xf32>) outs(%e : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  // CHECK: tenon_host.view %[[P]][24] sizes [2, 2, 4] strides [32, 4, 1]
  // CHECK-NEXT: tenon_host.copy
  %b = tenon.pad constant %a, %zero low [0, 0, 0] high [0, 2, 0] {tenon_host.placed = array<i64: 0>} : tensor<2x3x4xf32>, tensor<f32> -> tensor<2x5x4xf32>
  // CHECK: tenon_host.view %[[P]][0] sizes [2, 3, 4] strides [32, 4, 1]
  // CHECK-NEXT: tenon_host.copy
  // CHECK-NOT: tenon_host.copy
  %c = tenon.concat %x, %b dim 1 {tenon_host.placed = array<i64: 1>} : tensor<2x3x4xf32>, tensor<2x5x4xf32> -> tensor<2x8x4xf32>
  return %c : tensor<2x8x4xf32>
}
