// RUN: %tenon_opt %s --pass-pipeline="builtin.module(func.func(tenon-place-buffers))" -verify-diagnostics

func.func @graph_op(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{'tenon.exp' op has no place in the host program}}
  %0 = tenon.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
