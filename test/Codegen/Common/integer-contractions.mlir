// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=znver5},tenon-tiles)" | FileCheck %s --check-prefix=VNNI
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=znver5},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s --check-prefix=LOOPS
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s --check-prefix=PAIRS

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Bytes are multiplied by the instruction that adds most products, of a run of them at once: panels come in such runs, the last of
// which zeros fill. Pairs of 16 bits take rows and columns of either sign, widened.
// CHECK: tenon_tile.form @panels(%{{.*}}: tensor<77x64xi8>) -> tensor<2x39x32x2xi8> {
// CHECK: pad constant {{.*}} high [0, 1, 0]
// CHECK: transpose {{.*}} [2, 0, 3, 1] : tensor<39x2x2x32xi8> -> tensor<2x39x32x2xi8>
// CHECK-LABEL: tenon_tile.program @bytes
// CHECK: %[[WIDE:.*]] = scratch : memref<6x78xi16
// CHECK: store %{{.*}}, %[[WIDE]][0, 77] : tensor<6x1xi16>
// CHECK: cast %{{.*}} : tensor<6x16xui8> -> tensor<6x16xi16>
// CHECK: for (%[[R:.*]]) = 0 to 39 step 3 iter_args
// CHECK: load %[[WIDE]][0, %[[R]] * 2] {{.*}} -> tensor<6x6xi16>
// CHECK-NEXT: %[[W:.*]] = {{.*}}load %arg1[%{{.*}}, %[[R]], %{{.*}}, 0] : memref<2x39x32x2xi8> -> tensor<3x16x2xi8>
// CHECK-NEXT: cast %[[W]] : tensor<3x16x2xi8> -> tensor<3x16x2xi16>
// CHECK-NEXT: mma %{{.*}} via #vpmaddwd : tensor<6x6xi16>, tensor<3x16x2xi16> -> tensor<6x16xi32>
// VNNI: tenon_tile.form @panels(%{{.*}}: tensor<77x64xi8>) -> tensor<2x20x32x4xi8> {
// VNNI-LABEL: tenon_tile.program @bytes
// VNNI: scratch : memref<12x80xui8
// VNNI: mma %{{.*}} via #vpdpbusd : tensor<12x4xui8>, tensor<1x32x4xi8> -> tensor<12x32xi32>
// LOOPS-LABEL: func.func @bytes
// LOOPS: scf.for {{.*}} -> (vector<32xi32>
// LOOPS: vector.load {{.*}} vector<64xi8>
// LOOPS: %[[QUAD:.*]] = vector.load {{.*}} vector<4xi8>
// LOOPS: vector.bitcast %[[QUAD]] : vector<4xi8> to vector<1xi32>
// LOOPS: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// PAIRS-LABEL: func.func @bytes
// PAIRS: arith.extsi {{.*}} : vector<16xi8> to vector<16xi16>
// PAIRS: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// PAIRS-NEXT: arith.addi %{{.*}}, %[[P]] : vector<8xi32>
tenon_tile.kernel @bytes(%x: tensor<48x77xui8>, %w: tensor<77x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x77xui8>, tensor<77x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Whole runs of bytes without a sign are read where they are; with a sign the instruction doesn't take them.
// VNNI-LABEL: tenon_tile.program @whole
// VNNI-NOT: scratch
// VNNI: load %arg0{{.*}} : memref<48x128xui8> -> tensor<12x4xui8>
// VNNI: via #vpdpbusd
tenon_tile.kernel @whole(%x: tensor<48x128xui8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x128xui8>, tensor<128x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// VNNI-LABEL: tenon_tile.program @signs
// VNNI: scratch : memref<12x128xi16
// VNNI: via #vpmaddwd
tenon_tile.kernel @signs(%x: tensor<48x128xi8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<48x128xi8>, tensor<128x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}

// -----

#rows = affine_map<(m, n, k) -> (m, k)>
#columns = affine_map<(m, n, k) -> (k, n)>
#result = affine_map<(m, n, k) -> (m, n)>

// Pairs of products with numbers of 7 bits fit 16: bytes are read where they are.
// CHECK-LABEL: tenon_tile.program @seven
// CHECK-NOT: scratch : memref<{{.*}}i16
// CHECK: mma %{{.*}} via #vpmaddubsw : tensor<6x{{.*}}xui8>, tensor<{{.*}}x16x4xi8> -> tensor<6x16xi32>
// VNNI-LABEL: tenon_tile.program @seven
// VNNI: via #vpdpbusd
// PAIRS-LABEL: func.func @seven
// PAIRS: %[[S:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// PAIRS: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[S]], %{{.*}})
// PAIRS-NEXT: arith.addi %{{.*}}, %[[P]] : vector<8xi32>
tenon_tile.kernel @seven(%x: tensor<48x128xui8>, %w: tensor<128x64xi8> {tenon_tile.constant}) -> tensor<48x64xi32> {
  %0 = tenon.contract %x, %w maps [#rows, #columns, #result] {tenon_tile.seven_bits} : tensor<48x128xui8>, tensor<128x64xi8> -> tensor<48x64xi32>
  tenon_tile.yield %0 : tensor<48x64xi32>
}
