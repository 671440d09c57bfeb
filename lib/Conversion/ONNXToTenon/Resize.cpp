//===- Resize.cpp - ONNX operators that sample an image at other places ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// How one dimension is resized.
struct Axis {
  AffineExpr from, to;
  std::optional<double> scale; ///< where the node states it; `to / from` otherwise
};

/// A number as p / q with a small q; 0 / 0 where there is none.
std::pair<int64_t, int64_t> fractionOf(double number) {
  for (int64_t q = 1; q <= 1024; ++q)
    if (double p = std::round(number * q); std::abs(number * q - p) <= 1e-6 * std::abs(p) && p > 0 && p < 1e9)
      return {int64_t(p), q};
  return {0, 0};
}

class Resize {
public:
  explicit Resize(Node &node) : node(node), x(node[0]) {
    bool isFirst = node.version() < 11 || node.name() == "Upsample";
    mode = node.string("mode", "nearest");
    if (mode == "bilinear" || mode == "trilinear") // Upsample of version 7
      mode = "linear";
    place = node.string("coordinate_transformation_mode", isFirst ? "asymmetric" : "half_pixel");
    rounding = node.string("nearest_mode", isFirst ? "floor" : "round_prefer_floor");
  }

  Results convert(ArrayRef<int64_t> dims, std::optional<SmallVector<double>> scales,
                  std::optional<Sizes> sizes) {
    if (!check() || !setAxes(dims, scales, sizes))
      return failure();
    Type element = elementOf(x);
    if (mode == "nearest") {
      if (repeats())
        return repeat();
      for (auto [dim, axis] : axes)
        x = take(node, x, nearest(axis), dim, IndexMode::clamp);
      return x;
    }
    // Narrow types lose too much between the axes.
    Type compute = element.getIntOrFloatBitWidth() < 32 || !isa<FloatType>(element)
                       ? node.builder.getF32Type()
                       : element;
    x = node.cast(x, compute);
    for (auto [dim, axis] : axes)
      x = interpolate(axis, dim);
    return node.cast(x, element);
  }

private:
  bool check() {
    static constexpr StringRef modes[] = {"nearest", "linear", "cubic"},
                               places[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
                                           "align_corners", "asymmetric"},
                               roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    if (!llvm::is_contained(modes, mode))
      node.error() << "expects mode nearest, linear or cubic, but has '" << mode << "'";
    else if (!llvm::is_contained(places, place))
      node.unsupported() << "coordinate_transformation_mode '" << place << "'";
    else if (!llvm::is_contained(roundings, rounding))
      node.error() << "expects a known nearest_mode, but has '" << rounding << "'";
    else if (node.flag("antialias") && mode != "nearest")
      node.unsupported() << "antialias";
    return !node.hasFailed();
  }

  bool setAxes(ArrayRef<int64_t> dims, std::optional<SmallVector<double>> scales,
               std::optional<Sizes> sizes) {
    size_t given = scales ? scales->size() : sizes->size();
    if (given != dims.size()) {
      node.error() << "expects " << dims.size() << " scales or sizes, but has " << given;
      return false;
    }
    if (sizes && !keepAspectRatio(dims, *sizes, scales))
      return false;
    for (auto [i, dim] : llvm::enumerate(dims)) {
      Axis axis{node.sizeOf(x, dim), {}, std::nullopt};
      if (scales) {
        axis.scale = (*scales)[i];
        if (!(*axis.scale > 0)) {
          node.error() << "expects positive scales, but has " << *axis.scale;
          return false;
        }
      }
      axis.to = sizes ? (*sizes)[i] : scaled(axis.from, *axis.scale);
      if (!axis.to)
        return false;
      if (axis.from == axis.to && (!axis.scale || *axis.scale == 1))
        continue;
      axes.push_back({dim, axis});
    }
    return true;
  }

  AffineExpr scaled(AffineExpr from, double scale) {
    if (isStatic(from)) {
      double to = std::floor(SizeAnalysis::staticSize(from) * scale);
      if (to < 1e15)
        return node.size(int64_t(to));
      node.error() << "gives a size of " << to;
      return {};
    }
    auto [p, q] = fractionOf(scale);
    if (q == 0) {
      node.unsupported() << "a size that is not known when compiling, times " << scale;
      return {};
    }
    return node.sizes.simplify((from * p).floorDiv(q));
  }

  /// Sizes may be bounds that the ratio of the operand's sizes is kept within.
  bool keepAspectRatio(ArrayRef<int64_t> dims, Sizes &sizes, std::optional<SmallVector<double>> &scales) {
    StringRef policy = node.string("keep_aspect_ratio_policy", "stretch");
    if (policy == "stretch")
      return true;
    if (policy != "not_larger" && policy != "not_smaller") {
      node.error() << "expects keep_aspect_ratio_policy stretch, not_larger or not_smaller, but has '"
                   << policy << "'";
      return false;
    }
    std::optional<double> common;
    for (auto [dim, extent] : llvm::zip(dims, sizes)) {
      AffineExpr from = node.sizeOf(x, dim);
      if (!isStatic(from) || !isStatic(extent)) {
        node.unsupported() << "keep_aspect_ratio_policy where sizes are not known when compiling";
        return false;
      }
      double scale = double(SizeAnalysis::staticSize(extent)) / SizeAnalysis::staticSize(from);
      bool isTighter = common && (policy == "not_larger" ? scale < *common : scale > *common);
      if (!common || isTighter)
        common = scale;
    }
    for (auto [dim, extent] : llvm::zip(dims, sizes))
      extent = node.size((int64_t)std::floor(SizeAnalysis::staticSize(node.sizeOf(x, dim)) * *common + 0.5));
    scales = SmallVector<double>(sizes.size(), *common);
    return true;
  }

  //===--- Nearest ---===//

  /// Whether every result place has the operand's place i / k, with whole k: rows of copies.
  bool repeats() {
    bool takesFloor = place == "asymmetric" && rounding == "floor";
    bool takesCentre = place.starts_with("half_pixel") && rounding.starts_with("round_prefer");
    return (takesFloor || takesCentre) && llvm::all_of(axes, [&](auto &entry) {
             const Axis &axis = entry.second;
             return axis.scale && *axis.scale == std::trunc(*axis.scale) &&
                    axis.to == node.sizes.simplify(axis.from * int64_t(*axis.scale));
           });
  }

  Value repeat() {
    Sizes apart, joined;
    SmallVector<int64_t> dims;
    for (int64_t dim = 0; dim < rankOf(x); ++dim) {
      dims.push_back(apart.size());
      apart.push_back(node.sizeOf(x, dim));
      joined.push_back(apart.back());
      for (auto &[resized, axis] : axes)
        if (resized == dim) {
          apart.push_back(node.size(int64_t(*axis.scale)));
          joined.back() = axis.to;
        }
    }
    return node.reshape(node.broadcast(x, dims, apart), joined);
  }

  Value nearest(const Axis &axis) {
    Value at = coordinates(axis);
    if (rounding == "floor")
      at = node.unary<FloorOp>(at);
    else if (rounding == "ceil")
      at = node.unary<CeilOp>(at);
    else if (rounding == "round_prefer_floor")
      at = node.unary<CeilOp>(node.binary<SubOp>(at, 0.5));
    else
      at = node.unary<FloorOp>(node.binary<AddOp>(at, 0.5));
    // A negative place would count from the end.
    return node.binary<MaxOp>(node.cast(at, node.builder.getI64Type()), 0.0);
  }

  //===--- Coordinates ---===//

  Value number(AffineExpr size) {
    Type f32 = node.builder.getF32Type();
    if (isStatic(size))
      return node.scalar(SizeAnalysis::staticSize(size), f32);
    return node.cast(node.fromSizes(size, RankedTensorType::get({}, node.builder.getI64Type())), f32);
  }

  /// The operand's coordinate of each result place, as f32.
  Value coordinates(const Axis &axis) {
    Value at = node.iota(axis.to, 0, node.builder.getF32Type());
    Value from = number(axis.from), to = number(axis.to);
    Value scale =
        axis.scale ? node.scalar(*axis.scale, node.builder.getF32Type()) : node.binary<DivOp>(to, from);
    if (place == "asymmetric")
      return node.binary<DivOp>(at, scale);
    Value zero = node.splat(0, at);
    if (place == "align_corners") {
      // With scales the result's length isn't rounded here. Of one place, the first: the divisor would be 0.
      Value length = axis.scale ? node.binary<MulOp>(from, scale) : to;
      Value steps = node.binary<SubOp>(length, 1.0);
      steps = node.select(node.compare(Predicate::eq, steps, 0.0), node.scalar(1, node.builder.getF32Type()),
                          steps);
      return node.binary<DivOp>(node.binary<MulOp>(at, node.binary<SubOp>(from, 1.0)), steps);
    }
    Value centre = node.binary<SubOp>(node.binary<DivOp>(node.binary<AddOp>(at, 0.5), scale), 0.5);
    if (place == "pytorch_half_pixel")
      return node.select(node.compare(Predicate::gt, to, 1.0), centre, zero);
    if (place == "half_pixel_symmetric") {
      Value adjustment = node.binary<DivOp>(to, node.binary<MulOp>(from, scale));
      Value offset =
          node.binary<MulOp>(node.binary<MulOp>(from, 0.5),
                             node.binary<SubOp>(node.scalar(1, node.builder.getF32Type()), adjustment));
      return node.binary<AddOp>(centre, offset);
    }
    return centre;
  }

  //===--- Interpolation ---===//

  Value interpolate(const Axis &axis, int64_t dim) {
    Value at = coordinates(axis), whole = node.unary<FloorOp>(at), part = node.binary<SubOp>(at, whole);
    auto [weights, first] = mode == "linear" ? std::pair(linear(part), 0) : std::pair(cubic(part), -1);
    Value last = node.binary<SubOp>(number(axis.from), 1.0);
    if (mode == "cubic" && node.flag("exclude_outside"))
      excludeOutside(weights, whole, last, first);
    Value result;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value tap = tapOf(whole, first + int64_t(i));
      tap = node.binary<MinOp>(node.binary<MaxOp>(tap, 0.0), last);
      Value sample = take(node, x, node.cast(tap, node.builder.getI64Type()), dim, IndexMode::clamp);
      Value term = node.binary<MulOp>(sample, node.along(node.cast(weight, elementOf(sample)), dim, sample));
      result = result ? node.binary<AddOp>(result, term) : term;
    }
    return result;
  }

  Value tapOf(Value whole, int64_t offset) {
    return offset == 0 ? whole : node.binary<AddOp>(whole, double(offset));
  }

  SmallVector<Value> linear(Value part) { return {node.binary<SubOp>(node.splat(1, part), part), part}; }

  /// Keys' cubic convolution (1981): weights of the 4 places around, with parameter a.
  SmallVector<Value> cubic(Value t) {
    double a = node.number("cubic_coeff_a", -0.75);
    auto polynomial = [&](Value s, ArrayRef<double> coefficients) {
      Value sum = node.splat(coefficients[0], s);
      for (double coefficient : coefficients.drop_front())
        sum = node.binary<AddOp>(node.binary<MulOp>(sum, s), coefficient);
      return sum;
    };
    auto near = [&](Value s) { return polynomial(s, {a + 2, -(a + 3), 0, 1}); };
    auto far = [&](Value s) { return polynomial(s, {a, -5 * a, 8 * a, -4 * a}); };
    Value rest = node.binary<SubOp>(node.splat(1, t), t);
    return {far(node.binary<AddOp>(t, 1.0)), near(t), near(rest), far(node.binary<AddOp>(rest, 1.0))};
  }

  /// Places outside of the operand have no weight, the others add up to 1.
  void excludeOutside(SmallVectorImpl<Value> &weights, Value whole, Value last, int64_t first) {
    Value sum;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value tap = tapOf(whole, first + int64_t(i));
      Value isInside =
          node.binary<AndOp>(node.compare(Predicate::ge, tap, 0.0), node.compare(Predicate::le, tap, last));
      weight = node.select(isInside, weight, node.splat(0, weight));
      sum = sum ? node.binary<AddOp>(sum, weight) : weight;
    }
    for (Value &weight : weights)
      weight = node.binary<DivOp>(weight, sum);
  }

  Node &node;
  Value x;
  StringRef mode, place, rounding;
  SmallVector<std::pair<int64_t, Axis>> axes;
};

SmallVector<int64_t> allDims(Node &node) { return llvm::to_vector(llvm::seq<int64_t>(0, rankOf(node[0]))); }

Results byScales(Node &node, size_t operand, ArrayRef<int64_t> dims) {
  auto scales = node.constantNumbers(node[operand]);
  if (!scales)
    return node.unsupported() << "the scales are not known when compiling";
  return Resize(node).convert(dims, scales, std::nullopt);
}

/// Scales as operand 1 in version 10, or operand 2 with sizes as operand 3.
Results resizeByScales(Node &node) { return byScales(node, 1, allDims(node)); }

Results resize(Node &node) {
  SmallVector<int64_t> dims = allDims(node);
  if (auto axes = node.integers("axes")) {
    dims.clear();
    for (int64_t axis : *axes)
      dims.push_back(node.dimension(axis, rankOf(node[0])));
  }
  if (node.hasFailed())
    return failure();
  bool hasScales = node.has(2) && typeOf(node[2]).getNumElements() != 0;
  if (hasScales == node.has(3))
    return node.error() << "expects either scales or sizes";
  if (hasScales)
    return byScales(node, 2, dims);
  auto sizes = node.elements(node[3]);
  return sizes ? Resize(node).convert(dims, std::nullopt, sizes) : Results(failure());
}

Results upsampleAttributes(Node &node) {
  auto scales = node.numbers("scales");
  if (!scales)
    return node.error() << "expects the attribute 'scales'";
  return Resize(node).convert(allDims(node), scales, std::nullopt);
}
} // namespace

void onnx::addResizeConverters(ConverterTable &table) {
  table.add("Resize", 10, 2, 2, resizeByScales);
  table.add("Resize", 11, 1, 4, resize);
  table.add("Upsample", 7, 1, 1, upsampleAttributes);
  table.add("Upsample", 9, 2, 2, resizeByScales);
}
