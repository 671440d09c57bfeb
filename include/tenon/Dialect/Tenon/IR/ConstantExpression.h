//===- ConstantExpression.h - Arithmetic on elements of constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_CONSTANTEXPRESSION_H
#define TENON_DIALECT_TENON_IR_CONSTANTEXPRESSION_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include <optional>

namespace tenon {

/// A tensor whose elements are arithmetic on elements of constants, as weights are that a graph widens, scales or
/// dequantises: the constants take fewer bytes than what is made of them, so whoever multiplies with it computes it
/// where it is read. Between the arithmetic elements may be moved, as long as each dimension of a constant runs along
/// one of the tensor, or repeats within it in blocks.
class ConstantExpression {
public:
  /// Part of a dimension of a constant: it runs along dimension `dim` of the tensor, `size` places, one every `step`.
  struct Digit {
    unsigned dim;
    int64_t size, step;
  };
  /// A constant, or an element that is the same everywhere.
  struct Leaf {
    mlir::Value value;                                   ///< or null
    mlir::TypedAttr number;                              ///< or null
    llvm::SmallVector<llvm::SmallVector<Digit, 1>> dims; ///< parts of each dimension, the inner ones last
    mlir::Type getElement() const { return value ? mlir::getElementTypeOrSelf(value.getType()) : number.getType(); }
    /// How far places of dimension `dim` are apart in the tensor: 1 where each has an element of its own, 0 where all
    /// share one, else the size of a block.
    int64_t stepAlong(unsigned dim) const;
  };
  /// An op on elements, of earlier nodes; or a leaf, by its number.
  struct Node {
    mlir::Operation *op; ///< or null
    unsigned leaf;
    llvm::SmallVector<unsigned, 2> operands;
  };

  /// Nothing where `root` is no such tensor, or a constant itself. `isConstant` says what its constants may be.
  static std::optional<ConstantExpression> of(mlir::Value root, llvm::function_ref<bool(mlir::Value)> isConstant);
  /// That of a graph, whose constants are `tenon.constant`.
  static std::optional<ConstantExpression> of(mlir::Value root);

  mlir::RankedTensorType getType() const { return type; }
  llvm::ArrayRef<Leaf> getLeaves() const { return leaves; }
  /// Operands first, the root last.
  llvm::ArrayRef<Node> getNodes() const { return nodes; }
  /// All ops in the order of operands before users, those that move elements and constants of one element, too.
  llvm::ArrayRef<mlir::Operation *> getOps() const { return ops; }
  /// What the constants take in memory.
  int64_t getBytes() const;

  /// A leaf as a matrix, made by ops that move its elements: rows along dimension `row` of the tensor, columns along
  /// `column`; one of either where it doesn't depend on that.
  static mlir::Value asMatrix(mlir::OpBuilder &builder, mlir::Value leaf, const Leaf &like, unsigned row,
                              unsigned column);

private:
  class Walk;
  mlir::RankedTensorType type;
  llvm::SmallVector<Leaf> leaves;
  llvm::SmallVector<Node> nodes;
  llvm::SmallVector<mlir::Operation *> ops;
};

/// The columns that rows are multiplied with, where they are such a matrix of fewer bytes.
std::optional<ConstantExpression> constantColumns(ContractOp op, llvm::function_ref<bool(mlir::Value)> isConstant);
std::optional<ConstantExpression> constantColumns(ContractOp op);

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_CONSTANTEXPRESSION_H
