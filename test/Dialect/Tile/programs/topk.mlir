// The first elements of rows, from memory to memory: both results, or positions alone, along rows and across them.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s

#workgroup = #tenon_tile.memory<workgroup>

tenon_tile.kernel @rows(%m: index, %x: tensor<?x40xf32>) -> (tensor<?x20xf32>, tensor<?x20xi64>) {
  tenon.bind_shape %x [%m, 40] : tensor<?x40xf32>
  %v, %p = tenon.topk %x dim 1 k [20] : tensor<?x40xf32> -> tensor<?x20xf32>, tensor<?x20xi64>
  tenon_tile.yield %v, %p : tensor<?x20xf32>, tensor<?x20xi64>
}

// CHECK-LABEL: tenon_tile.program @sorted
// CHECK: topk %{{.*}} at [%{{.*}}, 0] dim 1 lanes 8 values %{{.*}} positions %{{.*}} scratch %{{.*}} : memref<?x40xf32> values memref<?x20xf32> positions memref<?x20xi64> scratch memref<1664xi8, #
tenon_tile.program @sorted(%m: index, %x: memref<?x40xf32>) -> (%v: memref<?x20xf32>, %p: memref<?x20xi64>)
    attributes {tenon_tile.computes = @rows} {
  bind %x sizes [%m, 40] : memref<?x40xf32>
  bind %v sizes [%m, 20] : memref<?x20xf32>
  bind %p sizes [%m, 20] : memref<?x20xi64>
  %s = scratch : memref<1664xi8, #workgroup>
  grid (%i) = 0 to %m {
    topk %x at [%i, 0] dim 1 lanes 8 values %v positions %p scratch %s
         : memref<?x40xf32> values memref<?x20xf32> positions memref<?x20xi64> scratch memref<1664xi8, #workgroup>
  }
}

tenon_tile.program @too_small(%m: index, %x: memref<?x40xf32>) -> (%v: memref<?x20xf32>, %p: memref<?x20xi64>)
    attributes {tenon_tile.computes = @rows, tenon.sizes = [[3]], tenon.error = "has too little scratch for 20 results"} {
  bind %x sizes [%m, 40] : memref<?x40xf32>
  bind %v sizes [%m, 20] : memref<?x20xf32>
  bind %p sizes [%m, 20] : memref<?x20xi64>
  %s = scratch : memref<1328xi8, #workgroup>
  grid (%i) = 0 to %m {
    topk %x at [%i, 0] dim 1 lanes 8 values %v positions %p scratch %s
         : memref<?x40xf32> values memref<?x20xf32> positions memref<?x20xi64> scratch memref<1328xi8, #workgroup>
  }
}

tenon_tile.kernel @columns(%m: index, %x: tensor<?x5xi32>) -> tensor<2x5xi64> {
  tenon.bind_shape %x [%m, 5] : tensor<?x5xi32>
  %v, %p = tenon.topk %x dim 0 k [2] {smallest} : tensor<?x5xi32> -> tensor<2x5xi32>, tensor<2x5xi64>
  tenon_tile.yield %p : tensor<2x5xi64>
}

// CHECK-LABEL: tenon_tile.program @apart
// CHECK: topk %{{.*}} at [0, %{{.*}}] dim 0 lanes 8 smallest positions %{{.*}} : memref<?x5xi32> positions memref<2x5xi64>
tenon_tile.program @apart(%m: index, %x: memref<?x5xi32>) -> (%p: memref<2x5xi64>)
    attributes {tenon_tile.computes = @columns, tenon.sizes = [[2], [3], [9]]} {
  bind %x sizes [%m, 5] : memref<?x5xi32>
  grid (%i) = 0 to 5 {
    topk %x at [0, %i] dim 0 lanes 8 smallest positions %p : memref<?x5xi32> positions memref<2x5xi64>
  }
}
