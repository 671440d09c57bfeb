//===- MicrosoftArrays.cpp - ONNX Runtime's operators on arrays of any kind ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Microsoft.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
Results expandDims(Node &node) {
  auto axis = node.constantIntegers(node[1]);
  if (!axis || axis->size() != 1)
    return node.unsupported() << "an axis that is not known when compiling";
  int64_t dim = node.dimension(axis->front(), rankOf(node[0]) + 1);
  return node.hasFailed() ? Results(failure()) : Results(node.unsqueeze(node[0], {dim}));
}

/// Windows of `size` along one dimension, `step` apart, as a last dimension.
Results unfoldTensor(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("dim", -1), rankOf(x));
  int64_t size = node.integer("size", 0), step = node.integer("step", 1);
  if (size < 1 || step < 1)
    return node.error() << "expects a positive size and step, but has " << size << " and " << step;
  if (node.hasFailed())
    return failure();
  Type i64 = node.builder.getI64Type();
  AffineExpr count = node.sizes.simplify((node.sizeOf(x, dim) - size).floorDiv(step) + 1);
  Sizes windows = {node.largest(count, node.size(0)), node.size(size)};
  Value place = node.binary<AddOp>(node.binary<MulOp>(node.iota(windows, 0, i64), double(step)),
                                   node.iota(windows, 1, i64));
  return node.moveDim(take(node, x, place, dim), dim + 1, rankOf(x));
}

Results torchEmbedding(Node &node) { return take(node, node[0], node[1], 0); }

Results sample(Node &node) { return node[0]; }

/// Distances between the rows of two matrices.
Results distances(Node &node) {
  StringRef metric = node.string("metric", "sqeuclidean");
  if (metric != "sqeuclidean" && metric != "euclidean")
    return node.unsupported() << "the metric '" << metric << "'";
  if (rankOf(node[0]) != 2 || rankOf(node[1]) != 2)
    return node.error() << "expects matrices, but has " << typeOf(node[0]) << " and " << typeOf(node[1]);
  Sizes pairs = {node.sizeOf(node[0], 0), node.sizeOf(node[1], 0), node.sizeOf(node[0], 1)};
  Value apart =
      node.binary<SubOp>(node.broadcast(node[0], {0, 2}, pairs), node.broadcast(node[1], {1, 2}, pairs));
  Value y = node.reduce(Combiner::sum, node.binary<MulOp>(apart, apart), {2});
  return metric == "euclidean" ? node.unary<SqrtOp>(y) : y;
}

/// Whether no element of any operand is NaN or infinite, or one of both.
Results isAllFinite(Node &node) {
  bool onlyInfinite = node.flag("isinf_only"), onlyNan = node.flag("isnan_only");
  Type i1 = node.builder.getI1Type(), i32 = node.builder.getI32Type();
  Value result;
  for (Value x : node.all()) {
    Value isNan = IsNanOp::create(node.builder, node.loc, typeOf(x).clone(i1), x);
    Value isInfinite =
        node.compare(Predicate::eq, node.unary<AbsOp>(x), std::numeric_limits<double>::infinity());
    Value isBad = onlyInfinite ? isInfinite : onlyNan ? isNan : node.binary<OrOp>(isNan, isInfinite);
    SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
    Value isFine = node.compare(Predicate::eq, node.reduce(Combiner::sum, node.cast(isBad, i32), all), 0.0);
    result = result ? node.binary<AndOp>(result, isFine) : isFine;
  }
  return result;
}

/// Products of complex numbers, whose parts are the last dimension; with `conjugate` of the second operand's
/// conjugate.
template <bool conjugate> Results complexProduct(Node &node) {
  SmallVector<Value> values(node.all());
  if (rankOf(values[0]) < 1 || typeOf(values[0]).getShape().back() != 2)
    return node.error() << "expects a last dimension of 2, but has " << typeOf(values[0]);
  if (!node.broadcastAll(values))
    return failure();
  int64_t last = rankOf(values[0]) - 1;
  auto part = [&](Value x, int64_t i) { return node.slice(x, last, node.size(i), node.size(1)); };
  auto product = [&](int64_t i, int64_t j) {
    return node.binary<MulOp>(part(values[0], i), part(values[1], j));
  };
  Value real = conjugate ? node.binary<AddOp>(product(0, 0), product(1, 1))
                         : node.binary<SubOp>(product(0, 0), product(1, 1));
  Value imaginary = conjugate ? node.binary<SubOp>(product(1, 0), product(0, 1))
                              : node.binary<AddOp>(product(0, 1), product(1, 0));
  return node.concat({real, imaginary}, last);
}
} // namespace

void onnx::addMicrosoftArrayConverters(ConverterTable &table) {
  table.add("com.microsoft.ExpandDims", 1, 2, 2, expandDims);
  table.add("com.microsoft.UnfoldTensor", 1, 1, 1, unfoldTensor);
  table.add("com.microsoft.TorchEmbedding", 1, 2, 4, torchEmbedding);
  table.add("com.microsoft.SampleOp", 1, 1, 1, sample);
  table.add("com.microsoft.CDist", 1, 2, 2, distances);
  table.add("com.microsoft.IsAllFinite", 1, 1, ConverterTable::variadic, isAllFinite);
  table.add("com.microsoft.ComplexMul", 1, 2, 2, complexProduct<false>);
  table.add("com.microsoft.ComplexMulConj", 1, 2, 2, complexProduct<true>);
}
