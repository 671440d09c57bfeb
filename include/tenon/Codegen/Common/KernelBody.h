//===- KernelBody.h - The function that a kernel becomes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_KERNELBODY_H
#define TENON_CODEGEN_COMMON_KERNELBODY_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"

namespace tenon::codegen {

/// What a kernel's loops are emitted with.
struct KernelBody {
  tile::KernelOp kernel;
  tile::KernelStructure structure;
  ElementEmitter &e;
  mlir::Value begin, end;                 ///< the units of work to do
  llvm::SmallVector<mlir::Value> results; ///< what the kernel yields
  llvm::SmallVector<Buffer> outputs;      ///< where each result goes

  /// Sizes of the iteration space.
  llvm::SmallVector<mlir::Value> space;

  /// Emits `body(start)` for each whole vector of [low, high), and once more for the rest, with the lanes
  /// that are left in use.
  mlir::LogicalResult vectors(mlir::Value low, mlir::Value high,
                              llvm::function_ref<mlir::LogicalResult(mlir::Value)> body);
  /// A loop over [low, high) without carried values.
  mlir::LogicalResult loop(mlir::Value low, mlir::Value high, int64_t step,
                           llvm::function_ref<mlir::LogicalResult(mlir::Value)> body);
  /// `body` under a condition.
  mlir::LogicalResult when(mlir::Value condition, llvm::function_ref<mlir::LogicalResult()> body);
};

/// Computes and stores the results that have one element per place of `coordinates`, or those that have one per row.
mlir::LogicalResult storeResults(KernelBody &body, llvm::ArrayRef<Coordinate> coordinates, bool wholeRows);

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_KERNELBODY_H
