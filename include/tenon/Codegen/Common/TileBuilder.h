//===- TileBuilder.h - Writes the tile program of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_TILEBUILDER_H
#define TENON_CODEGEN_COMMON_TILEBUILDER_H

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

namespace tenon::codegen {

/// Of a program: its units of work, as launches count them, from its index arguments.
inline constexpr llvm::StringLiteral kUnitsAttr = "tenon_tile.units";
/// The number of a grid's units; null where it follows from more than the program's index arguments.
mlir::AffineMap unitsOf(tile::GridOp grid);

/// Writes the program of a kernel, in front of it: arguments and their sizes first, then what it is told. Places and sizes
/// are expressions over index values of the program.
class TileBuilder {
public:
  explicit TileBuilder(tile::KernelOp kernel);

  using Expressions = llvm::ArrayRef<mlir::AffineExpr>;
  using Region = llvm::function_ref<void(llvm::ArrayRef<mlir::AffineExpr> places)>;

  /// One dimension of a grid or loop: `extent` gives the region, behind its coordinate, how many are left of a step.
  struct Dim {
    mlir::AffineExpr low, high;
    int64_t step = 1;
    bool extent = false;
  };

  mlir::AffineExpr constant(int64_t value) { return mlir::getAffineConstantExpr(value, context); }
  /// An index value of the program.
  mlir::AffineExpr index(mlir::Value value);
  /// A size of the kernel.
  mlir::AffineExpr size(mlir::AffineExpr size);

  void grid(llvm::ArrayRef<Dim> dims, Region body);
  void loop(llvm::ArrayRef<Dim> dims, Region body);
  /// `body` is told the extent that it is to work on.
  void peel(mlir::AffineExpr extent, int64_t step, llvm::function_ref<void(mlir::AffineExpr)> body);
  /// A loop over [low, high) by whole steps, and what is left of one: `body` is told the place and the extent.
  void tiles(mlir::AffineExpr low, mlir::AffineExpr high, int64_t step,
             llvm::function_ref<void(mlir::AffineExpr place, mlir::AffineExpr extent)> body);

  /// The kernel's results at a place, tiles of `shape` along the last dimensions.
  mlir::ValueRange compute(Expressions at, llvm::ArrayRef<int64_t> shape, Expressions extents);
  void store(mlir::Value tile, unsigned result, Expressions at, Expressions extents);

  tile::KernelOp kernel;
  tile::ProgramOp program;
  /// Sizes of the kernel's values.
  SizeAnalysis sizes;

private:
  struct List {
    mlir::AffineMap map;
    llvm::SmallVector<mlir::Value> operands;
  };
  /// A list of expressions, with the index values that it needs.
  List listOf(Expressions expressions);
  /// Null where all of a tile is meant.
  List extentsOf(Expressions extents, llvm::ArrayRef<int64_t> shape);
  template <typename Op> void loopOver(llvm::ArrayRef<Dim> dims, Region body);
  void bind(unsigned tensor, mlir::Value memref, mlir::ValueRange strides);

  mlir::MLIRContext *context;
  mlir::OpBuilder builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> indices, symbols; ///< that expressions name
  llvm::SmallVector<mlir::Value> memory;           ///< of the kernel's tensors, then of its results
};

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_TILEBUILDER_H
