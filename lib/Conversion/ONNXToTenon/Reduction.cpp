//===- Reduction.cpp - ONNX operators that combine elements along dimensions and windows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
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

/// The type that holds squares of all of a type's elements, and their sum.
Type wideFloat(Type element) {
  return element.isF16() ? Type(Float32Type::get(element.getContext())) : Type(Float64Type::get(element.getContext()));
}

Value reduceTo(Node &node, Kind kind, Value x, Reduce reduce, bool keepDims) {
  // Roots and logarithms of integers are cut off; squares of floats leave their type's range, of which their root is.
  Type element = elementOf(x), wide = isa<FloatType>(element) ? wideFloat(element) : node.builder.getF64Type();
  bool hasLogarithm = kind == Kind::logSum || kind == Kind::logSumExp;
  if (element != wide && (kind == Kind::l2 || (hasLogarithm && isa<IntegerType>(element))))
    return node.cast(reduceTo(node, kind, node.cast(x, wide), reduce, keepDims), element);
  // Nor does a type hold the sum of its integers, but their mean; of 64 bits it is that of the sum modulo 2^64.
  if (auto integer = dyn_cast<IntegerType>(element); integer && kind == Kind::mean && integer.getWidth() < 64) {
    Type sum = IntegerType::get(node.builder.getContext(), 64, integer.getSignedness());
    return node.cast(reduceTo(node, kind, node.cast(x, sum), reduce, keepDims), element);
  }
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

/// Along the dimensions that are named; a single axis is the middle of three dimensions. The result has this rank where
/// they are dropped.
Results reduceNamed(Node &node, Kind kind, NamedDims &named, RuntimeAxes *single, int64_t kept) {
  auto reduce = [&](Combiner combiner, Value value, bool keep) {
    Sizes sizes = node.sizesOf(value);
    Value y = single ? node.reduce(combiner, single->around(value, sizes, 0), {1}) : named.reduce(combiner, value);
    Sizes all = single ? single->spread(node.size(1), sizes) : node.sizesOf(y);
    return node.reshape(y, keep ? all : named.drop(all, kept));
  };
  return reduceTo(node, kind, node[0], reduce, node.flag("keepdims", true));
}

/// Axes are data, and their number may be.
Results reductionAlongData(Node &node, Kind kind) {
  Value axes = node[1];
  int64_t rank = rankOf(node[0]);
  if (typeOf(axes).hasStaticShape()) {
    auto counted = RuntimeAxes::read(node, axes, rank);
    if (!counted)
      return failure();
    int64_t count = counted->count();
    return reduceNamed(node, kind, *counted, count == 1 ? &*counted : nullptr, rank - count);
  }
  bool keepDims = node.flag("keepdims", true);
  auto stated = keepDims ? std::optional(rank) : node.statedRank(0);
  if (!stated || *stated > rank)
    return node.unsupported() << "the rank of the result follows from the number of axes in " << typeOf(axes)
                              << ", which is not known when compiling" << node.wayToKnow(node.sizeOf(axes, 0));
  auto uncounted = UncountedAxes::read(node, axes, rank);
  if (!uncounted)
    return failure();
  if (!node.flag("noop_with_empty_axes"))
    uncounted->nameAllIfNone();
  if (!keepDims)
    uncounted->expectCount(rank - *stated);
  return reduceNamed(node, kind, *uncounted, nullptr, *stated);
}

/// Axes are an attribute or, in later versions, an operand.
template <Kind kind> Results reduction(Node &node) {
  Value x = node[0];
  bool keepDims = node.flag("keepdims", true);
  auto axes = node.has(1) ? node.constantIntegers(node[1]) : node.integers("axes");
  if (node.has(1) && !axes)
    return reductionAlongData(node, kind);
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

/// What is less than all others.
double leastOf(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  return !integer               ? -std::numeric_limits<double>::infinity()
         : integer.isUnsigned() ? 0
                                : -std::exp2(integer.getWidth() - 1);
}

/// Goes on to the next place of a box in row-major order; false behind the last.
bool nextTap(MutableArrayRef<int64_t> tap, ArrayRef<int64_t> box) {
  for (size_t i = tap.size(); i-- > 0; tap[i] = 0)
    if (++tap[i] < box[i])
      return true;
  return false;
}

Value window(Node &node, Combiner combiner, Value x, ArrayRef<int64_t> kernel, double padding, bool countPads = false) {
  auto windows = windowsOf(node, x, node.constants(kernel), padding);
  if (!windows)
    return {};
  return node.sized<WindowOp>(rankOf(x), elementOf(x), combiner, x, kernel, windows->strides, windows->dilations,
                              windows->pads, node.flag("ceil_mode"), countPads);
}

/// Where the largest elements of the windows are in the operand: as if it were one row, or with `storage_order` as if
/// each image were stored by columns.
Value placesOfLargest(Node &node, Value x, Value y) {
  auto kernel = poolKernel(node, x);
  Sizes sizes = node.sizesOf(x);
  auto windows = windowsOf(node, x, node.constants(*kernel), leastOf(elementOf(x)));
  if (!windows)
    return {};
  int64_t rank = rankOf(x), spatial = rank - 2;
  Type i64 = node.builder.getI64Type();
  Sizes whole = node.sizesOf(x), out = node.sizesOf(y), low(rank, node.size(0)), high = low;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t reach = ((*kernel)[i] - 1) * windows->dilations[i] + 1;
    low[i + 2] = node.size(windows->pads[i]);
    high[i + 2] =
        node.sizes.simplify((out[i + 2] - 1) * windows->strides[i] + (reach - windows->pads[i]) - whole[i + 2]);
  }
  Value padded = node.pad(x, node.scalar(leastOf(elementOf(x)), elementOf(x)), low, high);
  SmallVector<int64_t> tap(spatial, 0);
  Value largest, place;
  do {
    Sizes offsets(2, node.size(0)), strides(2, node.size(1));
    for (int64_t i = 0; i < spatial; ++i) {
      offsets.push_back(node.size(tap[i] * windows->dilations[i]));
      strides.push_back(node.size(windows->strides[i]));
    }
    Value sample = node.slice(padded, offsets, out, strides);
    auto positionOf = [&](int64_t dim) {
      Value at = node.iota(out, dim, i64);
      if (dim < 2)
        return at;
      AffineExpr first = node.size(tap[dim - 2] * windows->dilations[dim - 2] - windows->pads[dim - 2]);
      at = node.binary<MulOp>(at, double(windows->strides[dim - 2]));
      return node.binary<AddOp>(at, numberOf(node, node.sizes.simplify(first - windows->before[dim - 2])));
    };
    Value at = node.binary<AddOp>(node.binary<MulOp>(positionOf(0), numberOf(node, sizes[1])), positionOf(1));
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(2, rank));
    if (node.flag("storage_order"))
      std::reverse(order.begin(), order.end());
    Value isInside = node.broadcast(node.boolean(true), {}, out);
    for (int64_t dim : order) {
      Value position = positionOf(dim), extent = numberOf(node, sizes[dim]);
      at = node.binary<AddOp>(node.binary<MulOp>(at, extent), position);
      isInside = node.binary<AndOp>(isInside, node.compare(Predicate::ge, position, 0.0));
      isInside = node.binary<AndOp>(isInside, node.compare(Predicate::lt, position, extent));
    }
    // The first of equal ones, of those inside.
    Value isLarger = largest ? node.compare(Predicate::gt, sample, largest) : Value();
    if (largest && isa<FloatType>(elementOf(x))) // NaN counts as larger than all numbers
      isLarger = node.binary<OrOp>(isLarger, IsNanOp::create(node.builder, node.loc, isLarger.getType(), sample));
    Value takes = largest ? node.binary<AndOp>(isInside, isLarger) : isInside;
    if (largest)
      takes = node.binary<OrOp>(takes, node.binary<AndOp>(isInside, node.compare(Predicate::lt, place, 0.0)));
    largest = largest ? node.select(takes, sample, largest) : sample;
    place = node.select(takes, at, place ? place : node.splat(-1, at));
  } while (nextTap(tap, *kernel));
  return place;
}

Results maxPool(Node &node) {
  Value y = largestOfWindows(node, node[0]);
  if (!y)
    return failure();
  Value places = node.isUsed(1) ? placesOfLargest(node, node[0], y) : Value();
  return node.hasFailed() ? Results(failure()) : Results({y, places});
}

/// Puts elements where a pool found them; the others are zeros.
Results maxUnpool(Node &node) {
  Value x = node[0], places = node[1];
  auto kernel = poolKernel(node, x);
  if (!kernel)
    return failure();
  size_t spatial = kernel->size();
  SmallVector<int64_t> strides = node.integers("strides", spatial, 1), pads = node.integers("pads", 2 * spatial, 0);
  if (node.hasFailed())
    return failure();
  Sizes sizes = node.sizesOf(x), original(ArrayRef(sizes).take_front(2));
  for (size_t i = 0; i < spatial; ++i)
    original.push_back(
        node.sizes.simplify((sizes[i + 2] - 1) * strides[i] + ((*kernel)[i] - pads[i] - pads[i + spatial])));
  AffineExpr count = node.product(sizes);
  Value none = node.broadcast(node.scalar(0, elementOf(x)), {}, {node.product(original)});
  Value y =
      ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::error, CombinerAttr(), none,
                        node.reshape(places, {count, node.size(1)}), node.reshape(x, count), ArrayRef<int64_t>{0}, 0);
  y = node.reshape(y, original);
  if (!node.has(2))
    return y;
  auto stated = node.elements(node[2], original.size());
  if (stated && stated->size() != original.size())
    return node.error() << "expects " << original.size() << " sizes in output_shape, but has " << stated->size();
  if (!stated)
    return failure();
  Sizes low(original.size(), node.size(0)), high;
  for (auto [wanted, size] : llvm::zip(*stated, original))
    high.push_back(node.sizes.simplify(wanted - size));
  return node.pad(y, node.scalar(0, elementOf(x)), low, high);
}

Results averagePool(Node &node) {
  Value y = meanOfWindows(node, node[0]);
  return y ? Results(y) : Results(failure());
}

/// (sum |x|^p)^(1/p), where powers have a type that holds them.
Value powered(Node &node, Value x, double p) {
  x = node.unary<AbsOp>(x);
  if (p == 1)
    return x;
  x = node.cast(x, wideFloat(elementOf(x)));
  return p == 2 ? node.binary<MulOp>(x, x) : node.binary<PowOp>(x, p);
}
Value rooted(Node &node, Value x, double p, Type element) {
  return p == 1 ? x : node.cast(p == 2 ? node.unary<SqrtOp>(x) : node.binary<PowOp>(x, 1 / p), element);
}

/// A whole number but in the first version.
double exponentOf(Node &node) { return node.version() < 2 ? node.number("p", 2) : node.integer("p", 2); }

Results lpPool(Node &node) {
  auto kernel = poolKernel(node, node[0]);
  double p = exponentOf(node);
  if (!kernel || p < 1)
    return kernel ? Results(node.error() << "expects a positive p, but has " << p) : Results(failure());
  Value y = window(node, Combiner::sum, powered(node, node[0], p), *kernel, 0.0);
  return y ? Results(rooted(node, y, p, elementOf(node[0]))) : Results(failure());
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
  double p = exponentOf(node);
  if (!dims || p < 1)
    return dims ? Results(node.error() << "expects a positive p, but has " << p) : Results(failure());
  return rooted(node, node.reduce(Combiner::sum, powered(node, node[0], p), *dims, /*keepDims=*/true), p,
                elementOf(node[0]));
}

/// x / sum(|x|^p)^(1/p) along one axis
Results lpNormalization(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", -1), rankOf(x)), p = node.integer("p", 2);
  if (p != 1 && p != 2)
    return node.error() << "expects p 1 or 2, but has " << p;
  if (node.hasFailed())
    return failure();
  // A norm may leave the elements' range where the quotient doesn't.
  Type element = elementOf(x), wide = wideFloat(element);
  x = node.cast(x, wide);
  Value norm = rooted(node, node.reduce(Combiner::sum, powered(node, x, p), {dim}, /*keepDims=*/true), p, wide);
  // Of nothing but zeros the result is zero.
  Value quotient = node.binary<DivOp>(x, node.broadcastTo(norm, node.sizesOf(x)));
  Value isZero = node.broadcastTo(node.compare(Predicate::eq, norm, 0.0), node.sizesOf(x));
  return node.cast(node.select(isZero, node.splat(0, x), quotient), element);
}
} // namespace

Value onnx::largestOfWindows(Node &node, Value x) {
  auto kernel = poolKernel(node, x);
  return kernel ? window(node, Combiner::max, x, *kernel, leastOf(elementOf(x))) : Value();
}

Value onnx::meanOfWindows(Node &node, Value x) {
  auto kernel = poolKernel(node, x);
  if (!kernel)
    return {};
  Value padded = x;
  auto windows = windowsOf(node, padded, node.constants(*kernel), 0.0);
  bool countsPads = node.flag("count_include_pad");
  if (!windows)
    return {};
  auto over = [&](Combiner combiner, Value x) {
    return node.sized<WindowOp>(rankOf(x), elementOf(x), combiner, x, *kernel, windows->strides, windows->dilations,
                                windows->pads, node.flag("ceil_mode"), countsPads);
  };
  if (countsPads || !windows->isPadded)
    return over(Combiner::mean, padded);
  // The operand has zeros around it by now, which don't count.
  Value ones = node.broadcast(node.scalar(1, elementOf(x)), {}, node.sizesOf(x)), count = ones;
  windowsOf(node, count, node.constants(*kernel), 0.0);
  return node.binary<DivOp>(over(Combiner::sum, padded), over(Combiner::sum, count));
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
  table.add("MaxUnpool", 9, 2, 3, maxUnpool);
  table.add("AveragePool", 1, 1, 1, averagePool);
  table.add("LpPool", 1, 1, 1, lpPool);
  table.add("GlobalAveragePool", 1, 1, 1, globalPool<Combiner::mean>);
  table.add("GlobalMaxPool", 1, 1, 1, globalPool<Combiner::max>);
  table.add("GlobalLpPool", 1, 1, 1, globalLpPool);
  table.add("LpNormalization", 1, 1, 1, lpNormalization);
}
