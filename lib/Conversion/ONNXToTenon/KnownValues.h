//===- KnownValues.h - Small tensors that follow from constants ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_KNOWNVALUES_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_KNOWNVALUES_H

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/Transforms/Evaluator.h"

#include "llvm/ADT/DenseMap.h"

namespace tenon::onnx {

/// Computes what models state by arithmetic on constants where they could state a number: sizes, axes, bounds.
class KnownValues {
public:
  KnownValues(Evaluator evaluator, SizeAnalysis &sizes) : evaluator(std::move(evaluator)), sizes(sizes) {}

  /// The elements of a small tensor that depends on constants and static sizes alone, in their actual shape where
  /// the type leaves it open; null of any other.
  mlir::DenseElementsAttr elementsOf(mlir::Value value);

private:
  /// Null where it isn't known.
  const KnownValue *find(mlir::Value value);
  std::optional<KnownValue> evaluate(mlir::Value value);

  Evaluator evaluator;
  SizeAnalysis &sizes;
  llvm::DenseMap<mlir::Value, std::unique_ptr<KnownValue>> known; ///< null for what was tried in vain
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_KNOWNVALUES_H
