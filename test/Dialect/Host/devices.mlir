// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-assign-devices{device=gpu}))" | FileCheck %s --check-prefix=DEVICE
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-assign-devices{device=gpu},tenon-insert-tokens))" | FileCheck %s --check-prefix=TOKEN
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(func.func(tenon-assign-devices,tenon-insert-tokens))" | FileCheck %s --check-prefix=CPU

// Without a device there are no tokens.
// CPU-NOT: async
// CPU-NOT: device

func.func private @k()

// Two branches: the second one waits for its input only; their sum waits for both.
// DEVICE-LABEL: func.func @branches
// DEVICE:         %[[X:.*]] = tenon_host.storage input 0
// DEVICE:         %[[DX:.*]] = tenon_host.storage arena 2 sizes [4] : memref<4xf32, #tenon_host.device<"gpu">>
// DEVICE-NEXT:    tenon_host.copy %[[X]] to %[[DX]]
// DEVICE:         %[[A:.*]] = tenon_host.storage arena 0 sizes [4] live [0, 2] : memref<4xf32, #tenon_host.device<"gpu">>
// DEVICE:         %[[Y:.*]] = tenon_host.storage output 0
// DEVICE:         %[[DY:.*]] = tenon_host.storage arena 3
// DEVICE:         tenon_host.launch @k ins(%[[DX]] : {{.*}}) outs(%[[A]] : {{.*}})
// DEVICE:         tenon_host.launch @k ins(%[[A]], %{{.*}} : {{.*}}) outs(%[[DY]] : {{.*}})
// DEVICE-NEXT:    tenon_host.copy %[[DY]] to %[[Y]]
// DEVICE-NEXT:    return %[[Y]]

// TOKEN-LABEL: func.func @branches
// TOKEN:         %[[T0:.*]] = tenon_host.async {
// TOKEN-NEXT:      tenon_host.copy
// TOKEN:         %[[T1:.*]] = tenon_host.async after(%[[T0]]) {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         %[[T2:.*]] = tenon_host.async after(%[[T0]]) {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         %[[T3:.*]] = tenon_host.async after(%[[T1]], %[[T2]]) {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         %[[T4:.*]] = tenon_host.async after(%[[T3]], %[[T0]]) {
// TOKEN-NEXT:      tenon_host.copy
// TOKEN:         tenon_host.await %[[T4]]
// TOKEN-NEXT:    return
func.func @branches() -> memref<4xf32> {
  %x = tenon_host.storage input 0 "x" sizes [4] : memref<4xf32>
  %a = tenon_host.storage arena 0 sizes [4] live [0, 2] : memref<4xf32>
  %b = tenon_host.storage arena 1 sizes [4] live [1, 2] : memref<4xf32>
  %y = tenon_host.storage output 0 "y" sizes [4] : memref<4xf32>
  tenon_host.launch @k ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  tenon_host.launch @k ins(%x : memref<4xf32>) outs(%b : memref<4xf32>)
  tenon_host.launch @k ins(%a, %b : memref<4xf32>, memref<4xf32>) outs(%y : memref<4xf32>)
  return %y : memref<4xf32>
}

// -----

func.func private @k()

// Bytes that are used again are waited for, though no data flows: the arena gives the second buffer the first one's place.
// TOKEN-LABEL: func.func @shared_bytes
// TOKEN:         %[[T0:.*]] = tenon_host.async {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         tenon_host.async after(%[[T0]]) {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         tenon_host.async {
// TOKEN-NEXT:      tenon_host.launch
func.func @shared_bytes() {
  %a = tenon_host.storage arena 0 sizes [4] live [0, 0] : memref<4xf32>
  %b = tenon_host.storage arena 1 sizes [4] live [1, 2] : memref<4xf32>
  %c = tenon_host.storage arena 2 sizes [4] live [0, 2] : memref<4xf32>
  tenon_host.launch @k outs(%a : memref<4xf32>)
  tenon_host.launch @k outs(%b : memref<4xf32>)
  tenon_host.launch @k outs(%c : memref<4xf32>)
  return
}

// -----

func.func private @k()

// A number that the program reads is copied to the host and waited for; a branch starts and ends with nothing under way.
// DEVICE-LABEL: func.func @numbers
// DEVICE:         %[[VIEW:.*]] = tenon_host.view %{{.*}}[3] sizes [] strides []
// DEVICE:         %[[HOST:.*]] = tenon_host.storage arena 1 sizes [] : memref<i64>
// DEVICE:         tenon_host.copy %[[VIEW]] to %[[HOST]]
// DEVICE:         tenon_host.read_scalar %[[HOST]] at 0

// TOKEN-LABEL: func.func @numbers
// TOKEN:         %[[T0:.*]] = tenon_host.async {
// TOKEN-NEXT:      tenon_host.launch
// TOKEN:         %[[T1:.*]] = tenon_host.async after(%[[T0]]) {
// TOKEN-NEXT:      tenon_host.copy
// TOKEN:         tenon_host.await %[[T1]]
// TOKEN-NEXT:    tenon_host.read_scalar
// TOKEN:         scf.if
// TOKEN:           %[[T2:.*]] = tenon_host.async {
// TOKEN:           tenon_host.await %[[T2]]
// TOKEN-NEXT:    }
func.func @numbers() {
  %a = tenon_host.storage arena 0 sizes [4] live [0, 2] : memref<4xi64>
  tenon_host.launch @k outs(%a : memref<4xi64>)
  %n = tenon_host.read_scalar %a at 3 : memref<4xi64> -> i1
  scf.if %n {
    tenon_host.launch @k outs(%a : memref<4xi64>)
  }
  return
}
