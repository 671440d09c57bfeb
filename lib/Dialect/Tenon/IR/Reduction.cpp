//===- Reduction.cpp - Reductions over dimensions and windows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Verification.h"

using namespace mlir;
using namespace tenon;

static SmallVector<utils::IteratorType> reductionIterators(int64_t rank, ArrayRef<int64_t> dims) {
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  for (int64_t dim : dims)
    iterators[dim] = utils::IteratorType::reduction;
  return iterators;
}

static AffineMap keptDims(int64_t rank, ArrayRef<int64_t> dims, MLIRContext *context) {
  SmallVector<AffineExpr> kept;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(dims, i))
      kept.push_back(getAffineDimExpr(i, context));
  return AffineMap::get(rank, 0, kept, context);
}

static LogicalResult verifyReducedShape(Operation *op, ArrayRef<int64_t> dims) {
  auto operand = cast<RankedTensorType>(op->getOperand(0).getType());
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  if (failed(verifyDims(op, dims, operand.getRank())))
    return failure();
  SmallVector<int64_t> expected;
  for (auto [dim, size] : llvm::enumerate(operand.getShape()))
    if (!llvm::is_contained(dims, (int64_t)dim))
      expected.push_back(size);
  if (failed(verifyCompatibleShape(expected, result.getShape())))
    return op->emitOpError("expects a result of the dimensions that are kept, but has ") << result;
  return success();
}

static int64_t rankOf(Value value) { return cast<RankedTensorType>(value.getType()).getRank(); }

SmallVector<utils::IteratorType> ReduceOp::getLoopIterators() {
  return reductionIterators(rankOf(getOperand()), getDims());
}
SmallVector<AffineMap> ReduceOp::getOperandMaps() {
  return {AffineMap::getMultiDimIdentityMap(rankOf(getOperand()), getContext())};
}
SmallVector<AffineMap> ReduceOp::getResultMaps() { return {keptDims(rankOf(getOperand()), getDims(), getContext())}; }
LogicalResult ReduceOp::verify() {
  if (getElementTypeOrSelf(getOperand()) != getElementTypeOrSelf(getResult()))
    return emitOpError("expects operand and result of one element type");
  return verifyReducedShape(*this, getDims());
}

SmallVector<utils::IteratorType> ArgReduceOp::getLoopIterators() {
  return reductionIterators(rankOf(getOperand()), {(int64_t)getDim()});
}
SmallVector<AffineMap> ArgReduceOp::getOperandMaps() {
  return {AffineMap::getMultiDimIdentityMap(rankOf(getOperand()), getContext())};
}
SmallVector<AffineMap> ArgReduceOp::getResultMaps() {
  return {keptDims(rankOf(getOperand()), {(int64_t)getDim()}, getContext())};
}
LogicalResult ArgReduceOp::verify() {
  if (getCombiner() != Combiner::min && getCombiner() != Combiner::max)
    return emitOpError("expects min or max, but has ") << stringifyCombiner(getCombiner());
  return verifyReducedShape(*this, {(int64_t)getDim()});
}

LogicalResult WindowOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  size_t spatial = getSizes().size();
  if (spatial == 0 || getSpatialDim() < 0 || getStrides().size() != spatial || getDilations().size() != spatial ||
      getPads().size() != 2 * spatial)
    return emitOpError("expects at most ")
           << operand.getRank() - (int64_t)getChannelsLast() << " window sizes, as many strides and dilations, and "
           << "twice as many pads";
  if (failed(verifyPositive(*this, "sizes", getSizes())) || failed(verifyPositive(*this, "strides", getStrides())) ||
      failed(verifyPositive(*this, "dilations", getDilations())) || failed(verifyPads(*this, getPads())))
    return failure();
  if (result.getRank() != operand.getRank() || result.getElementType() != operand.getElementType())
    return emitOpError("expects a result of the operand's rank and element type, but has ") << result;
  return verifyResultSizes(cast<OpResult>(getResult()));
}

/// The dimensions of the result, then the taps.
SmallVector<utils::IteratorType> WindowOp::getLoopIterators() {
  SmallVector<utils::IteratorType> iterators = parallelIterators(*this);
  iterators.append(getSizes().size(), utils::IteratorType::reduction);
  return iterators;
}

SmallVector<AffineMap> WindowOp::getOperandMaps() {
  int64_t rank = rankOf(getOperand()), spatial = getSizes().size(), first = getSpatialDim();
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < rank; ++i)
    read.push_back(getAffineDimExpr(i, getContext()));
  for (int64_t i = 0; i < spatial; ++i)
    read[first + i] = windowPlace(read[first + i], getAffineDimExpr(rank + i, getContext()), getStrides()[i],
                                  getDilations()[i], getPads()[i]);
  return {AffineMap::get(rank + spatial, 0, read, getContext())};
}

SmallVector<AffineMap> WindowOp::getResultMaps() {
  int64_t rank = rankOf(getOperand());
  return {AffineMap::getMultiDimIdentityMap(rank + getSizes().size(), getContext()).getMajorSubMap(rank)};
}

SmallVector<AffineExpr> WindowOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getOperand());
  size_t spatial = getSizes().size(), first = getSpatialDim();
  for (size_t i = 0; i < spatial; ++i) {
    AffineExpr size = result[first + i];
    int64_t reach = getDilations()[i] * (getSizes()[i] - 1) + 1, stride = getStrides()[i];
    AffineExpr extent = size + (getPads()[i] + getPads()[i + spatial] - reach);
    if (!getCeil()) {
      result[first + i] = extent.floorDiv(stride) + 1;
      continue;
    }
    // The last window must start within operand or low padding: its number is at most (size + low - 1) / stride.
    // Both bounds are floors of size plus a constant over the stride, so the same one is smaller at every size.
    int64_t low = getPads()[i], high = getPads()[i + spatial];
    result[first + i] = high + stride <= reach ? extent.ceilDiv(stride) + 1 : (size + (low - 1)).floorDiv(stride) + 1;
  }
  return result;
}

LogicalResult ScanOp::verify() {
  if (getCombiner() == Combiner::mean)
    return emitOpError("expects sum, prod, min or max, but has mean");
  if ((int64_t)getDim() < 0 || (int64_t)getDim() >= rankOf(getOperand()))
    return emitOpError("expects a dimension below ") << rankOf(getOperand()) << ", but has " << (int64_t)getDim();
  return success();
}

SmallVector<AffineExpr> ScanOp::resultSizes(SizeAnalysis &sizes, unsigned) { return sizes.sizesOf(getOperand()); }

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonReduction.cpp.inc"
