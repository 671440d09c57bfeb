//===- OpGroup.h - Ops that are one kernel, or would be ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_OPGROUP_H
#define TENON_DIALECT_TILE_ANALYSIS_OPGROUP_H

#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "llvm/ADT/SmallPtrSet.h"

namespace tenon::tile {

/// What strategies are asked about: ops in order, and what of them is read elsewhere.
class OpGroup {
public:
  OpGroup(llvm::ArrayRef<mlir::Operation *> ops, SizeAnalysis &sizes)
      : sizes(sizes), members(ops), set(ops.begin(), ops.end()) {}
  /// The body of a kernel.
  OpGroup(KernelOp kernel, SizeAnalysis &sizes);

  llvm::ArrayRef<mlir::Operation *> ops() const { return members; }
  bool contains(mlir::Operation *op) const { return set.contains(op); }
  bool has(Role role) const;
  /// Whether an op outside of the group reads a result.
  bool isReadOutside(mlir::Operation *op) const;
  /// The first result that is read outside, or of all: what the group is for.
  mlir::Value firstResult() const;
  /// The sizes of an op's first result.
  llvm::SmallVector<mlir::AffineExpr> sizesOf(mlir::Operation *op) const { return sizes.sizesOf(op->getResult(0)); }
  /// The first op whose result is read outside and has other sizes; null if there is none.
  mlir::Operation *withOtherSizes(llvm::ArrayRef<mlir::AffineExpr> space) const;
  /// Whether a broadcast repeats values that were computed in the group, at a cost.
  bool repeatsWork(mlir::Operation *op) const;

  SizeAnalysis &sizes;

private:
  llvm::SmallVector<mlir::Operation *> members;
  llvm::SmallPtrSet<mlir::Operation *, 16> set;
  mlir::Value yielded; ///< first, by a kernel
};

/// What the op is called where it comes from: its node's name in quotes, else its own name.
std::string nodeNameOf(mlir::Operation *op);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_OPGROUP_H
