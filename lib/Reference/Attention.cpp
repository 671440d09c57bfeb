//===- Attention.cpp - Attention in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon::reference;

namespace {
/// The elements of an operand, and what a step along each dimension of the iteration space is among them.
struct Operand {
  std::vector<double> elements;
  SmallVector<int64_t> strides;

  double at(ArrayRef<int64_t> place) const {
    int64_t position = 0;
    for (auto [index, stride] : llvm::zip(place, strides))
      position += index * stride;
    return elements[position];
  }
};

/// Calls `f` at each place of some dimensions, in row-major order; the others of `place` stay as they are.
template <typename F>
void forEach(ArrayRef<unsigned> dims, ArrayRef<int64_t> sizes, SmallVectorImpl<int64_t> &place, F f) {
  if (dims.empty())
    return f();
  for (int64_t i = 0; i < sizes[dims.front()]; ++i) {
    place[dims.front()] = i;
    forEach(dims.drop_front(), sizes, place, f);
  }
}
} // namespace

static llvm::Error evaluateAttention(Call &call) {
  auto op = cast<tenon::AttentionOp>(call.op);
  Format format(call.resultElementType());
  if (!format.isFloat() || !format.valid)
    return call.fail("is only defined on floating point");
  SmallVector<AffineMap> maps = llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  auto dimsOf = [](AffineMap map) {
    return llvm::map_to_vector(map.getResults(),
                               [](AffineExpr result) { return cast<AffineDimExpr>(result).getPosition(); });
  };
  SmallVector<int64_t> sizes(maps.front().getNumDims(), -1);
  SmallVector<Operand> operands;
  for (unsigned i = 0; i < op->getNumOperands(); ++i) {
    const Tensor &tensor = call.tensor(i);
    Operand operand{loadAll<double>(tensor), SmallVector<int64_t>(sizes.size(), 0)};
    SmallVector<int64_t> strides = rowMajorStrides(tensor.getShape());
    for (auto [position, dim] : llvm::enumerate(dimsOf(maps[i]))) {
      int64_t size = tensor.getDimSize(position);
      if (sizes[dim] != -1 && sizes[dim] != size)
        return call.fail("has operands that differ in a size that they share: " + llvm::Twine(sizes[dim]) + " and " +
                         llvm::Twine(size));
      sizes[dim] = size;
      operand.strides[dim] = strides[position];
    }
    operands.push_back(std::move(operand));
  }
  unsigned keyDim = op.getKeyDim();
  SmallVector<unsigned> scoreDims = op.getScoreDims(), summed = op.getSummedDims(), resultDims = dimsOf(maps.back());
  scoreDims.pop_back();
  SmallVector<unsigned> valueDims =
      llvm::filter_to_vector(resultDims, [&](unsigned dim) { return !llvm::is_contained(scoreDims, dim); });
  SmallVector<int64_t> shape = llvm::map_to_vector(resultDims, [&](unsigned dim) { return sizes[dim]; });
  SmallVector<int64_t> resultStrides(sizes.size(), 0), ordered = rowMajorStrides(shape), place(sizes.size(), 0);
  for (auto [dim, stride] : llvm::zip(resultDims, ordered))
    resultStrides[dim] = stride;
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  std::vector<double> result(count), weights(sizes[keyDim]);
  double scale = op.getScale().convertToDouble(), infinity = std::numeric_limits<double>::infinity();
  double fill = op.getFill() ? op.getFill()->convertToDouble() : -infinity;
  bool selects = op.getMask() && getElementTypeOrSelf(op.getMask()).isInteger(1);
  forEach(scoreDims, sizes, place, [&] {
    double largest = -infinity, total = 0;
    bool hasNaN = false;
    for (int64_t n = 0; n < sizes[keyDim]; ++n) {
      place[keyDim] = n;
      double score = 0;
      forEach(summed, sizes, place, [&] { score += operands[0].at(place) * operands[1].at(place); });
      score *= scale;
      if (op.getMask())
        score = selects ? (operands[3].at(place) != 0 ? score : fill) : score + operands[3].at(place);
      weights[n] = score;
      hasNaN = hasNaN || std::isnan(score);
      largest = std::max(largest, score);
    }
    for (double &weight : weights)
      total += weight = hasNaN ? std::numeric_limits<double>::quiet_NaN() : std::exp(weight - largest);
    for (double &weight : weights) {
      weight /= total;
      if (op.getZeroNan() && std::isnan(weight))
        weight = 0;
    }
    forEach(valueDims, sizes, place, [&] {
      double sum = 0;
      for (int64_t n = 0; n < sizes[keyDim]; ++n) {
        place[keyDim] = n;
        sum += weights[n] * operands[2].at(place);
      }
      int64_t position = 0;
      for (auto [index, stride] : llvm::zip(place, resultStrides))
        position += index * stride;
      result[position] = sum;
    });
  });
  return push(call, storeAll(call.resultElementType(), shape, result));
}

void tenon::reference::registerAttention(Interpreter &interpreter) {
  interpreter.registerOp(tenon::AttentionOp::getOperationName(), evaluateAttention);
}
