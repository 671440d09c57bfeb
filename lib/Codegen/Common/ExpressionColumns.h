//===- ExpressionColumns.h - Columns that are arithmetic on constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_EXPRESSIONCOLUMNS_H
#define TENON_LIB_CODEGEN_COMMON_EXPRESSIONCOLUMNS_H

#include "ContractionUnit.h"

namespace tenon::codegen {

/// The second operand of a contraction, where it is arithmetic on constants: weights that are widened, scaled or
/// dequantised as they are read. Each constant comes in panels; integers that share bytes in words, of each column the
/// next products, so that a lane has all that its column needs. What blocks of products share is read once for them.
class ExpressionColumns {
public:
  explicit ExpressionColumns(ContractionPlan &plan);

  /// Products that are made at once.
  int64_t getGroup() const { return group; }
  /// Rows `k` on of so many columns, one tile each: as many as a group has, of which `k` is a multiple.
  llvm::SmallVector<mlir::Value> load(mlir::AffineExpr k, mlir::AffineExpr column, int64_t width);

  /// Fetches numbers that come later, in panels that are read from front to back.
  void fetch(mlir::AffineExpr k, mlir::AffineExpr column, int64_t width);

  /// Whether all elements are a stored number times what a block shares, plus what it shares: sums may be made of the
  /// numbers, and become those of the elements once for each block.
  bool isLinear() const { return linear; }
  /// Products of a block, whole groups, and how many there are with those behind the last, which are zero.
  int64_t getBlock() const { return block; }
  int64_t getDepth() const { return depth; }
  /// Whether there is something to add.
  bool hasOffset() const { return offset; }
  /// Whether there is something to multiply numbers with.
  bool hasScale() const { return scale; }
  /// What each product of a group is to be multiplied with: numbers stay at their place in a word where that saves
  /// moving them.
  llvm::SmallVector<float> getFactors() const;
  /// The numbers of `load`, each divided by its factor.
  llvm::SmallVector<mlir::Value> loadNumbers(mlir::AffineExpr k, mlir::AffineExpr column, int64_t width);
  /// What the block that begins at `k` shares, in tiles of one dimension, or null: elements are
  /// (number + before) * scale + after.
  struct Shared {
    mlir::Value before, scale, after;
  };
  Shared loadShared(mlir::AffineExpr k, mlir::AffineExpr column, int64_t width);

private:
  struct Source {
    mlir::Value memory; ///< or null, of an element that is the same everywhere
    int64_t step;       ///< along the products
    bool isColumn;      ///< whether columns have elements of their own
    int64_t bits = 0;   ///< of integers in words
    int64_t moved = 0;  ///< what numbers are stored less
    int64_t perWord() const { return bits ? 32 / bits : 1; }
  };
  enum class Kind { shared, numbers, other };

  void measure();
  void form(unsigned leaf);
  bool judge();
  bool isNarrow(unsigned node) const;
  mlir::Value read(unsigned leaf, mlir::AffineExpr row, mlir::AffineExpr column, llvm::ArrayRef<int64_t> shape);
  mlir::Value shared(unsigned node, mlir::AffineExpr k, mlir::AffineExpr column, int64_t width);

  TileBuilder &b;
  ContractionPlan &plan;
  const ConstantExpression &expression;
  llvm::SmallVector<Source> sources; ///< by leaf
  llvm::SmallVector<Kind> kinds;     ///< by node
  unsigned numbers = 0;              ///< the leaf
  int64_t group = 1, block = 1, depth = 1;
  bool linear = false, offset = false, scale = false;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_EXPRESSIONCOLUMNS_H
