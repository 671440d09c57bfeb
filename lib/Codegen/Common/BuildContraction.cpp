//===- BuildContraction.cpp - The tile program of a contraction and its epilogue ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A unit of work is a block of rows times a panel of columns, whose sums are made by register tiles. ContractionPlan
// decides how rows, columns and products are cut; RowOperand and ColumnOperand are what tiles read, TileSums
// multiplies it, ContractionEpilogue and TurnedResults give what follows. Here are the loops around them.
//
// Where the length of a line is known the last tile begins early enough to be whole, and computes some rows again, with
// equal bits. Where it isn't, whole tiles are followed by lower ones, if they aren't as low themselves: rows beyond the
// end are the last one again.
//

#include "BuildContraction.h"
#include "ContractionEpilogue.h"
#include "ExpressionSums.h"
#include "TileSums.h"
#include "TurnedResults.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
class ContractionBuilder {
public:
  ContractionBuilder(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule)
      : b(kernel), plan(b, structure, schedule), zero(plan.zero), columnOperand(plan), rowOperand(plan),
        products(plan, rowOperand, columnOperand), epilogue(plan, columnOperand.isPadded()) {
    if (plan.waits && !plan.isWide())
      sums = b.scratch({plan.sumsRows, plan.unitColumns}, plan.element);
    if (plan.turned)
      turned.emplace(plan);
    if (plan.expression && plan.canBeWide() && (plan.isWide() || !constantOf(plan.length)))
      expressionSums.emplace(plan, rowOperand, *columnOperand.getExpression());
  }

  void build();

private:
  void emitUnit(const ContractionUnit &unit);
  void emitWideRows(const ContractionUnit &unit);
  void emitParts(const ContractionUnit &unit);
  void emitTap(const ContractionUnit &unit, AffineExpr part);
  void emitRun(const ContractionUnit &unit, ArrayRef<AffineExpr> tap, AffineExpr start, AffineExpr low, AffineExpr high,
               AffineExpr part);
  void emitTiles(const ContractionUnit &unit, function_ref<void(RegisterTile, AffineExpr line, bool isWhole)> emit);
  void emitTilesOfColumns(const ContractionUnit &unit, AffineExpr part);
  void emitTilesOfRows(const ContractionUnit &unit, AffineExpr part);
  void emitTile(RegisterTile tile, AffineExpr line, AffineExpr part, bool isWhole);
  void emitSums(const ContractionUnit &unit, AffineExpr column, AffineExpr left);
  void moveEarlyRows(const ContractionUnit &unit);
  void storeZeros(AffineExpr low, AffineExpr high);
  /// The unit's columns, `part` of which is copied first, if there is one and columns are copied at all.
  void forEachColumn(const ContractionUnit &unit, AffineExpr part,
                     function_ref<void(AffineExpr column, AffineExpr left)> emit);
  /// Where a tile begins that must be whole.
  AffineExpr wholeRow(AffineExpr turn);

  TileBuilder b;
  ContractionPlan plan;
  AffineExpr zero;
  ColumnOperand columnOperand;
  RowOperand rowOperand;
  TileSums products;
  ContractionEpilogue epilogue;
  Value sums; ///< scratch for those of a unit, or null
  std::optional<TurnedResults> turned;
  std::optional<ExpressionSums> expressionSums; ///< of few rows
};
} // namespace

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

void ContractionBuilder::build() {
  SmallVector<TileBuilder::Dim> dims =
      llvm::map_to_vector(plan.batchSizes, [&](AffineExpr size) { return TileBuilder::Dim{zero, size}; });
  AffineExpr panels = plan.columns.ceilDiv(plan.unitColumns);
  TileBuilder::Dim panelDim{zero, panels}, blockDim{zero, plan.blocks};
  if (!plan.rowsAreInner)
    dims.push_back({zero, panels * plan.blocks});
  else if (*plan.rowsAreInner)
    dims.append({panelDim, blockDim});
  else
    dims.append({blockDim, panelDim});
  b.grid(dims, [&](TileBuilder::Expressions at) {
    TileBuilder::Expressions batch = at.take_front(plan.batchSizes.size());
    at = at.drop_front(batch.size());
    if (plan.rowsAreInner)
      return emitUnit({plan, batch, at[!*plan.rowsAreInner], at[*plan.rowsAreInner]});
    SmallVector<AffineExpr> inner = b.delinearize(at[0], {panels, plan.blocks}),
                            outer = b.delinearize(at[0], {plan.blocks, panels});
    Value isResident = b.isAtMost(plan.bytesOfRows(), b.constant(plan.knobOf(knob::residentBytes)));
    AffineExpr panel = b.select(isResident, inner[0], outer[1]), block = b.select(isResident, inner[1], outer[0]);
    ContractionUnit unit(plan, batch, panel, block);
    unit.isResident = isResident;
    emitUnit(unit);
  });
}

void ContractionBuilder::emitUnit(const ContractionUnit &unit) {
  if (plan.isWide())
    return emitWideRows(unit);
  if (!constantOf(plan.length) && plan.canBeWide())
    return b.when(
        b.isAtMost(unit.endRow - unit.firstRow, b.constant(plan.knobOf(knob::wideRows))), [&] { emitWideRows(unit); },
        [&] { emitParts(unit); });
  emitParts(unit);
}

void ContractionBuilder::emitWideRows(const ContractionUnit &unit) {
  unit.forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr) {
    auto emitRows = [&](AffineExpr row, int64_t rows) {
      RegisterTile tile{unit,
                        SmallVector<AffineExpr>(line),
                        row,
                        row,
                        b.constant(rows),
                        rows,
                        zero,
                        unit.columns(),
                        plan.unitColumns};
      SmallVector<AffineExpr> place = plan.isFlat ? b.delinearize(row, plan.rowSizes) : SmallVector<AffineExpr>();
      if (plan.isGathered)
        tile.place = rowOperand.placeOf(place);
      auto emitSums = [&](RegisterTile part, Value sums) {
        if (plan.isFlat) {
          part.row = place.back();
          part.line = SmallVector<AffineExpr>(ArrayRef(place).drop_back());
        }
        epilogue.emit(part, sums);
      };
      if (!expressionSums)
        return emitSums(tile, products.multiplyWide(tile));
      expressionSums->prepare(tile);
      tile.width = plan.wideColumns();
      std::optional<int64_t> known = constantOf(plan.columns);
      AffineExpr whole = b.constant(tile.width);
      expressionSums->multiply(tile, [&](function_ref<Value(const RegisterTile &)> multiply) {
        b.loop({{zero, unit.columns(), tile.width}}, [&](TileBuilder::Expressions at) {
          tile.column = at[0];
          tile.columns = known && *known % tile.width == 0 ? whole : b.min(unit.leftColumns - at[0], whole);
          emitSums(tile, multiply(tile));
        });
      });
    };
    int64_t step = plan.wideHeight();
    AffineExpr whole = step > 1 ? unit.firstRow + (unit.endRow - unit.firstRow).floorDiv(step) * step : unit.firstRow;
    if (step > 1)
      b.loop({{unit.firstRow, whole, step}}, [&](TileBuilder::Expressions at) { emitRows(at[0], step); });
    if (whole != unit.endRow)
      b.loop({{whole, unit.endRow}}, [&](TileBuilder::Expressions at) { emitRows(at[0], 1); });
  });
}

/// One part of the summed dimension after the other; the columns of a panel in register tiles.
void ContractionBuilder::emitParts(const ContractionUnit &unit) {
  auto emitPart = [&](AffineExpr part) {
    plan.sharedProducts() ? emitTilesOfRows(unit, part) : emitTilesOfColumns(unit, part);
  };
  if (!plan.waits)
    return emitPart(zero);
  if (plan.isGathered)
    rowOperand.fillTable(unit);
  if (plan.isSplit) {
    storeZeros(zero, b.constant(plan.sumsRows));
  } else if (turned && unit.rows() % plan.vectorLanes != zero) {
    // Rows beyond the end are turned with the others.
    AffineExpr low = unit.rows().floorDiv(plan.vectorLanes) * plan.vectorLanes;
    storeZeros(low, low + plan.vectorLanes);
  }
  if (plan.isSplit)
    b.loop({{zero, b.constant(plan.parts)}},
           [&](TileBuilder::Expressions at) { plan.isClipped() ? emitTap(unit, at[0]) : emitPart(at[0]); });
  else
    emitPart(zero);
  if ((turned || plan.isFlat) && !plan.isClipped())
    moveEarlyRows(unit);
  if (turned)
    return turned->emit(unit, sums);
  forEachColumn(unit, AffineExpr(), [&](AffineExpr column, AffineExpr left) { emitSums(unit, column, left); });
}

void ContractionBuilder::forEachColumn(const ContractionUnit &unit, AffineExpr part,
                                       function_ref<void(AffineExpr, AffineExpr)> emit) {
  std::optional<int64_t> known = constantOf(plan.columns);
  int64_t lanes = plan.lanes;
  bool isWhole = known && *known % lanes == 0;
  if (part)
    columnOperand.copyPart(unit, part);
  auto emitColumn = [&](AffineExpr column) {
    AffineExpr left = isWhole ? b.constant(lanes) : b.min(unit.leftColumns - column, b.constant(lanes));
    // Beyond the end there is nothing to read.
    if (columnOperand.isPadded() || isWhole || !part)
      return emit(column, left);
    b.peel(left, lanes, [&](AffineExpr extent) { emit(column, extent); });
  };
  if (lanes == plan.unitColumns)
    return emitColumn(zero);
  b.loop({{zero, unit.columns(), lanes}}, [&](TileBuilder::Expressions at) { emitColumn(at[0]); });
}

//===----------------------------------------------------------------------===//
// Register tiles
//===----------------------------------------------------------------------===//

AffineExpr ContractionBuilder::wholeRow(AffineExpr turn) {
  std::optional<int64_t> known = constantOf(plan.length);
  return known && *known % plan.height != 0 && !plan.isGathered ? b.min(turn, b.constant(*known - plan.height)) : turn;
}

/// All columns of a tile's rows, once these are widened.
void ContractionBuilder::emitTilesOfRows(const ContractionUnit &unit, AffineExpr part) {
  emitTiles(unit, [&](RegisterTile rows, AffineExpr line, bool isWhole) {
    if (plan.isGathered)
      rows.places = rowOperand.placesAt(unit.sumsRow(line, rows.turn), rows.height);
    rowOperand.widenPart(rows, part);
    rows.isWidened = true;
    forEachColumn(unit, part, [&](AffineExpr column, AffineExpr left) {
      RegisterTile tile = rows;
      tile.column = column;
      tile.columns = left;
      emitTile(tile, line, part, isWhole);
    });
  });
}

/// All rows of a tile's columns.
void ContractionBuilder::emitTilesOfColumns(const ContractionUnit &unit, AffineExpr part) {
  forEachColumn(unit, part, [&](AffineExpr column, AffineExpr left) {
    emitTiles(unit, [&](RegisterTile tile, AffineExpr line, bool isWhole) {
      tile.column = column;
      tile.columns = left;
      if (plan.isGathered)
        tile.places = rowOperand.placesAt(unit.sumsRow(line, tile.turn), tile.height);
      emitTile(tile, line, part, isWhole);
    });
  });
}

/// The unit's rows, in tiles whose columns aren't known yet.
void ContractionBuilder::emitTiles(const ContractionUnit &unit,
                                   function_ref<void(RegisterTile, AffineExpr, bool)> emit) {
  unit.forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr number) {
    auto tileAt = [&](AffineExpr turn, AffineExpr row, AffineExpr rows, int64_t height) {
      return RegisterTile{unit, SmallVector<AffineExpr>(line), row, turn, rows, height, zero, zero, plan.lanes};
    };
    int64_t height = plan.height;
    auto emitPartial = [&](AffineExpr first, int64_t height, bool isWhole) {
      b.loop({{first, unit.endRow, height, /*extent=*/true}},
             [&](TileBuilder::Expressions at) { emit(tileAt(at[0], at[0], at[1], height), number, isWhole); });
    };
    if (!constantOf(plan.length) && height <= restRows)
      return emitPartial(unit.firstRow, height, /*isWhole=*/true);
    AffineExpr whole = unit.endRow;
    if (!constantOf(plan.length))
      whole = unit.firstRow + (unit.endRow - unit.firstRow).floorDiv(height) * height;
    b.loop({{unit.firstRow, whole, height}}, [&](TileBuilder::Expressions at) {
      emit(tileAt(at[0], wholeRow(at[0]), b.constant(height), height), number, /*isWhole=*/true);
    });
    if (!constantOf(plan.length))
      emitPartial(whole, restRows, /*isWhole=*/false);
  });
}

void ContractionBuilder::emitTile(RegisterTile tile, AffineExpr line, AffineExpr part, bool isWhole) {
  if (isWhole)
    columnOperand.planFetching(tile, line, part);
  columnOperand.fetchRows(tile, part);
  if (!plan.waits)
    epilogue.fetch(tile);
  SmallVector<AffineExpr> place = {tile.unit.sumsRow(line, tile.turn), tile.column};
  if (!plan.waits)
    return epilogue.emit(tile, products.multiply(tile));
  if (!plan.isSplit)
    return b.store(products.multiply(tile), sums, place);
  b.store(products.addPart(tile, part, sums, place), sums, place);
}

//===----------------------------------------------------------------------===//
// Windows over the border of an image
//===----------------------------------------------------------------------===//

/// A tap of clipped windows: those of the unit's rows, line by line, in which it lies inside of the image.
void ContractionBuilder::emitTap(const ContractionUnit &unit, AffineExpr part) {
  WindowRowsOp windows = plan.windows;
  SmallVector<AffineExpr> shifts =
      b.delinearize(part, llvm::map_to_vector(plan.taps, [&](int64_t count) { return b.constant(count); }));
  for (auto [i, shift] : llvm::enumerate(shifts))
    shift = shift * windows.getDilations()[i] - windows.getLowPad(i);
  SmallVector<AffineExpr> extents =
      llvm::map_to_vector(b.sizes.sizesOf(windows.getOperand()), [&](AffineExpr size) { return b.size(size); });
  int64_t last = shifts.size() - 1, stride = windows.getStrides()[last];
  AffineExpr inside = b.max((zero - shifts[last]).ceilDiv(stride), zero),
             outside = (extents[1 + last] - shifts[last]).ceilDiv(stride);
  forEachLineOf(b, unit.firstRow, unit.endRow, plan.rowSizes.back(), ArrayRef(plan.rowSizes).drop_back(),
                [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                  low = b.max(low, inside);
                  high = b.min(high, outside);
                  SmallVector<AffineExpr> tap = {line.front()};
                  for (int64_t i = 0; i < last; ++i)
                    tap.push_back(line[1 + i] * windows.getStrides()[i] + shifts[i]);
                  tap.push_back(shifts[last]);
                  auto nest = [&](auto &nest, int64_t dim) -> void {
                    if (dim == last)
                      return b.when(b.isAtMost(low + 1, high), [&] { emitRun(unit, tap, start, low, high, part); });
                    b.when(b.isAtMost(zero, tap[1 + dim]), [&] {
                      b.when(b.isAtMost(tap[1 + dim] + 1, extents[1 + dim]), [&] { nest(nest, dim + 1); });
                    });
                  };
                  nest(nest, 0);
                });
}

/// Rows from `low` to `high` of the line whose first row is `start`: whole tiles, then lower ones, which leave what
/// lies behind them alone.
void ContractionBuilder::emitRun(const ContractionUnit &unit, ArrayRef<AffineExpr> tap, AffineExpr start,
                                 AffineExpr low, AffineExpr high, AffineExpr part) {
  forEachColumn(unit, part, [&](AffineExpr column, AffineExpr left) {
    auto emitAt = [&](AffineExpr row, AffineExpr rows, int64_t height, bool fetches) {
      RegisterTile tile{unit, {}, row, start + row, rows, height, column, left, plan.lanes};
      tile.tap.assign(tap.begin(), tap.end());
      if (fetches)
        columnOperand.planFetching(tile, zero, part);
      SmallVector<AffineExpr> place = {tile.turn - unit.firstRow, column};
      b.store(products.addTap(tile, part, sums, place), sums, place, {rows, b.constant(plan.lanes)});
    };
    int64_t height = plan.height, rest = std::min(height, restRows);
    AffineExpr whole = low + (high - low).floorDiv(height) * height;
    b.loop({{low, whole, height}},
           [&](TileBuilder::Expressions at) { emitAt(at[0], b.constant(height), height, /*fetches=*/true); });
    b.loop({{whole, high, rest, /*extent=*/true}},
           [&](TileBuilder::Expressions at) { emitAt(at[0], at[1], rest, /*fetches=*/false); });
  });
}

//===----------------------------------------------------------------------===//
// Sums that wait
//===----------------------------------------------------------------------===//

void ContractionBuilder::storeZeros(AffineExpr low, AffineExpr high) {
  Value none = b.splat({1, plan.unitColumns}, b.zero(plan.element));
  b.loop({{low, high}}, [&](TileBuilder::Expressions at) { b.store(none, sums, {at[0], zero}); });
}

/// Moves the sums of a tile that begins early to where its rows are.
void ContractionBuilder::moveEarlyRows(const ContractionUnit &unit) {
  std::optional<int64_t> known = constantOf(plan.length);
  int64_t height = plan.height, lanes = plan.vectorLanes;
  if (!known || *known % height == 0 || plan.isGathered || plan.hasLines())
    return;
  int64_t early = *known - height;
  AffineExpr from = b.constant(llvm::alignDown(*known, height)) - unit.firstRow, to = b.constant(early) - unit.firstRow;
  // Where the last unit has fewer rows than a tile, the first ones of its tile are the unit's before it.
  int64_t foreign = std::max<int64_t>((*constantOf(plan.blocks) - 1) * plan.blockExtent() - early, 0);
  auto move = [&] {
    b.loop({{b.constant(foreign), b.constant(height)}, {zero, unit.columns(), lanes}},
           [&](TileBuilder::Expressions at) {
             b.store(b.load(sums, {from + at[0], at[1]}, {1, lanes}), sums, {to + at[0], at[1]});
           });
  };
  unit.endRow == plan.length ? move() : b.when(b.isAtMost(plan.length, unit.endRow), move);
}

/// What the kernel gives, from the sums of all parts.
void ContractionBuilder::emitSums(const ContractionUnit &unit, AffineExpr column, AffineExpr left) {
  int64_t height = plan.height;
  if (plan.isFlat) {
    RegisterTile all{unit,   {},     unit.firstRow, unit.firstRow, unit.endRow - unit.firstRow,
                     height, column, left,          plan.lanes};
    return epilogue.emitRows(all, sums, zero, column);
  }
  unit.forEachLine([&](ArrayRef<AffineExpr> line, AffineExpr number) {
    b.loop({{unit.firstRow, unit.endRow, height}}, [&](TileBuilder::Expressions at) {
      AffineExpr rows = b.constant(height);
      if (!constantOf(plan.length))
        rows = b.min(rows, unit.endRow - at[0]);
      RegisterTile tile{unit,      SmallVector<AffineExpr>(line), wholeRow(at[0]), at[0], rows, height, column, left,
                        plan.lanes};
      epilogue.emitRows(tile, sums, unit.sumsRow(number, at[0]), column);
    });
  });
}

void codegen::buildContraction(KernelOp kernel, const KernelStructure &structure, ScheduleAttr schedule) {
  ContractionBuilder(kernel, structure, schedule).build();
}
