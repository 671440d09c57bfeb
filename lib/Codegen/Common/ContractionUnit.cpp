//===- ContractionUnit.cpp - Units of work and register tiles of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractionUnit.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

ContractionUnit::ContractionUnit(ContractionPlan &plan, ArrayRef<AffineExpr> batch, AffineExpr panel, AffineExpr block)
    : plan(plan), batch(batch), panel(panel), firstLine(plan.zero), endLine(plan.one), firstRow(plan.zero),
      endRow(plan.length) {
  TileBuilder &b = plan.b;
  if (plan.hasLines()) {
    firstLine = b.min(b.mul(block, plan.linesPerBlock), plan.lines);
    endLine = b.min(firstLine + plan.linesPerBlock, plan.lines);
  } else if (constantOf(plan.length) && constantOf(plan.blocks) != 1) {
    firstRow = block * plan.blockExtent();
    endRow = b.min(firstRow + plan.blockExtent(), plan.length);
  } else if (!constantOf(plan.length)) {
    // Blocks of nearly equal size, the last of which may be empty.
    AffineExpr extent = b.ceilDiv(b.ceilDiv(plan.length, plan.blocks), b.constant(plan.height)) * plan.height;
    firstRow = b.min(b.mul(block, extent), plan.length);
    endRow = b.min(firstRow + extent, plan.length);
  }
  leftColumns = plan.columns - column(plan.zero);
  if (std::optional<int64_t> known = constantOf(plan.columns); known && *known <= plan.unitColumns)
    leftColumns = plan.columns;
}

AffineExpr ContractionUnit::columns() const {
  std::optional<int64_t> known = constantOf(plan.columns);
  AffineExpr all = plan.b.constant(plan.unitColumns);
  return known && *known % plan.unitColumns == 0 ? all : plan.b.min(leftColumns, all);
}

AffineExpr ContractionUnit::rows() const {
  return plan.hasLines() ? (endLine - firstLine) * *constantOf(plan.length) : endRow - firstRow;
}

void ContractionUnit::forEachLine(function_ref<void(ArrayRef<AffineExpr>, AffineExpr)> emit) const {
  if (!plan.hasLines())
    return emit({}, plan.zero);
  plan.b.loop({{firstLine, endLine}}, [&](TileBuilder::Expressions at) {
    emit(plan.b.delinearize(at[0], ArrayRef(plan.rowSizes).drop_back()), at[0]);
  });
}

void codegen::forEachLineOf(TileBuilder &b, AffineExpr first, AffineExpr end, AffineExpr length,
                            ArrayRef<AffineExpr> outer,
                            function_ref<void(ArrayRef<AffineExpr>, AffineExpr, AffineExpr, AffineExpr)> emit) {
  if (outer.empty())
    return emit({}, b.constant(0), first, end);
  b.loop({{b.divide(first, length), b.ceilDiv(end, length)}}, [&](TileBuilder::Expressions lines) {
    AffineExpr start = b.mul(lines[0], length);
    // The order of what is emitted is the order of these.
    SmallVector<AffineExpr> line = b.delinearize(lines[0], outer);
    AffineExpr low = b.max(first, start) - start, high = b.min(end, start + length) - start;
    emit(line, start, low, high);
  });
}

AffineExpr RegisterTile::coordinateOf(unsigned dim) const {
  const ContractionRoles &roles = unit.plan.roles;
  if (const auto *it = llvm::find(roles.batch, dim); it != roles.batch.end())
    return unit.batch[it - roles.batch.begin()];
  size_t number = llvm::find(roles.rows, dim) - roles.rows.begin();
  if (number == roles.rows.size())
    return unit.plan.zero;
  return number + 1 == roles.rows.size() ? row : line[number];
}

SmallVector<AffineExpr> RegisterTile::resultPlace(AffineExpr row, AffineExpr column) const {
  const ContractionRoles &roles = unit.plan.roles;
  SmallVector<AffineExpr> place;
  for (AffineExpr expression : unit.plan.map(2).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    bool isRow = !roles.rows.empty() && dim == roles.rows.back();
    place.push_back(dim == roles.column ? column : isRow ? row : coordinateOf(dim));
  }
  return place;
}
