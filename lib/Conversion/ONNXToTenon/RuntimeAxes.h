//===- RuntimeAxes.h - Dimensions that are chosen at run time ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Ranks are static; which axes an operand names may be data. Where their number is known, each is a number of the host
// program, and what depends on it is chosen from a table with an entry per dimension: the product of the sizes before
// it, its size, that of those behind it. So an op along such an axis is one along the middle of three dimensions. Where
// not even their number is known, there is one number per dimension that says whether it is named.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H

#include "Node.h"

namespace tenon::onnx {

/// Which dimensions of a tensor are named, as data says.
class NamedDims {
public:
  /// The entries of the dimensions that no axis names, which are so many.
  Sizes drop(llvm::ArrayRef<mlir::AffineExpr> entries, int64_t kept);
  /// The entries of a table in the places that no axis names, 1 in the others.
  Sizes insertOnes(llvm::ArrayRef<mlir::AffineExpr> entries);
  /// Combines the elements along all named dimensions, which then have size 1.
  mlir::Value reduce(Combiner combiner, mlir::Value x);

protected:
  NamedDims(Node &node, int64_t rank) : node(node), rank(rank) {}

  /// How many dimensions before this one no axis names.
  mlir::AffineExpr unnamedBefore(int64_t dim);
  /// `table[index]`, and 0 outside of it.
  mlir::AffineExpr lookUp(mlir::AffineExpr index, llvm::ArrayRef<mlir::AffineExpr> table);

  Node &node;
  int64_t rank;
  Sizes named; ///< per dimension, 1 where an axis names it, else 0
};

class RuntimeAxes : public NamedDims {
public:
  /// The axes that an operand names, all different, of a tensor of that rank; nothing after an error. `count` is how
  /// many there are where the operand doesn't say it.
  static std::optional<RuntimeAxes> read(Node &node, mlir::Value axes, int64_t rank,
                                         std::optional<int64_t> count = std::nullopt);

  size_t count() const { return places.size(); }
  /// What a table with an entry per dimension says of axis `i`.
  mlir::AffineExpr choose(size_t i, llvm::ArrayRef<mlir::AffineExpr> table);
  /// One entry per dimension: that of its axis, `otherwise` where no axis names the dimension.
  Sizes spread(llvm::ArrayRef<mlir::AffineExpr> perAxis, llvm::ArrayRef<mlir::AffineExpr> otherwise);

  /// A contiguous tensor of these sizes as one of three dimensions, axis `i` in the middle; `last` is one behind them
  /// that stays, null for none.
  mlir::Value around(mlir::Value x, llvm::ArrayRef<mlir::AffineExpr> sizes, size_t i, mlir::AffineExpr last = {});

private:
  using NamedDims::NamedDims;

  Sizes places; ///< per axis, from 0 on
};

/// Axes of which not even the number is known.
class UncountedAxes : public NamedDims {
public:
  /// Those that an operand names, all different, of a tensor of that rank; nothing after an error.
  static std::optional<UncountedAxes> read(Node &node, mlir::Value axes, int64_t rank);
  /// The first ones, so many.
  static std::optional<UncountedAxes> first(Node &node, mlir::AffineExpr count, int64_t rank);

  /// Names all dimensions where no axis was given.
  void nameAllIfNone();
  /// Checks that so many dimensions are named.
  void expectCount(int64_t count);
  /// One entry per dimension: that of its axis in a vector of integers, `otherwise` where no axis names it.
  Sizes spread(mlir::Value perAxis, int64_t otherwise);

private:
  using NamedDims::NamedDims;

  mlir::AffineExpr length; ///< how many axes there are
  mlir::Value isAxis;      ///< `[length, rank]`: whether an axis is that dimension
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H
