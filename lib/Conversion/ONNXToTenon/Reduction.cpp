//===- Reduction.cpp - ONNX operators that combine elements along dimensions and windows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "Node.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
enum class Kind { l1, l2, logSum, logSumExp, max, mean, min, prod, sum, sumSquare };

Value plainReduce(Node &node, Combiner combiner, Value x, ArrayRef<int64_t> dims, bool keepDims) {
  // Of truth values, the largest is their or and the least their and.
  if (elementOf(x).isInteger(1) && combiner == Combiner::max)
    combiner = Combiner::sum;
  if (elementOf(x).isInteger(1) && combiner == Combiner::min)
    combiner = Combiner::prod;
  return node.reduce(combiner, x, dims, keepDims);
}

/// m + ln(sum(e^(x - m))), with m the largest element where that is finite: no sum overflows.
Value logSumExp(Node &node, Value x, ArrayRef<int64_t> dims, bool keepDims) {
  Value largest = node.reduce(Combiner::max, x, dims, /*keepDims=*/true);
  Value isInfinite =
      node.compare(Predicate::eq, node.unary<AbsOp>(largest), std::numeric_limits<double>::infinity());
  largest = node.select(isInfinite, node.splat(0, largest), largest);
  Value shifted = node.binary<SubOp>(x, node.broadcastTo(largest, node.sizesOf(x)));
  Value sum = node.reduce(Combiner::sum, node.unary<ExpOp>(shifted), dims, /*keepDims=*/true);
  Value result = node.binary<AddOp>(node.unary<LogOp>(sum), largest);
  return keepDims ? result : node.squeeze(result, dims);
}

Value reduceTo(Node &node, Kind kind, Value x, ArrayRef<int64_t> dims, bool keepDims) {
  auto plain = [&](Combiner combiner, Value value) {
    return plainReduce(node, combiner, value, dims, keepDims);
  };
  switch (kind) {
  case Kind::l1:
    return plain(Combiner::sum, node.unary<AbsOp>(x));
  case Kind::l2:
    return node.unary<SqrtOp>(plain(Combiner::sum, node.binary<MulOp>(x, x)));
  case Kind::logSum:
    return node.unary<LogOp>(plain(Combiner::sum, x));
  case Kind::logSumExp:
    return logSumExp(node, x, dims, keepDims);
  case Kind::max:
    return plain(Combiner::max, x);
  case Kind::mean:
    return plain(Combiner::mean, x);
  case Kind::min:
    return plain(Combiner::min, x);
  case Kind::prod:
    return plain(Combiner::prod, x);
  case Kind::sum:
    return plain(Combiner::sum, x);
  case Kind::sumSquare:
    return plain(Combiner::sum, node.binary<MulOp>(x, x));
  }
  return {};
}

/// Axes are an attribute or, in later versions, an operand.
template <Kind kind> Results reduction(Node &node) {
  Value x = node[0];
  auto axes = node.integers("axes");
  if (node.has(1)) {
    axes = node.axesOperand(1);
    if (!axes)
      return failure();
  }
  SmallVector<int64_t> dims;
  if (axes && !axes->empty())
    dims = node.dimensions(*axes, rankOf(x));
  else if (!node.flag("noop_with_empty_axes"))
    dims = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  if (node.hasFailed())
    return failure();
  return reduceTo(node, kind, x, dims, node.flag("keepdims", true));
}

template <Combiner combiner> Results argReduce(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(x));
  bool last = node.flag("select_last_index");
  if (node.hasFailed())
    return failure();
  Sizes kept = node.sizesOf(x);
  kept.erase(kept.begin() + dim);
  Value result = ArgReduceOp::create(node.builder, node.loc, node.typeFor(node.builder.getI64Type(), kept),
                                     combiner, x, dim, last);
  return node.flag("keepdims", true) ? node.unsqueeze(result, {dim}) : result;
}

/// The axis is an operand.
template <Combiner combiner> Results cumulate(Node &node) {
  auto axis = node.axesOperand(1);
  if (!axis)
    return failure();
  if (axis->size() != 1)
    return node.error() << "expects one axis, but has " << axis->size();
  int64_t dim = node.dimension(axis->front(), rankOf(node[0]));
  return ScanOp::create(node.builder, node.loc, node[0].getType(), combiner, node[0], dim,
                        node.flag("exclusive"), node.flag("reverse"))
      .getResult();
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> poolKernel(Node &node) {
  auto kernel = node.integers("kernel_shape");
  if (!kernel || kernel->empty()) {
    node.error() << "expects the attribute 'kernel_shape'";
    return std::nullopt;
  }
  if (rankOf(node[0]) != (int64_t)kernel->size() + 2) {
    node.error() << "expects an operand of rank " << kernel->size() + 2 << ", but has " << typeOf(node[0]);
    return std::nullopt;
  }
  return kernel;
}

Value window(Node &node, Combiner combiner, Value x, ArrayRef<int64_t> kernel, std::optional<double> padding,
             bool countPads = false) {
  auto windows = windowsOf(node, x, kernel, padding);
  if (!windows)
    return {};
  return node.sized<WindowOp>(rankOf(x), elementOf(x), combiner, x, kernel, windows->strides,
                              windows->dilations, windows->pads, node.flag("ceil_mode"), countPads);
}

Results maxPool(Node &node) {
  auto kernel = poolKernel(node);
  if (!kernel)
    return failure();
  if (node.isUsed(1))
    return node.unsupported() << "the indices of the largest elements";
  auto integer = dyn_cast<IntegerType>(elementOf(node[0]));
  double least = -std::numeric_limits<double>::infinity();
  if (integer)
    least = integer.isUnsigned() ? 0 : -std::exp2(integer.getWidth() - 1);
  Value y = window(node, Combiner::max, node[0], *kernel, least);
  return y ? Results(y) : Results(failure());
}

Results averagePool(Node &node) {
  auto kernel = poolKernel(node);
  if (!kernel)
    return failure();
  Value y = window(node, Combiner::mean, node[0], *kernel, std::nullopt, node.flag("count_include_pad"));
  return y ? Results(y) : Results(failure());
}

/// (sum |x|^p)^(1/p)
Value powered(Node &node, Value x, double p) {
  x = node.unary<AbsOp>(x);
  return p == 1 ? x : p == 2 ? node.binary<MulOp>(x, x) : node.binary<PowOp>(x, p);
}
Value rooted(Node &node, Value x, double p) {
  return p == 1 ? x : p == 2 ? node.unary<SqrtOp>(x) : node.binary<PowOp>(x, 1 / p);
}

Results lpPool(Node &node) {
  auto kernel = poolKernel(node);
  double p = node.integer("p", 2);
  if (!kernel || p < 1)
    return kernel ? Results(node.error() << "expects a positive p, but has " << p) : Results(failure());
  Value y = window(node, Combiner::sum, powered(node, node[0], p), *kernel, 0.0);
  return y ? Results(rooted(node, y, p)) : Results(failure());
}

std::optional<SmallVector<int64_t>> spatialDims(Node &node) {
  if (rankOf(node[0]) < 3) {
    node.error() << "expects an operand of rank 3 or more, but has " << typeOf(node[0]);
    return std::nullopt;
  }
  return llvm::to_vector(llvm::seq<int64_t>(2, rankOf(node[0])));
}

template <Combiner combiner> Results globalPool(Node &node) {
  auto dims = spatialDims(node);
  return dims ? Results(node.reduce(combiner, node[0], *dims, /*keepDims=*/true)) : Results(failure());
}

Results globalLpPool(Node &node) {
  auto dims = spatialDims(node);
  double p = node.integer("p", 2);
  if (!dims || p < 1)
    return dims ? Results(node.error() << "expects a positive p, but has " << p) : Results(failure());
  return rooted(node, node.reduce(Combiner::sum, powered(node, node[0], p), *dims, /*keepDims=*/true), p);
}

/// x / sum(|x|^p)^(1/p) along one axis
Results lpNormalization(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", -1), rankOf(x)), p = node.integer("p", 2);
  if (p != 1 && p != 2)
    return node.error() << "expects p 1 or 2, but has " << p;
  if (node.hasFailed())
    return failure();
  Value norm = rooted(node, node.reduce(Combiner::sum, powered(node, x, p), {dim}, /*keepDims=*/true), p);
  // Of nothing but zeros the result is zero.
  Value quotient = node.binary<DivOp>(x, node.broadcastTo(norm, node.sizesOf(x)));
  Value isZero = node.broadcastTo(node.compare(Predicate::eq, norm, 0.0), node.sizesOf(x));
  return node.select(isZero, node.splat(0, x), quotient);
}
} // namespace

void onnx::addReductionConverters(ConverterTable &table) {
  auto add = [&](StringRef name, int64_t withOperand, Results (*convert)(Node &)) {
    table.add(name, 1, 1, 1, convert);
    table.add(name, withOperand, 1, 2, convert);
  };
  add("ReduceL1", 18, reduction<Kind::l1>);
  add("ReduceL2", 18, reduction<Kind::l2>);
  add("ReduceLogSum", 18, reduction<Kind::logSum>);
  add("ReduceLogSumExp", 18, reduction<Kind::logSumExp>);
  add("ReduceMax", 18, reduction<Kind::max>);
  add("ReduceMean", 18, reduction<Kind::mean>);
  add("ReduceMin", 18, reduction<Kind::min>);
  add("ReduceProd", 18, reduction<Kind::prod>);
  add("ReduceSum", 13, reduction<Kind::sum>);
  add("ReduceSumSquare", 18, reduction<Kind::sumSquare>);
  table.add("ArgMax", 1, 1, 1, argReduce<Combiner::max>);
  table.add("ArgMin", 1, 1, 1, argReduce<Combiner::min>);
  table.add("CumSum", 11, 2, 2, cumulate<Combiner::sum>);
  table.add("CumProd", 26, 2, 2, cumulate<Combiner::prod>);
  table.add("MaxPool", 1, 1, 1, maxPool);
  table.add("AveragePool", 7, 1, 1, averagePool);
  table.add("LpPool", 2, 1, 1, lpPool);
  table.add("GlobalAveragePool", 1, 1, 1, globalPool<Combiner::mean>);
  table.add("GlobalMaxPool", 1, 1, 1, globalPool<Combiner::max>);
  table.add("GlobalLpPool", 2, 1, 1, globalLpPool);
  table.add("LpNormalization", 1, 1, 1, lpNormalization);
}
