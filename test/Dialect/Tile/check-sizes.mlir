// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-check-sizes))" | FileCheck %s

// Sizes that are one expression need no check, others do: once each, where their numbers are known.
// CHECK-LABEL: func.func @shared
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK-DAG: %[[M:.*]] = tenon.symbol "m"
// CHECK: tenon_host.check_equal %[[M]], %[[N]] "operands differ in a size that they share"
// CHECK-NEXT: tenon.add %arg0, %arg0
// CHECK-NEXT: tenon.add %arg0, %arg1
// CHECK-NEXT: tenon.mul %arg0, %arg1
func.func @shared(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%n] : tensor<?xf32>
  tenon.bind_shape %y [%m] : tensor<?xf32>
  %a = tenon.add %x, %x : tensor<?xf32>
  %b = tenon.add %x, %y : tensor<?xf32>
  %c = tenon.mul %x, %y : tensor<?xf32>
  %d = tenon.add %b, %c : tensor<?xf32>
  %e = tenon.add %d, %a : tensor<?xf32>
  return %e : tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @contract
// CHECK-DAG: %[[J:.*]] = tenon.symbol "j"
// CHECK-DAG: %[[K:.*]] = tenon.symbol "k"
// CHECK: tenon_host.check_equal %[[K]], %[[J]] "operands differ in a size that they share"
// CHECK-NEXT: tenon.contract
func.func @contract(%x: tensor<4x?xf32>, %y: tensor<?x4xf32>) -> tensor<4x4xf32> {
  %j = tenon.symbol "j"
  %k = tenon.symbol "k"
  tenon.bind_shape %x [4, %j] : tensor<4x?xf32>
  tenon.bind_shape %y [%k, 4] : tensor<?x4xf32>
  %z = tenon.contract %x, %y maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>]
       : tensor<4x?xf32>, tensor<?x4xf32> -> tensor<4x4xf32>
  return %z : tensor<4x4xf32>
}

// -----

// CHECK-LABEL: func.func @broadcast
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK: %[[ONE:.*]] = arith.cmpi eq, %[[N]], %{{.*}} : index
// CHECK: %[[FIT:.*]] = arith.select %[[ONE]], %arg1, %[[N]] : index
// CHECK: tenon_host.check_equal %[[FIT]], %arg1 "a size is neither 1 nor what it is broadcast to"
// CHECK: tenon.broadcast
func.func @broadcast(%x: tensor<?xf32>, %m: index) -> tensor<?xf32> {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n] : tensor<?xf32>
  %y = tenon.broadcast %x dims [0] sizes [%m] : tensor<?xf32> -> tensor<?xf32>
  return %y : tensor<?xf32>
}

// -----

// Numbers of elements that are equal by their expressions need no check.
// CHECK-LABEL: func.func @reshape
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK: %[[ALL:.*]] = affine.apply #{{.*}}()[%[[N]]]
// CHECK: tenon_host.check_equal %[[ALL]], %arg1 "the operand has another number of elements than the shape that it is given"
// CHECK-NEXT: tenon.reshape %arg0 sizes [%[[N]], 2, 3]
// CHECK-NEXT: tenon.reshape %arg0 sizes [%arg1]
func.func @reshape(%x: tensor<?x6xf32>, %m: index) -> (tensor<?x2x3xf32>, tensor<?xf32>) {
  %n = tenon.symbol "n"
  tenon.bind_shape %x [%n, 6] : tensor<?x6xf32>
  %y = tenon.reshape %x sizes [%n, 2, 3] : tensor<?x6xf32> -> tensor<?x2x3xf32>
  %z = tenon.reshape %x sizes [%m] : tensor<?x6xf32> -> tensor<?xf32>
  return %y, %z : tensor<?x2x3xf32>, tensor<?xf32>
}

// -----

// CHECK-LABEL: func.func @slice
// CHECK: tenon_host.check_at_most %{{.*}}, %{{.*}} "the slice goes beyond its operand"
// CHECK: %[[LOW:.*]] = arith.select
// CHECK-NEXT: tenon_host.check_at_most %{{.*}}, %[[LOW]] "the slice goes beyond its operand"
// CHECK-NEXT: tenon.slice %arg0 offsets [1] sizes [3]
// CHECK-NEXT: tenon.slice %arg0 offsets [%arg1] sizes [3]
func.func @slice(%x: tensor<4xf32>, %i: index) -> (tensor<3xf32>, tensor<3xf32>) {
  %y = tenon.slice %x offsets [1] sizes [3] strides [1] : tensor<4xf32> -> tensor<3xf32>
  %z = tenon.slice %x offsets [%i] sizes [3] strides [1] : tensor<4xf32> -> tensor<3xf32>
  return %y, %z : tensor<3xf32>, tensor<3xf32>
}

// -----

// CHECK-LABEL: func.func @others
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK-DAG: %[[M:.*]] = tenon.symbol "m"
// CHECK: tenon_host.check_equal %{{.*}}, %{{.*}} "operands differ in a size that isn't concatenated"
// CHECK-NEXT: tenon_host.check_at_most %arg2, %[[N]] "there are fewer elements than are asked for"
// CHECK: tenon_host.check_at_most %{{.*}}, %[[M]] "a size is read beyond the end of its tensor"
// CHECK-NEXT: tenon.concat
// CHECK-NEXT: tenon.topk
// CHECK-NEXT: tenon.item
func.func @others(%x: tensor<?x2xf32>, %y: tensor<?x3xf32>, %k: index, %s: tensor<?xi64>)
    -> (tensor<?x5xf32>, tensor<?x2xf32>, tensor<?x2xi64>, tensor<1xi64>) {
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%n, 2] : tensor<?x2xf32>
  tenon.bind_shape %y [%m, 3] : tensor<?x3xf32>
  tenon.bind_shape %s [%m] : tensor<?xi64>
  %c = tenon.concat %x, %y dim 1 : tensor<?x2xf32>, tensor<?x3xf32> -> tensor<?x5xf32>
  %v, %i = tenon.topk %x dim 0 k [%k] : tensor<?x2xf32> -> tensor<?x2xf32>, tensor<?x2xi64>
  %item = tenon.item %s at 1 : tensor<?xi64>
  %sizes = tenon.from_sizes [%item] : tensor<1xi64>
  return %c, %v, %i, %sizes : tensor<?x5xf32>, tensor<?x2xf32>, tensor<?x2xi64>, tensor<1xi64>
}

// -----

// In a branch only what the function knows is checked, and not what it has checked.
// CHECK-LABEL: func.func @branch
// CHECK: tenon.if
// CHECK-NEXT: tenon_host.check_equal
// CHECK-NEXT: tenon.add
func.func @branch(%c: tensor<i1>, %x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%n] : tensor<?xf32>
  tenon.bind_shape %y [%m] : tensor<?xf32>
  %z = tenon.if %c -> tensor<?xf32> {
    %a = tenon.add %x, %y : tensor<?xf32>
    tenon.yield %a : tensor<?xf32>
  } else {
    tenon.yield %x : tensor<?xf32>
  }
  return %z : tensor<?xf32>
}

// -----

// What the graph states: of two sizes as they are, of anything else that it holds.
// CHECK-LABEL: func.func @stated
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK-DAG: %[[C4:.*]] = arith.constant 4 : index
// CHECK: tenon_host.check_equal %[[N]], %[[C4]] "not four"
// CHECK: %[[L:.*]] = arith.cmpi ne, %[[N]], %[[C4]]
// CHECK: %[[H:.*]] = arith.select %[[L]], %[[ONE:.*]], %{{.*}} : index
// CHECK: tenon_host.check_equal %[[H]], %[[ONE]] "four"
// CHECK-NOT: cf.assert
func.func @stated() {
  %n = tenon.symbol "n"
  %c4 = arith.constant 4 : index
  %equal = arith.cmpi eq, %n, %c4 : index
  cf.assert %equal, "not four"
  %other = arith.cmpi ne, %n, %c4 : index
  cf.assert %other, "four"
  return
}

// -----

// Symbols move in front of what is computed from them.
// CHECK-LABEL: func.func @late
// CHECK-DAG: %[[N:.*]] = tenon.symbol "n"
// CHECK-DAG: %[[M:.*]] = tenon.symbol "m"
// CHECK: tenon_host.check_equal %[[M]], %[[N]]
// CHECK-NEXT: tenon.add
func.func @late(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %z = tenon.add %x, %y : tensor<?xf32>
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%n] : tensor<?xf32>
  tenon.bind_shape %y [%m] : tensor<?xf32>
  return %z : tensor<?xf32>
}

// -----

// What makes the operands of an op may write them where its result will be: checks stand before it, or behind what reads their
// numbers.
// CHECK-LABEL: func.func @early
// CHECK: tenon_host.check_equal %{{.*}}, %{{.*}} "operands differ in a size that isn't concatenated"
// CHECK-NEXT: tenon.sigmoid
// CHECK-NEXT: %[[ITEM:.*]] = tenon.item
// CHECK: tenon_host.check_equal %{{.*}}, %[[ITEM]] "the operand has another number of elements than the shape that it is given"
// CHECK-NEXT: tenon.sigmoid
// CHECK-NEXT: tenon.concat
// CHECK-NEXT: tenon.reshape
// CHECK: tenon.if
// CHECK-NEXT: tenon_host.check_equal %{{.*}}, %{{.*}} "operands differ in a size that they share"
// CHECK-NEXT: tenon.neg
func.func @early(%c: tensor<i1>, %x: tensor<?x2xf32>, %y: tensor<?x3xf32>, %z: tensor<?x2xf32>, %s: tensor<2xi64>) -> (tensor<?xf32>, tensor<?x2xf32>) {
  %n = tenon.symbol "n"
  %m = tenon.symbol "m"
  %l = tenon.symbol "l"
  tenon.bind_shape %x [%n, 2] : tensor<?x2xf32>
  tenon.bind_shape %y [%m, 3] : tensor<?x3xf32>
  tenon.bind_shape %z [%l, 2] : tensor<?x2xf32>
  %0 = tenon.sigmoid %x : tensor<?x2xf32>
  %item = tenon.item %s at 1 : tensor<2xi64>
  %1 = tenon.sigmoid %y : tensor<?x3xf32>
  %2 = tenon.concat %0, %1 dim 1 : tensor<?x2xf32>, tensor<?x3xf32> -> tensor<?x5xf32>
  %3 = tenon.reshape %2 sizes [%item] : tensor<?x5xf32> -> tensor<?xf32>
  %4 = tenon.if %c -> tensor<?x2xf32> {
    %5 = tenon.neg %x : tensor<?x2xf32>
    %6 = tenon.add %5, %z : tensor<?x2xf32>
    tenon.yield %6 : tensor<?x2xf32>
  } else {
    tenon.yield %x : tensor<?x2xf32>
  }
  return %3, %4 : tensor<?xf32>, tensor<?x2xf32>
}
