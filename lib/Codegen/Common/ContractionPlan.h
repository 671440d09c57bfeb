//===- ContractionPlan.h - How the program of a contraction goes about its work ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_CONTRACTIONPLAN_H
#define TENON_LIB_CODEGEN_COMMON_CONTRACTIONPLAN_H

#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Tile/Analysis/ScheduleSpace.h"

namespace tenon::codegen {

/// The height of register tiles behind whole ones, where the number of rows isn't known.
inline constexpr int64_t restRows = 4;

inline std::optional<int64_t> constantOf(mlir::AffineExpr expression) {
  auto constant = mlir::dyn_cast<mlir::AffineConstantExpr>(expression);
  return constant ? std::optional(constant.getValue()) : std::nullopt;
}

/// How a target multiplies integers in register tiles, row by row; null where it is by multiply-adds.
tile::RateAttr productsRate(ContractOp op, tile::TargetAttrInterface target);

/// The instruction of a target that multiplies matrices of integers, whose columns come as those of `productsRate`:
/// null if there is none, or rows aren't one stride apart or have products left over.
tile::RateAttr fragmentsRate(ContractOp op, tile::TargetAttrInterface target);

/// Whether a dimension stands behind another one, with none of several places between them.
bool areNeighbours(int64_t first, int64_t second, llvm::ArrayRef<int64_t> shape);

/// What follows from a kernel's sizes and its schedule before anything is written, and doesn't change after that.
///
/// Where rows have several dimensions a register tile lies in a line of the last one, if tiles fit lines, so that its
/// rows are one stride apart; else it goes on from line to line ("flat"). Where the length of a line is known all tiles
/// have one height. A long summed dimension comes in parts; windows do, by their taps.
class ContractionPlan {
public:
  ContractionPlan(TileBuilder &b, const tile::KernelStructure &structure, tile::ScheduleAttr schedule);

  int64_t knobOf(llvm::StringRef name) { return *schedule.get(name); }
  mlir::AffineMap map(unsigned i) { return mlir::cast<mlir::AffineMapAttr>(op.getIndexingMaps()[i]).getValue(); }
  /// The dimension of an operand, or of the result, that one of the iteration space is.
  std::optional<unsigned> positionIn(unsigned operand, unsigned dim) {
    return map(operand).getResultPosition(mlir::getAffineDimExpr(dim, op.getContext()));
  }
  mlir::AffineExpr sizeOf(unsigned dim);

  /// Whether windows reach over the border of the image, where their elements are zero.
  bool isClipped() { return windows && windows.getPads(); }
  /// Elements of the image per window, which share most of what they read.
  int64_t elementsPerWindow();
  /// What a row of the first operand takes in the cache.
  int64_t bytesPerRow();
  /// What all rows take in the cache.
  mlir::AffineExpr bytesOfRows() { return lines * length * bytesPerRow(); }
  /// Whether tiles lie in lines of which there are several.
  bool hasLines() { return rowSizes.size() > 1 && !isFlat; }
  /// Most rows of a block in a line, as a multiple of the tile's height.
  int64_t blockExtent();
  /// Most rows of a tile that lie beyond the end of its unit.
  int64_t beyondRows();

  /// Whether so few rows may be there that each reads a panel once, as it lies in memory; whether they surely are.
  bool canBeWide();
  bool isWide();
  /// As many of them are multiplied at once: tiles that are as wide as a panel have sums to spare for a second row,
  /// where that is a stride behind the first one. Narrower ones have, too, if columns are widened, which costs more
  /// than reading them again.
  int64_t wideHeight();
  /// Columns that they are multiplied with at once.
  int64_t wideColumns();

  /// The products of a part of the summed dimension.
  mlir::AffineExpr partStart(mlir::AffineExpr part);
  mlir::AffineExpr partEnd(mlir::AffineExpr part);
  /// Of all products of few rows, those that are summed up from zero: none where all are.
  std::optional<int64_t> wideStretch();
  /// Products per turn of a whole tile's loop.
  int64_t wholeUnroll();

  /// Whether parts end within a run.
  bool isRagged() { return storedDepth != runDepth; }
  /// Whether rows are stored in less than they are multiplied in, or in runs that aren't whole and don't go on.
  bool isNarrow() { return getElementTypeOrSelf(op.getLhs()) != rowElement || (isRagged() && !runsGoOn); }
  /// So many products of a part are widened before all columns of a unit are multiplied with them, if they stay in the
  /// nearest cache and there are several tiles of columns; none else.
  std::optional<int64_t> sharedProducts();
  /// So many products of rows are widened at once, where they are stored in less: they stay in the nearest cache. All
  /// stretches are of one size, if they may be.
  int64_t stretch();

  int64_t vectorBytes() { return knobOf(tile::knob::vectorBytes); }
  int64_t panelWidth() { return wholeColumns(knobOf(tile::knob::panelColumns)); }
  /// Whether a constant operand has fewer columns than a panel: its rows lie one behind the other then, and vectors of
  /// columns reach into the next one.
  bool hasNarrowPanel() { return packed && !expression && columns != zero && *constantOf(columns) < panelWidth(); }
  /// The shape of tiles of so many rows: without rows they have one dimension.
  llvm::SmallVector<int64_t> rowShape(int64_t last, int64_t height) {
    return roles.rows.empty() ? llvm::SmallVector<int64_t>{last} : llvm::SmallVector<int64_t>{height, last};
  }

  TileBuilder &b;
  ContractOp op;
  tile::ContractionRoles roles;
  std::optional<int64_t> packed; ///< the dimension of a constant second operand that is summed: it comes in panels
  /// What that operand is made of, where it is arithmetic on constants: these come in panels.
  std::optional<ConstantExpression> expression;
  tile::WindowRowsOp windows;
  TransposeOp turned; ///< what the results are made of, where their rows are next to each other, or null
  tile::ScheduleAttr schedule;
  int64_t lanes, vectorLanes, tileRows, depthBlock;
  int64_t unitRows, unitColumns;        ///< most of a unit of work
  int64_t nearestBytes;                 ///< of the nearest cache
  mlir::Type element;                   ///< of sums
  mlir::Type rowElement, columnElement; ///< as they are multiplied
  tile::InstructionAttr via;            ///< what multiplies, or null: multiply-adds, row by row
  tile::InstructionAttr fragments;      ///< what multiplies whole tiles, matrices in registers of its own, or null
  int64_t runLength = 1;                ///< products of a column that it adds at once: runs of them lie together
  mlir::AffineExpr zero, one;

  mlir::AffineExpr depth, columns;
  llvm::SmallVector<mlir::AffineExpr> batchSizes, rowSizes;
  mlir::AffineExpr lines, length; ///< of rows, and rows of each
  mlir::AffineExpr blocks;        ///< of rows: units of work
  mlir::AffineExpr linesPerBlock;
  int64_t mostLines = 1;    ///< of a block
  int64_t height = 1;       ///< of whole tiles
  bool isFlat = false;      ///< whether tiles go on from line to line
  bool isCollapsed = false; ///< whether the rows of the first operand are one dimension, though not of results
  bool isGathered = false;  ///< whether the places of rows stand in a table

  llvm::SmallVector<int64_t> taps; ///< of a window, those that don't run on in the image
  mlir::AffineExpr runDepth;       ///< products of a part of windows, or all, as many as are multiplied
  mlir::AffineExpr storedDepth;    ///< as many of them as there are; behind them columns are zero
  bool runsGoOn = false;           ///< whether something of the image stands behind each part that isn't whole
  bool isSplit = false;            ///< whether the sums of a part wait in scratch for the next one
  bool addsParts = false;          ///< whether each part is summed up from zero, as many products would lose digits
  int64_t parts = 1;               ///< of the summed dimension, where they do
  mlir::AffineExpr partDepth;

  /// Whether rows are the inner dimension of units: those that stay in the cache are multiplied with panel after panel;
  /// of more rows, a block is. None where it shows at run time.
  std::optional<bool> rowsAreInner;

  bool waits = false;       ///< whether the sums of a unit wait in scratch
  int64_t sumsRows = 0;     ///< rows of it
  bool wholeInRows = false; ///< whether what follows a whole tile goes through scratch, row by row

private:
  /// As many of `most` columns as whole tiles next to each other have, if there are several.
  int64_t wholeColumns(int64_t most);
  void measure();
  void measureRows();
  void useFragments(tile::TargetAttrInterface target);
  void measureWindows();
  void padRuns();
  bool imageGoesOn();
  bool fitLines(mlir::AffineExpr rows);
  bool rowsRunOn();
  void splitDepth();
  void placeSums();
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_CONTRACTIONPLAN_H
