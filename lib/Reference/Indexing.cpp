//===- Indexing.cpp - Ops on places given by data in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "Order.h"
#include "RawElements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon::reference;
using tenon::IndexMode;

/// The place that a position means, or nothing if it is out of range and that is an error.
static std::optional<int64_t> resolve(IndexMode mode, int64_t position, int64_t size) {
  if (size == 0)
    return std::nullopt;
  if (mode == IndexMode::wrap)
    return ((position % size) + size) % size;
  int64_t place = position < 0 ? position + size : position;
  if (place >= 0 && place < size)
    return place;
  if (mode == IndexMode::clamp)
    return place < 0 ? 0 : size - 1;
  return std::nullopt;
}

namespace {
/// Where in the operand the slices that a gather reads or a scatter writes begin, and what a slice is.
struct Slices {
  SmallVector<int64_t> shape; ///< of all slices: those of the indices, then of a slice
  std::vector<int64_t> bases; ///< place of each slice's first element, or `outside`
  OffsetTables tables;        ///< of a slice's elements
  int64_t length = 1;         ///< elements of a slice
};
} // namespace

static llvm::Expected<Slices> findSlices(Call &call, IndexMode mode, const Tensor &operand, const Tensor &indices,
                                         ArrayRef<int64_t> dims, int64_t batchDims) {
  Slices slices;
  int64_t width = dims.size();
  Format format(indices.getElementType());
  if (!format.valid)
    return call.fail("has indices of a type that can't be computed with");
  for (int64_t i = 0; i < batchDims; ++i)
    if (indices.getDimSize(i) != operand.getDimSize(i))
      return call.fail("expects one size of batch dimension " + llvm::Twine(i) + ", but has " +
                       llvm::Twine(operand.getDimSize(i)) + " and " + llvm::Twine(indices.getDimSize(i)));
  if (indices.getShape().back() != width)
    return call.fail("expects " + llvm::Twine(width) + " positions in the last dimension of indices, but has " +
                     llvm::Twine(indices.getShape().back()));
  SmallVector<int64_t> strides = rowMajorStrides(operand.getShape()), sliceSizes, sliceStrides;
  slices.shape.assign(indices.getShape().begin(), indices.getShape().end() - 1);
  for (int64_t d = batchDims; d < operand.getRank(); ++d)
    if (!llvm::is_contained(dims, d)) {
      sliceSizes.push_back(operand.getDimSize(d));
      sliceStrides.push_back(strides[d]);
      slices.length *= operand.getDimSize(d);
    }
  slices.shape.append(sliceSizes);
  slices.tables = stridedTables(sliceSizes, sliceStrides);
  int64_t places = 1, batchPlaces = 1, batchStride = batchDims ? strides[batchDims - 1] : 0;
  for (auto [i, size] : llvm::enumerate(indices.getShape().drop_back())) {
    places *= size;
    batchPlaces *= (int64_t)i < batchDims ? size : 1;
  }
  std::vector<int64_t> position(width);
  for (int64_t p = 0; p < places; ++p) {
    format.load(indices.getData(), p * width, width, position.data());
    int64_t base = batchDims ? p / (places / batchPlaces) * batchStride : 0;
    for (auto [value, dim] : llvm::zip(position, dims)) {
      bool huge = format.kind == Kind::Unsigned && value < 0;
      std::optional<int64_t> place = resolve(mode, huge ? INT64_MAX : value, operand.getDimSize(dim));
      if (!place && mode != IndexMode::drop)
        return call.fail("has index " + llvm::Twine(value) + ", but dimension " + llvm::Twine(dim) + " has size " +
                         llvm::Twine(operand.getDimSize(dim)));
      base = !place || base == outside ? outside : base + *place * strides[dim];
    }
    slices.bases.push_back(base);
  }
  return slices;
}

static llvm::Error evaluateGather(Call &call) {
  auto op = cast<tenon::GatherOp>(call.op);
  const Tensor &operand = call.tensor(0);
  llvm::Expected<Slices> slices =
      findSlices(call, op.getMode(), operand, call.tensor(1), op.getDims(), op.getBatchDims());
  if (!slices)
    return slices.takeError();
  llvm::Expected<RawResult> result = RawResult::create(operand.getElementType(), slices->shape);
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  RawElements elements(operand);
  for (auto [i, base] : llvm::enumerate(slices->bases)) {
    if (base == outside)
      return call.fail("drops a slice, which only a scatter can");
    if (slices->length > 0)
      copyByTables(elements.data + base * elements.bytes, result->data() + i * slices->length * elements.bytes,
                   slices->tables, elements.bytes, nullptr);
  }
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// Calls `f(target, source)` with the places of each element written, in order.
template <typename F> static void forEachUpdate(const Slices &slices, F f) {
  std::vector<int64_t> places(slices.length);
  if (slices.length == 0)
    return;
  // The offsets of a slice's elements: a slice of the numbers from 0 on.
  SmallVector<int64_t> position(slices.tables.size(), 0);
  for (int64_t &place : places) {
    place = 0;
    for (auto [table, at] : llvm::zip(slices.tables, position))
      place += table[at];
    for (int64_t d = (int64_t)position.size() - 1; d >= 0 && ++position[d] == (int64_t)slices.tables[d].size(); --d)
      position[d] = 0;
  }
  for (auto [i, base] : llvm::enumerate(slices.bases))
    for (int64_t j = 0; base != outside && j < slices.length; ++j)
      f(base + places[j], (int64_t)i * slices.length + j);
}

static llvm::Error evaluateScatter(Call &call) {
  auto op = cast<tenon::ScatterOp>(call.op);
  const Tensor &operand = call.tensor(0), &updates = call.tensor(2);
  llvm::Expected<Slices> slices =
      findSlices(call, op.getMode(), operand, call.tensor(1), op.getDims(), op.getBatchDims());
  if (!slices)
    return slices.takeError();
  if (updates.getShape() != ArrayRef<int64_t>(slices->shape))
    return call.fail("expects updates of sizes " + describeShape(slices->shape) + ", but has " + updates.describe());
  Format format(operand.getElementType());
  if (op.getCombiner() && (operand.holdsStrings() || !format.valid))
    return call.fail("can't combine elements of this type");
  if (op.getCombiner()) {
    return withCompute(format, [&](auto zero) {
      using C = decltype(zero);
      Combination<C> combination(*op.getCombiner(), format);
      std::vector<C> elements = loadAll<C>(operand), values = loadAll<C>(updates);
      forEachUpdate(*slices, [&](int64_t to, int64_t from) { combination.combine(elements[to], values[from]); });
      return push(call, storeAll(operand.getElementType(), operand.getShape(), elements));
    });
  }
  llvm::Expected<RawResult> result = RawResult::create(operand.getElementType(), operand.getShape());
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  RawElements elements(operand), values(updates);
  if (operand.getNumElements() > 0)
    copyByTables(elements.data, result->data(), stridedTables({operand.getNumElements()}, {1}), elements.bytes,
                 nullptr);
  forEachUpdate(*slices, [&](int64_t to, int64_t from) {
    copyByTables(values.data + from * values.bytes, result->data() + to * values.bytes, {}, values.bytes, nullptr);
  });
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// TopK and NonZero
//===----------------------------------------------------------------------===//

static llvm::Error evaluateTopK(Call &call) {
  auto op = cast<tenon::TopKOp>(call.op);
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  int64_t dim = op.getDim(), size = operand.getDimSize(dim), outer = 1, inner = 1;
  int64_t k = mixedValues(call, op.getStaticK(), 1).front();
  if (k < 0 || k > size)
    return call.fail("expects k from 0 to " + llvm::Twine(size) + ", the size of dimension " + llvm::Twine(dim) +
                     ", but has " + llvm::Twine(k));
  SmallVector<int64_t> shape(operand.getShape());
  for (auto [i, extent] : llvm::enumerate(shape))
    ((int64_t)i < dim ? outer : inner) *= (int64_t)i == dim ? 1 : extent;
  shape[dim] = k;
  return withCompute(format, [&](auto zero) -> llvm::Error {
    using C = decltype(zero);
    std::vector<C> elements = loadAll<C>(operand), values(outer * k * inner);
    std::vector<int64_t> positions(values.size()), order(size);
    for (int64_t i = 0; i < outer; ++i)
      for (int64_t j = 0; j < inner; ++j) {
        const C *line = elements.data() + i * size * inner + j;
        orderLine(line, inner, op.getSmallest(), order);
        for (int64_t p = 0; p < k; ++p) {
          positions[(i * k + p) * inner + j] = order[p];
          values[(i * k + p) * inner + j] = line[order[p] * inner];
        }
      }
    if (llvm::Error error = push(call, storeAll(operand.getElementType(), shape, values)))
      return error;
    return push(call, storeAll(cast<RankedTensorType>(op.getIndices().getType()).getElementType(), shape, positions));
  });
}

static llvm::Error evaluateNonZero(Call &call) {
  const Tensor &operand = call.tensor(0);
  std::vector<int64_t> found;
  if (operand.holdsStrings()) {
    for (auto [i, value] : llvm::enumerate(operand.getStrings()))
      if (!value.empty())
        found.push_back(i);
  } else if (!Format(operand.getElementType()).valid) {
    return call.fail("is not defined on elements of this type");
  } else {
    withCompute(Format(operand.getElementType()), [&](auto zero) {
      for (auto [i, value] : llvm::enumerate(loadAll<decltype(zero)>(operand)))
        if (value != 0)
          found.push_back(i);
    });
  }
  int64_t count = found.size();
  std::vector<int64_t> positions(operand.getRank() * count);
  SmallVector<int64_t> strides = rowMajorStrides(operand.getShape());
  for (int64_t d = 0; d < operand.getRank(); ++d)
    for (int64_t i = 0; i < count; ++i)
      positions[d * count + i] = found[i] / strides[d] % operand.getDimSize(d);
  return push(call, storeAll(call.resultElementType(), {operand.getRank(), count}, positions));
}

//===----------------------------------------------------------------------===//
// Suppress
//===----------------------------------------------------------------------===//

/// What boxes i and j both cover, as a part of what they cover, computed in the type of their places.
template <typename T> static T overlapOf(const std::vector<T> &places, int64_t count, int64_t i, int64_t j) {
  // NaN stays what it is.
  auto least = [](T a, T b) { return std::isnan(a) || b > a ? a : b; };
  auto largest = [](T a, T b) { return std::isnan(a) || b < a ? a : b; };
  T both = 1, first = 1, second = 1;
  for (int64_t axis : {0, 1}) {
    const T *low = places.data() + axis * count, *high = low + 2 * count;
    both *= largest(least(high[i], high[j]) - largest(low[i], low[j]), T(0));
    first *= largest(high[i] - low[i], T(0));
    second *= largest(high[j] - low[j], T(0));
  }
  return both > 0 ? both / (first + second - both) : T(0);
}

template <typename T> static void suppress(Call &call, std::vector<int64_t> &kept) {
  int64_t count = call.tensor(0).getShape().back(), most = loadAll<int64_t>(call.tensor(3)).front();
  std::vector<double> all = loadAll<double>(call.tensor(1));
  T threshold = loadAll<double>(call.tensor(2)).front();
  for (size_t row = 0; row < kept.size(); row += count) {
    std::vector<T> places(all.begin() + 4 * row, all.begin() + 4 * (row + count));
    SmallVector<int64_t> earlier;
    for (int64_t i = 0; i < count; ++i) {
      kept[row + i] = kept[row + i] && (int64_t)earlier.size() < most &&
                      llvm::none_of(earlier, [&](int64_t j) { return overlapOf(places, count, j, i) > threshold; });
      if (kept[row + i])
        earlier.push_back(i);
    }
  }
}

static llvm::Error evaluateSuppress(Call &call) {
  const Tensor &candidates = call.tensor(0), &boxes = call.tensor(1);
  SmallVector<int64_t> expected(candidates.getShape());
  expected.insert(expected.end() - 1, 4);
  if (ArrayRef(expected) != boxes.getShape())
    return call.fail("expects a box for each candidate");
  std::vector<int64_t> kept = loadAll<int64_t>(candidates);
  boxes.getElementType().isF32() ? suppress<float>(call, kept) : suppress<double>(call, kept);
  return push(call, storeAll(candidates.getElementType(), candidates.getShape(), kept));
}

void tenon::reference::registerIndexing(Interpreter &interpreter) {
  interpreter.registerOp(tenon::GatherOp::getOperationName(), evaluateGather);
  interpreter.registerOp(tenon::ScatterOp::getOperationName(), evaluateScatter);
  interpreter.registerOp(tenon::TopKOp::getOperationName(), evaluateTopK);
  interpreter.registerOp(tenon::NonZeroOp::getOperationName(), evaluateNonZero);
  interpreter.registerOp(tenon::SuppressOp::getOperationName(), evaluateSuppress);
}
