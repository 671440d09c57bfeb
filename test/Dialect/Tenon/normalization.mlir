// RUN: %tenon_opt %s | %tenon_opt | FileCheck %s
// RUN: %tenon_opt %s --emit-bytecode | %tenon_opt | FileCheck %s

// CHECK-LABEL: func.func @composites
func.func @composites(%x: tensor<?x128x768xf16>) -> tensor<?x128x768xf16> {
  // CHECK: tenon.softmax %{{.*}} dims [2] {log} : tensor<?x128x768xf16>
  %0 = tenon.softmax %x dims [2] {log} : tensor<?x128x768xf16>
  // CHECK: tenon.normalize %{{.*}} dims [1, 2] epsilon 1.000000e-05 {rms} : tensor<?x128x768xf16>
  %1 = tenon.normalize %0 dims [1, 2] epsilon 1.0e-5 {rms} : tensor<?x128x768xf16>
  // CHECK: tenon.gelu %{{.*}} {tanh} : tensor<?x128x768xf16>
  %2 = tenon.gelu %1 {tanh} : tensor<?x128x768xf16>
  return %2 : tensor<?x128x768xf16>
}
