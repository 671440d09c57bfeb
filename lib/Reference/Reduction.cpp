//===- Reduction.cpp - Reductions of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "RawElements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon::reference;
using tenon::Combiner;

static llvm::Error evaluateReduce(Call &call) {
  auto op = cast<tenon::ReduceOp>(call.op);
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  SmallVector<int64_t> shape, strides(operand.getRank(), 0);
  for (int64_t i = 0; i < operand.getRank(); ++i)
    if (!llvm::is_contained(op.getDims(), i))
      shape.push_back(operand.getDimSize(i));
  SmallVector<int64_t> kept = rowMajorStrides(shape);
  int64_t count = 1;
  for (int64_t i = 0, next = 0; i < operand.getRank(); ++i) {
    if (llvm::is_contained(op.getDims(), i))
      count *= operand.getDimSize(i);
    else
      strides[i] = kept[next++];
  }
  llvm::Expected<Tensor> result = Tensor::create(operand.getElementType(), shape);
  if (!result)
    return push(call, std::move(result));
  withCompute(format, [&](auto zero) {
    using C = decltype(zero);
    Combination<C> combination(op.getCombiner(), format);
    std::vector<C> sums(result->getNumElements(), combination.initial());
    std::vector<C> elements = loadAll<C>(operand);
    int64_t rank = operand.getRank(), length = rank ? operand.getDimSize(rank - 1) : 1,
            step = rank ? strides[rank - 1] : 0;
    SmallVector<int64_t> position(rank, 0);
    for (int64_t first = 0, e = elements.size(); first < e; first += length) {
      int64_t target = 0;
      for (int64_t d = 0; d + 1 < rank; ++d)
        target += position[d] * strides[d];
      if (step == 0)
        sums[target] = combination.combineRow(elements.data() + first, length, sums[target]);
      else
        for (int64_t i = 0; i < length; ++i)
          combination.combine(sums[target + i * step], elements[first + i]);
      for (int64_t d = rank - 2; d >= 0 && ++position[d] == operand.getDimSize(d); --d)
        position[d] = 0;
    }
    for (C &sum : sums)
      sum = combination.finish(sum, count);
    format.store(result->getData(), 0, sums.size(), sums.data());
  });
  return push(call, std::move(result));
}

static llvm::Error evaluateArgReduce(Call &call) {
  auto op = cast<tenon::ArgReduceOp>(call.op);
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  int64_t dim = op.getDim(), size = operand.getDimSize(dim), outer = 1, inner = 1;
  SmallVector<int64_t> shape;
  for (auto [i, extent] : llvm::enumerate(operand.getShape())) {
    if ((int64_t)i != dim)
      shape.push_back(extent);
    ((int64_t)i < dim ? outer : inner) *= (int64_t)i == dim ? 1 : extent;
  }
  if (size == 0 && outer * inner > 0)
    return call.fail("has no elements along dimension " + llvm::Twine(dim));
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), shape);
  if (!result)
    return push(call, std::move(result));
  bool isMax = op.getCombiner() == Combiner::max, last = op.getLast();
  auto *positions = reinterpret_cast<int64_t *>(result->getData());
  withCompute(format, [&](auto zero) {
    using C = decltype(zero);
    std::vector<C> elements = loadAll<C>(operand);
    for (int64_t i = 0; i < outer; ++i)
      for (int64_t j = 0; j < inner; ++j) {
        const C *line = elements.data() + i * size * inner + j;
        int64_t best = 0;
        for (int64_t p = 1; p < size; ++p) {
          C value = line[p * inner], current = line[best * inner];
          bool nan = value != value, currentNan = current != current;
          bool better = nan ? !currentNan : !currentNan && (isMax ? value > current : value < current);
          bool equal = nan ? currentNan : value == current;
          if (better || (last && equal))
            best = p;
        }
        positions[i * inner + j] = best;
      }
  });
  return push(call, std::move(result));
}

//===----------------------------------------------------------------------===//
// Window
//===----------------------------------------------------------------------===//

static llvm::Error windowChannelsFirst(Call &call) {
  auto op = cast<tenon::WindowOp>(call.op);
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  int64_t spatial = op.getSizes().size(), lead = operand.getRank() - spatial;
  SmallVector<int64_t> shape(operand.getShape());
  int64_t outer = 1, places = 1, inputPlaces = 1, taps = 1;
  for (int64_t i = 0; i < lead; ++i)
    outer *= shape[i];
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t size = shape[lead + i], low = op.getPads()[i], high = op.getPads()[i + spatial];
    int64_t stride = op.getStrides()[i];
    int64_t extent = size + low + high - op.getDilations()[i] * (op.getSizes()[i] - 1) - 1;
    int64_t windows =
        (op.getCeil() ? llvm::divideCeilSigned(extent, stride) : llvm::divideFloorSigned(extent, stride)) + 1;
    // A window that starts in the high padding is dropped.
    if (op.getCeil())
      windows = std::min(windows, llvm::divideFloorSigned(size + low - 1, stride) + 1);
    if (windows < 0)
      return call.fail("has a window that is larger than the padded operand in dimension " + llvm::Twine(lead + i));
    shape[lead + i] = windows;
    inputPlaces *= size;
    places *= windows;
    taps *= op.getSizes()[i];
  }
  llvm::Expected<Tensor> result = Tensor::create(operand.getElementType(), shape);
  if (!result)
    return push(call, std::move(result));
  ArrayRef<int64_t> sizes = operand.getShape().drop_front(lead), windows = ArrayRef(shape).drop_front(lead);
  withCompute(format, [&](auto zero) {
    using C = decltype(zero);
    Combination<C> combination(op.getCombiner(), format);
    std::vector<C> elements = loadAll<C>(operand), sums(result->getNumElements());
    std::vector<int64_t> offsets;
    SmallVector<int64_t> place(spatial, 0);
    for (int64_t p = 0; p < places; ++p) {
      offsets.clear();
      int64_t counted = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        int64_t offset = 0, scale = 1, rest = tap;
        bool inside = true, padded = true;
        for (int64_t i = spatial - 1; i >= 0; --i) {
          int64_t at = place[i] * op.getStrides()[i] - op.getPads()[i] + rest % op.getSizes()[i] * op.getDilations()[i];
          rest /= op.getSizes()[i];
          inside = inside && at >= 0 && at < sizes[i];
          padded = padded && at >= -op.getPads()[i] && at < sizes[i] + op.getPads()[i + spatial];
          offset += at * scale;
          scale *= sizes[i];
        }
        if (inside)
          offsets.push_back(offset);
        counted += op.getCountPads() ? padded : inside;
      }
      for (int64_t o = 0; o < outer; ++o) {
        C sum = combination.initial();
        for (int64_t offset : offsets)
          combination.combine(sum, elements[o * inputPlaces + offset]);
        sums[o * places + p] = combination.finish(sum, counted);
      }
      for (int64_t i = spatial - 1; i >= 0 && ++place[i] == windows[i]; --i)
        place[i] = 0;
    }
    format.store(result->getData(), 0, sums.size(), sums.data());
  });
  return push(call, std::move(result));
}

static llvm::Error evaluateWindow(Call &call) {
  auto op = cast<tenon::WindowOp>(call.op);
  if (!op.getChannelsLast())
    return windowChannelsFirst(call);
  int64_t rank = call.tensor(0).getRank(), channels = rank - 1, first = op.getSpatialDim();
  // The channels before the spatial dimensions.
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, channels));
  permutation.insert(permutation.begin() + first, channels);
  return evaluatePermuted(call, {permutation}, permutation, windowChannelsFirst);
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

static llvm::Error evaluateScan(Call &call) {
  auto op = cast<tenon::ScanOp>(call.op);
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  int64_t dim = op.getDim(), size = operand.getDimSize(dim), outer = 1, inner = 1;
  for (auto [i, extent] : llvm::enumerate(operand.getShape()))
    ((int64_t)i < dim ? outer : inner) *= (int64_t)i == dim ? 1 : extent;
  llvm::Expected<Tensor> result = Tensor::create(operand.getElementType(), operand.getShape());
  if (!result)
    return push(call, std::move(result));
  withCompute(format, [&](auto zero) {
    using C = decltype(zero);
    Combination<C> combination(op.getCombiner(), format);
    std::vector<C> elements = loadAll<C>(operand);
    for (int64_t i = 0; i < outer; ++i)
      for (int64_t j = 0; j < inner; ++j) {
        C sum = combination.initial();
        for (int64_t p = 0; p < size; ++p) {
          C &element = elements[(i * size + (op.getReverse() ? size - 1 - p : p)) * inner + j];
          C before = sum;
          combination.combine(sum, element);
          element = op.getExclusive() ? before : sum;
        }
      }
    format.store(result->getData(), 0, elements.size(), elements.data());
  });
  return push(call, std::move(result));
}

void tenon::reference::registerReduction(Interpreter &interpreter) {
  interpreter.registerOp(tenon::ReduceOp::getOperationName(), evaluateReduce);
  interpreter.registerOp(tenon::ArgReduceOp::getOperationName(), evaluateArgReduce);
  interpreter.registerOp(tenon::ScanOp::getOperationName(), evaluateScan);
  interpreter.registerOp(tenon::WindowOp::getOperationName(), evaluateWindow);
}
