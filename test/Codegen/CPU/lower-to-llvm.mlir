// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-lower-to-llvm)" | FileCheck %s

// CHECK-LABEL: llvm.func internal @add.body
// CHECK-SAME: (%{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64) -> i32
// CHECK: llvm.fadd {{.*}} : vector<8xf32>
// CHECK-LABEL: llvm.func @add(
// CHECK-SAME: %[[ARGS:[a-z0-9]+]]: !llvm.ptr, %[[BEGIN:[a-z0-9]+]]: i64, %[[END:[a-z0-9]+]]: i64, %{{.*}}: i32) -> i32
// CHECK: %[[F:.*]] = llvm.getelementptr %[[ARGS]][0, 0]
// CHECK: %[[BUFFERS:.*]] = llvm.load %[[F]]
// CHECK: llvm.getelementptr %[[BUFFERS]][2]
// CHECK: llvm.getelementptr %[[ARGS]][0, 2]
// CHECK: llvm.call @add.body(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[BEGIN]], %[[END]])
func.func @add(%a: memref<f32>, %b: memref<f32>, %c: memref<f32>, %n: index, %begin: index, %end: index) -> i32
    attributes {tenon_tile.kernel = {buffers = 3, strides = 0, symbols = 1}} {
  %ok = arith.constant 0 : i32
  %step = arith.constant 8 : index
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %y = memref.reinterpret_cast %b to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  %z = memref.reinterpret_cast %c to offset: [0], sizes: [%n], strides: [1] : memref<f32> to memref<?xf32>
  scf.for %i = %begin to %end step %step {
    %u = vector.load %x[%i] : memref<?xf32>, vector<8xf32>
    %v = vector.load %y[%i] : memref<?xf32>, vector<8xf32>
    %w = arith.addf %u, %v : vector<8xf32>
    vector.store %w, %z[%i] : memref<?xf32>, vector<8xf32>
  }
  return %ok : i32
}

// A kernel that checks takes its worker's error slot.
// CHECK-LABEL: llvm.func internal @pick.body
// CHECK-SAME: %{{.*}}: i64, %[[SLOT:.*]]: !llvm.ptr {llvm.noalias}) -> i32
// CHECK-LABEL: llvm.func @pick(
// CHECK-SAME: %[[WORKER:[a-z0-9]+]]: i32) -> i32
// CHECK: %[[FIELD:.*]] = llvm.getelementptr %{{.*}}[0, 5]
// CHECK: %[[SLOTS:.*]] = llvm.load %[[FIELD]]
// CHECK: %[[OWN:.*]] = llvm.getelementptr %[[SLOTS]][%[[WORKER]]]
// CHECK: %[[RESULT:.*]] = llvm.call @pick.body({{.*}}, %[[OWN]])
// CHECK: llvm.return %[[RESULT]]
func.func @pick(%a: memref<i64>, %b: memref<i64>, %n: index, %begin: index, %end: index, %slot: memref<32xi8>) -> i32
    attributes {tenon_tile.kernel = {buffers = 2, strides = 0, symbols = 1}, tenon_tile.checks} {
  %zero = arith.constant 0 : index
  %field = memref.view %slot[%zero][] : memref<32xi8> to memref<i32>
  %code = memref.load %field[] : memref<i32>
  return %code : i32
}

// Scratch is the worker's own part of what the launch has.
// CHECK-LABEL: llvm.func internal @sort.body
// CHECK-LABEL: llvm.func @sort(
// CHECK-SAME: %[[WORKER:[a-z0-9]+]]: i32) -> i32
// CHECK: %[[WIDE:.*]] = llvm.sext %[[WORKER]] : i32 to i64
// CHECK: llvm.getelementptr %{{.*}}[0, 4]
// CHECK: %[[OFFSET:.*]] = llvm.mul %[[WIDE]]
// CHECK: llvm.getelementptr %{{.*}}[0, 3]
// CHECK: %[[OWN:.*]] = llvm.getelementptr %{{.*}}[%[[OFFSET]]] {{.*}}, i8
// CHECK: llvm.call @sort.body({{.*}}, %[[OWN]])
func.func @sort(%a: memref<f32>, %begin: index, %end: index, %scratch: memref<i8>)
    attributes {tenon_tile.kernel = {buffers = 1, strides = 0, symbols = 0}, tenon_tile.scratch} {
  %x = memref.load %scratch[] : memref<i8>
  return
}

// bf16 is widened by integer arithmetic, each operation rounds.
// CHECK-LABEL: llvm.func internal @scale_bf16.body
// CHECK: llvm.shl
// CHECK: llvm.fmul {{.*}} : vector<16xf32>
// CHECK-NOT: llvm.fptrunc
func.func @scale_bf16(%a: memref<bf16>, %begin: index, %end: index)
    attributes {tenon_tile.kernel = {buffers = 1, strides = 0, symbols = 0}} {
  %step = arith.constant 16 : index
  %x = memref.reinterpret_cast %a to offset: [0], sizes: [%end], strides: [1] : memref<bf16> to memref<?xbf16>
  scf.for %i = %begin to %end step %step {
    %u = vector.load %x[%i] : memref<?xbf16>, vector<16xbf16>
    %v = arith.mulf %u, %u : vector<16xbf16>
    vector.store %v, %x[%i] : memref<?xbf16>, vector<16xbf16>
  }
  return
}
