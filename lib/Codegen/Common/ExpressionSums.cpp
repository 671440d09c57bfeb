//===- ExpressionSums.cpp - Few rows times columns that are made in registers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExpressionSums.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

ExpressionSums::ExpressionSums(ContractionPlan &plan, RowOperand &rows, ExpressionColumns &columns)
    : b(plan.b), plan(plan), rows(rows), columns(columns), products(*constantOf(plan.depth)) {
  int64_t height = plan.wideHeight();
  bool isMoved = columns.isLinear() && llvm::any_of(columns.getFactors(), [](float factor) { return factor != 1; });
  bool hasSums = columns.isLinear() && columns.hasOffset();
  areNumbers = columns.isLinear() && !hasSums && !columns.hasScale() && !isMoved;
  if (hasSums || isMoved || columns.getDepth() != products || rows.isNarrow())
    factors = b.scratch({height, columns.getDepth()}, plan.rowElement);
  if (hasSums)
    sumsOfRows = b.scratch({height, columns.getDepth() / columns.getBlock()}, plan.rowElement);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

void ExpressionSums::prepare(const RegisterTile &tile) {
  if (!factors)
    return;
  int64_t block = columns.getBlock(), whole = products / block;
  for (int64_t i = 0; i < tile.height; ++i) {
    RegisterTile row = tile;
    row.row = tile.row + i;
    row.rows = plan.one;
    row.height = 1;
    AffineExpr place = b.constant(i);
    if (whole > 0)
      b.loop({{plan.zero, b.constant(whole)}},
             [&](TileBuilder::Expressions at) { prepareBlock(row, place, at[0], block); });
    if (products % block != 0)
      prepareBlock(row, place, b.constant(whole), products % block);
  }
}

/// Gives the factors as they are.
Value ExpressionSums::prepareProducts(const RegisterTile &tile, AffineExpr place, AffineExpr k, int64_t count) {
  Value row = b.cast(rows.loadStored(tile, k, count), plan.rowElement), scaled = row;
  SmallVector<float> each = columns.isLinear() ? columns.getFactors() : SmallVector<float>(count, 1.0f);
  if (llvm::any_of(each, [](float factor) { return factor != 1; })) {
    auto type = cast<RankedTensorType>(row.getType());
    SmallVector<float> values;
    for (int64_t i = 0; i < type.getNumElements(); ++i)
      values.push_back(each[i % count]);
    scaled = b.create<MulOp>(type, row, b.elements(DenseElementsAttr::get(type, ArrayRef(values))));
  }
  b.store(scaled, factors, {place, k});
  return row;
}

/// So many products of a block; those behind them are zero.
void ExpressionSums::prepareBlock(const RegisterTile &tile, AffineExpr place, AffineExpr number, int64_t count) {
  int64_t group = columns.getGroup(), block = columns.getBlock(), whole = count / group * group;
  auto zeros = [&](int64_t last) { return b.splat(tile.shape(last), b.zero(plan.rowElement)); };
  auto add = [&](Value x, Value y) -> Value { return b.create<AddOp>(x.getType(), x, y); };
  auto acrossLanes = [&](Value x) -> Value {
    auto type = cast<RankedTensorType>(x.getType());
    return b.create<ReduceOp>(type.clone(type.getShape().drop_back()), Combiner::sum, x,
                              ArrayRef<int64_t>{type.getRank() - 1});
  };
  AffineExpr first = number * block;
  Value sum;
  if (whole > 0)
    sum = b.carry({first, first + whole, group}, zeros(group),
                  [&](AffineExpr k, Value carried) { return add(carried, prepareProducts(tile, place, k, group)); });
  // What is left is copied in front of zeros, and read again with them.
  if (whole != count) {
    AffineExpr k = first + whole;
    b.store(zeros(group), factors, {place, k});
    for (int64_t i = whole; i < count; ++i)
      b.store(b.cast(rows.loadStored(tile, first + i, 1), plan.rowElement), factors, {place, first + i});
    Value row = b.load(factors, {place, k}, tile.shape(group)), scaled = row;
    if (columns.isLinear()) {
      auto type = cast<RankedTensorType>(row.getType());
      SmallVector<float> values, each = columns.getFactors();
      for (int64_t i = 0; i < type.getNumElements(); ++i)
        values.push_back(each[i % group]);
      scaled = b.create<MulOp>(type, row, b.elements(DenseElementsAttr::get(type, ArrayRef(values))));
    }
    sum = sum ? add(sum, row) : row;
    b.store(scaled, factors, {place, k});
  }
  for (int64_t i = llvm::alignTo(count, group); i < block; i += group)
    b.store(zeros(group), factors, {place, first + i});
  if (sumsOfRows)
    b.store(group > 1 ? acrossLanes(sum) : sum, sumsOfRows, {place, number});
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

void ExpressionSums::multiply(const RegisterTile &tile,
                              function_ref<void(function_ref<Value(const RegisterTile &)>)> emit) {
  auto numbers = [&](const RegisterTile &part) { return multiplyNumbers(part); };
  auto elements = [&](const RegisterTile &part) { return multiplyElements(part); };
  if (!columns.isLinear())
    return emit(elements);
  if (areNumbers)
    return emit(numbers);
  b.when(areFinite(tile), [&] { emit(numbers); }, [&] { emit(elements); });
}

/// Whether the rows' elements are so far from the limits of f32 that their products with numbers, which are larger than
/// those with elements or smaller, by what is at other places of a word, are too.
Value ExpressionSums::areFinite(const RegisterTile &tile) {
  // Sums of one vector would wait for each other.
  constexpr int64_t vectors = 4;
  int64_t depth = columns.getDepth(), lanes = std::gcd<int64_t>(depth, vectors * plan.vectorLanes);
  auto type = RankedTensorType::get(tile.shape(lanes), plan.rowElement);
  Value sum = b.carry({plan.zero, b.constant(depth), lanes}, b.splat(type.getShape(), b.zero(plan.rowElement)),
                      [&](AffineExpr at, Value carried) -> Value {
                        Value row = factors ? b.load(factors, {plan.zero, at}, type.getShape())
                                            : rows.loadStored(tile, at, lanes);
                        return b.create<AddOp>(type, carried, b.create<AbsOp>(type, row));
                      });
  auto scalar = type.clone(ArrayRef<int64_t>());
  sum = b.create<ReduceOp>(scalar, Combiner::sum, sum, llvm::to_vector(llvm::seq<int64_t>(0, type.getRank())));
  auto flag = scalar.clone(IntegerType::get(plan.op.getContext(), 1));
  auto compare = [&](Predicate predicate, float limit) -> Value {
    return b.create<CompareOp>(flag, predicate, sum, b.splat({}, Builder(plan.op).getF32FloatAttr(limit)));
  };
  Value isLarge = b.create<OrOp>(flag, compare(Predicate::gt, 0x1p-64f), compare(Predicate::eq, 0));
  Value isBetween = b.create<AndOp>(flag, compare(Predicate::lt, 0x1p96f), isLarge);
  return b.isAtMost(plan.one, b.extract(isBetween));
}

Value ExpressionSums::multiplyElements(const RegisterTile &tile) {
  return addProducts(tile, plan.zero, columns.getDepth(), /*areNumbers=*/false,
                     b.splat(tile.shape(tile.width), b.zero(plan.element)));
}

Value ExpressionSums::multiplyNumbers(const RegisterTile &tile) {
  Value zeros = b.splat(tile.shape(tile.width), b.zero(plan.element));
  int64_t depth = columns.getDepth(), block = columns.getBlock();
  return b.carry({plan.zero, b.constant(depth / block)}, zeros, [&](AffineExpr number, Value carried) {
    return addShared(tile, number, addProducts(tile, number * block, block, /*areNumbers=*/true, zeros), carried);
  });
}

/// Products of elements, or of numbers. Sums of one row wait for each other: those of every other product are
/// added up on their own.
Value ExpressionSums::addProducts(const RegisterTile &tile, AffineExpr first, int64_t products, bool areNumbers,
                                  Value sums) {
  AffineExpr column = tile.unit.column(tile.column);
  int64_t group = columns.getGroup(), groups = products / group;
  SmallVector<float> scales = columns.getFactors();
  AffineExpr low = first.floorDiv(group);
  return b.carry({low, low + groups}, sums, [&](AffineExpr number, Value carried) {
    AffineExpr k = number * group;
    columns.fetch(k, column, tile.width);
    SmallVector<Value> made =
        areNumbers ? columns.loadNumbers(k, column, tile.width) : columns.load(k, column, tile.width);
    SmallVector<Value, 2> parts(tile.height == 1 && group >= 4 ? 2 : 1);
    parts.front() = carried;
    for (auto [i, numbers] : llvm::enumerate(made)) {
      Value factor = factors ? b.load(factors, {plan.zero, k + i}, tile.shape(1)) : rows.loadStored(tile, k + i, 1);
      // Factors were divided for numbers at their place in a word.
      if (columns.isLinear() && !areNumbers && scales[i] != 1)
        factor = b.create<MulOp>(factor.getType(), factor,
                                 b.splat(tile.shape(1), Builder(plan.op).getF32FloatAttr(1 / scales[i])));
      Value &part = parts[i % parts.size()];
      part = b.mma(factor, numbers, part ? part : b.splat(tile.shape(tile.width), b.zero(plan.element)));
    }
    return parts.size() == 1 ? parts[0] : b.create<AddOp>(parts[0].getType(), parts[0], parts[1]);
  });
}

Value ExpressionSums::addShared(const RegisterTile &tile, AffineExpr number, Value ofBlock, Value sums) {
  auto type = cast<RankedTensorType>(sums.getType());
  auto [before, scale, after] =
      columns.loadShared(number * columns.getBlock(), tile.unit.column(tile.column), tile.width);
  // The sum of a row's factors, times what is added to each number.
  auto addTimes = [&](Value added, Value to) {
    SmallVector<int64_t> row = {1, tile.width};
    added = b.create<BroadcastOp>(type.clone(row), added, ValueRange(), ArrayRef<int64_t>{1}, row);
    return b.mma(b.load(sumsOfRows, {plan.zero, number}, tile.shape(1)), added, to);
  };
  if (before)
    ofBlock = addTimes(before, ofBlock);
  if (scale) {
    if (type.getRank() > 1)
      scale = b.create<BroadcastOp>(type, scale, ValueRange(), ArrayRef<int64_t>{1}, type.getShape());
    ofBlock = b.create<MulOp>(type, ofBlock, scale);
  }
  sums = b.create<AddOp>(type, sums, ofBlock);
  return after ? addTimes(after, sums) : sums;
}
