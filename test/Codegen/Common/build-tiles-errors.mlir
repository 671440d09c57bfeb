// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --allow-unregistered-dialect --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)"

tenon_tile.kernel @unknown(%x: tensor<96xf32>) -> tensor<96xf32> {
  // expected-error @+1 {{'unknown.op' op can't be computed element by element}}
  %0 = "unknown.op"(%x) : (tensor<96xf32>) -> tensor<96xf32>
  tenon_tile.yield %0 : tensor<96xf32>
}
