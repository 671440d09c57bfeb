// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @scalars
func.func @scalars(%b: memref<2xi64>, %c: memref<i1>) -> i1 {
  // CHECK: %[[N:.*]] = tenon_host.read_scalar %{{.*}} at 1 : memref<2xi64> -> index
  %n = tenon_host.read_scalar %b at 1 : memref<2xi64> -> index
  // CHECK: tenon_host.write_scalar %[[N]] to %{{.*}} at 0 : index to memref<2xi64>
  tenon_host.write_scalar %n to %b at 0 : index to memref<2xi64>
  // CHECK: tenon_host.read_scalar %{{.*}} at 0 : memref<i1> -> i1
  %f = tenon_host.read_scalar %c at 0 : memref<i1> -> i1
  return %f : i1
}

// CHECK-LABEL: func.func @growing
func.func @growing(%n: index, %m: index) {
  // CHECK: %[[A:.*]] = tenon_host.storage growing 0 sizes [%{{.*}}, 4] : memref<?x4xf32>
  %a = tenon_host.storage growing 0 sizes [%n, 4] : memref<?x4xf32>
  %b = tenon_host.storage growing 1 sizes [%m, 4] : memref<?x4xf32>
  // CHECK: tenon_host.exchange %[[A]], %{{.*}} : memref<?x4xf32>, memref<?x4xf32>
  tenon_host.exchange %a, %b : memref<?x4xf32>, memref<?x4xf32>
  // CHECK: tenon_host.check_equal %{{.*}}, %{{.*}} "sizes differ"
  tenon_host.check_equal %n, %m "sizes differ"
  return
}
