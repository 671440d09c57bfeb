// RUN: %tenon_opt %s --verify-diagnostics --pass-pipeline="builtin.module(tenon-form-variants{targets=avx2})"

func.func private @other(memref<4xf32>)
// expected-error@+1 {{'caller' is no kernel: it names other symbols}}
func.func @caller(%x: memref<4xf32>) attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  call @other(%x) : (memref<4xf32>) -> ()
  return
}
