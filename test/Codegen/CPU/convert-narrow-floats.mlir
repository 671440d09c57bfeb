// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-convert-narrow-floats)" | FileCheck %s

// CHECK-LABEL: func.func @double_to_half
// CHECK: %[[NEAREST:.*]] = arith.truncf %{{.*}} : vector<8xf64> to vector<8xf32>
// CHECK: arith.extf %[[NEAREST]] : vector<8xf32> to vector<8xf64>
// CHECK: %[[ODD:.*]] = arith.bitcast %{{.*}} : vector<8xi32> to vector<8xf32>
// CHECK: arith.truncf %[[ODD]] : vector<8xf32> to vector<8xf16>
func.func @double_to_half(%x: vector<8xf64>) -> vector<8xf16> {
  %y = arith.truncf %x : vector<8xf64> to vector<8xf16>
  return %y : vector<8xf16>
}

// A sign isn't an f64's: LLVM would round all of it to have it.
// CHECK-LABEL: func.func @signed
// CHECK: %[[BITS:.*]] = arith.bitcast %arg1 : f64 to i64
// CHECK: %[[SHIFTED:.*]] = arith.shrui %[[BITS]]
// CHECK: %[[UPPER:.*]] = arith.trunci %[[SHIFTED]] : i64 to i32
// CHECK: %[[X:.*]] = arith.truncf %arg0 : f64 to f32
// CHECK: %[[SIGN:.*]] = arith.bitcast %[[UPPER]] : i32 to f32
// CHECK: %[[Y:.*]] = math.copysign %[[X]], %[[SIGN]] : f32
// CHECK: arith.truncf %[[Y]] : f32 to f16
func.func @signed(%x: f64, %sign: f64) -> f16 {
  %y = math.copysign %x, %sign : f64
  %z = arith.truncf %y : f64 to f32
  %w = arith.truncf %z : f32 to f16
  return %w : f16
}

// CHECK-LABEL: func.func @single_to_bfloat
// CHECK-NOT: arith.truncf
// CHECK: %[[BITS:.*]] = arith.trunci %{{.*}} : i32 to i16
// CHECK: arith.bitcast %[[BITS]] : i16 to bf16
func.func @single_to_bfloat(%x: f32) -> bf16 {
  %y = arith.truncf %x : f32 to bf16
  return %y : bf16
}

// CHECK-LABEL: func.func @select
// CHECK: arith.select %{{.*}} : vector<4xi1>, vector<4xi16>
func.func @select(%c: vector<4xi1>, %x: vector<4xbf16>, %y: vector<4xbf16>) -> vector<4xbf16> {
  %z = arith.select %c, %x, %y : vector<4xi1>, vector<4xbf16>
  return %z : vector<4xbf16>
}

// An instruction as it is.
// CHECK-LABEL: func.func @single_to_half
// CHECK-NEXT: arith.truncf
// CHECK-NEXT: return
func.func @single_to_half(%x: vector<8xf32>) -> vector<8xf16> {
  %y = arith.truncf %x : vector<8xf32> to vector<8xf16>
  return %y : vector<8xf16>
}

// What is no code yet.
// CHECK-LABEL: func.func @tensor
// CHECK-NEXT: arith.truncf %{{.*}} : tensor<8xf64> to tensor<8xf16>
// CHECK-NEXT: arith.truncf %{{.*}} : tensor<8xf32> to tensor<8xbf16>
// CHECK-NEXT: arith.select %{{.*}} : tensor<8xbf16>
func.func @tensor(%c: i1, %x: tensor<8xf64>, %y: tensor<8xf32>) -> (tensor<8xf16>, tensor<8xbf16>) {
  %a = arith.truncf %x : tensor<8xf64> to tensor<8xf16>
  %b = arith.truncf %y : tensor<8xf32> to tensor<8xbf16>
  %d = arith.select %c, %b, %b : tensor<8xbf16>
  return %a, %d : tensor<8xf16>, tensor<8xbf16>
}
