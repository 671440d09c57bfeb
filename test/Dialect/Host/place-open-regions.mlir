// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" | FileCheck %s

func.func private @k(index)

// A carried tensor that grows: the body reads one buffer and writes the other, then they change places. The concat is
// computed where the next iteration reads it.
// CHECK-LABEL: func.func @growing()
// CHECK: %[[M:.*]] = tenon.symbol "m"
// CHECK: %[[FIRST:.*]] = tenon_host.storage growing 0 sizes [%[[M]]]
// CHECK: tenon_host.copy %{{.*}} to %[[FIRST]]
// CHECK: %[[LOOP:.*]]:2 = scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[M]]) : (index, i1, index) -> (index, index)
// CHECK: ^bb0(%{{.*}}: index, %[[SIZE:.*]]: index):
// CHECK:   %[[GIVEN:.*]] = tenon_host.storage growing 0 sizes [%[[SIZE]]]
// CHECK:   %[[PART:.*]] = tenon_host.storage arena {{.*}} sizes [%[[SIZE]]]
// CHECK:   tenon_host.launch @k symbols(%[[SIZE]]) ins(%[[GIVEN]] : memref<?xf32>) outs(%[[PART]] : memref<?xf32>)
// CHECK:   %[[TWICE:.*]] = affine.apply {{.*}}[%[[SIZE]]]
// CHECK:   %[[NEXT:.*]] = tenon_host.storage growing 1 sizes [%[[TWICE]]]
// CHECK:   tenon_host.copy %[[GIVEN]] to
// CHECK:   tenon_host.copy %[[PART]] to
// CHECK-NOT: tenon_host.copy
// CHECK:   tenon_host.exchange %[[GIVEN]], %[[NEXT]]
// CHECK:   scf.yield %{{.*}}, %{{.*}}, %{{.*}} : index, i1, index
// CHECK: tenon_host.storage growing 0 sizes [%[[LOOP]]#1]
func.func @growing(%n: tensor<i64>, %x: tensor<?xf32>) -> tensor<?xf32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m] : tensor<?xf32>
  %c = tenon.constant dense<true> : tensor<i1>
  %y = tenon.loop %n, %c carried(%x : tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<?xf32>):
    %s = tenon.size %v dim 0 : tensor<?xf32>
    %e = tensor.empty(%s) : tensor<?xf32>
    %0 = tenon_host.launch @k symbols(%s) ins(%v : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %1 = tenon.concat %v, %0 dim 0 : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
    tenon.yield %c, %1 : tensor<i1>, tensor<?xf32>
  }
  return %y : tensor<?xf32>
}

// -----

// Arms of two sizes: the branch gives the size that it came to.
// CHECK-LABEL: func.func @arms()
// CHECK: %[[X:.*]] = tenon_host.storage input 1
// CHECK: %[[SIZE:.*]] = scf.if %{{.*}} -> (index) {
// CHECK:   %[[DIRECT:.*]] = tenon_host.storage growing 0 sizes [2] : memref<2xf32>
// CHECK:   tenon_host.launch @k ins(%[[X]] : memref<4xf32>) outs(%[[DIRECT]] : memref<2xf32>)
// CHECK:   %[[TWO:.*]] = arith.constant 2 : index
// CHECK:   scf.yield %[[TWO]] : index
// CHECK: } else {
// CHECK:   %[[FOUR:.*]] = arith.constant 4 : index
// CHECK:   %[[COPIED:.*]] = tenon_host.storage growing 0 sizes [4] : memref<4xf32>
// CHECK:   tenon_host.copy %[[X]] to %[[COPIED]]
// CHECK:   scf.yield %[[FOUR]] : index
// CHECK: %[[Y:.*]] = tenon_host.storage growing 0 sizes [%[[SIZE]]] : memref<?xf32>
// CHECK: %[[OUT:.*]] = tenon_host.storage output 0 sizes [%[[SIZE]]]
// CHECK: tenon_host.copy %[[Y]] to %[[OUT]]
func.func private @k(index)
func.func @arms(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<?xf32> {
  %y = tenon.if %c -> tensor<?xf32> {
    %e = tensor.empty() : tensor<2xf32>
    %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
    tenon.yield %0 : tensor<2xf32>
  } else {
    tenon.yield %x : tensor<4xf32>
  }
  return %y : tensor<?xf32>
}

// -----

// Scan values whose number and size are data: room for them grows, and all have one size.
// CHECK-LABEL: func.func @collect()
// CHECK: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK: %[[LOOP:.*]]:2 = scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %{{.*}} = %[[ZERO]])
// CHECK: ^bb0(%[[I:.*]]: index, %[[BEFORE:.*]]: index):
// CHECK:   %[[L:.*]] = tenon_host.read_scalar
// CHECK:   tenon_host.storage arena {{.*}} sizes [%[[L]]]
// CHECK:   %[[EXPECTED:.*]] = arith.select %{{.*}}, %[[L]], %[[BEFORE]] : index
// CHECK:   tenon_host.check_equal %[[L]], %[[EXPECTED]] "scan values of the iterations differ in size"
// CHECK:   %[[ROWS:.*]] = affine.apply {{.*}}[%[[I]]]
// CHECK:   %[[ALL:.*]] = tenon_host.storage growing 0 sizes [%[[ROWS]], %[[L]]]
// CHECK:   %[[ROW:.*]] = tenon_host.view %[[ALL]]
// CHECK:   tenon_host.copy %{{.*}} to %[[ROW]]
// CHECK: tenon_host.storage growing 0 sizes [%[[LOOP]]#0, %[[LOOP]]#1]
func.func private @k(index)
func.func private @more(index)
func.func @collect(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<4xf32>) -> tensor<?x?xf32> {
  %y = tenon.loop %n, %c -> tensor<?x?xf32> {
  ^bb0(%i: tensor<i64>):
    %l = tenon.item %i at 0 : tensor<i64>
    %e = tensor.empty(%l) : tensor<?xf32>
    %0 = tenon_host.launch @k symbols(%l) ins(%x : tensor<4xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %f = tensor.empty() : tensor<i1>
    %on = tenon_host.launch @more ins(%i : tensor<i64>) outs(%f : tensor<i1>) -> tensor<i1>
    tenon.yield %on, %0 : tensor<i1>, tensor<?xf32>
  }
  return %y : tensor<?x?xf32>
}

// -----

// A loop whose sizes are known stays part of a segment, here of the branch's: its buffers stand before it. What the arms
// share is named before the branch.
// CHECK-LABEL: func.func @closed_in_open()
// CHECK: %[[K:.*]] = tenon_host.storage constant {{.*}} sizes [4]
// CHECK: scf.if
// CHECK:   %[[CARRIED:.*]] = tenon_host.storage growing 0 sizes [4] : memref<4xf32>
// CHECK:   tenon_host.copy %{{.*}} to %[[CARRIED]]
// CHECK:   tenon_host.storage arena {{.*}} : memref<i64>
// CHECK:   %[[NEXT:.*]] = tenon_host.storage arena {{.*}} sizes [4]
// CHECK:   scf.while
// CHECK-NOT: tenon_host.storage
// CHECK:     tenon_host.launch @k ins(%[[CARRIED]], %[[K]] : memref<4xf32>, memref<4xf32>) outs(%[[NEXT]] : memref<4xf32>)
// CHECK:     tenon_host.copy %[[NEXT]] to %[[CARRIED]]
// CHECK: } else {
// CHECK:   tenon_host.launch @k ins(%{{.*}}, %[[K]] : memref<4xf32>, memref<4xf32>)
func.func private @k(index)
func.func @closed_in_open(%c: tensor<i1>, %n: tensor<i64>, %x: tensor<4xf32>) -> tensor<?xf32> {
  %k = tenon.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %true = tenon.constant dense<true> : tensor<i1>
  %y = tenon.if %c -> tensor<?xf32> {
    %s = tenon.loop %n, %true carried(%x : tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
      %e = tensor.empty() : tensor<4xf32>
      %0 = tenon_host.launch @k ins(%v, %k : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
      tenon.yield %true, %0 : tensor<i1>, tensor<4xf32>
    }
    tenon.yield %s : tensor<4xf32>
  } else {
    %e = tensor.empty() : tensor<2xf32>
    %0 = tenon_host.launch @k ins(%x, %k : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<2xf32>) -> tensor<2xf32>
    tenon.yield %0 : tensor<2xf32>
  }
  return %y : tensor<?xf32>
}
