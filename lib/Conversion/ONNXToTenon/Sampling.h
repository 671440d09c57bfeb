//===- Sampling.h - Values between the places of a tensor ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H

#include "Node.h"

namespace tenon::onnx {

/// Weights of the 2 places around a coordinate; `part` is how far it lies behind the first.
llvm::SmallVector<mlir::Value> linearWeights(Node &node, mlir::Value part);

/// Weights of the 4 places around a coordinate, `part` behind the second, by Keys' cubic convolution (1981)
/// with parameter a.
llvm::SmallVector<mlir::Value> cubicWeights(Node &node, mlir::Value part, double a);

/// The weight of a place at that distance, which isn't negative.
mlir::Value cubicWeight(Node &node, mlir::Value distance, double a);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_SAMPLING_H
