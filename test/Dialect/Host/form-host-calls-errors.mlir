// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-form-host-calls))"

func.func @scan(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2x!tenon.string>) -> tensor<?x2x!tenon.string> {
  // expected-error @+1 {{scan values of type 'tensor<?x2x!tenon.string>' can't be compiled}}
  %all = tenon.loop %n, %c -> tensor<?x2x!tenon.string> {
  ^bb0(%i: tensor<i64>):
    tenon.yield %c, %x : tensor<i1>, tensor<2x!tenon.string>
  }
  return %all : tensor<?x2x!tenon.string>
}
