//===- Passes.td - Passes on kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_TRANSFORMS_PASSES
#define TENON_DIALECT_TILE_TRANSFORMS_PASSES

include "tenon/Dialect/Tenon/Transforms/CheckedPass.td"

def LowerConvolutionsPass : Tenon_CheckedPass<"tenon-lower-convolutions", "::mlir::func::FuncOp", "::tenon::checkGraph"> {
  let summary = "Turn convolutions into contractions with the windows of their input";
  let description = [{
    A filter of one element under stride 1 reads the input as it is. Convolutions of one channel per group stay: their
    sums are too short for register tiles. With channels last nothing is unfolded: register tiles read the windows out
    of the image, which is given its border before, or pass over it, where the target says that it is much (`border`).

    Before:
    ```mlir
    %y = tenon.conv %x, %w strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1] groups 1
         : tensor<1x64x56x56xf32>, tensor<32x64x3x3xf32> -> tensor<1x32x56x56xf32>
    ```
    After:
    ```mlir
    %p = tenon.unfold %x sizes [3, 3] strides [1, 1] dilations [1, 1] pads [1, 1, 1, 1]
         : tensor<1x64x56x56xf32> -> tensor<1x64x3x3x56x56xf32>
    %y = tenon.contract %w, %p maps [(n, m, y, x, c, i, j) -> (m, c, i, j), -> (n, c, i, j, y, x), -> (n, m, y, x)]
    ```
    and with channels last:
    ```mlir
    %b = tenon.pad constant %x, %zero low [0, 1, 1, 0] high [0, 1, 1, 0]
         : tensor<1x56x56x64xf32>, tensor<f32> -> tensor<1x58x58x64xf32>
    %r = tenon_tile.window_rows %b sizes [3, 3] strides [1, 1] dilations [1, 1]
         : tensor<1x58x58x64xf32> -> tensor<1x56x56x576xf32>
    %y = tenon.contract %r, %w maps [(n, y, x, m, k) -> (n, y, x, k), -> (k, m), -> (n, y, x, m)]
    ```
  }];
  let options = [Option<"target", "target", "std::string", "\"avx2\"", "Name of the target whose prices count">];
  let constructor = "::tenon::tile::createLowerConvolutionsPass(::tenon::tile::LayoutPricesResolver())";
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def PackResultsPass : Tenon_CheckedPass<"tenon-pack-results", "::mlir::func::FuncOp", "::tenon::checkGraph"> {
  let summary = "Let casts alone write elements that share bytes";
  let description = [{
    Kernels read elements of less than a byte wherever they are, but a byte is written as a whole. So what gives such
    elements gives bytes (or f32, of narrow floating point), and a cast along one dimension, whose units of work are whole
    bytes, writes them. It is a kernel of its own.

    Before:
    ```mlir
    %y = tenon.transpose %x [1, 0] : tensor<3x5xi4> -> tensor<5x3xi4>
    ```
    After:
    ```mlir
    %w = tenon.cast %x : tensor<3x5xi4> -> tensor<3x5xi8>
    %t = tenon.transpose %w [1, 0] : tensor<3x5xi8> -> tensor<5x3xi8>
    %f = tenon.reshape %t sizes [15] : tensor<5x3xi8> -> tensor<15xi8>
    %p = tenon.cast %f : tensor<15xi8> -> tensor<15xi4>
    %y = tenon.reshape %p sizes [5, 3] : tensor<15xi4> -> tensor<5x3xi4>
    ```
  }];
}

def CountNonZeroPass : Tenon_CheckedPass<"tenon-count-nonzero", "::mlir::func::FuncOp", "::tenon::checkGraph"> {
  let summary = "Find how many elements are not zero before their positions are written";
  let description = [{
    The count is a sum that the host program reads: the segment ends there, and in the next one the size of the
    positions is known like any other.

    Before:
    ```mlir
    %i = tenon.nonzero %x : tensor<?x4xf32> -> tensor<2x?xi64>
    ```
    After:
    ```mlir
    %s = tenon.reduce sum %isSet dims [0, 1] : tensor<?x4xi64> -> tensor<i64>
    %n = tenon.item %s at 0 : tensor<i64>
    %i = tenon.nonzero %x count %n : tensor<?x4xf32> -> tensor<2x?xi64>
    ```
  }];
}

def CheckSizesPass : Tenon_CheckedPass<"tenon-check-sizes", "::mlir::func::FuncOp", "::tenon::host::checkProgram"> {
  let summary = "Check at run time what ops expect of sizes that are known only then";
  let description = [{
    Operands that share a dimension must agree in its size, a reshape keeps the number of elements, a slice lies within
    its operand. Where that doesn't follow from the sizes' expressions, the host program checks it before the op runs:
    kernels rely on it.

    Before:
    ```mlir
    %y = tenon.contract %a, %b maps [...] : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
    ```
    After:
    ```mlir
    tenon_host.check_equal %j, %k "operands differ in a size that they share"
    %y = tenon.contract %a, %b maps [...] : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
    ```
  }];
  let dependentDialects = ["::tenon::host::HostDialect", "::mlir::arith::ArithDialect",
                           "::mlir::affine::AffineDialect"];
}

def CanonicalizeContractionsPass : Tenon_CheckedPass<"tenon-canonicalize-contractions", "::mlir::func::FuncOp", "::tenon::checkGraph"> {
  let summary = "Write contractions as products of rows with columns";
  let description = [{
    The form that register tiles have: the second operand has the result's last dimension, and it is its own last one.
    Operands are swapped where the result's last dimension comes from the first one. A second operand whose rows aren't
    contiguous along the result's columns is transposed, but for a constant matrix, which programs read in a form. Bytes of
    constants that are between -64 and 64 are said to be so (`tenon_tile.seven_bits`), and zero points of columns that
    are far from the middle of their numbers' type (`tenon_tile.far_offsets`).

    Before:
    ```mlir
    %y = tenon.contract %x, %w maps [(m, n, k) -> (m, k), (m, n, k) -> (n, k), (m, n, k) -> (m, n)]
         : tensor<?x768xf32>, tensor<64x768xf32> -> tensor<?x64xf32>
    ```
    After:
    ```mlir
    %t = tenon.transpose %w [1, 0] : tensor<64x768xf32> -> tensor<768x64xf32>
    %y = tenon.contract %x, %t maps [(m, n, k) -> (m, k), (m, n, k) -> (k, n), (m, n, k) -> (m, n)]
         : tensor<?x768xf32>, tensor<768x64xf32> -> tensor<?x64xf32>
    ```
  }];
  let dependentDialects = ["::tenon::tile::TileDialect"];
}

def AssignViewsPass : Tenon_CheckedPass<"tenon-assign-views", "::mlir::func::FuncOp", "::tenon::host::checkProgram"> {
  let summary = "Decide which slices, concats and pads move nothing";
  let description = [{
    A slice becomes a view of its operand where all that read it can take the strides: kernels do as long as the last
    dimension stays contiguous. What a kernel computes for a concat is written where the concat's result lies. Not so
    an operand that comes from outside, that another concat has, that is returned or that a loop or branch carries:
    it is copied. So it is with a pad of whole rows by a constant: its operand is written inside of the border, and the
    border around it in every execution. Arithmetic on what is bound moves to the start, so that places are known from
    there on. Kernel formation then lets these kernels take strides, and `tenon-place-buffers` makes the views.

    Before:
    ```mlir
    %a = tenon.slice %x offsets [0, 4] sizes [%m, 4] strides [1, 1] : tensor<?x8xf32> -> tensor<?x4xf32>
    %b = tenon.exp %a : tensor<?x4xf32>
    %y = tenon.concat %b, %z dim 1 : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x8xf32>
    ```
    After:
    ```mlir
    %a = tenon.slice %x offsets [0, 4] sizes [%m, 4] strides [1, 1] {tenon_host.view} : tensor<?x8xf32> -> tensor<?x4xf32>
    %b = tenon.exp %a : tensor<?x4xf32>
    %y = tenon.concat %b, %z dim 1 {tenon_host.placed = array<i64: 0>} : ...
    ```
  }];
}

def FormKernelsPass : Tenon_CheckedPass<"tenon-form-kernels", "::mlir::ModuleOp", "::tenon::host::checkBoundProgram"> {
  let summary = "Partition the graph into kernels and the host program that launches them";
  let description = [{
    Ops are grouped in order: an op joins the groups of its operands where a strategy accepts them all as one kernel, where
    that saves time by the target's prices, and where no cycle of launches arises. Each group becomes a
    `tenon_tile.kernel`, equal ones once; the function keeps the launches, and what only says where things lie
    (reshape, slice, concat). With `explain` remarks say why nodes are kernels of their own, once for each pair.

    Before:
    ```mlir
    %y = tenon.exp %x : tensor<?x4xf32>
    %z = tenon.neg %y : tensor<?x4xf32>
    ```
    After:
    ```mlir
    %e = tensor.empty(%m) : tensor<?x4xf32>
    %z = tenon_host.launch @exp_neg symbols(%m) ins(%x : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx2\"", "Name of the target whose prices count">,
    Option<"explain", "explain", "bool", "false", "Report why ops are not in one kernel">
  ];
  let constructor = "::tenon::tile::createFormKernelsPass(::tenon::tile::FusionPricesResolver())";
  let dependentDialects = ["::tenon::tile::TileDialect", "::tenon::host::HostDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::affine::AffineDialect"];
}

def MergeFormsPass : Pass<"tenon-merge-forms", "::mlir::ModuleOp"> {
  let summary = "Move forms of constants from variants into the module, each once";
  let description = [{
    Strategies write forms beside their programs, where they work on one variant alone. Forms that compute the same become
    one, whatever they are called.

    Before:
    ```mlir
    tenon_tile.variants @a {
      tenon_tile.variant @avx2 target #avx2 {
        tenon_tile.program @a(%w: memref<4x4xf32> {tenon_tile.form = @turned}) -> (%y: memref<4xf32>) { ... }
        tenon_tile.form @turned(%w: tensor<4x4xf32>) -> tensor<4x4xf32> { ... }
      }
    }
    ```
    After:
    ```mlir
    tenon_tile.form @turned(%w: tensor<4x4xf32>) -> tensor<4x4xf32> { ... }
    tenon_tile.variants @a {
      tenon_tile.variant @avx2 target #avx2 {
        tenon_tile.program @a(%w: memref<4x4xf32> {tenon_tile.form = @turned}) -> (%y: memref<4xf32>) { ... }
      }
    }
    ```
  }];
}

def GeneralizeSizesPass : Tenon_CheckedPass<"tenon-generalize-sizes", "::mlir::ModuleOp", "::tenon::tile::checkKernels"> {
  let summary = "Let kernels that differ in sizes only be one kernel";
  let description = [{
    Sizes that don't help a schedule become symbols where that makes kernels equal: how often something is done as a
    whole (the outermost dimension, the batch of a contraction), and how long rows are that are long for the target
    (its price `long_rows`). The launches say the sizes.
    Kernels that would stay alone keep all that is known of them: code for any size is more code. Every kernel that
    goes is one less to compile.

    Before:
    ```mlir
    tenon_tile.kernel @exp_0(%x: tensor<8x32xf32>) -> tensor<8x32xf32> {..}
    tenon_tile.kernel @exp_1(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {..}
    %y = tenon_host.launch @exp_1 ins(%x : tensor<4x32xf32>) ...
    ```
    After:
    ```mlir
    tenon_tile.kernel @exp_0(%n: index, %x: tensor<?x32xf32>) -> tensor<?x32xf32> {
      tenon.bind_shape %x [%n, 32] : tensor<?x32xf32>
      ..
    }
    %y = tenon_host.launch @exp_0 symbols(%c4) ins(%x : tensor<4x32xf32>) ...
    ```
  }];
  let options = [Option<"target", "target", "std::string", "\"avx2\"", "Name of the target whose prices count">];
  let constructor = "::tenon::tile::createGeneralizeSizesPass(::tenon::tile::FusionPricesResolver())";
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::affine::AffineDialect"];
}

#endif // TENON_DIALECT_TILE_TRANSFORMS_PASSES
