//===- TenonReduction.td - Reductions over dimensions and windows ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONREDUCTION
#define TENON_DIALECT_TENON_IR_TENONREDUCTION

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_ReduceOp : Tenon_Op<"reduce", [Pure, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "combines all elements along some dimensions";
  let description = [{
    The dimensions in `dims` are combined and dropped. Of no elements, `sum` is 0, `prod` 1, `min` the largest and
    `max` the least value of the type (infinities for floating point), `mean` NaN. `min` and `max` of NaN are NaN.
    `sum` and `prod` on `i1` are or and and. Integers wrap, in a `mean` before the sum is divided.

    ```mlir
    %s = tenon.reduce sum %x dims [1] : tensor<?x768xf32> -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Tenon_Combiner:$combiner, Tenon_NumberTensor:$operand, DenseI64ArrayAttr:$dims);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = "$combiner $operand `dims` $dims attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
}

def Tenon_ArgReduceOp : Tenon_Op<"arg_reduce", [Pure, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "the position of the least or largest element along a dimension";
  let description = [{
    `combiner` is `min` or `max`; of equal elements the first, or with `last` the last. NaN counts as the extreme.
    The dimension is dropped; the result is `i64`.

    ```mlir
    %i = tenon.arg_reduce max %x dim 1 : tensor<?x768xf32> -> tensor<?xi64>
    ```
  }];
  let arguments = (ins Tenon_Combiner:$combiner, Tenon_NumberTensor:$operand, I64Attr:$dim, UnitAttr:$last);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let assemblyFormat = "$combiner $operand `dim` $dim attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
}

def Tenon_WindowOp : Tenon_Op<"window", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>,
    DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "combines the elements of a sliding window, as pooling";
  let description = [{
    The last n dimensions of the operand are spatial, n the length of `sizes`. Each result element combines one
    window; places outside the operand are left out of it (`mean` divides by the places within the operand, or with
    `count_pads` by those within operand and padding). `pads` are n low then n high ones. With `ceil` the number of
    windows is rounded up, and a window that starts in the high padding is dropped. With `channels_last` one more
    dimension, the channels, follows the spatial ones.

    ```mlir
    %y = tenon.window max %x sizes [3, 3] strides [2, 2] dilations [1, 1] pads [1, 1, 1, 1]
         : tensor<1x64x112x112xf32> -> tensor<1x64x56x56xf32>
    ```
  }];
  let arguments = (ins Tenon_Combiner:$combiner, Tenon_NumberTensor:$operand, DenseI64ArrayAttr:$sizes,
                       DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
                       UnitAttr:$ceil, UnitAttr:$count_pads, UnitAttr:$channels_last);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = [{
    $combiner $operand `sizes` $sizes `strides` $strides `dilations` $dilations `pads` $pads attr-dict
    `:` type($operand) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The first spatial dimension.
    int64_t getSpatialDim() {
      return mlir::cast<mlir::RankedTensorType>(getOperand().getType()).getRank() - (int64_t)getSizes().size() -
             getChannelsLast();
    }
  }];
  let hasVerifier = 1;
}

def Tenon_ScanOp : Tenon_Op<"scan", [Pure, SameOperandsAndResultType,
    DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "combines each element with all before it along a dimension";
  let description = [{
    `result[i] = x[0] combined with .. x[i]` along `dim`; with `exclusive` up to `x[i - 1]`, beginning with what the
    combiner gives of no elements; with `reverse` from the end. The combiner is not `mean`.

    ```mlir
    %y = tenon.scan sum %x dim 1 {exclusive} : tensor<?x768xf32>
    ```
  }];
  let arguments = (ins Tenon_Combiner:$combiner, Tenon_NumberTensor:$operand, I64Attr:$dim, UnitAttr:$exclusive,
                       UnitAttr:$reverse);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = "$combiner $operand `dim` $dim attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONREDUCTION
