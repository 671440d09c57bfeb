//===- KnownValues.cpp - Small tensors that follow from constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KnownValues.h"

#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

/// Tensors of sizes are short; what is longer is data, and its arithmetic is left to constant folding.
static constexpr int64_t maxElements = 1024;

static bool isSmall(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return !tensor || !tensor.hasStaticShape() || tensor.getNumElements() <= maxElements;
}

/// Whether the evaluator may know the op.
static bool isComputed(Operation *op) {
  return isa_and_present<TenonDialect>(op->getDialect()) && op->getNumRegions() == 0 && isPure(op);
}

/// Not by recursion: graphs are deep.
const KnownValue *KnownValues::find(Value value) {
  SmallVector<Value> open = {value};
  while (!open.empty()) {
    Value next = open.back();
    Operation *op = next.getDefiningOp();
    if (!known.contains(next) && op && isComputed(op) && isSmall(next.getType())) {
      auto isOpen = [&](Value operand) { return !known.contains(operand); };
      bool isInVain =
          llvm::any_of(op->getOperands(), [&](Value operand) { return !isOpen(operand) && !known[operand]; });
      if (auto it = llvm::find_if(op->getOperands(), isOpen); !isInVain && it != op->operand_end()) {
        open.push_back(*it);
        continue;
      }
    }
    open.pop_back();
    if (!known.contains(next)) {
      std::optional<KnownValue> result = evaluate(next);
      known[next] = result ? std::make_unique<KnownValue>(std::move(*result)) : nullptr;
    }
  }
  return known[value].get();
}

std::optional<KnownValue> KnownValues::evaluate(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || !isSmall(value.getType()))
    return std::nullopt;
  KnownValue result;
  Attribute attribute;
  if (matchPattern(value, m_Constant(&attribute))) {
    result.attribute = dyn_cast<TypedAttr>(attribute);
    return result.attribute ? std::optional(result) : std::nullopt;
  }
  if (auto elements = sizes.elementsOf(value)) {
    auto isStatic = [](AffineExpr element) { return isa_and_present<AffineConstantExpr>(element); };
    if (llvm::all_of(*elements, isStatic)) {
      auto type = cast<RankedTensorType>(value.getType());
      SmallVector<APInt> numbers;
      for (AffineExpr element : *elements)
        numbers.push_back(
            APInt(64, SizeAnalysis::staticSize(element), /*isSigned=*/true).sextOrTrunc(type.getElementTypeBitWidth()));
      result.attribute = DenseElementsAttr::get(type, numbers);
      return result;
    }
  }
  if (!evaluator || !isComputed(op))
    return std::nullopt;
  SmallVector<KnownValue> operands;
  for (Value operand : op->getOperands()) {
    if (!known[operand])
      return std::nullopt;
    operands.push_back(*known[operand]);
  }
  llvm::Expected<SmallVector<KnownValue>> results = evaluator(op, operands);
  if (!results) {
    llvm::consumeError(results.takeError());
    return std::nullopt;
  }
  return (*results)[cast<OpResult>(value).getResultNumber()];
}

DenseElementsAttr KnownValues::elementsOf(Value value) {
  const KnownValue *found = find(value);
  if (!found || found->attribute)
    return found ? dyn_cast<DenseElementsAttr>(found->attribute) : DenseElementsAttr();
  Type element = found->type.getElementType();
  if (!isSmall(found->type) || !element.isIntOrFloat())
    return {};
  if (element.isInteger(1)) // a byte each
    return DenseElementsAttr::get(found->type, llvm::map_to_vector(found->bytes, [](char byte) { return byte != 0; }));
  if (StorageFormat(element).sharesBytes())
    return {};
  return DenseElementsAttr::getFromRawBuffer(found->type, found->bytes);
}
