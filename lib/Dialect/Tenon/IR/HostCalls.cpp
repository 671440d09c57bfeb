//===- HostCalls.cpp - Ops that functions on the host compute ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;

/// Whether a value may be what a sequence or optional of that type holds: the same, up to sizes and to a rank that
/// isn't stated.
static bool isElement(Type value, Type element) {
  auto tensor = dyn_cast<RankedTensorType>(value);
  if (!tensor)
    return value == element;
  if (auto ranked = dyn_cast<RankedTensorType>(element))
    return tensor.getElementType() == ranked.getElementType() &&
           succeeded(verifyCompatibleShape(tensor.getShape(), ranked.getShape()));
  auto unranked = dyn_cast<UnrankedTensorType>(element);
  return unranked && tensor.getElementType() == unranked.getElementType();
}

/// What a sequence or optional holds.
static Type held(Type type) {
  auto sequence = dyn_cast<SequenceType>(type);
  return sequence ? sequence.getElementType() : cast<OptionalType>(type).getElementType();
}

/// Whether functions take and give values of a type.
static bool isHostValue(Type type) { return isa<RankedTensorType, SequenceType, OptionalType>(type); }

static LogicalResult verifyElement(Operation *op, StringRef what, Type value, Type element) {
  if (isHostValue(value) && isElement(value, element))
    return success();
  return op->emitOpError("expects ") << what << " of type " << element << ", but has " << value;
}

static TypedAttr number(MLIRContext *context, int64_t value) {
  return DenseElementsAttr::get(RankedTensorType::get({}, IntegerType::get(context, 64)), value);
}

static TypedAttr strings(MLIRContext *context, ArrayRef<int64_t> shape, ArrayRef<StringRef> values) {
  return DenseStringElementsAttr::get(RankedTensorType::get(shape, StringType::get(context)), values);
}

LogicalResult CallExternalOp::verify() {
  if (getFunction().empty())
    return emitOpError("expects a name of the function");
  TypeRange operands = getOperandTypes(), results = getResultTypes();
  for (auto [what, types] : {std::pair("operands", operands), std::pair("results", results)})
    for (Type type : types)
      if (!isHostValue(type))
        return emitOpError("expects ") << what << " that are tensors of known rank, sequences or optionals, but has "
                                       << type;
  return success();
}

//===----------------------------------------------------------------------===//
// Sequences and optionals
//===----------------------------------------------------------------------===//

LogicalResult SequenceConstructOp::verify() {
  for (Type type : getOperands().getTypes())
    if (failed(verifyElement(*this, "operands", type, held(getType()))))
      return failure();
  return success();
}

LogicalResult SequenceInsertOp::verify() {
  Type element = held(getType()), before = held(getSequence().getType());
  if (before != element && !isElement(before, element))
    return emitOpError("expects a sequence that fits into ") << getType() << ", but has " << getSequence().getType();
  return verifyElement(*this, "a value", getValue().getType(), element);
}

LogicalResult SequenceAtOp::verify() {
  return verifyElement(*this, "a result", getType(), held(getSequence().getType()));
}

LogicalResult SequenceConcatOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  if ((int64_t)getDim() < 0 || (int64_t)getDim() >= type.getRank())
    return emitOpError("expects a dimension below ") << type.getRank() << ", but has " << (int64_t)getDim();
  auto element = dyn_cast<ShapedType>(held(getSequence().getType()));
  if (!element || element.getElementType() != type.getElementType() ||
      (element.hasRank() && element.getRank() + getNewDim() != type.getRank()))
    return emitOpError("expects tensors that make up ") << type << ", but has " << getSequence().getType();
  return success();
}

SmallVector<TypedAttr> SequenceConcatOp::getHostParameters() {
  return {number(getContext(), getDim()), number(getContext(), getNewDim())};
}

LogicalResult SequenceSplitOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  int64_t dim = getDim();
  if (dim < 0 || dim >= type.getRank())
    return emitOpError("expects a dimension below ") << type.getRank() << ", but has " << dim;
  if (getSplit() && getDropDim())
    return emitOpError("expects parts of size 1 where their dimension is dropped");
  if (getSplit() && cast<RankedTensorType>(getSplit().getType()).getRank() > 1)
    return emitOpError("expects one size or a list of sizes, but has ") << getSplit().getType();
  SmallVector<int64_t> part(type.getShape());
  part[dim] = getSplit() ? ShapedType::kDynamic : 1;
  if (getDropDim())
    part.erase(part.begin() + dim);
  return verifyElement(*this, "parts", type.clone(part), held(getType()));
}

SmallVector<TypedAttr> SequenceSplitOp::getHostParameters() {
  return {number(getContext(), getDim()), number(getContext(), getDropDim())};
}

LogicalResult OptionalMakeOp::verify() {
  return getValue() ? verifyElement(*this, "a value", getValue().getType(), held(getType())) : success();
}

LogicalResult OptionalGetOp::verify() {
  return verifyElement(*this, "a result", getType(), held(getOperand().getType()));
}

//===----------------------------------------------------------------------===//
// Strings
//===----------------------------------------------------------------------===//

SmallVector<AffineExpr> StringConcatOp::resultSizes(SizeAnalysis &sizes, unsigned) { return sizes.sizesOf(getLhs()); }

SmallVector<AffineExpr> StringMatchOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  return sizes.sizesOf(getOperand());
}

SmallVector<TypedAttr> StringMatchOp::getHostParameters() { return {strings(getContext(), {}, {getPattern()})}; }

SmallVector<AffineExpr> StringNormalizeOp::resultSizes(SizeAnalysis &sizes, unsigned) {
  SmallVector<AffineExpr> result = sizes.sizesOf(getOperand());
  result.back() = AffineExpr();
  return result;
}

SmallVector<TypedAttr> StringNormalizeOp::getHostParameters() {
  SmallVector<StringRef> words(getStopWords().getAsValueRange<StringAttr>());
  return {strings(getContext(), {}, {getChange()}), number(getContext(), getCaseSensitive()),
          strings(getContext(), {(int64_t)words.size()}, words)};
}

LogicalResult StringNormalizeOp::verify() {
  if (!llvm::is_contained({"none", "lower", "upper"}, getChange()))
    return emitOpError("expects \"lower\", \"upper\" or \"none\", but has ") << getChangeAttr();
  auto type = cast<RankedTensorType>(getOperand().getType());
  if (type.getRank() != 1 && (type.getRank() != 2 || type.getDimSize(0) != 1))
    return emitOpError("expects rank 1, or one row, but has ") << type;
  auto result = cast<RankedTensorType>(getType());
  if (result.getRank() != type.getRank())
    return emitOpError("expects a result of rank ") << type.getRank() << ", but has " << result;
  return success();
}

SmallVector<AffineExpr> StringSplitOp::resultSizes(SizeAnalysis &sizes, unsigned result) {
  SmallVector<AffineExpr> extents = sizes.sizesOf(getOperand());
  if (result == 0)
    extents.push_back(AffineExpr());
  return extents;
}

SmallVector<TypedAttr> StringSplitOp::getHostParameters() {
  return {strings(getContext(), {}, {getDelimiter()}), number(getContext(), getMaxSplits())};
}

LogicalResult StringSplitOp::verify() {
  int64_t rank = cast<RankedTensorType>(getOperand().getType()).getRank();
  if (cast<RankedTensorType>(getParts().getType()).getRank() != rank + 1 ||
      cast<RankedTensorType>(getCounts().getType()).getRank() != rank)
    return emitOpError("expects parts of rank ") << rank + 1 << " and counts of rank " << rank << ", but has "
                                                 << getParts().getType() << " and " << getCounts().getType();
  return success();
}

SmallVector<AffineExpr> LookupOp::resultSizes(SizeAnalysis &sizes, unsigned) { return sizes.sizesOf(getOperand()); }

LogicalResult LookupOp::verify() {
  auto type = [](Value value) { return cast<RankedTensorType>(value.getType()); };
  RankedTensorType keys = type(getKeys()), values = type(getValues());
  if (keys.getRank() != 1 || values.getRank() != 1 || failed(verifyCompatibleShape(keys.getShape(), values.getShape())))
    return emitOpError("expects as many values as keys, but has ") << values << " and " << keys;
  if (keys.getElementType() != type(getOperand()).getElementType())
    return emitOpError("expects keys of the operand's element type, but has ") << keys;
  RankedTensorType fallback = type(getFallback()), result = type(getResult());
  if (fallback.getRank() != 0 || fallback.getElementType() != values.getElementType())
    return emitOpError("expects a default like one of the values, but has ") << fallback;
  if (result.getElementType() != values.getElementType() || result.getRank() != type(getOperand()).getRank())
    return emitOpError("expects one of the values for each element, but has ") << result;
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonHostCalls.cpp.inc"
