//===- ProgramLowering.h - Turns a grid of a tile program into a function ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// One walk over the program: each op is emitted where it stands, its index values are replaced by what they
// become. A tile is emitted element by element where it is used, if that is once and in the same block, and
// nothing that it reads is written before; else where it stands, a vector for each of its rows. What loops
// carry and what `mma` gives are registers. LowerTiles.cpp has units, loops and branches, LowerTileOps.cpp
// memory and tiles.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_PROGRAMLOWERING_H
#define TENON_LIB_CODEGEN_COMMON_PROGRAMLOWERING_H

#include "KernelFunction.h"
#include "ProgramPlan.h"
#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace tenon::codegen {

class ProgramLowering {
public:
  ProgramLowering(tile::ProgramOp program, llvm::StringRef name)
      : program(program), name(name), builder(program), sizes(program.getContext()),
        e(builder, program.getLoc(), sizes, /*lanes=*/1) {}

  /// Writes the function in front of the program, which has one grid, and erases that.
  mlir::FailureOr<mlir::func::FuncOp> run();

private:
  KernelSignature signatureOf();
  mlir::LogicalResult refuse(mlir::Operation *op) { return op->emitOpError("can't be compiled on this target yet"); }

  //===--------------------------------------------------------------------===//
  // Index values
  //===--------------------------------------------------------------------===//

  llvm::SmallVector<mlir::Value> valuesOf(mlir::AffineMap map, mlir::ValueRange operands);
  Coordinates coordinatesOf(mlir::AffineMap map, mlir::ValueRange operands);
  /// The expressions of a list as sizes.
  llvm::SmallVector<mlir::AffineExpr> sizesOf(mlir::AffineMap map, mlir::ValueRange operands);

  //===--------------------------------------------------------------------===//
  // Units, loops and branches
  //===--------------------------------------------------------------------===//

  mlir::LogicalResult emitOps(mlir::Block &block);
  mlir::LogicalResult emitBody(mlir::Region &region, mlir::ValueRange arguments);
  mlir::LogicalResult emitBody(mlir::Region &region, mlir::ValueRange arguments, mlir::Value extent);
  mlir::LogicalResult emit(mlir::Operation *op);
  mlir::LogicalResult emit(tile::GridOp grid);
  mlir::LogicalResult emit(tile::ForOp loop);
  mlir::LogicalResult emit(tile::PeelOp peel);
  mlir::LogicalResult emit(tile::StageOp stage);
  mlir::LogicalResult emit(mlir::scf::IfOp branch);
  mlir::LogicalResult emitCarrying(tile::ForOp loop, mlir::Value low, mlir::Value high);
  /// A loop over whole steps, then what is left. `outer` are the arguments of the dimensions before.
  mlir::LogicalResult emitPeeled(tile::ForOp loop, tile::PeelOp peel, mlir::Value low, mlir::Value high,
                                 llvm::SmallVector<mlir::Value> outer);
  mlir::LogicalResult emitLoop(mlir::Value low, mlir::Value high, int64_t step,
                               llvm::function_ref<mlir::LogicalResult(mlir::Value)> body);
  mlir::LogicalResult emitIf(mlir::Value condition, llvm::function_ref<mlir::LogicalResult()> body);
  /// A loop that carries values.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> emitLoop(mlir::Value low, mlir::Value high, int64_t step,
                                                           mlir::ValueRange init, ElementEmitter::LoopBody body);
  /// What `body` gives where the condition holds.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>>
  emitIf(mlir::Value condition, mlir::ValueRange otherwise,
         llvm::function_ref<mlir::FailureOr<llvm::SmallVector<mlir::Value>>()> body);
  /// Where whole steps end, and how much is left behind them.
  std::pair<mlir::Value, mlir::Value> wholeSteps(mlir::Value low, mlir::Value high, int64_t step);
  /// How many of a step are left.
  mlir::Value extentOf(mlir::Value place, mlir::Value high, int64_t step);

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  mlir::LogicalResult emit(tile::BindOp bind);
  mlir::LogicalResult emit(tile::ScratchOp op);
  mlir::LogicalResult emit(tile::ViewOp view);
  mlir::LogicalResult emit(tile::PrefetchOp prefetch);
  mlir::LogicalResult emit(tile::TopKRowOp topk);
  /// Where the elements of a memory are.
  const Buffer &bufferOf(mlir::Value memref);

  //===--------------------------------------------------------------------===//
  // Tiles
  //===--------------------------------------------------------------------===//

  mlir::LogicalResult emit(tile::ComputeOp compute);
  mlir::LogicalResult emit(tile::LoadOp load);
  mlir::LogicalResult emit(tile::StoreOp store);
  mlir::LogicalResult emit(tile::MmaOp mma);
  mlir::LogicalResult emitVia(tile::MmaOp mma);
  /// By an instruction that multiplies matrices, whose registers are fragments: blocks of a tile, row by row.
  mlir::LogicalResult emitFragments(tile::MmaOp mma);
  mlir::LogicalResult storeFragments(tile::StoreOp store, tile::InstructionAttr via);
  /// A tile as fragments of sums: zeros, memory, or what is in fragments.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> fragmentsOf(mlir::Value tile, tile::InstructionAttr via);
  /// The instruction whose fragments a tile of sums is, or null.
  static tile::InstructionAttr fragmentsVia(mlir::Value tile);
  /// Whether nothing but loops, products and memory takes a tile.
  static bool staysInFragments(mlir::Value tile);
  /// Where a block of a tile in memory begins, and how far its rows are from each other, in bytes.
  std::pair<mlir::Value, mlir::Value> addressOf(mlir::Value memref, llvm::ArrayRef<Coordinate> at,
                                                llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<int64_t> within);
  mlir::LogicalResult emit(ReduceOp reduce);
  mlir::LogicalResult emit(tile::FillOp fill);
  mlir::LogicalResult emit(tile::PositionOp position);
  /// Of a scalar.
  mlir::LogicalResult emit(mlir::tensor::ExtractOp extract);
  /// The extents of a tile, null for those that are whole.
  llvm::SmallVector<mlir::Value> partsOf(std::optional<mlir::AffineMap> extents, mlir::ValueRange indices,
                                         mlir::Value tile);
  /// The dimension of a square block along which memory is contiguous, where that isn't the last one: it is read along
  /// it.
  std::optional<int64_t> turnedDim(tile::LoadOp load);
  /// Vectors along `dim`, one for each lane, become those of the tile.
  mlir::LogicalResult emitTurned(tile::LoadOp load, int64_t dim, llvm::ArrayRef<Coordinate> at);
  /// The dimension of a tile that is all of memory's short rows, which lie one behind the other along the tile's lanes.
  std::optional<int64_t> interleavedDim(tile::StoreOp store, llvm::ArrayRef<Coordinate> at);
  mlir::LogicalResult emitInterleaved(tile::StoreOp store, int64_t dim, llvm::ArrayRef<Coordinate> at);
  /// Leaves a tile for its user to ask, or computes it.
  mlir::LogicalResult emitTile(mlir::Operation *op);
  /// Calls `f` with the coordinates of each row of a tile, of which the last dimension is lanes.
  mlir::LogicalResult forEachRow(mlir::Value tile, llvm::function_ref<mlir::LogicalResult(Coordinates)> f);
  /// The tile in registers: each row in pieces of the size that loops carry.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> registersOf(mlir::Value tile);
  /// Those of several tiles, and how many of each.
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> registersOf(mlir::ValueRange tiles,
                                                              llvm::SmallVectorImpl<size_t> *counts = nullptr);
  void defineRegisters(mlir::ValueRange tiles, llvm::ArrayRef<size_t> counts, mlir::ValueRange registers);
  llvm::SmallVector<mlir::Type> registerTypes(mlir::Value tile);
  /// One row in pieces, from its coordinates.
  mlir::LogicalResult appendPieces(mlir::Value tile, Coordinates place, llvm::SmallVectorImpl<mlir::Value> &pieces);
  /// The condition that a row lies within extents; null where it surely does.
  mlir::Value isWithin(llvm::ArrayRef<Coordinate> row, llvm::ArrayRef<mlir::Value> extents,
                       llvm::ArrayRef<int64_t> shape);

  tile::ProgramOp program;
  llvm::StringRef name;
  mlir::OpBuilder builder;
  SizeAnalysis sizes;
  ElementEmitter e;
  mlir::Value begin, end; ///< the units of work to do
  /// Memory that launches give, to the worker and to all: bytes, and where the next scratch begins.
  struct ScratchMemory {
    mlir::Value base, next;
  };
  ScratchMemory scratch[2];
  llvm::DenseMap<mlir::Operation *, ScratchPlace> places;
  llvm::DenseMap<mlir::Value, mlir::Value> bases;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::AffineExpr>> shapes;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> strides;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_PROGRAMLOWERING_H
