// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-form-kernels)" | FileCheck %s

// A contraction takes its epilogue along; scalars are computed in the kernel, vectors are its operands.
// CHECK: tenon_tile.kernel @[[K0:matmul_bias_relu_[0-9a-f]+]](%arg0: index, %arg1: tensor<?x8xf32>, %arg2: tensor<8x4xf32>, %arg3: tensor<4xf32>)
// CHECK: tenon.contract
// CHECK: tenon.add
// CHECK: tenon.max
// CHECK-LABEL: func.func @epilogue
// CHECK: %[[E:.*]] = tensor.empty(%[[M:.*]]) : tensor<?x4xf32>
// CHECK: tenon_host.launch @[[K0]] symbols(%{{.*}}) ins(%arg0, %arg1, %arg2 : {{.*}}) outs(%[[E]] : tensor<?x4xf32>) -> tensor<?x4xf32>
// CHECK-NOT: tenon_host.launch
func.func @epilogue(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 8] : tensor<?x8xf32>
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  %1 = tenon.broadcast %b dims [1] sizes [%m, 4] : tensor<4xf32> -> tensor<?x4xf32>
  %2 = tenon.add %0, %1 : tensor<?x4xf32>
  %z = tenon.constant dense<0.0> : tensor<f32>
  %3 = tenon.broadcast %z dims [] sizes [%m, 4] : tensor<f32> -> tensor<?x4xf32>
  %4 = tenon.max %2, %3 : tensor<?x4xf32>
  return %4 : tensor<?x4xf32>
}

// -----

// Two contractions don't share a kernel; equal kernels are one.
// CHECK: tenon_tile.kernel @[[K0:matmul_[0-9a-f]+]]
// CHECK-NOT: tenon_tile.kernel
// CHECK-LABEL: func.func @equal
// CHECK: tenon_host.launch @[[K0]]
// CHECK: tenon_host.launch @[[K0]]
func.func @equal(%x: tensor<8x8xf32>, %w: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  %1 = tenon.contract %0, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  return %1 : tensor<8x8xf32>
}

// -----

// Reductions of the same rows and what lies between them are one kernel, with two results.
// CHECK: tenon_tile.kernel @[[K0:exp_softmax_sum_[0-9a-f]+]](%arg0: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8xf32>)
// CHECK-LABEL: func.func @rows
// CHECK: %[[R:.*]]:2 = tenon_host.launch @[[K0]]
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @rows(%x: tensor<8x16xf32>) -> (tensor<8x16xf32>, tensor<8xf32>) {
  %0 = tenon.exp %x : tensor<8x16xf32>
  %1 = tenon.softmax %0 dims [1] : tensor<8x16xf32>
  %2 = tenon.reduce sum %1 dims [1] : tensor<8x16xf32> -> tensor<8xf32>
  return %1, %2 : tensor<8x16xf32>, tensor<8xf32>
}

// -----

// The sum needs a launch that needs the exponential: it can't be in the kernel of the latter.
// CHECK: tenon_tile.kernel @[[K0:exp_softmax_[0-9a-f]+]]
// CHECK-NOT: tenon.add
// CHECK: tenon_tile.kernel @[[K1:softmax_add_[0-9a-f]+]]
// CHECK-LABEL: func.func @cycle
// CHECK: %[[A:.*]]:2 = tenon_host.launch @[[K0]]
// CHECK: tenon_host.launch @[[K1]] {{.*}}ins(%[[A]]#1, %[[A]]#0
func.func @cycle(%x: tensor<8x16xf32>) -> tensor<8x16xf32> {
  %0 = tenon.exp %x : tensor<8x16xf32>
  %1 = tenon.softmax %0 dims [0] : tensor<8x16xf32>
  %2 = tenon.softmax %1 dims [1] : tensor<8x16xf32>
  %3 = tenon.add %0, %2 : tensor<8x16xf32>
  return %3 : tensor<8x16xf32>
}

// -----

// Dimensions that run together become one, as views of the same memory.
// CHECK: tenon_tile.kernel @[[K0:add_[0-9a-f]+]](%arg0: index, %arg1: tensor<?xf32>, %arg2: tensor<?xf32>) -> tensor<?xf32>
// CHECK-LABEL: func.func @collapse
// CHECK: tenon.reshape %arg0 sizes [%{{.*}}] : tensor<?x4x5xf32> -> tensor<?xf32>
// CHECK: tenon_host.launch @[[K0]]
// CHECK: tenon.reshape %{{.*}} sizes [%{{.*}}, 4, 5] : tensor<?xf32> -> tensor<?x4x5xf32>
func.func @collapse(%x: tensor<?x4x5xf32>, %y: tensor<?x4x5xf32>) -> tensor<?x4x5xf32> {
  %m = tenon.symbol "m"
  tenon.bind_shape %x [%m, 4, 5] : tensor<?x4x5xf32>
  tenon.bind_shape %y [%m, 4, 5] : tensor<?x4x5xf32>
  %0 = tenon.add %x, %y : tensor<?x4x5xf32>
  return %0 : tensor<?x4x5xf32>
}

// -----

// Kernels are formed in branches as well; what they read from outside stays outside.
// CHECK-LABEL: func.func @branch
// CHECK: tenon_host.launch @exp
// CHECK: tenon.if
// CHECK:   tenon_host.launch @neg
// CHECK:   tenon.yield
func.func @branch(%c: tensor<i1>, %x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tenon.exp %x : tensor<4xf32>
  %1 = tenon.if %c -> tensor<4xf32> {
    %2 = tenon.neg %0 : tensor<4xf32>
    tenon.yield %2 : tensor<4xf32>
  } else {
    tenon.yield %0 : tensor<4xf32>
  }
  return %1 : tensor<4xf32>
}

// -----

// Results of one size keep the same dimensions, though only the first is tied to the row that is reduced.
// CHECK-LABEL: tenon_tile.kernel @
// CHECK: tenon_tile.yield %{{.*}}, %{{.*}} : tensor<4x6xf32>, tensor<4x6xf32>
// CHECK: func.func @two_wholes
func.func @two_wholes(%x: tensor<4x6xf32>) -> (tensor<4x6xf32>, tensor<4x6xf32>) {
  %max = tenon.reduce max %x dims [0, 1] : tensor<4x6xf32> -> tensor<f32>
  %a = tenon.broadcast %max dims [] sizes [4, 6] : tensor<f32> -> tensor<4x6xf32>
  %twice = tenon.add %max, %max : tensor<f32>
  %b = tenon.broadcast %twice dims [] sizes [4, 6] : tensor<f32> -> tensor<4x6xf32>
  %y = tenon.sub %x, %a : tensor<4x6xf32>
  return %y, %b : tensor<4x6xf32>, tensor<4x6xf32>
}

// -----

// A splat that a register tile reads is an operand, one that is added is made in the kernel.
// CHECK: tenon_tile.kernel @[[K0:matmul_add_[0-9a-f]+]](%arg0: tensor<4x8xf32>, %arg1: tensor<8x4xf32>)
// CHECK: tenon.constant dense<2.000000e+00> : tensor<4x4xf32>
// CHECK-LABEL: func.func @splats
// CHECK: %[[W:.*]] = tenon.constant dense<1.000000e+00> : tensor<4x8xf32>
// CHECK: tenon_host.launch @[[K0]] {{.*}}ins(%[[W]], %arg0
func.func @splats(%x: tensor<8x4xf32>) -> tensor<4x4xf32> {
  %w = tenon.constant dense<1.0> : tensor<4x8xf32>
  %b = tenon.constant dense<2.0> : tensor<4x4xf32>
  %0 = tenon.contract %w, %x maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xf32>, tensor<8x4xf32> -> tensor<4x4xf32>
  %1 = tenon.add %0, %b : tensor<4x4xf32>
  return %1 : tensor<4x4xf32>
}

// -----

// The kernel of exp, which stands first, is launched with its sum and so behind the scan: what reads both is no part of
// the one that the scan needs.
// CHECK-LABEL: func.func @launched_later
// CHECK: %[[A:.*]] = tenon_host.launch @neg{{.*}} ins(%arg1
// CHECK: %[[T:.*]] = tenon_host.launch @scan{{.*}} ins(%[[A]]
// CHECK: tenon_host.launch @exp_add{{.*}} ins(%arg0, %[[T]], %[[A]]
// CHECK: return
func.func @launched_later(%x: tensor<8xf32>, %y: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %s = tenon.exp %x : tensor<8xf32>
  %a = tenon.neg %y : tensor<8xf32>
  %t = tenon.scan sum %a dim 0 : tensor<8xf32>
  %m = tenon.add %s, %t : tensor<8xf32>
  %b = tenon.add %a, %s : tensor<8xf32>
  return %m, %b : tensor<8xf32>, tensor<8xf32>
}

// -----

// A scatter writes into its operand where that has a buffer that nothing else reads, else into a copy.
// CHECK: tenon_tile.kernel @scatter{{.*}}
// CHECK: tenon.scatter drop {{.*}} {tenon_tile.in_place}
// CHECK: tenon_tile.kernel @scatter{{.*}}
// CHECK-NOT: in_place
// CHECK-LABEL: func.func @in_place
// CHECK: %[[N:.*]] = tenon_host.launch @neg
// CHECK: %[[A:.*]] = tenon.reshape %[[N]]
// CHECK: tenon_host.launch @scatter{{.*}} ins(%[[A]], %arg1, %arg2 : {{.*}}) outs(%[[A]] :
// CHECK: %[[E:.*]] = tensor.empty
// CHECK: tenon_host.launch @scatter{{.*}} ins(%arg0, %arg1, %arg2 : {{.*}}) outs(%[[E]] :
func.func @in_place(%x: tensor<8x4xf32>, %i: tensor<2x1xi64>, %u: tensor<2x4xf32>) -> (tensor<8x4xf32>, tensor<8x4xf32>) {
  %a = tenon.neg %x : tensor<8x4xf32>
  %y = tenon.scatter drop %a, %i, %u dims [0] batch_dims 0 : tensor<8x4xf32>, tensor<2x1xi64>, tensor<2x4xf32>
  %z = tenon.scatter drop %x, %i, %u dims [0] batch_dims 0 : tensor<8x4xf32>, tensor<2x1xi64>, tensor<2x4xf32>
  return %y, %z : tensor<8x4xf32>, tensor<8x4xf32>
}

// -----

// The sum of the products is one kernel with the first of them. The second product can't go with what adds it to the scan: that
// needs the first kernel, which needs the second product.
// CHECK-LABEL: func.func @detour_by_an_earlier_op
// CHECK: tenon_host.launch @matmul_{{[0-9a-f]+}}
// CHECK: tenon_host.launch @matmul_add_{{[0-9a-f]+}}
// CHECK: tenon_host.launch @scan_{{[0-9a-f]+}}
// CHECK: tenon_host.launch @add_{{[0-9a-f]+}}
func.func @detour_by_an_earlier_op(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>, %w: tensor<8x8xf32>)
    -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  %1 = tenon.scan sum %0 dim 1 : tensor<8x8xf32>
  %2 = tenon.contract %y, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<8x8xf32>, tensor<8x8xf32> -> tensor<8x8xf32>
  %3 = tenon.add %0, %2 : tensor<8x8xf32>
  %4 = tenon.add %1, %2 : tensor<8x8xf32>
  return %3, %4 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// So many threads would have nothing to do that it pays to compute the elements before they are summed.
// CHECK-LABEL: func.func @parallel_before_a_sum
// CHECK: tenon_host.launch @exp_{{.*}}
// CHECK: tenon_host.launch @sum_{{.*}}
func.func @parallel_before_a_sum(%x: tensor<1048576xf32>) -> tensor<f32> {
  %0 = tenon.exp %x : tensor<1048576xf32>
  %1 = tenon.log %0 : tensor<1048576xf32>
  %2 = tenon.exp %1 : tensor<1048576xf32>
  %3 = tenon.log %2 : tensor<1048576xf32>
  %4 = tenon.exp %3 : tensor<1048576xf32>
  %5 = tenon.reduce sum %4 dims [0] : tensor<1048576xf32> -> tensor<f32>
  return %5 : tensor<f32>
}

// -----

// A contraction's kernel puts its rows next to each other, and goes on from there.
// CHECK: tenon_tile.kernel @[[K0:matmul_transpose_relu_[0-9a-f]+]]
// CHECK-NOT: tenon_tile.kernel
// CHECK-LABEL: func.func @turned
func.func @turned(%x: tensor<40x8xf32>, %w: tensor<8x24xf32>) -> tensor<24x40xf32> {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<40x8xf32>, tensor<8x24xf32> -> tensor<40x24xf32>
  %1 = tenon.transpose %0 [1, 0] : tensor<40x24xf32> -> tensor<24x40xf32>
  %z = tenon.constant dense<0.0> : tensor<f32>
  %2 = tenon.broadcast %z dims [] sizes [24, 40] : tensor<f32> -> tensor<24x40xf32>
  %3 = tenon.max %1, %2 : tensor<24x40xf32>
  return %3 : tensor<24x40xf32>
}

// -----

// Not where both orders are read, even if they have the same sizes, nor few rows.
// CHECK: tenon_tile.kernel @[[K0:matmul_[0-9a-f]+]]
// CHECK: tenon_tile.kernel @[[K1:transpose_add_[0-9a-f]+]]
// CHECK: tenon_tile.kernel @[[K2:matmul_[0-9a-f]+]]
// CHECK: tenon_tile.kernel @[[K3:transpose_[0-9a-f]+]]
// CHECK-LABEL: func.func @both
func.func @both(%x: tensor<24x8xf32>, %w: tensor<8x24xf32>, %y: tensor<4x8xf32>) -> (tensor<24x24xf32>, tensor<24x4xf32>) {
  %0 = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<24x8xf32>, tensor<8x24xf32> -> tensor<24x24xf32>
  %1 = tenon.transpose %0 [1, 0] : tensor<24x24xf32> -> tensor<24x24xf32>
  %2 = tenon.add %0, %1 : tensor<24x24xf32>
  %3 = tenon.contract %y, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>] : tensor<4x8xf32>, tensor<8x24xf32> -> tensor<4x24xf32>
  %4 = tenon.transpose %3 [1, 0] : tensor<4x24xf32> -> tensor<24x4xf32>
  return %2, %4 : tensor<24x24xf32>, tensor<24x4xf32>
}
