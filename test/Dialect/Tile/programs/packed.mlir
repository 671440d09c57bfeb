// Elements that share bytes: loaded, computed, filled up beyond extents and stored.
// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: tenon-interpret --check %s

tenon_tile.kernel @narrow(%x: tensor<6x20xui4>, %y: tensor<6x20xi4>) -> tensor<6x20xui2> {
  %0 = tenon.cast %x : tensor<6x20xui4> -> tensor<6x20xi32>
  %1 = tenon.cast %y : tensor<6x20xi4> -> tensor<6x20xi32>
  %2 = tenon.add %0, %1 : tensor<6x20xi32>
  %3 = tenon.cast %2 : tensor<6x20xi32> -> tensor<6x20xui2>
  tenon_tile.yield %3 : tensor<6x20xui2>
}

// CHECK-LABEL: tenon_tile.program @tiles
// CHECK: load %{{.*}}[%{{.*}}, %{{.*}}] : memref<6x20xui4> -> tensor<2x4xui4>
// CHECK: store %{{.*}}, %{{.*}}[%{{.*}}, %{{.*}}] : tensor<2x4xui2>, memref<6x20xui2>
tenon_tile.program @tiles(%x: memref<6x20xui4>, %y: memref<6x20xi4>) -> (%z: memref<6x20xui2>)
    attributes {tenon_tile.computes = @narrow} {
  grid (%i) = 0 to 6 step 2 {
    for (%j) = 0 to 20 step 4 {
      %a = load %x[%i, %j] : memref<6x20xui4> -> tensor<2x4xui4>
      %b = load %y[%i, %j] : memref<6x20xi4> -> tensor<2x4xi4>
      %0 = tenon.cast %a : tensor<2x4xui4> -> tensor<2x4xi32>
      %1 = tenon.cast %b : tensor<2x4xi4> -> tensor<2x4xi32>
      %2 = tenon.add %0, %1 : tensor<2x4xi32>
      %3 = tenon.cast %2 : tensor<2x4xi32> -> tensor<2x4xui2>
      store %3, %z[%i, %j] : tensor<2x4xui2>, memref<6x20xui2>
    }
  }
}

tenon_tile.program @computed(%x: memref<6x20xui4>, %y: memref<6x20xi4>) -> (%z: memref<6x20xui2>)
    attributes {tenon_tile.computes = @narrow} {
  grid (%i) = 0 to 6 {
    for (%j, %n) = 0 to 20 step 8 {
      %0 = compute at [%i, %j] extents [%n] (%a = %x : memref<6x20xui4>, %b = %y : memref<6x20xi4>) -> tensor<8xui2> {
        %1 = cast %a : tensor<6x20xui4> -> tensor<6x20xi32>
        %2 = cast %b : tensor<6x20xi4> -> tensor<6x20xi32>
        %3 = add %1, %2 : tensor<6x20xi32>
        %4 = cast %3 : tensor<6x20xi32> -> tensor<6x20xui2>
        tenon_tile.yield %4 : tensor<6x20xui2>
      }
      store %0, %z[%i, %j] extents [%n] : tensor<8xui2>, memref<6x20xui2>
    }
  }
}

tenon_tile.kernel @padded(%x: tensor<5xui4>) -> tensor<8xui4> {
  %0 = tenon.constant dense<9> : tensor<ui4>
  %1 = tenon.pad constant %x, %0 low [0] high [3] : tensor<5xui4>, tensor<ui4> -> tensor<8xui4>
  tenon_tile.yield %1 : tensor<8xui4>
}

// CHECK-LABEL: tenon_tile.program @filled
tenon_tile.program @filled(%x: memref<5xui4>) -> (%z: memref<8xui4>) attributes {tenon_tile.computes = @padded} {
  grid (%i) = 0 to 1 {
    %0 = load %x[0] extents [5] : memref<5xui4> -> tensor<8xui4>
    %1 = fill %0 extents [5] with (9 : ui4) : tensor<8xui4>
    store %1, %z[0] : tensor<8xui4>, memref<8xui4>
  }
}
