//===- ExpressionSums.h - Few rows times columns that are made in registers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_EXPRESSIONSUMS_H
#define TENON_LIB_CODEGEN_COMMON_EXPRESSIONSUMS_H

#include "ExpressionColumns.h"
#include "RowOperand.h"

namespace tenon::codegen {

/// Multiplies few rows with columns that are arithmetic on constants: these are read once, in their order, and what
/// they are made of is in registers only. Where elements are numbers times what a block shares, plus what it shares,
/// sums of a block are made of the numbers.
class ExpressionSums {
public:
  ExpressionSums(ContractionPlan &plan, RowOperand &rows, ExpressionColumns &columns);

  /// Writes the factors of a tile's rows to scratch as they are multiplied, and their sums in blocks, where products
  /// want that.
  void prepare(const RegisterTile &tile);
  /// All products of a tile, for each of which `emit` gets the sums. Where a row isn't finite, or so near
  /// to the limits of f32 that its products with numbers may pass them, columns are made element by element.
  void multiply(const RegisterTile &tile,
                llvm::function_ref<void(llvm::function_ref<mlir::Value(const RegisterTile &)>)> emit);

private:
  mlir::Value areFinite(const RegisterTile &tile);
  mlir::Value multiplyNumbers(const RegisterTile &tile);
  mlir::Value multiplyElements(const RegisterTile &tile);
  mlir::Value prepareProducts(const RegisterTile &tile, mlir::AffineExpr place, mlir::AffineExpr k, int64_t products);
  void prepareBlock(const RegisterTile &tile, mlir::AffineExpr place, mlir::AffineExpr number, int64_t products);
  mlir::Value addProducts(const RegisterTile &tile, mlir::AffineExpr first, int64_t products, bool areNumbers,
                          mlir::Value sums);
  mlir::Value addShared(const RegisterTile &tile, mlir::AffineExpr number, mlir::Value ofBlock, mlir::Value sums);

  TileBuilder &b;
  ContractionPlan &plan;
  RowOperand &rows;
  ExpressionColumns &columns;
  int64_t products;                ///< there are
  bool areNumbers;                 ///< whether elements are what is stored
  mlir::Value factors, sumsOfRows; ///< scratch, or null
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_EXPRESSIONSUMS_H
