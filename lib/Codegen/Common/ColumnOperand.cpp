//===- ColumnOperand.cpp - How register tiles read the columns of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ColumnOperand.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// As many rows are multiplied with columns of an operand in memory before it pays to copy those, and so many products
/// at once.
static constexpr int64_t minRowsToCopy = 48, maxDepthToCopy = 768;

ColumnOperand::ColumnOperand(ContractionPlan &plan) : b(plan.b), plan(plan) {
  if (plan.expression) {
    expression.emplace(plan);
  } else if (plan.packed) {
    bool isNarrow = plan.hasNarrowPanel();
    int64_t width = isNarrow ? *constantOf(plan.columns) : plan.panelWidth();
    memory = b.formed(plan.op.getRhs(), "panels", [&](OpBuilder &builder, ValueRange operands) {
      Value panels = makePanels(builder, operands.front(), *plan.packed, *plan.positionIn(1, plan.roles.column), width,
                                llvm::product_of(plan.taps), plan.runLength);
      return isNarrow ? joinRows(builder, panels, plan.batchSizes.size(), columnsBeyond() * plan.runLength) : panels;
    });
    if (isNarrow)
      viewRows();
  } else {
    memory = b.memoryOf(plan.op.getRhs());
  }
  std::optional<int64_t> products = constantOf(plan.isSplit ? plan.partDepth : plan.depth),
                         rows = constantOf(plan.lines * plan.length);
  if (plan.expression && !plan.isWide())
    copy = b.scratch({(int64_t)llvm::alignTo(*products, expression->getGroup()), plan.unitColumns}, plan.columnElement);
  if (!plan.packed && !plan.windows && rows && *rows >= minRowsToCopy && products && *products <= maxDepthToCopy)
    copy = b.scratch({*products, plan.unitColumns}, plan.columnElement);
}

/// Columns that a unit reads behind the last one.
int64_t ColumnOperand::columnsBeyond() {
  int64_t columns = *constantOf(plan.columns);
  return llvm::alignTo(columns, plan.unitColumns) - columns;
}

/// The rows of a narrow panel, as long as units read them, in runs where columns come in those.
void ColumnOperand::viewRows() {
  MLIRContext *context = plan.op.getContext();
  int64_t columns = *constantOf(plan.columns), run = plan.runLength;
  SmallVector<AffineExpr> source, sizes;
  for (int64_t count : cast<MemRefType>(memory.getType()).getShape().drop_back()) {
    source.push_back(getAffineDimExpr(sizes.size(), context));
    sizes.push_back(b.constant(count));
  }
  int64_t next = source.size();
  source.push_back(getAffineDimExpr(next, context) * (columns * run) + getAffineDimExpr(next + 1, context) * run);
  sizes.append({plan.depth.floorDiv(run), b.constant(columns + columnsBeyond())});
  if (run > 1) {
    source.back() = source.back() + getAffineDimExpr(next + 2, context);
    sizes.push_back(b.constant(run));
  }
  memory = b.view(memory, AffineMap::get(sizes.size(), 0, source, context), sizes);
}

void ColumnOperand::copyPart(const ContractionUnit &unit, AffineExpr part) {
  if (!copy)
    return;
  AffineExpr first = plan.partStart(part), end = plan.partEnd(part);
  if (expression)
    return copyExpression(unit, first, end);
  auto copyRows = [&](AffineExpr left) {
    b.loop({{first, end}}, [&](TileBuilder::Expressions at) {
      Value row =
          b.load(memory, placeOf(unit, at[0], unit.column(plan.zero)), {1, plan.unitColumns}, {plan.one, left}, dims());
      b.store(b.cast(row, plan.columnElement), copy, {at[0] - first, plan.zero});
    });
  };
  AffineExpr width = unit.columns();
  constantOf(width) ? copyRows(width) : b.peel(width, plan.unitColumns, copyRows);
}

/// Registers for the constants of a few vectors at a time.
void ColumnOperand::copyExpression(const ContractionUnit &unit, AffineExpr first, AffineExpr end) {
  int64_t width = plan.wideColumns();
  b.loop({{first, end, expression->getGroup()}, {plan.zero, unit.columns(), width}}, [&](TileBuilder::Expressions at) {
    for (auto [i, row] : llvm::enumerate(expression->load(at[0], unit.column(at[1]), width)))
      b.store(row, copy, {at[0] - first + i, at[1]});
  });
}

Value ColumnOperand::load(const RegisterTile &tile, AffineExpr k, AffineExpr within, int64_t products) {
  if (copy)
    return b.load(copy, {within, tile.column}, {products, tile.width});
  AffineExpr column = tile.unit.column(tile.column);
  if (!plan.packed)
    return b.cast(b.load(memory, placeOf(tile.unit, k, column), {products, tile.width},
                         {b.constant(products), tile.columns}, dims()),
                  plan.columnElement);
  // Panels may be narrower or wider than the columns of a unit.
  int64_t width = plan.panelWidth(), run = plan.runLength;
  SmallVector<AffineExpr> place = batchOf(tile.unit);
  if (plan.hasNarrowPanel())
    place.append({k.floorDiv(run), column});
  else if (width == plan.unitColumns)
    place.append({tile.unit.panel, k.floorDiv(run), tile.column});
  else
    place.append({column.floorDiv(width), k.floorDiv(run), column % width});
  SmallVector<int64_t> shape = {products / run, tile.width};
  if (run > 1) {
    place.push_back(plan.zero);
    shape.push_back(run);
  }
  return b.cast(b.load(memory, place, shape), plan.columnElement);
}

SmallVector<AffineExpr> ColumnOperand::placeOf(const ContractionUnit &unit, AffineExpr k, AffineExpr column) {
  const ContractionRoles &roles = plan.roles;
  return llvm::map_to_vector(plan.map(1).getResults(), [&](AffineExpr expression) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    return dim == roles.depth    ? k
           : dim == roles.column ? column
                                 : unit.batch[llvm::find(roles.batch, dim) - roles.batch.begin()];
  });
}

/// The coordinates of the unit's matrix in the form.
SmallVector<AffineExpr> ColumnOperand::batchOf(const ContractionUnit &unit) {
  SmallVector<AffineExpr> place;
  for (AffineExpr expression : plan.map(1).getResults())
    if (const auto *it = llvm::find(plan.roles.batch, cast<AffineDimExpr>(expression).getPosition());
        it != plan.roles.batch.end())
      place.push_back(unit.batch[it - plan.roles.batch.begin()]);
  return place;
}

SmallVector<int64_t> ColumnOperand::dims() {
  return {*plan.positionIn(1, plan.roles.depth), *plan.positionIn(1, plan.roles.column)};
}

//===----------------------------------------------------------------------===//
// What comes next, on its way into the cache
//===----------------------------------------------------------------------===//

void ColumnOperand::planFetching(RegisterTile &tile, AffineExpr line, AffineExpr part) {
  // There is nothing behind a narrow panel.
  if (!memory || !plan.packed || plan.hasNarrowPanel() || !constantOf(plan.depth))
    return;
  const ContractionUnit &unit = tile.unit;
  AffineExpr rows, place, inAll = b.mul(line, plan.length) + tile.turn,
                          inBlock = b.mul(line - unit.firstLine, plan.length) + tile.turn - unit.firstRow;
  AffineExpr all = plan.lines * plan.length,
             block = plan.hasLines() ? plan.linesPerBlock * *constantOf(plan.length) : unit.endRow - unit.firstRow;
  if (unit.isResident) {
    rows = b.select(unit.isResident, all, block);
    place = b.select(unit.isResident, inAll, inBlock);
  } else {
    rows = *plan.rowsAreInner ? all : plan.linesPerBlock * std::min(plan.blockExtent(), *constantOf(plan.length));
    place = *plan.rowsAreInner ? inAll : inBlock;
  }
  int64_t tiles = plan.unitColumns / plan.lanes;
  tile.fetchedPerRow = b.ceilDiv(plan.depth * plan.unitColumns, rows * (plan.parts * tiles));
  AffineExpr visit = part * tiles + tile.column.floorDiv(plan.lanes);
  tile.fetched = b.mul(b.mul(visit, rows) + place, tile.fetchedPerRow);
}

void ColumnOperand::fetchPanel(const RegisterTile &tile, AffineExpr k) {
  AffineExpr step = b.ceilDiv(tile.fetchedPerRow * tile.height, plan.isSplit ? plan.partDepth : plan.depth);
  // The units of a panel fetch parts of the next one, as do those before it.
  AffineExpr next = tile.unit.panel + 1, within = tile.fetched + b.mul(k, step);
  int64_t units = plan.panelWidth() / plan.unitColumns;
  SmallVector<AffineExpr> place = batchOf(tile.unit);
  place.push_back(units > 1 ? next.floorDiv(units) : next * (plan.unitColumns / plan.panelWidth()));
  place.resize(cast<MemRefType>(memory.getType()).getRank(), plan.zero);
  place.back() = units > 1 ? within + b.mul(next % units, plan.depth * plan.unitColumns) : within;
  b.prefetch(memory, place);
}

void ColumnOperand::fetchRows(const RegisterTile &tile, AffineExpr part) {
  if (plan.packed)
    return;
  const ContractionUnit &unit = tile.unit;
  AffineExpr column = unit.column(tile.column);
  AffineExpr products = plan.isSplit ? plan.partDepth : plan.depth, rows = unit.endRow - unit.firstRow;
  AffineExpr share =
      b.ifAtMost(b.constant(plan.knobOf(knob::fetchRows)), rows, b.ceilDiv(products * tile.height, rows), plan.zero);
  AffineExpr first = plan.partStart(part) + b.mul((tile.turn - unit.firstRow).floorDiv(tile.height), share);
  if (share != plan.zero)
    b.loop({{plan.zero, share}}, [&](TileBuilder::Expressions at) {
      b.prefetch(memory, placeOf(unit, first + at[0], column + plan.unitColumns));
    });
}

//===----------------------------------------------------------------------===//
// The form
//===----------------------------------------------------------------------===//

/// The tensor with so many zeros behind those along a dimension.
static Value appendZeros(OpBuilder &builder, Value tensor, int64_t dim, int64_t count) {
  if (count == 0)
    return tensor;
  Location loc = tensor.getLoc();
  auto type = cast<RankedTensorType>(tensor.getType());
  auto scalar = RankedTensorType::get({}, type.getElementType());
  Value zero = ConstantOp::create(builder, loc, scalar,
                                  DenseElementsAttr::get(scalar, builder.getZeroAttr(type.getElementType())));
  SmallVector<int64_t> shape(type.getShape()), low(shape.size(), 0), high(shape.size(), 0);
  high[dim] = count;
  shape[dim] += count;
  return PadOp::create(builder, loc, type.clone(shape), PadMode::constant, tensor, zero, ValueRange(), ValueRange(),
                       low, high);
}

Value codegen::joinRows(OpBuilder &builder, Value panels, int64_t batches, int64_t beyond) {
  auto type = cast<RankedTensorType>(panels.getType());
  SmallVector<int64_t> shape(type.getShape().take_front(batches));
  shape.push_back(llvm::product_of(type.getShape().drop_front(batches)));
  Value rows = ReshapeOp::create(builder, panels.getLoc(), type.clone(shape), panels, ValueRange(), shape);
  return appendZeros(builder, rows, batches, beyond);
}

Value codegen::makePanels(OpBuilder &builder, Value matrices, int64_t depth, int64_t column, int64_t width,
                          int64_t parts, int64_t run) {
  Location loc = matrices.getLoc();
  Type element = getElementTypeOrSelf(matrices.getType());
  SmallVector<int64_t> shape(cast<RankedTensorType>(matrices.getType()).getShape());
  int64_t rank = shape.size();
  auto reshape = [&](ArrayRef<int64_t> sizes) {
    shape.assign(sizes.begin(), sizes.end());
    matrices = ReshapeOp::create(builder, loc, RankedTensorType::get(shape, element), matrices, ValueRange(), shape);
  };
  auto pad = [&](int64_t dim, int64_t multiple) {
    int64_t missing = llvm::alignTo(shape[dim], multiple) - shape[dim];
    shape[dim] += missing;
    matrices = appendZeros(builder, matrices, dim, missing);
  };
  pad(column, width);
  if (shape[depth] / parts % run != 0) {
    SmallVector<int64_t> apart(shape), joined(shape);
    apart[depth] /= parts;
    apart.insert(apart.begin() + depth, parts);
    reshape(apart);
    pad(depth + 1, run);
    joined[depth] = parts * shape[depth + 1];
    reshape(joined);
  }
  // The columns become two dimensions, and so do the rows where they come in runs.
  SmallVector<int64_t> cut, batch, front, back;
  for (int64_t dim = 0; dim < rank; ++dim) {
    int64_t inner = dim == column ? width : dim == depth ? run : 1, place = cut.size();
    cut.push_back(shape[dim] / inner);
    if (inner > 1 || dim == column)
      cut.push_back(inner);
    if (dim == column)
      front.insert(front.begin(), place), back.insert(back.begin(), place + 1);
    else if (dim == depth)
      front.push_back(place), run > 1 ? back.push_back(place + 1) : void();
    else
      batch.push_back(place);
  }
  reshape(cut);
  SmallVector<int64_t> permutation(batch);
  llvm::append_range(permutation, front);
  llvm::append_range(permutation, back);
  SmallVector<int64_t> turned = llvm::map_to_vector(permutation, [&](int64_t dim) { return shape[dim]; });
  return TransposeOp::create(builder, loc, RankedTensorType::get(turned, element), matrices, permutation);
}
