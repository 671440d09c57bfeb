// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-convert-math)" | FileCheck %s

// CHECK-LABEL: func.func @exp
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : vector<8xf32>
// CHECK: arith.shrsi
// CHECK-NOT: f64
func.func @exp(%x: vector<8xf32>) -> vector<8xf32> {
  %y = math.exp %x : vector<8xf32>
  return %y : vector<8xf32>
}

// A sigmoid's exponential has one power of two and no other bounds; what else reads it needs it as it is.
// CHECK-LABEL: func.func @sigmoid
// CHECK: arith.constant dense<5.96046448E-8>
// CHECK-COUNT-1: arith.shli
// CHECK-NOT: arith.shrsi
// CHECK: math.fma
// CHECK-NEXT: arith.divf
// CHECK-LABEL: func.func @exponential
// CHECK: arith.shrsi
func.func @sigmoid(%x: vector<8xf32>) -> vector<8xf32> {
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.negf %x : vector<8xf32>
  %1 = math.exp %0 : vector<8xf32>
  %2 = arith.addf %1, %one : vector<8xf32>
  %3 = arith.divf %one, %2 : vector<8xf32>
  return %3 : vector<8xf32>
}
func.func @exponential(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>) {
  %one = arith.constant dense<1.0> : vector<8xf32>
  %0 = arith.negf %x : vector<8xf32>
  %1 = math.exp %0 : vector<8xf32>
  %2 = arith.addf %1, %one : vector<8xf32>
  %3 = arith.divf %one, %2 : vector<8xf32>
  return %1, %3 : vector<8xf32>, vector<8xf32>
}

// Where functions may be approximated those of f32 are; NaN goes through the comparisons.
// CHECK-LABEL: func.func @approximations
// CHECK-COUNT-2: arith.cmpf olt
// CHECK-COUNT-5: math.fma
// CHECK: arith.shli
// CHECK-NEXT: arith.bitcast
// CHECK-NEXT: arith.addi
// CHECK: arith.divf
// CHECK-NOT: math.exp
// CHECK-NOT: math.tanh
// CHECK-NOT: math.erf
// CHECK: return
func.func @approximations(%x: vector<8xf32>) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>) {
  %0 = math.exp %x fastmath<afn> : vector<8xf32>
  %1 = math.tanh %x fastmath<afn> : vector<8xf32>
  %2 = math.erf %x fastmath<afn> : vector<8xf32>
  return %0, %1, %2 : vector<8xf32>, vector<8xf32>, vector<8xf32>
}

// f64 keeps its bits.
// CHECK-LABEL: func.func @double
// CHECK: arith.shrsi {{.*}} : i64
func.func @double(%x: f64) -> f64 {
  %y = math.exp %x fastmath<afn> : f64
  return %y : f64
}

// A rarer function borrows f64.
// CHECK-LABEL: func.func @asin
// CHECK: arith.extf {{.*}} : f32 to f64
// CHECK-NOT: math.asin
// CHECK: math.sqrt {{.*}} : f64
// CHECK: arith.truncf {{.*}} : f64 to f32
func.func @asin(%x: f32) -> f32 {
  %y = math.asin %x : f32
  return %y : f32
}

// CHECK-LABEL: func.func @remainder
// CHECK-NOT: arith.remf
// CHECK: scf.while
// CHECK: vector.reduction <or>
func.func @remainder(%x: vector<4x8xf64>, %y: vector<4x8xf64>) -> vector<4x8xf64> {
  %r = arith.remf %x, %y : vector<4x8xf64>
  return %r : vector<4x8xf64>
}

// What the machine has stays.
// CHECK-LABEL: func.func @native
// CHECK: math.sqrt
// CHECK: math.floor
func.func @native(%x: f32) -> f32 {
  %a = math.sqrt %x : f32
  %b = math.floor %a : f32
  return %b : f32
}

// What is no code yet.
// CHECK-LABEL: func.func @tensor
// CHECK-NEXT: math.sin %{{.*}} : tensor<4xf32>
func.func @tensor(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = math.sin %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
