// RUN: %tenon_opt %s --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-variants{targets=z80})"

// expected-error@+1 {{unknown target 'z80', expected one of host, avx2, avx512, znver3, sapphirerapids, znver4, znver5, or @FILE}}
module {
  tenon_tile.kernel @copy(%x: tensor<4xf32>) -> tensor<4xf32> {
    tenon_tile.yield %x : tensor<4xf32>
  }
}
