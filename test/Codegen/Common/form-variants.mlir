// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-form-variants{targets=avx512,avx2})" | FileCheck %s

// CHECK-DAG: #avx512 = #tenon_tile.cpu<name = "avx512", core = "avx512", triple = "x86_64-unknown-linux-gnu", cpu = "x86-64-v4", features = "+avx,{{.*}}+avx512f,{{.*}}, vector_bytes = 64, vector_registers = 32,
// CHECK-DAG: #avx2 = #tenon_tile.cpu<name = "avx2", {{.*}}, vector_bytes = 32, vector_registers = 16,

// The preferred target first; a schedule moves from the kernel to its variants.
// CHECK-NOT: tenon_tile.kernel
// CHECK: tenon_tile.variants @copy {
// CHECK-NEXT: tenon_tile.variant @avx512 target #avx512 schedule(vectors = 2) {
// CHECK-NEXT:   tenon_tile.kernel @copy(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
// CHECK: tenon_tile.variant @avx2 target #avx2 schedule(vectors = 2) {
// CHECK-NEXT:   tenon_tile.kernel @copy(%{{.*}}: tensor<4xf32>) -> tensor<4xf32>
tenon_tile.kernel @copy(%x: tensor<4xf32>) -> tensor<4xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<vectors = 2>} {
  tenon_tile.yield %x : tensor<4xf32>
}

// What is loops already becomes variants as well.
// CHECK: tenon_tile.variants @loops {
// CHECK-NEXT: tenon_tile.variant @avx512 target #avx512 {
// CHECK-NEXT:   func.func @loops
// CHECK: tenon_tile.variant @avx2 target #avx2 {
func.func @loops(%x: memref<f32>, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 1, strides = 0, symbols = 0}} {
  %ok = arith.constant 0 : i32
  return %ok : i32
}

// The host program stays where it is.
// CHECK: {{^}}  func.func @main
func.func @main(%x: memref<f32>) {
  tenon_host.launch @loops outs(%x : memref<f32>)
  return
}
