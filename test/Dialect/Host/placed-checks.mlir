// RUN: %tenon_opt %s -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-insert-tokens))"

// What passes ask of a placed program.

func.func @loop_of_numbers() {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %zero = arith.constant 0.0 : f32
  // expected-error@+1 {{'scf.while' op expects numbers of the program, index or i1, but has 'f32'}}
  %0 = scf.while (%a = %zero) : (f32) -> f32 {
    %true = arith.constant true
    scf.condition(%true) %a : f32
  } do {
  ^bb0(%b: f32):
    scf.yield %b : f32
  }
  return
}

// -----

func.func @allocated() {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  // expected-error@+1 {{'memref.alloc' op has no place in the host program}}
  %y = memref.alloc() : memref<4xf32>
  return
}

// -----

// A program without places that names a buffer all the same.
func.func private @k(memref<4xf32>)

func.func @argument(%x: memref<4xf32>) {
  // expected-error@+1 {{'tenon_host.launch' op expects buffers that are storages or views of them}}
  tenon_host.launch @k outs(%x : memref<4xf32>)
  return
}
