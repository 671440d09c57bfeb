// RUN: %tenon_opt %s --allow-unregistered-dialect -split-input-file -verify-diagnostics --pass-pipeline="builtin.module(tenon-form-kernel-entries)"

// expected-error @+1 {{expects a body and a fixed number of arguments of a kernel}}
llvm.func @declared(!llvm.ptr, i64, i64) -> i32 attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}}

// -----

llvm.func @k.body() {
  llvm.return
}
// expected-error @+1 {{needs the name 'k.body', which is taken}}
llvm.func @k(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}

// -----

// expected-error @+1 {{expects argument 1 to be an integer of 64 bits, it is 'i32'}}
llvm.func @narrow(%a: !llvm.ptr, %b: i32, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}

// -----

// expected-error @+1 {{to state the number of buffers}}
llvm.func @negative(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = -1 : i64, strides = 2 : i64, symbols = 0 : i64}} {
  llvm.return
}

// -----

// expected-error @+1 {{expects a place of each of 1 buffers}}
llvm.func @places(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, places = array<i64: 0, 1>, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}

// -----

// expected-error @+1 {{expects 4 arguments as stated by tenon_tile.kernel, has 3}}
llvm.func @constants(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, constants = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}

// -----

llvm.func @called(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}
llvm.func @caller(%a: !llvm.ptr, %b: i64) {
  // expected-error @+1 {{calls kernel 'called', which only launches do}}
  llvm.call @called(%a, %b, %b) : (!llvm.ptr, i64, i64) -> ()
  llvm.return
}

// -----

// Ops of nobody's dialect may name it.
llvm.func @named(%a: !llvm.ptr, %b: i64, %e: i64) attributes {tenon_tile.kernel = {buffers = 1 : i64, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}
"unknown.launch"() {kernel = @named} : () -> ()
