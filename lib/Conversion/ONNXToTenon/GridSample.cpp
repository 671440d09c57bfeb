//===- GridSample.cpp - ONNX operators that read images where a grid says ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "Sampling.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
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
    Value grid =
        node.withSize(node[1], dims + 1, node.size(dims), "a grid whose last dimension is the number of spatial ones");
    if (node.hasFailed())
      return failure();
    grid = node.cast(grid, computedIn(node, elementOf(grid)));
    Sampler sampler(node, node[0]);
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
    if (dims < 1 || rankOf(node[1]) != dims + 2)
      node.error() << "expects images and a grid of their rank, but has " << typeOf(node[0]) << " and "
                   << typeOf(node[1]);
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
// AffineGrid
//===----------------------------------------------------------------------===//

/// The number of an image's dimensions, as whatever is known says it: the matrices, the sizes or the result.
int64_t affineDims(Node &node) {
  if (rankOf(node[0]) == 3)
    for (int64_t i : {1, 2})
      if (!typeOf(node[0]).isDynamicDim(i))
        return typeOf(node[0]).getDimSize(i) - (i - 1);
  if (typeOf(node[1]).hasStaticShape())
    return typeOf(node[1]).getNumElements() - 2;
  return node.statedRank(0).value_or(0) - 2;
}

/// The places of an image from -1 to 1, each times a matrix of its batch entry: `[N, out.., dims]`.
Results affineGrid(Node &node) {
  Value theta = node[0];
  int64_t dims = affineDims(node);
  if ((dims != 2 && dims != 3) || rankOf(theta) != 3 || !isa<FloatType>(elementOf(theta)))
    return node.error() << "expects matrices [N, 2, 3] or [N, 3, 4] of floating-point numbers, but has "
                        << typeOf(theta);
  theta = node.withSizes(theta, {AffineExpr(), node.size(dims), node.size(dims + 1)},
                         "matrices [N, " + Twine(dims) + ", " + Twine(dims + 1) + "]");
  auto stated = node.elements(node[1], dims + 2);
  if (stated && (int64_t)stated->size() != dims + 2)
    return node.error() << "expects " << dims + 2 << " sizes, but has " << stated->size();
  if (!stated)
    return failure();
  Type wide = computedIn(node, elementOf(theta));
  Sizes out(stated->begin() + 2, stated->end()), places = out;
  places.push_back(node.size(1));
  SmallVector<Value> coordinates;
  for (int64_t i = dims - 1; i >= 0; --i) { // the last axis comes first
    Value at = node.iota(places, i, wide), extent = numberOf(node, out[i], wide);
    if (node.flag("align_corners"))
      at = node.binary<DivOp>(node.binary<MulOp>(at, 2.0), node.binary<SubOp>(extent, 1.0));
    else
      at = node.binary<DivOp>(node.binary<AddOp>(node.binary<MulOp>(at, 2.0), 1.0), extent);
    at = node.binary<SubOp>(at, 1.0);
    // Of one place the corners are one, at the low end.
    if (node.flag("align_corners"))
      at = node.select(node.compare(Predicate::gt, extent, 1.0), at, node.splat(-1, at));
    coordinates.push_back(at);
  }
  coordinates.push_back(node.broadcast(node.scalar(1, wide), {}, places));
  AffineExpr count = node.product(out);
  Value points = node.reshape(node.concat(coordinates, dims), {count, node.size(dims + 1)});
  Value grid = node.contract(points, node.cast(theta, wide), 4, {0, 1}, {2, 3, 1}, {2, 0, 3}, wide);
  Sizes result = {node.sizeOf(theta, 0)};
  llvm::append_range(result, out);
  result.push_back(node.size(dims));
  node.expectEqual((*stated)[0], result[0], "AffineGrid has another number of matrices than of images");
  return node.cast(node.reshape(grid, result), elementOf(theta));
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

/// A convolution whose taps are moved by offsets, of each place and each group of channels their own, and weighted by
/// a mask.
class DeformConv {
public:
  explicit DeformConv(Node &node) : node(node), x(node[0]), filter(node[1]), spatial(rankOf(node[0]) - 2) {}

  Results convert() {
    if (!check())
      return failure();
    Value samples = sample();
    if (node.hasFailed())
      return failure();
    // [N, G, C / G, taps, places] times [G, M / G, C / G, taps].
    AffineExpr each = node.quotient(node.sizeOf(filter, 0), node.size(groups)), in = node.sizeOf(filter, 1);
    AffineExpr count = node.product(out);
    samples = node.reshape(samples, {node.sizeOf(x, 0), node.size(groups), in, taps, count});
    Value weights = node.cast(node.reshape(filter, {node.size(groups), each, in, taps}), elementOf(samples));
    Value y = node.contract(samples, weights, 6, {0, 1, 2, 3, 4}, {1, 5, 2, 3}, {0, 1, 5, 4}, elementOf(samples));
    Sizes result = {node.sizeOf(x, 0), node.sizeOf(filter, 0)};
    llvm::append_range(result, out);
    return withBias(node, node.cast(node.reshape(y, result), elementOf(x)), 3);
  }

private:
  bool check() {
    if (spatial < 1 || rankOf(filter) != spatial + 2 || rankOf(node[2]) != spatial + 2 ||
        (node.has(4) && rankOf(node[4]) != spatial + 2)) {
      node.error() << "expects input, filter, offsets and mask of one rank of at least 3, but has " << typeOf(x) << ", "
                   << typeOf(filter) << " and " << typeOf(node[2]);
      return false;
    }
    auto sizesOfKernel = kernelOf(node, x, filter);
    if (!sizesOfKernel)
      return false;
    kernel = *sizesOfKernel;
    strides = node.integers("strides", spatial, 1);
    dilations = node.integers("dilations", spatial, 1);
    pads = node.integers("pads", 2 * spatial, 0);
    groups = node.integer("group", 1);
    offsetGroups = node.integer("offset_group", 1);
    for (int64_t positive : llvm::concat<const int64_t>(strides, dilations))
      if (positive < 1)
        node.error() << "expects positive strides and dilations, but has " << positive;
    taps = node.product(kernel);
    if (groups < 1 || offsetGroups < 1)
      node.error() << "expects positive groups, but has " << groups << " and " << offsetGroups;
    if (node.hasFailed())
      return false;
    Sizes sizes = node.sizesOf(x), offsets = node.sizesOf(node[2]);
    out.assign(offsets.begin() + 2, offsets.end());
    auto expect = [&](AffineExpr actual, AffineExpr expected, StringRef what) {
      if (isStatic(actual) && isStatic(expected) && actual != expected)
        node.error() << "expects " << SizeAnalysis::staticSize(expected) << " " << what << ", but has "
                     << SizeAnalysis::staticSize(actual);
      else
        node.expectEqual(actual, expected, ("DeformConv has another number of " + what).str());
    };
    if (isStatic(sizes[1]) && SizeAnalysis::staticSize(sizes[1]) % offsetGroups)
      node.error() << "expects offset_group to divide the channels, but has " << offsetGroups << " and " << typeOf(x);
    if (auto filters = node.sizeOf(filter, 0); isStatic(filters) && SizeAnalysis::staticSize(filters) % groups)
      node.error() << "expects group to divide the filters, but has " << groups << " and " << typeOf(filter);
    expect(sizes[1], node.sizes.simplify(node.sizeOf(filter, 1) * groups), "channels");
    expect(offsets[1], node.sizes.simplify(taps * (offsetGroups * spatial)), "offsets");
    if (node.has(4))
      expect(node.sizeOf(node[4], 1), node.sizes.simplify(taps * offsetGroups), "weights in the mask");
    for (int64_t i = 0; i < spatial; ++i) {
      AffineExpr rest = sizes[i + 2] + (pads[i] + pads[i + spatial]) - (kernel[i] - 1) * dilations[i] - 1;
      expect(out[i], node.sizes.simplify(rest.floorDiv(strides[i]) + 1), "places along an axis");
    }
    return !node.hasFailed();
  }

  /// `[N * offset groups, C / offset groups, taps, out..]`.
  Value sample() {
    Type wide = computedIn(node, elementOf(x));
    Sizes sizes = node.sizesOf(x);
    AffineExpr entries = node.sizes.simplify(sizes[0] * offsetGroups);
    Sizes images = {entries, node.quotient(sizes[1], node.size(offsetGroups))}, places = {entries, taps};
    images.append(sizes.begin() + 2, sizes.end());
    llvm::append_range(places, out);
    Sizes offsetSizes = places;
    offsetSizes.insert(offsetSizes.begin() + 2, node.size(spatial));
    Value offsets = node.cast(node.reshape(node[2], offsetSizes), wide);
    Sampler sampler(node, node.reshape(x, images));
    for (int64_t axis = 0; axis < spatial; ++axis) {
      // The place of each tap along the axis.
      Value start = node.reshape(node.iota(kernel, axis, wide), taps);
      start = node.binary<SubOp>(node.binary<MulOp>(start, double(dilations[axis])), double(pads[axis]));
      start = node.broadcast(start, {1}, places);
      Value at = node.binary<MulOp>(node.iota(places, 2 + axis, wide), double(strides[axis]));
      at = node.binary<AddOp>(node.binary<AddOp>(at, start),
                              node.squeeze(node.slice(offsets, 2, node.size(axis), node.size(1)), {2}));
      Value whole = node.unary<FloorOp>(at), part = node.binary<SubOp>(at, whole);
      Value last = node.binary<SubOp>(numberOf(node, sizes[axis + 2], wide), 1.0);
      SmallVector<Tap> around;
      for (auto [i, weight] : llvm::enumerate(linearWeights(node, part))) {
        Value place = node.binary<AddOp>(whole, double(i));
        Value isInside =
            node.binary<AndOp>(node.compare(Predicate::ge, place, 0.0), node.compare(Predicate::le, place, last));
        around.push_back({place, weight, isInside});
      }
      sampler.addAxis(around);
    }
    Value y = sampler.run();
    if (!node.has(4))
      return y;
    Value mask = node.cast(node.reshape(node[4], places), elementOf(y));
    SmallVector<int64_t> dims = {0};
    for (int64_t dim = 2; dim < rankOf(y); ++dim)
      dims.push_back(dim);
    return node.binary<MulOp>(y, node.broadcast(mask, dims, node.sizesOf(y)));
  }

  Node &node;
  Value x, filter;
  int64_t spatial, groups = 1, offsetGroups = 1;
  SmallVector<int64_t> strides, dilations, pads;
  AffineExpr taps; ///< of a filter, all of them
  Sizes kernel, out;
};

Results deformConv(Node &node) { return DeformConv(node).convert(); }
} // namespace

void onnx::addSamplingConverters(ConverterTable &table) {
  table.add("AffineGrid", 20, 2, 2, affineGrid);
  table.add("DeformConv", 19, 3, 5, deformConv);
  table.add("GridSample", 16, 2, 2, gridSample);
  table.add("com.microsoft.GridSample", 1, 2, 2, gridSample);
}
