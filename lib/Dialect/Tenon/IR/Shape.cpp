//===- Shape.cpp - Sizes as values ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Verification.h"

using namespace mlir;
using namespace tenon;

LogicalResult SymbolOp::verify() {
  if (getRange() && (getRange()->size() != 2 || (*getRange())[0] < 0 || (*getRange())[0] > (*getRange())[1]))
    return emitOpError("expects a range of a least and a largest size");
  if (getDivisible() && static_cast<int64_t>(*getDivisible()) < 1)
    return emitOpError("expects a positive divisor, but has ") << static_cast<int64_t>(*getDivisible());
  return success();
}

LogicalResult BindShapeOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  if ((int64_t)getStaticSizes().size() != type.getRank())
    return emitOpError("expects ") << type.getRank() << " sizes, but has " << getStaticSizes().size();
  for (auto [i, size] : llvm::enumerate(getStaticSizes()))
    if (!ShapedType::isDynamic(size) && (size < 0 || (!type.isDynamicDim(i) && size != type.getDimSize(i))))
      return emitOpError("expects size ") << type.getDimSize(i) << " of dimension " << i << ", but it is " << size;
  return verifyMixed(*this, "size", getStaticSizes(), getSizes().size());
}

LogicalResult FromSizesOp::verify() {
  auto type = cast<RankedTensorType>(getResult().getType());
  if (!type.hasStaticShape() || type.getNumElements() != (int64_t)getStaticSizes().size())
    return emitOpError("expects a static tensor of ") << getStaticSizes().size() << " integers, but has " << type;
  return verifyMixed(*this, "size", getStaticSizes(), getSizes().size());
}

LogicalResult SizeOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  if ((int64_t)getDim() < 0 || (int64_t)getDim() >= type.getRank())
    return emitOpError("expects a dimension below ") << type.getRank() << ", but has " << (int64_t)getDim();
  return success();
}

LogicalResult ItemOp::verify() {
  auto type = cast<RankedTensorType>(getOperand().getType());
  int64_t position = getPosition();
  if (Type element = type.getElementType(); !element.isIndex() && !(isa<IntegerType>(element) && isNumber(element)))
    return emitOpError("expects an operand of integers, but has ") << type;
  if (position < 0 || (type.hasStaticShape() && position >= type.getNumElements()))
    return emitOpError("expects a position in ") << type << ", but has " << position;
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonShape.cpp.inc"
