//===- TenonContraction.td - Sums of products ===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONCONTRACTION
#define TENON_DIALECT_TENON_IR_TENONCONTRACTION

include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonDialect.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"

def Tenon_ContractOp : Tenon_Op<"contract", [Pure, DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "a sum of products over shared dimensions, as einsum";
  let description = [{
    `result[r(i)] = sum over reduced i of lhs[l(i)] * rhs[r(i)]`, with the three projected permutations of
    `indexing_maps`; dimensions that are absent from the result are summed. Products and sums are exact in the
    interpreter and rounded to the result's element type once; integers wrap.

    ```mlir
    %c = tenon.contract %a, %b maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                     affine_map<(m, n, k) -> (m, n)>]
         : tensor<?x768xf32>, tensor<768x32xf32> -> tensor<?x32xf32>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$lhs, Tenon_NumberTensor:$rhs, AffineMapArrayAttr:$indexing_maps);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `maps` $indexing_maps attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Tenon_ConvOp : Tenon_Op<"conv", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>,
    DeclareOpInterfaceMethods<Tenon_IndexingMapsInterface>]> {
  let summary = "convolution over n spatial dimensions";
  let description = [{
    Input `[N, C, D1..Dn]`, filter `[M, C/groups, K1..Kn]`, result `[N, M, O1..On]`:
    `result[n, m, o] = sum over c, k of input[n, g*C/groups + c, o*stride + k*dilation - pad_low] * filter[m, c, k]`
    where g is the group of m and reads outside of the input give zero. `Oi = (Di + pad_low + pad_high -
    dilation*(Ki - 1) - 1) / stride + 1`.

    With `channels_last` the channels of input and result are their last dimension, `[N, D1..Dn, C]` and
    `[N, O1..On, M]`, and the filter is `[K1..Kn, C/groups, M]`.

    ```mlir
    %y = tenon.conv %x, %w strides [2, 2] dilations [1, 1] pads [3, 3, 3, 3] groups 1
         : tensor<1x3x224x224xf32>, tensor<64x3x7x7xf32> -> tensor<1x64x112x112xf32>
    ```
  }];
  let arguments = (ins Tenon_NumberTensor:$input, Tenon_NumberTensor:$filter, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads, I64Attr:$groups,
                       UnitAttr:$channels_last);
  let results = (outs Tenon_NumberTensor:$result);
  let assemblyFormat = [{
    $input `,` $filter `strides` $strides `dilations` $dilations `pads` $pads `groups` $groups attr-dict
    `:` type($input) `,` type($filter) `->` type($result)
  }];
  let extraClassDeclaration = [{
    /// The dimension of channels and the first spatial one, of input and result.
    int64_t getChannelDim() { return getChannelsLast() ? getStrides().size() + 1 : 1; }
    int64_t getSpatialDim() { return getChannelsLast() ? 1 : 2; }
    /// The dimensions of the filter: the first spatial one, that of the input's channels, that of the result's.
    int64_t getTapDim() { return getChannelsLast() ? 0 : 2; }
    int64_t getSummedDim() { return getChannelsLast() ? getStrides().size() : 1; }
    int64_t getFilterDim() { return getChannelsLast() ? getStrides().size() + 1 : 0; }
  }];
  let hasVerifier = 1;
}

#endif // TENON_DIALECT_TENON_IR_TENONCONTRACTION
