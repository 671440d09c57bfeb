//===- Normalization.h - Normalising, as several operators need it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_NORMALIZATION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_NORMALIZATION_H

#include "Node.h"

namespace tenon::onnx {

/// (x - mean) / sqrt(variance + epsilon) over these dimensions; with `rms` x / sqrt(mean of squares +
/// epsilon).
mlir::Value normalize(Node &node, mlir::Value x, llvm::ArrayRef<int64_t> dims, double epsilon, bool rms = false);

/// All dimensions from one on.
llvm::SmallVector<int64_t> dimsFrom(int64_t first, mlir::Value x);

/// The statistics that some operators give beside their result, in f32: the dimensions have size 1.
mlir::Value meanOf(Node &node, mlir::Value x, llvm::ArrayRef<int64_t> dims);
mlir::Value inverseDeviation(Node &node, mlir::Value x, llvm::ArrayRef<int64_t> dims, double epsilon, bool rms = false);

/// Normalises groups of neighbouring channels, which are dimension 1, and multiplies by a scale and adds a
/// bias per channel, or with `perGroup` per group. Null after an error.
mlir::Value normalizeGroups(Node &node, mlir::Value x, int64_t groups, mlir::Value scale, mlir::Value bias,
                            double epsilon, bool perGroup = false);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_NORMALIZATION_H
