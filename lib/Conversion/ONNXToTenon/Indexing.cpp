//===- Indexing.cpp - ONNX operators that read or write at places given by data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Attention.h"
#include "Loop.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Value onnx::take(Node &node, Value x, Value indices, int64_t dim, IndexMode mode) {
  int64_t count = rankOf(indices);
  return placeIndices(node, node.gather(x, node.unsqueeze(indices, {count}), {dim}, /*batchDims=*/0, mode), count, dim);
}

Value onnx::expectPlaces(Node &node, Value places, AffineExpr count) {
  // What is read at a place is the place; negative ones would count from the end.
  Type i64 = node.builder.getI64Type();
  places = node.cast(places, i64);
  Value beyond = node.fromSizes(node.sizes.simplify(count), RankedTensorType::get({}, i64));
  Value isNegative = node.compare(Predicate::lt, places, 0.0);
  places = node.select(isNegative, node.broadcast(beyond, {}, node.sizesOf(places)), places);
  return take(node, node.iota({node.sizes.simplify(count)}, 0, i64), places, 0);
}

Value onnx::placeIndices(Node &node, Value gathered, int64_t count, int64_t dim) {
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < dim; ++i)
    permutation.push_back(count + i);
  for (int64_t i = 0; i < count; ++i)
    permutation.push_back(i);
  for (int64_t i = count + dim; i < rankOf(gathered); ++i)
    permutation.push_back(i);
  return node.transpose(gathered, permutation);
}

namespace {
bool areIndices(Node &node, Value indices) {
  if (isa<IntegerType>(elementOf(indices)))
    return true;
  node.error() << "expects integers as indices, but has " << typeOf(indices);
  return false;
}

/// A known place is a slice: no data is looked up.
Results gather(Node &node) {
  Value x = node[0], indices = node[1];
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(x));
  if (node.hasFailed() || !areIndices(node, indices))
    return failure();
  auto known = node.constantIntegers(indices);
  if (!known || known->size() != 1)
    return take(node, x, indices, dim);
  AffineExpr extent = node.sizeOf(x, dim), place = node.size(known->front());
  int64_t bound = isStatic(extent) ? SizeAnalysis::staticSize(extent) : std::numeric_limits<int64_t>::max();
  if (known->front() >= bound || known->front() < -bound)
    return node.error() << "reads place " << known->front() << " of dimension " << dim << ", which has " << bound;
  if (known->front() < 0)
    place = node.sizes.simplify(extent + place);
  Value one = node.slice(x, dim, place, node.size(1));
  Sizes sizes = node.sizesOf(x);
  sizes.erase(sizes.begin() + dim);
  Sizes ones(rankOf(indices), node.size(1));
  sizes.insert(sizes.begin() + dim, ones.begin(), ones.end());
  return node.reshape(one, sizes);
}

/// Makes the last size of indices static: it is `count` where it isn't known. False after an error.
bool countPositions(Node &node, Value &indices, std::optional<int64_t> count) {
  int64_t last = rankOf(indices) - 1;
  if (!typeOf(indices).isDynamicDim(last))
    return true;
  if (!count || *count < 0) {
    node.unsupported() << "the number of positions in " << typeOf(indices) << " is not known when compiling"
                       << node.wayToKnow(node.sizeOf(indices, last));
    return false;
  }
  indices = node.withSize(indices, last, node.size(*count), "as many positions in indices as follow from the ranks");
  return !node.hasFailed();
}

Results gatherND(Node &node) {
  Value x = node[0], indices = node[1];
  int64_t batch = node.integer("batch_dims", 0), rank = rankOf(x);
  if (!areIndices(node, indices))
    return failure();
  if (rankOf(indices) < 1 || batch < 0 || batch >= std::min(rank, rankOf(indices)))
    return node.error() << "expects batch_dims below the ranks of " << typeOf(x) << " and " << typeOf(indices)
                        << ", but has " << batch;
  auto stated = node.statedRank(0);
  if (!countPositions(node, indices,
                      stated ? std::optional(rankOf(indices) + rank - 1 - batch - *stated) : std::nullopt))
    return failure();
  int64_t count = typeOf(indices).getShape().back();
  if (count < 1 || batch + count > rank)
    return node.error() << "expects 1 to " << rank - batch
                        << " positions in the last dimension of the indices, but has " << count;
  return node.gather(x, indices, llvm::to_vector(llvm::seq<int64_t>(batch, batch + count)), batch);
}

/// Full positions for the elements of `indices`, which replace one coordinate of their own place.
Value fullPositions(Node &node, Value indices, int64_t dim) {
  Sizes sizes = node.sizesOf(indices);
  int64_t rank = rankOf(indices);
  SmallVector<Value> coordinates;
  for (int64_t i = 0; i < rank; ++i) {
    Value coordinate = i == dim ? indices : node.iota(sizes, i, elementOf(indices));
    coordinates.push_back(node.unsqueeze(coordinate, {rank}));
  }
  return node.concat(coordinates, rank);
}

/// Whether all dimensions but one have the operand's sizes: they run together then.
bool runTogether(Node &node, Value x, Value indices, int64_t dim) {
  Sizes a = node.sizesOf(x), b = node.sizesOf(indices);
  for (size_t i = 0; i < a.size(); ++i)
    if ((int64_t)i != dim && a[i] != b[i])
      return false;
  return true;
}

Results gatherElements(Node &node) {
  Value x = node[0], indices = node[1];
  int64_t rank = rankOf(x), dim = node.dimension(node.integer("axis", 0), rank);
  if (rankOf(indices) != rank)
    return node.error() << "expects indices of rank " << rank << ", but has " << typeOf(indices);
  if (node.hasFailed() || !areIndices(node, indices))
    return failure();
  if (!runTogether(node, x, indices, dim))
    return node.gather(x, fullPositions(node, indices, dim), llvm::to_vector(llvm::seq<int64_t>(0, rank)), 0);
  Value moved = node.moveDim(x, dim, rank - 1), places = node.moveDim(indices, dim, rank - 1);
  Value result = node.gather(moved, node.unsqueeze(places, {rank}), {rank - 1}, rank - 1);
  return node.moveDim(result, rank - 1, dim);
}

Results nonZero(Node &node) {
  auto type = RankedTensorType::get({rankOf(node[0]), ShapedType::kDynamic}, node.builder.getI64Type());
  return NonZeroOp::create(node.builder, node.loc, type, node[0]).getResult();
}

/// The places along an axis, or of the flat operand, where the condition holds.
Results compress(Node &node) {
  Value x = node[0], condition = node[1];
  if (rankOf(condition) != 1)
    return node.error() << "expects a vector as condition, but has " << typeOf(condition);
  int64_t dim = 0;
  if (node.hasAttribute("axis"))
    dim = node.dimension(node.integer("axis", 0), rankOf(x));
  else
    x = node.reshape(x, node.product(node.sizesOf(x)));
  if (node.hasFailed())
    return failure();
  auto type = RankedTensorType::get({1, ShapedType::kDynamic}, node.builder.getI64Type());
  Value places = NonZeroOp::create(node.builder, node.loc, type, condition);
  return take(node, x, node.squeeze(places, {0}), dim);
}

/// `on` where the position along a new dimension is the index, counted from the end where it is negative.
Results oneHot(Node &node) {
  Value indices = node[0], values = node[2];
  Type i64 = node.builder.getI64Type();
  int64_t dim = node.dimension(node.integer("axis", -1), rankOf(indices) + 1);
  Value stated = node.single(node[1], "a scalar as depth");
  if (rankOf(values) != 1 || (isStatic(node.sizeOf(values, 0)) && !isStatic(node.sizeOf(values, 0), 2)))
    return node.error() << "expects 2 values, but has " << typeOf(values);
  if (node.hasFailed())
    return failure();
  indices = node.cast(indices, i64);
  Value count = node.cast(stated, i64);
  auto floating = node.constantNumbers(stated);
  auto counted = floating ? std::optional(Sizes(1, node.size((int64_t)floating->front()))) : node.elements(count);
  if (!counted)
    return failure();
  AffineExpr depth = counted->front();
  if (floating)
    count = node.scalarInteger((int64_t)floating->front(), i64);
  Sizes sizes = node.sizesOf(indices);
  sizes.insert(sizes.begin() + dim, depth);
  Value wrapped = node.select(node.compare(Predicate::lt, indices, 0.0), node.binary<AddOp>(indices, count), indices);
  Value place = node.broadcastTo(node.unsqueeze(wrapped, {dim}), sizes);
  Value isOn = node.compare(Predicate::eq, node.iota(sizes, dim, i64), place);
  auto scalar = [&](int64_t i) { return node.reshape(node.slice(values, 0, node.size(i), node.size(1)), {}); };
  return node.select(isOn, scalar(1), scalar(0));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// How an update meets what is there: null replaces it.
std::optional<CombinerAttr> combinerOf(Node &node) {
  StringRef reduction = node.string("reduction", "none");
  if (reduction == "none")
    return CombinerAttr();
  Combiner combiner = Combiner::sum;
  if (reduction == "mul")
    combiner = Combiner::prod;
  else if (reduction == "min" || reduction == "max")
    combiner = *symbolizeCombiner(reduction);
  else if (reduction != "add") {
    node.error() << "expects reduction none, add, mul, min or max, but has '" << reduction << "'";
    return std::nullopt;
  }
  return CombinerAttr::get(node.builder.getContext(), combiner);
}

Results scatterTo(Node &node, Value x, Value indices, Value updates, ArrayRef<int64_t> dims, int64_t batch) {
  auto combiner = combinerOf(node);
  if (!combiner)
    return failure();
  if (*combiner && !isNumber(elementOf(x)))
    return node.unsupported() << "reduction of elements of type " << elementOf(x) << ", only 'none' takes them";
  return ScatterOp::create(node.builder, node.loc, x.getType(), IndexMode::error, *combiner, x, indices, updates, dims,
                           batch)
      .getResult();
}

Results scatterND(Node &node) {
  Value indices = node[1];
  if (!areIndices(node, indices) || rankOf(indices) < 1)
    return node.error() << "expects indices of rank 1 or more, but has " << typeOf(indices);
  if (!countPositions(node, indices, rankOf(indices) - 1 + rankOf(node[0]) - rankOf(node[2])))
    return failure();
  int64_t count = typeOf(indices).getShape().back();
  return scatterTo(node, node[0], indices, node[2], llvm::to_vector(llvm::seq<int64_t>(0, count)), 0);
}

Results scatterElements(Node &node) {
  Value x = node[0], indices = node[1], updates = node[2];
  int64_t rank = rankOf(x), dim = node.dimension(node.integer("axis", 0), rank);
  if (rankOf(indices) != rank || rankOf(updates) != rank)
    return node.error() << "expects indices and updates of rank " << rank << ", but has " << typeOf(indices) << " and "
                        << typeOf(updates);
  if (node.hasFailed() || !areIndices(node, indices))
    return failure();
  if (!runTogether(node, x, indices, dim))
    return scatterTo(node, x, fullPositions(node, indices, dim), updates, llvm::to_vector(llvm::seq<int64_t>(0, rank)),
                     0);
  Value places = node.unsqueeze(node.moveDim(indices, dim, rank - 1), {rank});
  Results result = scatterTo(node, node.moveDim(x, dim, rank - 1), places, node.moveDim(updates, dim, rank - 1),
                             {rank - 1}, rank - 1);
  return result.isFailure ? result : Results(node.moveDim(result.values[0], rank - 1, dim));
}

/// A cache with new rows from a place on, per batch entry; `circular` goes on at the beginning.
Results tensorScatter(Node &node) {
  Value cache = node[0], update = node[1];
  int64_t rank = rankOf(cache), dim = node.dimension(node.integer("axis", -2), rank);
  StringRef mode = node.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    return node.error() << "expects mode linear or circular, but has '" << mode << "'";
  if (rankOf(update) != rank || dim == 0)
    return node.error() << "expects an update of rank " << rank << " and an axis other than 0, but has "
                        << typeOf(update) << " and " << dim;
  if (node.hasFailed())
    return failure();
  Type i64 = node.builder.getI64Type();
  Value rows = node.moveDim(cache, dim, 1), added = node.moveDim(update, dim, 1);
  Sizes places = {node.sizeOf(added, 0), node.sizeOf(added, 1)};
  Value place = node.iota(places, 1, i64);
  if (node.has(2))
    place = node.binary<AddOp>(place, node.along(node.cast(node[2], i64), 0, place));
  if (mode == "circular") {
    Value length = node.fromSizes(node.sizeOf(rows, 1), RankedTensorType::get({}, i64));
    place = node.binary<ModOp>(place, length);
  }
  Value result = ScatterOp::create(node.builder, node.loc, rows.getType(), IndexMode::error, CombinerAttr(), rows,
                                   node.unsqueeze(place, {2}), added, ArrayRef<int64_t>{1}, 1);
  return node.moveDim(result, 1, dim);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

Results topKOf(Node &node, AffineExpr k) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", -1), rankOf(x));
  AffineExpr extent = node.hasFailed() ? AffineExpr() : node.sizeOf(x, dim);
  if (!extent)
    return failure();
  if (isStatic(k) && (SizeAnalysis::staticSize(k) < 0 ||
                      (isStatic(extent) && SizeAnalysis::staticSize(k) > SizeAnalysis::staticSize(extent))))
    return node.error() << "expects k from 0 to the size of dimension " << dim << ", but has "
                        << SizeAnalysis::staticSize(k);
  Sizes sizes = node.sizesOf(x);
  sizes[dim] = k;
  SmallVector<Value> dynamic;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults({node.materialize(k)}, dynamic, fixed);
  auto op = TopKOp::create(node.builder, node.loc, node.typeFor(elementOf(x), sizes),
                           node.typeFor(node.builder.getI64Type(), sizes), x, dim, dynamic, fixed,
                           /*smallest=*/!node.flag("largest", true));
  return {op.getValues(), op.getIndices()};
}

/// k is an attribute before version 10.
Results topKAttribute(Node &node) { return topKOf(node, node.size(node.integer("k", -1))); }

Results topK(Node &node) {
  Value stated = node.single(node[1], "one element as k");
  auto k = stated ? node.elements(stated) : std::nullopt;
  return k ? topKOf(node, k->front()) : Results(failure());
}

/// Of things `[N]` that are equal where they stand side by side once each, in order or as they first occur: the place
/// of the first of each, the number of each thing's group, and how many each group has. `source` says where each was
/// before, `isNew` whether it differs from the one before it; equal ones are in the order of their places.
struct Groups {
  Value first, group, counts;
};

Groups groupsOf(Node &node, Value source, Value isNew, bool isSorted) {
  Type i64 = node.builder.getI64Type();
  AffineExpr count = node.sizeOf(source, 0);
  auto running = [&](Value flags) {
    Value x = node.cast(flags, i64);
    Value sums = ScanOp::create(node.builder, node.loc, x.getType(), Combiner::sum, x, 0, false, false);
    return node.binary<SubOp>(sums, 1.0);
  };
  auto whereSet = [&](Value flags) {
    auto type = RankedTensorType::get({1, ShapedType::kDynamic}, i64);
    return node.squeeze(NonZeroOp::create(node.builder, node.loc, type, flags), {0});
  };
  auto scattered = [&](Value at, Value values, AffineExpr size, CombinerAttr combiner) -> Value {
    Value none = node.broadcast(node.scalar(0, elementOf(values)), {}, {size});
    return ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::error, combiner, none,
                             node.unsqueeze(at, {1}), values, ArrayRef<int64_t>{0}, 0);
  };
  Value group = running(isNew), starts = whereSet(isNew);
  Value first = take(node, source, starts, 0);
  if (!isSorted) {
    Value one = node.broadcast(node.scalar(1, i64), {}, node.sizesOf(first));
    Value isFirst = scattered(first, one, count, {});
    group = take(node, take(node, running(isFirst), first, 0), group, 0);
    first = whereSet(isFirst);
  }
  group = scattered(source, group, count, {});
  Value one = node.broadcast(node.scalar(1, i64), {}, {count});
  Value counts =
      scattered(group, one, node.sizeOf(first, 0), CombinerAttr::get(node.builder.getContext(), Combiner::sum));
  return {first, group, counts};
}

/// The elements of a vector by size, and where each was.
std::pair<Value, Value> sortedBySize(Node &node, Value x) {
  AffineExpr count = node.sizeOf(x, 0);
  SmallVector<Value> k;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults({node.materialize(count)}, k, fixed);
  auto order = TopKOp::create(node.builder, node.loc, typeOf(x), node.typeFor(node.builder.getI64Type(), {count}), x, 0,
                              k, fixed, /*smallest=*/true);
  return {order.getValues(), order.getIndices()};
}

/// Whether each of the first dimension differs from the one before it.
Value differsFromPrevious(Node &node, Value sorted) {
  Sizes sizes = node.sizesOf(sorted);
  Value place = node.iota(sizes[0], 0, node.builder.getI64Type());
  Value previous = take(node, sorted, node.binary<MaxOp>(node.binary<SubOp>(place, 1.0), 0.0), 0);
  Value differs = node.compare(Predicate::ne, sorted, previous);
  // Where there are no elements, none differs.
  if (sizes.size() > 1)
    differs = node.reduce(Combiner::sum, differs, {1});
  return node.binary<OrOp>(node.compare(Predicate::eq, place, 0.0), differs);
}

/// Elements of a vector once each, and what is known of them.
Results uniqueOf(Node &node, Value x, bool isSorted) {
  if (rankOf(x) != 1)
    return node.error() << "expects a vector, but has " << typeOf(x);
  auto [sorted, source] = sortedBySize(node, x);
  // Equal elements are sorted by their places.
  Groups groups = groupsOf(node, source, differsFromPrevious(node, sorted), isSorted);
  return {take(node, x, groups.first, 0), groups.first, groups.group, groups.counts};
}

/// Slices along an axis once each, in the order of their first elements that differ: sorted by their last elements
/// first, then, as equal ones keep their order, by those before.
Results uniqueAlong(Node &node, int64_t dim, bool isSorted) {
  Value x = node.moveDim(node[0], dim, 0);
  Sizes sizes = node.sizesOf(x);
  Type i64 = node.builder.getI64Type();
  AffineExpr length = node.product(ArrayRef(sizes).drop_front());
  Value rows = node.reshape(x, {sizes[0], length}), last = node.binary<SubOp>(numberOf(node, length), 1.0);
  auto body = [&](Value iteration, ArrayRef<Value> carried) -> std::optional<LoopBuilder::Yielded> {
    Value column = node.reshape(node.binary<SubOp>(last, iteration), {node.size(1)});
    Value elements = node.reshape(take(node, rows, column, 1), {sizes[0]});
    Value order = sortedBySize(node, take(node, elements, carried.front(), 0)).second;
    Value next = take(node, carried.front(), order, 0);
    if (node.hasFailed())
      return std::nullopt;
    return LoopBuilder::Yielded{node.boolean(true), {next}, {}};
  };
  auto values =
      LoopBuilder(node, {node.iota(sizes[0], 0, i64)}).build(numberOf(node, length), node.boolean(true), body);
  if (!values)
    return failure();
  Value source = values->front();
  Groups groups = groupsOf(node, source, differsFromPrevious(node, take(node, rows, source, 0)), isSorted);
  return {take(node, node[0], groups.first, dim), groups.first, groups.group, groups.counts};
}

/// Of the flat operand, or along an axis.
Results unique(Node &node) {
  bool isSorted = node.flag("sorted", true);
  if (node.hasAttribute("axis")) {
    int64_t dim = node.dimension(node.integer("axis", 0), rankOf(node[0]));
    if (node.hasFailed())
      return failure();
    if (rankOf(node[0]) > 1)
      return uniqueAlong(node, dim, isSorted);
  }
  return uniqueOf(node, node.reshape(node[0], node.product(node.sizesOf(node[0]))), isSorted);
}

Results uniqueByOccurrence(Node &node) {
  Results all = uniqueOf(node, node[0], /*isSorted=*/false);
  return all.isFailure ? all : Results({all.values[0], all.values[2], all.values[3]});
}

/// The first `length` places of each sequence backwards, the others as they are.
Results reverseSequence(Node &node) {
  Value x = node[0], lengths = node[1];
  int64_t batch = node.integer("batch_axis", 1), time = node.integer("time_axis", 0);
  if (rankOf(x) < 2 || rankOf(lengths) != 1 || batch + time != 1 || batch * time != 0)
    return node.error() << "expects rank 2 or more, a vector of lengths, and axes 0 and 1, but has " << typeOf(x)
                        << ", " << typeOf(lengths) << ", " << batch << " and " << time;
  Type i64 = node.builder.getI64Type();
  Sizes places = {node.sizeOf(x, batch), node.sizeOf(x, time)};
  lengths = node.withSize(lengths, 0, places[0], "as many lengths as sequences");
  Value step = node.iota(places, 1, i64), length = node.broadcast(node.cast(lengths, i64), {0}, places);
  Value backwards = node.binary<SubOp>(node.binary<SubOp>(length, step), 1.0);
  Value place = node.select(node.compare(Predicate::lt, step, length), backwards, step);
  Value rows = node.moveDim(x, batch, 0);
  Value result = node.gather(rows, node.unsqueeze(place, {2}), {1}, 1);
  return node.moveDim(result, 0, batch);
}
} // namespace

void onnx::addIndexingConverters(ConverterTable &table) {
  table.add("Gather", 1, 2, 2, gather, Accepts::tensors);
  table.add("GatherND", 11, 2, 2, gatherND, Accepts::tensors);
  table.add("com.microsoft.GatherND", 1, 2, 2, gatherND, Accepts::tensors);
  table.add("GatherElements", 11, 2, 2, gatherElements, Accepts::tensors);
  table.add("NonZero", 9, 1, 1, nonZero);
  table.add("Compress", 9, 2, 2, compress, Accepts::tensors);
  table.add("Scatter", 9, 3, 3, scatterElements, Accepts::tensors);
  table.add("ScatterElements", 11, 3, 3, scatterElements, Accepts::tensors);
  table.add("ScatterND", 11, 3, 3, scatterND, Accepts::tensors);
  table.add("TensorScatter", 24, 2, 3, tensorScatter, Accepts::tensors);
  table.add("TopK", 1, 1, 1, topKAttribute);
  table.add("TopK", 10, 2, 2, topK);
  table.add("Unique", 11, 1, 1, unique);
  table.add("com.microsoft.Unique", 1, 1, 1, uniqueByOccurrence);
  table.add("OneHot", 9, 3, 3, oneHot, Accepts::tensors);
  table.add("ReverseSequence", 10, 2, 2, reverseSequence, Accepts::tensors);
}
