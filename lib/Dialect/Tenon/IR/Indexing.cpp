//===- Indexing.cpp - Ops that read or write places given by data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Verification.h"

using namespace mlir;
using namespace tenon;

/// Positions, dims and batch_dims, which gather and scatter share.
static LogicalResult verifyPositions(Operation *op, RankedTensorType operand, RankedTensorType indices,
                                     ArrayRef<int64_t> dims, int64_t batch) {
  if (indices.getRank() < 1)
    return op->emitOpError("expects indices of rank 1 or more, but has ") << indices;
  if (batch < 0 || batch > indices.getRank() - 1 || batch > operand.getRank())
    return op->emitOpError("expects batch_dims below the ranks of operand and indices, but has ") << batch;
  for (int64_t dim = 0; dim < batch; ++dim)
    if (!operand.isDynamicDim(dim) && !indices.isDynamicDim(dim) && operand.getDimSize(dim) != indices.getDimSize(dim))
      return op->emitOpError("expects one size of batch dimension ")
             << dim << ", but has " << operand.getDimSize(dim) << " and " << indices.getDimSize(dim);
  int64_t last = batch - 1;
  for (int64_t dim : dims) {
    if (dim <= last || dim >= operand.getRank())
      return op->emitOpError("expects ascending dims from batch_dims to below ")
             << operand.getRank() << ", but has " << dim;
    last = dim;
  }
  int64_t positions = indices.getDimSize(indices.getRank() - 1);
  if (positions != (int64_t)dims.size())
    return op->emitOpError("expects ") << dims.size() << " positions in the last dimension of indices, but has "
                                       << positions;
  return success();
}

/// The sizes of what is read or written: those of the indices, then those of the operand that no position names.
template <typename Size>
static SmallVector<Size> sizesOfSlices(ArrayRef<Size> operand, ArrayRef<Size> indices, ArrayRef<int64_t> dims,
                                       int64_t batch) {
  SmallVector<Size> result(indices.drop_back());
  for (auto [dim, size] : llvm::enumerate(operand))
    if ((int64_t)dim >= batch && !llvm::is_contained(dims, (int64_t)dim))
      result.push_back(size);
  return result;
}

LogicalResult GatherOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto indices = cast<RankedTensorType>(getIndices().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t batch = getBatchDims();
  if (getMode() == IndexMode::drop)
    return emitOpError("expects mode error, clamp or wrap");
  if (failed(verifyPositions(*this, operand, indices, getDims(), batch)))
    return failure();
  int64_t rank = indices.getRank() - 1 + operand.getRank() - batch - getDims().size();
  if (result.getRank() != rank || result.getElementType() != operand.getElementType())
    return emitOpError("expects a result of rank ") << rank << " and the operand's element type, but has " << result;
  return verifyResultSizes(cast<OpResult>(getResult()));
}

SmallVector<AffineExpr> GatherOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> operand = sizes.sizesOf(getOperand()), indices = sizes.sizesOf(getIndices());
  return sizesOfSlices<AffineExpr>(operand, indices, getDims(), getBatchDims());
}

//===----------------------------------------------------------------------===//
// ScatterOp
//===----------------------------------------------------------------------===//

LogicalResult ScatterOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto indices = cast<RankedTensorType>(getIndices().getType());
  auto updates = cast<RankedTensorType>(getUpdates().getType());
  if (getCombiner() == Combiner::mean)
    return emitOpError("expects sum, prod, min or max, but has mean");
  if (failed(verifyPositions(*this, operand, indices, getDims(), getBatchDims())))
    return failure();
  SmallVector<int64_t> expected =
      sizesOfSlices<int64_t>(operand.getShape(), indices.getShape(), getDims(), getBatchDims());
  if (updates.getElementType() != operand.getElementType() ||
      failed(verifyCompatibleShape(expected, updates.getShape())))
    return emitOpError("expects updates of type ")
           << RankedTensorType::get(expected, operand.getElementType()) << ", but has " << updates;
  return success();
}

SmallVector<AffineExpr> ScatterOp::resultSizes(SizeAnalysis &sizes, unsigned) { return sizes.sizesOf(getOperand()); }

//===----------------------------------------------------------------------===//
// TopKOp
//===----------------------------------------------------------------------===//

LogicalResult TopKOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto values = cast<RankedTensorType>(getValues().getType());
  int64_t dim = getDim();
  if (dim < 0 || dim >= operand.getRank())
    return emitOpError("expects a dimension below ") << operand.getRank() << ", but has " << dim;
  if (getStaticK().size() != 1 || ShapedType::isDynamic(getStaticK()[0]) != !getK().empty())
    return emitOpError("expects one k");
  int64_t k = getStaticK()[0], size = operand.getDimSize(dim);
  if (!ShapedType::isDynamic(k) && (k < 0 || (!ShapedType::isDynamic(size) && k > size)))
    return emitOpError("expects k from 0 to the size of dimension ") << dim << ", but has " << k;
  SmallVector<int64_t> expected(operand.getShape());
  expected[dim] = k;
  if (values.getElementType() != operand.getElementType() ||
      failed(verifyCompatibleShape(expected, values.getShape())) ||
      values.getShape() != cast<RankedTensorType>(getIndices().getType()).getShape())
    return emitOpError("expects values of type ")
           << RankedTensorType::get(expected, operand.getElementType()) << " and indices of that shape, but has "
           << values << " and " << getIndices().getType();
  return success();
}

SmallVector<AffineExpr> TopKOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getOperand());
  result[getDim()] = sizes.expressionsOf(getMixedK())[0];
  return result;
}

SmallVector<AffineExpr> NonZeroOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  int64_t rank = cast<RankedTensorType>(getOperand().getType()).getRank();
  return {sizes.constant(rank), getCount() ? sizes.expressionOf(getCount()) : AffineExpr()};
}

//===----------------------------------------------------------------------===//
// SuppressOp
//===----------------------------------------------------------------------===//

LogicalResult SuppressOp::verify() {
  auto candidates = cast<RankedTensorType>(getCandidates().getType());
  auto boxes = cast<RankedTensorType>(getBoxes().getType());
  if (candidates.getRank() == 0)
    return emitOpError("expects candidates of rank 1 or more, but has ") << candidates;
  SmallVector<int64_t> expected(candidates.getShape());
  expected.insert(expected.end() - 1, 4);
  if (failed(verifyCompatibleShape(expected, boxes.getShape())))
    return emitOpError("expects boxes of type ")
           << RankedTensorType::get(expected, boxes.getElementType()) << ", but has " << boxes;
  return success();
}

SmallVector<AffineExpr> SuppressOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.sizesOf(getCandidates());
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonIndexing.cpp.inc"
