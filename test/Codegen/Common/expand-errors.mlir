// RUN: %tenon_opt %s --split-input-file --verify-diagnostics --pass-pipeline="builtin.module(func.func(tenon-expand-reports))"

// expected-error@+1 {{'func.func' op with 'tenon_tile.checks' expects its error slot, 'memref<32xi8>', as last argument, and to give an i32}}
func.func @no_slot() -> i32 attributes {tenon_tile.checks} {
  %zero = arith.constant 0 : i32
  return %zero : i32
}

// -----

// expected-error@+1 {{'func.func' op with 'tenon_tile.checks' expects its error slot, 'memref<32xi8>', as last argument, and to give an i32}}
func.func @no_code(%slot: memref<32xi8>) attributes {tenon_tile.checks} {
  return
}
