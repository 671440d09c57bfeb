//===- Normalization.cpp - Composites of the reference interpreter, by their own formulas ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon::reference;

/// Runs `f(row, length)` on the elements along `dims`, in f64, for each place of the other dimensions.
template <typename F> static llvm::Error alongDims(Call &call, ArrayRef<int64_t> dims, F f) {
  const Tensor &operand = call.tensor(0);
  Format format(operand.getElementType());
  if (!format.isFloat() || !format.valid)
    return call.fail("is only defined on floating point");
  SmallVector<bool> along(operand.getRank(), false);
  for (int64_t dim : dims) {
    if (dim < 0 || dim >= operand.getRank() || along[dim])
      return call.fail("expects different dims below " + llvm::Twine(operand.getRank()) + ", but has " +
                       llvm::Twine(dim));
    along[dim] = true;
  }
  SmallVector<int64_t> order, permutedSizes, permutedStrides, strides = rowMajorStrides(operand.getShape());
  for (bool isAlong : {false, true})
    for (int64_t i = 0; i < operand.getRank(); ++i)
      if (along[i] == isAlong)
        order.push_back(i);
  int64_t length = 1;
  for (int64_t dim : order) {
    permutedSizes.push_back(operand.getDimSize(dim));
    permutedStrides.push_back(strides[dim]);
    length *= along[dim] ? operand.getDimSize(dim) : 1;
  }
  llvm::Expected<Tensor> result = Tensor::create(operand.getElementType(), operand.getShape());
  if (!result)
    return push(call, std::move(result));
  std::vector<double> elements = loadAll<double>(operand);
  bool moves = !llvm::is_sorted(order);
  auto move = [&](ArrayRef<int64_t> sizes, ArrayRef<int64_t> from) {
    std::vector<double> moved(elements.size());
    copyByTables(reinterpret_cast<const char *>(elements.data()), reinterpret_cast<char *>(moved.data()),
                 stridedTables(sizes, from), sizeof(double), nullptr);
    elements = std::move(moved);
  };
  if (moves)
    move(permutedSizes, permutedStrides);
  for (int64_t i = 0, e = elements.size(); i < e; i += length)
    f(elements.data() + i, length);
  if (moves) {
    SmallVector<int64_t> from(operand.getRank()), ordered = rowMajorStrides(permutedSizes);
    for (auto [i, dim] : llvm::enumerate(order))
      from[dim] = ordered[i];
    move(operand.getShape(), from);
  }
  format.store(result->getData(), 0, elements.size(), elements.data());
  return push(call, std::move(result));
}

static llvm::Error evaluateSoftmax(Call &call) {
  auto op = cast<tenon::SoftmaxOp>(call.op);
  bool log = op.getLog();
  return alongDims(call, op.getDims(), [&](double *row, int64_t length) {
    double most = row[0], sum = 0;
    for (int64_t i = 1; i < length; ++i)
      most = larger(most, row[i]);
    for (int64_t i = 0; i < length; ++i)
      sum += std::exp(row[i] - most);
    for (int64_t i = 0; i < length; ++i)
      row[i] = log ? row[i] - most - std::log(sum) : std::exp(row[i] - most) / sum;
  });
}

static llvm::Error evaluateNormalize(Call &call) {
  auto op = cast<tenon::NormalizeOp>(call.op);
  double epsilon = op.getEpsilon().convertToDouble();
  return alongDims(call, op.getDims(), [&](double *row, int64_t length) {
    double mean = 0, squares = 0;
    if (!op.getRms()) {
      for (int64_t i = 0; i < length; ++i)
        mean += row[i];
      mean /= double(length);
    }
    for (int64_t i = 0; i < length; ++i) {
      row[i] -= mean;
      squares += row[i] * row[i];
    }
    double scale = std::sqrt(squares / double(length) + epsilon);
    for (int64_t i = 0; i < length; ++i)
      row[i] /= scale;
  });
}

static llvm::Error evaluateGelu(Call &call) {
  bool approximate = cast<tenon::GeluOp>(call.op).getTanh();
  return alongDims(call, {}, [&](double *row, int64_t) {
    double x = *row;
    double inner = approximate ? std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)) : std::erf(x / M_SQRT2);
    *row = x / 2 * (1 + inner);
  });
}

void tenon::reference::registerNormalization(Interpreter &interpreter) {
  interpreter.registerOp(tenon::SoftmaxOp::getOperationName(), evaluateSoftmax);
  interpreter.registerOp(tenon::NormalizeOp::getOperationName(), evaluateNormalize);
  interpreter.registerOp(tenon::GeluOp::getOperationName(), evaluateGelu);
}
