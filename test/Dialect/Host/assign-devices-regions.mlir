// RUN: %tenon_opt %s --pass-pipeline="builtin.module(tenon-assign-devices{rules=gpu})" | FileCheck %s

// A buffer that is named inside of a region and behind it is one on the device, too, named in both places.
// CHECK-LABEL: func.func @named_in_region
// CHECK: scf.if
// CHECK:   %[[A:.*]] = tenon_host.storage arena [[N:[0-9]+]] sizes [4] live {{.*}} : memref<4xf32, #tenon_host.device<"gpu">>
// CHECK:   tenon_host.launch @k ins(%{{.*}}) outs(%[[A]] : memref<4xf32, #tenon_host.device<"gpu">>)
// CHECK: }
// CHECK: %[[B:.*]] = tenon_host.storage arena [[N]] sizes [4] live {{.*}} : memref<4xf32, #tenon_host.device<"gpu">>
// CHECK: tenon_host.launch @k ins(%[[B]] : memref<4xf32, #tenon_host.device<"gpu">>)
func.func private @k(memref<4xf32>, memref<4xf32>)
func.func @named_in_region() -> memref<4xf32> {
  %c = tenon_host.storage input 0 sizes [] : memref<i1>
  %x = tenon_host.storage input 1 sizes [4] : memref<4xf32>
  %b = tenon_host.read_scalar %c at 0 : memref<i1> -> i1
  scf.if %b {
    %a = tenon_host.storage arena 0 sizes [4] live [0, 3] : memref<4xf32>
    tenon_host.launch @k ins(%x : memref<4xf32>) outs(%a : memref<4xf32>)
  }
  %d = tenon_host.storage arena 0 sizes [4] live [0, 3] : memref<4xf32>
  %y = tenon_host.storage output 0 sizes [4] : memref<4xf32>
  tenon_host.launch @k ins(%d : memref<4xf32>) outs(%y : memref<4xf32>)
  return %y : memref<4xf32>
}
