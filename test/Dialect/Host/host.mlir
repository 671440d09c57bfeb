// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

func.func private @k(index)

// CHECK-LABEL: func.func @placed
func.func @placed(%m: index, %o: index) {
  // CHECK: %[[H:.*]] = tenon_host.storage arena 0 sizes [%{{.*}}, 768] live [0, 2] : memref<?x768xf32>
  %h = tenon_host.storage arena 0 sizes [%m, 768] live [0, 2] : memref<?x768xf32>
  // CHECK: tenon_host.view %[[H]][%{{.*}}] sizes [%{{.*}}, 64] strides [768, 1] : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
  %v = tenon_host.view %h[%o] sizes [%m, 64] strides [768, 1] : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
  // CHECK: tenon_host.launch @k work %{{.*}} symbols(%{{.*}}, %{{.*}}) ins(%{{.*}} : memref<?x64xf32, strided<[768, 1], offset: ?>>) outs(%[[H]] : memref<?x768xf32>)
  tenon_host.launch @k work %m symbols(%m, %o) ins(%v : memref<?x64xf32, strided<[768, 1], offset: ?>>) outs(%h : memref<?x768xf32>)
  return
}
