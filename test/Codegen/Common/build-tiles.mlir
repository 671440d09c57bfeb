// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s

// Blocks are read along memory and turned; columns that are left over read no more rows than there are.
// CHECK-LABEL: tenon_tile.program @turned(
// CHECK-SAME: %{{.*}}: index, %[[X:.*]]: memref<?x40xf32>, %[[B:.*]]: memref<40x?xf32>) -> (%[[Y:.*]]: memref<40x?xf32>)
// CHECK: grid (%[[J:.*]], %[[MJ:.*]]) = 0 to 40 step 64, (%[[K:.*]], %[[MK:.*]]) = 0 to %{{.*}} step 112 {
// CHECK-NEXT: for (%[[L:.*]], %[[ML:.*]]) = %[[K]] to %[[K]] + %[[MK]] - %[[MK]] mod 8 step 16 {
// CHECK-NEXT: for (%[[N:.*]]) = %[[J]] to %[[J]] + %[[MJ]] step 8 {
// CHECK-NEXT: for (%[[P:.*]]) = %[[L]] to %[[L]] + %[[ML]] step 8 {
// CHECK-NEXT: %[[BLOCK:.*]] = load %[[X]][%[[P]], %[[N]]] dims [1, 0] : memref<?x40xf32> -> tensor<8x8xf32>
// CHECK-NEXT: %[[SUM:.*]] = compute at [%[[N]], %[[P]]] (%{{.*}} = %[[B]] : memref<40x?xf32>, %[[T:.*]] = %[[BLOCK]] : tensor<8x8xf32> of tensor<40x?xf32>) -> tensor<8x8xf32> {
// CHECK: add %[[T]],
// CHECK: store %[[SUM]], %[[Y]][%[[N]], %[[P]]] : tensor<8x8xf32>
// CHECK: for (%[[R:.*]]) = %[[K]] + %[[MK]] - %[[MK]] mod 8 to %[[K]] + %[[MK]] step 8 {
// CHECK: load %[[X]][%[[R]], %{{.*}}] extents [8, %[[MK]] mod 8] dims [1, 0]
// CHECK: store %{{.*}} extents [8, %[[MK]] mod 8]
tenon_tile.kernel @turned(%m: index, %x: tensor<?x40xf32>, %b: tensor<40x?xf32>) -> tensor<40x?xf32> {
  tenon.bind_shape %x [%m, 40] : tensor<?x40xf32>
  tenon.bind_shape %b [40, %m] : tensor<40x?xf32>
  %y = tenon.transpose %x [1, 0] : tensor<?x40xf32> -> tensor<40x?xf32>
  %z = tenon.add %y, %b : tensor<40x?xf32>
  tenon_tile.yield %z : tensor<40x?xf32>
}

// -----

// Rows shorter than a vector are columns of a tile.
// CHECK-LABEL: tenon_tile.program @short
// CHECK: %[[COLUMNS:.*]] = compute at [%[[I:.*]], 0] dims [1, 0] ({{.*}}) -> tensor<3x8xf32> {
// CHECK: store %[[COLUMNS]], %{{.*}}[%[[I]], 0] dims [1, 0] : tensor<3x8xf32>
// CHECK: compute at [%[[R:.*]], 0] extents [3] ({{.*}}) -> tensor<8xf32> {
// CHECK: store %{{.*}}[%[[R]], 0] extents [3] : tensor<8xf32>
tenon_tile.kernel @short(%n: index, %x: tensor<3x?xf32>) -> tensor<?x3xf32> {
  tenon.bind_shape %x [3, %n] : tensor<3x?xf32>
  %y = tenon.transpose %x [1, 0] : tensor<3x?xf32> -> tensor<?x3xf32>
  tenon_tile.yield %y : tensor<?x3xf32>
}

// -----

// So are elements that are repeated, as images are that grow.
// CHECK-LABEL: tenon_tile.program @repeated
// CHECK: %[[TILE:.*]] = compute at [{{.*}}] dims [2, 1] {{.*}} -> tensor<2x8xf32>
// CHECK: store %[[TILE]], %{{.*}} dims [2, 1] : tensor<2x8xf32>
tenon_tile.kernel @repeated(%x: tensor<3x64xf32>) -> tensor<3x64x2xf32> {
  %y = tenon.broadcast %x dims [0, 1] sizes [3, 64, 2] : tensor<3x64xf32> -> tensor<3x64x2xf32>
  tenon_tile.yield %y : tensor<3x64x2xf32>
}

// -----

// A row is reduced in the lanes of a vector, beyond its end with what changes nothing, then read again with what it came to. NaN is looked for
// beside the largest number.
// CHECK-LABEL: tenon_tile.program @softmax
// CHECK: grid (%[[I:.*]]) = 0 to %{{.*}} {
// CHECK: %[[LEAST:.*]] = tenon.constant dense<0xFF800000> : tensor<16xf32>
// CHECK: %[[NONE:.*]] = tenon.constant dense<0.000000e+00> : tensor<16xf32>
// CHECK: %[[LANES:.*]]:2 = for (%[[J:.*]], %[[MJ:.*]]) = 0 to 100 step 16 iter_args(%[[C:.*]] = %[[LEAST]], %[[N:.*]] = %[[NONE]])
// CHECK: peel (%[[E:.*]] = %[[MJ]]) of 16
// CHECK: %[[V:.*]] = compute at [%[[I]], %[[J]]] extents [%[[E]]]
// CHECK: %[[F:.*]] = fill %[[V]] extents [%[[E]]] with (0xFF800000 : f32)
// CHECK: %[[LARGER:.*]] = tenon.compare gt %[[F]], %[[C]]
// CHECK: tenon.select %[[LARGER]], %[[F]], %[[C]]
// CHECK: %[[NAN:.*]] = tenon.compare ne %[[F]], %[[F]]
// CHECK: tenon.select %[[NAN]], %[[F]], %[[N]]
// CHECK: %[[FOUND:.*]] = tenon.compare ne %[[LANES]]#1, %[[LANES]]#1
// CHECK: %[[ALL:.*]] = tenon.select %[[FOUND]], %[[LANES]]#1, %[[LANES]]#0
// CHECK: %[[LARGEST:.*]] = tenon.reduce max %[[ALL]] dims [0] : tensor<16xf32> -> tensor<f32>
// CHECK: compute at [%[[I]], %{{.*}}] extents [%{{.*}}] ({{.*}} = %[[LARGEST]] at [%[[I]]] : tensor<f32> of tensor<?xf32>)
// CHECK: exp
// CHECK: tenon.add
// CHECK: %[[SUM:.*]] = tenon.reduce sum
// CHECK: compute at [%[[I]], %{{.*}}] extents [%{{.*}}] ({{.*}} = %[[LARGEST]] at [%[[I]]] : {{.*}} = %[[SUM]] at [%[[I]]] :
// CHECK: store
tenon_tile.kernel @softmax(%m: index, %x: tensor<?x100xf32>) -> tensor<?x100xf32> {
  tenon.bind_shape %x [%m, 100] : tensor<?x100xf32>
  %y = tenon.softmax %x dims [1] : tensor<?x100xf32>
  tenon_tile.yield %y : tensor<?x100xf32>
}

// -----

// Rows along other dimensions stand in the lanes: nothing is combined among those. Sums of narrow types are wide, and what
// depends on the rows alone is computed once.
// CHECK-LABEL: tenon_tile.program @columns
// CHECK: %[[SUM:.*]] = for (%[[J:.*]]) = 0 to %[[M:.*]] iter_args(%[[C:.*]] = %{{.*}}) -> (tensor<8xf32>) {
// CHECK: for (%[[K:.*]]) = 0 to %[[N:.*]] iter_args(%[[D:.*]] = %[[C]]) -> (tensor<8xf32>) {
// CHECK: %[[V:.*]] = compute at [%[[J]], %[[K]], 0] extents [5] ({{.*}}) -> tensor<8xf16> {
// CHECK: %[[W:.*]] = tenon.cast %[[V]] : tensor<8xf16> -> tensor<8xf32>
// CHECK: tenon.add %[[D]], %[[W]]
// CHECK: position symbol(%[[M]]) * symbol(%[[N]]) : tensor<i64>
// CHECK: %[[MEAN:.*]] = tenon.div %[[SUM]], %{{.*}} : tensor<8xf32>
// CHECK: %[[NARROW:.*]] = tenon.cast %[[MEAN]] : tensor<8xf32> -> tensor<8xf16>
// CHECK-NOT: tenon.reduce
// CHECK: %[[ROOT:.*]] = compute at [0] extents [5] (%{{.*}} = %[[NARROW]] at [0] : tensor<8xf16> of tensor<5xf16>) -> tensor<8xf16> {
// CHECK: sqrt
// CHECK: for (%{{.*}}) = 0 to %[[M]] {
// CHECK: for (%{{.*}}) = 0 to %[[N]] {
// CHECK: compute {{.*}} = %[[ROOT]] at [0]
// CHECK-NOT: sqrt
// CHECK: store
tenon_tile.kernel @columns(%m: index, %n: index, %x: tensor<?x?x5xf16>) -> tensor<?x?x5xf16> {
  tenon.bind_shape %x [%m, %n, 5] : tensor<?x?x5xf16>
  %0 = tenon.reduce mean %x dims [0, 1] : tensor<?x?x5xf16> -> tensor<5xf16>
  %1 = tenon.sqrt %0 : tensor<5xf16>
  %2 = tenon.broadcast %1 dims [2] sizes [%m, %n, 5] : tensor<5xf16> -> tensor<?x?x5xf16>
  %3 = tenon.mul %x, %2 : tensor<?x?x5xf16>
  tenon_tile.yield %3 : tensor<?x?x5xf16>
}

// -----

// Sums from the end: what is carried is a scalar.
// CHECK-LABEL: tenon_tile.program @scan
// CHECK: grid (%[[I:.*]]) = 0 to 4 {
// CHECK: for (%[[J:.*]]) = 0 to %[[N:.*]] iter_args(%[[C:.*]] = %{{.*}}) -> (tensor<f32>) {
// CHECK: %[[X:.*]] = compute at [%[[I]], -%[[J]] + %[[N]] - 1] ({{.*}}) -> tensor<f32> {
// CHECK: %[[SUM:.*]] = tenon.add %[[C]], %[[X]] : tensor<f32>
// CHECK: store %[[C]], %{{.*}}[%[[I]], -%[[J]] + %[[N]] - 1] : tensor<f32>
// CHECK: yield %[[SUM]] : tensor<f32>
tenon_tile.kernel @scan(%n: index, %x: tensor<4x?xf32>) -> tensor<4x?xf32> {
  tenon.bind_shape %x [4, %n] : tensor<4x?xf32>
  %y = tenon.scan sum %x dim 1 {exclusive, reverse} : tensor<4x?xf32>
  tenon_tile.yield %y : tensor<4x?xf32>
}

// -----

// The operand is copied, then rows are added where their indices say.
// CHECK-LABEL: tenon_tile.program @scatter
// CHECK: grid (%[[U:.*]]) = 0 to 1 {
// CHECK: for (%{{.*}}) = 0 to 10 {
// CHECK: store %{{.*}}, %[[Y:.*]][%{{.*}}] : tensor<8xf32>
// CHECK: for (%[[I:.*]]) = 0 to 3 {
// CHECK: tensor.extract
// CHECK: %[[POSITION:.*]] = arith.select
// CHECK: %[[EXISTS:.*]] = arith.andi
// CHECK: scf.if %[[EXISTS]] {
// CHECK: } else {
// CHECK: tenon_tile.report 1 at %[[U]] value
// CHECK: scf.if %[[EXISTS]] {
// CHECK: %[[OLD:.*]] = load %[[Y]][%[[POSITION]], %[[J:.*]]] : memref<10x16xf32> -> tensor<8xf32>
// CHECK: %[[NEW:.*]] = tenon.add %[[OLD]],
// CHECK: store %[[NEW]], %[[Y]][%[[POSITION]], %[[J]]]
tenon_tile.kernel @scatter(%x: tensor<10x16xf32>, %i: tensor<3x1xi64>, %u: tensor<3x16xf32>) -> tensor<10x16xf32> {
  %y = tenon.scatter error sum %x, %i, %u dims [0] batch_dims 0 : tensor<10x16xf32>, tensor<3x1xi64>, tensor<3x16xf32>
  tenon_tile.yield %y : tensor<10x16xf32>
}
