// RUN: %tenon_opt %s --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-variants{targets=z80})"

// expected-error@+1 {{unknown target 'z80', expected host, avx2 or avx512}}
module {
  tenon_tile.kernel @copy(%x: tensor<4xf32>) -> tensor<4xf32> attributes {work = affine_map<() -> (1)>} {
    tenon_tile.yield %x : tensor<4xf32>
  }
}
