// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-lower-to-llvm)"

// What other passes must lower before.

// expected-error@+1 {{'func.func' op is a graph: run tenon-graph and tenon-kernels before}}
func.func @graph(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tenon.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{'func.func' op is of a host program: run tenon-plans and tenon-convert-host-to-llvm before}}
func.func @placed() {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  return
}

// -----

// expected-error@+1 {{'func.func' op is of a host program: run tenon-plans and tenon-convert-host-to-llvm before}}
func.func @cut(%0: i1) {
  tenon_host.segment 0 {
    scf.if %0 {
    }
  }
  return
}

// -----

// expected-error@+1 {{'func.func' op is of a host program: run tenon-plans and tenon-convert-host-to-llvm before}}
func.func private @plan_0() -> index attributes {tenon_host.plan} {
  %m = tenon.symbol "m"
  return %m : index
}

// -----

// expected-error@+1 {{'func.func' op is a graph: run tenon-graph and tenon-kernels before}}
func.func @nodes(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tenon_onnx.node "Exp" version 13 (%x) {} : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-error@+1 {{'tenon_tile.kernel' op is no loops yet: run tenon-variants, tenon-tiles and tenon-loops before}}
tenon_tile.kernel @kernel(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %0 : tensor<4xf32>
}
