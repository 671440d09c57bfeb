//===- Loop.h - Regions that repeat, and sizes across their borders ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CONVERSION_ONNXTOTENON_LOOP_H
#define TENON_LIB_CONVERSION_ONNXTOTENON_LOOP_H

#include "Graph.h"

namespace tenon::onnx {

/// Sizes of a value that hold outside of a region: null where they depend on what is inside.
Sizes sizesOutside(Node &node, mlir::Value value, mlir::Region &region);

/// States those sizes of a tensor that are known though they don't follow from its definition.
void bindSizes(Node &node, mlir::Value tensor, llvm::ArrayRef<mlir::AffineExpr> known);

/// Builds a `tenon.loop`. Sizes of carried values are taken to stay as they are at first; where an attempt at
/// the body shows that they don't, they are unknown in the next one. Where the body changes an element type or a rank,
/// the first iteration stands before the loop; a first value that no iteration reads is replaced by one of the type
/// that they give. Of both there has to be an iteration, which is checked at run time.
class LoopBuilder {
public:
  /// What the body gives: whether to go on, carried values, scan values. Nothing after an error.
  struct Yielded {
    mlir::Value condition;
    llvm::SmallVector<mlir::Value> carried, scanned;
  };
  using Body = llvm::function_ref<std::optional<Yielded>(mlir::Value iteration, llvm::ArrayRef<mlir::Value> carried)>;

  /// `isRead`: which of the values the body reads; all where it is empty.
  LoopBuilder(Node &node, llvm::ArrayRef<mlir::Value> initial, llvm::ArrayRef<bool> isRead = {});

  /// The last carried values, then the scan values of all iterations.
  std::optional<llvm::SmallVector<mlir::Value>> build(mlir::Value tripCount, mlir::Value condition, Body body);

private:
  std::optional<llvm::SmallVector<mlir::Value>> buildLoop(mlir::Value tripCount, mlir::Value condition, Body body);
  /// The same, with the first iteration before the loop.
  std::optional<llvm::SmallVector<mlir::Value>> peel(mlir::Value tripCount, mlir::Value condition, Body body);
  void expectIteration(mlir::Value tripCount, mlir::Value condition);
  mlir::Type carriedType(size_t i);
  std::optional<Yielded> attempt(mlir::Region &region, Body body);
  /// Forgets the sizes that the body changes; whether there were any. Sets `changing` where that isn't enough.
  bool weaken(mlir::Region &region, llvm::ArrayRef<mlir::Value> carried);
  /// Gives carried value i the type that the body gives it, where its first value may have that.
  bool replaceInitial(size_t i, mlir::Value next, mlir::Region &region);
  llvm::SmallVector<mlir::Value> finish(mlir::Region &region, Yielded &yielded, mlir::Value tripCount,
                                        mlir::Value condition);
  /// How often the body runs, where that doesn't depend on data.
  mlir::AffineExpr iterations(mlir::Value tripCount, mlir::Value condition, mlir::Value goesOn);

  Node &node;
  llvm::SmallVector<mlir::Value> initial;
  llvm::SmallVector<bool> isRead;
  llvm::SmallVector<bool> isReplaced;
  bool isPeeled = false, hasPlaceholder = false;
  std::optional<std::pair<size_t, mlir::Type>> changing; ///< a carried value and the other type that it gets
  llvm::SmallVector<Sizes> assumed;
  llvm::SmallVector<mlir::Type> held; ///< assumed types of sequences and optionals, null for tensors
};

} // namespace tenon::onnx

#endif // TENON_LIB_CONVERSION_ONNXTOTENON_LOOP_H
