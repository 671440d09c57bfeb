//===- MachineLearning.h - What ONNX's operators of classical models share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_MACHINELEARNING_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_MACHINELEARNING_H

#include "Indexing.h"

namespace tenon::onnx {

/// The numbers of a list, or of a tensor by the same name or with `_as_tensor` behind it; none where it is left out or
/// after an error.
llvm::SmallVector<double> numbersOf(Node &node, llvm::StringRef name);

/// Scores `[N, classes]` as `post_transform` says: NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT.
mlir::Value transformedScores(Node &node, mlir::Value scores, llvm::StringRef transform);

/// The names of a classifier's classes, integers or strings.
class ClassLabels {
public:
  /// From `classlabels_int64s`, or `classlabels_strings`; nothing after an error.
  static std::optional<ClassLabels> of(Node &node);

  /// The labels of these classes.
  mlir::Value at(Node &node, mlir::Value classes);

  int64_t count = 0;

private:
  mlir::TypedAttr labels;
};

void addSupportVectorConverters(ConverterTable &table);
void addTextConverters(ConverterTable &table);
void addTrainingConverters(ConverterTable &table);
void addTreeConverters(ConverterTable &table);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_MACHINELEARNING_H
