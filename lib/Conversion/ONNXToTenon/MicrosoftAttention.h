//===- MicrosoftAttention.h - What ONNX Runtime's operators of attention share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFTATTENTION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFTATTENTION_H

#include "Attention.h"

namespace tenon::onnx {

/// `past` `[B, H, P, D]` up to place `start[b]`, `[B, S, H, D]` behind it, and zeros up to `length`.
mlir::Value updateCache(Node &node, mlir::Value past, mlir::Value fresh, mlir::Value start, mlir::AffineExpr length);

/// Rotates `[B, S, heads, D]` by the angles of places `[B, S]`: rows of tables of cosines and sines.
mlir::Value rotateAt(Node &node, mlir::Value x, mlir::Value places, mlir::Value cosines, mlir::Value sines,
                     bool interleaved);

/// Whether the size of a head, dimension 3, is known of all; an error where it isn't.
bool haveKnownSize(Node &node, llvm::ArrayRef<mlir::Value> all);

/// The node's attribute, else one over the root of the size of a head.
double scaleOf(Node &node, mlir::Value query);

/// What is added to the scores: `[B or 1, H or 1, S, T]`; with `isFilledUp` keys may have room for more.
mlir::Value scoreBias(Node &node, mlir::Value bias, mlir::AffineExpr queries, mlir::AffineExpr keys, bool isFilledUp);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_MICROSOFTATTENTION_H
