// A target that states its second cache only: the nearest one is what it states first.
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-variants{targets=@%S/../../Dialect/Tile/Inputs/long-rows.mlir},tenon-tiles)" | FileCheck %s

// CHECK-LABEL: tenon_tile.program @product(
// CHECK: mma
tenon_tile.kernel @product(%a: tensor<8x64xf32>, %b: tensor<64x48xf32>) -> tensor<8x48xf32> {
  %y = tenon.contract %a, %b maps [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d2, d1)>, affine_map<(d0, d1, d2) -> (d0, d1)>] : tensor<8x64xf32>, tensor<64x48xf32> -> tensor<8x48xf32>
  tenon_tile.yield %y : tensor<8x48xf32>
}
