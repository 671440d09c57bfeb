// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

func.func private @k(index)

// CHECK-LABEL: func.func @placed
func.func @placed(%m: index, %o: index) {
  // CHECK: %[[H:.*]] = tenon_host.storage arena 0 sizes [%{{.*}}, 768] live [0, 2] : memref<?x768xf32>
  %h = tenon_host.storage arena 0 sizes [%m, 768] live [0, 2] : memref<?x768xf32>
  // CHECK: tenon_host.view %[[H]][%{{.*}}] sizes [%{{.*}}, 64] strides [768, 1] : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
  %v = tenon_host.view %h[%o] sizes [%m, 64] strides [768, 1] : memref<?x768xf32> -> memref<?x64xf32, strided<[768, 1], offset: ?>>
  // CHECK: tenon_host.launch @k symbols(%{{.*}}, %{{.*}}) ins(%{{.*}} : memref<?x64xf32, strided<[768, 1], offset: ?>>) outs(%[[H]] : memref<?x768xf32>)
  tenon_host.launch @k symbols(%m, %o) ins(%v : memref<?x64xf32, strided<[768, 1], offset: ?>>) outs(%h : memref<?x768xf32>)
  // CHECK: tenon_host.launch @k symbols(%{{.*}}, %{{.*}}) outs(%[[H]] : memref<?x768xf32>)
  tenon_host.launch @k symbols(%m, %o) outs(%h : memref<?x768xf32>)
  return
}

// CHECK-LABEL: func.func @checks
func.func @checks(%m: index, %n: index) {
  // CHECK: tenon_host.check_equal %arg0, %arg1 "operands differ"
  tenon_host.check_equal %m, %n "operands differ"
  // CHECK: tenon_host.check_at_most %arg0, %arg1 "reads beyond the operand"
  tenon_host.check_at_most %m, %n "reads beyond the operand"
  return
}
