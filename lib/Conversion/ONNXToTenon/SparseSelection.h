//===- SparseSelection.h - Choosing the keys that sparse attention reads ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Two policies of ONNX Runtime's indexers. `qsa` scores blocks of `ratio` neighbouring tokens by the mean of their keys
// and chooses the tokens of the best blocks; `csa` makes one key of each window of tokens and chooses the best of
// those. All is computed in f32.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_SPARSESELECTION_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_SPARSESELECTION_H

#include "Node.h"

namespace tenon::onnx {

class SparseSelection {
public:
  /// Reads the policy and norms, operands 2 to 5; an error where they make no sense.
  explicit SparseSelection(Node &node);

  /// An error where an operand is of the other policy, or one of `csa` is missing.
  bool checkOperands(llvm::ArrayRef<size_t> ofQsa, llvm::ArrayRef<size_t> ofCsa);

  /// Angles of places `[..]`, `[.., R]`; where tables are per batch entry, that is `batch`, of the places' sizes.
  struct Angles {
    mlir::Value cosines, sines;
  };
  Angles anglesAt(mlir::Value places, mlir::Value batch);

  /// `[.., heads * D]` normalised and rotated, `[.., heads, D]`.
  mlir::Value queries(mlir::Value x, const Angles &angles);
  /// `[.., D]` normalised and rotated.
  mlir::Value keys(mlir::Value x, const Angles &angles);
  /// The mean of blocks `[.., ratio, D]`.
  mlir::Value pooled(mlir::Value blocks);
  /// One key of each window `[B, W, ratio, 2 D]` of keys and gates and the window before, which may be missing.
  mlir::Value compressed(mlir::Value keys, mlir::Value gates, mlir::Value keysBefore, mlir::Value gatesBefore,
                         mlir::Value isMissing);

  /// The places of the k largest scores `[.., E]` of those that count: `[.., k]`.
  mlir::Value best(mlir::Value scores, mlir::Value counts);

  struct Selected {
    mlir::Value indices; ///< `[.., capacity]` of i64, -1 where there is none
    mlir::Value count;   ///< `[..]`
  };
  /// Tokens of the best blocks, then those behind the last whole block, of `visible` `[..]` tokens.
  Selected tokens(mlir::Value scores, mlir::Value visible);
  /// The best of the first `visible` entries.
  Selected entries(mlir::Value scores, mlir::Value visible);

  /// Sums of the heads' scores `[.., H, E]` over H, dimension `dim`; with weights of the heads for `csa`.
  mlir::Value summed(mlir::Value products, int64_t dim, mlir::Value weights);

  bool isQsa = false;
  int64_t ratio = 0;    ///< tokens per block or entry
  int64_t chosen = 0;   ///< how many blocks or entries are chosen
  int64_t depth = 0;    ///< D
  int64_t capacity = 0; ///< of the selection
  mlir::Type i64, f32;

private:
  mlir::Value normalized(mlir::Value x, size_t weight);
  mlir::Value rotated(mlir::Value x, const Angles &angles);

  Node &node;
  double epsilon = 0;
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_SPARSESELECTION_H
