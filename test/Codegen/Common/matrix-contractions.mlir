// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=sapphirerapids},tenon-tiles)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=sapphirerapids},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s --check-prefix=LOOPS

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// An instruction that multiplies matrices takes tiles of two times two of them, whose columns come in the runs of the one that multiplies
// vectors. Sums go through memory.
// CHECK: tenon_tile.form @panels(%{{.*}}: tensor<128x64xi8>) -> tensor<2x32x32x4xi8> {
// CHECK-LABEL: tenon_tile.program @matrices
// CHECK: %[[SUMS:.*]] = scratch : memref<{{.*}}x32xi32
// CHECK: %[[S:.*]] = for (%[[K:.*]]) = 0 to 32 step 16 iter_args(%{{.*}}) -> (tensor<32x32xi32>) {
// CHECK: load %arg0{{.*}} : memref<48x128xui8> -> tensor<32x64xui8>
// CHECK: load %arg1{{.*}} : memref<2x32x32x4xi8> -> tensor<16x32x4xi8>
// CHECK: mma %{{.*}} via #tdpbusd : tensor<32x64xui8>, tensor<16x32x4xi8> -> tensor<32x32xi32>
// CHECK: store %[[S]], %[[SUMS]]
// LOOPS-LABEL: func.func @matrices
// LOOPS-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero.internal"
// LOOPS: scf.for {{.*}} -> (!llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx)
// LOOPS-COUNT-3: llvm.call_intrinsic "llvm.x86.tileloadd64.internal"
// LOOPS-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbusd.internal"(%c16{{.*}}, %c64{{.*}}, %c64{{.*}}) : (i16, i16, i16, !llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx) -> !llvm.x86_amx
// LOOPS: llvm.call_intrinsic "llvm.x86.tileloadd64.internal"
// LOOPS-COUNT-2: llvm.call_intrinsic "llvm.x86.tdpbusd.internal"
// LOOPS-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64.internal"
tenon_tile.kernel @matrices(%x: tensor<48x128xui8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x128xui8>, tensor<128x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Of rows whose number isn't known those behind whole tiles are multiplied by vectors, from the same panels. Sums of parts are read again.
// CHECK-LABEL: tenon_tile.program @unknown
// CHECK: via #tdpbusd : tensor<32x64xui8>, tensor<16x32x4xi8> -> tensor<32x32xi32>
// CHECK: via #vpdpbusd : tensor<4x4xui8>, tensor<1x32x4xi8> -> tensor<4x32xi32>
// LOOPS-LABEL: func.func @unknown
// LOOPS-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64.internal"
// LOOPS: scf.for {{.*}} -> (!llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx, !llvm.x86_amx)
// LOOPS: scf.for {{.*}} -> (vector<32xi32>, vector<32xi32>, vector<32xi32>, vector<32xi32>)
// LOOPS: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
tenon_tile.kernel @unknown(%m: index, %x: tensor<?x2048xui8>, %w: tensor<2048x64xi8> {tenon_tile.constant}) -> tensor<?x64xi32> {
  tenon.bind_shape %x [%m, 2048] : tensor<?x2048xui8>
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x2048xui8>, tensor<2048x64xi8> -> tensor<?x64xi32>
  tenon_tile.yield %0 : tensor<?x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Not by matrices: fewer rows than one has, products that are left over, numbers with a sign.
// CHECK-LABEL: tenon_tile.program @few
// CHECK-NOT: tdpbusd
// CHECK: via #vpdpbusd
tenon_tile.kernel @few(%x: tensor<12x128xui8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<12x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<12x128xui8>, tensor<128x64xi8> -> tensor<12x64xi32>
  tenon_tile.yield %0 : tensor<12x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: tenon_tile.program @rest
// CHECK-NOT: tdpbusd
// CHECK: via #vpdpbusd
tenon_tile.kernel @rest(%x: tensor<48x96xui8>, %w: tensor<96x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x96xui8>, tensor<96x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// CHECK-LABEL: tenon_tile.program @signed
// CHECK-NOT: tdpbusd
// CHECK: via #vpmaddwd
tenon_tile.kernel @signed(%x: tensor<48x128xi8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x128xi8>, tensor<128x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(b, m, n, k) -> (b, m, k)>
#columns = affine_map<(b, m, n, k) -> (k, n)>
#result = affine_map<(b, m, n, k) -> (b, m, n)>

// Rows that lie anywhere have tables of places: tiles are as high as vectors want it.
// CHECK-LABEL: tenon_tile.program @scattered
// CHECK-NOT: tdpbusd
// CHECK: via #vpdpbusd : tensor<7x8xui8>
tenon_tile.kernel @scattered(%x: tensor<9x7x128xui8> {tenon_tile.contract = "inner"}, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<9x7x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<9x7x128xui8>, tensor<128x64xi8> -> tensor<9x7x64xi32>
  tenon_tile.yield %0 : tensor<9x7x64xi32>
}
