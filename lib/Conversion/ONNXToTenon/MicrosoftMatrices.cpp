//===- MicrosoftMatrices.cpp - Inverses and spectra in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Indexing.h"
#include "Loop.h"
#include "Microsoft.h"

#include <numbers>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
Type computedIn(Node &node, Type element) {
  return element.getIntOrFloatBitWidth() < 32 ? node.builder.getF32Type() : element;
}

//===----------------------------------------------------------------------===//
// Inverse
//===----------------------------------------------------------------------===//

/// Gauss-Jordan elimination of all matrices beside the unit matrix, a column per step, with the largest
/// element left as its pivot.
Results inverse(Node &node) {
  Sizes original = node.sizesOf(node[0]);
  int64_t rank = original.size();
  if (rank < 2 || !isa<FloatType>(elementOf(node[0])) ||
      (isStatic(original[rank - 1]) && isStatic(original[rank - 2]) && original[rank - 1] != original[rank - 2]))
    return node.error() << "expects square matrices of floating-point numbers, but has " << typeOf(node[0]);
  Type wide = computedIn(node, elementOf(node[0])), i64 = node.builder.getI64Type();
  AffineExpr count = node.product(ArrayRef(original).drop_back(2)), n = original.back();
  node.expectEqual(original[rank - 2], n, "a matrix to invert isn't square");
  Sizes matrices = {count, n, n}, rows = {count, n};
  Value x = node.reshape(node.cast(node[0], wide), matrices);
  Value unit = node.cast(node.compare(Predicate::eq, node.iota(matrices, 1, i64), node.iota(matrices, 2, i64)), wide);
  auto step = [&](Value column, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
    Value a = states.front(), row = node.iota(rows, 1, i64);
    Value size = node.select(node.compare(Predicate::ge, row, column), node.unary<AbsOp>(take(node, a, column, 2)),
                             node.scalar(-1, wide));
    Value largest =
        ArgReduceOp::create(node.builder, node.loc, node.typeFor(i64, {count}), Combiner::max, size, 1, false);
    Value pivot = node.broadcast(largest, {0}, rows), here = node.broadcast(column, {}, rows);
    Value isHere = node.compare(Predicate::eq, row, here);
    Value source = node.select(isHere, pivot, node.select(node.compare(Predicate::eq, row, pivot), here, row));
    a = node.gather(a, node.unsqueeze(source, {2}), {1}, 1);
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
// Spectra
//===----------------------------------------------------------------------===//

/// Cosines or sines of 2 pi i k / n for places i and frequencies k, whose product is reduced modulo n before
/// it is rounded.
template <typename Op> Value waves(Node &node, AffineExpr places, AffineExpr frequencies, AffineExpr n, Type element) {
  Type i64 = node.builder.getI64Type();
  Sizes sizes = {places, frequencies};
  Value turns = node.binary<MulOp>(node.iota(sizes, 0, i64), node.iota(sizes, 1, i64));
  turns = node.cast(node.binary<ModOp>(turns, numberOf(node, n)), element);
  Value angle =
      node.binary<DivOp>(node.binary<MulOp>(turns, 2 * std::numbers::pi), node.cast(numberOf(node, n), element));
  return node.unary<Op>(angle);
}

/// The product with a matrix over the last dimension.
Value transformed(Node &node, Value x, Value matrix) {
  unsigned rank = rankOf(x);
  SmallVector<unsigned> from = llvm::to_vector(llvm::seq<unsigned>(0, rank)), to = from;
  to.back() = rank;
  return node.contract(x, matrix, rank + 1, from, {rank - 1, rank}, to, elementOf(x));
}

bool isPlainTransform(Node &node) {
  if (node.flag("normalized") || !node.flag("onesided", true))
    node.unsupported() << "a transform that is normalised or has both sides";
  else if (node.integer("signal_ndim", 1) != 1)
    node.unsupported() << "a transform over " << node.integer("signal_ndim", 1) << " dimensions";
  else if (!isa<FloatType>(elementOf(node[0])) || rankOf(node[0]) < 1)
    node.error() << "expects floating-point numbers of rank 1 or more, but has " << typeOf(node[0]);
  return !node.hasFailed();
}

/// Of n real numbers the n / 2 + 1 first complex ones, whose parts are a last dimension.
Results rfft(Node &node) {
  if (!isPlainTransform(node))
    return failure();
  Value x = node.cast(node[0], computedIn(node, elementOf(node[0])));
  int64_t rank = rankOf(x);
  AffineExpr n = node.sizeOf(x, rank - 1), half = node.sizes.simplify(n.floorDiv(2) + 1);
  Value real = transformed(node, x, waves<CosOp>(node, n, half, n, elementOf(x)));
  Value imaginary = transformed(node, x, waves<SinOp>(node, n, half, n, elementOf(x)));
  Value parts[] = {node.unsqueeze(real, {rank}), node.unsqueeze(node.unary<NegOp>(imaginary), {rank})};
  return node.cast(node.concat(parts, rank), elementOf(node[0]));
}

/// The inverse, of an even n: all frequencies but the first and the last stand for two.
Results irfft(Node &node) {
  if (!isPlainTransform(node))
    return failure();
  Value x = node.cast(node[0], computedIn(node, elementOf(node[0])));
  int64_t rank = rankOf(x);
  if (rank < 2 || typeOf(x).getShape().back() != 2)
    return node.error() << "expects a last dimension of 2, the parts of complex numbers, but has " << typeOf(x);
  Type element = elementOf(x);
  AffineExpr half = node.sizeOf(x, rank - 2), n = node.sizes.simplify((half - 1) * 2);
  auto part = [&](int64_t i) { return node.squeeze(node.slice(x, rank - 1, node.size(i), node.size(1)), {rank - 1}); };
  Sizes matrix = {half, n};
  Value frequency = node.iota(matrix, 0, node.builder.getI64Type());
  Value isEnd =
      node.binary<OrOp>(node.compare(Predicate::eq, frequency, 0.0),
                        node.compare(Predicate::eq, frequency, numberOf(node, node.sizes.simplify(half - 1))));
  Value weight = node.select(isEnd, node.scalar(1, element), node.scalar(2, element));
  weight = node.binary<DivOp>(weight, node.cast(numberOf(node, n), element));
  Value real = transformed(node, part(0), node.binary<MulOp>(waves<CosOp>(node, half, n, n, element), weight));
  Value imaginary = transformed(node, part(1), node.binary<MulOp>(waves<SinOp>(node, half, n, n, element), weight));
  return node.cast(node.binary<SubOp>(real, imaginary), elementOf(node[0]));
}
} // namespace

void onnx::addMicrosoftMatrixConverters(ConverterTable &table) {
  table.add("com.microsoft.Inverse", 1, 1, 1, inverse);
  table.add("com.microsoft.Rfft", 1, 1, 1, rfft);
  table.add("com.microsoft.Irfft", 1, 1, 1, irfft);
}
