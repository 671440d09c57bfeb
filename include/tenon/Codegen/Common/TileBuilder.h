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

/// Writes the program of a kernel, in front of it: arguments and their sizes first, then what it is told. Places and
/// sizes are expressions over index values of the program.
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

  //===--------------------------------------------------------------------===//
  // Index arithmetic where expressions don't reach
  //===--------------------------------------------------------------------===//

  mlir::AffineExpr min(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr max(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr mul(mlir::AffineExpr a, mlir::AffineExpr b);
  /// Of numbers that aren't negative; by a constant of zero, what a loop over nothing does, zero.
  mlir::AffineExpr divide(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr ceilDiv(mlir::AffineExpr a, mlir::AffineExpr b);
  /// The coordinates of a place in a row-major box.
  llvm::SmallVector<mlir::AffineExpr> delinearize(mlir::AffineExpr place, Expressions extents);
  mlir::Value isAtMost(mlir::AffineExpr a, mlir::AffineExpr b);
  /// `yes` where a is at most b, else `no`.
  mlir::AffineExpr ifAtMost(mlir::AffineExpr a, mlir::AffineExpr b, mlir::AffineExpr yes, mlir::AffineExpr no);
  mlir::AffineExpr select(mlir::Value condition, mlir::AffineExpr yes, mlir::AffineExpr no);

  //===--------------------------------------------------------------------===//
  // Units, loops and branches
  //===--------------------------------------------------------------------===//

  void grid(llvm::ArrayRef<Dim> dims, Region body);
  void loop(llvm::ArrayRef<Dim> dims, Region body);
  /// A loop that carries a tile from `init` to the result.
  mlir::Value carry(const Dim &dim, mlir::Value init,
                    llvm::function_ref<mlir::Value(mlir::AffineExpr place, mlir::Value carried)> body);
  /// The same with several tiles.
  using Carried = llvm::SmallVector<mlir::Value>;
  Carried carryAll(const Dim &dim, mlir::ValueRange init,
                   llvm::function_ref<Carried(mlir::AffineExpr place, mlir::ValueRange carried)> body);
  Carried carryAllTiles(
      mlir::AffineExpr low, mlir::AffineExpr high, int64_t step, mlir::ValueRange init,
      llvm::function_ref<Carried(mlir::AffineExpr place, mlir::AffineExpr extent, mlir::ValueRange carried)> body);
  /// `tiles` that carry a tile from `init` to the result.
  mlir::Value carryTiles(
      mlir::AffineExpr low, mlir::AffineExpr high, int64_t step, mlir::Value init,
      llvm::function_ref<mlir::Value(mlir::AffineExpr place, mlir::AffineExpr extent, mlir::Value carried)> body);
  /// `no` may be none.
  void when(mlir::Value condition, llvm::function_ref<void()> yes, llvm::function_ref<void()> no = {});
  /// `body` is told the extent that it is to work on.
  void peel(mlir::AffineExpr extent, int64_t step, llvm::function_ref<void(mlir::AffineExpr)> body);
  /// A loop over [low, high) by whole steps, and what is left of one: `body` is told the place and the extent.
  void tiles(mlir::AffineExpr low, mlir::AffineExpr high, int64_t step,
             llvm::function_ref<void(mlir::AffineExpr place, mlir::AffineExpr extent)> body);

  //===--------------------------------------------------------------------===//
  // Memory and tiles
  //===--------------------------------------------------------------------===//

  /// Where a tensor of the kernel, or a result by its number, is.
  mlir::Value memoryOf(mlir::Value tensor);
  /// How far the next element along each dimension of a tensor of the kernel is.
  llvm::SmallVector<mlir::AffineExpr> stridesOf(mlir::Value tensor);
  mlir::Value result(unsigned number) { return memory[memory.size() - kernel.getResultTypes().size() + number]; }
  /// What `make` gives of operands that launches give constants, made at compile time and stored for this program: the
  /// memory of an argument of its own. `make` writes ops of `tenon`; the form is called `name`, or like it. Operands
  /// that one op of the kernel reads are no arguments any more.
  mlir::Value formed(mlir::ValueRange operands, llvm::StringRef name,
                     llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::ValueRange)> make);
  /// Memory of the worker's own, in front of the grid.
  mlir::Value scratch(llvm::ArrayRef<int64_t> shape, mlir::Type element);
  /// Memory in front of the grids, of sizes that may be symbols.
  mlir::Value scratch(Expressions sizes, mlir::Type element, tile::MemoryKind kind);
  mlir::Value view(mlir::Value source, mlir::AffineMap map, Expressions sizes);
  /// The same element everywhere.
  mlir::Value splat(llvm::ArrayRef<int64_t> shape, mlir::TypedAttr element);
  mlir::TypedAttr zero(mlir::Type element) { return builder.getZeroAttr(element); }
  /// A size as a scalar.
  mlir::Value scalar(mlir::AffineExpr size, mlir::Type element);
  /// An index as a scalar.
  mlir::Value position(mlir::AffineExpr index);
  /// An index as `count` integers: the same one, or each one more than the one before it.
  mlir::Value positions(mlir::AffineExpr index, int64_t count, bool grows);
  /// Records an error of the unit, with index values that say what is wrong.
  void report(int64_t code, mlir::AffineExpr unit, mlir::Value value, mlir::Value limit);
  /// The tile, with `element` beyond `extents`.
  mlir::Value fill(mlir::Value tile, Expressions extents, mlir::TypedAttr element);
  /// The tile with elements of another type.
  mlir::Value cast(mlir::Value tile, mlir::Type element);
  /// An op on elements of the kernel, of tiles.
  mlir::Value repeat(mlir::Operation *op, mlir::ValueRange tiles);
  /// A tile of several elements that are known.
  mlir::Value elements(mlir::DenseElementsAttr values) { return create<ConstantOp>(values.getType(), values); }
  /// The index that a scalar is.
  mlir::AffineExpr extract(mlir::Value scalar);
  /// An index value of the program that is computed.
  mlir::Value value(mlir::AffineExpr expression);
  /// An op on tiles or index values.
  template <typename OpT, typename... Arguments> mlir::Value create(Arguments &&...arguments) {
    return OpT::create(builder, loc, std::forward<Arguments>(arguments)...)->getResult(0);
  }
  /// Tiles lie along `dims`, the last ones if there are none, within `extents` if there are some, and `steps` apart if
  /// there are those.
  mlir::Value load(mlir::Value memref, Expressions at, llvm::ArrayRef<int64_t> shape, Expressions extents = {},
                   llvm::ArrayRef<int64_t> dims = {}, llvm::ArrayRef<std::pair<int64_t, mlir::Value>> gathered = {},
                   llvm::ArrayRef<int64_t> steps = {});
  void store(mlir::Value tile, mlir::Value memref, Expressions at, Expressions extents = {},
             llvm::ArrayRef<int64_t> dims = {});
  void prefetch(mlir::Value memref, Expressions at, bool isWrite = false);
  /// The first elements of the row of `source` along `dim` that begins at a place; null are results that nobody asks
  /// for, and scratch that isn't needed.
  void topk(mlir::Value source, Expressions at, int64_t dim, int64_t lanes, bool smallest, mlir::Value values,
            mlir::Value positions, mlir::Value scratch);
  mlir::Value mma(mlir::Value lhs, mlir::Value rhs, mlir::Value sums, tile::InstructionAttr via = {});
  /// A value of the kernel of which a tile is there: at the place that is computed, or at one of its own.
  struct Known {
    mlir::Value value, tile;
    std::optional<llvm::SmallVector<mlir::AffineExpr>> at = {};
  };
  /// Values of the kernel at a place, tiles of `shape` along `dims`, from what is known and operands.
  mlir::ValueRange compute(mlir::ValueRange values, Expressions at, llvm::ArrayRef<int64_t> shape, Expressions extents,
                           llvm::ArrayRef<int64_t> dims = {}, llvm::ArrayRef<Known> known = {});
  /// Says that a result's memory is that of an operand, and holds it.
  void setPresent(unsigned result, mlir::Value operand);
  /// What the kernel yields.
  mlir::ValueRange results() { return kernel.getBody().front().getTerminator()->getOperands(); }
  /// Whether rows of a result lie wherever strides say.
  bool takesStrides(unsigned result) { return kernel.takesStrides(memory.size() - results().size() + result); }

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
  /// Says in a region of the kernel's ops what sizes `value`, a value of the kernel, has there.
  void bindShape(mlir::Value value, mlir::Value there);
  /// Null where all of a tile is meant.
  List extentsOf(Expressions extents, llvm::ArrayRef<int64_t> shape);
  Carried carryOver(const Dim &dim, mlir::ValueRange init,
                    llvm::function_ref<Carried(Expressions places, mlir::ValueRange carried)> body);
  template <typename Op> void loopOver(llvm::ArrayRef<Dim> dims, Region body);
  /// Null where they are the last of `rank` ones.
  mlir::DenseI64ArrayAttr dimsOf(llvm::ArrayRef<int64_t> dims, int64_t rank);
  void bind(unsigned tensor, mlir::Value memref, mlir::ValueRange strides);
  /// Says of each argument which tensors of the kernel it is made of.
  void nameOperands();

  mlir::MLIRContext *context;
  mlir::OpBuilder builder;
  mlir::Location loc;
  llvm::SmallVector<mlir::Value> indices, symbols; ///< that expressions name
  llvm::SmallVector<mlir::Value> memory; ///< of the kernel's tensors, then of its results; null: in forms only
  /// The tensors that each argument which is an operand is made of.
  llvm::SmallVector<llvm::SmallVector<int64_t>> operandsOf;
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> strides; ///< of the same, but the last one: 1; or none
};

} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_TILEBUILDER_H
