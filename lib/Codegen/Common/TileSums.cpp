//===- TileSums.cpp - The sums of a register tile ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileSums.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

Value TileSums::zeros(const RegisterTile &tile) { return b.splat(tile.shape(tile.width), b.zero(plan.element)); }

/// The parts of a window are loops around those of a part.
Value TileSums::multiply(const RegisterTile &tile) {
  int64_t unroll = unrollOf(tile);
  RegisterTile within = tile;
  AffineExpr number = plan.zero;
  auto nest = [&](auto &nest, size_t dim, Value sums) -> Value {
    if (dim == plan.taps.size())
      return multiply(within, sums, plan.zero, plan.runDepth, unroll, number);
    int64_t count = plan.taps[dim];
    if (count == 1) {
      within.tap.push_back(plan.zero);
      return nest(nest, dim + 1, sums);
    }
    AffineExpr before = number;
    return b.carry({plan.zero, b.constant(count)}, sums, [&](AffineExpr at, Value carried) {
      number = before * count + at;
      within.tap.resize(dim);
      within.tap.push_back(at);
      return nest(nest, dim + 1, carried);
    });
  };
  return nest(nest, 0, zeros(tile));
}

Value TileSums::multiplyPart(const RegisterTile &tile, Value sums, AffineExpr part) {
  if (llvm::product_of(plan.taps) <= 1) {
    RegisterTile first = tile;
    first.tap.assign(plan.taps.size(), plan.zero);
    return multiply(first, sums, plan.partStart(part), plan.partEnd(part), unrollOf(tile));
  }
  RegisterTile within = tile;
  within.tap = b.delinearize(part, llvm::map_to_vector(plan.taps, [&](int64_t count) { return b.constant(count); }));
  return multiply(within, sums, plan.zero, plan.runDepth, unrollOf(tile), part);
}

Value TileSums::add(Value x, Value y) { return b.create<AddOp>(x.getType(), x, y); }

Value TileSums::addTo(const RegisterTile &tile, Value memory, ArrayRef<AffineExpr> place,
                      function_ref<Value(Value)> multiply) {
  auto before = [&] { return b.load(memory, place, tile.shape(tile.width)); };
  if (!plan.addsParts)
    return multiply(before());
  Value products = multiply(zeros(tile));
  return add(before(), products);
}

Value TileSums::addPart(const RegisterTile &tile, AffineExpr part, Value memory, ArrayRef<AffineExpr> place) {
  return addTo(tile, memory, place, [&](Value sums) { return multiplyPart(tile, sums, part); });
}

Value TileSums::addTap(const RegisterTile &tile, AffineExpr part, Value memory, ArrayRef<AffineExpr> place) {
  return addTo(tile, memory, place,
               [&](Value sums) { return multiply(tile, sums, plan.zero, plan.runDepth, unrollOf(tile), part); });
}

Value TileSums::multiplyWide(const RegisterTile &tile) {
  int64_t unroll = constantOf(plan.depth) ? 4 : 1;
  std::optional<int64_t> stretch = plan.wideStretch();
  if (!stretch)
    return multiply(tile, zeros(tile), plan.zero, plan.runDepth, unroll);
  int64_t total = *constantOf(plan.runDepth), whole = total / *stretch * *stretch;
  Value sums = b.carry({plan.zero, b.constant(whole), *stretch}, zeros(tile), [&](AffineExpr from, Value carried) {
    return add(carried, multiply(tile, zeros(tile), from, from + *stretch, unroll));
  });
  return whole == total ? sums : add(sums, multiply(tile, zeros(tile), b.constant(whole), b.constant(total), unroll));
}

Value TileSums::multiply(const RegisterTile &tile, Value sums, AffineExpr low, AffineExpr high, int64_t unroll,
                         AffineExpr part) {
  if (!rows.isNarrow() || tile.isWidened)
    return multiplyStretch(tile, sums, low, high, unroll, part, low);
  auto multiplyWidened = [&](AffineExpr from, AffineExpr to, Value sums) {
    rows.widen(tile, from, to, plan.zero);
    return multiplyStretch(tile, sums, from, to, unroll, part, low);
  };
  std::optional<int64_t> count = constantOf(high - low);
  int64_t stretch = plan.stretch();
  if (count && *count <= stretch)
    return multiplyWidened(low, high, sums);
  bool isWhole = count && *count % stretch == 0;
  return b.carry({low, high, stretch}, sums, [&](AffineExpr from, Value carried) {
    return multiplyWidened(from, isWhole ? from + stretch : b.min(from + stretch, high), carried);
  });
}

Value TileSums::multiplyStretch(const RegisterTile &tile, Value sums, AffineExpr low, AffineExpr high, int64_t unroll,
                                AffineExpr part, AffineExpr first) {
  AffineExpr start = part ? part * plan.runDepth : plan.zero;
  auto loop = [&](AffineExpr from, AffineExpr to, int64_t products, Value sums) {
    int64_t run = plan.runLength;
    return b.carry({from.floorDiv(run), to.floorDiv(run), products / run}, sums, [&](AffineExpr number, Value carried) {
      AffineExpr k = number * run;
      if (tile.fetched && products == unroll)
        columns.fetchPanel(tile, plan.isSplit ? k - first : start + k);
      Value factors = rows.load(tile, k, tile.isWidened && !plan.isSplit ? start + k : k - low, products);
      bool isWhole = plan.fragments && tile.height == plan.height;
      return b.mma(factors, columns.load(tile, start + k, k - first, products), carried,
                   isWhole ? plan.fragments : plan.via);
    });
  };
  auto count = constantOf(high - low);
  AffineExpr whole = high;
  // A length that isn't known is that of a part, which turns divide where they divide all products, or of a stretch.
  bool isDivided = count ? *count % unroll == 0
                         : plan.isSplit && *constantOf(plan.depth) % unroll == 0 &&
                               (!rows.isNarrow() || plan.stretch() % unroll == 0);
  bool leaves = unroll > plan.runLength && !isDivided;
  if (leaves)
    whole = count ? low + *count / unroll * unroll : low + (high - low).floorDiv(unroll) * unroll;
  sums = loop(low, whole, unroll, sums);
  return leaves ? loop(whole, high, plan.runLength, sums) : sums;
}
