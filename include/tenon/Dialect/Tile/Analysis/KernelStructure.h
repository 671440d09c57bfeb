//===- KernelStructure.h - The iteration space of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What loops a kernel is made of, before any target is known: formation asks it whether ops fit into one
// kernel and how many units of work there are; lowering follows it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

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

struct KernelStructure {
  enum Kind {
    elements,    ///< every element of the results on its own
    rows,        ///< reductions along `reduced`, and elementwise ops before and after
    contraction, ///< register tiles, and elementwise ops on them
    ordered,     ///< one element after the other along `reduced`
  };
  Kind kind = elements;
  llvm::SmallVector<mlir::AffineExpr>
      space;                          ///< sizes of the iteration space, of the contraction its result's
  llvm::SmallVector<int64_t> reduced; ///< ascending
  ContractOp contract;
  /// The dimension along which operands lie that are transposed, where it isn't the last: vectors along it are turned in
  /// registers.
  std::optional<int64_t> turned;

  bool isReduced(int64_t dim) const { return llvm::is_contained(reduced, dim); }
  /// Dimensions of `space` that aren't reduced.
  llvm::SmallVector<int64_t> kept() const;
  /// Dimensions over which units of work run: all parallel ones but those of a vector, and of short rows
  /// those within which loops run. Kernels that transpose have `turnedPlaces` along each.
  llvm::SmallVector<int64_t> unitDims() const;
  /// Places along a dimension that make up a unit of work of a kernel that transposes: about a square of those along which
  /// its operands and its results lie, so that both are read and written some cache lines at a time.
  int64_t turnedPlaces(int64_t dim) const;
  /// Whether the last dimension of a lone row is cut into blocks.
  bool isBlocked() const;
  /// The number of units of work.
  mlir::AffineExpr work(SizeAnalysis &sizes) const;
};

/// Rows of fewer elements don't fill a vector.
inline constexpr int64_t shortRow = 8;

/// Whether `op` reads what another kernel wrote, in vectors along dimension `dim` of its result.
bool isTurned(TransposeOp op, int64_t dim);

/// Whether elements of the result depend on elements before them: such an op is a kernel of its own.
bool isOrdered(mlir::Operation *op);

/// The dimensions that an op of a row kernel reduces, or none where it is no such op.
std::optional<llvm::SmallVector<int64_t>> reducedDims(mlir::Operation *op);

/// The structure of a group of ops that make up one kernel, in order; `results` are what it gives.
KernelStructure structureOf(llvm::ArrayRef<mlir::Operation *> ops, mlir::ValueRange results,
                            SizeAnalysis &sizes);

/// Where top-k keeps the candidates of a row. Up to `mostInserted` stand in order on the stack. More of them are collected in
/// scratch, behind the best that are known, and sorted between two halves of it: as a key and a position each.
struct TopKCandidates {
  static constexpr int64_t mostInserted = 16;
  static constexpr int64_t perResult = 4; ///< so many for each result are collected before they are sorted
  static constexpr int64_t chunk = 64;    ///< elements that are looked at before it is asked whether there are as many
  static constexpr int64_t positionBytes = 4;
  /// Bytes of a key: those of the element, but not fewer than a register's.
  static int64_t keyBytes(mlir::Type element) { return std::max(4u, element.getIntOrFloatBitWidth() / 8); }
};

/// On a scatter in a kernel: its result's buffer holds the operand already.
inline constexpr llvm::StringLiteral kInPlaceAttr = "tenon_tile.in_place";

/// The number of a kernel's units of work, from its symbols.
mlir::AffineMap workOf(KernelOp kernel);
/// The bytes of scratch that each worker needs, from the kernel's symbols: the least of the map's results. Null for kernels
/// that need none.
mlir::AffineMap scratchOf(KernelOp kernel);
/// That many bytes as a number of the host program.
mlir::Value scratchBytes(mlir::OpBuilder &builder, mlir::Location loc, mlir::AffineMap scratch,
                         mlir::ValueRange symbols);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELSTRUCTURE_H
