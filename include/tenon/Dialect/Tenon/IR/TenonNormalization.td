//===- TenonNormalization.td - Composites that normalise or activate ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONNORMALIZATION
#define TENON_DIALECT_TENON_IR_TENONNORMALIZATION

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

class Tenon_CompositeOp<string mnemonic, list<Trait> traits = []>
    : Tenon_Op<mnemonic, traits # [Pure, DeclareOpInterfaceMethods<Tenon_DecomposableInterface>,
                                   DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]>;

def Tenon_SoftmaxOp : Tenon_CompositeOp<"softmax", [SameOperandsAndResultType]> {
  let summary = "e^(x - max) / sum, along the dimensions";
  let description = [{
    `result = e^(x - m) / sum(e^(x - m))` with m the largest element, both along `dims`; with `log` its logarithm,
    `x - m - ln(sum)`.

    ```mlir
    %p = tenon.softmax %x dims [2] : tensor<?x12x128xf32>
    ```
  }];
  let arguments = (ins Tenon_FloatTensor:$operand, DenseI64ArrayAttr:$dims, UnitAttr:$log);
  let results = (outs Tenon_FloatTensor:$result);
  let assemblyFormat = "$operand `dims` $dims attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tenon_NormalizeOp : Tenon_CompositeOp<"normalize", [AllTypesMatch<["operand", "result"]>]> {
  let summary = "(x - mean) / sqrt(variance + epsilon), along the dimensions";
  let description = [{
    `(x - mean) / sqrt(mean((x - mean)^2) + epsilon)` with means along `dims`: the core of layer, instance and group
    normalisation; with `rms` the mean is not subtracted: `x / sqrt(mean(x^2) + epsilon)`. Scale and bias are
    elementwise ops on the result. Squares are added in the element's type, or f32 for narrower ones: f32 and bf16
    elements up to 1e34 / sqrt(n) are normalised whatever their squares are where epsilon is 1e-5 or more, up to
    1e31 / sqrt(n) with 1e-12 and 1e19 / sqrt(n) without one.

    ```mlir
    %y = tenon.normalize %x dims [2] epsilon 1.0e-5 : tensor<?x128x768xf32>
    ```
  }];
  let arguments = (ins Tenon_FloatTensor:$operand, DenseI64ArrayAttr:$dims, F64Attr:$epsilon, UnitAttr:$rms);
  let results = (outs Tenon_FloatTensor:$result);
  let assemblyFormat = "$operand `dims` $dims `epsilon` $epsilon attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tenon_GeluOp : Tenon_CompositeOp<"gelu", [Elementwise, SameOperandsAndResultType]> {
  let summary = "x * Phi(x)";
  let description = [{
    `x / 2 * (1 + erf(x / sqrt(2)))`; with `tanh` the approximation `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 *
    x^3)))` (Hendrycks and Gimpel, 2016).

    ```mlir
    %y = tenon.gelu %x : tensor<?x3072xf32>
    ```
  }];
  let arguments = (ins Tenon_FloatTensor:$operand, UnitAttr:$tanh);
  let results = (outs Tenon_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($result)";
}

#endif // TENON_DIALECT_TENON_IR_TENONNORMALIZATION
