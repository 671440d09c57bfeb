// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-convert-narrow-masks)" | FileCheck %s

// CHECK-LABEL: llvm.func @copy
// CHECK: %[[LOADED:.*]] = llvm.intr.masked.load %{{.*}} : (!llvm.ptr, vector<8xi1>, vector<8xi16>) -> vector<8xi16>
// CHECK: %[[NUMBERS:.*]] = llvm.bitcast %[[LOADED]] : vector<8xi16> to vector<8xbf16>
// CHECK: %[[BITS:.*]] = llvm.bitcast %[[NUMBERS]] : vector<8xbf16> to vector<8xi16>
// CHECK: llvm.intr.masked.store %[[BITS]], %{{.*}} : vector<8xi16>, vector<8xi1> into !llvm.ptr
llvm.func @copy(%from: !llvm.ptr, %to: !llvm.ptr, %mask: vector<8xi1>, %other: vector<8xbf16>) {
  %x = llvm.intr.masked.load %from, %mask, %other {alignment = 2 : i32} : (!llvm.ptr, vector<8xi1>, vector<8xbf16>) -> vector<8xbf16>
  llvm.intr.masked.store %x, %to, %mask {alignment = 2 : i32} : vector<8xbf16>, vector<8xi1> into !llvm.ptr
  llvm.return
}

// CHECK-LABEL: llvm.func @wide
// CHECK-NOT: llvm.bitcast
llvm.func @wide(%to: !llvm.ptr, %mask: vector<8xi1>, %x: vector<8xf32>) {
  llvm.intr.masked.store %x, %to, %mask {alignment = 4 : i32} : vector<8xf32>, vector<8xi1> into !llvm.ptr
  llvm.return
}
