//===- SparseSelection.cpp - Choosing the keys that sparse attention reads ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SparseSelection.h"
#include "Indexing.h"
#include "Normalization.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

static constexpr double infinity = std::numeric_limits<double>::infinity();
static SmallVector<int64_t> firstDims(int64_t count) { return llvm::to_vector(llvm::seq<int64_t>(0, count)); }

SparseSelection::SparseSelection(Node &node)
    : i64(node.builder.getI64Type()), f32(node.builder.getF32Type()), node(node) {
  if (!node.expect({0, 2, 3, 4, 5}))
    return;
  StringRef policy = node.string("policy_mode", "");
  isQsa = policy == "qsa";
  ratio = node.integer("compress_ratio", 0);
  epsilon = node.number("epsilon", 1e-6f);
  int64_t amount = node.integer(isQsa ? "token_budget" : "index_topk", 0);
  constexpr int64_t limit = 1 << 20;
  if (policy != "qsa" && policy != "csa")
    node.error() << "expects policy_mode qsa or csa, but has '" << policy << "'";
  else if (ratio < 1 || amount < 1 || ratio > limit || amount > limit)
    node.error() << "expects compress_ratio and " << (isQsa ? "token_budget" : "index_topk") << " from 1 to " << limit
                 << ", but has " << ratio << " and " << amount;
  else if (isQsa && amount % ratio != 0)
    node.error() << "expects compress_ratio (" << ratio << ") that divides token_budget (" << amount << ")";
  else if (node.hasAttribute(isQsa ? "index_topk" : "token_budget") ||
           (isQsa && node.hasAttribute("head_weight_scale")))
    node.error() << "expects no attribute of the other policy_mode";
  for (size_t weight : {2, 3})
    if (!node.hasFailed() &&
        (rankOf(node[weight]) != 1 || !typeOf(node[weight]).hasStaticShape() ||
         typeOf(node[weight]).getDimSize(0) != typeOf(node[2]).getDimSize(0) || typeOf(node[weight]).getDimSize(0) < 1))
      node.error() << "expects vectors of one known size as query_norm_weight and key_norm_weight, but has "
                   << typeOf(node[2]) << " and " << typeOf(node[3]);
  if (node.hasFailed())
    return;
  depth = typeOf(node[2]).getDimSize(0);
  chosen = isQsa ? amount / ratio : amount;
  capacity = isQsa ? amount + ratio - 1 : amount;
  Value table = node[4];
  int64_t angles = rankOf(table) > 0 ? typeOf(table).getShape().back() : 0;
  int64_t rotatedSize = isQsa ? angles : 2 * angles;
  if (rankOf(table) != rankOf(node[5]) || (rankOf(table) != 2 && rankOf(table) != 3) || ShapedType::isDynamic(angles) ||
      typeOf(node[5]).getShape().back() != angles || angles < 1 || rotatedSize > depth || rotatedSize % 2 != 0)
    node.error() << "expects tables of rank 2 or 3 of cosines and sines, for an even number of elements up to " << depth
                 << ", but has " << typeOf(table) << " and " << typeOf(node[5]);
}

bool SparseSelection::checkOperands(ArrayRef<size_t> ofQsa, ArrayRef<size_t> ofCsa) {
  for (size_t operand : isQsa ? ofCsa : ofQsa)
    if (node.has(operand)) {
      node.error() << "expects no operand " << operand << ", which is of the other policy_mode";
      return false;
    }
  return !node.hasFailed() && (isQsa || (node.expect({1}) && node.expect(ofCsa)));
}

SparseSelection::Angles SparseSelection::anglesAt(Value places, Value batch) {
  places = node.binary<MaxOp>(places, 0.0); // before which there are no angles
  auto at = [&](Value table) {
    table = node.cast(table, f32);
    if (rankOf(table) == 2)
      return take(node, table, places, 0, IndexMode::clamp);
    int64_t last = rankOf(places);
    Value indices = node.concat({node.unsqueeze(batch, {last}), node.unsqueeze(places, {last})}, last);
    return node.gather(table, indices, {0, 1}, /*batchDims=*/0, IndexMode::clamp);
  };
  return {at(node[4]), at(node[5])};
}

Value SparseSelection::normalized(Value x, size_t weight) {
  Value y = normalize(node, x, {rankOf(x) - 1}, epsilon, /*rms=*/true);
  return node.binary<MulOp>(y, node.broadcastTo(node.cast(node[weight], f32), node.sizesOf(y)));
}

Value SparseSelection::rotated(Value x, const Angles &angles) {
  int64_t last = rankOf(x) - 1, size = typeOf(angles.cosines).getShape().back();
  int64_t count = isQsa ? size : 2 * size;
  auto part = [&](Value value, int64_t from, int64_t count) {
    return node.slice(value, last, node.size(from), node.size(count));
  };
  auto turned = [&](Value a, Value b, Value cosine, Value sine, bool isSecond) {
    Value first = node.binary<MulOp>(a, cosine), second = node.binary<MulOp>(b, sine);
    return isSecond ? node.binary<AddOp>(first, second) : node.binary<SubOp>(first, second);
  };
  // Angles are the same for all heads.
  auto spread = [&](Value table, Sizes sizes) {
    SmallVector<int64_t> dims = firstDims(rankOf(table) - 1);
    dims.push_back(sizes.size() - 1);
    return node.broadcast(table, dims, sizes);
  };
  if (isQsa) {
    // Halves of the first elements, with an angle each.
    Value a = part(x, 0, count / 2), b = part(x, count / 2, count / 2);
    Sizes sizes = node.sizesOf(x);
    sizes.back() = node.size(count);
    Value cosines = spread(angles.cosines, sizes), sines = spread(angles.sines, sizes);
    Value first = turned(a, b, part(cosines, 0, count / 2), part(sines, 0, count / 2), false);
    Value second = turned(b, a, part(cosines, count / 2, count / 2), part(sines, count / 2, count / 2), true);
    return node.concat({first, second, part(x, count, depth - count)}, last);
  }
  // Neighbours among the last elements, with one angle for two.
  Sizes sizes = node.sizesOf(x), pairs = sizes, single;
  sizes.back() = node.size(count);
  pairs.back() = node.size(size);
  single = pairs;
  pairs.push_back(node.size(2));
  Value behind = node.reshape(part(x, depth - count, count), pairs);
  auto member = [&](int64_t i) {
    return node.reshape(node.slice(behind, last + 1, node.size(i), node.size(1)), single);
  };
  Value a = member(0), b = member(1);
  Value cosines = spread(angles.cosines, single), sines = spread(angles.sines, single);
  Value both = node.concat({node.unsqueeze(turned(a, b, cosines, sines, false), {last + 1}),
                            node.unsqueeze(turned(b, a, cosines, sines, true), {last + 1})},
                           last + 1);
  return node.concat({part(x, 0, depth - count), node.reshape(both, sizes)}, last);
}

Value SparseSelection::queries(Value x, const Angles &angles) {
  Sizes sizes = node.sizesOf(x);
  if (isStatic(sizes.back()) && SizeAnalysis::staticSize(sizes.back()) % depth != 0) {
    node.error() << "expects heads of " << depth << " elements, but has " << typeOf(x);
    return x;
  }
  AffineExpr heads = node.quotient(sizes.back(), node.size(depth));
  sizes.back() = heads;
  sizes.push_back(node.size(depth));
  return rotated(normalized(node.reshape(node.cast(x, f32), sizes), 2), angles);
}

Value SparseSelection::keys(Value x, const Angles &angles) { return rotated(normalized(x, 3), angles); }

Value SparseSelection::pooled(Value blocks) {
  return node.binary<DivOp>(node.reduce(Combiner::sum, blocks, {rankOf(blocks) - 2}), double(ratio));
}

Value SparseSelection::compressed(Value keys, Value gates, Value keysBefore, Value gatesBefore, Value isMissing) {
  // The window before gives the first half of its channels, the window itself the second.
  auto half = [&](Value x, int64_t i) { return node.slice(x, rankOf(x) - 1, node.size(i * depth), node.size(depth)); };
  Value bias = node.cast(node[9], f32);
  auto biased = [&](Value x, int64_t i) {
    Value part = half(x, i);
    return node.binary<AddOp>(part, node.broadcastTo(half(bias, i), node.sizesOf(part)));
  };
  Value before = biased(gatesBefore, 0);
  Value isHidden = node.broadcast(isMissing, {0, 1}, node.sizesOf(before));
  before = node.select(isHidden, node.splat(-infinity, before), before);
  Value values = node.concat({node.select(isHidden, node.splat(0, before), half(keysBefore, 0)), half(keys, 1)}, 2);
  Value logits = node.concat({before, biased(gates, 1)}, 2);
  // A softmax per channel that is 0 where its sum is none.
  Sizes sizes = node.sizesOf(logits);
  Value largest = node.broadcast(node.reduce(Combiner::max, logits, {2}), {0, 1, 3}, sizes);
  Value powers = node.unary<ExpOp>(node.binary<SubOp>(logits, largest));
  Value sum = node.reduce(Combiner::sum, powers, {2});
  Value weighted = node.reduce(Combiner::sum, node.binary<MulOp>(powers, values), {2});
  Value isSum = node.binary<AndOp>(node.compare(Predicate::gt, sum, 0.0), node.compare(Predicate::lt, sum, infinity));
  return node.select(isSum, node.binary<DivOp>(weighted, sum), node.splat(0, weighted));
}

Value SparseSelection::summed(Value products, int64_t dim, Value weights) {
  double scale = node.hasAttribute("scale") ? node.number("scale", 0) : 1 / std::sqrt(double(depth));
  Value scores = node.binary<MaxOp>(products, 0.0);
  if (weights) {
    SmallVector<int64_t> dims = firstDims(dim + 1);
    Value factors = node.broadcast(node.cast(weights, f32), dims, node.sizesOf(scores));
    scores = node.binary<MulOp>(node.binary<MulOp>(scores, scale), factors);
    Value root = node.scalar(node.number("head_weight_scale", 1), f32);
    if (!node.hasAttribute("head_weight_scale")) {
      Value heads = node.fromSizes(node.sizeOf(weights, dim), RankedTensorType::get({}, i64));
      root = node.unary<ReciprocalOp>(node.unary<SqrtOp>(node.cast(heads, f32)));
    }
    return node.binary<MulOp>(node.reduce(Combiner::sum, scores, {dim}), root);
  }
  return node.binary<MulOp>(node.reduce(Combiner::sum, scores, {dim}), scale);
}

Value SparseSelection::best(Value scores, Value counts) {
  int64_t last = rankOf(scores) - 1;
  // So many that there are enough to choose from.
  Sizes none(last + 1, node.size(0)), high = none;
  high[last] = node.size(chosen);
  Sizes sizes = node.sizesOf(scores);
  Value isThere =
      node.compare(Predicate::lt, node.iota(sizes, last, i64), node.broadcast(counts, firstDims(last), sizes));
  Value all = node.select(isThere, scores, node.splat(-infinity, scores));
  all = node.pad(all, node.scalar(-infinity, f32), none, high);
  sizes[last] = node.size(chosen);
  return TopKOp::create(node.builder, node.loc, node.typeFor(f32, sizes), node.typeFor(i64, sizes), all, last,
                        ValueRange(), ArrayRef<int64_t>{chosen}, /*smallest=*/false)
      .getIndices();
}

SparseSelection::Selected SparseSelection::tokens(Value scores, Value visible) {
  if (node.hasFailed())
    return {visible, visible};
  int64_t last = rankOf(scores) - 1;
  Value blocks = node.binary<DivOp>(visible, double(ratio));
  Value top = best(scores, blocks);
  Sizes outer = node.sizesOf(visible), sizes = outer, apart = outer, flat = outer;
  sizes.push_back(node.size(capacity));
  apart.append({node.size(chosen), node.size(ratio)});
  flat.push_back(node.size(chosen * ratio));
  SmallVector<int64_t> dims = firstDims(last + 1);
  Value inBlocks = node.binary<AddOp>(node.binary<MulOp>(node.broadcast(top, dims, apart), double(ratio)),
                                      node.iota(apart, last + 1, i64));
  Sizes none(last + 1, node.size(0)), high = none;
  high[last] = node.size(ratio - 1);
  inBlocks = node.pad(node.reshape(inBlocks, flat), node.scalar(0, i64), none, high);
  auto each = [&](Value x) { return node.broadcast(x, firstDims(last), sizes); };
  Value whole = node.binary<MulOp>(node.binary<MinOp>(blocks, double(chosen)), double(ratio));
  Value covered = node.binary<MulOp>(blocks, double(ratio));
  Value count = node.binary<AddOp>(whole, node.binary<SubOp>(visible, covered));
  Value place = node.iota(sizes, last, i64);
  Value behind = node.binary<AddOp>(place, each(node.binary<SubOp>(covered, whole)));
  Value token = node.select(node.compare(Predicate::lt, place, each(whole)), inBlocks, behind);
  return {node.select(node.compare(Predicate::lt, place, each(count)), token, node.splat(-1, token)), count};
}

SparseSelection::Selected SparseSelection::entries(Value scores, Value visible) {
  if (node.hasFailed())
    return {visible, visible};
  int64_t last = rankOf(scores) - 1;
  Value top = best(scores, visible);
  Value limit = node.broadcast(visible, firstDims(last), node.sizesOf(top));
  Value count = node.binary<MaxOp>(node.binary<MinOp>(visible, double(chosen)), 0.0);
  return {node.select(node.compare(Predicate::lt, top, limit), top, node.splat(-1, top)), count};
}
