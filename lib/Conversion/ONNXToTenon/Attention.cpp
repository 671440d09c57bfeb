//===- Attention.cpp - Attention and what stands around it in ONNX ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// softmax(softcap(Q K^T * scale) + bias) V, where bias is -inf at the keys that a query doesn't see. Heads
/// of queries that share a head of keys run in one dimension of their own, so that keys and values aren't
/// repeated.
class Attention {
public:
  explicit Attention(Node &node) : node(node) {}

  Results convert() {
    if (!placeHeads() || !appendPast())
      return failure();
    Value scores =
        node.contract(query, key, 6, {0, 1, 2, 3, 5}, {0, 1, 4, 5}, {0, 1, 2, 3, 4}, elementOf(query));
    scores = node.reshape(scores, scoreSizes());
    double scale = node.number("scale", 1 / std::sqrt(double(typeOf(query).getShape().back())));
    scores = node.binary<MulOp>(scores, scale);
    Value raw = scores;
    if (double softcap = node.number("softcap", 0); softcap > 0)
      scores = node.binary<MulOp>(node.unary<TanhOp>(node.binary<DivOp>(scores, softcap)), softcap);
    Value capped = scores;
    auto visible = visibility();
    if (node.hasFailed())
      return failure();
    Value masked = withBias(scores, visible);
    Value weights = softmax(masked, visible);
    Value grouped = node.reshape(weights, groupedScoreSizes());
    Value y =
        node.contract(grouped, value, 6, {0, 1, 2, 3, 4}, {0, 1, 4, 5}, {0, 1, 2, 3, 5}, elementOf(query));
    Sizes sizes = node.sizesOf(y);
    y = node.reshape(y, {sizes[0], node.product({sizes[1], sizes[2]}), sizes[3], sizes[4]});
    if (isFlat) {
      y = node.transpose(y, {0, 2, 1, 3});
      sizes = node.sizesOf(y);
      y = node.reshape(y, {sizes[0], sizes[1], node.product({sizes[2], sizes[3]})});
    }
    Value stages[] = {raw, capped, masked, weights};
    int64_t stage = node.integer("qk_matmul_output_mode", 0);
    if (stage < 0 || stage > 3)
      return node.error() << "expects qk_matmul_output_mode from 0 to 3, but has " << stage;
    return {y, key, value, node.isUsed(3) ? stages[stage] : Value()};
  }

private:
  /// `[B, S, heads * D]` as `[B, heads, S, D]`.
  Value apart(Value x, int64_t heads) {
    Sizes sizes = node.sizesOf(x);
    if (isStatic(sizes[2]) && SizeAnalysis::staticSize(sizes[2]) % heads != 0)
      node.error() << "expects heads (" << heads << ") to divide the last size ("
                   << SizeAnalysis::staticSize(sizes[2]) << ")";
    AffineExpr depth = node.quotient(sizes[2], node.size(heads));
    return node.transpose(node.reshape(x, {sizes[0], sizes[1], node.size(heads), depth}), {0, 2, 1, 3});
  }

  bool placeHeads() {
    query = node[0];
    key = node[1];
    value = node[2];
    isFlat = rankOf(query) == 3;
    if ((!isFlat && rankOf(query) != 4) || rankOf(key) != rankOf(query) || rankOf(value) != rankOf(query)) {
      node.error() << "expects query, key and value of one rank, 3 or 4, but has " << typeOf(query) << ", "
                   << typeOf(key) << " and " << typeOf(value);
      return false;
    }
    if (isFlat) {
      int64_t queryHeads = node.integer("q_num_heads", 0), keyHeads = node.integer("kv_num_heads", 0);
      if (queryHeads < 1 || keyHeads < 1) {
        node.error() << "expects positive q_num_heads and kv_num_heads, but has " << queryHeads << " and "
                     << keyHeads;
        return false;
      }
      query = apart(query, queryHeads);
      key = apart(key, keyHeads);
      value = apart(value, keyHeads);
    }
    int64_t queryHeads = typeOf(query).getDimSize(1), keyHeads = typeOf(key).getDimSize(1);
    if (node.hasFailed())
      return false;
    if (ShapedType::isDynamic(queryHeads) || ShapedType::isDynamic(keyHeads) || keyHeads == 0 ||
        ShapedType::isDynamic(typeOf(query).getShape().back())) {
      node.unsupported() << "the heads of " << typeOf(query) << " and " << typeOf(key)
                         << " are not known when compiling";
      return false;
    }
    if (queryHeads % keyHeads != 0) {
      node.error() << "expects the heads of keys (" << keyHeads << ") to divide those of queries ("
                   << queryHeads << ")";
      return false;
    }
    Sizes sizes = node.sizesOf(query);
    queryLength = sizes[2];
    query = node.reshape(
        query, {sizes[0], node.size(keyHeads), node.size(queryHeads / keyHeads), sizes[2], sizes[3]});
    return true;
  }

  bool appendPast() {
    pastLength = node.size(0);
    if (node.has(4) != node.has(5)) {
      node.error() << "expects both past_key and past_value, or none";
      return false;
    }
    if (node.has(4)) {
      if (rankOf(node[4]) != 4 || rankOf(node[5]) != 4) {
        node.error() << "expects past_key and past_value of rank 4, but has " << typeOf(node[4]) << " and "
                     << typeOf(node[5]);
        return false;
      }
      pastLength = node.sizeOf(node[4], 2);
      key = node.concat({node[4], key}, 2);
      value = node.concat({node[5], value}, 2);
    }
    keyLength = node.sizeOf(key, 2);
    return !node.hasFailed();
  }

  Sizes groupedScoreSizes() {
    Sizes sizes = node.sizesOf(query);
    return {sizes[0], sizes[1], sizes[2], sizes[3], keyLength};
  }
  Sizes scoreSizes() {
    Sizes sizes = groupedScoreSizes();
    return {sizes[0], node.product({sizes[1], sizes[2]}), sizes[3], sizes[4]};
  }

  struct Visibility {
    SmallVector<Value> conditions; ///< i1, of sizes that broadcast to those of the scores
    Value bias;                    ///< what is added to the scores; null for nothing
  };

  Value number(AffineExpr size) {
    return node.fromSizes(size, RankedTensorType::get({}, node.builder.getI64Type()));
  }

  Visibility visibility() {
    Visibility result;
    if (node.has(3))
      addMask(node[3], result);
    Type i64 = node.builder.getI64Type();
    Value lengths = node.has(6) ? node.reshape(node.cast(node[6], i64), {node.sizeOf(query, 0), node.size(1),
                                                                         node.size(1), node.size(1)})
                                : Value();
    int64_t left = node.integer("left_window_size", -1), right = node.integer("right_window_size", -1);
    bool isCausal = node.flag("is_causal");
    if (isCausal || left >= 0 || right >= 0) {
      // The place of a query among the keys, less that of the key.
      Sizes places = {queryLength, keyLength};
      Value distance = node.binary<SubOp>(node.iota(places, 0, i64), node.iota(places, 1, i64));
      if (lengths) {
        Value offset = node.binary<SubOp>(lengths, number(queryLength));
        Sizes batched = {node.sizeOf(query, 0), node.size(1), queryLength, keyLength};
        distance = node.binary<AddOp>(node.broadcastTo(distance, batched), node.broadcastTo(offset, batched));
      } else if (!isStatic(pastLength, 0)) {
        distance = node.binary<AddOp>(distance, number(pastLength));
      }
      if (isCausal)
        result.conditions.push_back(node.compare(Predicate::ge, distance, 0.0));
      if (left >= 0)
        result.conditions.push_back(node.compare(Predicate::le, distance, double(left)));
      if (right >= 0)
        result.conditions.push_back(node.compare(Predicate::ge, distance, double(-right)));
    }
    if (lengths) {
      Sizes places = {node.sizeOf(query, 0), node.size(1), node.size(1), keyLength};
      Value place = node.broadcastTo(node.iota(keyLength, 0, i64), places);
      result.conditions.push_back(node.compare(Predicate::lt, place, node.broadcastTo(lengths, places)));
    }
    return result;
  }

  /// A mask that is shorter than the keys hides the rest.
  void addMask(Value mask, Visibility &result) {
    bool isCondition = elementOf(mask).isInteger(1);
    AffineExpr width = node.sizeOf(mask, rankOf(mask) - 1);
    if (width != keyLength && !isStatic(width, 1)) {
      Sizes low(rankOf(mask), node.size(0)), high = low;
      high.back() = node.largest(node.sizes.simplify(keyLength - width), node.size(0));
      double hidden = isCondition ? 0 : -std::numeric_limits<double>::infinity();
      mask = node.pad(mask, node.scalar(hidden, elementOf(mask)), low, high);
    }
    if (isCondition)
      result.conditions.push_back(mask);
    else
      result.bias = node.cast(mask, elementOf(query));
  }

  Value withBias(Value scores, Visibility &visible) {
    Sizes sizes = node.sizesOf(scores);
    if (visible.bias)
      scores = node.binary<AddOp>(scores, node.broadcastTo(visible.bias, sizes));
    for (Value condition : visible.conditions)
      scores = node.select(node.broadcastTo(condition, sizes), scores,
                           node.splat(-std::numeric_limits<double>::infinity(), scores));
    return scores;
  }

  /// A query that sees no key has weights of 0, not NaN.
  Value softmax(Value scores, Visibility &visible) {
    Type precise = elementTypeOf(node.integer("softmax_precision", 1), node.builder.getContext());
    if (!isa_and_present<FloatType>(precise)) {
      node.error() << "expects a floating-point type as softmax_precision, but has "
                   << node.integer("softmax_precision", 1);
      return scores;
    }
    Value wide = node.cast(scores, precise);
    Value weights =
        SoftmaxOp::create(node.builder, node.loc, wide.getType(), wide, ArrayRef<int64_t>{3}, false);
    if (visible.bias || !visible.conditions.empty()) {
      Value best = node.reduce(Combiner::max, wide, {3}, /*keepDims=*/true);
      Value isBlind = node.compare(Predicate::eq, best, -std::numeric_limits<double>::infinity());
      weights =
          node.select(node.broadcastTo(isBlind, node.sizesOf(weights)), node.splat(0, weights), weights);
    }
    return node.cast(weights, elementOf(scores));
  }

  Node &node;
  Value query, key, value; ///< `[B, Hk, G, Sq, D]`, `[B, Hk, Sk, D]`
  AffineExpr queryLength, keyLength, pastLength;
  bool isFlat = false;
};

Results attention(Node &node) { return Attention(node).convert(); }

/// Rotates pairs of the last dimension by the angles of their places.
Results rotaryEmbedding(Node &node) {
  Value x = node[0], cosine = node[1], sine = node[2];
  bool isFlat = rankOf(x) == 3, interleaved = node.flag("interleaved");
  Sizes original = node.sizesOf(x);
  if (isFlat) {
    int64_t heads = node.integer("num_heads", 0);
    if (heads < 1)
      return node.error() << "expects a positive num_heads, but has " << heads;
    x = node.reshape(
        x, {original[0], original[1], node.size(heads), node.quotient(original[2], node.size(heads))});
  } else if (rankOf(x) == 4) {
    x = node.transpose(x, {0, 2, 1, 3});
  } else {
    return node.error() << "expects an operand of rank 3 or 4, but has " << typeOf(x);
  }
  // [B, S, heads, D] from here on.
  int64_t depth = typeOf(x).getDimSize(3), rotated = node.integer("rotary_embedding_dim", 0);
  if (ShapedType::isDynamic(depth))
    return node.unsupported() << "the size of a head in " << typeOf(x) << " is not known when compiling";
  rotated = rotated == 0 ? depth : rotated;
  if (rotated < 0 || rotated > depth || rotated % 2 != 0)
    return node.error() << "expects an even rotary_embedding_dim up to " << depth << ", but has " << rotated;
  if (node.has(3)) {
    cosine = take(node, cosine, node[3], 0);
    sine = take(node, sine, node[3], 0);
  }
  if (rankOf(cosine) != 3 || rankOf(sine) != 3)
    return node.error() << "expects angles of rank 3, but has " << typeOf(cosine) << " and " << typeOf(sine);
  AffineExpr half = node.size(rotated / 2);
  auto part = [&](int64_t i) {
    return interleaved ? node.slice(x, 3, node.size(i), half, 2)
                       : node.slice(x, 3, node.size(i * rotated / 2), half);
  };
  Value a = part(0), b = part(1);
  auto angles = [&](Value table) { return node.broadcastTo(node.unsqueeze(table, {2}), node.sizesOf(a)); };
  Value c = angles(cosine), s = angles(sine);
  Value real = node.binary<SubOp>(node.binary<MulOp>(c, a), node.binary<MulOp>(s, b));
  Value imaginary = node.binary<AddOp>(node.binary<MulOp>(s, a), node.binary<MulOp>(c, b));
  Value result;
  if (interleaved) {
    Sizes sizes = node.sizesOf(real);
    sizes.back() = node.size(rotated);
    result = node.reshape(node.concat({node.unsqueeze(real, {4}), node.unsqueeze(imaginary, {4})}, 4), sizes);
  } else {
    result = node.concat({real, imaginary}, 3);
  }
  if (rotated != depth)
    result = node.concat({result, node.slice(x, 3, node.size(rotated), node.size(depth - rotated))}, 3);
  return isFlat ? node.reshape(result, original) : node.transpose(result, {0, 2, 1, 3});
}
} // namespace

void onnx::addAttentionConverters(ConverterTable &table) {
  table.add("Attention", 23, 3, 7, attention);
  table.add("RotaryEmbedding", 23, 3, 4, rotaryEmbedding);
}
