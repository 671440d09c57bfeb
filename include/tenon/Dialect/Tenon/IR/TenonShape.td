//===- TenonShape.td - Sizes as values ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONSHAPE
#define TENON_DIALECT_TENON_IR_TENONSHAPE

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_SymbolOp : Tenon_Op<"symbol", [Pure]> {
  let summary = "a size that is known at run time";
  let description = [{
    Symbols of one name are one size; `range` (inclusive) and `divisible` are promises that are checked on entry.

    ```mlir
    %b = tenon.symbol "batch" range [1, 64] divisible 8
    ```
  }];
  let arguments = (ins StrAttr:$name, OptionalAttr<DenseI64ArrayAttr>:$range, OptionalAttr<I64Attr>:$divisible);
  let results = (outs Index:$result);
  let assemblyFormat = "$name (`range` $range^)? (`divisible` $divisible^)? attr-dict";
  let hasVerifier = 1;
}

def Tenon_BindShapeOp : Tenon_Op<"bind_shape"> {
  let summary = "states the sizes of a graph input or of a data-dependent result";
  let description = [{
    Sizes that aren't equal at run time are an error on entry.

    ```mlir
    tenon.bind_shape %x [%b, 128] : tensor<?x128xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Variadic<Index>:$sizes, DenseI64ArrayAttr:$static_sizes);
  let assemblyFormat = "$operand custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` type($operand)";
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Tenon_SizeOp : Tenon_Op<"size", [Pure]> {
  let summary = "a size that follows from no other: of a data-dependent result";
  let description = [{
    ```mlir
    %n = tenon.size %i dim 1 : tensor<2x?xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, I64Attr:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "$operand `dim` $dim attr-dict `:` type($operand)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_FromSizesOp : Tenon_Op<"from_sizes", [Pure]> {
  let summary = "sizes as the elements of a tensor";
  let description = [{
    ```mlir
    %s = tenon.from_sizes [%b, 128] : tensor<2xi64>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, DenseI64ArrayAttr:$static_sizes);
  let results = (outs Tenon_IntegerTensor:$result);
  let assemblyFormat = "custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` type($result)";
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Tenon_ItemOp : Tenon_Op<"item", [Pure]> {
  let summary = "an element of an integer tensor as a size";
  let description = [{
    The element at row-major position `position`. Where the element follows from sizes it folds away; what is left
    reads data and ends a segment of the host program.

    ```mlir
    %n = tenon.item %t at 0 : tensor<2xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, I64Attr:$position);
  let results = (outs Index:$result);
  let assemblyFormat = "$operand `at` $position attr-dict `:` type($operand)";
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONSHAPE
