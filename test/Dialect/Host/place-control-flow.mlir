// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" | FileCheck %s

func.func private @k(index)

// Both branches write where the result lives.
// CHECK-LABEL: func.func @branch()
// CHECK: %[[C:.*]] = tenon_host.storage input 0
// CHECK: %[[X:.*]] = tenon_host.storage input 1
// CHECK: %[[Y:.*]] = tenon_host.storage output 0
// CHECK: %[[F:.*]] = tenon_host.read_scalar %[[C]] at 0 : memref<i1> -> i1
// CHECK: scf.if %[[F]] {
// CHECK:   tenon_host.launch @k ins(%[[X]] : memref<4xf32>) outs(%[[T:.*]] : memref<4xf32>)
// CHECK:   tenon_host.copy %[[T]] to %[[Y]]
// CHECK: } else {
// CHECK:   tenon_host.copy %[[X]] to %[[Y]]
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.if %c -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %0 : tensor<4xf32>
  } else {
    tenon.yield %x : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func private @k(index)

// Scan values have room for as many as there can be iterations; afterwards they have the size that they came to.
// CHECK-LABEL: func.func @loop()
// CHECK: %[[N:.*]] = tenon_host.read_scalar %{{.*}} at 0 : memref<i64> -> index
// CHECK: %[[TRIP:.*]] = arith.maxsi %[[N]]
// CHECK: tenon_host.copy %{{.*}} to %[[CARRIED:.*]] : memref<4xf32> to memref<4xf32>
// CHECK: %[[ALL:.*]] = tenon_host.storage arena {{.*}} sizes [%[[TRIP]], 4]
// CHECK: %[[COUNT:.*]] = scf.while
// CHECK:   tenon_host.write_scalar
// CHECK:   tenon_host.launch @k ins(%[[CARRIED]] : memref<4xf32>) outs(%[[NEXT:.*]] : memref<4xf32>)
// CHECK:   %[[PLACE:.*]] = tenon_host.view %[[ALL]]
// CHECK:   tenon_host.copy %{{.*}} to %[[PLACE]]
// CHECK:   tenon_host.copy %[[NEXT]] to %[[CARRIED]]
// CHECK: tenon_host.view %[[ALL]][0] sizes [%[[COUNT]], 4]
func.func @loop(%n: tensor<i64>, %x: tensor<4xf32>) -> (tensor<4xf32>, tensor<?x4xf32>) {
  %c = tenon.constant dense<true> : tensor<i1>
  %s, %all = tenon.loop %n, %c carried(%x : tensor<4xf32>) -> tensor<4xf32>, tensor<?x4xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>):
    %e = tensor.empty() : tensor<4xf32>
    %0 = tenon_host.launch @k ins(%v : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    tenon.yield %c, %0, %0 : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  %k = tenon.size %all dim 0 : tensor<?x4xf32>
  tenon.bind_shape %all [%k, 4] : tensor<?x4xf32>
  return %s, %all : tensor<4xf32>, tensor<?x4xf32>
}

// -----

// Values that change places are saved before they are overwritten.
// CHECK-LABEL: func.func @swap()
// CHECK: scf.while
// CHECK:   tenon_host.copy %[[A:.*]] to %[[SAVED:.*]] : memref<4xf32> to memref<4xf32>
// CHECK:   tenon_host.copy %[[B:.*]] to %[[A]] : memref<4xf32> to memref<4xf32>
// CHECK:   tenon_host.copy %[[SAVED]] to %[[B]] : memref<4xf32> to memref<4xf32>
func.func @swap(%n: tensor<i64>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %c = tenon.constant dense<true> : tensor<i1>
  %s:2 = tenon.loop %n, %c carried(%x, %y : tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>, tensor<4xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<4xf32>, %w: tensor<4xf32>):
    tenon.yield %c, %w, %v : tensor<i1>, tensor<4xf32>, tensor<4xf32>
  }
  return %s#0, %s#1 : tensor<4xf32>, tensor<4xf32>
}

// -----

// Strings have slots whatever their number.
// CHECK-LABEL: func.func @carried_strings()
// CHECK: scf.while
// CHECK: tenon_host.call_external "f" library "l" ins(%{{.*}} : !tenon_host.value<tensor<?x!tenon.string>>) outs(%[[T:.*]] : !tenon_host.value<tensor<?x!tenon.string>>)
// CHECK: tenon_host.call_external "identity" library "tenon_runtime" ins(%[[T]] : !tenon_host.value<tensor<?x!tenon.string>>)
func.func @carried_strings(%n: tensor<i64>, %c: tensor<i1>, %s: tensor<?x!tenon.string>) -> tensor<?x!tenon.string> {
  %m = tenon.symbol "m"
  tenon.bind_shape %s [%m] : tensor<?x!tenon.string>
  %0 = tenon.loop %n, %c carried(%s : tensor<?x!tenon.string>) -> tensor<?x!tenon.string> {
  ^bb0(%i: tensor<i64>, %v: tensor<?x!tenon.string>):
    %t = tenon_host.call_external "f" library "l" ins(%v : tensor<?x!tenon.string>) -> tensor<?x!tenon.string>
    tenon.yield %c, %t : tensor<i1>, tensor<?x!tenon.string>
  }
  return %0 : tensor<?x!tenon.string>
}
