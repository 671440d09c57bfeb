// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-convert-narrow-moves)" | FileCheck %s

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

// CHECK-LABEL: llvm.func @elements
// CHECK: %[[X:.*]] = llvm.bitcast %{{.*}} : bf16 to i16
// CHECK: llvm.insertelement %[[X]], %{{.*}} : vector<8xi16>
// CHECK: llvm.shufflevector %{{.*}}, %{{.*}} [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xi16>
// CHECK: llvm.extractelement %{{.*}} : vector<8xi16>
// CHECK: llvm.bitcast %{{.*}} : i16 to bf16
llvm.func @elements(%x: bf16, %i: i64) -> bf16 {
  %none = llvm.mlir.poison : vector<8xbf16>
  %first = llvm.insertelement %x, %none[%i : i64] : vector<8xbf16>
  %all = llvm.shufflevector %first, %none [0, 0, 0, 0, 0, 0, 0, 0] : vector<8xbf16>
  %y = llvm.extractelement %all[%i : i64] : vector<8xbf16>
  llvm.return %y : bf16
}

// CHECK-LABEL: llvm.func @branches
// CHECK: %[[LOADED:.*]] = llvm.load %{{.*}} : !llvm.ptr -> vector<8xi16>
// CHECK: llvm.cond_br %{{.*}}, ^[[END:.*]](%{{.*}} : vector<8xi16>), ^{{.*}}
// CHECK: llvm.select %{{.*}}, %{{.*}}, %{{.*}} : vector<8xi1>, vector<8xi16>
// CHECK: llvm.br ^[[END]](%{{.*}} : vector<8xi16>)
// CHECK: ^[[END]](%{{.*}}: vector<8xi16>):
// CHECK: llvm.store %{{.*}} : vector<8xi16>, !llvm.ptr
llvm.func @branches(%from: !llvm.ptr, %to: !llvm.ptr, %c: i1, %mask: vector<8xi1>, %other: vector<8xbf16>) {
  %x = llvm.load %from : !llvm.ptr -> vector<8xbf16>
  llvm.cond_br %c, ^end(%x : vector<8xbf16>), ^choose
^choose:
  %y = llvm.select %mask, %x, %other : vector<8xi1>, vector<8xbf16>
  llvm.br ^end(%y : vector<8xbf16>)
^end(%z: vector<8xbf16>):
  llvm.store %z, %to : vector<8xbf16>, !llvm.ptr
  llvm.return
}
