//===- Passes.td - Passes on the graph ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_PASSES
#define TENON_DIALECT_TENON_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def FoldConstantsPass : Pass<"tenon-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Compute what depends on constants only";
  let description = [{
    Replaces ops of the graph dialect whose operands are all constants by their results, which an injected evaluator
    computes. Results above 1 kB go to a file as `#tenon.blob`, equal elements are one.

    A result that is much larger than the constants it comes from (a broadcast, an iota) stays an op, so that a kernel
    makes it where it is used; what is computed from it and isn't larger than its constants is folded all the same, and so
    are weights of contractions and convolutions, which read memory. Ops with regions stay, and ops that fail, which fail again when they run. Constants that nothing uses any more go.

    Before:
    ```mlir
    %e = tenon.broadcast %epsilon dims [] sizes [64] : tensor<f32> -> tensor<64xf32>
    %v = tenon.add %variance, %e : tensor<64xf32>
    %s = tenon.rsqrt %v : tensor<64xf32>
    ```
    After:
    ```mlir
    %s = tenon.constant dense<...> : tensor<64xf32>
    ```
  }];
  let options = [
    Option<"largest", "largest", "int64_t", "1 << 30", "Bytes above which a result isn't computed">,
    Option<"foldWeights", "fold-weights", "bool", "true",
           "Whether weights of contractions and convolutions are computed that are larger than their constants">,
    Option<"constantsFile", "constants-file", "std::string", /*default=*/"",
           "File for results above 1 kB; without it a temporary one, which lives as long as the process">
  ];
  let constructor = "::tenon::createFoldConstantsPass(::tenon::Evaluator())";
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def SimplifyGraphPass : Pass<"tenon-simplify-graph"> {
  let summary = "Rewrite the graph into fewer and cheaper ops that give the same";
  let description = [{
    Removes ops that give their operand: transposes, reshapes, broadcasts, slices, pads and casts that change nothing,
    `x * 1`, `x / 1`, `x - 0`, `x + -0`, double negation. Joins reshapes, transposes and broadcasts in a row, and reshapes
    that only add or drop dimensions of size 1 with a broadcast. Transposes become part of the indexing maps of a
    contraction: of its operands always, of its result where its last dimension stays or comes from the other operand.
    Division by a power of two becomes multiplication. Dead ops go.

    With `fold-scales` (the default) a factor per channel after a convolution or contraction with constant weights is
    multiplied into the weights, past an addition of constants between them: batch normalisation becomes an addition. The
    products are ops on constants, which `tenon-fold-constants` computes. Sums round differently by it.

    Before:
    ```mlir
    %t = tenon.transpose %w [1, 0] : tensor<32x768xf32> -> tensor<768x32xf32>
    %c = tenon.contract %x, %t maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>,
                                     affine_map<(m, n, k) -> (m, n)>]
         : tensor<?x768xf32>, tensor<768x32xf32> -> tensor<?x32xf32>
    ```
    After:
    ```mlir
    %c = tenon.contract %x, %w maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,
                                     affine_map<(m, n, k) -> (m, n)>]
         : tensor<?x768xf32>, tensor<32x768xf32> -> tensor<?x32xf32>
    ```
  }];
  let options = [
    Option<"foldScales", "fold-scales", "bool", "true", "Multiply factors per channel into constant weights">
  ];
  let dependentDialects = ["::tenon::TenonDialect"];
}

def InferSizesPass : Pass<"tenon-infer-sizes", "::mlir::func::FuncOp"> {
  let summary = "Write the static sizes that follow from ops into the types of their results";
  let description = [{
    In order, each op's result gets the sizes that follow from its operands: from indexing maps, or from what the op
    states of its sizes. A static size that inference refutes is an error at the op. What asks for the type that a value
    had (regions, returned values) gets it by `tensor.cast`.

    Before:
    ```mlir
    %y = tenon.contract %x, %w maps [...] : tensor<4x8xf32>, tensor<8x32xf32> -> tensor<?x32xf32>
    %z = tenon.exp %y : tensor<?x32xf32>
    ```
    After:
    ```mlir
    %y = tenon.contract %x, %w maps [...] : tensor<4x8xf32>, tensor<8x32xf32> -> tensor<4x32xf32>
    %z = tenon.exp %y : tensor<4x32xf32>
    ```
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def ExpandZeroPointsPass : Pass<"tenon-expand-zero-points"> {
  let summary = "Multiply quantised numbers as they are stored";
  let description = [{
    A product of 8-bit integers with constant ones, from each of which a zero point is subtracted first, becomes the product of what is
    stored, less what the zero points add to it: sums of the constants, which are constant, and sums of the other operand's rows
    where the constants have a zero point, too. All is modulo 2^32, so nothing is lost. Constants get a sign. A convolution's
    border is the zero point then, as it is stored; its filters have none, or it stays.

    So does a product of numbers that were dequantised first: its sum is exact, and multiplied with both scales at last. Where f32 would
    have rounded, it doesn't; `dequantized` (the default) says whether that may be.

    Before:
    ```mlir
    %a = tenon.sub %xi, %zero : tensor<?x64xi32>      // %xi of %x : tensor<?x64xui8>, %zero of %z : tensor<i32>
    %b = tenon.cast %w : tensor<64x32xi8> -> tensor<64x32xi32>
    %y = tenon.contract %a, %b maps [#rows, #columns, #result] : tensor<?x64xi32>, tensor<64x32xi32> -> tensor<?x32xi32>
    ```
    After:
    ```mlir
    %p = tenon.contract %x, %w maps [#rows, #columns, #result] : tensor<?x64xui8>, tensor<64x32xi8> -> tensor<?x32xi32>
    %b = tenon.cast %w : tensor<64x32xi8> -> tensor<64x32xi32>
    %s = tenon.reduce sum %b dims [0] : tensor<64x32xi32> -> tensor<32xi32>
    %o = tenon.mul %zs, %ss : tensor<?x32xi32>        // %z and %s, broadcast
    %y = tenon.sub %p, %o : tensor<?x32xi32>
    ```
  }];
  let options = [
    Option<"dequantized", "dequantized", "bool", "true", "Sum products of dequantised numbers as integers">
  ];
  let dependentDialects = ["::tenon::TenonDialect", "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

def RecognizeCompositesPass : Pass<"tenon-recognize-composites"> {
  let summary = "Find composites in the simple ops that exporters write";
  let description = [{
    Layer and RMS normalisation (`c / sqrt(mean(c^2) + epsilon)` with `c = x - mean(x)`, or x itself; the root or its inverse,
    squares as products or powers), softmax and its logarithm (`e^(x - max) / sum`), GELU by the error function or the
    hyperbolic tangent (its factors in any order, its argument as any polynomial), and attention: a contraction, a
    number that it is multiplied with in one of the usual places, a mask that is added or selects, a softmax, a second
    contraction. Constants may be rounded as exporters round them.

    What is used elsewhere stays: nothing is computed twice. Scale and bias after a normalisation are elementwise ops.

    Before:
    ```mlir
    %e = tenon.erf %z : tensor<?x3072xf32>      // of x * 0.70710678
    %a = tenon.add %e, %one : tensor<?x3072xf32>
    %b = tenon.mul %x, %a : tensor<?x3072xf32>
    %y = tenon.mul %b, %half : tensor<?x3072xf32>
    ```
    After:
    ```mlir
    %y = tenon.gelu %x : tensor<?x3072xf32>
    ```
  }];
  let options = [Option<"remarks", "remarks", "bool", "false", "Report the composites that there are">];
  let dependentDialects = ["::tenon::TenonDialect", "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

def DecomposeCompositesPass : Pass<"tenon-decompose-composites"> {
  let summary = "Put simple ops in place of composites";
  let description = [{
    For composites that code generation has no form of its own for: `ops` names them. All others stay whole until their
    kernel is lowered.

    Before:
    ```mlir
    %y = tenon.gelu %x : tensor<?x4xf32>
    ```
    After, with `ops=tenon.gelu`:
    ```mlir
    %z = tenon.mul %x, %inverseRootOfTwo : tensor<?x4xf32>
    %e = tenon.erf %z : tensor<?x4xf32>
    ...
    %y = tenon.mul %half, %sum : tensor<?x4xf32>
    ```
  }];
  let options = [ListOption<"ops", "ops", "std::string", "Names of the ops to decompose">];
  let dependentDialects = ["::tenon::TenonDialect", "::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

def AssignLayoutsPass : Pass<"tenon-assign-layouts", "::mlir::func::FuncOp"> {
  let summary = "Choose between channels first and channels last for all images of a graph";
  let description = [{
    Each op that implements `LayoutInterface` says what it costs in either layout; a tensor that is wanted in another
    layout than it is made in costs a transpose, once; constants are transposed for nothing. Values that regions pass on
    have one layout inside and outside. The cheapest assignment of all is a minimum cut, which is exact for two layouts.
    What the function takes and gives stays as it is; the transposes that are needed are ops.

    Before:
    ```mlir
    %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1
         : tensor<1x64x56x56xf32>, tensor<64x64x3x3xf32> -> tensor<1x64x56x56xf32>
    %z = tenon.exp %y : tensor<1x64x56x56xf32>
    ```
    After:
    ```mlir
    %t = tenon.transpose %x [0, 2, 3, 1] : tensor<1x64x56x56xf32> -> tensor<1x56x56x64xf32>
    %f = tenon.transpose %w [2, 3, 1, 0] : tensor<64x64x3x3xf32> -> tensor<3x3x64x64xf32>
    %y = tenon.conv %t, %f strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1 {channels_last}
         : tensor<1x56x56x64xf32>, tensor<3x3x64x64xf32> -> tensor<1x56x56x64xf32>
    %z = tenon.exp %y : tensor<1x56x56x64xf32>
    %u = tenon.transpose %z [0, 3, 1, 2] : tensor<1x56x56x64xf32> -> tensor<1x64x56x56xf32>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx2\"", "Name of the target whose prices count">,
    Option<"remarks", "remarks", "bool", "false", "Report how many ops have channels last">
  ];
  let constructor = "::tenon::createAssignLayoutsPass(::tenon::LayoutPricesResolver())";
  let dependentDialects = ["::tenon::TenonDialect"];
}

#endif // TENON_DIALECT_TENON_TRANSFORMS_PASSES
