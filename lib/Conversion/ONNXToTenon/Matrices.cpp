//===- Matrices.cpp - ONNX operators that eliminate rows of matrices ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Indexing.h"
#include "Loop.h"
#include "Sampling.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Whether the last two dimensions of the operand are square matrices of floating-point numbers; checked at run time
/// where that isn't known.
bool areSquare(Node &node) {
  Sizes sizes = node.sizesOf(node[0]);
  size_t rank = sizes.size();
  if (rank < 2 || !isa<FloatType>(elementOf(node[0])) ||
      (isStatic(sizes[rank - 1]) && isStatic(sizes[rank - 2]) && sizes[rank - 1] != sizes[rank - 2])) {
    node.error() << "expects square matrices of floating-point numbers, but has " << typeOf(node[0]);
    return false;
  }
  node.expectEqual(sizes[rank - 2], sizes[rank - 1], (node.name() + " has a matrix that isn't square").str());
  return true;
}

/// For a step of an elimination of `[count, n, m]`: where each row comes from when the row whose element is the largest
/// of those left in a column takes its place, `[count, n]`; and that row, `[count]`.
std::pair<Value, Value> pivotOf(Node &node, Value a, Value column) {
  Type i64 = node.builder.getI64Type();
  Sizes all = node.sizesOf(a), rows = {all[0], all[1]};
  Value row = node.iota(rows, 1, i64);
  Value size = node.select(node.compare(Predicate::ge, row, column), node.unary<AbsOp>(take(node, a, column, 2)),
                           node.scalar(-1, elementOf(a)));
  Value largest =
      ArgReduceOp::create(node.builder, node.loc, node.typeFor(i64, {all[0]}), Combiner::max, size, 1, false);
  Value pivot = node.broadcast(largest, {0}, rows), here = node.broadcast(column, {}, rows);
  Value isHere = node.compare(Predicate::eq, row, here);
  return {node.select(isHere, pivot, node.select(node.compare(Predicate::eq, row, pivot), here, row)), largest};
}

//===----------------------------------------------------------------------===//
// Inverse
//===----------------------------------------------------------------------===//

/// Gauss-Jordan elimination of all matrices beside the unit matrix, a column per step, with the largest
/// element left as its pivot.
Results inverse(Node &node) {
  Sizes original = node.sizesOf(node[0]);
  if (!areSquare(node))
    return failure();
  Type wide = computedIn(node, elementOf(node[0])), i64 = node.builder.getI64Type();
  AffineExpr count = node.product(ArrayRef(original).drop_back(2)), n = original.back();
  Sizes matrices = {count, n, n}, rows = {count, n};
  Value x = node.reshape(node.cast(node[0], wide), matrices);
  Value unit = node.cast(node.compare(Predicate::eq, node.iota(matrices, 1, i64), node.iota(matrices, 2, i64)), wide);
  auto step = [&](Value column, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
    Value source = pivotOf(node, states.front(), column).first;
    Value a = node.gather(states.front(), node.unsqueeze(source, {2}), {1}, 1);
    Value isHere = node.compare(Predicate::eq, node.iota(rows, 1, i64), node.broadcast(column, {}, rows));
    Sizes all = node.sizesOf(a);
    Value line = take(node, a, column, 1);
    line = node.binary<DivOp>(line, node.broadcast(take(node, line, column, 1), {0}, node.sizesOf(line)));
    line = node.broadcast(line, {0, 2}, all);
    Value rest = node.binary<SubOp>(a, node.binary<MulOp>(node.broadcast(take(node, a, column, 2), {0, 1}, all), line));
    a = node.select(node.broadcast(isHere, {0, 1}, all), line, rest);
    if (node.hasFailed())
      return std::nullopt;
    return LoopBuilder::Yielded{node.boolean(true), {a}, {}};
  };
  Value initial[] = {node.concat({x, unit}, 2)};
  auto values = LoopBuilder(node, initial).build(numberOf(node, n), node.boolean(true), step);
  if (!values)
    return failure();
  return node.cast(node.reshape(node.slice(values->front(), 2, n, n), original), elementOf(node[0]));
}

//===----------------------------------------------------------------------===//
// Det
//===----------------------------------------------------------------------===//

/// The product of the pivots of an elimination, with another sign for each exchange of rows.
Results det(Node &node) {
  Sizes original = node.sizesOf(node[0]);
  if (!areSquare(node))
    return failure();
  Type wide = computedIn(node, elementOf(node[0])), i64 = node.builder.getI64Type();
  AffineExpr n = original.back();
  Sizes outer(ArrayRef(original).drop_back(2));
  AffineExpr count = node.product(outer);
  Sizes rows = {count, n};
  Value x = node.reshape(node.cast(node[0], wide), {count, n, n});
  auto step = [&](Value column, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
    auto [source, pivot] = pivotOf(node, states[0], column);
    Value a = node.gather(states[0], node.unsqueeze(source, {2}), {1}, 1);
    Value line = take(node, a, column, 1), head = take(node, line, column, 1);
    Value isZero = node.compare(Predicate::eq, head, 0.0);
    // Of a column of zeros nothing is to be taken away.
    Value divisor = node.select(isZero, node.splat(1, head), head);
    Value factor = node.binary<DivOp>(take(node, a, column, 2), node.broadcast(divisor, {0}, rows));
    Value isBelow = node.compare(Predicate::gt, node.iota(rows, 1, i64), node.broadcast(column, {}, rows));
    factor = node.select(isBelow, factor, node.splat(0, factor));
    Sizes all = node.sizesOf(a);
    a = node.binary<SubOp>(a,
                           node.binary<MulOp>(node.broadcast(factor, {0, 1}, all), node.broadcast(line, {0, 2}, all)));
    Value isSame = node.compare(Predicate::eq, pivot, node.broadcast(column, {}, {count}));
    Value signedHead = node.select(isSame, head, node.unary<NegOp>(head));
    if (node.hasFailed())
      return std::nullopt;
    return LoopBuilder::Yielded{node.boolean(true), {a, node.binary<MulOp>(states[1], signedHead)}, {}};
  };
  Value initial[] = {x, node.broadcast(node.scalar(1, wide), {}, {count})};
  auto values = LoopBuilder(node, initial).build(numberOf(node, n), node.boolean(true), step);
  if (!values)
    return failure();
  return node.cast(node.reshape((*values)[1], outer), elementOf(node[0]));
}
} // namespace

void onnx::addMatrixConverters(ConverterTable &table) {
  table.add("Det", 11, 1, 1, det);
  table.add("com.microsoft.Inverse", 1, 1, 1, inverse);
}
