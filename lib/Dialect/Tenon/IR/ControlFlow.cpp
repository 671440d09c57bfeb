//===- ControlFlow.cpp - Regions that run depending on data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;

/// Whether a value may stand where another type is expected: the same, up to sizes, and up to the rank of what
/// sequences and optionals hold.
static bool compatible(Type actual, Type expected) {
  auto held = [](Type type) {
    auto sequence = dyn_cast<SequenceType>(type);
    auto optional = dyn_cast<OptionalType>(type);
    return sequence ? sequence.getElementType() : optional ? optional.getElementType() : Type();
  };
  if (held(actual) && actual.getTypeID() == expected.getTypeID())
    return compatible(held(actual), held(expected));
  auto unranked = dyn_cast<UnrankedTensorType>(expected);
  if (unranked && isa<TensorType>(actual))
    return unranked.getElementType() == cast<TensorType>(actual).getElementType();
  auto a = dyn_cast<RankedTensorType>(actual), b = dyn_cast<RankedTensorType>(expected);
  if (a && b)
    return a.getElementType() == b.getElementType() && succeeded(verifyCompatibleShape(a.getShape(), b.getShape()));
  return actual == expected;
}

static bool isScalar(Type type, unsigned width) {
  return type == RankedTensorType::get({}, IntegerType::get(type.getContext(), width));
}

LogicalResult IfOp::verify() {
  for (Region *region : {&getThenRegion(), &getElseRegion()}) {
    Operation *yield = region->front().getTerminator();
    if (region->front().getNumArguments() != 0)
      return emitOpError("expects regions without arguments");
    if (yield->getNumOperands() != getNumResults())
      return emitOpError("expects ") << getNumResults() << " values from each region, but has "
                                     << yield->getNumOperands();
    for (auto [i, value, result] : llvm::enumerate(yield->getOperandTypes(), getResultTypes()))
      if (!compatible(value, result))
        return emitOpError("expects a value of type ") << result << " for result " << i << ", but has " << value;
  }
  return success();
}

LogicalResult LoopOp::verify() {
  Block &body = getBody().front();
  size_t carried = getCarried().size();
  if (body.getNumArguments() != carried + 1)
    return emitOpError("expects ") << carried + 1 << " body arguments, but has " << body.getNumArguments();
  if (!isScalar(body.getArgument(0).getType(), 64))
    return emitOpError("expects the number of the iteration as tensor<i64>, but has ") << body.getArgument(0).getType();
  Operation *yield = body.getTerminator();
  if (getNumResults() < carried || yield->getNumOperands() != getNumResults() + 1)
    return emitOpError("expects ") << getNumResults() + 1 << " values from the body, but has "
                                   << yield->getNumOperands();
  if (!isScalar(yield->getOperand(0).getType(), 1))
    return emitOpError("expects the condition to go on as tensor<i1>, but has ") << yield->getOperand(0).getType();
  for (size_t i = 0; i < carried; ++i) {
    Type argument = body.getArgument(i + 1).getType();
    if (!compatible(getCarried()[i].getType(), argument) || !compatible(yield->getOperand(i + 1).getType(), argument) ||
        !compatible(argument, getResult(i).getType()))
      return emitOpError("expects one type of carried value ")
             << i << ", but has " << getCarried()[i].getType() << ", " << argument << " and "
             << yield->getOperand(i + 1).getType();
  }
  for (size_t i = carried; i < getNumResults(); ++i) {
    auto element = dyn_cast<RankedTensorType>(yield->getOperand(i + 1).getType());
    auto stacked = dyn_cast<RankedTensorType>(getResult(i).getType());
    if (!element || !stacked || stacked.getElementType() != element.getElementType() || stacked.getRank() == 0 ||
        failed(verifyCompatibleShape(element.getShape(), stacked.getShape().drop_front())))
      return emitOpError("expects result ") << i << " to stack " << yield->getOperand(i + 1).getType();
  }
  return success();
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonControlFlow.cpp.inc"
