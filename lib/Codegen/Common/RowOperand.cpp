//===- RowOperand.cpp - How register tiles read the rows of a contraction ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOperand.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Places of rows that are computed at once.
static constexpr int64_t placesPerStep = 8;

RowOperand::RowOperand(ContractionPlan &plan) : b(plan.b), plan(plan) {
  memory = b.memoryOf(plan.windows ? plan.windows.getOperand() : plan.op.getLhs());
  if (plan.isNarrow())
    widened = b.scratch({plan.height, std::max(plan.sharedProducts().value_or(0), plan.stretch())}, plan.rowElement);
  if (plan.isClipped())
    return; // the image as it is: each tap of a window is a part, for the windows in which it isn't border
  if (plan.windows)
    viewWindows();
  else if (plan.isCollapsed)
    collapseRows();
  else if (plan.isGathered)
    gatherRows();
  if (plan.isGathered && !plan.isWide())
    table = b.scratch(plan.sumsRows + plan.beyondRows() + placesPerStep, IntegerType::get(plan.op.getContext(), 64));
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// One dimension of rows, the last one of several, which runs on into those before it.
void RowOperand::collapseRows() {
  MLIRContext *context = plan.op.getContext();
  SmallVector<AffineExpr> source, sizes;
  AffineExpr rows = plan.one;
  for (AffineExpr size : plan.rowSizes)
    rows = rows * size;
  for (AffineExpr expression : plan.map(0).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    if (llvm::is_contained(plan.roles.rows, dim) && dim != plan.roles.rows.back()) {
      source.push_back(plan.zero);
      continue;
    }
    source.push_back(getAffineDimExpr(sizes.size(), context));
    sizes.push_back(dim == plan.roles.rows.back() ? rows : plan.sizeOf(dim));
  }
  memory = b.view(memory, AffineMap::get(sizes.size(), 0, source, context), sizes);
}

/// One dimension of elements from the first row on, for those that tables say.
void RowOperand::gatherRows() {
  MLIRContext *context = plan.op.getContext();
  SmallVector<AffineExpr> source, sizes = {elementsTo(plan.op.getLhs(), /*isImage=*/false)};
  for (AffineExpr expression : plan.map(0).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    bool isRow = llvm::is_contained(plan.roles.rows, dim);
    source.push_back(isRow ? plan.zero : getAffineDimExpr(sizes.size(), context));
    if (!isRow)
      sizes.push_back(plan.sizeOf(dim));
  }
  source.back() = source.back() + getAffineDimExpr(0, context);
  memory = b.view(memory, AffineMap::get(sizes.size(), 0, source, context), sizes);
}

/// How far the next row along each of their dimensions is in a tensor, and how many elements there are from the first
/// to the last one.
AffineExpr RowOperand::elementsTo(Value tensor, bool isImage) {
  SmallVector<AffineExpr> all = b.stridesOf(tensor);
  AffineExpr last = plan.zero;
  for (auto [dim, size] : llvm::zip(plan.roles.rows, plan.rowSizes)) {
    unsigned position = *plan.positionIn(0, dim);
    strides.push_back(isImage && position > 0 ? all[position] * plan.windows.getStrides()[position - 1]
                                              : all[position]);
    last = last + b.mul(size - 1, strides.back());
  }
  return b.max(last + 1, plan.zero);
}

/// Windows of the image: parts whose elements run on in the image, as long as a window has all of them.
void RowOperand::viewWindows() {
  WindowRowsOp windows = plan.windows;
  MLIRContext *context = windows.getContext();
  auto image = cast<RankedTensorType>(windows.getOperand().getType());
  unsigned next = 0;
  auto dim = [&] { return getAffineDimExpr(next++, context); };
  SmallVector<AffineExpr> source(image.getRank() - 1, plan.zero), sizes;
  if (plan.isGathered) {
    sizes.push_back(elementsTo(windows.getOperand(), /*isImage=*/true));
    dim();
  } else {
    source.front() = dim();
    for (AffineExpr size : b.sizes.sizesOf(plan.op.getLhs()))
      sizes.push_back(b.size(size));
    sizes.pop_back();
    for (auto [i, stride] : llvm::enumerate(windows.getStrides()))
      source[1 + i] = dim() * stride;
  }
  for (auto [i, count] : llvm::enumerate(plan.taps)) {
    source[1 + i] = source[1 + i] + dim() * windows.getDilations()[i];
    sizes.push_back(b.constant(count));
  }
  source.push_back(plan.isGathered ? dim() + getAffineDimExpr(0, context) : dim());
  sizes.push_back(plan.runDepth);
  memory = b.view(memory, AffineMap::get(next, 0, source, context), sizes);
}

//===----------------------------------------------------------------------===//
// Places of rows
//===----------------------------------------------------------------------===//

AffineExpr RowOperand::placeOf(ArrayRef<AffineExpr> coordinates) {
  AffineExpr place = plan.zero;
  for (auto [coordinate, stride] : llvm::zip(coordinates, strides))
    place = place + b.mul(coordinate, stride);
  return place;
}

void RowOperand::fillTable(const ContractionUnit &unit) {
  Value steps = b.positions(plan.zero, placesPerStep, /*grows=*/true);
  auto combined = [&](auto op, Value a, AffineExpr other) -> Value {
    return b.create<decltype(op)>(a.getType(), a, b.positions(other, placesPerStep, /*grows=*/false));
  };
  steps = combined(MulOp(), steps, strides.back());
  forEachLineOf(b, unit.firstRow, unit.endRow, plan.rowSizes.back(), ArrayRef(plan.rowSizes).drop_back(),
                [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                  SmallVector<AffineExpr> place(line);
                  place.push_back(plan.zero);
                  AffineExpr base = placeOf(place), last = base + b.mul(high - 1, strides.back());
                  b.loop({{low, high + plan.beyondRows(), placesPerStep}}, [&](TileBuilder::Expressions at) {
                    Value places = combined(AddOp(), steps, base + b.mul(at[0], strides.back()));
                    b.store(combined(MinOp(), places, last), table, {start + at[0] - unit.firstRow});
                  });
                });
}

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

Value RowOperand::load(const RegisterTile &tile, AffineExpr k, AffineExpr within, int64_t products) {
  return widened ? b.load(widened, {plan.zero, within}, tile.shape(products)) : loadStored(tile, k, products);
}

/// Vectors, and of what is left of one lower powers of two.
void RowOperand::widen(const RegisterTile &tile, AffineExpr low, AffineExpr high, AffineExpr first) {
  int64_t lanes = plan.vectorBytes() * 8 / plan.rowElement.getIntOrFloatBitWidth();
  auto move = [&](AffineExpr k, int64_t products) {
    b.store(b.cast(loadStored(tile, k, products), plan.rowElement), widened, {plan.zero, first + k - low});
  };
  // Behind the end there is anything, times zero.
  AffineExpr end = plan.isRagged() ? plan.storedDepth : high;
  if (plan.isRagged())
    b.store(b.splat(tile.shape(*constantOf(high - end)), b.zero(plan.rowElement)), widened,
            {plan.zero, first + end - low});
  std::optional<int64_t> count = constantOf(end - low);
  AffineExpr whole = low + (end - low).floorDiv(lanes) * lanes;
  b.loop({{low, whole, lanes}}, [&](TileBuilder::Expressions at) { move(at[0], lanes); });
  if (!count)
    return b.loop({{whole, end}}, [&](TileBuilder::Expressions at) { move(at[0], 1); });
  for (int64_t left = *count % lanes, products; left > 0; left -= products) {
    products = llvm::bit_floor((uint64_t)left);
    move(end - left, products);
  }
}

void RowOperand::widenPart(const RegisterTile &tile, AffineExpr part) {
  RegisterTile within = tile;
  if (llvm::product_of(plan.taps) <= 1) {
    within.tap.assign(plan.taps.size(), plan.zero);
    return widen(within, plan.partStart(part), plan.partEnd(part), plan.zero);
  }
  SmallVector<AffineExpr> counts = llvm::map_to_vector(plan.taps, [&](int64_t count) { return b.constant(count); });
  if (plan.isSplit) {
    within.tap = b.delinearize(part, counts);
    return widen(within, plan.zero, plan.runDepth, plan.zero);
  }
  SmallVector<TileBuilder::Dim> dims =
      llvm::map_to_vector(counts, [&](AffineExpr count) { return TileBuilder::Dim{plan.zero, count}; });
  b.loop(dims, [&](TileBuilder::Expressions at) {
    AffineExpr number = plan.zero;
    for (auto [tap, count] : llvm::zip(at, plan.taps))
      number = number * count + tap;
    within.tap.assign(at.begin(), at.end());
    widen(within, plan.zero, plan.runDepth, number * *constantOf(plan.runDepth));
  });
}

Value RowOperand::loadStored(const RegisterTile &tile, AffineExpr k, int64_t products) {
  SmallVector<AffineExpr> extents;
  if (!plan.roles.rows.empty() && !plan.isGathered)
    extents = {tile.rows, b.constant(products)};
  SmallVector<std::pair<int64_t, Value>> gathered;
  if (tile.places)
    gathered.push_back({0, tile.places});
  SmallVector<int64_t> steps;
  if (plan.isClipped())
    steps = {plan.windows.getStrides().back(), 1};
  return b.load(memory, placeOf(tile, k), tile.shape(products), extents, dims(), gathered, steps);
}

/// Where the factors of a tile's rows lie. Of windows the places within one are the last dimensions.
SmallVector<AffineExpr> RowOperand::placeOf(const RegisterTile &tile, AffineExpr k) {
  SmallVector<AffineExpr> place;
  if (plan.isClipped()) {
    place = tile.tap;
    place.back() = place.back() + tile.row * plan.windows.getStrides().back();
    place.push_back(k);
    return place;
  }
  if (plan.isGathered)
    place.push_back(tile.place ? tile.place : plan.zero);
  for (AffineExpr expression : plan.map(0).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    if (!isKept(dim))
      continue;
    if (dim == plan.roles.depth)
      llvm::append_range(place, tile.tap);
    place.push_back(dim == plan.roles.depth ? k : tile.coordinateOf(dim));
  }
  return place;
}

/// Whether the view still has a dimension.
bool RowOperand::isKept(unsigned dim) {
  if (plan.isGathered && plan.windows)
    return dim == plan.roles.depth;
  bool isRow = llvm::is_contained(plan.roles.rows, dim);
  return !isRow || !(plan.isGathered || (plan.isCollapsed && dim != plan.roles.rows.back()));
}

/// The dimensions that a tile's rows, if it has any, and its products lie along.
SmallVector<int64_t> RowOperand::dims() {
  int64_t next = plan.isGathered, depthDim = 0, taps = plan.taps.size();
  if (plan.isClipped())
    return {taps, taps + 1};
  SmallVector<int64_t> dims;
  if (plan.isGathered)
    dims.push_back(0);
  for (AffineExpr expression : plan.map(0).getResults()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    if (!isKept(dim))
      continue;
    if (dim == plan.roles.depth)
      depthDim = next += taps;
    else if (!plan.roles.rows.empty() && dim == plan.roles.rows.back())
      dims.push_back(next);
    ++next;
  }
  dims.push_back(depthDim);
  return dims;
}
