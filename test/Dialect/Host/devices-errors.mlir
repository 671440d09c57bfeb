// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-assign-devices{rules=gpu})" -verify-diagnostics

func.func private @k()
func.func @growing() {
  %c = tenon_host.storage input 0 "c" sizes [] : memref<i1>
  %on = tenon_host.read_scalar %c at 0 : memref<i1> -> i1
  %n = scf.if %on -> (index) {
    %two = arith.constant 2 : index
    // expected-error @+1 {{a loop or branch whose sizes show while it runs can't run on device 'gpu' yet}}
    %g = tenon_host.storage growing 0 sizes [2] : memref<2xf32>
    tenon_host.launch @k outs(%g : memref<2xf32>)
    scf.yield %two : index
  } else {
    %four = arith.constant 4 : index
    scf.yield %four : index
  }
  return
}
