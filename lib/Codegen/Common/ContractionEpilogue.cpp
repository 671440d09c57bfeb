//===- ContractionEpilogue.cpp - What follows the sums of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractionEpilogue.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

ContractionEpilogue::ContractionEpilogue(ContractionPlan &plan, bool isPadded)
    : b(plan.b), plan(plan), isPadded(isPadded) {
  bool mayBeWide = (!constantOf(plan.length) || plan.isWide()) && plan.canBeWide() && plan.wideHeight() > 1;
  if (plan.height > 1 && plan.wholeInRows && (!plan.waits || mayBeWide))
    scratch = b.scratch({plan.height, mayBeWide ? std::max(plan.lanes, plan.wideColumns()) : plan.lanes}, plan.element);
}

SmallVector<int64_t> ContractionEpilogue::resultDims() {
  int64_t column = plan.map(2).getNumResults() - 1;
  if (plan.roles.rows.empty())
    return {column};
  return {*plan.positionIn(2, plan.roles.rows.back()), column};
}

void ContractionEpilogue::emit(const RegisterTile &tile, Value sums) {
  bool isWhole = constantOf(tile.rows) == tile.height;
  if (tile.height > 1 && (plan.wholeInRows || !isWhole)) {
    b.store(sums, scratch, {plan.zero, plan.zero});
    return emitRows(tile, scratch, plan.zero, plan.zero);
  }
  atColumns(tile, [&](AffineExpr extent) {
    SmallVector<AffineExpr> extents;
    if (!plan.roles.rows.empty())
      extents.push_back(b.constant(tile.height));
    extents.push_back(extent);
    emitResults(tile, tile.row, sums, extents);
  });
}

void ContractionEpilogue::emitRows(const RegisterTile &tile, Value memory, AffineExpr first, AffineExpr column) {
  atColumns(tile, [&](AffineExpr extent) {
    forEachRow(tile, [&](const RegisterTile &line, AffineExpr row, AffineExpr number) {
      Value sums = b.load(memory, {first + number, column}, plan.rowShape(tile.width, 1));
      SmallVector<AffineExpr> extents(plan.rowShape(0, 1).size(), plan.one);
      extents.back() = extent;
      emitResults(line, row, sums, extents);
    });
  });
}

void ContractionEpilogue::forEachRow(const RegisterTile &tile,
                                     function_ref<void(const RegisterTile &, AffineExpr, AffineExpr)> emit) {
  if (!plan.isFlat)
    return b.loop({{plan.zero, tile.rows}}, [&](TileBuilder::Expressions at) { emit(tile, tile.row + at[0], at[0]); });
  forEachLineOf(b, tile.row, tile.row + tile.rows, plan.rowSizes.back(), ArrayRef(plan.rowSizes).drop_back(),
                [&](ArrayRef<AffineExpr> place, AffineExpr start, AffineExpr low, AffineExpr high) {
                  RegisterTile line = tile;
                  line.line = SmallVector<AffineExpr>(place);
                  b.loop({{low, high}},
                         [&](TileBuilder::Expressions at) { emit(line, at[0], start + at[0] - tile.row); });
                });
}

void ContractionEpilogue::atColumns(const RegisterTile &tile, function_ref<void(AffineExpr)> emit) {
  std::optional<int64_t> known = constantOf(tile.columns);
  bool isPeeled = !isPadded && !plan.isSplit && !known; // around all of the tile
  known == tile.width || isPeeled ? emit(tile.columns) : b.peel(tile.columns, tile.width, emit);
}

void ContractionEpilogue::emitResults(const RegisterTile &tile, AffineExpr row, Value sums,
                                      ArrayRef<AffineExpr> extents) {
  SmallVector<AffineExpr> place = tile.resultPlace(row, tile.unit.column(tile.column));
  ArrayRef<int64_t> shape = cast<RankedTensorType>(sums.getType()).getShape();
  Value rounded = b.cast(sums, getElementTypeOrSelf(plan.op.getResult()));
  TileBuilder::Known known{plan.op.getResult(), rounded};
  for (auto [i, result] : llvm::enumerate(b.compute(b.results(), place, shape, extents, resultDims(), known)))
    b.store(result, b.result(i), place, extents, resultDims());
}

void ContractionEpilogue::fetch(const RegisterTile &tile) {
  auto fetchRows = [&](Value memory, bool isWrite) {
    for (int64_t i = 0; i < tile.height; ++i)
      b.prefetch(memory, tile.resultPlace(tile.row + i, tile.unit.column(tile.column)), isWrite);
  };
  SmallVector<AffineExpr> space = b.sizes.sizesOf(plan.op.getResult());
  for (BlockArgument tensor : b.kernel.getBody().getArguments().drop_front(b.kernel.getNumSymbols()))
    if (tensor != plan.op.getLhs() && tensor != plan.op.getRhs() && b.sizes.sizesOf(tensor) == space)
      fetchRows(b.memoryOf(tensor), /*isWrite=*/false);
  // Behind panels results are written one line after the other.
  for (unsigned i = 0; !plan.packed && i < b.kernel.getResultTypes().size(); ++i)
    fetchRows(b.result(i), /*isWrite=*/true);
}
