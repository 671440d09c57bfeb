//===- Indexing.h - Reading at places given by data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_INDEXING_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_INDEXING_H

#include "Node.h"

namespace tenon::onnx {

/// `x` at `indices`, a tensor of any rank, along one dimension; the indices' dimensions take its place.
mlir::Value take(Node &node, mlir::Value x, mlir::Value indices, int64_t dim, IndexMode mode = IndexMode::error);

/// Integers that must be in `[0, count)`: others end the run. As i64.
mlir::Value expectPlaces(Node &node, mlir::Value places, mlir::AffineExpr count);

/// A gather's result, whose first `count` dimensions are the indices', with these in place of dimension `dim`.
mlir::Value placeIndices(Node &node, mlir::Value gathered, int64_t count, int64_t dim);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_INDEXING_H
