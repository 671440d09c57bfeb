//===- ExpressionSyntax.h - Affine expressions in the text of tile programs ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TILE_IR_EXPRESSIONSYNTAX_H
#define TENON_LIB_DIALECT_TILE_IR_EXPRESSIONSYNTAX_H

#include "tenon/Dialect/Tile/IR/TilePrograms.h"

namespace tenon::tile {
/// Affine expressions of SSA names, as they are parsed one after the other, become one map and its operands.
class ExpressionParser {
public:
  explicit ExpressionParser(mlir::OpAsmParser &parser) : parser(parser) {}

  mlir::ParseResult parseExpression() {
    llvm::SmallVector<mlir::OpAsmParser::UnresolvedOperand> itsDims, itsSymbols;
    mlir::AffineExpr expression;
    if (parser.parseAffineExprOfSSAIds(itsDims, itsSymbols, expression))
      return mlir::failure();
    llvm::SmallVector<mlir::AffineExpr> newDims, newSymbols;
    for (mlir::OpAsmParser::UnresolvedOperand &operand : itsDims)
      newDims.push_back(mlir::getAffineDimExpr(positionOf(operand, dims), parser.getContext()));
    for (mlir::OpAsmParser::UnresolvedOperand &operand : itsSymbols)
      newSymbols.push_back(mlir::getAffineSymbolExpr(positionOf(operand, symbols), parser.getContext()));
    results.push_back(expression.replaceDimsAndSymbols(newDims, newSymbols));
    return mlir::success();
  }
  /// For a coordinate that isn't an index.
  void addZero() { results.push_back(mlir::getAffineConstantExpr(0, parser.getContext())); }

  mlir::AffineMapAttr getMap() const {
    return mlir::AffineMapAttr::get(mlir::AffineMap::get(dims.size(), symbols.size(), results, parser.getContext()));
  }
  void appendOperands(llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand> &operands) const {
    llvm::append_range(operands, dims);
    llvm::append_range(operands, symbols);
  }
  /// Resolves the operands as index values.
  mlir::ParseResult resolve(llvm::SmallVectorImpl<mlir::Value> &operands) const {
    mlir::Type index = parser.getBuilder().getIndexType();
    return mlir::failure(parser.resolveOperands(dims, index, operands) ||
                         parser.resolveOperands(symbols, index, operands));
  }

private:
  static unsigned positionOf(const mlir::OpAsmParser::UnresolvedOperand &operand,
                             llvm::SmallVectorImpl<mlir::OpAsmParser::UnresolvedOperand> &known) {
    auto isSame = [&](const mlir::OpAsmParser::UnresolvedOperand &other) {
      return other.name == operand.name && other.number == operand.number;
    };
    auto found = llvm::find_if(known, isSame);
    if (found == known.end())
      found = known.insert(known.end(), operand);
    return found - known.begin();
  }

  mlir::OpAsmParser &parser;
  llvm::SmallVector<mlir::OpAsmParser::UnresolvedOperand> dims, symbols;
  llvm::SmallVector<mlir::AffineExpr> results;
};

inline void printExpression(mlir::OpAsmPrinter &printer, mlir::AffineMap map, unsigned result,
                            mlir::ValueRange operands) {
  printer.printAffineExprOfSSAIds(map.getResult(result), operands.take_front(map.getNumDims()),
                                  operands.drop_front(map.getNumDims()));
}
} // namespace tenon::tile

#endif // TENON_LIB_DIALECT_TILE_IR_EXPRESSIONSYNTAX_H
