//===- Bits.cpp - Bits of elements, and random ones ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonBits.h"

using namespace mlir;
using namespace tenon;

SmallVector<utils::IteratorType> BitcastOp::getLoopIterators() { return parallelIterators(*this); }
SmallVector<AffineMap> BitcastOp::getOperandMaps() { return identityOperandMaps(*this); }
SmallVector<AffineMap> BitcastOp::getResultMaps() { return identityResultMaps(*this); }

LogicalResult BitcastOp::verify() {
  Type from = getElementTypeOrSelf(getOperand()), to = getElementTypeOrSelf(getResult());
  if (from != to && (from.isInteger(1) || to.isInteger(1)))
    return emitOpError("expects elements of bits, but has ") << from << " and " << to;
  if (from.getIntOrFloatBitWidth() != to.getIntOrFloatBitWidth())
    return emitOpError("expects elements of one width, but has ") << from << " and " << to;
  return success();
}

/// To the type that `x` has, also by way of others.
OpFoldResult BitcastOp::fold(FoldAdaptor) {
  Value source = getOperand();
  while (auto inner = source.getDefiningOp<BitcastOp>())
    source = inner.getOperand();
  return source.getType() == getType() ? source : Value();
}

SmallVector<TypedAttr> RandomSeedOp::getHostParameters() {
  return {DenseElementsAttr::get(RankedTensorType::get({}, IntegerType::get(getContext(), 64)), (int64_t)getStream())};
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonBits.cpp.inc"
