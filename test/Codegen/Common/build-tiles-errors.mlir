// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --allow-unregistered-dialect --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles)"

tenon_tile.kernel @unknown(%x: tensor<96xf32>) -> tensor<96xf32> {
  // expected-error @+1 {{'unknown.op' op can't be computed element by element}}
  %0 = "unknown.op"(%x) : (tensor<96xf32>) -> tensor<96xf32>
  tenon_tile.yield %0 : tensor<96xf32>
}

// -----

// What is stored for the register tiles of one contraction is no operand of another.
tenon_tile.kernel @two(%x: tensor<1x6x14x8xf32>, %w: tensor<72x32xf32> {tenon_tile.constant}) -> tensor<1x4x12x32xf32> {
  // expected-error @+1 {{'tenon_tile.window_rows' op can't be computed element by element}}
  %0 = "tenon_tile.window_rows"(%x) <{dilations = array<i64: 1, 1>, sizes = array<i64: 3, 3>, strides = array<i64: 1, 1>}> : (tensor<1x6x14x8xf32>) -> tensor<1x4x12x72xf32>
  %1 = "tenon.contract"(%0, %w) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>]}> : (tensor<1x4x12x72xf32>, tensor<72x32xf32>) -> tensor<1x4x12x32xf32>
  %2 = "tenon.contract"(%0, %w) <{indexing_maps = [affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d4)>, affine_map<(d0, d1, d2, d3, d4) -> (d4, d3)>, affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>]}> : (tensor<1x4x12x72xf32>, tensor<72x32xf32>) -> tensor<1x4x12x32xf32>
  tenon_tile.yield %2 : tensor<1x4x12x32xf32>
}

// -----

tenon_tile.kernel @other_result(%x: tensor<10x16xf32>, %i: tensor<3x1xi64>, %u: tensor<3x16xf32>) -> tensor<10x16xf32> {
  // expected-error @+1 {{'tenon.scatter' op is alone in a kernel, which yields its results only}}
  %0 = tenon.scatter error sum %x, %i, %u dims [0] batch_dims 0 : tensor<10x16xf32>, tensor<3x1xi64>, tensor<3x16xf32>
  tenon_tile.yield %x : tensor<10x16xf32>
}

// -----

tenon_tile.kernel @other_order(%x: tensor<3x500xi64>) -> tensor<3x5xi64> {
  // expected-error @+1 {{'tenon.topk' op is alone in a kernel, which yields its results only}}
  %0:2 = "tenon.topk"(%x) <{dim = 1, static_k = array<i64: 5>}> : (tensor<3x500xi64>) -> (tensor<3x5xi64>, tensor<3x5xi64>)
  %1:2 = "tenon.topk"(%x) <{dim = 1, static_k = array<i64: 5>}> : (tensor<3x500xi64>) -> (tensor<3x5xi64>, tensor<3x5xi64>)
  tenon_tile.yield %1#1 : tensor<3x5xi64>
}
