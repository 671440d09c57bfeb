//===- TenonIndexing.td - Ops that read or write places given by data ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONINDEXING
#define TENON_DIALECT_TENON_IR_TENONINDEXING

include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_IndexMode : I32EnumAttr<"IndexMode", "what an index out of range does", [
    I32EnumAttrCase<"error", 0>, I32EnumAttrCase<"clamp", 1>, I32EnumAttrCase<"wrap", 2>,
    I32EnumAttrCase<"drop", 3>]> {
  let cppNamespace = "::tenon";
}

def Tenon_GatherOp : Tenon_Op<"gather", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "slices of the operand at the places in the indices";
  let description = [{
    The last dimension of `indices` holds one position for each operand dimension in `dims`. The first `batch_dims`
    dimensions of operand and indices run together. The result has the batch dimensions, the other dimensions of
    `indices` but the last, then the dimensions of the operand that are neither batch nor in `dims`. Negative
    positions count from the end. A position out of range is a run-time error (`error`), is moved to the nearest
    place (`clamp`) or taken modulo the size (`wrap`).

    ```mlir
    %y = tenon.gather error %x, %i dims [0] batch_dims 0 : tensor<30522x768xf32>, tensor<?x1xi64> -> tensor<?x768xf32>
    ```
  }];
  let arguments = (ins Tenon_IndexMode:$mode, AnyRankedTensor:$operand, Tenon_IntegerTensor:$indices,
                       DenseI64ArrayAttr:$dims, I64Attr:$batch_dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $mode $operand `,` $indices `dims` $dims `batch_dims` $batch_dims attr-dict
    `:` type($operand) `,` type($indices) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tenon_ScatterOp : Tenon_Op<"scatter", [Pure, AllTypesMatch<["operand", "result"]>,
    DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "the operand with other slices at the places in the indices";
  let description = [{
    Positions, `dims` and `batch_dims` are those of `tenon.gather`; `updates` has the shape that a gather at these
    positions gives. Each slice of it takes the place of the operand's, or with a combiner (not `mean`) is combined
    with what is there. Slices are written in row-major order of the indices, so that of equal positions the last one
    stays. A position out of range is a run-time error (`error`), is moved to the nearest place (`clamp`), taken modulo
    the size (`wrap`) or its slice is left out (`drop`).

    ```mlir
    %y = tenon.scatter error sum %x, %i, %u dims [0] batch_dims 0
         : tensor<8x768xf32>, tensor<?x1xi64>, tensor<?x768xf32>
    ```
  }];
  let arguments = (ins Tenon_IndexMode:$mode, OptionalAttr<Tenon_Combiner>:$combiner, AnyRankedTensor:$operand,
                       Tenon_IntegerTensor:$indices, AnyRankedTensor:$updates, DenseI64ArrayAttr:$dims,
                       I64Attr:$batch_dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $mode ($combiner^)? $operand `,` $indices `,` $updates `dims` $dims `batch_dims` $batch_dims attr-dict
    `:` type($operand) `,` type($indices) `,` type($updates)
  }];
  let hasVerifier = 1;
}

def Tenon_TopKOp : Tenon_Op<"topk", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "the k largest elements along a dimension and where they are";
  let description = [{
    Largest first; with `smallest` the least elements, least first. Of equal elements the first comes first. NaN counts
    as larger than all numbers. A k above the size is a run-time error.

    ```mlir
    %values, %indices = tenon.topk %x dim 1 k [8] : tensor<?x768xf32> -> tensor<?x8xf32>, tensor<?x8xi64>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$operand, I64Attr:$dim, Variadic<Index>:$k, DenseI64ArrayAttr:$static_k,
                       UnitAttr:$smallest);
  let results = (outs Tenon_NumberTensor:$values, RankedTensorOf<[I64]>:$indices);
  let assemblyFormat = [{
    $operand `dim` $dim `k` custom<DynamicIndexList>($k, $static_k) attr-dict
    `:` type($operand) `->` type($values) `,` type($indices)
  }];
  let extraClassDeclaration = [{
    llvm::SmallVector<mlir::OpFoldResult> getMixedK() {
      return mlir::getMixedValues(getStaticK(), getK(), getContext());
    }
  }];
  let hasVerifier = 1;
}

def Tenon_NonZeroOp : Tenon_Op<"nonzero", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "positions of the elements that are not zero";
  let description = [{
    One column per such element, in row-major order, one row per dimension; how many there are depends on data. `count`
    is their number where it has been found before.

    ```mlir
    %i = tenon.nonzero %x : tensor<?x4xf32> -> tensor<2x?xi64>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$operand, Optional<Index>:$count);
  let results = (outs RankedTensorOf<[I64]>:$result);
  let assemblyFormat = "$operand (`count` $count^)? attr-dict `:` type($operand) `->` type($result)";
  let builders = [OpBuilder<(ins "::mlir::Type":$result, "::mlir::Value":$operand), [{
    build($_builder, $_state, result, operand, ::mlir::Value());
  }]>];
}

def Tenon_SuppressOp : Tenon_Op<"suppress", [Pure, AllTypesMatch<["candidates", "result"]>,
    AllElementTypesMatch<["boxes", "threshold"]>, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "which boxes are kept: those that overlap none kept before them";
  let description = [{
    Goes through the boxes along the last dimension in order. A candidate is kept unless `most` are, or it overlaps one
    that is kept by more than `threshold`: what both cover, as a part of what at least one does. Where one of them
    covers nothing there is no overlap. `candidates` is `[D.., N]`, `boxes` is `[D.., 4, N]`: the low places along two
    axes, then the high ones.

    ```mlir
    %kept = tenon.suppress %candidates, %boxes threshold %t most %n
            : tensor<80x?xi1>, tensor<80x4x?xf32>, tensor<f32>, tensor<i64>
    ```
  }];
  let arguments = (ins RankedTensorOf<[I1]>:$candidates, RankedTensorOf<[F32, F64]>:$boxes,
                       0DTensorOf<[F32, F64]>:$threshold, 0DTensorOf<[I64]>:$most);
  let results = (outs RankedTensorOf<[I1]>:$result);
  let assemblyFormat = [{
    $candidates `,` $boxes `threshold` $threshold `most` $most attr-dict
    `:` type($candidates) `,` type($boxes) `,` type($threshold) `,` type($most)
  }];
  let extraClassDeclaration = [{
    /// Along which boxes are in order.
    int64_t getDim() { return getCandidates().getType().getRank() - 1; }
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONINDEXING
