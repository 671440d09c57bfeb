//===- Attention.h - What operators of attention have in common ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_ATTENTION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_ATTENTION_H

#include "Node.h"

namespace tenon::onnx {

/// softmax(softcap(Q K^T * scale) + bias) V, where a score that isn't visible is -inf. H heads of queries
/// share Hk heads of keys; conditions and biases have sizes that broadcast to `[B, H, S, T]`.
struct AttentionTerms {
  mlir::Value query;      ///< `[B, H, S, D]`
  mlir::Value key, value; ///< `[B, Hk, T, D]`, `[B, Hk, T, E]`
  double scale = 1, softcap = 0;
  mlir::Value factor; ///< in place of `scale`, a scalar of the query's type, where that isn't known when compiling
  llvm::SmallVector<mlir::Value> visible; ///< of i1
  llvm::SmallVector<mlir::Value> biases;  ///< of the query's type
  mlir::Value sink;                       ///< `[H]`: one more score, of no key; null for none
  mlir::Type precise;                     ///< what the softmax is computed in; null for the type of the scores
  bool mayBeBlind = false;                ///< a query that sees no key has weights of 0, not NaN
  bool isFlat = true;                     ///< whether the result is `[B, S, H * E]` or `[B, H, S, E]`
};

struct AttentionStages {
  mlir::Value raw, capped, masked, weights; ///< `[B, H, S, T]`
  mlir::Value result;
};

/// The heads of the keys must divide those of the queries.
AttentionStages attend(Node &node, AttentionTerms terms);

/// `[B, S, heads * D]` as `[B, S, heads, D]`; an error where that isn't possible.
mlir::Value splitHeads(Node &node, mlir::Value x, int64_t heads);

/// Rotates pairs of the first `rotated` elements of `[B, S, heads, D]`, neighbours or those of two halves, by
/// angles of `[B, S, rotated / 2]`. An error where there are not as many.
mlir::Value rotate(Node &node, mlir::Value x, mlir::Value cosine, mlir::Value sine, mlir::AffineExpr rotated,
                   bool interleaved);

/// A scalar of i64.
mlir::Value numberOf(Node &node, mlir::AffineExpr size);

/// One over the root of a size that isn't known when compiling, a scalar of f32.
mlir::Value reciprocalRoot(Node &node, mlir::AffineExpr size);

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_ATTENTION_H
