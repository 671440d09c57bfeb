//===- ShapeArithmetic.h - Sizes as elements of tensors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_SHAPEARITHMETIC_H
#define TENON_DIALECT_TENON_IR_SHAPEARITHMETIC_H

#include "mlir/IR/OpDefinition.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"

namespace tenon {

/// The elements of a small integer tensor, row by row. A null expression is one of which nothing is known; none, where
/// nothing is known of any.
using ShapeElements = std::optional<llvm::SmallVector<mlir::AffineExpr>>;

/// Whether an expression of sizes, which aren't negative, can't be negative itself: no subtraction in it.
bool isNonNegative(mlir::AffineExpr expression);

/// Attaches `ShapeArithmeticInterface` to the ops of the graph dialect.
void attachShapeArithmetic(mlir::MLIRContext *context);

} // namespace tenon

#include "tenon/Dialect/Tenon/IR/ShapeArithmeticInterface.h.inc"

#endif // TENON_DIALECT_TENON_IR_SHAPEARITHMETIC_H
