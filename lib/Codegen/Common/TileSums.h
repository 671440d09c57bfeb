//===- TileSums.h - The sums of a register tile ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_TILESUMS_H
#define TENON_LIB_CODEGEN_COMMON_TILESUMS_H

#include "ColumnOperand.h"
#include "RowOperand.h"

namespace tenon::codegen {

/// Multiplies rows with columns: loops over the summed dimension that carry a register tile.
class TileSums {
public:
  TileSums(ContractionPlan &plan, RowOperand &rows, ColumnOperand &columns)
      : b(plan.b), plan(plan), rows(rows), columns(columns) {}

  /// All products of a tile.
  mlir::Value multiply(const RegisterTile &tile);
  /// Those of a part, and the sums that are in memory at `place`.
  mlir::Value addPart(const RegisterTile &tile, mlir::AffineExpr part, mlir::Value memory,
                      llvm::ArrayRef<mlir::AffineExpr> place);
  /// The same of one tap of clipped windows, which the tile has already.
  mlir::Value addTap(const RegisterTile &tile, mlir::AffineExpr part, mlir::Value memory,
                     llvm::ArrayRef<mlir::AffineExpr> place);
  /// All products of one or two rows that go along a panel as it lies in memory.
  mlir::Value multiplyWide(const RegisterTile &tile);

private:
  mlir::Value multiplyPart(const RegisterTile &tile, mlir::Value sums, mlir::AffineExpr part);
  /// Adds products to what is in memory: to begin with, or at last, where they are summed up from zero.
  mlir::Value addTo(const RegisterTile &tile, mlir::Value memory, llvm::ArrayRef<mlir::AffineExpr> place,
                    llvm::function_ref<mlir::Value(mlir::Value sums)> multiply);
  mlir::Value add(mlir::Value x, mlir::Value y);
  /// Adds the products from `low` to `high`, of one part of windows: all at once, or a stretch at a time.
  mlir::Value multiply(const RegisterTile &tile, mlir::Value sums, mlir::AffineExpr low, mlir::AffineExpr high,
                       int64_t unroll, mlir::AffineExpr part = {});
  /// Adds those from `low` to `high`, of a part that begins at `first`.
  mlir::Value multiplyStretch(const RegisterTile &tile, mlir::Value sums, mlir::AffineExpr low, mlir::AffineExpr high,
                              int64_t unroll, mlir::AffineExpr part, mlir::AffineExpr first);
  mlir::Value zeros(const RegisterTile &tile);
  int64_t unrollOf(const RegisterTile &tile) {
    return tile.height == plan.height ? plan.wholeUnroll() : plan.runLength;
  }

  TileBuilder &b;
  ContractionPlan &plan;
  RowOperand &rows;
  ColumnOperand &columns;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_TILESUMS_H
