// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-assign-devices{rules=tenon.exp=npu,tenon.neg=gpu})" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-assign-devices{rules=tenon.exp=npu},tenon-assign-devices{rules=tenon.neg=gpu})" | FileCheck %s
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-assign-devices{rules=npu})" | FileCheck %s --check-prefix=ALL
// RUN: %tenon_opt %s --split-input-file --pass-pipeline="builtin.module(tenon-assign-devices)" | FileCheck %s --check-prefix=NONE

// NONE-NOT: submit
// NONE-NOT: #tenon_host.device

tenon_tile.kernel @exp(%x: tensor<4xf32>, %w: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
tenon_tile.kernel @neg(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.neg %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
tenon_tile.kernel @abs(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.abs %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// Two devices with the host between them, then from device to device; what is there isn't copied again.
// CHECK-LABEL: func.func @kernels_by_operation
// CHECK: %[[X:.*]] = tenon_host.storage input 0
// CHECK: %[[XD:.*]] = tenon_host.storage arena {{.*}} live [{{.*}}] : memref<4xf32, #tenon_host.device<"npu">>
// CHECK-NOT: constant 0 {{.*}}: memref<4xf32>{{$}}
// CHECK: %[[WD:.*]] = tenon_host.storage constant 0 sizes [4] value({{.*}}) : memref<4xf32, #tenon_host.device<"npu">>
// CHECK: %[[A:.*]] = tenon_host.storage arena 0 sizes [4] live [0, 1] : memref<4xf32>
// CHECK: %[[AD:.*]] = tenon_host.storage arena {{.*}} : memref<4xf32, #tenon_host.device<"npu">>
// CHECK: copy %[[X]] to %[[XD]]
// CHECK: launch @exp ins(%[[XD]], %[[WD]] {{.*}}) outs(%[[AD]]
// CHECK: copy %[[AD]] to %[[A]]
// CHECK-NEXT: launch @abs ins(%[[A]] : memref<4xf32>) outs(%[[B:.*]] : memref<4xf32>)
// CHECK: copy %[[B]] to %[[BG:.*]] :
// CHECK: launch @neg ins(%[[BG]] {{.*}}) outs(%[[CG:.*]] : memref<4xf32, #tenon_host.device<"gpu">>)
// CHECK: copy %[[CG]] to %[[C:.*]] :
// CHECK: copy %[[C]] to %[[CN:.*]] :
// CHECK: launch @exp ins(%[[CN]], %[[WD]] {{.*}}) outs(%[[YD:.*]] : memref<4xf32, #tenon_host.device<"npu">>)
// CHECK: copy %[[YD]] to %[[Y:.*]] : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32>
// CHECK-NEXT: return %[[Y]]

// All on one: copied in once, out once.
// ALL-LABEL: func.func @kernels_by_operation
// ALL-NOT: tenon_host.storage arena {{.*}} : memref<4xf32>{{$}}
// ALL-COUNT-1: tenon_host.copy %{{.*}} : memref<4xf32> to memref<4xf32, #tenon_host.device<"npu">>
// ALL-COUNT-4: tenon_host.launch
// ALL-COUNT-1: tenon_host.copy %{{.*}} : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32>
// ALL: return
func.func @kernels_by_operation() -> memref<4xf32> {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %w = tenon_host.storage constant 3 sizes [4] value(dense<1.0> : tensor<4xf32>) : memref<4xf32>
  %a = tenon_host.storage arena 0 sizes [4] live [0, 1] : memref<4xf32>
  tenon_host.launch @exp ins(%x, %w : memref<4xf32>, memref<4xf32>) outs(%a : memref<4xf32>)
  %b = tenon_host.storage arena 1 sizes [4] live [1, 2] : memref<4xf32>
  tenon_host.launch @abs ins(%a : memref<4xf32>) outs(%b : memref<4xf32>)
  %c = tenon_host.storage arena 2 sizes [4] live [2, 3] : memref<4xf32>
  tenon_host.launch @neg ins(%b : memref<4xf32>) outs(%c : memref<4xf32>)
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  tenon_host.launch @exp ins(%c, %w : memref<4xf32>, memref<4xf32>) outs(%y : memref<4xf32>)
  return %y : memref<4xf32>
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// Parts of a buffer, and copies between buffers that only launches of one device use, are on the device. The host reads
// and writes single numbers of it.
// CHECK-LABEL: func.func @parts
// CHECK: %[[D:.*]] = tenon_host.storage arena 2 {{.*}} : memref<?x4xf32, #tenon_host.device<"npu">>
// CHECK: %[[V:.*]] = tenon_host.view %[[D]][0] sizes [4] strides [1] : memref<?x4xf32, #tenon_host.device<"npu">> -> memref<4xf32, #tenon_host.device<"npu">>
// CHECK: tenon_host.launch @exp {{.*}} outs(%[[V]] :
// CHECK: tenon_host.copy %[[V]] to %{{.*}} : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32, #tenon_host.device<"npu">>
// CHECK: %[[E:.*]] = tenon_host.view %[[D]][2] sizes [] strides []
// CHECK: %[[R:.*]] = tenon_host.storage arena {{.*}} sizes [] : memref<f32>
// CHECK: tenon_host.copy %[[E]] to %[[R]]
// CHECK-NEXT: %[[I:.*]] = tenon_host.read_scalar %[[R]] at 0
// CHECK: %[[E:.*]] = tenon_host.view %[[D]][3] sizes [] strides []
// CHECK: tenon_host.write_scalar %[[I]] to %[[W:.*]] at 0
// CHECK-NEXT: tenon_host.copy %[[W]] to %[[E]]
// CHECK: tenon_host.launch @exp ins(%[[V]] :
func.func @parts() -> memref<4xf32> {
  %m = tenon.symbol "m"
  %x = tenon_host.storage input 0 sizes [%m, 4] : memref<?x4xf32>
  %h = tenon_host.storage arena 0 sizes [%m, 4] live [0, 9] : memref<?x4xf32>
  %v = tenon_host.view %h[0] sizes [4] strides [1] : memref<?x4xf32> -> memref<4xf32>
  %xv = tenon_host.view %x[0] sizes [4] strides [1] : memref<?x4xf32> -> memref<4xf32>
  tenon_host.launch @exp ins(%xv : memref<4xf32>) outs(%v : memref<4xf32>)
  %r = tenon_host.view %h[4] sizes [4] strides [1] : memref<?x4xf32> -> memref<4xf32>
  tenon_host.copy %v to %r : memref<4xf32> to memref<4xf32>
  %i = tenon_host.read_scalar %h at 2 : memref<?x4xf32> -> index
  tenon_host.write_scalar %i to %h at 3 : index to memref<?x4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  tenon_host.launch @exp ins(%v : memref<4xf32>) outs(%y : memref<4xf32>)
  return %y : memref<4xf32>
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}
tenon_tile.kernel @abs(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.abs %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// The host writes a part of what the device wrote: it needs the other parts first, and the device all of it again.
// CHECK-LABEL: func.func @parts_of_two
// CHECK: tenon_host.launch @exp {{.*}} outs(%[[D:.*]] : memref<2x4xf32, #tenon_host.device<"npu">>)
// CHECK-NEXT: tenon_host.copy %[[D]] to %[[H:.*]] : memref<2x4xf32, #tenon_host.device<"npu">> to memref<2x4xf32>
// CHECK-NEXT: tenon_host.launch @abs ins(%{{.*}} : memref<4xf32>) outs(%{{.*}} : memref<4xf32>)
// CHECK-NEXT: tenon_host.copy %[[H]] to %[[D]]
// CHECK-NEXT: tenon_host.launch @exp ins(%[[D]] :
// What both have isn't copied.
// CHECK-NEXT: tenon_host.launch @abs ins(%[[H]] :
func.func @parts_of_two() {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %h = tenon_host.storage arena 0 sizes [2, 4] : memref<2x4xf32>
  %v = tenon_host.view %h[4] sizes [4] strides [1] : memref<2x4xf32> -> memref<4xf32>
  %a = tenon_host.storage arena 1 sizes [4] : memref<4xf32>
  %b = tenon_host.storage arena 2 sizes [4] : memref<4xf32>
  tenon_host.launch @exp ins(%x : memref<4xf32>) outs(%h : memref<2x4xf32>)
  tenon_host.launch @abs ins(%x : memref<4xf32>) outs(%v : memref<4xf32>)
  tenon_host.launch @exp ins(%h : memref<2x4xf32>) outs(%a : memref<4xf32>)
  tenon_host.launch @abs ins(%h : memref<2x4xf32>) outs(%b : memref<4xf32>)
  return
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// A loop: what only the device uses stays there over all iterations; what both write is with the host where an
// iteration starts and ends.
// CHECK-LABEL: func.func @loop
// CHECK: %[[F:.*]] = tenon_host.storage arena 1 sizes [] : memref<i1>
// CHECK: tenon_host.copy %{{.*}} : memref<4xf32> to memref<4xf32, #tenon_host.device<"npu">>
// CHECK: scf.while
// CHECK-NOT: memref<4xf32> to memref<4xf32, #tenon_host.device<"npu">>
// CHECK: do
// CHECK: tenon_host.launch @exp
// CHECK-NOT: tenon_host.copy {{.*}} memref<4xf32>{{$}}
// CHECK: tenon_host.read_scalar %[[F]]
// CHECK: scf.yield
// CHECK: tenon_host.copy %{{.*}} : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32>
func.func @loop() -> memref<4xf32> {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  %a = tenon_host.storage arena 0 sizes [4] : memref<4xf32>
  %f = tenon_host.storage arena 1 sizes [] : memref<i1>
  tenon_host.copy %x to %y : memref<4xf32> to memref<4xf32>
  %t = arith.constant true
  scf.while (%go = %t) : (i1) -> () {
    scf.condition(%go)
  } do {
    tenon_host.launch @exp ins(%y : memref<4xf32>) outs(%a : memref<4xf32>)
    tenon_host.copy %a to %y : memref<4xf32> to memref<4xf32>
    %go = tenon_host.read_scalar %f at 0 : memref<i1> -> i1
    scf.yield %go : i1
  }
  return %y : memref<4xf32>
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// An output that is returned under other sizes is copied under those that it was written with.
// CHECK-LABEL: func.func @reshaped_output
// CHECK: tenon_host.copy %{{.*}} to %{{.*}} : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32>
// CHECK: return %{{.*}} : memref<2x2xf32>
func.func @reshaped_output() -> memref<2x2xf32> {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  tenon_host.launch @exp ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  %z = tenon_host.storage output 0 sizes [2, 2] : memref<2x2xf32>
  return %z : memref<2x2xf32>
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// A buffer that is placed within a branch is known nowhere else, and its copy isn't either.
// CHECK-LABEL: func.func @placed_inside
// CHECK: tenon_host.copy %{{.*}} : memref<4xf32> to memref<4xf32, #tenon_host.device<"npu">>
// CHECK-NEXT: scf.if
// CHECK-NOT: tenon_host.storage arena {{.*}} : memref<4xf32>{{$}}
// CHECK: %[[D:.*]] = tenon_host.storage arena {{.*}} : memref<4xf32, #tenon_host.device<"npu">>
// CHECK: tenon_host.launch @exp {{.*}} outs(%[[D]] :
// CHECK: tenon_host.launch @exp ins(%[[D]] : {{.*}}) outs(%[[Y:.*]] :
// CHECK-NEXT: }
// CHECK-NEXT: tenon_host.copy %[[Y]] to
func.func @placed_inside(%f: i1) -> memref<4xf32> {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  scf.if %f {
    %a = tenon_host.storage arena 0 sizes [4] : memref<4xf32>
    tenon_host.launch @exp ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
    tenon_host.launch @exp ins(%a : memref<4xf32>) outs(%y : memref<4xf32>)
  }
  return %y : memref<4xf32>
}

// -----

tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = tenon.exp %x : tensor<4xf32>
  tenon_tile.yield %y : tensor<4xf32>
}

// A buffer that grows stays with the host, and so does the kernel that writes it; the one before it goes.
// CHECK-LABEL: func.func @growing
// CHECK: scf.if
// CHECK: tenon_host.launch @exp {{.*}} outs(%[[D:.*]] : memref<4xf32, #tenon_host.device<"npu">>)
// CHECK: tenon_host.copy %[[D]] to %[[A:.*]] : memref<4xf32, #tenon_host.device<"npu">> to memref<4xf32>
// CHECK: tenon_host.launch @exp ins(%[[A]] : memref<4xf32>) outs(%[[G:.*]] : memref<4xf32>)
// CHECK-NOT: growing {{.*}}device
func.func @growing(%f: i1) -> memref<4xf32> {
  %x = tenon_host.storage input 0 sizes [4] : memref<4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  scf.if %f {
    %a = tenon_host.storage arena 0 sizes [4] : memref<4xf32>
    %g = tenon_host.storage growing 0 sizes [4] : memref<4xf32>
    tenon_host.launch @exp ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
    tenon_host.launch @exp ins(%a : memref<4xf32>) outs(%g : memref<4xf32>)
    tenon_host.copy %g to %y : memref<4xf32> to memref<4xf32>
  }
  return %y : memref<4xf32>
}
