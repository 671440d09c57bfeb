// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-variants{targets=avx2},tenon-tiles,tenon-loops)" | FileCheck %s

// Where a module says that few bits will do, schedules let elementary functions lose some, unless a person says otherwise.
module attributes {tenon_tile.accuracy = "fast"} {
// CHECK-LABEL: tenon_tile.variants @few
// CHECK: schedule(function_bits = 12, vector_bytes = 32,
// CHECK: math.exp %{{.*}} fastmath<afn> : vector
tenon_tile.kernel @few(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.softmax %x dims [1] : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// CHECK-LABEL: tenon_tile.variants @all
// CHECK: schedule(function_bits = 24, unit_elements = 4096, vector_bytes = 32,
// CHECK: math.exp %{{[^ ]*}} : vector
tenon_tile.kernel @all(%x: tensor<4x64xf32>) -> tensor<4x64xf32>
    attributes {tenon_tile.schedule = #tenon_tile.schedule<function_bits = 24>} {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// Functions of f64 keep theirs.
// CHECK-LABEL: tenon_tile.variants @double
// CHECK: math.exp %{{[^ ]*}} : vector
tenon_tile.kernel @double(%x: tensor<4x64xf64>) -> tensor<4x64xf64> {
  %y = tenon.exp %x : tensor<4x64xf64>
  tenon_tile.yield %y : tensor<4x64xf64>
}

// Kernels whose vectors no schedule counts have the knob too.
// CHECK-LABEL: tenon_tile.variants @ordered
// CHECK: schedule(function_bits = 12, vector_bytes = 32)
tenon_tile.kernel @ordered(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = tenon.scan sum %x dim 1 : tensor<4x8xf32>
  tenon_tile.yield %y : tensor<4x8xf32>
}
}

// -----

// CHECK-LABEL: tenon_tile.variants @standard
// CHECK: schedule(unit_elements = 4096, vector_bytes = 32,
// CHECK: math.exp %{{[^ ]*}} : vector
tenon_tile.kernel @standard(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %y = tenon.exp %x : tensor<4x64xf32>
  tenon_tile.yield %y : tensor<4x64xf32>
}

// Products and sums become one instruction, but for those of integers times scales, which quantisers round.
// CHECK-LABEL: tenon_tile.variants @contracted
// CHECK: arith.mulf %{{.*}} fastmath<contract> : vector
// CHECK: arith.addf %{{.*}} fastmath<contract> : vector
tenon_tile.kernel @contracted(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %0 = tenon.mul %x, %y : tensor<4x64xf32>
  %1 = tenon.add %0, %y : tensor<4x64xf32>
  tenon_tile.yield %1 : tensor<4x64xf32>
}

// CHECK-LABEL: tenon_tile.variants @scaled
// CHECK: arith.mulf %{{[^ ]*}}, %{{[^ ]*}} : vector
// CHECK: arith.mulf %{{[^ ]*}}, %{{[^ ]*}} : vector
// CHECK: arith.addf %{{.*}} fastmath<contract> : vector
tenon_tile.kernel @scaled(%x: tensor<4x64xi32>, %y: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %0 = tenon.cast %x : tensor<4x64xi32> -> tensor<4x64xf32>
  %1 = tenon.mul %0, %y : tensor<4x64xf32>
  %2 = tenon.mul %1, %y : tensor<4x64xf32>
  %3 = tenon.add %2, %y : tensor<4x64xf32>
  tenon_tile.yield %3 : tensor<4x64xf32>
}

// -----

// The model's own arithmetic has both roundings.
module attributes {tenon_tile.accuracy = "strict"} {
// CHECK-LABEL: tenon_tile.variants @strict
// CHECK: arith.mulf %{{[^ ]*}}, %{{[^ ]*}} : vector
// CHECK: arith.addf %{{[^ ]*}}, %{{[^ ]*}} : vector
tenon_tile.kernel @strict(%x: tensor<4x64xf32>, %y: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %0 = tenon.mul %x, %y : tensor<4x64xf32>
  %1 = tenon.add %0, %y : tensor<4x64xf32>
  tenon_tile.yield %1 : tensor<4x64xf32>
}
}
