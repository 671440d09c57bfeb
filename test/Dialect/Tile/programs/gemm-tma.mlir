// A product on a GPU by TMA, mbarriers and wgmma: a role that copies and a role that multiplies; as many groups as run at once.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#shared = #tenon_tile.memory<workgroup, swizzle = 128>
#wgmma = #tenon_tile.instruction<"nvvm.wgmma.f16", m = 64, n = 128, k = 16>

tenon_tile.kernel @linear(%m: index, %x: tensor<?x384xf16>, %w: tensor<384x128xf16>) -> tensor<?x128xf16> {
  tenon.bind_shape %x [%m, 384] : tensor<?x384xf16>
  %0 = tenon.contract %x, %w maps [affine_map<(i, j, k) -> (i, k)>, affine_map<(i, j, k) -> (k, j)>, affine_map<(i, j, k) -> (i, j)>]
       : tensor<?x384xf16>, tensor<384x128xf16> -> tensor<?x128xf16>
  tenon_tile.yield %0 : tensor<?x128xf16>
}

tenon_tile.form @transposed(%w: tensor<384x128xf16>) -> tensor<128x384xf16> {
  %0 = transpose %w [1, 0] : tensor<384x128xf16> -> tensor<128x384xf16>
  tenon_tile.yield %0 : tensor<128x384xf16>
}

// CHECK-LABEL: tenon_tile.program @roles
// CHECK-SAME: guard (%{{.*}} mod 8 == 0)
tenon_tile.program @roles(%m: index, %sx: index, %x: memref<?x384xf16, strided<[?, 1]>> {tenon_tile.align = 16},
                          %w: memref<128x384xf16> {tenon_tile.form = @transposed}) -> (%y: memref<?x128xf16>)
    guard (%sx mod 8 == 0)
    attributes {warps = 12, tenon_tile.computes = @linear, tenon.tolerance = 1.0e-3, tenon.sizes = [[1], [63], [65]]} {
  bind %x sizes [%m, 384] strides [%sx, 1] : memref<?x384xf16, strided<[?, 1]>>
  bind %y sizes [%m, 128] : memref<?x128xf16>
  %zero = tenon.constant dense<0.0> : tensor<64x128xf32>
  %xs = scratch : memref<4x64x64xf16, #shared>
  %ws = scratch : memref<4x128x64xf16, #shared>
  %ring = ring slots 4
  grid (%i, %mi) = 0 to %m step 64 {
    // CHECK: roles {
    // CHECK-NEXT: role "producer" warps 4 registers 40 {
    roles {
      role "producer" warps 4 registers 40 {
        for (%q) = 0 to 6 {
          put %ring[%q] slot %s {
            // CHECK: copy %{{.*}}[%{{.*}}, %{{.*}} * 64] to %{{.*}}[%{{.*}}, 0, 0] tile [64, 64] via tma : memref<?x384xf16, strided<[?, 1]>>, memref<4x64x64xf16, #workgroup_128>
            copy %x[%i, %q * 64] to %xs[%s, 0, 0] tile [64, 64] via tma : memref<?x384xf16, strided<[?, 1]>>, memref<4x64x64xf16, #shared>
            copy %w[0, %q * 64] to %ws[%s, 0, 0] tile [128, 64] via tma : memref<128x384xf16>, memref<4x128x64xf16, #shared>
          }
        }
      }
      role "consumer" warps 8 registers 232 {
        %acc = for (%q) = 0 to 6 iter_args(%c = %zero) -> (tensor<64x128xf32>) {
          %s = take %ring[%q]
          %a = load %xs[%s, 0, 0] : memref<4x64x64xf16, #shared> -> tensor<64x64xf16>
          %b = load %ws[%s, 0, 0] dims [2, 1] : memref<4x128x64xf16, #shared> -> tensor<64x128xf16>
          %d = mma %a, %b, %c via #wgmma : tensor<64x64xf16>, tensor<64x128xf16> -> tensor<64x128xf32>
          // CHECK: release %{{.*}}[%{{.*}}] lag 1
          release %ring[%q] lag 1
          yield %d : tensor<64x128xf32>
        }
        %o = tenon.cast %acc : tensor<64x128xf32> -> tensor<64x128xf16>
        store %o, %y[%i, 0] extents [%mi, 128] : tensor<64x128xf16>, memref<?x128xf16>
      }
    }
  }
}

// Persistent: each group takes one tile after the other, and its ring's numbers count on.
// CHECK-LABEL: tenon_tile.program @persistent
tenon_tile.program @persistent(%m: index, %sx: index, %x: memref<?x384xf16, strided<[?, 1]>>,
                               %w: memref<128x384xf16> {tenon_tile.form = @transposed}) -> (%y: memref<?x128xf16>)
    guard (%sx mod 8 == 0)
    attributes {warps = 12, tenon_tile.computes = @linear, tenon.tolerance = 1.0e-3, tenon.sizes = [[200]]} {
  bind %x sizes [%m, 384] strides [%sx, 1] : memref<?x384xf16, strided<[?, 1]>>
  bind %y sizes [%m, 128] : memref<?x128xf16>
  %zero = tenon.constant dense<0.0> : tensor<64x128xf32>
  // CHECK: %[[P:.*]] = processors
  %processors = processors
  %tiles = affine.apply affine_map<()[m] -> (m ceildiv 64)>()[%m]
  %xs = scratch : memref<4x64x64xf16, #shared>
  %ws = scratch : memref<4x128x64xf16, #shared>
  %ring = ring slots 4
  // CHECK: grid (%{{.*}}) = 0 to %[[P]] {
  grid (%u) = 0 to %processors {
    roles {
      role "producer" warps 4 registers 40 {
        scf.for %t = %u to %tiles step %processors {
          %turn = affine.apply affine_map<(t, u)[p] -> ((t - u) floordiv p)>(%t, %u)[%processors]
          tenon_tile.for (%q) = 0 to 6 {
            put %ring[%turn * 6 + %q] slot %s {
              copy %x[%t * 64, %q * 64] to %xs[%s, 0, 0] tile [64, 64] via tma : memref<?x384xf16, strided<[?, 1]>>, memref<4x64x64xf16, #shared>
              copy %w[0, %q * 64] to %ws[%s, 0, 0] tile [128, 64] via tma : memref<128x384xf16>, memref<4x128x64xf16, #shared>
            }
          }
        }
      }
      role "consumer" warps 8 registers 232 {
        scf.for %t = %u to %tiles step %processors {
          %turn = affine.apply affine_map<(t, u)[p] -> ((t - u) floordiv p)>(%t, %u)[%processors]
          %rows = affine.min affine_map<(t)[m] -> (64, m - t * 64)>(%t)[%m]
          %acc = tenon_tile.for (%q) = 0 to 6 iter_args(%c = %zero) -> (tensor<64x128xf32>) {
            %s = take %ring[%turn * 6 + %q]
            %a = load %xs[%s, 0, 0] : memref<4x64x64xf16, #shared> -> tensor<64x64xf16>
            %b = load %ws[%s, 0, 0] dims [2, 1] : memref<4x128x64xf16, #shared> -> tensor<64x128xf16>
            %d = mma %a, %b, %c via #wgmma : tensor<64x64xf16>, tensor<64x128xf16> -> tensor<64x128xf32>
            release %ring[%turn * 6 + %q] lag 1
            yield %d : tensor<64x128xf32>
          }
          %o = tenon.cast %acc : tensor<64x128xf32> -> tensor<64x128xf16>
          tenon_tile.store %o, %y[%t * 64, 0] extents [%rows, 128] : tensor<64x128xf16>, memref<?x128xf16>
        }
      }
    }
  }
}
