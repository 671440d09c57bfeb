// Constants in forms are a table of their own; buffers that a kernel doesn't read are passed over.
// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-form-kernel-entries)" | FileCheck %s

// CHECK-LABEL: llvm.func @k(
// CHECK-SAME: %[[ARGS:.*]]: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i32) -> i32
// CHECK: %[[P:.*]] = llvm.getelementptr %[[ARGS]][0, 0]
// CHECK: %[[BUFFERS:.*]] = llvm.load %[[P]]
// CHECK: %[[A0:.*]] = llvm.getelementptr %[[BUFFERS]][0]
// CHECK: %[[X:.*]] = llvm.load %[[A0]]
// CHECK: %[[A2:.*]] = llvm.getelementptr %[[BUFFERS]][2]
// CHECK: %[[Y:.*]] = llvm.load %[[A2]]
// CHECK: %[[Q:.*]] = llvm.getelementptr %[[ARGS]][0, 7]
// CHECK: %[[CONSTANTS:.*]] = llvm.load %[[Q]]
// CHECK: %[[A:.*]] = llvm.getelementptr %[[CONSTANTS]][0]
// CHECK: %[[W:.*]] = llvm.load %[[A]]
// CHECK: llvm.call @k.body(%[[X]], %[[Y]], %[[W]],
llvm.func @k(%x: !llvm.ptr, %y: !llvm.ptr, %w: !llvm.ptr, %b: i64, %e: i64)
    attributes {tenon_tile.kernel = {buffers = 2 : i64, constants = 1 : i64, places = array<i64: 0, 2>, strides = 0 : i64, symbols = 0 : i64}} {
  llvm.return
}
