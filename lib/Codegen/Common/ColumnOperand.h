//===- ColumnOperand.h - How register tiles read the columns of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_COLUMNOPERAND_H
#define TENON_LIB_CODEGEN_COMMON_COLUMNOPERAND_H

#include "ExpressionColumns.h"

namespace tenon::codegen {

/// The second operand of a contraction: a constant in panels, or what lies in memory, of which a unit's columns may be
/// copied. Arithmetic on constants is done once for the rows of a unit. Register tiles fetch what comes next while they
/// multiply.
class ColumnOperand {
public:
  explicit ColumnOperand(ContractionPlan &plan);

  /// Whether a tile behind the last column reads zeros or leftovers, rather than beyond the end.
  bool isPadded() const { return plan.packed || copy; }
  /// The columns next to each other, as in a panel: rows of the operand that lie pages apart, or a power of two, take
  /// each other's place in the nearest cache, tile after tile.
  void copyPart(const ContractionUnit &unit, mlir::AffineExpr part);
  /// Rows of a tile's columns, widened if they are stored in less, from product `k` of all on, the number `within` of
  /// the part.
  mlir::Value load(const RegisterTile &tile, mlir::AffineExpr k, mlir::AffineExpr within, int64_t products);

  /// Says which part of the next panel the tile fetches: the tiles of all rows that use this panel fetch equal ones.
  void planFetching(RegisterTile &tile, mlir::AffineExpr line, mlir::AffineExpr part);
  /// Fetches it, at product `k` of the part.
  void fetchPanel(const RegisterTile &tile, mlir::AffineExpr k);
  /// Of an operand that isn't in panels the same columns of the next one: each tile of the block fetches some rows.
  void fetchRows(const RegisterTile &tile, mlir::AffineExpr part);

  /// How columns are made that are arithmetic on constants; null for others.
  ExpressionColumns *getExpression() { return expression ? &*expression : nullptr; }

private:
  void copyExpression(const ContractionUnit &unit, mlir::AffineExpr first, mlir::AffineExpr end);
  llvm::SmallVector<mlir::AffineExpr> placeOf(const ContractionUnit &unit, mlir::AffineExpr k, mlir::AffineExpr column);
  llvm::SmallVector<mlir::AffineExpr> batchOf(const ContractionUnit &unit);
  llvm::SmallVector<int64_t> dims();
  int64_t columnsBeyond();
  void viewRows();

  TileBuilder &b;
  ContractionPlan &plan;
  mlir::Value memory; ///< or null
  std::optional<ExpressionColumns> expression;
  mlir::Value copy; ///< scratch, or null
};

/// In a form: the columns of constant matrices in panels of `width`, zeros behind the last, the rows that are summed
/// one behind the other, or of each column runs of them; behind each of their parts zeros, until runs are whole.
/// `depth` is the dimension of these rows, `column` that of columns; the others, those of batches, stand in front.
mlir::Value makePanels(mlir::OpBuilder &builder, mlir::Value matrices, int64_t depth, int64_t column, int64_t width,
                       int64_t parts = 1, int64_t run = 1);

/// In a form: the one panel of each batch, whose dimensions stand in front, as a row of elements, and `beyond` zeros
/// behind them.
mlir::Value joinRows(mlir::OpBuilder &builder, mlir::Value panels, int64_t batches, int64_t beyond);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_COLUMNOPERAND_H
