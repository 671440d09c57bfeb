// A band of two convolutions, 1x1 then 3x3, in strips of four rows: what lies between is a ring of rows in scratch. Two lone
// convolutions beside it: windows as a view, and rows that run over the whole map.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s
// RUN: %tenon_opt %s --pass-pipeline='builtin.module(canonicalize,cse)' | tenon-interpret --check -

#workgroup = #tenon_tile.memory<workgroup>

tenon_tile.kernel @two_convs(%n: index, %x: tensor<?x16x14x32xf32>, %w1: tensor<1x1x32x64xf32>, %w2: tensor<3x3x64x32xf32>)
    -> tensor<?x16x14x32xf32> {
  tenon.bind_shape %x [%n, 16, 14, 32] : tensor<?x16x14x32xf32>
  %0 = tenon.conv %x, %w1 strides [1, 1] dilations [1, 1] pads [0, 0, 0, 0] groups 1 {channels_last}
       : tensor<?x16x14x32xf32>, tensor<1x1x32x64xf32> -> tensor<?x16x14x64xf32>
  %1 = tenon.tanh %0 : tensor<?x16x14x64xf32>
  %2 = tenon.conv %1, %w2 strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last}
       : tensor<?x16x14x64xf32>, tensor<3x3x64x32xf32> -> tensor<?x16x14x32xf32>
  %3 = tenon.tanh %2 : tensor<?x16x14x32xf32>
  tenon_tile.yield %3 : tensor<?x16x14x32xf32>
}

tenon_tile.form @p1(%w: tensor<1x1x32x64xf32>) -> tensor<2x32x32xf32> {
  %0 = reshape %w sizes [32, 2, 32] : tensor<1x1x32x64xf32> -> tensor<32x2x32xf32>
  %1 = transpose %0 [1, 0, 2] : tensor<32x2x32xf32> -> tensor<2x32x32xf32>
  tenon_tile.yield %1 : tensor<2x32x32xf32>
}

// Three pixels of a filter row in a run.
tenon_tile.form @p2(%w: tensor<3x3x64x32xf32>) -> tensor<1x3x192x32xf32> {
  %0 = reshape %w sizes [1, 3, 192, 32] : tensor<3x3x64x32xf32> -> tensor<1x3x192x32xf32>
  tenon_tile.yield %0 : tensor<1x3x192x32xf32>
}

// CHECK-LABEL: tenon_tile.program @band
tenon_tile.program @band(%n: index, %x: memref<?x16x14x32xf32>, %w1: memref<2x32x32xf32> {tenon_tile.form = @p1},
                         %w2: memref<1x3x192x32xf32> {tenon_tile.form = @p2}) -> (%y: memref<?x16x14x32xf32>)
    attributes {tenon_tile.computes = @two_convs, tenon.tolerance = 1.0e-5, tenon.sizes = [[1], [2]]} {
  bind %x sizes [%n, 16, 14, 32] : memref<?x16x14x32xf32>
  bind %y sizes [%n, 16, 14, 32] : memref<?x16x14x32xf32>
  %one = arith.constant 1 : index
  %last = arith.constant 16 : index
  %zero = tenon.constant dense<0.0> : tensor<14x32xf32>
  %zero64 = tenon.constant dense<0.0> : tensor<64xf32>
  // Row g of the padded image between is in slot g mod 8.
  %rows = scratch : memref<8x16x64xf32, #workgroup>
  // CHECK: view %{{.*}} (d0, d1, d2) -> (d0, d1, d2) sizes [8, 14, 192] : memref<8x16x64xf32, #workgroup> -> memref<8x14x192xf32, strided<[1024, 64, 1]>, #workgroup>
  %win = view %rows (g, w, r) -> (g, w, r) sizes [8, 14, 192]
         : memref<8x16x64xf32, #workgroup> -> memref<8x14x192xf32, strided<[1024, 64, 1]>, #workgroup>
  grid (%b) = 0 to %n, (%h, %mh) = 0 to 16 step 8 {
    stage "border" {
      for (%g) = 0 to 8, (%w) = 0 to 16 step 15 {
        store %zero64, %rows[%g, %w, 0] : tensor<64xf32>, memref<8x16x64xf32, #workgroup>
      }
    }
    for (%s) = %h to %h + %mh step 4 {
      // In the first strip all six rows are new.
      %from = affine.min affine_map<(s, h) -> (s + 2, h + (s - h) * 64)>(%s, %h)
      stage "1x1" {
        for (%g) = %from to %s + 6 {
          %0 = arith.cmpi sge, %g, %one : index
          %1 = arith.cmpi sle, %g, %last : index
          %inside = arith.andi %0, %1 : i1
          // CHECK: scf.if
          // CHECK-NEXT: tenon_tile.for
          scf.if %inside {
            tenon_tile.for (%p) = 0 to 2 {
              %acc = for (%k) = 0 to 32 step 4 iter_args(%c = %zero) -> (tensor<14x32xf32>) {
                %a = load %x[%b, %g - 1, 0, %k] : memref<?x16x14x32xf32> -> tensor<14x4xf32>
                %f = load %w1[%p, %k, 0] : memref<2x32x32xf32> -> tensor<4x32xf32>
                %d = mma %a, %f, %c : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
                yield %d : tensor<14x32xf32>
              }
              %o = compute at [%b, %g - 1, 0, %p * 32] (%a = %acc : tensor<14x32xf32> of tensor<?x16x14x64xf32>) -> tensor<14x32xf32> {
                %2 = tanh %a : tensor<?x16x14x64xf32>
                tenon_tile.yield %2 : tensor<?x16x14x64xf32>
              }
              store %o, %rows[%g mod 8, 1, %p * 32] : tensor<14x32xf32>, memref<8x16x64xf32, #workgroup>
            }
          } else {
            tenon_tile.for (%w) = 0 to 16 {
              store %zero64, %rows[%g mod 8, %w, 0] : tensor<64xf32>, memref<8x16x64xf32, #workgroup>
            }
          }
        }
      }
      stage "3x3" {
        for (%o) = %s to %s + 4 {
          %acc = for (%kh) = 0 to 3 iter_args(%c0 = %zero) -> (tensor<14x32xf32>) {
            %0 = for (%r) = 0 to 192 step 4 iter_args(%c = %c0) -> (tensor<14x32xf32>) {
              // CHECK: load %{{.*}}[(%{{.*}} + %{{.*}}) mod 8, 0, %{{.*}}]
              %a = load %win[(%o + %kh) mod 8, 0, %r] : memref<8x14x192xf32, strided<[1024, 64, 1]>, #workgroup> -> tensor<14x4xf32>
              %f = load %w2[0, %kh, %r, 0] : memref<1x3x192x32xf32> -> tensor<4x32xf32>
              %d = mma %a, %f, %c : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
              yield %d : tensor<14x32xf32>
            }
            yield %0 : tensor<14x32xf32>
          }
          %z = compute at [%b, %o, 0, 0] (%a = %acc : tensor<14x32xf32> of tensor<?x16x14x32xf32>) -> tensor<14x32xf32> {
            %0 = tanh %a : tensor<?x16x14x32xf32>
            tenon_tile.yield %0 : tensor<?x16x14x32xf32>
          }
          store %z, %y[%b, %o, 0, 0] : tensor<14x32xf32>, memref<?x16x14x32xf32>
        }
      }
    }
  }
}

tenon_tile.kernel @stride_2(%n: index, %x: tensor<?x7x9x8xf32>, %w: tensor<3x3x8x16xf32>) -> tensor<?x3x4x16xf32> {
  tenon.bind_shape %x [%n, 7, 9, 8] : tensor<?x7x9x8xf32>
  %0 = tenon.conv %x, %w strides [2, 2] dilations [1, 1] pads [0, 0, 0, 0] groups 1 {channels_last}
       : tensor<?x7x9x8xf32>, tensor<3x3x8x16xf32> -> tensor<?x3x4x16xf32>
  tenon_tile.yield %0 : tensor<?x3x4x16xf32>
}

tenon_tile.form @filter_rows(%w: tensor<3x3x8x16xf32>) -> tensor<3x24x16xf32> {
  %0 = reshape %w sizes [3, 24, 16] : tensor<3x3x8x16xf32> -> tensor<3x24x16xf32>
  tenon_tile.yield %0 : tensor<3x24x16xf32>
}

// Windows are a view, along each filter row in a run.
tenon_tile.program @windows(%n: index, %x: memref<?x7x9x8xf32>, %f: memref<3x24x16xf32> {tenon_tile.form = @filter_rows})
    -> (%y: memref<?x3x4x16xf32>) attributes {tenon_tile.computes = @stride_2, tenon.tolerance = 1.0e-5} {
  bind %x sizes [%n, 7, 9, 8] : memref<?x7x9x8xf32>
  bind %y sizes [%n, 3, 4, 16] : memref<?x3x4x16xf32>
  %zero = tenon.constant dense<0.0> : tensor<4x16xf32>
  %win = view %x (n, h, w, kh, r) -> (n, h * 2 + kh, w * 2, r) sizes [%n, 3, 4, 3, 24]
         : memref<?x7x9x8xf32> -> memref<?x3x4x3x24xf32, strided<[504, 144, 16, 72, 1]>>
  grid (%b) = 0 to %n, (%h) = 0 to 3 {
    %acc = for (%kh) = 0 to 3 iter_args(%c0 = %zero) -> (tensor<4x16xf32>) {
      %0 = for (%r) = 0 to 24 step 4 iter_args(%c = %c0) -> (tensor<4x16xf32>) {
        %a = load %win[%b, %h, 0, %kh, %r] dims [2, 4] : memref<?x3x4x3x24xf32, strided<[504, 144, 16, 72, 1]>> -> tensor<4x4xf32>
        %w = load %f[%kh, %r, 0] : memref<3x24x16xf32> -> tensor<4x16xf32>
        %d = mma %a, %w, %c : tensor<4x4xf32>, tensor<4x16xf32> -> tensor<4x16xf32>
        yield %d : tensor<4x16xf32>
      }
      yield %0 : tensor<4x16xf32>
    }
    store %acc, %y[%b, %h, 0, 0] : tensor<4x16xf32>, memref<?x3x4x16xf32>
  }
}

// Rows of 5 pixels that run over the whole map, 12 = 5 + 5 + 2: their places are gathered.
tenon_tile.program @flat_rows(%n: index, %x: memref<?x7x9x8xf32>, %f: memref<3x24x16xf32> {tenon_tile.form = @filter_rows})
    -> (%y: memref<?x3x4x16xf32>) attributes {tenon_tile.computes = @stride_2, tenon.tolerance = 1.0e-5} {
  bind %x sizes [%n, 7, 9, 8] : memref<?x7x9x8xf32>
  bind %y sizes [%n, 3, 4, 16] : memref<?x3x4x16xf32>
  %zero = tenon.constant dense<0.0> : tensor<5x16xf32>
  %four = tenon.constant dense<4> : tensor<5xi32>
  %win = view %x (n, h, w, kh, r) -> (n, h * 2 + kh, w * 2, r) sizes [%n, 3, 4, 3, 24]
         : memref<?x7x9x8xf32> -> memref<?x3x4x3x24xf32, strided<[504, 144, 16, 72, 1]>>
  grid (%b) = 0 to %n, (%q, %mq) = 0 to 12 step 5 {
    %pixels = position %q dim 0 : tensor<5xi32>
    %hs = tenon.div %pixels, %four : tensor<5xi32>
    %ws = tenon.rem %pixels, %four : tensor<5xi32>
    %acc = for (%kh) = 0 to 3 iter_args(%c0 = %zero) -> (tensor<5x16xf32>) {
      %0 = for (%r) = 0 to 24 step 4 iter_args(%c = %c0) -> (tensor<5x16xf32>) {
        // CHECK: load %{{.*}}[%{{.*}}, gather %{{.*}}, gather %{{.*}}, %{{.*}}, %{{.*}}] extents [%{{.*}}, 4] dims [1, 4] : memref<?x3x4x3x24xf32, strided<[504, 144, 16, 72, 1]>>, tensor<5xi32> -> tensor<5x4xf32>
        %a = load %win[%b, gather %hs, gather %ws, %kh, %r] extents [%mq, 4] dims [1, 4]
             : memref<?x3x4x3x24xf32, strided<[504, 144, 16, 72, 1]>>, tensor<5xi32> -> tensor<5x4xf32>
        %w = load %f[%kh, %r, 0] : memref<3x24x16xf32> -> tensor<4x16xf32>
        %d = mma %a, %w, %c : tensor<5x4xf32>, tensor<4x16xf32> -> tensor<5x16xf32>
        yield %d : tensor<5x16xf32>
      }
      yield %0 : tensor<5x16xf32>
    }
    store %acc, %y[%b, gather %hs, gather %ws, 0] extents [%mq, 16] dims [1, 3] : tensor<5x16xf32>, memref<?x3x4x16xf32>, tensor<5xi32>
  }
}

tenon_tile.kernel @depthwise(%n: index, %x: tensor<?x8x9x16xf32>, %w: tensor<3x3x1x16xf32>) -> tensor<?x4x9x16xf32> {
  tenon.bind_shape %x [%n, 8, 9, 16] : tensor<?x8x9x16xf32>
  %0 = tenon.conv %x, %w strides [2, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 16 {channels_last}
       : tensor<?x8x9x16xf32>, tensor<3x3x1x16xf32> -> tensor<?x4x9x16xf32>
  tenon_tile.yield %0 : tensor<?x4x9x16xf32>
}

// Without a border: what lies outside of the image is filled, where nothing is read.
tenon_tile.program @padding(%n: index, %x: memref<?x8x9x16xf32>, %w: memref<3x3x1x16xf32>) -> (%y: memref<?x4x9x16xf32>)
    attributes {tenon_tile.computes = @depthwise, tenon.tolerance = 1.0e-5} {
  bind %x sizes [%n, 8, 9, 16] : memref<?x8x9x16xf32>
  bind %y sizes [%n, 4, 9, 16] : memref<?x4x9x16xf32>
  %zero = tenon.constant dense<0.0> : tensor<2x4x16xf32>
  grid (%b) = 0 to %n, (%h) = 0 to 4 step 2, (%v, %mv) = 0 to 9 step 4 {
    %acc = for (%kh) = 0 to 3 iter_args(%c0 = %zero) -> (tensor<2x4x16xf32>) {
      %0 = for (%kw) = 0 to 3 iter_args(%c = %c0) -> (tensor<2x4x16xf32>) {
        // CHECK: load %{{.*}}[%{{.*}}, %{{.*}} * 2 + %{{.*}} - 1, %{{.*}} + %{{.*}} - 1, 0] extents [2, %{{.*}}, 16] steps [2, 1, 1] fill (0.000000e+00 : f32) :
        %a = load %x[%b, %h * 2 + %kh - 1, %v + %kw - 1, 0] extents [2, %mv, 16] steps [2, 1, 1] fill (0.0)
             : memref<?x8x9x16xf32> -> tensor<2x4x16xf32>
        %f = load %w[%kh, %kw, 0, 0] : memref<3x3x1x16xf32> -> tensor<16xf32>
        %1 = tenon.broadcast %f dims [2] sizes [2, 4, 16] : tensor<16xf32> -> tensor<2x4x16xf32>
        %2 = tenon.mul %a, %1 : tensor<2x4x16xf32>
        %3 = tenon.add %c, %2 : tensor<2x4x16xf32>
        yield %3 : tensor<2x4x16xf32>
      }
      yield %0 : tensor<2x4x16xf32>
    }
    store %acc, %y[%b, %h, %v, 0] extents [2, %mv, 16] : tensor<2x4x16xf32>, memref<?x4x9x16xf32>
  }
}
