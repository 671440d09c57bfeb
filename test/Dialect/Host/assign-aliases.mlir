// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-aliases))" | FileCheck %s
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-assign-aliases,tenon-assign-views),tenon-form-kernels,func.func(tenon-place-buffers))" | FileCheck %s --check-prefix=PLACED

// CHECK-LABEL: func.func @cache
// CHECK-SAME: %[[PAST:[a-z0-9]*]]: tensor<2x?x4xf32>
func.func @cache(%past: tensor<2x?x4xf32> {tenon.name = "past"}, %x: tensor<2x1x4xf32>)
    -> (tensor<2x?x4xf32> {tenon.alias = 0 : i64, tenon.name = "present"}, tensor<2x?x4xf32>, tensor<2x?x4xf32>) {
  %m = tenon.symbol "m"
  tenon.bind_shape %past [2, %m, 4] : tensor<2x?x4xf32>
  // CHECK: %[[A:.*]] = tenon_host.is_aliased output 0 input 0
  // CHECK: %[[S0:.*]] = tenon_host.bound_stride input 0 dim 0
  // CHECK: %[[S1:.*]] = tenon_host.bound_stride input 0 dim 1
  // CHECK: tenon_host.bind_strides %[[PAST]][%[[S0]], %[[S1]]] : tensor<2x?x4xf32>
  // The one that reads the input otherwise does so through a slice, and so do those that read the result.
  // CHECK: %[[P:.*]] = tenon.slice %[[PAST]]
  // CHECK: tenon.exp %[[P]]
  // CHECK: %[[T1:.*]] = affine.apply {{.*}}[%[[A]], %[[S1]]]
  // CHECK: %[[T0:.*]] = affine.apply {{.*}}[%{{.*}}, %[[A]], %[[S0]]]
  // CHECK: %[[Y:.*]] = tenon.concat %[[PAST]],
  // CHECK: %[[Q:.*]] = tenon.slice %[[Y]]
  // CHECK: tenon_host.bind_strides %[[Y]][%[[T0]], %[[T1]]]
  // CHECK: tenon.neg %[[Q]]
  // CHECK: return %[[Y]],
  %e = tenon.exp %past : tensor<2x?x4xf32>
  %new = tenon.neg %x : tensor<2x1x4xf32>
  %y = tenon.concat %past, %new dim 1 : tensor<2x?x4xf32>, tensor<2x1x4xf32> -> tensor<2x?x4xf32>
  %z = tenon.neg %y : tensor<2x?x4xf32>
  return %y, %e, %z : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>
}

// What is new is written behind what is there; what is there is copied only where the buffers are two.
// PLACED-LABEL: func.func @cache
// PLACED: %[[A:.*]] = tenon_host.is_aliased output 0 input 0
// PLACED: %[[X:.*]] = tenon_host.storage input 0 "past" sizes [2, %{{.*}}, 4] strides(%[[S0:.*]], %[[S1:.*]]) : memref<2x?x4xf32, strided<[?, ?, 1]>>
// PLACED: %[[Y:.*]] = tenon_host.storage output 0 "present" sizes [2, %{{.*}}, 4] strides(%{{.*}}, %{{.*}}) : memref<2x?x4xf32, strided<[?, ?, 1]>>
// PLACED: %[[NEW:.*]] = tenon_host.view %[[Y]][%{{.*}}] sizes [2, 4]
// PLACED: tenon_host.launch @neg{{.*}} outs(%[[NEW]] :
// PLACED: %[[PAST:.*]] = tenon_host.view %[[Y]][0] sizes [2, %{{.*}}, 4]
// PLACED: %[[APART:.*]] = arith.cmpi eq, %[[A]], %c0
// PLACED: scf.if %[[APART]] {
// PLACED-NEXT: tenon_host.copy %[[X]] to %[[PAST]]
// PLACED-NEXT: }
// PLACED: %[[ALL:.*]] = tenon_host.view %[[Y]][0] sizes [2, %{{.*}}, 4]
// PLACED: tenon_host.launch @neg{{.*}} ins(%[[ALL]] :
// PLACED-NOT: tenon_host.copy
// PLACED: return

// What data says where to write is written into the input's buffer as well, without a copy of it.
// CHECK-LABEL: func.func @written
// CHECK: %[[C:.*]] = tenon.concat %arg0,
// CHECK: tenon_host.bind_strides %[[C]]
// CHECK: %[[Y:.*]] = tenon.scatter drop %[[C]]
// CHECK: %[[Q:.*]] = tenon.slice %[[Y]]
// CHECK: tenon_host.bind_strides %[[Y]]
// CHECK: tenon.neg %[[Q]]
// CHECK: return %[[Y]],
// PLACED-LABEL: func.func @written
// PLACED: %[[Y:.*]] = tenon_host.storage output 0 "present"
// PLACED: scf.if
// PLACED-NEXT: tenon_host.copy %{{.*}} to
// PLACED: tenon_host.view %[[Y]][0]
// PLACED: tenon_host.launch @scatter{{.*}} outs(%{{.*}} :
// PLACED-NOT: tenon_host.copy
// PLACED: return
func.func @written(%past: tensor<2x?x4xf32> {tenon.name = "past"}, %x: tensor<2x1x4xf32>, %at: tensor<2x1x1xi64>)
    -> (tensor<2x?x4xf32> {tenon.alias = 0 : i64, tenon.name = "present"}, tensor<2x?x4xf32>) {
  %m = tenon.symbol "m"
  tenon.bind_shape %past [2, %m, 4] : tensor<2x?x4xf32>
  %room = tenon.neg %x : tensor<2x1x4xf32>
  %c = tenon.concat %past, %room dim 1 : tensor<2x?x4xf32>, tensor<2x1x4xf32> -> tensor<2x?x4xf32>
  %y = tenon.scatter drop %c, %at, %x dims [1] batch_dims 1 : tensor<2x?x4xf32>, tensor<2x1x1xi64>, tensor<2x1x4xf32>
  %z = tenon.neg %y : tensor<2x?x4xf32>
  return %y, %z : tensor<2x?x4xf32>, tensor<2x?x4xf32>
}
