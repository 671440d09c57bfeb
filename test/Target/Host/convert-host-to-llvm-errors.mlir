// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-cut-segments),tenon-outline-plan,tenon-convert-host-to-llvm)"

func.func @main() {
  // expected-error@+1 {{'tenon.symbol' op 'm' is the size of no input}}
  %m = tenon.symbol "m"
  %y = tenon_host.storage output 0 "y" sizes [%m] : memref<?xf32>
  return
}

// -----

func.func @main() {
  // expected-error@+1 {{'tenon_host.storage' op expects to be input 0}}
  %x = tenon_host.storage input 1 "x" sizes [4] : memref<4xf32>
  return
}

// -----

func.func @main() {
  // expected-error@+1 {{'tenon_host.storage' op has elements of 'i3', which no input or output can have}}
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xi3>
  return
}

// -----

func.func @main() {
  // expected-error@+1 {{'tenon_host.storage' op expects a constant's elements}}
  %x = tenon_host.storage constant 0 sizes [4] value(unit) : memref<4xf32>
  return
}

// -----

func.func @main() {
  %x = tenon_host.storage input 0 "x" sizes [2, 3] : memref<2x3xi4>
  %y = tenon_host.storage output 0 "y" sizes [2, 6] : memref<2x6xi4>
  %v = tenon_host.view %y[0] sizes [2, 3] strides [6, 1] : memref<2x6xi4> -> memref<2x3xi4, strided<[6, 1]>>
  // expected-error@+1 {{can't copy elements of 'i4', which share bytes}}
  tenon_host.copy %x to %v : memref<2x3xi4> to memref<2x3xi4, strided<[6, 1]>>
  return
}

// -----

func.func private @k(memref<4xf32>, memref<4xf32>)
func.func @main() -> memref<4xf32> {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  %a = tenon_host.storage arena 0 sizes [4] live [0, 1] : memref<4xf32>
  // expected-error@+1 {{'tenon_host.storage' op is arena buffer 0 under other sizes than before}}
  %b = tenon_host.storage arena 0 sizes [8] live [0, 1] : memref<8xf32>
  %y = tenon_host.storage output 0 "y" sizes [4] : memref<4xf32>
  return %y : memref<4xf32>
}
