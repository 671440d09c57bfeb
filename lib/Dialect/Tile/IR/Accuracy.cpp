//===- Accuracy.cpp - What schedules may give up for speed ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/IR/Accuracy.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tenon::tile;

static constexpr std::pair<Accuracy, StringLiteral> kNames[] = {
    {Accuracy::strict, "strict"}, {Accuracy::standard, "default"}, {Accuracy::fast, "fast"}};

StringRef tenon::tile::stringifyAccuracy(Accuracy accuracy) {
  return llvm::find_if(kNames, [&](auto &entry) { return entry.first == accuracy; })->second;
}

std::optional<Accuracy> tenon::tile::symbolizeAccuracy(StringRef name) {
  for (auto &[accuracy, known] : kNames)
    if (known == name)
      return accuracy;
  return std::nullopt;
}

Accuracy tenon::tile::accuracyOf(Operation *op) {
  for (; op; op = op->getParentOp())
    if (auto name = op->getAttrOfType<StringAttr>(kAccuracyAttr))
      return symbolizeAccuracy(name.getValue()).value_or(Accuracy::standard);
  return Accuracy::standard;
}
