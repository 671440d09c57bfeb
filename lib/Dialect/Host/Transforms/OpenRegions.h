//===- OpenRegions.h - Loops and branches whose sizes show while they run ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_HOST_TRANSFORMS_OPENREGIONS_H
#define TENON_LIB_DIALECT_HOST_TRANSFORMS_OPENREGIONS_H

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace tenon::host {

/// Tells loops and branches apart: where all sizes inside follow from what is known before, buffers are placed before
/// it and the whole is part of a segment; an open one has segments of its own inside.
class OpenRegions {
public:
  /// Looks at all loops and branches: what is known of their sizes changes once they are placed.
  OpenRegions(mlir::func::FuncOp func, SizeAnalysis &sizes);

  bool isOpen(mlir::Operation *op) const { return open.contains(op); }

  /// Dimensions of a result, or of a body's argument, whose size is not known before the loop or branch that it belongs
  /// to.
  llvm::ArrayRef<int64_t> unknownDims(mlir::Value value) const;

  /// Whether the buffer of a result, or of a carried argument, grows: it has such dimensions. Scan values don't grow
  /// where the trip count says how many there are and the rest of their sizes is known.
  bool grows(mlir::Value value) const { return growing.contains(value); }

private:
  void look(mlir::Operation *op);
  bool hasUnknownSizesInside(mlir::Operation *op);
  bool isUnknownBefore(mlir::AffineExpr size, mlir::Operation *op);

  SizeAnalysis &sizes;
  llvm::DenseSet<mlir::Operation *> open;
  llvm::DenseSet<mlir::Value> growing;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<int64_t>> unknown;
};

/// Whether an iteration is always followed by the next one, up to the trip count.
bool runsToTripCount(LoopOp loop);

} // namespace tenon::host

#endif // TENON_LIB_DIALECT_HOST_TRANSFORMS_OPENREGIONS_H
