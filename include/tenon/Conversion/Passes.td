//===- Passes.td - From one level to the next ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CONVERSION_PASSES
#define TENON_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertONNXToTenonPass : Pass<"convert-onnx-to-tenon", "::mlir::ModuleOp"> {
  let summary = "Convert the nodes of an ONNX model to the graph dialect";
  let description = [{
    From level 0 to level 1. Nodes are converted in order, each by the rule of its operator at its version; result
    types follow from operand types. Every distinct name in the arguments' `tenon.dims` becomes a `tenon.symbol`, a
    size without a name one of its own, `<input>_<dim>`; `tenon.bind_shape` ties them to the arguments.

    Broadcasting is made explicit. Of two sizes that aren't known to be equal, a static one other than 1 is the
    result's, and the other operand goes through `tenon.broadcast`; of two dynamic ones the result has `a == 1 ? b : a`,
    so that sizes that don't fit are a run-time error. Arithmetic on shapes becomes expressions of sizes; a size that
    is read from data is `tenon.item`. In `Slice`, literal bounds and bounds from data are clamped as ONNX says; bounds
    that are expressions of sizes are taken to lie within the operand, which `tenon.slice` checks.

    Where the branches of an `If` differ in the rank of a result, what follows them becomes part of them, up to where
    ranks agree again. A branch that ONNX gives no meaning to what follows is refused at run time, by a `cf.assert` that
    the condition chooses the other one.

    Integers that follow from constants, by whatever operators, are computed as they are read.

    Option `sizes` gives symbols a value, so that these sizes are known when compiling. A name that no size of the inputs
    has is an error.

    What a model states of result types is a hint: where the operators refute it there is a warning. Nodes that can't be
    converted are all reported, each at its location; nodes that depend on them stay silent.

    Before:
    ```mlir
    %y = tenon_onnx.node "Add" version 17 (%x, %b) {} : (tensor<?x8xf32>, tensor<8xf32>) -> !tenon_onnx.unknown
    ```
    After:
    ```mlir
    %0 = tenon.broadcast %b dims [1] sizes [%batch, 8] : tensor<8xf32> -> tensor<?x8xf32>
    %y = tenon.add %x, %0 : tensor<?x8xf32>
    ```
  }];
  let constructor = "::tenon::createConvertONNXToTenonPass()";
  let options = [ListOption<"sizes", "sizes", "std::string",
                            "Sizes of inputs that are fixed, each as NAME=N with the name of its symbol">];
  let dependentDialects = ["::mlir::cf::ControlFlowDialect", "::tenon::TenonDialect"];
}

#endif // TENON_CONVERSION_PASSES
