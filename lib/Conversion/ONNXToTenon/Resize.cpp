//===- Resize.cpp - ONNX operators that sample an image at other places ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Sampling.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// How one dimension is resized.
struct Axis {
  AffineExpr from, to;
  std::optional<double> scale; ///< where the node states it; `to / from` otherwise
  Value given;                 ///< the same as a scalar, where it is data
  Value start, end;            ///< of the part that is cropped out, as scalars from 0 to 1
};

/// What a node says about result sizes: scales, scales that are data, or sizes.
struct Stated {
  std::optional<SmallVector<double>> scales;
  SmallVector<Value> given;
  std::optional<Sizes> sizes;

  size_t count() const { return scales ? scales->size() : sizes ? sizes->size() : given.size(); }
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

  Results convert(ArrayRef<int64_t> dims, Stated stated) {
    if (!check() || !setAxes(dims, stated) || (place == crop && !setRegion(dims)))
      return failure();
    Type element = elementOf(x);
    if (mode == "nearest") {
      if (repeats())
        return repeat();
      for (auto [dim, axis] : axes)
        x = take(node, x, nearest(axis), dim, IndexMode::clamp);
      return extrapolate(x);
    }
    if (!isNumber(element))
      return node.unsupported() << "mode '" << mode << "' between elements of type " << element
                                << ", only 'nearest' takes them";
    // Narrow types lose too much between the axes.
    Type compute =
        element.getIntOrFloatBitWidth() < 32 || !isa<FloatType>(element) ? node.builder.getF32Type() : element;
    x = node.cast(x, compute);
    for (auto [dim, axis] : axes)
      x = node.flag("antialias") ? filter(axis, dim) : interpolate(axis, dim);
    return node.cast(extrapolate(x), element);
  }

private:
  bool check() {
    static constexpr StringRef modes[] = {"nearest", "linear", "cubic"}, places[] = {"half_pixel",
                                                                                     "half_pixel_symmetric",
                                                                                     "pytorch_half_pixel",
                                                                                     "align_corners",
                                                                                     "asymmetric",
                                                                                     "tf_half_pixel_for_nn",
                                                                                     crop},
                               roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    if (!llvm::is_contained(modes, mode))
      node.error() << "expects mode nearest, linear or cubic, but has '" << mode << "'";
    else if (!llvm::is_contained(places, place))
      node.error() << "expects a known coordinate_transformation_mode, but has '" << place << "'";
    else if (!llvm::is_contained(roundings, rounding))
      node.error() << "expects a known nearest_mode, but has '" << rounding << "'";
    return !node.hasFailed();
  }

  bool setAxes(ArrayRef<int64_t> dims, Stated &stated) {
    if (stated.count() != dims.size()) {
      node.error() << "expects " << dims.size() << " scales or sizes, but has " << stated.count();
      return false;
    }
    if (stated.sizes && !keepAspectRatio(dims, stated))
      return false;
    for (auto [i, dim] : llvm::enumerate(dims)) {
      Axis axis{node.sizeOf(x, dim), {}, std::nullopt, {}, {}, {}};
      if (stated.scales && !((*stated.scales)[i] > 0)) {
        node.error() << "expects positive scales, but has " << (*stated.scales)[i];
        return false;
      }
      if (stated.scales)
        axis.scale = (*stated.scales)[i];
      if (!stated.given.empty())
        axis.given = stated.given[i];
      axis.to = stated.sizes ? (*stated.sizes)[i]
                : axis.scale ? scaled(axis.from, *axis.scale)
                             : floorOf(node.binary<MulOp>(number(axis.from), axis.given));
      if (!axis.to)
        return false;
      if (stated.sizes)
        node.expectElements(axis.from, axis.to, dim);
      if (node.hasFailed())
        return false;
      if (axis.from == axis.to && !axis.given && (!axis.scale || *axis.scale == 1) && place != crop)
        continue;
      axes.push_back({dim, axis});
    }
    return true;
  }

  /// A size that is computed as a scalar; of what isn't positive, none.
  AffineExpr floorOf(Value number) {
    auto sizes = node.elements(node.cast(node.unary<FloorOp>(number), node.builder.getI64Type()));
    return sizes ? node.largest(sizes->front(), node.size(0)) : AffineExpr();
  }

  /// Starts, then ends of the part that is cropped out, for each of the dimensions.
  bool setRegion(ArrayRef<int64_t> dims) {
    int64_t count = dims.size();
    if (!node.has(1) || rankOf(node[1]) != 1) {
      node.error() << "expects a region of " << 2 * count << " numbers";
      return false;
    }
    Value region = node.withSizes(node[1], node.size(2 * count), "a region of " + Twine(2 * count) + " numbers");
    if (node.hasFailed())
      return false;
    region = node.cast(region, node.builder.getF32Type());
    for (auto &[dim, axis] : axes) {
      int64_t i = llvm::find(dims, dim) - dims.begin();
      axis.start = scalarAt(region, i);
      axis.end = scalarAt(region, count + i);
    }
    return true;
  }

  Value scalarAt(Value vector, int64_t i) {
    return node.reshape(node.slice(vector, 0, node.size(i), node.size(1)), {});
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
    if (q == 0)
      return floorOf(node.binary<MulOp>(number(from), node.scalar(scale, node.builder.getF32Type())));
    return node.sizes.simplify((from * p).floorDiv(q));
  }

  /// Sizes may be bounds that the ratio of the operand's sizes is kept within.
  bool keepAspectRatio(ArrayRef<int64_t> dims, Stated &stated) {
    StringRef policy = node.string("keep_aspect_ratio_policy", "stretch");
    if (policy == "stretch")
      return true;
    if (policy != "not_larger" && policy != "not_smaller") {
      node.error() << "expects keep_aspect_ratio_policy stretch, not_larger or not_smaller, but has '" << policy << "'";
      return false;
    }
    Sizes from = llvm::map_to_vector(dims, [&](int64_t dim) { return node.sizeOf(x, dim); });
    auto isKnown = [](AffineExpr size) { return isStatic(size); };
    if (llvm::all_of(from, isKnown) && llvm::all_of(*stated.sizes, isKnown))
      keepKnownRatio(from, stated, policy == "not_larger");
    else
      keepGivenRatio(from, stated, policy == "not_larger");
    return true;
  }

  void keepKnownRatio(ArrayRef<AffineExpr> from, Stated &stated, bool notLarger) {
    std::optional<double> common;
    for (auto [extent, size] : llvm::zip(from, *stated.sizes)) {
      double scale = double(SizeAnalysis::staticSize(size)) / SizeAnalysis::staticSize(extent);
      if (!common || (notLarger ? scale < *common : scale > *common))
        common = scale;
    }
    for (auto [extent, size] : llvm::zip(from, *stated.sizes))
      size = node.size((int64_t)std::floor(SizeAnalysis::staticSize(extent) * *common + 0.5));
    stated.scales = SmallVector<double>(from.size(), *common);
  }

  /// The same where sizes show at run time.
  void keepGivenRatio(ArrayRef<AffineExpr> from, Stated &stated, bool notLarger) {
    Value common;
    for (auto [extent, size] : llvm::zip(from, *stated.sizes)) {
      Value scale = node.binary<DivOp>(number(size), number(extent));
      common = !common ? scale : notLarger ? node.binary<MinOp>(common, scale) : node.binary<MaxOp>(common, scale);
    }
    for (auto [extent, size] : llvm::zip(from, *stated.sizes))
      size = floorOf(node.binary<AddOp>(node.binary<MulOp>(number(extent), common), 0.5));
    stated.given.assign(from.size(), common);
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

  Value scaleOf(const Axis &axis) {
    return axis.given   ? axis.given
           : axis.scale ? node.scalar(*axis.scale, node.builder.getF32Type())
                        : node.binary<DivOp>(number(axis.to), number(axis.from));
  }

  /// at / scale. Where sizes state the scale, at * from / to: the quotient of sizes is rounded, and a tie would be
  /// missed.
  Value unscaled(const Axis &axis, Value at) {
    if (axis.given || axis.scale)
      return node.binary<DivOp>(at, scaleOf(axis));
    return node.binary<DivOp>(node.binary<MulOp>(at, number(axis.from)), number(axis.to));
  }

  /// start (from - 1) + at (end - start) (from - 1) / (to - 1); of one place, the middle of the part.
  Value cropped(const Axis &axis, Value at) {
    Value last = node.binary<SubOp>(number(axis.from), 1.0), steps = node.binary<SubOp>(number(axis.to), 1.0);
    Value one = node.scalar(1, node.builder.getF32Type());
    Value isOne = node.compare(Predicate::le, steps, 0.0);
    Value step = node.binary<DivOp>(node.binary<MulOp>(node.binary<SubOp>(axis.end, axis.start), last),
                                    node.select(isOne, one, steps));
    Value middle = node.binary<MulOp>(node.binary<MulOp>(node.binary<AddOp>(axis.start, axis.end), 0.5), last);
    Value first = node.select(isOne, middle, node.binary<MulOp>(axis.start, last));
    return node.binary<AddOp>(node.binary<MulOp>(at, step), first);
  }

  /// Places outside of the operand have a value of their own.
  Value extrapolate(Value y) {
    if (place != crop)
      return y;
    Value value = node.splat(node.number("extrapolation_value", 0), y);
    for (auto [dim, axis] : axes) {
      Value at = coordinates(axis), last = node.binary<SubOp>(number(axis.from), 1.0);
      Value isOutside = node.binary<OrOp>(node.compare(Predicate::lt, at, 0.0), node.compare(Predicate::gt, at, last));
      y = node.select(node.along(isOutside, dim, y), value, y);
    }
    return y;
  }

  /// The operand's coordinate of each result place, as f32.
  Value coordinates(const Axis &axis) {
    Value at = node.iota(axis.to, 0, node.builder.getF32Type());
    Value from = number(axis.from), to = number(axis.to);
    Value scale = scaleOf(axis);
    if (place == crop)
      return cropped(axis, at);
    if (place == "asymmetric")
      return unscaled(axis, at);
    if (place == "tf_half_pixel_for_nn") // up to version 12
      return unscaled(axis, node.binary<AddOp>(at, 0.5));
    Value zero = node.splat(0, at);
    if (place == "align_corners") {
      // With scales the result's length isn't rounded here. Of one place, the first: the divisor would be 0.
      Value length = axis.scale || axis.given ? node.binary<MulOp>(from, scale) : to;
      Value steps = node.binary<SubOp>(length, 1.0);
      steps = node.select(node.compare(Predicate::eq, steps, 0.0), node.scalar(1, node.builder.getF32Type()), steps);
      return node.binary<DivOp>(node.binary<MulOp>(at, node.binary<SubOp>(from, 1.0)), steps);
    }
    Value centre = node.binary<SubOp>(unscaled(axis, node.binary<AddOp>(at, 0.5)), 0.5);
    if (place == "pytorch_half_pixel")
      return node.select(node.compare(Predicate::gt, to, 1.0), centre, zero);
    if (place == "half_pixel_symmetric") {
      Value adjustment = node.binary<DivOp>(to, node.binary<MulOp>(from, scale));
      Value offset = node.binary<MulOp>(node.binary<MulOp>(from, 0.5),
                                        node.binary<SubOp>(node.scalar(1, node.builder.getF32Type()), adjustment));
      return node.binary<AddOp>(centre, offset);
    }
    return centre;
  }

  //===--- Interpolation ---===//

  Value interpolate(const Axis &axis, int64_t dim) {
    Value at = coordinates(axis), whole = node.unary<FloorOp>(at), part = node.binary<SubOp>(at, whole);
    auto [weights, first] = mode == "linear" ? std::pair(linearWeights(node, part), 0)
                                             : std::pair(cubicWeights(node, part, cubicParameter()), -1);
    Value last = node.binary<SubOp>(number(axis.from), 1.0);
    if (mode == "cubic" && node.flag("exclude_outside"))
      excludeOutside(weights, whole, last, first);
    Value result;
    for (auto [i, weight] : llvm::enumerate(weights)) {
      Value tap = tapOf(whole, first + int64_t(i));
      tap = node.binary<MinOp>(node.binary<MaxOp>(tap, 0.0), last);
      Value sample = take(node, x, node.cast(tap, node.builder.getI64Type()), dim, IndexMode::clamp);
      Value factor = node.along(node.cast(weight, elementOf(sample)), dim, sample);
      Value term = node.binary<MulOp>(sample, factor);
      // Along an axis that only data says isn't resized, infinity beside a place is no part of it.
      if (axis.given)
        term = node.select(node.compare(Predicate::eq, factor, 0.0), node.splat(0, sample), term);
      result = result ? node.binary<AddOp>(result, term) : term;
    }
    return result;
  }

  /// With antialiasing the kernel is as wide as the places are apart: each result is a sum over all of the
  /// operand, whose edges go on outside of it.
  Value filter(const Axis &axis, int64_t dim) {
    Type f32 = node.builder.getF32Type();
    AffineExpr reach = node.size(0), extent = axis.from;
    if (!node.flag("exclude_outside")) {
      // Cubic kernels reach 2 places, times how many there are for one of the result.
      reach = node.sizes.simplify((node.quotient({axis.from}, {node.largest(axis.to, node.size(1))}) + 2) * 2);
      // More than that only where there is no edge to go on.
      reach = node.least(reach, node.sizes.simplify(axis.from * 6));
      Sizes around(rankOf(x), node.size(0));
      around[dim] = reach;
      extent = node.sizes.simplify(axis.from + reach * 2);
      x = node.pad(x, node.scalar(0, elementOf(x)), around, around, PadMode::edge);
    }
    Value one = node.scalar(1, f32), narrow = node.binary<MinOp>(scaleOf(axis), one);
    Sizes both = {axis.to, extent};
    Value at = node.binary<AddOp>(coordinates(axis), number(reach));
    Value away = node.binary<SubOp>(node.iota(both, 1, f32), node.broadcast(at, {0}, both));
    away = node.unary<AbsOp>(node.binary<MulOp>(away, narrow));
    Value weights = mode == "linear" ? node.binary<MaxOp>(node.binary<SubOp>(one, away), 0.0)
                                     : cubicWeight(node, away, cubicParameter());
    Value sum = node.reduce(Combiner::sum, weights, {1}, /*keepDims=*/true);
    weights = node.binary<DivOp>(weights, node.broadcastTo(sum, both));
    int64_t rank = rankOf(x);
    SmallVector<unsigned> from = llvm::to_vector(llvm::seq<unsigned>(0, rank)), to = from;
    to[dim] = rank;
    return node.contract(x, node.cast(weights, elementOf(x)), rank + 1, from, {unsigned(rank), unsigned(dim)}, to,
                         elementOf(x));
  }

  Value tapOf(Value whole, int64_t offset) { return offset == 0 ? whole : node.binary<AddOp>(whole, double(offset)); }

  double cubicParameter() { return node.number("cubic_coeff_a", -0.75); }

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

  static constexpr StringRef crop = "tf_crop_and_resize";

  Node &node;
  Value x;
  StringRef mode, place, rounding;
  SmallVector<std::pair<int64_t, Axis>> axes;
};

SmallVector<int64_t> allDims(Node &node) { return llvm::to_vector(llvm::seq<int64_t>(0, rankOf(node[0]))); }

Results byScales(Node &node, size_t operand, ArrayRef<int64_t> dims) {
  Stated stated;
  stated.scales = node.constantNumbers(node[operand]);
  Value scales = node[operand];
  if (!stated.scales && rankOf(scales) != 1)
    return node.error() << "expects a vector of scales, but has " << typeOf(scales);
  if (!stated.scales)
    scales = node.withSizes(scales, node.size(dims.size()), "as many scales as axes");
  for (size_t i = 0; !stated.scales && !node.hasFailed() && i < dims.size(); ++i) {
    Value scale = node.slice(scales, 0, node.size(i), node.size(1));
    stated.given.push_back(node.cast(node.reshape(scale, {}), node.builder.getF32Type()));
  }
  return Resize(node).convert(dims, stated);
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
  bool hasScales = node.has(2) && !(typeOf(node[2]).hasStaticShape() && typeOf(node[2]).getNumElements() == 0);
  if (hasScales == node.has(3))
    return node.error() << "expects either scales or sizes";
  if (hasScales)
    return byScales(node, 2, dims);
  Stated stated;
  stated.sizes = node.elements(node[3], dims.size());
  return stated.sizes ? Resize(node).convert(dims, stated) : Results(failure());
}

/// Two scales of images, in the first version.
Results upsampleImages(Node &node) {
  if (rankOf(node[0]) != 4)
    return node.error() << "expects an operand of rank 4, but has " << typeOf(node[0]);
  Stated stated;
  stated.scales = {1, 1, node.number("height_scale", 1), node.number("width_scale", 1)};
  return Resize(node).convert(allDims(node), stated);
}

Results upsampleAttributes(Node &node) {
  Stated stated;
  stated.scales = node.numbers("scales");
  if (!stated.scales)
    return node.error() << "expects the attribute 'scales'";
  return Resize(node).convert(allDims(node), stated);
}
} // namespace

void onnx::addResizeConverters(ConverterTable &table) {
  table.add("Resize", 10, 2, 2, resizeByScales);
  table.add("Resize", 11, 1, 4, resize);
  table.add("Upsample", 1, 1, 1, upsampleImages);
  table.add("Upsample", 7, 1, 1, upsampleAttributes);
  table.add("Upsample", 9, 2, 2, resizeByScales);
}
