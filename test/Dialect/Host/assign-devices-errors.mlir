// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(tenon-assign-devices{rules=npu})"

func.func private @k()
func.func @ordered() {
  %x = tenon_host.storage arena 0 sizes [4] : memref<4xf32>
  %d = tenon_host.storage arena 1 sizes [4] : memref<4xf32, #tenon_host.device<"gpu">>
  tenon_host.launch @k outs(%x : memref<4xf32>)
  // expected-error @+1 {{orders a program whose launches get devices only now}}
  %t = tenon_host.async {
    tenon_host.copy %x to %d : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
  }
  tenon_host.await %t
  return
}

// -----

func.func private @k()

// An output that launches write under two sizes has no one buffer on a device.
func.func @two_types() {
  %x = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  tenon_host.launch @k outs(%x : memref<4xf32>)
  // expected-error @+1 {{has several types, which no device can use}}
  %y = tenon_host.storage output 0 sizes [2, 2] : memref<2x2xf32>
  tenon_host.launch @k outs(%y : memref<2x2xf32>)
  return
}
