//===- PackedRequests.h - Sequences that lie one behind the other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_PACKEDREQUESTS_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_PACKEDREQUESTS_H

#include "Node.h"

namespace tenon::onnx {

/// The tokens of B requests in one dimension of N, and where each begins: `ends` is `[B + 1]`, 0 first. All are of i64.
/// What lies before the tokens of a request, its history, comes in a tensor `[B, P, ..]` of the last P of them.
class PackedRequests {
public:
  PackedRequests(Node &node, mlir::Value ends, mlir::AffineExpr tokens);

  /// What stands `distance` tokens before each token: of the same request, else of its history.
  mlir::Value before(mlir::Value x, mlir::Value history, int64_t distance);
  /// ... else the first of the request.
  mlir::Value beforeWithin(mlir::Value x, int64_t distance);
  /// The last P of each request's history and its first `count` tokens `[B]` or `[B, C]`: `[B, P, ..]` or `[B, C, P,
  /// ..]`.
  mlir::Value last(mlir::Value x, mlir::Value history, mlir::Value count);
  /// The first C tokens of each request, where `count` `[B]` says so and there are as many, else `otherwise`.
  mlir::Value first(mlir::Value x, int64_t capacity, mlir::Value count, double otherwise);
  /// Whether the first C tokens of each request are counted, `[B, C]`.
  mlir::Value isCounted(int64_t capacity, mlir::Value count);

  /// `x` at places that may lie beyond its tokens, of which there may be none.
  mlir::Value takeTokens(mlir::Value x, mlir::Value places);
  /// A place `[I..]` in each request as one among all tokens, where the first dimension is the requests'.
  mlir::Value placeOf(mlir::Value local);
  /// A number per request, along dimension 0 of these sizes.
  mlir::Value along(mlir::Value perRequest, llvm::ArrayRef<mlir::AffineExpr> sizes);

  mlir::AffineExpr count, tokens;
  mlir::Value starts, lengths; ///< `[B]`
  mlir::Value request;         ///< `[N]`, of each token
  mlir::Value place;           ///< `[N]`, of each token in its request

private:
  /// Flags beside the elements of `like`, whose first dimensions they have.
  mlir::Value beside(mlir::Value flags, mlir::Value like);
  mlir::Value takeHistory(mlir::Value history, mlir::Value request, mlir::Value place);

  Node &node;
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_PACKEDREQUESTS_H
