//===- Slicing.cpp - ONNX operators that cut out of a tensor or extend it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"
#include "RuntimeAxes.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// One dimension of a slice: where it begins and how many places it takes.
class Range {
public:
  Range(Node &node, AffineExpr extent, AffineExpr start, AffineExpr end, int64_t step) : node(node), extent(extent) {
    AffineExpr zero = node.size(0), minusOne = node.size(-1), count;
    if (step > 0) {
      // A start behind the end is of no matter where nothing is taken.
      offset = bound(start, zero, AffineExpr());
      AffineExpr stop = bound(end, AffineExpr(), extent);
      count = step == 1 ? stop - offset : (stop - offset).ceilDiv(step);
    } else {
      // The last place is never below the first one, where there is any.
      bool isLast = isStatic(start) && SizeAnalysis::staticSize(start) >= -1;
      offset = bound(start, isLast ? AffineExpr() : zero, extent - 1);
      AffineExpr stop = bound(end, minusOne, AffineExpr());
      count = step == -1 ? offset - stop : (offset - stop).ceilDiv(-step);
    }
    size = node.largest(node.sizes.simplify(count), zero);
    // Exporters cut tables and caches to lengths that are within them.
    AffineExpr whole = node.sizes.simplify(end - start), left = node.sizes.simplify(extent - start);
    if (step == 1 && size != whole && isDerived(size) && isFromFront(start) && isFromFront(end) &&
        !node.mayBeNegative(whole))
      node.graph.assumeClamped(size, {whole, isStatic(left) && SizeAnalysis::staticSize(left) >= 2});
  }

  AffineExpr offset, size;

private:
  static constexpr int64_t unlimited = std::numeric_limits<int32_t>::max();

  /// A bound as a place, clamped below or above.
  AffineExpr bound(AffineExpr value, AffineExpr low, AffineExpr high) {
    AffineExpr place = value;
    if (isStatic(value)) {
      int64_t literal = SizeAnalysis::staticSize(value);
      if (literal >= unlimited)
        return high ? node.sizes.simplify(high) : extent;
      if (literal <= -unlimited)
        return low ? low : node.size(0);
      if (literal < 0)
        place = node.sizes.simplify(extent + literal);
    } else if (node.mayBeNegative(value)) {
      // As far below as it may be, differences must stay numbers.
      place = node.largest(node.fromEnd(value, extent), low ? low : node.size(-1));
      low = {};
    }
    if (low)
      place = node.largest(place, low);
    if (high)
      place = node.least(place, node.sizes.simplify(high));
    return place;
  }

  bool isFromFront(AffineExpr bound) {
    return !node.mayBeNegative(bound) && (!isStatic(bound) || SizeAnalysis::staticSize(bound) < unlimited);
  }

  bool isDerived(AffineExpr size) {
    return isa<AffineSymbolExpr>(size) &&
           isa_and_present<arith::MinSIOp, arith::MaxSIOp>(node.sizes.valuesOf(size).front().getDefiningOp());
  }

  Node &node;
  AffineExpr extent;
};

/// The same where the step is data, and with it the side that is begun from.
class DataRange {
public:
  DataRange(Node &node, AffineExpr extent, AffineExpr start, AffineExpr end, AffineExpr step) : node(node) {
    step = node.least(node.largest(step, node.size(-maxStep)), node.size(maxStep));
    node.expectEqual(node.choose(step, node.size(0), node.size(1), node.size(0)), node.size(0), "a step is 0");
    AffineExpr sign = node.least(node.largest(step, node.size(-1)), node.size(1));
    // Forwards places are from 0 to the extent, backwards to one less, and an end may be before all.
    AffineExpr isBack = node.choose(sign, node.size(-1), node.size(1), node.size(0));
    auto bound = [&](AffineExpr place, AffineExpr low) {
      return node.least(node.largest(node.fromEnd(place, extent), low), node.sizes.simplify(extent - isBack));
    };
    offset = bound(start, node.size(0));
    AffineExpr distance = node.largest(times(bound(end, node.sizes.simplify(-isBack)) - offset, sign), node.size(0)),
               length = times(step, sign);
    size = node.quotient({node.sizes.simplify(distance + length - 1)}, {length});
  }

  AffineExpr offset, size;

private:
  static constexpr int64_t maxStep = int64_t(1) << 40; ///< longer than any dimension

  AffineExpr times(AffineExpr value, AffineExpr sign) {
    value = node.sizes.simplify(value);
    return node.choose(sign, node.size(-1), node.sizes.simplify(-value), value);
  }

  Node &node;
};

/// What a slice takes along the axes that it names, in their order.
struct Ranges {
  Sizes offsets, sizes, strides;

  /// False after an error.
  bool add(Node &node, AffineExpr extent, AffineExpr start, AffineExpr end, AffineExpr step) {
    if (isStatic(step, 0)) {
      node.error() << "expects steps other than 0";
      return false;
    }
    strides.push_back(step);
    if (!isStatic(step)) {
      DataRange range(node, extent, start, end, step);
      offsets.push_back(range.offset);
      sizes.push_back(range.size);
      return !node.hasFailed();
    }
    Range range(node, extent, start, end, SizeAnalysis::staticSize(step));
    offsets.push_back(isStatic(range.size, 0) ? node.size(0) : range.offset);
    sizes.push_back(range.size);
    return !node.hasFailed();
  }
};

constexpr const char *kEqualCounts = "as many starts, ends, axes and steps";

bool checkCounts(Node &node, ArrayRef<AffineExpr> starts, ArrayRef<AffineExpr> ends, size_t axes,
                 ArrayRef<AffineExpr> steps) {
  if (ends.size() == starts.size() && axes == starts.size() && steps.size() == starts.size())
    return true;
  node.error() << "expects " << kEqualCounts << ", but has " << starts.size() << ", " << ends.size() << ", " << axes
               << " and " << steps.size();
  return false;
}

Results sliceBy(Node &node, Value x, ArrayRef<AffineExpr> starts, ArrayRef<AffineExpr> ends,
                std::optional<SmallVector<int64_t>> axes, ArrayRef<AffineExpr> steps) {
  if (!axes)
    axes = llvm::to_vector(llvm::seq<int64_t>(0, starts.size()));
  if (!checkCounts(node, starts, ends, axes->size(), steps))
    return failure();
  Sizes offsets(rankOf(x), node.size(0)), sizes = node.sizesOf(x), strides(rankOf(x), node.size(1));
  Ranges ranges;
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    int64_t dim = node.dimension(axis, rankOf(x));
    if (node.hasFailed() || !ranges.add(node, node.sizeOf(x, dim), starts[i], ends[i], steps[i]))
      return failure();
    offsets[dim] = ranges.offsets[i];
    sizes[dim] = ranges.sizes[i];
    strides[dim] = ranges.strides[i];
  }
  return node.slice(x, offsets, sizes, strides);
}

/// Along axes that are data.
Results sliceAlong(Node &node, Value x, ArrayRef<AffineExpr> starts, ArrayRef<AffineExpr> ends, Value axes,
                   ArrayRef<AffineExpr> steps) {
  auto given = RuntimeAxes::read(node, axes, rankOf(x), starts.size());
  if (!given || !checkCounts(node, starts, ends, given->count(), steps))
    return failure();
  Ranges ranges;
  for (size_t i = 0; i < given->count(); ++i)
    if (!ranges.add(node, given->choose(i, node.sizesOf(x)), starts[i], ends[i], steps[i]))
      return failure();
  return node.slice(x, given->spread(ranges.offsets, Sizes(rankOf(x), node.size(0))),
                    given->spread(ranges.sizes, node.sizesOf(x)),
                    given->spread(ranges.strides, Sizes(rankOf(x), node.size(1))));
}

/// Bounds are attributes before version 10.
Results sliceAttributes(Node &node) {
  auto starts = node.integers("starts"), ends = node.integers("ends");
  if (!starts || !ends)
    return node.error() << "expects the attributes 'starts' and 'ends'";
  auto literal = [&](int64_t value) { return node.size(value); };
  return sliceBy(node, node[0], llvm::map_to_vector(*starts, literal), llvm::map_to_vector(*ends, literal),
                 node.integers("axes"), Sizes(starts->size(), node.size(1)));
}

/// Where nothing says along how many axes: along all, of which some are whole.
Results sliceUncounted(Node &node) {
  Value x = node[0], starts = node[1];
  int64_t rank = rankOf(x);
  AffineExpr count = node.sizeOf(starts, 0);
  SmallVector<Value> vectors = {starts};
  for (size_t i : {2, 3, 4}) {
    vectors.push_back(node[i]);
    if (node.has(i) && rankOf(node[i]) != 1)
      return node.error() << "expects vectors of starts, ends, axes and steps, but has " << typeOf(node[i]);
    if (node.has(i))
      vectors.back() = node.withSize(node[i], 0, count, kEqualCounts);
  }
  auto axes = vectors[2] ? UncountedAxes::read(node, vectors[2], rank) : UncountedAxes::first(node, count, rank);
  if (!axes)
    return failure();
  Sizes steps(rank, node.size(1));
  if (vectors[3])
    steps = axes->spread(vectors[3], 1);
  return sliceBy(node, x, axes->spread(starts, 0), axes->spread(vectors[1], std::numeric_limits<int64_t>::max()),
                 std::nullopt, steps);
}

/// How many entries the operands have that say it; nothing where none does.
std::optional<int64_t> statedCount(Node &node, ArrayRef<size_t> operands) {
  for (size_t i : operands)
    if (node.has(i) && typeOf(node[i]).hasStaticShape())
      return typeOf(node[i]).getNumElements();
  return std::nullopt;
}

Results slice(Node &node) {
  auto count = statedCount(node, {1, 2, 3, 4});
  if (!count && rankOf(node[1]) == 1)
    return sliceUncounted(node);
  auto starts = node.elements(node[1], count), ends = node.elements(node[2], count);
  if (!starts || !ends)
    return failure();
  std::optional<Sizes> steps = Sizes(starts->size(), node.size(1));
  if (node.has(4) && !(steps = node.elements(node[4], count)))
    return failure();
  auto axes = node.has(3) ? node.constantIntegers(node[3]) : std::nullopt;
  if (node.has(3) && !axes)
    return sliceAlong(node, node[0], *starts, *ends, node[3], *steps);
  return sliceBy(node, node[0], *starts, *ends, axes, *steps);
}

//===----------------------------------------------------------------------===//
// Split
//===----------------------------------------------------------------------===//

/// Version 18 states the number of equal parts: they are rounded up, and the last one takes what is left.
Results split(Node &node) {
  Value x = node[0];
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(x));
  size_t parts = node.op->getNumResults();
  AffineExpr extent = node.hasFailed() ? AffineExpr() : node.sizeOf(x, dim);
  if (!extent)
    return failure();
  std::optional<Sizes> sizes;
  if (node.has(1)) {
    // The first version has them in the type of the operand.
    sizes = node.elements(node.version() < 2 ? node.cast(node[1], node.builder.getI64Type()) : node[1], parts);
    if (!sizes)
      return failure();
  } else if (auto stated = node.integers("split")) {
    sizes = llvm::map_to_vector(*stated, [&](int64_t part) { return node.size(part); });
  } else {
    int64_t count = node.integer("num_outputs", parts);
    if (count != (int64_t)parts || count < 1)
      return node.error() << "expects as many results as num_outputs (" << count << "), but has " << parts;
    if (node.version() < 18)
      node.expectMultiple(extent, node.size(count), "a size that " + Twine(count) + " results divide");
    AffineExpr part = node.sizes.simplify(extent.ceilDiv(count));
    sizes = Sizes(count - 1, part);
    sizes->push_back(node.sizes.simplify(extent - part * (count - 1)));
  }
  if (sizes->size() != parts)
    return node.error() << "expects as many parts as results (" << parts << "), but has " << sizes->size();
  AffineExpr offset = node.size(0);
  SmallVector<Value> results;
  for (auto [i, part] : llvm::enumerate(*sizes)) {
    results.push_back(node.slice(x, dim, offset, part));
    offset = node.sizes.simplify(offset + part);
  }
  if (isStatic(offset) && isStatic(extent) && offset != extent)
    return node.error() << "expects parts that add up to " << SizeAnalysis::staticSize(extent) << ", but they give "
                        << SizeAnalysis::staticSize(offset);
  node.expectEqual(offset, extent, "the parts add up to another size than the operand has");
  return Results(ArrayRef(results));
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

Results padBy(Node &node, ArrayRef<AffineExpr> low, ArrayRef<AffineExpr> high, Value value) {
  StringRef mode = node.string("mode", "constant");
  auto known = symbolizePadMode(mode);
  if (!known)
    return node.error() << "expects mode constant, reflect, edge or wrap, but has '" << mode << "'";
  // Nothing can be repeated where there is nothing.
  if (*known != PadMode::constant)
    for (auto [dim, extent] : llvm::enumerate(node.sizesOf(node[0])))
      if (!isStatic(low[dim], 0) || !isStatic(high[dim], 0))
        node.expectElements(extent, extent + low[dim] + high[dim], dim);
  if (node.hasFailed())
    return failure();
  return node.pad(node[0], value, low, high, *known);
}

bool checkPads(Node &node, size_t amounts, size_t axes) {
  if (amounts != 2 * axes)
    node.error() << "expects " << 2 * axes << " pads, but has " << amounts;
  return !node.hasFailed();
}

/// Amounts are attributes before version 11.
Results padAttributes(Node &node) {
  StringRef name = node.version() < 2 ? "paddings" : "pads";
  auto pads = node.integers(name);
  if (!pads)
    return node.error() << "expects the attribute '" << name << "'";
  if (!checkPads(node, pads->size(), rankOf(node[0])))
    return failure();
  Sizes amounts = llvm::map_to_vector(*pads, [&](int64_t amount) { return node.size(amount); });
  return padBy(node, ArrayRef(amounts).take_front(rankOf(node[0])), ArrayRef(amounts).drop_front(rankOf(node[0])),
               node.scalar(node.number("value", 0), elementOf(node[0])));
}

/// Along axes of which not even the number is known.
Results padUncounted(Node &node, Value pads, Value value) {
  auto axes = UncountedAxes::read(node, node[3], rankOf(node[0]));
  if (!axes)
    return failure();
  AffineExpr count = node.sizeOf(node[3], 0);
  pads = node.withSize(pads, 0, node.sizes.simplify(count * 2), "two pads for each axis");
  auto half = [&](AffineExpr from) { return axes->spread(node.slice(pads, 0, from, count), 0); };
  return padBy(node, half(node.size(0)), half(count), value);
}

/// Amounts are for all dimensions in order, or for those that axes name.
Results pad(Node &node) {
  Value pads = node[1];
  // ONNX Runtime's own operator takes a row too.
  if (rankOf(pads) == 2 && isStatic(node.sizeOf(pads, 0), 1))
    pads = node.squeeze(pads, {0});
  Value value = node.has(2) ? node[2] : node.scalar(0, elementOf(node[0]));
  if (elementOf(value) != elementOf(node[0]))
    return node.error() << "expects a scalar of type " << elementOf(node[0]) << " as value, but has " << typeOf(value);
  if (!(value = node.single(value, "a scalar as value")))
    return failure();
  Sizes none(rankOf(node[0]), node.size(0));
  if (node.has(3) && !typeOf(node[3]).hasStaticShape() && !typeOf(pads).hasStaticShape())
    return padUncounted(node, pads, value);
  auto axisCount = node.has(3) ? statedCount(node, {3}) : std::optional<int64_t>(none.size());
  auto amounts = node.elements(pads, axisCount ? std::optional(2 * *axisCount) : std::nullopt);
  if (!amounts)
    return failure();
  auto half = ArrayRef(*amounts).take_front(amounts->size() / 2), rest = ArrayRef(*amounts).drop_front(half.size());
  std::optional<SmallVector<int64_t>> axes = llvm::to_vector(llvm::seq<int64_t>(0, none.size()));
  if (node.has(3))
    axes = node.constantIntegers(node[3]);
  if (!axes) {
    auto given = RuntimeAxes::read(node, node[3], none.size(), amounts->size() / 2);
    return given && checkPads(node, amounts->size(), given->count())
               ? padBy(node, given->spread(half, none), given->spread(rest, none), value)
               : Results(failure());
  }
  if (!checkPads(node, amounts->size(), axes->size()))
    return failure();
  Sizes low = none, high = none;
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    int64_t dim = node.dimension(axis, none.size());
    if (node.hasFailed())
      return failure();
    low[dim] = half[i];
    high[dim] = rest[i];
  }
  return padBy(node, low, high, value);
}

/// Pads or crops to a shape, evenly before and after, the odd place after.
Results centerCropPad(Node &node) {
  Value x = node[0];
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  if (auto axes = node.integers("axes")) {
    dims.clear();
    for (int64_t axis : *axes)
      dims.push_back(node.dimension(axis, rankOf(x)));
  }
  auto shape = node.elements(node[1], dims.size());
  if (!shape || node.hasFailed())
    return failure();
  if (shape->size() != dims.size())
    return node.error() << "expects " << dims.size() << " sizes, but has " << shape->size();
  Sizes low(rankOf(x), node.size(0)), high = low;
  for (auto [dim, wanted] : llvm::zip(dims, *shape)) {
    AffineExpr extent = node.sizeOf(x, dim), total = node.sizes.simplify(wanted - extent);
    // Rounded towards zero: padding and cropping both take the smaller half first.
    AffineExpr padded = node.largest(total, node.size(0));
    AffineExpr cropped = node.largest(node.sizes.simplify(-total), node.size(0));
    low[dim] = node.sizes.simplify(padded.floorDiv(2) - cropped.floorDiv(2));
    high[dim] = node.sizes.simplify(total - low[dim]);
  }
  return node.pad(x, node.scalar(0, elementOf(x)), low, high);
}

/// An operator of ONNX before version 1.2: borders are left, top, right and bottom ones; with a height and a
/// width as scale what is behind these is left out instead of the last two.
Results crop(Node &node) {
  Value x = node[0];
  auto border = node.integers("border", 4, 0), scale = node.integers("scale", 2, 0);
  if (rankOf(x) != 4)
    return node.error() << "expects images of rank 4, but has " << typeOf(x);
  bool isScaled = node.hasAttribute("scale");
  for (int64_t i : {0, 1}) {
    AffineExpr extent = node.sizeOf(x, 2 + i);
    int64_t first = border[1 - i];
    AffineExpr size = isScaled ? node.size(scale[i]) : node.sizes.simplify(extent - first - border[3 - i]);
    int64_t least = first + (isScaled ? scale[i] : border[3 - i]);
    if (isStatic(extent) && SizeAnalysis::staticSize(extent) < least)
      return node.error() << "expects at least " << least << " places along dimension " << 2 + i << ", but has "
                          << typeOf(x);
    x = node.slice(x, 2 + i, node.size(first), size);
  }
  return x;
}
} // namespace

void onnx::addSlicingConverters(ConverterTable &table) {
  table.add("Slice", 1, 1, 1, sliceAttributes, Accepts::tensors);
  table.add("Slice", 10, 3, 5, slice, Accepts::tensors);
  table.add("Split", 1, 1, 2, split, Accepts::tensors);
  table.add("Split", 2, 1, 1, split, Accepts::tensors);
  table.add("Split", 13, 1, 2, split, Accepts::tensors);
  table.add("Pad", 1, 1, 1, padAttributes);
  table.add("Pad", 11, 2, 4, pad, Accepts::tensors);
  table.add("com.microsoft.Pad", 1, 2, 3, pad);
  table.add("Crop", 1, 1, 1, crop);
  table.add("CenterCropPad", 18, 2, 2, centerCropPad, Accepts::tensors);
}
