// A product on a GPU by mma.sync, with copies three numbers ahead.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#xs = #tenon_tile.memory<workgroup, swizzle = 64>
#ws = #tenon_tile.memory<workgroup, swizzle = 128>
#mma = #tenon_tile.instruction<"nvvm.mma.sync.f16", m = 16, n = 8, k = 16>

tenon_tile.kernel @linear(%m: index, %x: tensor<?x256xf16>, %w: tensor<256x128xf16>, %bias: tensor<128xf16>) -> tensor<?x128xf16> {
  tenon.bind_shape %x [%m, 256] : tensor<?x256xf16>
  %0 = tenon.contract %x, %w maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x256xf16>, tensor<256x128xf16> -> tensor<?x128xf32>
  %1 = tenon.broadcast %bias dims [1] sizes [%m, 128] : tensor<128xf16> -> tensor<?x128xf16>
  %2 = tenon.cast %1 : tensor<?x128xf16> -> tensor<?x128xf32>
  %3 = tenon.add %0, %2 : tensor<?x128xf32>
  %4 = tenon.cast %3 : tensor<?x128xf32> -> tensor<?x128xf16>
  tenon_tile.yield %4 : tensor<?x128xf16>
}

// CHECK-LABEL: tenon_tile.program @pipeline
// CHECK-SAME: attributes {{.*}}warps = 4
tenon_tile.program @pipeline(%m: index, %sx: index, %x: memref<?x256xf16, strided<[?, 1]>>, %w: memref<256x128xf16>,
                             %bias: memref<128xf16>) -> (%y: memref<?x128xf16>)
    attributes {warps = 4, tenon_tile.computes = @linear, tenon.tolerance = 1.0e-3, tenon.sizes = [[0], [1], [127], [129]]} {
  bind %x sizes [%m, 256] strides [%sx, 1] : memref<?x256xf16, strided<[?, 1]>>
  bind %y sizes [%m, 128] : memref<?x128xf16>
  %zero = tenon.constant dense<0.0> : tensor<128x128xf32>
  %end = arith.constant 8 : index
  // CHECK: scratch : memref<4x128x32xf16, #workgroup_64>
  %xs = scratch : memref<4x128x32xf16, #xs>
  %ws = scratch : memref<4x32x128xf16, #ws>
  // CHECK: %[[RING:.*]] = ring slots 4
  %ring = ring slots 4
  grid (%i, %mi) = 0 to %m step 128 {
    for (%q) = 0 to 3 {
      // CHECK: put %[[RING]][%{{.*}}] slot %[[SLOT:.*]] {
      // CHECK-NEXT: copy %{{.*}}[%{{.*}}, %{{.*}} * 32] to %{{.*}}[%[[SLOT]], 0, 0] tile [128, 32] extents [%{{.*}}, 32] : memref<?x256xf16, strided<[?, 1]>>, memref<4x128x32xf16, #workgroup_64>
      put %ring[%q] slot %s {
        copy %x[%i, %q * 32] to %xs[%s, 0, 0] tile [128, 32] extents [%mi, 32] : memref<?x256xf16, strided<[?, 1]>>, memref<4x128x32xf16, #xs>
        copy %w[%q * 32, 0] to %ws[%s, 0, 0] tile [32, 128] : memref<256x128xf16>, memref<4x32x128xf16, #ws>
      }
    }
    %acc = for (%q) = 0 to 8 iter_args(%c = %zero) -> (tensor<128x128xf32>) {
      // CHECK: %{{.*}} = take %[[RING]][%{{.*}}]
      %s = take %ring[%q]
      %next = affine.apply affine_map<(q) -> (q + 3)>(%q)
      %more = arith.cmpi slt, %next, %end : index
      // CHECK: put %[[RING]][%{{.*}} + 3] slot %{{.*}} when %{{.*}} {
      put %ring[%q + 3] slot %f when %more {
        copy %x[%i, %q * 32 + 96] to %xs[%f, 0, 0] tile [128, 32] extents [%mi, 32] : memref<?x256xf16, strided<[?, 1]>>, memref<4x128x32xf16, #xs>
        copy %w[%q * 32 + 96, 0] to %ws[%f, 0, 0] tile [32, 128] : memref<256x128xf16>, memref<4x32x128xf16, #ws>
      }
      %a = load %xs[%s, 0, 0] : memref<4x128x32xf16, #xs> -> tensor<128x32xf16>
      %b = load %ws[%s, 0, 0] : memref<4x32x128xf16, #ws> -> tensor<32x128xf16>
      %d = mma %a, %b, %c via #mma : tensor<128x32xf16>, tensor<32x128xf16> -> tensor<128x128xf32>
      // CHECK: release %[[RING]][%{{.*}}]{{$}}
      release %ring[%q]
      yield %d : tensor<128x128xf32>
    }
    %o = compute at [%i, 0] extents [%mi, 128] (%v = %acc : tensor<128x128xf32> of tensor<?x128xf32>, %b = %bias : memref<128xf16>)
         -> tensor<128x128xf16> {
      %0 = broadcast %b dims [1] sizes [%m, 128] : tensor<128xf16> -> tensor<?x128xf16>
      %1 = cast %0 : tensor<?x128xf16> -> tensor<?x128xf32>
      %2 = add %v, %1 : tensor<?x128xf32>
      %3 = cast %2 : tensor<?x128xf32> -> tensor<?x128xf16>
      tenon_tile.yield %3 : tensor<?x128xf16>
    }
    store %o, %y[%i, 0] extents [%mi, 128] : tensor<128x128xf16>, memref<?x128xf16>
  }
}
