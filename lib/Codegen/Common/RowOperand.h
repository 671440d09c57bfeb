//===- RowOperand.h - How register tiles read the rows of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_ROWOPERAND_H
#define TENON_LIB_CODEGEN_COMMON_ROWOPERAND_H

#include "ContractionUnit.h"

namespace tenon::codegen {

/// The first operand of a contraction: a view of it in which the rows of a tile lie along one dimension, or a table of
/// their places, from which tiles gather. Rows of windows are parts of an image.
class RowOperand {
public:
  explicit RowOperand(ContractionPlan &plan);

  /// Where a row lies, in elements from the first one on.
  mlir::AffineExpr placeOf(llvm::ArrayRef<mlir::AffineExpr> coordinates);
  /// The places of the unit's rows, line by line, so that none costs divisions. Behind those of a line its last one
  /// stands again: so it does behind the last line.
  void fillTable(const ContractionUnit &unit);
  /// Those of a tile whose first row has this number.
  mlir::Value placesAt(mlir::AffineExpr row, int64_t height) { return b.load(table, row, height); }

  /// Whether factors are stored in fewer bits than they are multiplied in: stretches of them are widened first, so that
  /// one in all lanes costs what it does else.
  bool isNarrow() const { return (bool)widened; }
  /// Widens those of a tile's rows from product `low` of its part on, to `first` and what follows.
  void widen(const RegisterTile &tile, mlir::AffineExpr low, mlir::AffineExpr high, mlir::AffineExpr first);
  /// All of a part, for all columns of a unit.
  void widenPart(const RegisterTile &tile, mlir::AffineExpr part);
  /// The factors of a tile's rows from product `k` of its part on, the number `within` of those that were widened.
  mlir::Value load(const RegisterTile &tile, mlir::AffineExpr k, mlir::AffineExpr within, int64_t products);

  /// The same as they are stored.
  mlir::Value loadStored(const RegisterTile &tile, mlir::AffineExpr k, int64_t products);

private:
  void collapseRows();
  void gatherRows();
  void viewWindows();
  mlir::AffineExpr elementsTo(mlir::Value tensor, bool isImage);
  bool isKept(unsigned dim);
  llvm::SmallVector<mlir::AffineExpr> placeOf(const RegisterTile &tile, mlir::AffineExpr k);
  llvm::SmallVector<int64_t> dims();

  TileBuilder &b;
  ContractionPlan &plan;
  mlir::Value memory;
  mlir::Value table, widened;                  ///< scratch, or null
  llvm::SmallVector<mlir::AffineExpr> strides; ///< along each dimension of rows, where they are gathered
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_ROWOPERAND_H
