//===- RuntimeAxes.h - Dimensions that are chosen at run time ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Ranks are static, and so is the number of axes that an operand names; which ones may be data. Each axis is
// then a number of the host program, and what depends on it is chosen from a table with an entry per
// dimension: the product of the sizes before it, its size, that of those behind it. So an op along such an
// axis is one along the middle of three dimensions.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H

#include "Node.h"

namespace tenon::onnx {

class RuntimeAxes {
public:
  /// The axes that an operand names, all different, of a tensor of that rank; nothing after an error.
  static std::optional<RuntimeAxes> read(Node &node, mlir::Value axes, int64_t rank);

  size_t count() const { return places.size(); }
  /// What a table with an entry per dimension says of axis `i`.
  mlir::AffineExpr choose(size_t i, llvm::ArrayRef<mlir::AffineExpr> table);
  /// One entry per dimension: that of its axis, `otherwise` where no axis names the dimension.
  Sizes spread(llvm::ArrayRef<mlir::AffineExpr> perAxis, llvm::ArrayRef<mlir::AffineExpr> otherwise);
  /// The entries, but this one for the dimension of axis `i`.
  Sizes replace(size_t i, llvm::ArrayRef<mlir::AffineExpr> entries, mlir::AffineExpr by);
  /// The entries of the dimensions that no axis names.
  Sizes drop(llvm::ArrayRef<mlir::AffineExpr> entries);
  /// The entries of a table in the places that no axis names, 1 in the others.
  Sizes insertOnes(llvm::ArrayRef<mlir::AffineExpr> entries);

  /// A contiguous tensor of these sizes as one of three dimensions, axis `i` in the middle.
  mlir::Value around(mlir::Value x, llvm::ArrayRef<mlir::AffineExpr> sizes, size_t i);

private:
  RuntimeAxes(Node &node, int64_t rank) : node(node), rank(rank) {}

  /// 1 where an axis names the dimension, else 0.
  mlir::AffineExpr isNamed(int64_t dim);
  /// How many dimensions before this one no axis names.
  mlir::AffineExpr unnamedBefore(int64_t dim);
  /// `table[index]`, and 0 outside of it.
  mlir::AffineExpr lookUp(mlir::AffineExpr index, llvm::ArrayRef<mlir::AffineExpr> table);

  Node &node;
  int64_t rank;
  Sizes places; ///< per axis, from 0 on
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_RUNTIMEAXES_H
