//===- DataMovement.cpp - Ops that move elements by affine rules ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Verification.h"

using namespace mlir;
using namespace tenon;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// Whether a list of static and dynamic sizes is that of a type, with one operand per dynamic size.
static LogicalResult verifySizes(Operation *op, RankedTensorType type, ArrayRef<int64_t> staticSizes,
                                 size_t dynamicSizes) {
  if ((int64_t)staticSizes.size() != type.getRank())
    return op->emitOpError("expects ") << type.getRank() << " sizes, but has " << staticSizes.size();
  if (failed(verifyMixed(op, "size", staticSizes, dynamicSizes)))
    return failure();
  for (auto [i, size] : llvm::enumerate(staticSizes)) {
    if (!ShapedType::isDynamic(size) && size < 0)
      return op->emitOpError("expects sizes that aren't negative, but has ") << size;
    if (!ShapedType::isDynamic(size) && !type.isDynamicDim(i) && type.getDimSize(i) != size)
      return op->emitOpError("expects size ")
             << size << " of result dimension " << i << ", but it is " << type.getDimSize(i);
  }
  return success();
}

static LogicalResult verifySameElementType(Operation *op, Value operand, Value result) {
  if (typeOf(operand).getElementType() != typeOf(result).getElementType())
    return op->emitOpError("expects operand and result of one element type, but has ")
           << typeOf(operand).getElementType() << " and " << typeOf(result).getElementType();
  return success();
}

//===----------------------------------------------------------------------===//
// ConstantOp
//===----------------------------------------------------------------------===//

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::verify() {
  // Elements, a blob, or what another dialect makes of one.
  auto type = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type || !type.hasStaticShape())
    return emitOpError("expects the elements of a tensor, but has ") << getValue();
  if (isa<StringType>(type.getElementType()) != isa<DenseStringElementsAttr>(getValue()))
    return emitOpError("expects strings one by one, and nothing else as strings, but has ") << getValue();
  return success();
}

//===----------------------------------------------------------------------===//
// ReshapeOp, BroadcastOp, IotaOp: sizes are listed
//===----------------------------------------------------------------------===//

LogicalResult ReshapeOp::verify() {
  RankedTensorType from = typeOf(getOperand()), to = typeOf(getResult());
  if (from.hasStaticShape() && to.hasStaticShape() && from.getNumElements() != to.getNumElements())
    return emitOpError("expects ") << from.getNumElements() << " elements in the result, but has "
                                   << to.getNumElements();
  if (failed(verifySameElementType(*this, getOperand(), getResult())))
    return failure();
  return verifySizes(*this, to, getStaticSizes(), getSizes().size());
}

SmallVector<AffineExpr> ReshapeOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.expressionsOf(getMixedSizes());
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType from = typeOf(getOperand()), to = typeOf(getResult());
  if ((int64_t)getDims().size() != from.getRank())
    return emitOpError("expects ") << from.getRank() << " dims, one per operand dimension, but has "
                                   << getDims().size();
  int64_t last = -1;
  for (auto [dim, size] : llvm::zip(getDims(), from.getShape())) {
    if (dim <= last || dim >= to.getRank())
      return emitOpError("expects ascending dims below ") << to.getRank() << ", but has " << dim;
    if (!ShapedType::isDynamic(size) && size != 1 && !to.isDynamicDim(dim) && to.getDimSize(dim) != size)
      return emitOpError("expects size 1 or ")
             << to.getDimSize(dim) << " of the operand dimension that becomes " << dim << ", but it is " << size;
    last = dim;
  }
  if (failed(verifySameElementType(*this, getOperand(), getResult())))
    return failure();
  return verifySizes(*this, to, getStaticSizes(), getSizes().size());
}

SmallVector<AffineExpr> BroadcastOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.expressionsOf(getMixedSizes());
}

LogicalResult IotaOp::verify() {
  if ((int64_t)getDim() < 0 || (int64_t)getDim() >= typeOf(getResult()).getRank())
    return emitOpError("expects a dimension below ")
           << typeOf(getResult()).getRank() << ", but has " << (int64_t)getDim();
  return verifySizes(*this, typeOf(getResult()), getStaticSizes(), getSizes().size());
}

SmallVector<AffineExpr> IotaOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.expressionsOf(getMixedSizes());
}

//===----------------------------------------------------------------------===//
// TransposeOp
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> TransposeOp::getLoopIterators() { return parallelIterators(*this); }
SmallVector<AffineMap> TransposeOp::getOperandMaps() {
  SmallVector<AffineExpr> expressions(getPermutation().size());
  for (auto [i, dim] : llvm::enumerate(getPermutation()))
    expressions[dim] = getAffineDimExpr(i, getContext());
  return {AffineMap::get(expressions.size(), 0, expressions, getContext())};
}
SmallVector<AffineMap> TransposeOp::getResultMaps() { return identityResultMaps(*this); }

LogicalResult TransposeOp::verify() {
  RankedTensorType from = typeOf(getOperand()), to = typeOf(getResult());
  SmallVector<int64_t> sorted(getPermutation());
  llvm::sort(sorted);
  if ((int64_t)sorted.size() != from.getRank() || from.getRank() != to.getRank() ||
      !llvm::equal(sorted, llvm::seq<int64_t>(0, from.getRank())))
    return emitOpError("expects a permutation of ") << from.getRank() << " dimensions";
  SmallVector<int64_t> expected;
  for (int64_t dim : getPermutation())
    expected.push_back(from.getDimSize(dim));
  if (failed(verifyCompatibleShape(expected, to.getShape())))
    return emitOpError("expects a result of the permuted sizes, but has ") << to;
  return verifySameElementType(*this, getOperand(), getResult());
}

//===----------------------------------------------------------------------===//
// SliceOp
//===----------------------------------------------------------------------===//

LogicalResult SliceOp::verify() {
  if (failed(verifySingle(*this, {0})))
    return failure();
  RankedTensorType from = typeOf(getOperand());
  size_t rank = from.getRank();
  if (getStaticOffsets().size() != rank || getStaticStrides().size() != rank)
    return emitOpError("expects ") << rank << " offsets and strides";
  if (failed(verifyMixed(*this, "offset", getStaticOffsets(), getOffsets().size())) ||
      failed(verifyMixed(*this, "stride", getStaticStrides(), getStrides().size())))
    return failure();
  for (auto [i, size] : llvm::enumerate(from.getShape())) {
    int64_t offset = getStaticOffsets()[i], count = i < getStaticSizes().size() ? getStaticSizes()[i] : 0,
            stride = getStaticStrides()[i];
    if (llvm::any_of(ArrayRef<int64_t>{size, offset, count, stride}, ShapedType::isDynamic) || count == 0)
      continue;
    int64_t last = 0;
    bool overflows = llvm::MulOverflow(count - 1, stride, last) || llvm::AddOverflow(offset, last, last);
    if (overflows || offset < 0 || last < 0 || offset >= size || last >= size)
      return emitOpError("reads places ")
             << offset << " to " << last << " of dimension " << i << ", which has " << size;
  }
  if (failed(verifySameElementType(*this, getOperand(), getResult())))
    return failure();
  return verifySizes(*this, typeOf(getResult()), getStaticSizes(), getSizes().size());
}

SmallVector<AffineExpr> SliceOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.expressionsOf(getMixedSizes());
}

//===----------------------------------------------------------------------===//
// PadOp
//===----------------------------------------------------------------------===//

LogicalResult PadOp::verify() {
  if (failed(verifySingle(*this, {0, 1})))
    return failure();
  RankedTensorType from = typeOf(getOperand());
  if (getStaticLow().size() != (size_t)from.getRank() || getStaticHigh().size() != (size_t)from.getRank() ||
      typeOf(getResult()).getRank() != from.getRank())
    return emitOpError("expects ") << from.getRank() << " low and high amounts and a result of that rank";
  if (failed(verifyMixed(*this, "low amount", getStaticLow(), getLow().size())) ||
      failed(verifyMixed(*this, "high amount", getStaticHigh(), getHigh().size())))
    return failure();
  if (typeOf(getValue()).getRank() != 0)
    return emitOpError("expects a value of rank 0, but has ") << typeOf(getValue());
  if (failed(verifySameElementType(*this, getValue(), getResult())) ||
      failed(verifySameElementType(*this, getOperand(), getResult())))
    return failure();
  for (int64_t d = 0; getMode() != PadMode::constant && d < from.getRank(); ++d)
    if (from.getDimSize(d) == 0 && !from.isDynamicDim(d) && typeOf(getResult()).getDimSize(d) > 0)
      return emitOpError("has no elements to repeat in dimension ") << d;
  return verifyResultSizes(cast<OpResult>(getResult()));
}

SmallVector<AffineExpr> PadOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getOperand());
  for (auto [size, low, high] :
       llvm::zip(result, sizes.expressionsOf(getMixedLow()), sizes.expressionsOf(getMixedHigh())))
    size = size + low + high;
  return result;
}

//===----------------------------------------------------------------------===//
// ConcatOp
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::verify() {
  RankedTensorType to = typeOf(getResult());
  if (getOperands().empty())
    return emitOpError("expects an operand");
  if ((int64_t)getDim() < 0 || (int64_t)getDim() >= to.getRank())
    return emitOpError("expects a dimension below ") << to.getRank() << ", but has " << (int64_t)getDim();
  int64_t total = 0;
  for (Value operand : getOperands()) {
    RankedTensorType from = typeOf(operand);
    if (from.getRank() != to.getRank() || from.getElementType() != to.getElementType())
      return emitOpError("expects operands of the result's rank and element type, but has ") << from;
    for (int64_t i = 0; i < to.getRank(); ++i)
      if (i != (int64_t)getDim() && !from.isDynamicDim(i) && !to.isDynamicDim(i) &&
          from.getDimSize(i) != to.getDimSize(i))
        return emitOpError("expects size ") << to.getDimSize(i) << " of dimension " << i << " in every operand, but "
                                            << "one has " << from.getDimSize(i);
    int64_t size = from.getDimSize(getDim());
    if (ShapedType::isDynamic(size) || ShapedType::isDynamic(total))
      total = ShapedType::kDynamic;
    else if (llvm::AddOverflow(total, size, total))
      return emitOpError("has more elements along dimension ") << getDim() << " than 64 bits can count";
  }
  if (!ShapedType::isDynamic(total) && !to.isDynamicDim(getDim()) && to.getDimSize(getDim()) != total)
    return emitOpError("expects size ") << total << " of result dimension " << getDim() << ", but it is "
                                        << to.getDimSize(getDim());
  return success();
}

SmallVector<AffineExpr> ConcatOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getOperands().front());
  for (Value operand : getOperands().drop_front())
    for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(operand))) {
      if (dim == getDim())
        result[dim] = result[dim] + size;
      else if (!isa<AffineConstantExpr>(result[dim]))
        result[dim] = size; // operands agree here: a static size says most
    }
  return result;
}

//===----------------------------------------------------------------------===//
// UnfoldOp
//===----------------------------------------------------------------------===//

LogicalResult UnfoldOp::verify() {
  auto operand = cast<RankedTensorType>(getOperand().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  int64_t spatial = operand.getRank() - 2;
  if (spatial < 1 || result.getRank() != 2 + 2 * spatial || result.getElementType() != operand.getElementType())
    return emitOpError("expects an operand of rank n + 2 and a result of rank 2n + 2 of one element type, but has ")
           << operand << " and " << result;
  if ((int64_t)getSizes().size() != spatial || (int64_t)getStrides().size() != spatial ||
      (int64_t)getDilations().size() != spatial || (int64_t)getPads().size() != 2 * spatial)
    return emitOpError("expects ") << spatial << " sizes, strides and dilations and " << 2 * spatial << " pads";
  if (failed(verifyPositive(*this, "sizes", getSizes())) || failed(verifyPositive(*this, "strides", getStrides())) ||
      failed(verifyPositive(*this, "dilations", getDilations())) || failed(verifyPads(*this, getPads())))
    return failure();
  return verifyResultSizes(cast<OpResult>(getResult()));
}

SmallVector<utils::IteratorType> UnfoldOp::getLoopIterators() { return parallelIterators(*this); }

SmallVector<AffineMap> UnfoldOp::getOperandMaps() {
  int64_t spatial = getSizes().size(), rank = 2 + 2 * spatial;
  auto dim = [&](int64_t i) { return getAffineDimExpr(i, getContext()); };
  SmallVector<AffineExpr> read = {dim(0), dim(1)};
  for (int64_t i = 0; i < spatial; ++i)
    read.push_back(windowPlace(dim(2 + spatial + i), dim(2 + i), getStrides()[i], getDilations()[i], getPads()[i]));
  return {AffineMap::get(rank, 0, read, getContext())};
}

SmallVector<AffineMap> UnfoldOp::getResultMaps() { return identityResultMaps(*this); }

SmallVector<AffineExpr> UnfoldOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> operand = sizes.sizesOf(getOperand());
  SmallVector<AffineExpr> result(ArrayRef(operand).take_front(2));
  for (int64_t size : getSizes())
    result.push_back(sizes.constant(size));
  size_t spatial = getSizes().size();
  for (size_t i = 0; i < spatial; ++i) {
    AffineExpr extent =
        operand[i + 2] + (getPads()[i] + getPads()[i + spatial] - getDilations()[i] * (getSizes()[i] - 1) - 1);
    result.push_back(extent.floorDiv(getStrides()[i]) + 1);
  }
  return result;
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonDataMovement.cpp.inc"
