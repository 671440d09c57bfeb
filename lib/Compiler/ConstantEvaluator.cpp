//===- ConstantEvaluator.cpp - The interpreter as evaluator of constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantEvaluator.h"

#include "tenon/Reference/Interpreter.h"

using namespace mlir;
using tenon::KnownValue;
using tenon::reference::Tensor;
using InterpretedValue = tenon::reference::Value;

static llvm::Expected<InterpretedValue> toInterpreted(const KnownValue &known) {
  if (auto integer = dyn_cast_if_present<IntegerAttr>(known.attribute)) {
    if (integer.getValue().getSignificantBits() > 64)
      return llvm::createStringError("an integer has more than 64 bits");
    return InterpretedValue(integer.getValue().getSExtValue());
  }
  llvm::Expected<Tensor> tensor = known.attribute
                                      ? Tensor::fromAttribute(known.attribute)
                                      : Tensor::borrow(known.type.getElementType(), known.type.getShape(), known.bytes);
  if (!tensor)
    return tensor.takeError();
  return InterpretedValue(std::move(*tensor));
}

static llvm::Expected<KnownValue> toKnown(const InterpretedValue &value, Type type) {
  KnownValue known;
  if (const int64_t *index = std::get_if<int64_t>(&value)) {
    known.attribute = IntegerAttr::get(type, *index);
    return known;
  }
  const Tensor *tensor = std::get_if<Tensor>(&value);
  if (!tensor || tensor->holdsStrings())
    return llvm::createStringError("a result is no tensor of numbers");
  auto owner = std::make_shared<Tensor>(*tensor);
  known.type = RankedTensorType::get(tensor->getShape(), tensor->getElementType());
  known.bytes = ArrayRef<char>(owner->getData(), owner->getNumBytes());
  known.owner = std::move(owner);
  return known;
}

static llvm::Expected<SmallVector<KnownValue>> interpret(Operation *op, ArrayRef<KnownValue> operands) {
  std::vector<InterpretedValue> values;
  for (const KnownValue &operand : operands) {
    llvm::Expected<InterpretedValue> value = toInterpreted(operand);
    if (!value)
      return value.takeError();
    values.push_back(std::move(*value));
  }
  llvm::Expected<std::vector<InterpretedValue>> results = tenon::reference::evaluateOp(op, values);
  if (!results)
    return results.takeError();
  SmallVector<KnownValue> known;
  for (auto [result, value] : llvm::zip(op->getResults(), *results)) {
    llvm::Expected<KnownValue> converted = toKnown(value, result.getType());
    if (!converted)
      return converted.takeError();
    // A reshape gives the bytes of its operand.
    for (const KnownValue &operand : operands)
      if (operand.owner && operand.bytes.data() == converted->bytes.data())
        converted->owner = operand.owner;
    known.push_back(std::move(*converted));
  }
  return known;
}

tenon::Evaluator tenon::interpretingEvaluator() { return interpret; }
