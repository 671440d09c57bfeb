//===- Reduction.cpp - ONNX operators that combine elements along dimensions and windows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "Node.h"
#include "RuntimeAxes.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
enum class Kind { l1, l2, logSum, logSumExp, max, mean, min, prod, sum, sumSquare };

/// What combines elements of a tensor along the dimensions that a node names.
using Reduce = llvm::function_ref<Value(Combiner, Value, bool keepDims)>;

/// Along one axis that is data after the other.
Value reduceAlong(Node &node, RuntimeAxes &axes, Combiner combiner, Value x, bool keepDims) {
  Type element = elementOf(x);
  // Between the axes nothing is rounded to a narrow type.
  bool isNarrow = isa<FloatType>(element) && element.getIntOrFloatBitWidth() < 32 && axes.count() > 1;
  if (isNarrow)
    x = node.cast(x, node.builder.getF32Type());
  else if (combiner == Combiner::mean && !isa<FloatType>(element) && axes.count() > 1)
    node.unsupported() << "a mean of integers along several axes that are not known when compiling";
  Sizes sizes = node.sizesOf(x);
  for (size_t i = 0; i < axes.count(); ++i) {
    x = node.reduce(combiner, axes.around(x, sizes, i), {1});
    sizes = axes.replace(i, sizes, node.size(1));
  }
  x = node.reshape(x, keepDims ? sizes : axes.drop(sizes));
  return node.cast(x, element);
}

/// m + ln(sum(e^(x - m))), with m the largest element where that is finite: no sum overflows.
Value logSumExp(Node &node, Value x, Reduce reduce, bool keepDims) {
  Value largest = reduce(Combiner::max, x, /*keepDims=*/true);
  Value isInfinite = node.compare(Predicate::eq, node.unary<AbsOp>(largest), std::numeric_limits<double>::infinity());
  largest = node.select(isInfinite, node.splat(0, largest), largest);
  Value shifted = node.binary<SubOp>(x, node.broadcastTo(largest, node.sizesOf(x)));
  Value sum = reduce(Combiner::sum, node.unary<ExpOp>(shifted), keepDims);
  largest = node.reshape(largest, node.sizesOf(sum));
  return node.binary<AddOp>(node.unary<LogOp>(sum), largest);
}

Value reduceTo(Node &node, Kind kind, Value x, Reduce reduce, bool keepDims) {
  auto plain = [&](Combiner combiner, Value value) {
    // Of truth values, the largest is their or and the least their and.
    if (elementOf(value).isInteger(1) && combiner == Combiner::max)
      combiner = Combiner::sum;
    if (elementOf(value).isInteger(1) && combiner == Combiner::min)
      combiner = Combiner::prod;
    return reduce(combiner, value, keepDims);
  };
  switch (kind) {
  case Kind::l1:
    return plain(Combiner::sum, node.unary<AbsOp>(x));
  case Kind::l2:
    return node.unary<SqrtOp>(plain(Combiner::sum, node.binary<MulOp>(x, x)));
  case Kind::logSum:
    return node.unary<LogOp>(plain(Combiner::sum, x));
  case Kind::logSumExp:
    return logSumExp(node, x, reduce, keepDims);
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
  bool keepDims = node.flag("keepdims", true);
  auto axes = node.has(1) ? node.constantIntegers(node[1]) : node.integers("axes");
  if (node.has(1) && !axes) {
    auto given = RuntimeAxes::read(node, node[1], rankOf(x));
    if (!given)
      return failure();
    return reduceTo(
        node, kind, x,
        [&](Combiner combiner, Value value, bool keep) { return reduceAlong(node, *given, combiner, value, keep); },
        keepDims);
  }
  SmallVector<int64_t> dims;
  if (axes && !axes->empty())
    dims = node.dimensions(*axes, rankOf(x));
  else if (!node.flag("noop_with_empty_axes"))
    dims = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  if (node.hasFailed())
    return failure();
  return reduceTo(
      node, kind, x,
      [&](Combiner combiner, Value value, bool keep) { return node.reduce(combiner, value, dims, keep); }, keepDims);
}

template <Combiner combiner> Results argReduce(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(x));
  bool last = node.flag("select_last_index");
  if (node.hasFailed())
    return failure();
  Sizes kept = node.sizesOf(x);
  kept.erase(kept.begin() + dim);
  Value result = ArgReduceOp::create(node.builder, node.loc, node.typeFor(node.builder.getI64Type(), kept), combiner, x,
                                     dim, last);
  return node.flag("keepdims", true) ? node.unsqueeze(result, {dim}) : result;
}

/// The axis is an operand.
template <Combiner combiner> Results cumulate(Node &node) {
  Value x = node[0];
  Value stated = node.single(node[1], "one axis");
  if (!stated)
    return failure();
  auto scan = [&](Value along, int64_t dim) -> Value {
    return ScanOp::create(node.builder, node.loc, along.getType(), combiner, along, dim, node.flag("exclusive"),
                          node.flag("reverse"));
  };
  if (auto axis = node.constantIntegers(stated)) {
    int64_t dim = node.dimension(axis->front(), rankOf(x));
    return node.hasFailed() ? Results(failure()) : Results(scan(x, dim));
  }
  auto axes = RuntimeAxes::read(node, stated, rankOf(x));
  return axes ? Results(node.reshape(scan(axes->around(x, node.sizesOf(x), 0), 1), node.sizesOf(x)))
              : Results(failure());
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

std::optional<SmallVector<int64_t>> poolKernel(Node &node, Value x) {
  auto kernel = node.integers("kernel_shape");
  if (!kernel || kernel->empty()) {
    node.error() << "expects the attribute 'kernel_shape'";
    return std::nullopt;
  }
  if (rankOf(x) != (int64_t)kernel->size() + 2) {
    node.error() << "expects an operand of rank " << kernel->size() + 2 << ", but has " << typeOf(x);
    return std::nullopt;
  }
  return kernel;
}

Value window(Node &node, Combiner combiner, Value x, ArrayRef<int64_t> kernel, std::optional<double> padding,
             bool countPads = false) {
  auto windows = windowsOf(node, x, kernel, padding);
  if (!windows)
    return {};
  return node.sized<WindowOp>(rankOf(x), elementOf(x), combiner, x, kernel, windows->strides, windows->dilations,
                              windows->pads, node.flag("ceil_mode"), countPads);
}

Results maxPool(Node &node) {
  if (node.isUsed(1))
    return node.unsupported() << "the indices of the largest elements";
  Value y = largestOfWindows(node, node[0]);
  return y ? Results(y) : Results(failure());
}

Results averagePool(Node &node) {
  Value y = meanOfWindows(node, node[0]);
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
  auto kernel = poolKernel(node, node[0]);
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

Value onnx::largestOfWindows(Node &node, Value x) {
  auto kernel = poolKernel(node, x);
  auto integer = dyn_cast<IntegerType>(elementOf(x));
  double least = -std::numeric_limits<double>::infinity();
  if (integer)
    least = integer.isUnsigned() ? 0 : -std::exp2(integer.getWidth() - 1);
  return kernel ? window(node, Combiner::max, x, *kernel, least) : Value();
}

Value onnx::meanOfWindows(Node &node, Value x) {
  auto kernel = poolKernel(node, x);
  return kernel ? window(node, Combiner::mean, x, *kernel, std::nullopt, node.flag("count_include_pad")) : Value();
}

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
