// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=znver5},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon_tile.variants(tenon_tile.variant(tenon-lower-tiles)))" | FileCheck %s --check-prefix=PAIRS

// Four taps of each channel are next to each other for the instruction that adds four products, by two steps of interleaving; the ninth
// is added by itself. Results are bytes, as many to a vector as there are channels in one.
// CHECK-LABEL: func.func @taps
// CHECK-COUNT-4: vector.load {{.*}} vector<64xi8>
// CHECK: %[[LOW:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 64, 1, 65, 2, 66, 3, 67, 4, 68, 5, 69, 6, 70, 7, 71, 16, 80,
// CHECK: %[[HIGH:.*]] = vector.shuffle %{{.*}}, %{{.*}} [0, 64, 1, 65,
// CHECK: vector.shuffle %[[LOW]], %[[HIGH]] [0, 1, 64, 65, 2, 3, 66, 67, 4, 5, 68, 69, 6, 7, 70, 71, 16, 17,
// CHECK: vector.shuffle %[[LOW]], %[[HIGH]] [8, 9, 72, 73,
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: vpdpbusd
// CHECK: vector.shuffle {{.*}} [0, 1, 2, 3, 16, 17, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51, 4, 5,
// CHECK: arith.muli {{.*}} : vector<64xi32>
// CHECK: arith.addi
// PAIRS-LABEL: func.func @taps
// PAIRS-NOT: vpdpbusd
// PAIRS: return
tenon_tile.kernel @taps(%x: tensor<1x16x16x64xui8>, %w: tensor<3x3x1x64xi8>) -> tensor<1x14x14x64xui8> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 64 {channels_last} : tensor<1x16x16x64xui8>, tensor<3x3x1x64xi8> -> tensor<1x14x14x64xi32>
  %1 = tenon.cast %0 : tensor<1x14x14x64xi32> -> tensor<1x14x14x64xui8>
  tenon_tile.yield %1 : tensor<1x14x14x64xui8>
}

// -----

// Two or three that are left over are added up with zeros.
// CHECK-LABEL: func.func @rest
// CHECK-COUNT-8: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: arith.muli {{.*}} : vector<64xi32>
// CHECK: return
tenon_tile.kernel @rest(%x: tensor<1x16x16x64xui8>, %w: tensor<2x3x1x64xi8>) -> tensor<1x15x14x64xui8> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 64 {channels_last} : tensor<1x16x16x64xui8>, tensor<2x3x1x64xi8> -> tensor<1x15x14x64xi32>
  %1 = tenon.cast %0 : tensor<1x15x14x64xi32> -> tensor<1x15x14x64xui8>
  tenon_tile.yield %1 : tensor<1x15x14x64xui8>
}

// -----

// Not where taps may lie outside of the image, bytes have signs, or channels lie elsewhere than in lanes.
// CHECK-LABEL: func.func @clipped
// CHECK-NOT: vpdpbusd
// CHECK: return
tenon_tile.kernel @clipped(%x: tensor<1x14x14x64xui8>, %w: tensor<3x3x1x64xi8>) -> tensor<1x14x14x64xui8> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 64 {channels_last} : tensor<1x14x14x64xui8>, tensor<3x3x1x64xi8> -> tensor<1x14x14x64xi32>
  %1 = tenon.cast %0 : tensor<1x14x14x64xi32> -> tensor<1x14x14x64xui8>
  tenon_tile.yield %1 : tensor<1x14x14x64xui8>
}

// -----

// CHECK-LABEL: func.func @signed
// CHECK-NOT: vpdpbusd
// CHECK: return
tenon_tile.kernel @signed(%x: tensor<1x16x16x64xi8>, %w: tensor<3x3x1x64xi8>) -> tensor<1x14x14x64xui8> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 64 {channels_last} : tensor<1x16x16x64xi8>, tensor<3x3x1x64xi8> -> tensor<1x14x14x64xi32>
  %1 = tenon.cast %0 : tensor<1x14x14x64xi32> -> tensor<1x14x14x64xui8>
  tenon_tile.yield %1 : tensor<1x14x14x64xui8>
}

// -----

// CHECK-LABEL: func.func @first
// CHECK-NOT: vpdpbusd
// CHECK: return
tenon_tile.kernel @first(%x: tensor<1x64x16x66xui8>, %w: tensor<64x1x3x3xi8>) -> tensor<1x64x14x64xui8> {
  %0 = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 64 : tensor<1x64x16x66xui8>, tensor<64x1x3x3xi8> -> tensor<1x64x14x64xi32>
  %1 = tenon.cast %0 : tensor<1x64x14x64xi32> -> tensor<1x64x14x64xui8>
  tenon_tile.yield %1 : tensor<1x64x14x64xui8>
}
