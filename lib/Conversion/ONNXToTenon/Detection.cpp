//===- Detection.cpp - ONNX operators on regions of images ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Sampling.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Whether the operands are images and rows of 4 numbers with a vector of images' numbers, or of 5 numbers, the first
/// of which is the image's; an error where they aren't.
bool areRegions(Node &node, int64_t columns, Value &regions) {
  if (rankOf(node[0]) != 4 || rankOf(regions) != 2 || (columns == 4 && rankOf(node[2]) != 1)) {
    InFlightDiagnostic error = node.error();
    error << (columns == 4 ? "expects images, rows of 4 corners and a vector of images' numbers, but has "
                           : "expects images and rows of an image's number and 4 corners, but has ")
          << typeOf(node[0]) << ", " << typeOf(regions);
    if (columns == 4)
      error << " and " << typeOf(node[2]);
    return false;
  }
  regions = node.withSize(regions, 1, node.size(columns),
                          columns == 4 ? "rows of 4 corners" : "rows of an image's number and 4 corners");
  return !node.hasFailed();
}

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
  if (!areRegions(node, 4, regions))
    return failure();
  auto sizes = node.elements(node[3], 2);
  if (!sizes)
    return failure();
  if (sizes->size() != 2)
    return node.error() << "expects a height and a width as crop_size, but has " << typeOf(node[3]);
  Type wide = computedIn(node, elementOf(regions));
  AffineExpr count = node.sizeOf(regions, 0);
  Sizes all = {count, (*sizes)[0], (*sizes)[1]};
  Sampler sampler(node, x);
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
//===----------------------------------------------------------------------===//
// RoiAlign and MaxRoiPool
//===----------------------------------------------------------------------===//

/// Column i of rows.
Value columnOf(Node &node, Value rows, int64_t i) {
  return node.squeeze(node.slice(rows, 1, node.size(i), node.size(1)), {1});
}

/// The largest of numbers that data gives, at least `least`, as a size.
AffineExpr largestOf(Node &node, Value numbers, int64_t least) {
  Type i64 = node.builder.getI64Type();
  Value all = node.concat({node.cast(numbers, i64), node.integersConstant({least})}, 0);
  auto sizes = node.elements(node.reduce(Combiner::max, all, {0}));
  return sizes ? sizes->front() : AffineExpr();
}

/// Each region of an image at one size: of each bin the mean, or the largest part, of samples between the places.
Results roiAlign(Node &node) {
  Value x = node[0], regions = node[1];
  StringRef mode = node.string("mode", "avg");
  StringRef first = node.version() < 16 ? "output_half_pixel" : "half_pixel";
  StringRef place = node.string("coordinate_transformation_mode", first);
  int64_t sizes[] = {node.integer("output_height", 1), node.integer("output_width", 1)};
  int64_t ratio = node.integer("sampling_ratio", 0);
  if (mode != "avg" && mode != "max")
    return node.error() << "expects mode avg or max, but has '" << mode << "'";
  if (place != "half_pixel" && place != "output_half_pixel")
    return node.error() << "expects coordinate_transformation_mode half_pixel or output_half_pixel, but has '" << place
                        << "'";
  if (!areRegions(node, 4, regions))
    return failure();
  if (sizes[0] < 1 || sizes[1] < 1 || ratio < 0)
    return node.error() << "expects positive output sizes and a sampling_ratio that isn't negative, but has "
                        << sizes[0] << ", " << sizes[1] << " and " << ratio;
  Type wide = computedIn(node, elementOf(regions));
  bool isCentred = place == "half_pixel";
  AffineExpr count = node.sizeOf(regions, 0);
  node.expectEqual(node.sizeOf(node[2], 0), count, "RoiAlign has another number of images' numbers than of regions");
  Value corners = node.binary<MulOp>(node.cast(regions, wide), node.number("spatial_scale", 1));
  if (isCentred)
    corners = node.binary<SubOp>(corners, 0.5);
  // Samples of a bin along each axis, and how many there are of each region.
  AffineExpr most[2];
  Value samples[2], starts[2], bins[2];
  for (int64_t axis : {0, 1}) {
    starts[axis] = columnOf(node, corners, 1 - axis);
    Value length = node.binary<SubOp>(columnOf(node, corners, 3 - axis), starts[axis]);
    if (!isCentred)
      length = node.binary<MaxOp>(length, 1.0);
    bins[axis] = node.binary<DivOp>(length, double(sizes[axis]));
    samples[axis] = ratio > 0 ? node.splat(ratio, bins[axis]) : node.unary<CeilOp>(bins[axis]);
    most[axis] = ratio > 0 ? node.size(ratio) : largestOf(node, samples[axis], 1);
    if (!most[axis])
      return failure();
  }
  Sizes places = {count, node.size(sizes[0]), most[0], node.size(sizes[1]), most[1]};
  Sampler sampler(node, x);
  Value isSample;
  for (int64_t axis : {0, 1}) {
    auto each = [&](Value perRegion) { return node.broadcast(perRegion, {0}, places); };
    Value number = node.iota(places, 2 + 2 * axis, wide), bin = node.iota(places, 1 + 2 * axis, wide);
    Value within =
        node.binary<DivOp>(node.binary<MulOp>(node.binary<AddOp>(number, 0.5), each(bins[axis])), each(samples[axis]));
    Value at = node.binary<AddOp>(each(starts[axis]), node.binary<MulOp>(bin, each(bins[axis])));
    at = node.binary<AddOp>(at, within);
    Value extent = numberOf(node, node.sizeOf(x, 2 + axis), wide), last = node.binary<SubOp>(extent, 1.0);
    Value isInside = node.binary<AndOp>(node.compare(Predicate::ge, at, -1.0), node.compare(Predicate::le, at, extent));
    Value exists = node.compare(Predicate::lt, number, each(samples[axis]));
    isSample = isSample ? node.binary<AndOp>(isSample, exists) : exists;
    at = node.binary<MinOp>(node.binary<MaxOp>(at, 0.0), last);
    Value whole = node.unary<FloorOp>(at);
    SmallVector<Value> weights = linearWeights(node, node.binary<SubOp>(at, whole));
    sampler.addAxis({{whole, weights[0], isInside},
                     {node.binary<MinOp>(node.binary<AddOp>(whole, 1.0), last), weights[1], isInside}});
  }
  bool takesLargest = mode == "max";
  Value y = sampler.run(expectPlaces(node, node[2], node.sizeOf(x, 0)), takesLargest ? Combiner::max : Combiner::sum);
  if (node.hasFailed())
    return failure();
  Type element = elementOf(y);
  Value total = node.binary<MulOp>(node.binary<MaxOp>(samples[0], 0.0), node.binary<MaxOp>(samples[1], 0.0));
  isSample = node.broadcast(isSample, {0, 2, 3, 4, 5}, node.sizesOf(y));
  double none = takesLargest ? -std::numeric_limits<double>::infinity() : 0;
  if (ratio == 0)
    y = node.select(isSample, y, node.splat(none, y));
  y = node.reduce(takesLargest ? Combiner::max : Combiner::sum, node.cast(y, computedIn(node, element)), {3, 5});
  Value perRegion = node.broadcast(node.cast(total, elementOf(y)), {0}, node.sizesOf(y));
  if (!takesLargest)
    y = node.binary<DivOp>(y, node.binary<MaxOp>(perRegion, 1.0));
  else if (ratio == 0)
    y = node.select(node.compare(Predicate::gt, perRegion, 0.0), y, node.splat(0, y));
  return node.cast(y, element);
}

/// The largest element of each bin of a region, whose borders are whole places.
Results maxRoiPool(Node &node) {
  Value x = node[0], regions = node[1];
  auto sizes = node.integers("pooled_shape");
  if (!sizes || sizes->size() != 2 || (*sizes)[0] < 1 || (*sizes)[1] < 1)
    return node.error() << "expects two positive sizes in pooled_shape";
  if (!areRegions(node, 5, regions))
    return failure();
  Type wide = computedIn(node, elementOf(regions));
  AffineExpr count = node.sizeOf(regions, 0);
  Value corners = node.cast(regions, wide);
  Value image = expectPlaces(node, columnOf(node, corners, 0), node.sizeOf(x, 0));
  corners = node.binary<MulOp>(corners, node.number("spatial_scale", 1));
  // Halves are rounded away from zero.
  Value rounded = node.unary<FloorOp>(node.binary<AddOp>(node.unary<AbsOp>(corners), 0.5));
  corners = node.binary<MulOp>(node.unary<SignOp>(corners), rounded);
  Sampler sampler(node, x);
  AffineExpr most[2];
  Value lows[2], highs[2], isEmpty;
  Sizes out = {count, node.size((*sizes)[0]), node.size((*sizes)[1])};
  for (int64_t axis : {0, 1}) {
    Sizes bins = {count, out[1 + axis]};
    auto each = [&](Value perRegion) { return node.broadcast(perRegion, {0}, bins); };
    Value start = columnOf(node, corners, 2 - axis), end = columnOf(node, corners, 4 - axis);
    Value length = node.binary<MaxOp>(node.binary<AddOp>(node.binary<SubOp>(end, start), 1.0), 1.0);
    Value bin = each(node.binary<DivOp>(length, double((*sizes)[axis])));
    Value number = node.iota(bins, 1, wide), extent = numberOf(node, node.sizeOf(x, 2 + axis), wide);
    auto clipped = [&](Value at) {
      return node.binary<MinOp>(node.binary<MaxOp>(node.binary<AddOp>(at, each(start)), 0.0), extent);
    };
    lows[axis] = clipped(node.unary<FloorOp>(node.binary<MulOp>(number, bin)));
    highs[axis] = clipped(node.unary<CeilOp>(node.binary<MulOp>(node.binary<AddOp>(number, 1.0), bin)));
    Value lengths = node.binary<SubOp>(highs[axis], lows[axis]);
    most[axis] = largestOf(node, node.reshape(lengths, node.product(bins)), 1);
    if (!most[axis])
      return failure();
    Value hasNone = node.broadcast(node.compare(Predicate::le, lengths, 0.0), {0, 1 + axis}, out);
    isEmpty = isEmpty ? node.binary<OrOp>(isEmpty, hasNone) : hasNone;
  }
  Sizes places = {count, out[1], most[0], out[2], most[1]};
  for (int64_t axis : {0, 1}) {
    auto each = [&](Value perBin) { return node.broadcast(perBin, {0, 1 + 2 * axis}, places); };
    Value at = node.binary<AddOp>(each(lows[axis]), node.iota(places, 2 + 2 * axis, wide));
    // Behind a bin its last place is read again.
    at = node.binary<MinOp>(at, node.binary<SubOp>(each(highs[axis]), 1.0));
    sampler.addAxis({{node.binary<MaxOp>(at, 0.0), {}, {}}});
  }
  Value y = sampler.run(image);
  if (node.hasFailed())
    return failure();
  y = node.reduce(Combiner::max, y, {3, 5});
  return node.select(node.broadcast(isEmpty, {0, 2, 3}, node.sizesOf(y)), node.splat(0, y), y);
}

//===----------------------------------------------------------------------===//
// NonMaxSuppression
//===----------------------------------------------------------------------===//

/// Of each image and class the boxes by their scores, without those that overlap a better one.
Results nonMaxSuppression(Node &node) {
  Value boxes = node[0], scores = node[1];
  Type element = elementOf(boxes), i64 = node.builder.getI64Type();
  if (rankOf(boxes) != 3 || rankOf(scores) != 3 || elementOf(scores) != element ||
      (!element.isF32() && !element.isF64()))
    return node.error() << "expects boxes [N, B, 4] and scores [N, C, B] of floating-point numbers, but has "
                        << typeOf(boxes) << " and " << typeOf(scores);
  boxes = node.withSize(boxes, 2, node.size(4), "boxes [N, B, 4]");
  int64_t centred = node.integer("center_point_box", 0);
  if (centred != 0 && centred != 1)
    return node.error() << "expects center_point_box 0 or 1, but has " << centred;
  Value most = node.has(2) ? node.single(node[2], "one number of boxes") : node.scalarInteger(0, i64);
  Value threshold = node.has(3) ? node.single(node[3], "one threshold of overlaps") : node.scalar(0, element);
  Value least = node.has(4) ? node.single(node[4], "one threshold of scores") : Value();
  if (node.hasFailed())
    return failure();
  AffineExpr count = node.sizeOf(scores, 2);
  node.expectEqual(node.sizeOf(boxes, 1), count, "NonMaxSuppression has another number of scores than of boxes");
  node.expectEqual(node.sizeOf(boxes, 0), node.sizeOf(scores, 0),
                   "NonMaxSuppression has scores of another number of images");
  auto column = [&](int64_t i) { return node.slice(boxes, 2, node.size(i), node.size(1)); };
  SmallVector<Value> lows, highs;
  for (int64_t axis : {0, 1}) {
    Value a = column(axis), b = column(axis + 2);
    Value half = node.binary<MulOp>(b, 0.5);
    lows.push_back(centred ? node.binary<SubOp>(a, half) : node.binary<MinOp>(a, b));
    highs.push_back(centred ? node.binary<AddOp>(a, half) : node.binary<MaxOp>(a, b));
  }
  Value corners = node.concat({lows[0], lows[1], highs[0], highs[1]}, 2);
  SmallVector<Value> k;
  SmallVector<int64_t> fixed;
  dispatchIndexOpFoldResults({node.materialize(count)}, k, fixed);
  Sizes sizes = node.sizesOf(scores);
  auto order = TopKOp::create(node.builder, node.loc, typeOf(scores), node.typeFor(i64, sizes), scores, 2, k, fixed,
                              /*smallest=*/false);
  Value sorted = node.gather(corners, node.unsqueeze(order.getIndices(), {3}), {1}, 1);
  Value isCandidate =
      least ? node.compare(Predicate::gt, order.getValues(), node.broadcast(node.cast(least, element), {}, sizes))
            : node.broadcast(node.boolean(true), {}, sizes);
  Value kept =
      SuppressOp::create(node.builder, node.loc, isCandidate.getType(), isCandidate,
                         node.transpose(sorted, {0, 1, 3, 2}), node.cast(threshold, element), node.cast(most, i64));
  auto type = RankedTensorType::get({3, ShapedType::kDynamic}, i64);
  Value places = node.transpose(NonZeroOp::create(node.builder, node.loc, type, kept), {1, 0});
  Value box = node.gather(order.getIndices(), places, {0, 1, 2}, 0);
  return node.concat({node.slice(places, 1, node.size(0), node.size(2)), node.unsqueeze(box, {1})}, 1);
}
} // namespace

void onnx::addDetectionConverters(ConverterTable &table) {
  table.add("MaxRoiPool", 1, 2, 2, maxRoiPool);
  table.add("NonMaxSuppression", 10, 2, 5, nonMaxSuppression);
  table.add("RoiAlign", 10, 3, 3, roiAlign);
  table.add("com.microsoft.CropAndResize", 1, 4, 4, cropAndResize);
}
