// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-generalize-sizes)" | FileCheck %s --check-prefix=USUAL
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-generalize-sizes{target=@%S/Inputs/long-rows.mlir})" | FileCheck %s --check-prefix=PRICES
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(tenon-generalize-sizes{target=z80})" 2>&1 | FileCheck %s --check-prefix=ERROR

// ERROR: error: unknown target 'z80'

// How long rows are that may have any length is the target's: from 64 elements on, or from 100.
// USUAL: tenon_tile.kernel @exp_{{[0-9a-f]+}}(%{{.*}}: index, %{{.*}}: tensor<4x?xf32>)
// USUAL-NOT: tenon_tile.kernel
// PRICES: tenon_tile.kernel @exp_0(%{{.*}}: tensor<4x64xf32>)
// PRICES: tenon_tile.kernel @exp_{{[0-9a-f]+}}(%{{.*}}: index, %{{.*}}: tensor<4x?xf32>)
// PRICES-NOT: tenon_tile.kernel
tenon_tile.kernel @exp_0(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}
tenon_tile.kernel @exp_1(%x: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %y = tenon.exp %x : tensor<4x100xf32>
  tenon_tile.yield %y : tensor<4x100xf32>
}
tenon_tile.kernel @exp_2(%x: tensor<4x200xf32>) -> tensor<4x200xf32> {
  %y = tenon.exp %x : tensor<4x200xf32>
  tenon_tile.yield %y : tensor<4x200xf32>
}
