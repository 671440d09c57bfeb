// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @branch
func.func @branch(%c: tensor<i1>, %a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: tenon.if %{{.*}} -> tensor<4xf32> {
  %y = tenon.if %c -> tensor<4xf32> {
    // CHECK: tenon.yield %{{.*}} : tensor<4xf32>
    tenon.yield %a : tensor<4xf32>
  } else {
    tenon.yield %b : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @loop
func.func @loop(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<?x4xf32> {
  // CHECK: tenon.loop %{{.*}}, %{{.*}} carried(%{{.*}} : tensor<4xf32>) -> tensor<4xf32>, tensor<?x4xf32> {
  %s, %all = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32>, tensor<?x4xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    %w = tenon.add %v, %v : tensor<4xf32>
    tenon.yield %c, %w, %w : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %all : tensor<?x4xf32>
}
