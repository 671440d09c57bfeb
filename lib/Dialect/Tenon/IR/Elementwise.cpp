//===- Elementwise.cpp - One result element from one element of each operand ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;

static int64_t resultRank(Operation *op) { return cast<RankedTensorType>(op->getResult(0).getType()).getRank(); }

SmallVector<utils::IteratorType> tenon::parallelIterators(Operation *op) {
  return SmallVector<utils::IteratorType>(resultRank(op), utils::IteratorType::parallel);
}

SmallVector<AffineMap> tenon::identityOperandMaps(Operation *op) {
  return SmallVector<AffineMap>(op->getNumOperands(),
                                AffineMap::getMultiDimIdentityMap(resultRank(op), op->getContext()));
}

SmallVector<AffineMap> tenon::identityResultMaps(Operation *op) {
  return SmallVector<AffineMap>(op->getNumResults(),
                                AffineMap::getMultiDimIdentityMap(resultRank(op), op->getContext()));
}

AffineExpr tenon::windowPlace(AffineExpr position, AffineExpr tap, int64_t stride, int64_t dilation, int64_t pad) {
  return position * stride + tap * dilation - pad;
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonElementwise.cpp.inc"
