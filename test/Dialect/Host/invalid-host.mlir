// RUN: %tenon_opt %s -split-input-file -verify-diagnostics

func.func @undefined(%x: tensor<4xf32>) {
  // expected-error @+1 {{launches @k, which is not defined}}
  %0 = tenon_host.launch @k ins(%x : tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k()
func.func @mixed(%x: tensor<4xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{expects ins of the same kind as outs, but has 'memref<4xf32>'}}
  %0 = tenon_host.launch @k ins(%y : memref<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func private @k()
func.func @results(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects one result per out, of its type}}
  %0 = tenon_host.launch @k outs(%x : tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @live() {
  // expected-error @+1 {{expects a first and a last launch of an arena buffer}}
  %0 = tenon_host.storage output 0 sizes [4] live [0, 1] : memref<4xf32>
  return
}

// -----

func.func @value() {
  // expected-error @+1 {{expects a value of a constant and of nothing else}}
  %0 = tenon_host.storage constant 0 sizes [4] : memref<4xf32>
  return
}

// -----

func.func @sizes() {
  // expected-error @+1 {{expects the sizes of 'memref<4xf32>'}}
  %0 = tenon_host.storage arena 0 sizes [5] : memref<4xf32>
  return
}

// -----

func.func @exchange(%n: index) {
  %a = tenon_host.storage growing 0 sizes [%n] : memref<?xf32>
  %b = tenon_host.storage arena 1 sizes [%n] : memref<?xf32>
  // expected-error @+1 {{expects growing storages}}
  tenon_host.exchange %a, %b : memref<?xf32>, memref<?xf32>
  return
}

// -----

func.func private @k()
func.func @spaces(%x: memref<4xf32, #tenon_host.device<"gpu">>, %y: memref<4xf32>) {
  // expected-error @+1 {{expects buffers in one memory space, but has 'memref<4xf32, #tenon_host.device<"gpu">>'}}
  tenon_host.launch @k ins(%x : memref<4xf32, #tenon_host.device<"gpu">>) outs(%y : memref<4xf32>)
  return
}

// -----

func.func @live_growing() {
  // expected-error @+1 {{expects a first and a last launch of an arena buffer}}
  %a = tenon_host.storage growing 0 sizes [4] live [0, 1] : memref<4xf32>
  return
}

// -----

func.func @bound() {
  // expected-error @+1 {{expects what the caller binds on the host}}
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32, #tenon_host.device<"gpu">>
  return
}

// -----

func.func @view(%x: memref<4xf32, #tenon_host.device<"gpu">>) {
  // expected-error @+1 {{expects source and result in one memory space}}
  %y = tenon_host.view %x[0] sizes [4] strides [1] : memref<4xf32, #tenon_host.device<"gpu">> -> memref<4xf32>
  return
}

// -----

func.func @async(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{expects a buffer on a device}}
  %t = tenon_host.async {
    tenon_host.copy %x to %y : memref<4xf32> to memref<4xf32>
  }
  return
}

// -----

func.func @two(%x: memref<4xf32>, %y: memref<4xf32, #tenon_host.device<"gpu">>) {
  // expected-error @+1 {{expects one launch or copy inside}}
  %t = tenon_host.async {
    tenon_host.copy %x to %y : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
    tenon_host.copy %x to %y : memref<4xf32> to memref<4xf32, #tenon_host.device<"gpu">>
  }
  return
}

// -----

func.func private @rows(tensor<4x3xf32>) -> tensor<4x3xf32>
func.func @rows_apart(%x: memref<4x3xf32, strided<[9, 1]>>, %y: memref<4x3xf32>) {
  // expected-error@+1 {{expects contiguous rows of operand 0, but has 'memref<4x3xf32, strided<[9, 1]>>'}}
  tenon_host.launch @rows ins(%x : memref<4x3xf32, strided<[9, 1]>>) outs(%y : memref<4x3xf32>)
  return
}

// -----

func.func private @apart(tensor<4x3xf32>) -> (tensor<4x3xf32> {tenon_tile.contract = "inner"})
func.func @strides_unknown(%x: memref<4x3xf32>, %y: memref<4x3xf32>) {
  // expected-error@+1 {{expects dynamic strides of operand 1, but has 'memref<4x3xf32>'}}
  tenon_host.launch @apart ins(%x : memref<4x3xf32>) outs(%y : memref<4x3xf32>)
  return
}

// -----

func.func @strides_of_all(%x: tensor<2x4xf32>, %s: index) {
  // expected-error@+1 {{expects strides of all dimensions but the last, but has 2 of 'tensor<2x4xf32>'}}
  tenon_host.bind_strides %x[%s, %s] : tensor<2x4xf32>
  return
}

// -----

func.func @arena_with_strides(%s: index) {
  // expected-error@+1 {{expects strides of an input or output, of all dimensions but the last}}
  %x = tenon_host.storage arena 0 sizes [2, 4] strides(%s) : memref<2x4xf32, strided<[?, 1]>>
  return
}

// -----

func.func @storage_number() {
  // expected-error@+1 {{'tenon_host.storage' op expects a number from 0 to 16777215, but has -1}}
  %x = tenon_host.storage output -1 sizes [4] : memref<4xf32>
  return
}

// -----

func.func @storage_value() {
  // expected-error@+1 {{'tenon_host.storage' op expects a value like 'memref<4xf32>', but has 'tensor<5xf32>'}}
  %x = tenon_host.storage constant 0 sizes [4] value(dense<0.0> : tensor<5xf32>) : memref<4xf32>
  return
}

// -----

func.func @view_operands(%x: memref<8xf32>, %o: index) {
  // expected-error@+1 {{'tenon_host.view' op expects one operand per dynamic offset, but has 1}}
  %v = "tenon_host.view"(%x, %o) <{static_offsets = array<i64: 0>, static_sizes = array<i64: 2>, static_strides = array<i64: 1>, operandSegmentSizes = array<i32: 1, 1, 0, 0>}> : (memref<8xf32>, index) -> memref<2xf32>
  return
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  tenon_tile.yield %x : tensor<4xf32>
}
func.func @launch_count(%x: tensor<4xf32>) {
  // expected-error@+1 {{'tenon_host.launch' op expects the symbols, ins and outs of @exp, but has 0, 0 and 1}}
  %y = tenon_host.launch @exp outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  tenon_tile.yield %x : tensor<4xf32>
}
func.func @launch_type(%x: tensor<4xf64>) {
  // expected-error@+1 {{'tenon_host.launch' op expects operand 0 like 'tensor<4xf32>', but has 'tensor<4xf64>'}}
  %y = tenon_host.launch @exp ins(%x : tensor<4xf64>) outs(%x : tensor<4xf64>) -> tensor<4xf64>
  return
}

// -----

func.func @read_before_start(%x: memref<4xi64>) {
  // expected-error @+1 {{attribute 'position' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %0 = tenon_host.read_scalar %x at -1 : memref<4xi64> -> index
  return
}

// -----

func.func @exchange_behind() {
  %a = tenon_host.storage growing 0 sizes [4] : memref<4xf32>
  // expected-error @+1 {{expects growing storages}}
  tenon_host.exchange %a, %b : memref<4xf32>, memref<4xf32>
  %b = "tenon_host.storage"() <{number = 1 : i64, operandSegmentSizes = array<i32: 0, 0, 0>, static_sizes = array<i64: 4>}> : () -> memref<4xf32>
  return
}

// -----

func.func @no_source(%i: index) {
  // expected-error @+1 {{expects 1 operand in group 0 of 'operandSegmentSizes', but has 0}}
  %0 = "tenon_host.view"(%i) <{operandSegmentSizes = array<i32: 0, 1, 0, 0>, static_offsets = array<i64: -9223372036854775808>, static_sizes = array<i64: 4>, static_strides = array<i64: 1>}> : (index) -> memref<4xf32>
  return
}
