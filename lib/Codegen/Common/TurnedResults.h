//===- TurnedResults.h - Results of a contraction whose rows are next to each other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_TURNEDRESULTS_H
#define TENON_LIB_CODEGEN_COMMON_TURNEDRESULTS_H

#include "ContractionUnit.h"

namespace tenon::codegen {

/// What a contraction gives through a transpose that puts its rows next to each other: column by column, from sums of
/// the whole unit that are turned in registers, block by block.
class TurnedResults {
public:
  explicit TurnedResults(ContractionPlan &plan);

  /// The results of a unit from its sums.
  void emit(const ContractionUnit &unit, mlir::Value sums);

private:
  int64_t rowsTogether();
  int64_t dimOf(unsigned dim);
  void emitRun(const RegisterTile &tile, mlir::AffineExpr row, mlir::AffineExpr column, mlir::Value sums,
               mlir::AffineExpr extent);

  TileBuilder &b;
  ContractionPlan &plan;
  mlir::Value turnedSums;                 ///< scratch
  llvm::SmallVector<mlir::Value> results; ///< their rows in one dimension, as far as they run together
  int64_t run = 1;                        ///< so many of rows' last dimensions do
  mlir::AffineExpr together;              ///< and so many rows
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_TURNEDRESULTS_H
