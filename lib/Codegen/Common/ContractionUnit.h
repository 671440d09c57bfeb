//===- ContractionUnit.h - Units of work and register tiles of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_CONTRACTIONUNIT_H
#define TENON_LIB_CODEGEN_COMMON_CONTRACTIONUNIT_H

#include "ContractionPlan.h"

namespace tenon::codegen {

/// What one worker does at a time: a block of rows times a panel of columns.
struct ContractionUnit {
  /// The number `block` of the plan's blocks.
  ContractionUnit(ContractionPlan &plan, llvm::ArrayRef<mlir::AffineExpr> batch, mlir::AffineExpr panel,
                  mlir::AffineExpr block);

  /// The panel's columns.
  mlir::AffineExpr columns() const;
  /// The first column of the panel, and one within it.
  mlir::AffineExpr column(mlir::AffineExpr within) const { return panel * plan.unitColumns + within; }
  /// The rows of all lines.
  mlir::AffineExpr rows() const;
  /// Where the sums of a row lie: lines behind each other.
  mlir::AffineExpr sumsRow(mlir::AffineExpr line, mlir::AffineExpr row) const {
    return (line - firstLine) * plan.blockExtent() + row - firstRow;
  }

  /// The lines with the coordinates of each, and its number.
  void forEachLine(llvm::function_ref<void(llvm::ArrayRef<mlir::AffineExpr>, mlir::AffineExpr)> emit) const;

  ContractionPlan &plan;
  llvm::SmallVector<mlir::AffineExpr> batch;
  mlir::AffineExpr panel, firstLine, endLine, firstRow, endRow;
  mlir::AffineExpr leftColumns; ///< from the panel's first one on
  mlir::Value isResident = {};  ///< whether rows are the inner dimension of units, where that shows at run time
};

/// A register tile: where it lies, and of what size it is.
struct RegisterTile {
  const ContractionUnit &unit;
  llvm::SmallVector<mlir::AffineExpr> line = {}; ///< coordinates of the row dimensions but the last one
  mlir::AffineExpr row = {};                     ///< that of the first row along the last one
  mlir::AffineExpr turn = {};                    ///< and where the loop over tiles is
  mlir::AffineExpr rows = {};                    ///< how many of `height` there are
  int64_t height = 1;
  mlir::AffineExpr column = {};  ///< the first one, within the panel
  mlir::AffineExpr columns = {}; ///< how many of `width` there are
  int64_t width = 1;
  mlir::Value places = {};     ///< of its rows in the first operand, where they are gathered
  mlir::AffineExpr place = {}; ///< of its only row there
  /// Within a window; of clipped ones, in the image, in front of the row along a line.
  llvm::SmallVector<mlir::AffineExpr> tap = {};
  bool isWidened = false; ///< whether the products of its rows are there for all columns of the unit
  /// Elements of the next panel that each of its rows fetches, and how many were fetched before; null where none are.
  mlir::AffineExpr fetchedPerRow = {}, fetched = {};

  /// The coordinate along a dimension of the iteration space, batches and rows.
  mlir::AffineExpr coordinateOf(unsigned dim) const;
  /// Where the result of one of its rows lies.
  llvm::SmallVector<mlir::AffineExpr> resultPlace(mlir::AffineExpr row, mlir::AffineExpr column) const;
  llvm::SmallVector<int64_t> shape(int64_t last) const { return unit.plan.rowShape(last, height); }
};

/// The lines that rows from `first` to `end` lie in, of `length` each, in a box of sizes `outer`: their coordinates,
/// number of their first row, and which of their own rows it is.
void forEachLineOf(TileBuilder &b, mlir::AffineExpr first, mlir::AffineExpr end, mlir::AffineExpr length,
                   llvm::ArrayRef<mlir::AffineExpr> outer,
                   llvm::function_ref<void(llvm::ArrayRef<mlir::AffineExpr> line, mlir::AffineExpr start,
                                           mlir::AffineExpr low, mlir::AffineExpr high)>
                       emit);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_CONTRACTIONUNIT_H
