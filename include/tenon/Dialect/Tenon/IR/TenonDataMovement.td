//===- TenonDataMovement.td - Ops that move elements by affine rules ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONDATAMOVEMENT
#define TENON_DIALECT_TENON_IR_TENONDATAMOVEMENT

include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_ConstantOp : Tenon_Op<"constant", [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "a tensor known at compile time";
  let description = [{
    Small constants are `dense<...>`, large ones `#tenon.blob`.

    ```mlir
    %c = tenon.constant dense<[1.0, 2.0]> : tensor<2xf32>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
  let hasVerifier = 1;
}

// An op that lists its result sizes: static ones in an attribute, dynamic ones as index operands.
class Tenon_SizedOp<string mnemonic, list<Trait> traits = []>
    : Tenon_Op<mnemonic, traits # [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
  }];
}

def Tenon_ReshapeOp : Tenon_SizedOp<"reshape"> {
  let summary = "the same elements, row by row, under other sizes";
  let description = [{
    The number of elements must agree; a difference that shows only at run time is a run-time error.

    ```mlir
    %y = tenon.reshape %x sizes [%b, 12, 64] : tensor<?x768xf32> -> tensor<?x12x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Variadic<Index>:$sizes, DenseI64ArrayAttr:$static_sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `sizes` custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` type($operand) `->` type($result)
  }];
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_BroadcastOp : Tenon_SizedOp<"broadcast"> {
  let summary = "repeats elements along new dimensions and those of size 1";
  let description = [{
    Operand dimension i becomes result dimension `dims[i]` (ascending); it must have that size or 1. All other result
    dimensions repeat the operand.

    ```mlir
    %y = tenon.broadcast %x dims [1] sizes [%b, 768] : tensor<768xf32> -> tensor<?x768xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Variadic<Index>:$sizes, DenseI64ArrayAttr:$dims,
                       DenseI64ArrayAttr:$static_sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `dims` $dims `sizes` custom<DynamicIndexList>($sizes, $static_sizes) attr-dict
    `:` type($operand) `->` type($result)
  }];
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_TransposeOp : Tenon_Op<"transpose", [Pure, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "permutes dimensions";
  let description = [{
    Result dimension i is operand dimension `permutation[i]`.

    ```mlir
    %y = tenon.transpose %x [1, 0] : tensor<?x768xf32> -> tensor<768x?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, DenseI64ArrayAttr:$permutation);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$operand $permutation attr-dict `:` type($operand) `->` type($result)";
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_SliceOp : Tenon_Op<"slice", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "every k-th element of a box";
  let description = [{
    `result[i] = operand[offsets + i * strides]`; strides may be negative or zero. All places read must lie within the
    operand.

    ```mlir
    %y = tenon.slice %x offsets [0, %o] sizes [%b, 64] strides [1, 1] : tensor<?x768xf32> -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, Variadic<Index>:$offsets, Variadic<Index>:$sizes,
                       Variadic<Index>:$strides, DenseI64ArrayAttr:$static_offsets,
                       DenseI64ArrayAttr:$static_sizes, DenseI64ArrayAttr:$static_strides);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `offsets` custom<DynamicIndexList>($offsets, $static_offsets)
    `sizes` custom<DynamicIndexList>($sizes, $static_sizes)
    `strides` custom<DynamicIndexList>($strides, $static_strides) attr-dict `:` type($operand) `->` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedOffsets() {
      return mlir::getMixedValues(getStaticOffsets(), getOffsets(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedSizes() {
      return mlir::getMixedValues(getStaticSizes(), getSizes(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedStrides() {
      return mlir::getMixedValues(getStaticStrides(), getStrides(), getContext());
    }
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_PadMode : I32EnumAttr<"PadMode", "what stands outside of the operand", [
    I32EnumAttrCase<"constant", 0>, I32EnumAttrCase<"reflect", 1>, I32EnumAttrCase<"edge", 2>,
    I32EnumAttrCase<"wrap", 3>]> {
  let cppNamespace = "::tenon";
}

def Tenon_PadOp : Tenon_Op<"pad", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "adds elements before and after each dimension";
  let description = [{
    Negative amounts crop. Outside of the operand stands `value` (a rank-0 tensor), or what `mode` says; modes that
    repeat elements expect at least one along each dimension that isn't empty afterwards.

    ```mlir
    %y = tenon.pad constant %x, %zero low [0, 1] high [0, %n] : tensor<?x8xf32>, tensor<f32> -> tensor<?x?xf32>
    ```
  }];
  let arguments = (ins Tenon_PadMode:$mode, AnyRankedTensor:$operand, AnyRankedTensor:$value, Variadic<Index>:$low,
                       Variadic<Index>:$high, DenseI64ArrayAttr:$static_low, DenseI64ArrayAttr:$static_high);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $mode $operand `,` $value `low` custom<DynamicIndexList>($low, $static_low)
    `high` custom<DynamicIndexList>($high, $static_high) attr-dict
    `:` type($operand) `,` type($value) `->` type($result)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedLow() {
      return mlir::getMixedValues(getStaticLow(), getLow(), getContext());
    }
    llvm::SmallVector<mlir::OpFoldResult> getMixedHigh() {
      return mlir::getMixedValues(getStaticHigh(), getHigh(), getContext());
    }
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_UnfoldOp : Tenon_Op<"unfold", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>,
    DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "the windows of an image, side by side";
  let description = [{
    Operand `[N, C, D1..Dn]`, result `[N, C, K1..Kn, O1..On]`: `result[n, c, k, o] = operand[n, c, o*stride + k*dilation -
    pad_low]`, zero outside of the operand; K are the `sizes` of a window, `Oi = (Di + pad_low + pad_high - dilation*(Ki -
    1) - 1) / stride + 1`. A convolution is a contraction with it.

    ```mlir
    %p = tenon.unfold %x sizes [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1]
         : tensor<1x64x56x56xf32> -> tensor<1x64x3x3x56x56xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `sizes` $sizes `strides` $strides `dilations` $dilations `pads` $pads attr-dict
    `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tenon_ConcatOp : Tenon_Op<"concat", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "joins tensors along a dimension";
  let description = [{
    ```mlir
    %y = tenon.concat %a, %b dim 1 : tensor<?x3xf32>, tensor<?x4xf32> -> tensor<?x7xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$operands, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$operands `dim` $dim attr-dict `:` type($operands) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Tenon_IotaOp : Tenon_SizedOp<"iota"> {
  let summary = "the position along a dimension";
  let description = [{
    `result[i] = i[dim]`, in the result's element type.

    ```mlir
    %y = tenon.iota dim 0 sizes [%n] : tensor<?xi64>
    ```
  }];
  let arguments = (ins Variadic<Index>:$sizes, DenseI64ArrayAttr:$static_sizes, I64Attr:$dim);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = "`dim` $dim `sizes` custom<DynamicIndexList>($sizes, $static_sizes) attr-dict `:` type($result)";
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONDATAMOVEMENT
