//===- TenonAttention.td - Attention ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONATTENTION
#define TENON_DIALECT_TENON_IR_TENONATTENTION

include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_AttentionOp : Tenon_Op<"attention", [Pure, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>,
                                               DeclareOpInterfaceMethods<Tenon_DecomposableInterface>]> {
  let summary = "softmax(scale * query key + mask) value";
  let description = [{
    With a projected permutation of one iteration space per operand and result, as `tenon.contract`:

    `score[.., n] = scale * sum over k of query[.., k] * key[.., n, k]`, `weight = softmax of score along n`,
    `result[..] = sum over n of weight[.., n] * value[.., n]`.

    The keys' dimension n is in key and value but neither in query nor in result; other dimensions that aren't in the
    result are summed in the scores. A mask of floating point is added to the scores; where one of `i1` is false the
    score is `fill`. It may lack dimensions of the scores. With `zero_nan`, weights that are NaN are zero: those of a query
    to which every key is hidden by minus infinity. Heads of queries that share a head of keys are a dimension of their
    own, which key and value lack.

    f16 and bf16 are computed in f32; the result is rounded to its element type once.

    ```mlir
    %y = tenon.attention %q, %k, %v mask(%m : tensor<?x?xf32>)
         maps [affine_map<(b, h, m, e, n, k) -> (b, m, h, k)>, affine_map<(b, h, m, e, n, k) -> (b, n, h, k)>,
               affine_map<(b, h, m, e, n, k) -> (b, n, h, e)>, affine_map<(b, h, m, e, n, k) -> (b, n)>,
               affine_map<(b, h, m, e, n, k) -> (b, m, h, e)>] scale 1.250000e-01
         : tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32>, tensor<?x?x12x64xf32> -> tensor<?x?x12x64xf32>
    ```
  }];
  let arguments = (ins Tenon_FloatTensor:$query, Tenon_FloatTensor:$key, Tenon_FloatTensor:$value,
                       Optional<Tenon_NumberTensor>:$mask, AffineMapArrayAttr:$indexing_maps, F64Attr:$scale,
                       OptionalAttr<F64Attr>:$fill, UnitAttr:$zero_nan);
  let results = (outs Tenon_FloatTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`mask` `(` $mask^ `:` type($mask) `)`)? `maps` $indexing_maps `scale` $scale
    (`fill` $fill^)? attr-dict `:` type($query) `,` type($key) `,` type($value) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Dimensions of the iteration space: the one that the softmax runs along; those of the scores, the former last; those
    /// that scores sum.
    unsigned getKeyDim();
    llvm::SmallVector<unsigned> getScoreDims();
    llvm::SmallVector<unsigned> getSummedDims();
  }];
}

#endif // TENON_DIALECT_TENON_IR_TENONATTENTION
