//===- Sampling.cpp - ONNX operators that read images at coordinates given by data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Sampling.h"
#include "Attention.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

static Value polynomial(Node &node, Value x, ArrayRef<double> coefficients) {
  Value sum = node.splat(coefficients[0], x);
  for (double coefficient : coefficients.drop_front())
    sum = node.binary<AddOp>(node.binary<MulOp>(sum, x), coefficient);
  return sum;
}

/// At distances up to 1, and from 1 to 2.
static Value cubicNear(Node &node, Value distance, double a) {
  return polynomial(node, distance, {a + 2, -(a + 3), 0, 1});
}
static Value cubicFar(Node &node, Value distance, double a) {
  return polynomial(node, distance, {a, -5 * a, 8 * a, -4 * a});
}

SmallVector<Value> onnx::linearWeights(Node &node, Value part) {
  return {node.binary<SubOp>(node.splat(1, part), part), part};
}

SmallVector<Value> onnx::cubicWeights(Node &node, Value part, double a) {
  Value rest = node.binary<SubOp>(node.splat(1, part), part);
  return {cubicFar(node, node.binary<AddOp>(part, 1.0), a), cubicNear(node, part, a), cubicNear(node, rest, a),
          cubicFar(node, node.binary<AddOp>(rest, 1.0), a)};
}

Value onnx::cubicWeight(Node &node, Value distance, double a) {
  Value isNear = node.compare(Predicate::le, distance, 1.0), isReached = node.compare(Predicate::lt, distance, 2.0);
  return node.select(isNear, cubicNear(node, distance, a),
                     node.select(isReached, cubicFar(node, distance, a), node.splat(0, distance)));
}

namespace {
//===----------------------------------------------------------------------===//
// Sums of weighted places
//===----------------------------------------------------------------------===//

/// Arithmetic on coordinates and samples: not on narrow types.
Type computedIn(Node &node, Type element) {
  bool isWide = isa<FloatType>(element) && element.getIntOrFloatBitWidth() >= 32;
  return isWide ? element : node.builder.getF32Type();
}

Value numberOf(Node &node, AffineExpr size, Type element) { return node.cast(onnx::numberOf(node, size), element); }

/// A place of one axis that a result reads, as a whole floating-point number; its weight, null where it is
/// the only one; and whether it lies within the operand, null where it does. All of `[B, out..]`.
struct Tap {
  Value place, weight, isInside;
};

/// Reads `[N, C, spatial..]` at the taps of each spatial axis.
class Sampler {
public:
  explicit Sampler(Node &node) : node(node), element(elementOf(node[0])) {
    Sizes sizes = node.sizesOf(node[0]);
    extents.assign(sizes.begin() + 2, sizes.end());
    flat = node.reshape(node[0], {sizes[0], sizes[1], node.product(extents)});
    isWeighted = false;
  }

  /// The next axis.
  void addAxis(ArrayRef<Tap> taps) {
    axes.emplace_back(taps);
    isWeighted |= !!taps.front().weight;
  }

  /// `[B, C, out..]`, of batch entry b in that image, or in the one that `images[b]` says.
  Value run(Value images = {}) {
    Type compute = isWeighted ? computedIn(node, element) : element;
    Value sum = this->sum(0, {}, {}, images, compute);
    return node.hasFailed() ? sum : node.moveDim(node.cast(sum, element), rankOf(sum) - 1, 1);
  }

private:
  /// `[B, out.., C]`, over all combinations of taps from an axis on. `before` joins those of the axes before;
  /// its place is that in row-major order.
  Value sum(size_t axis, Tap before, Value total, Value images, Type compute) {
    if (axis == axes.size())
      return add(total, before, images, compute);
    for (const Tap &tap : axes[axis]) {
      Value place = node.cast(tap.place, node.builder.getI64Type());
      if (before.place)
        place = node.binary<AddOp>(node.binary<MulOp>(before.place, onnx::numberOf(node, extents[axis])), place);
      total =
          sum(axis + 1, {place, joined<MulOp>(before.weight, tap.weight), joined<AndOp>(before.isInside, tap.isInside)},
              total, images, compute);
    }
    return total;
  }

  template <typename Op> Value joined(Value a, Value b) { return a && b ? node.binary<Op>(a, b) : a ? a : b; }

  Value add(Value total, const Tap &at, Value images, Type compute) {
    int64_t rank = rankOf(at.place);
    Value index = node.unsqueeze(at.place, {rank}), sample;
    if (images) {
      Value image = node.unsqueeze(node.broadcast(images, {0}, node.sizesOf(at.place)), {rank});
      sample = node.gather(flat, node.concat({image, index}, rank), {0, 2}, /*batchDims=*/0, IndexMode::clamp);
    } else {
      sample = node.gather(flat, index, {2}, /*batchDims=*/1, IndexMode::clamp);
    }
    sample = node.cast(sample, compute);
    Sizes sizes = node.sizesOf(sample);
    auto repeated = [&](Value x) { return node.broadcast(x, llvm::to_vector(llvm::seq<int64_t>(0, rank)), sizes); };
    // What is outside doesn't count, even if the place that is read instead holds infinity.
    if (at.isInside)
      sample = node.select(repeated(at.isInside), sample, node.splat(0, sample));
    if (at.weight)
      sample = node.binary<MulOp>(sample, repeated(node.cast(at.weight, compute)));
    return total ? node.binary<AddOp>(total, sample) : sample;
  }

  Node &node;
  Type element;
  Sizes extents;
  Value flat; ///< `[N, C, product of the extents]`
  SmallVector<SmallVector<Tap>> axes;
  bool isWeighted;
};

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

/// Places outside of the operand are zeros, the nearest ones inside, or mirrored at its borders; with
/// align_corners the borders are the centres of the outermost places, else half a place further out.
class GridSample {
public:
  explicit GridSample(Node &node) : node(node), dims(rankOf(node[0]) - 2) {}

  Results convert() {
    if (!check())
      return failure();
    Value grid = node.cast(node[1], computedIn(node, elementOf(node[1])));
    Sampler sampler(node);
    for (int64_t axis = 0; axis < dims; ++axis) {
      // The last axis comes first in the grid.
      Value at = node.squeeze(node.slice(grid, dims + 1, node.size(dims - 1 - axis), node.size(1)), {dims + 1});
      extent = numberOf(node, node.sizeOf(node[0], axis + 2), elementOf(grid));
      last = node.binary<SubOp>(extent, 1.0);
      sampler.addAxis(taps(denormalized(at)));
    }
    return node.hasFailed() ? Results(failure()) : Results(sampler.run());
  }

private:
  bool check() {
    mode = node.string("mode", "linear");
    if (mode.starts_with("bi"))
      mode = mode.drop_front(2);
    padding = node.string("padding_mode", "zeros");
    isAligned = node.flag("align_corners");
    if (dims < 1 || rankOf(node[1]) != dims + 2 || typeOf(node[1]).getShape().back() != dims)
      node.error() << "expects images and a grid of their rank, whose last dimension is the number of "
                      "spatial ones, but has "
                   << typeOf(node[0]) << " and " << typeOf(node[1]);
    else if (!isa<FloatType>(elementOf(node[1])))
      node.error() << "expects a grid of floating-point numbers, but has " << typeOf(node[1]);
    else if (mode != "linear" && mode != "nearest" && mode != "cubic")
      node.error() << "expects mode linear, nearest or cubic, but has '" << node.string("mode", "") << "'";
    else if (padding != "zeros" && padding != "border" && padding != "reflection")
      node.error() << "expects padding_mode zeros, border or reflection, but has '" << padding << "'";
    return !node.hasFailed();
  }

  /// From -1 and 1 at the borders to places.
  Value denormalized(Value at) {
    at = node.binary<AddOp>(at, 1.0);
    if (isAligned)
      return node.binary<MulOp>(node.binary<MulOp>(at, 0.5), last);
    return node.binary<MulOp>(node.binary<SubOp>(node.binary<MulOp>(at, extent), 1.0), 0.5);
  }

  SmallVector<Tap> taps(Value at) {
    if (mode == "nearest")
      return {padded(node.unary<RoundOp>(at), {})};
    Value whole = node.unary<FloorOp>(at), part = node.binary<SubOp>(at, whole);
    bool isLinear = mode == "linear";
    SmallVector<Tap> result;
    for (auto [i, weight] : llvm::enumerate(isLinear ? linearWeights(node, part) : cubicWeights(node, part, -0.75)))
      result.push_back(padded(node.binary<AddOp>(whole, double(i) - (isLinear ? 0 : 1)), weight));
    return result;
  }

  Tap padded(Value place, Value weight) {
    if (padding == "zeros")
      return {place, weight,
              node.binary<AndOp>(node.compare(Predicate::ge, place, 0.0), node.compare(Predicate::le, place, last))};
    if (padding == "reflection")
      place = reflected(place);
    return {node.binary<MinOp>(node.binary<MaxOp>(place, 0.0), last), weight, {}};
  }

  /// Mirrored, at both borders, which repeats with twice the distance of the borders.
  Value reflected(Value place) {
    double border = isAligned ? 0 : -0.5;
    Value between = node.binary<MulOp>(isAligned ? last : extent, 2.0);
    Value at = node.binary<ModOp>(node.binary<SubOp>(place, border), between);
    return node.binary<AddOp>(node.binary<MinOp>(at, node.binary<SubOp>(between, at)), border);
  }

  Node &node;
  int64_t dims;
  StringRef mode, padding;
  bool isAligned = false;
  Value extent, last; ///< of the axis, scalars
};

Results gridSample(Node &node) { return GridSample(node).convert(); }

//===----------------------------------------------------------------------===//
// CropAndResize
//===----------------------------------------------------------------------===//

/// Regions of images, whose corners are given as parts of the image, at one size: the corners of a region are
/// those of its result.
Results cropAndResize(Node &node) {
  Value x = node[0], regions = node[1];
  StringRef mode = node.string("mode", "bilinear");
  if (mode != "bilinear" && mode != "nearest")
    return node.error() << "expects mode bilinear or nearest, but has '" << mode << "'";
  if (rankOf(x) != 4 || rankOf(regions) != 2 || typeOf(regions).getDimSize(1) != 4 || rankOf(node[2]) != 1)
    return node.error() << "expects images, rows of 4 corners and a vector of images' numbers, but has " << typeOf(x)
                        << ", " << typeOf(regions) << " and " << typeOf(node[2]);
  auto sizes = node.elements(node[3]);
  if (!sizes)
    return failure();
  if (sizes->size() != 2)
    return node.error() << "expects a height and a width as crop_size, but has " << typeOf(node[3]);
  Type wide = computedIn(node, elementOf(regions));
  AffineExpr count = node.sizeOf(regions, 0);
  Sizes all = {count, (*sizes)[0], (*sizes)[1]};
  Sampler sampler(node);
  Value isInside;
  for (int64_t axis : {0, 1}) {
    Value last = node.binary<SubOp>(numberOf(node, node.sizeOf(x, axis + 2), wide), 1.0);
    auto corner = [&](int64_t i) {
      return node.cast(node.reshape(node.slice(regions, 1, node.size(i), node.size(1)), {count}), wide);
    };
    Value from = corner(axis), to = corner(axis + 2);
    Value start = node.binary<MulOp>(from, last), end = node.binary<MulOp>(to, last);
    Sizes places = {count, all[axis + 1]};
    auto each = [&](Value x) { return node.broadcast(x, {0}, places); };
    Value steps = node.binary<SubOp>(numberOf(node, places[1], wide), 1.0), at = node.iota(places, 1, wide);
    // The corners themselves, whatever the steps between them round to; of one place, the middle.
    Value step = node.binary<MulOp>(node.binary<SubOp>(to, from), last);
    step = node.binary<DivOp>(step, node.binary<MaxOp>(steps, 1.0));
    Value between = node.binary<AddOp>(each(start), node.binary<MulOp>(at, each(step)));
    Value y = node.select(node.compare(Predicate::eq, at, steps), each(end), between);
    y = node.select(node.compare(Predicate::eq, at, 0.0), each(start), y);
    Value middle = each(node.binary<MulOp>(node.binary<MulOp>(node.binary<AddOp>(from, to), 0.5), last));
    y = node.select(node.compare(Predicate::eq, steps, 0.0), middle, y);
    y = node.broadcast(y, {0, axis + 1}, all);
    Value within = node.binary<AndOp>(node.compare(Predicate::ge, y, 0.0), node.compare(Predicate::le, y, last));
    isInside = isInside ? node.binary<AndOp>(isInside, within) : within;
    y = node.binary<MinOp>(node.binary<MaxOp>(y, 0.0), last);
    Value whole = node.unary<FloorOp>(y), part = node.binary<SubOp>(y, whole);
    SmallVector<Value> weights = linearWeights(node, part);
    if (mode == "bilinear")
      sampler.addAxis({{whole, weights[0], {}}, {node.unary<CeilOp>(y), weights[1], {}}});
    else // halves are rounded up
      sampler.addAxis({{node.select(node.compare(Predicate::ge, part, 0.5), node.unary<CeilOp>(y), whole), {}, {}}});
  }
  Value y = sampler.run(node.cast(node[2], node.builder.getI64Type()));
  if (node.hasFailed())
    return failure();
  Value outside = node.splat(node.number("extrapolation_value", 0), y);
  return node.select(node.broadcast(isInside, {0, 2, 3}, node.sizesOf(y)), y, outside);
}
} // namespace

void onnx::addSamplingConverters(ConverterTable &table) {
  table.add("GridSample", 16, 2, 2, gridSample);
  table.add("com.microsoft.GridSample", 1, 2, 2, gridSample);
  table.add("com.microsoft.CropAndResize", 1, 4, 4, cropAndResize);
}
