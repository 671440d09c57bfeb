//===- TenonInterfaces.h - What graph passes ask of an op ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONINTERFACES_H
#define TENON_DIALECT_TENON_IR_TENONINTERFACES_H

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/OpDefinition.h"

namespace tenon {
class SizeAnalysis;

/// Iterators and maps of an op whose operands and results all have one shape.
llvm::SmallVector<mlir::utils::IteratorType> parallelIterators(mlir::Operation *op);
llvm::SmallVector<mlir::AffineMap> identityOperandMaps(mlir::Operation *op);
llvm::SmallVector<mlir::AffineMap> identityResultMaps(mlir::Operation *op);

/// Where a window reads its operand along one dimension: `position * stride + tap * dilation - pad`.
mlir::AffineExpr windowPlace(mlir::AffineExpr position, mlir::AffineExpr tap, int64_t stride, int64_t dilation,
                             int64_t pad);
} // namespace tenon

#include "tenon/Dialect/Tenon/IR/TenonInterfaces.h.inc"

#endif // TENON_DIALECT_TENON_IR_TENONINTERFACES_H
