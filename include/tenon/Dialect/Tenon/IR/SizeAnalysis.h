//===- SizeAnalysis.h - Sizes of tensors as expressions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Answers what the sizes of a tensor are, as affine expressions over SSA values of type `index`, without
// creating IR: sizes follow from indexing maps, from what ops state (`SizesInterface`) and from
// `tenon.bind_shape`. Two sizes are known to be equal when their expressions are the same object.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_SIZEANALYSIS_H
#define TENON_DIALECT_TENON_IR_SIZEANALYSIS_H

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace tenon {

class SizeAnalysis {
public:
  explicit SizeAnalysis(mlir::MLIRContext *context) : context(context) {}

  /// The sizes of a ranked tensor, one expression per dimension. A size that follows from nothing becomes a
  /// symbol of its own, which `materialize` gives as `tenon.size`.
  llvm::SmallVector<mlir::AffineExpr> sizesOf(mlir::Value tensor);

  /// The sizes of an op's result that follow from the op alone, whatever its type says; a null expression where nothing
  /// follows.
  llvm::SmallVector<mlir::AffineExpr> inferredSizesOf(mlir::OpResult result);

  /// The elements of a small integer tensor, row by row, where they follow from constants and sizes: shape
  /// arithmetic. An element that doesn't is a null expression; nothing is known of tensors above 64 elements.
  std::optional<llvm::SmallVector<mlir::AffineExpr>> elementsOf(mlir::Value tensor);

  /// The expression of an index value.
  mlir::AffineExpr expressionOf(mlir::Value index);
  mlir::AffineExpr expressionOf(mlir::OpFoldResult size);
  llvm::SmallVector<mlir::AffineExpr> expressionsOf(llvm::ArrayRef<mlir::OpFoldResult> sizes);
  mlir::AffineExpr constant(int64_t value);

  /// Simplified, so that equal sizes are one object.
  mlir::AffineExpr simplify(mlir::AffineExpr expression);

  /// The expression as an attribute or as a value computed at the insertion point.
  mlir::OpFoldResult materialize(mlir::OpBuilder &builder, mlir::Location loc, mlir::AffineExpr expression);
  llvm::SmallVector<mlir::OpFoldResult> materialize(mlir::OpBuilder &builder, mlir::Location loc,
                                                    llvm::ArrayRef<mlir::AffineExpr> expressions);

  /// The expression as a map from index values, its symbols; none where it needs others.
  std::optional<mlir::AffineMap> mapOf(mlir::AffineExpr expression, mlir::ValueRange indices);

  /// The static value of an expression, or `mlir::ShapedType::kDynamic`.
  static int64_t staticSize(mlir::AffineExpr expression);

  /// Carries what is known of a value over to the one that takes its place.
  void replace(mlir::Value value, mlir::Value by);

  /// The values that an expression refers to: index values, or tensors by one of their sizes.
  llvm::SmallVector<mlir::Value> valuesOf(mlir::AffineExpr expression);

  /// Says which index value a size that followed from nothing is, or with `dim` -1 what an index value became.
  void resolve(mlir::Value value, int64_t dim, mlir::Value index);

  /// Forgets a value that is about to be erased.
  void erase(mlir::Value value);

private:
  llvm::SmallVector<mlir::AffineExpr> computeSizes(mlir::Value tensor);
  std::optional<llvm::SmallVector<mlir::AffineExpr>> computeElements(mlir::Value tensor);
  mlir::AffineExpr symbolFor(mlir::Value value, int64_t dim);

  mlir::MLIRContext *context;
  /// What each symbol stands for: an index value (dim is -1), or a dimension of a tensor.
  llvm::SmallVector<std::pair<mlir::Value, int64_t>> symbols;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, unsigned> positions;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::AffineExpr>> sizes;
  llvm::DenseMap<mlir::Value, std::optional<llvm::SmallVector<mlir::AffineExpr>>> elements;
};

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_SIZEANALYSIS_H
