//===- KernelStructure.h - The iteration space of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What loops a kernel is made of, before any target is known. A strategy (KernelStrategy.h) says it of its kernels;
// kernels are formed and lowered by it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H

#include "tenon/Dialect/Tenon/IR/ConstantExpression.h"
#include "tenon/Dialect/Tile/Analysis/OpGroup.h"

namespace tenon::tile {

/// Whether an op says where things lie and launches nothing.
bool isPlacement(mlir::Operation *op);

/// The dimensions of a contraction's iteration space by their role. A contraction has a register tile when
/// its result's last dimension is a column, contiguous in rhs, and one dimension is summed; all others are
/// computed element by element.
struct ContractionRoles {
  llvm::SmallVector<unsigned> batch; ///< of the second operand, whether the first has them or not
  llvm::SmallVector<unsigned> rows;  ///< of the first operand alone; both in the order of the result
  unsigned column, depth;
};
std::optional<ContractionRoles> contractionRoles(ContractOp op);
/// The summed dimension of a contraction's second operand, where that is a constant matrix, or one for each batch, in a
/// graph or of each launch of a kernel: register tiles read it in a form, whatever dimension lies along its rows.
std::optional<int64_t> constantDepth(ContractOp op);

/// What the second operand of a contraction is made of, where it is arithmetic on constants: of a graph, or of each
/// launch of a kernel.
std::optional<ConstantExpression> columnsExpression(ContractOp op);
/// On a contraction whose second operand is constant bytes: all of them are between -64 and 64, so that two products
/// with numbers of 8 bits fit 16.
inline constexpr llvm::StringLiteral kSevenBitsAttr = "tenon_tile.seven_bits";
/// Of one whose columns are numbers less zero points that are far from the middle of their type.
inline constexpr llvm::StringLiteral kFarOffsetsAttr = "tenon_tile.far_offsets";

struct KernelStructure {
  llvm::SmallVector<mlir::AffineExpr> space; ///< sizes of the iteration space
  llvm::SmallVector<int64_t> reduced;        ///< dimensions of it along which elements are combined, ascending
  llvm::SmallVector<int64_t> unitDims;       ///< dimensions over which units of work run
  mlir::AffineExpr work;                     ///< the number of units of work
  ContractOp contract;                       ///< that has register tiles, if any
  TransposeOp turned;                        ///< of the contraction's result, if its rows are to be next to each other

  bool isReduced(int64_t dim) const { return llvm::is_contained(reduced, dim); }
  /// Dimensions of `space` that aren't reduced.
  llvm::SmallVector<int64_t> kept() const;
};

/// On a scatter in a kernel: its result's buffer holds the operand already.
inline constexpr llvm::StringLiteral kInPlaceAttr = "tenon_tile.in_place";

/// The number of a kernel's units of work, from its symbols; null where it follows from more than them.
mlir::AffineMap workOf(KernelOp kernel);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H
