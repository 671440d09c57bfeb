//===- Indexing.cpp - Ops that read or write places given by data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;

LogicalResult GatherOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto indices = cast<RankedTensorType>(getIndices().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t batch = getBatchDims();
  if (getMode() == IndexMode::drop)
    return emitOpError("expects mode error, clamp or wrap");
  if (indices.getRank() < 1 || !indices.getElementType().isInteger())
    return emitOpError("expects integer indices of rank 1 or more, but has ") << indices;
  if (batch < 0 || batch > indices.getRank() - 1 || batch > operand.getRank())
    return emitOpError("expects batch_dims below the ranks of operand and indices, but has ") << batch;
  int64_t last = batch - 1;
  for (int64_t dim : getDims()) {
    if (dim <= last || dim >= operand.getRank())
      return emitOpError("expects ascending dims from batch_dims to below ") << operand.getRank() << ", but has "
                                                                             << dim;
    last = dim;
  }
  int64_t positions = indices.getDimSize(indices.getRank() - 1);
  if (positions != (int64_t)getDims().size())
    return emitOpError("expects ") << getDims().size() << " positions in the last dimension of indices, but has "
                                   << positions;
  int64_t rank = indices.getRank() - 1 + operand.getRank() - batch - getDims().size();
  if (result.getRank() != rank || result.getElementType() != operand.getElementType())
    return emitOpError("expects a result of rank ") << rank << " and the operand's element type, but has " << result;
  return success();
}

SmallVector<AffineExpr> GatherOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getIndices());
  result.pop_back();
  for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(getOperand())))
    if ((int64_t)dim >= (int64_t)getBatchDims() && !llvm::is_contained(getDims(), (int64_t)dim))
      result.push_back(size);
  return result;
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonIndexing.cpp.inc"
