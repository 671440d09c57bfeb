//===- ProgramVerification.h - What verifiers of tile programs ask ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TILE_IR_PROGRAMVERIFICATION_H
#define TENON_LIB_DIALECT_TILE_IR_PROGRAMVERIFICATION_H

#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

namespace tenon::tile {
/// Steps, factors and elements of tiles above this are none that programs have: arithmetic on them stays within 64
/// bits.
inline constexpr int64_t kLargest = int64_t(1) << 31;

inline mlir::LogicalResult verifyTile(mlir::Operation *op, mlir::Type type) {
  if (isTile(type))
    return mlir::success();
  return op->emitOpError("expects tiles, which have static sizes, but has ") << type;
}

inline std::string describe(mlir::AffineExpr expression) {
  std::string text;
  llvm::raw_string_ostream(text) << expression;
  return text;
}

/// Elements of memory have an address each.
/// Memory that `mayBePacked` may have elements that share bytes.
inline mlir::LogicalResult verifyMemory(mlir::Operation *op, mlir::Type type, bool mayBePacked = false) {
  auto memory = llvm::cast<mlir::MemRefType>(type);
  mlir::Type element = memory.getElementType();
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  bool isPacked = mayBePacked && element.isIntOrFloat() && StorageFormat(element).sharesBytes() &&
                  8 % element.getIntOrFloatBitWidth() == 0;
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() > 64 ||
      (element.getIntOrFloatBitWidth() % 8 != 0 && !element.isInteger(1) && !isPacked))
    return op->emitOpError("expects memory of numbers of 1 to 8 bytes or booleans, but has ") << memory;
  if (mlir::failed(memory.getStridesAndOffset(strides, offset)))
    return op->emitOpError("expects strided memory, but has ") << memory;
  return mlir::success();
}

/// A list of expressions: as many as expected, with an operand for each of the map's inputs.
inline mlir::LogicalResult verifyExpressions(mlir::Operation *op, llvm::StringRef what, mlir::AffineMap map,
                                             size_t operands, size_t expected) {
  if (map.getNumResults() != expected)
    return op->emitOpError("expects ") << expected << " " << what << ", but has " << map.getNumResults();
  if (map.getNumInputs() != operands)
    return op->emitOpError("expects ") << map.getNumInputs() << " operands of its " << what << ", but has " << operands;
  return mlir::success();
}

/// Extents, one for each dimension of a tile, as far as they are constants: from `least` on.
inline mlir::LogicalResult verifyExtents(mlir::Operation *op, std::optional<mlir::AffineMap> extents, size_t operands,
                                         llvm::ArrayRef<int64_t> tile, int64_t least) {
  if (!extents)
    return mlir::success();
  if (mlir::failed(verifyExpressions(op, "extents", *extents, operands, tile.size())))
    return mlir::failure();
  for (auto [extent, size] : llvm::zip(extents->getResults(), tile))
    if (auto constant = llvm::dyn_cast<mlir::AffineConstantExpr>(extent);
        constant && (constant.getValue() < least || constant.getValue() > size))
      return op->emitOpError("expects an extent from ")
             << least << " to " << size << ", but has " << constant.getValue();
  return mlir::success();
}

/// Different dimensions, one for each of the tile's.
inline mlir::LogicalResult verifyDims(mlir::Operation *op, llvm::ArrayRef<int64_t> dims, int64_t tileRank,
                                      int64_t rank) {
  if ((int64_t)dims.size() != tileRank)
    return op->emitOpError("expects ") << tileRank << " dims, but has " << dims.size();
  llvm::SmallVector<bool> seen(rank, false);
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= rank || seen[dim])
      return op->emitOpError("expects different dims below ") << rank << ", but has " << dim;
    seen[dim] = true;
  }
  return mlir::success();
}

inline mlir::LogicalResult verifySteps(mlir::Operation *op, llvm::ArrayRef<int64_t> steps, size_t expected) {
  if (steps.size() != expected)
    return op->emitOpError("expects ") << expected << " steps, but has " << steps.size();
  for (int64_t step : steps)
    if (step < 1 || step > kLargest)
      return op->emitOpError("expects steps from 1 to ") << kLargest << ", but has " << step;
  return mlir::success();
}

/// The last `count` of `rank` dimensions, or the ones that are named.
inline llvm::SmallVector<int64_t> dimsOr(std::optional<llvm::ArrayRef<int64_t>> dims, int64_t count, int64_t rank) {
  if (dims)
    return llvm::SmallVector<int64_t>(*dims);
  return llvm::to_vector(llvm::seq(rank - count, rank));
}

/// The terminator of a region of ours.
inline YieldOp yieldOf(mlir::Region &region) { return llvm::cast<YieldOp>(region.front().getTerminator()); }

inline mlir::LogicalResult verifyYield(mlir::Operation *op, mlir::Region &region, mlir::TypeRange expected) {
  for (mlir::Type type : expected)
    if (mlir::failed(verifyTile(op, type)))
      return mlir::failure();
  if (yieldOf(region).getOperandTypes() != expected)
    return op->emitOpError("expects a region that yields ")
           << expected << ", but it yields " << yieldOf(region).getOperandTypes();
  return mlir::success();
}

inline mlir::LogicalResult verifyArguments(mlir::Operation *op, mlir::Region &region, mlir::TypeRange expected) {
  if (region.getArgumentTypes() != expected)
    return op->emitOpError("expects a region with arguments ")
           << expected << ", but it has " << region.getArgumentTypes();
  return mlir::success();
}

inline llvm::SmallVector<mlir::Type> indexTypes(mlir::Operation *op, size_t count) {
  return llvm::SmallVector<mlir::Type>(count, mlir::IndexType::get(op->getContext()));
}

inline bool isIn(mlir::Value memory, MemoryKind kind) {
  auto space = llvm::dyn_cast_if_present<MemoryAttr>(llvm::cast<mlir::MemRefType>(memory.getType()).getMemorySpace());
  return space && space.getKind() == kind;
}
} // namespace tenon::tile

#endif // TENON_LIB_DIALECT_TILE_IR_PROGRAMVERIFICATION_H
