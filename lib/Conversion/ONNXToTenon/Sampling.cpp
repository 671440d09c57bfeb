//===- Sampling.cpp - Values between the places of a tensor ---===//
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

//===----------------------------------------------------------------------===//
// Sums of weighted places
//===----------------------------------------------------------------------===//

Type onnx::computedIn(Node &node, Type element) {
  bool isWide = isa<FloatType>(element) && element.getIntOrFloatBitWidth() >= 32;
  return isWide ? element : node.builder.getF32Type();
}

Value onnx::numberOf(Node &node, AffineExpr size, Type element) { return node.cast(numberOf(node, size), element); }

Sampler::Sampler(Node &node, Value x) : node(node), element(elementOf(x)) {
  Sizes sizes = node.sizesOf(x);
  extents.assign(sizes.begin() + 2, sizes.end());
  flat = node.reshape(x, {sizes[0], sizes[1], node.product(extents)});
}

void Sampler::addAxis(ArrayRef<Tap> taps) {
  axes.emplace_back(taps);
  isWeighted |= !!taps.front().weight;
}

Value Sampler::run(Value images, Combiner combiner) {
  this->combiner = combiner;
  // Of no images nothing is read.
  AffineExpr places = node.product(node.sizesOf(flat));
  AffineExpr count = images ? node.product(node.sizesOf(images)) : node.sizeOf(flat, 0);
  AffineExpr reads = node.choose(count, node.size(0), node.size(0), node.size(1));
  node.expectEqual(node.choose(places, node.size(0), reads, node.size(0)), node.size(0),
                   (node.name() + " reads places of images that have none").str());
  Type compute = isWeighted ? computedIn(node, element) : element;
  Value total = combined(0, {}, {}, images, compute);
  return node.hasFailed() ? total : node.moveDim(node.cast(total, element), rankOf(total) - 1, 1);
}

template <typename Op> static Value joined(Node &node, Value a, Value b) {
  return a && b ? node.binary<Op>(a, b) : a ? a : b;
}

Value Sampler::combined(size_t axis, Tap before, Value total, Value images, Type compute) {
  if (axis == axes.size())
    return add(total, before, images, compute);
  for (const Tap &tap : axes[axis]) {
    Value place = node.cast(tap.place, node.builder.getI64Type());
    if (before.place)
      place = node.binary<AddOp>(node.binary<MulOp>(before.place, numberOf(node, extents[axis])), place);
    Tap both = {place, joined<MulOp>(node, before.weight, tap.weight),
                joined<AndOp>(node, before.isInside, tap.isInside)};
    total = combined(axis + 1, both, total, images, compute);
  }
  return total;
}

Value Sampler::add(Value total, const Tap &at, Value images, Type compute) {
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
  if (at.weight)
    sample = node.binary<MulOp>(sample, repeated(node.cast(at.weight, compute)));
  // What is outside doesn't count, even if the place that is read instead, or a weight, is no number.
  if (at.isInside)
    sample = node.select(repeated(at.isInside), sample, node.splat(0, sample));
  if (!total)
    return sample;
  return combiner == Combiner::max ? node.binary<MaxOp>(total, sample) : node.binary<AddOp>(total, sample);
}
