// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --mlir-print-local-scope | %tenon_opt | FileCheck %s

// CHECK-LABEL: tenon_tile.kernel @exp(%arg0: index, %arg1: tensor<?x4xf32>) -> tensor<?x4xf32>
tenon_tile.kernel @exp(%m: index, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  tenon.bind_shape %x [%m, 4] : tensor<?x4xf32>
  %y = tenon.exp %x : tensor<?x4xf32>
  // CHECK: tenon_tile.yield %{{.*}} : tensor<?x4xf32>
  tenon_tile.yield %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @window_rows
func.func @window_rows(%x: tensor<1x?x9x4xf32>) -> tensor<1x?x4x24xf32> {
  // CHECK: tenon_tile.window_rows %{{.*}} sizes [2, 3] strides [1, 2] dilations [3, 1] : tensor<1x?x9x4xf32> -> tensor<1x?x4x24xf32>
  %w = tenon_tile.window_rows %x sizes [2, 3] strides [1, 2] dilations [3, 1] : tensor<1x?x9x4xf32> -> tensor<1x?x4x24xf32>
  return %w : tensor<1x?x4x24xf32>
}

// CHECK-LABEL: func.func @clipped_window_rows
func.func @clipped_window_rows(%x: tensor<1x?x9x4xf32>) -> tensor<1x?x9x24xf32> {
  // CHECK: tenon_tile.window_rows %{{.*}} sizes [2, 3] strides [1, 1] dilations [3, 4] pads [0, 3, 4, 5] : tensor<1x?x9x4xf32> -> tensor<1x?x9x24xf32>
  %w = tenon_tile.window_rows %x sizes [2, 3] strides [1, 1] dilations [3, 4] pads [0, 3, 4, 5] : tensor<1x?x9x4xf32> -> tensor<1x?x9x24xf32>
  return %w : tensor<1x?x9x24xf32>
}

// CHECK-LABEL: func.func @report
func.func @report(%i: index, %u: i64) {
  // CHECK: tenon_tile.report 1 at %{{.*}} value %{{.*}} limit %{{.*}}
  tenon_tile.report 1 at %i value %u limit %u
  return
}

// CHECK-LABEL: func.func private @planned()
// CHECK-SAME: tenon_tile.plan = #tenon_tile.plan<grids = [#{{.*}}, #{{.*}}], workgroup = #{{.*}}, launch = #{{.*}}>
func.func private @planned() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0 ceildiv 4, 2)>, affine_map<()[s0] -> (1)>],
    workgroup = affine_map<()[s0] -> (s0 * 64, 6400)>, launch = affine_map<()[s0] -> (64)>>}

// What is at least 0 where the program may run, and of that what is 0.
// CHECK-LABEL: func.func private @guarded()
// CHECK-SAME: tenon_tile.plan = #tenon_tile.plan<grids = [#{{.*}}], guard = #{{.*}} zero [1]>
func.func private @guarded() attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0, s1] -> (s0)>],
                                                                           guard = affine_map<()[s0, s1] -> (-s0 + 4, s1 - 8)> zero [1]>}
