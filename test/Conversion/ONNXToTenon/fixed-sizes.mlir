// RUN: %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon{sizes=batch=2,x_1=3})" | FileCheck %s
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon{sizes=rows=2})" 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon{sizes=batch})" 2>&1 | FileCheck %s --check-prefix=FORM
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon{sizes=batch=-1})" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon{sizes=batch=1,batch=2})" 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not %tenon_opt %s --pass-pipeline="builtin.module(convert-onnx-to-tenon,convert-onnx-to-tenon{sizes=batch=1})" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GRAPH

// Sizes that are fixed are no symbols, by whichever input has them.
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: tensor<2x3x?xf32>
// CHECK-SAME: %[[Y:.*]]: tensor<2x1x?xf32>
// CHECK: %[[DEPTH:.*]] = tenon.symbol "depth"
// CHECK-NOT: tenon.symbol
// CHECK: tenon.bind_shape %[[X]] [2, 3, %[[DEPTH]]]
// CHECK: tenon.add {{.*}} : tensor<2x3x?xf32>

// UNKNOWN: error: no size of the inputs that is known at run time only is named 'rows', these are: 'batch' (dimension 0 of 'x'), 'x_1' (dimension 1 of 'x'), 'depth' (dimension
// FORM: error: a size is given as NAME=N, not 'batch'
// NEGATIVE: error: a size is given as NAME=N, not 'batch=-1'
// TWICE: error: size 'batch' is given twice, as 1 and 2
// GRAPH: error: sizes are fixed where nodes of a model are converted, but the module has none
func.func @main(%x: tensor<?x?x?xf32> {tenon.name = "x", tenon.dims = ["batch", "", "depth"]},
                %y: tensor<?x1x?xf32> {tenon.name = "y", tenon.dims = ["batch", "", "depth"]}) -> !tenon_onnx.unknown {
  %0 = tenon_onnx.node "Add" version 14 (%x, %y) {} : (tensor<?x?x?xf32>, tensor<?x1x?xf32>) -> !tenon_onnx.unknown
  return %0 : !tenon_onnx.unknown
}
