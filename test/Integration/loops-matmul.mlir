// RUN: tenon-compile %s -o %t.so --target-cpu=avx2 --quiet
// RUN: %python %S/Inputs/check-model.py %t.so matmul | FileCheck %s
// CHECK: right

// Two launches with a temporary between them, and a constant.
func.func @matmul(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %m: index, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 3, strides = 0, symbols = 1},
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0)>]>} {
  %ok = arith.constant 0 : i32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%m, 16], strides: [16, 1] : memref<f32> to memref<?x16xf32>
  %w = memref.reinterpret_cast %b to offset: [0], sizes: [16, 8], strides: [8, 1] : memref<f32> to memref<16x8xf32>
  %y = memref.reinterpret_cast %c to offset: [0], sizes: [%m, 8], strides: [8, 1] : memref<f32> to memref<?x8xf32>
  scf.for %i = %begin to %end step %c1 {
    %sum = scf.for %k = %c0 to %c16 step %c1 iter_args(%s = %zero) -> vector<8xf32> {
      %e = memref.load %x[%i, %k] : memref<?x16xf32>
      %f = vector.broadcast %e : f32 to vector<8xf32>
      %g = vector.load %w[%k, %c0] : memref<16x8xf32>, vector<8xf32>
      %h = vector.fma %f, %g, %s : vector<8xf32>
      scf.yield %h : vector<8xf32>
    }
    vector.store %sum, %y[%i, %c0] : memref<?x8xf32>, vector<8xf32>
  }
  return %ok : i32
}

func.func @relu(%a: memref<f32>, %c: memref<f32>, %m: index, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 2, strides = 0, symbols = 1},
                tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<()[s0] -> (s0)>]>} {
  %ok = arith.constant 0 : i32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant dense<0.0> : vector<8xf32>
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%m, 8], strides: [8, 1] : memref<f32> to memref<?x8xf32>
  %y = memref.reinterpret_cast %c to offset: [0], sizes: [%m, 8], strides: [8, 1] : memref<f32> to memref<?x8xf32>
  scf.for %i = %begin to %end step %c1 {
    %u = vector.load %x[%i, %c0] : memref<?x8xf32>, vector<8xf32>
    %v = arith.maximumf %u, %zero : vector<8xf32>
    vector.store %v, %y[%i, %c0] : memref<?x8xf32>, vector<8xf32>
  }
  return %ok : i32
}

func.func @main() {
  %m = tenon.symbol "m" range [1, 4096]
  %x = tenon_host.storage input 0 "x" sizes [%m, 16] : memref<?x16xf32>
  %w = tenon_host.storage constant 0 sizes [16, 8]
       value(dense<[[0.0, 0.015625, 0.03125, 0.046875, 0.0625, 0.078125, 0.09375, 0.109375],
       [0.125, 0.140625, 0.15625, 0.171875, 0.1875, 0.203125, 0.21875, 0.234375],
       [0.25, 0.265625, 0.28125, 0.296875, 0.3125, 0.328125, 0.34375, 0.359375],
       [0.375, 0.390625, 0.40625, 0.421875, 0.4375, 0.453125, 0.46875, 0.484375],
       [0.5, 0.515625, 0.53125, 0.546875, 0.5625, 0.578125, 0.59375, 0.609375],
       [0.625, 0.640625, 0.65625, 0.671875, 0.6875, 0.703125, 0.71875, 0.734375],
       [0.75, 0.765625, 0.78125, 0.796875, 0.8125, 0.828125, 0.84375, 0.859375],
       [0.875, 0.890625, 0.90625, 0.921875, 0.9375, 0.953125, 0.96875, 0.984375],
       [1.0, 1.01562, 1.03125, 1.04688, 1.0625, 1.07812, 1.09375, 1.10938],
       [1.125, 1.14062, 1.15625, 1.17188, 1.1875, 1.20312, 1.21875, 1.23438],
       [1.25, 1.26562, 1.28125, 1.29688, 1.3125, 1.32812, 1.34375, 1.35938],
       [1.375, 1.39062, 1.40625, 1.42188, 1.4375, 1.45312, 1.46875, 1.48438],
       [1.5, 1.51562, 1.53125, 1.54688, 1.5625, 1.57812, 1.59375, 1.60938],
       [1.625, 1.64062, 1.65625, 1.67188, 1.6875, 1.70312, 1.71875, 1.73438],
       [1.75, 1.76562, 1.78125, 1.79688, 1.8125, 1.82812, 1.84375, 1.85938],
       [1.875, 1.89062, 1.90625, 1.92188, 1.9375, 1.95312, 1.96875, 1.98438]]> : tensor<16x8xf32>) : memref<16x8xf32>
  %h = tenon_host.storage arena 0 sizes [%m, 8] live [0, 1] : memref<?x8xf32>
  tenon_host.launch @matmul symbols(%m) ins(%x, %w : memref<?x16xf32>, memref<16x8xf32>) outs(%h : memref<?x8xf32>)
  %y = tenon_host.storage output 0 "y" sizes [%m, 8] : memref<?x8xf32>
  tenon_host.launch @relu symbols(%m) ins(%h : memref<?x8xf32>) outs(%y : memref<?x8xf32>)
  return
}
