//===- KernelDimensions.h - Dimensions that a kernel's tensors share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELDIMENSIONS_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELDIMENSIONS_H

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

namespace tenon::tile {

/// Which dimensions of a kernel's tensors are the same dimension of its iteration space: a number for each.
class KernelDimensions {
public:
  explicit KernelDimensions(KernelOp kernel);

  /// The tensors: arguments, then what the body makes, in order.
  auto tensors() const { return llvm::make_first_range(dims); }
  llvm::ArrayRef<int> of(mlir::Value tensor) const { return dims.find(tensor)->second; }
  /// Whether an op reads the dimension in a way of its own: one that it reduces, or whose neighbours it
  /// reads.
  bool isFixed(int dimension) const { return fixed.contains(dimension); }

private:
  void add(mlir::Value tensor);
  void unite(mlir::Value a, int64_t i, mlir::Value b, int64_t j);
  void fix(mlir::Value tensor, int64_t dim);
  void fixAll(mlir::Operation *op);
  void relate(mlir::Operation *op);
  void relateMaps(IndexingMapsInterface op);
  void relateResults(mlir::Block &body);

  SizeAnalysis sizes;
  llvm::MapVector<mlir::Value, llvm::SmallVector<int>> dims;
  llvm::EquivalenceClasses<int> classes;
  llvm::DenseSet<int> fixed;
  int count = 0;
};

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELDIMENSIONS_H
