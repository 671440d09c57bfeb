//===- ContractionEpilogue.h - What follows the sums of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H
#define TENON_LIB_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H

#include "ContractionUnit.h"

namespace tenon::codegen {

/// The kernel's results from sums, in registers or row by row from scratch.
class ContractionEpilogue {
public:
  /// `isPadded`: whether sums behind the last column are there, too.
  ContractionEpilogue(ContractionPlan &plan, bool isPadded);

  /// The results of a tile.
  void emit(const RegisterTile &tile, mlir::Value sums);
  /// Row by row, from sums in `memory`, of which the tile's lie at `first` and `column`.
  void emitRows(const RegisterTile &tile, mlir::Value memory, mlir::AffineExpr first, mlir::AffineExpr column);
  /// Fetches what the results of the tile read and where they go, where its rows lie apart from each other.
  void fetch(const RegisterTile &tile);

private:
  void emitResults(const RegisterTile &tile, mlir::AffineExpr row, mlir::Value sums,
                   llvm::ArrayRef<mlir::AffineExpr> extents);
  void atColumns(const RegisterTile &tile, llvm::function_ref<void(mlir::AffineExpr)> emit);
  /// The rows of a tile, with their places in their lines and their numbers.
  void forEachRow(const RegisterTile &tile,
                  llvm::function_ref<void(const RegisterTile &, mlir::AffineExpr, mlir::AffineExpr)> emit);
  llvm::SmallVector<int64_t> resultDims();

  TileBuilder &b;
  ContractionPlan &plan;
  bool isPadded;
  mlir::Value scratch; ///< for the sums of a tile, or null
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_CONTRACTIONEPILOGUE_H
