//===- Attention.cpp - Attention and what stands around it in ONNX ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Graph.h"
#include "Indexing.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// What all forms become
//===----------------------------------------------------------------------===//

Value onnx::numberOf(Node &node, AffineExpr size) {
  return node.fromSizes(size, RankedTensorType::get({}, node.builder.getI64Type()));
}

Value onnx::splitHeads(Node &node, Value x, int64_t heads) {
  Sizes sizes = node.sizesOf(x);
  if (sizes.size() != 3 || heads < 1 || (isStatic(sizes[2]) && SizeAnalysis::staticSize(sizes[2]) % heads != 0)) {
    node.error() << "expects rank 3 and heads (" << heads << ") that divide the last size, but has " << typeOf(x);
    return x;
  }
  node.expectMultiple(sizes[2], node.size(heads), "heads that divide the last size");
  return node.reshape(x, {sizes[0], sizes[1], node.size(heads), node.quotient(sizes[2], node.size(heads))});
}

namespace {
/// Heads of queries that share a head of keys run in one dimension of their own, so that keys and values
/// aren't repeated. Where each has its own there is no such dimension.
class Attend {
public:
  Attend(Node &node, AttentionTerms &terms) : node(node), terms(terms) {
    heads = node.sizeOf(terms.query, 1);
    keyHeads = node.sizeOf(terms.key, 1);
    isGrouped = heads != keyHeads;
    // b, h, (g), s, t, d
    batch = {0, 1};
    if (isGrouped)
      batch.push_back(2);
    row = batch.size();
    column = row + 1;
    depth = row + 2;
  }

  AttentionStages run() {
    AttentionStages stages;
    Value query = isGrouped ? groupedQuery() : terms.query;
    Value scores = node.contract(query, terms.key, depth + 1, join(batch, {row, depth}), {0, 1, column, depth},
                                 join(batch, {row, column}), scoreElement());
    sizes = node.sizesOf(scores);
    scores = terms.factor ? node.binary<MulOp>(scores, node.cast(terms.factor, elementOf(scores)))
                          : node.binary<MulOp>(scores, terms.scale);
    stages.raw = ungrouped(scores);
    if (terms.softcap > 0)
      scores = node.binary<MulOp>(node.unary<TanhOp>(node.binary<DivOp>(scores, terms.softcap)), terms.softcap);
    stages.capped = ungrouped(scores);
    scores = masked(scores);
    stages.masked = ungrouped(scores);
    Value weights = softmax(scores);
    stages.weights = ungrouped(weights);
    SmallVector<unsigned> places = terms.isFlat ? join({0, row}, ArrayRef(batch).drop_front()) : join(batch, {row});
    Value y = node.contract(weights, terms.value, depth + 1, join(batch, {row, column}), {0, 1, column, depth},
                            join(places, {depth}), elementOf(terms.query));
    Sizes query4 = node.sizesOf(terms.query);
    AffineExpr width = node.sizeOf(terms.value, 3);
    stages.result = node.reshape(y, terms.isFlat ? Sizes{query4[0], query4[2], node.product({query4[1], width})}
                                                 : Sizes{query4[0], query4[1], query4[2], width});
    return stages;
  }

private:
  static SmallVector<unsigned> join(ArrayRef<unsigned> a, ArrayRef<unsigned> b) {
    SmallVector<unsigned> result(a);
    result.append(b.begin(), b.end());
    return result;
  }

  /// What becomes one op later is computed in f32 as a whole; the other forms have scores of their own.
  Type scoreElement() {
    Type element = elementOf(terms.query);
    bool isNarrow = element.getIntOrFloatBitWidth() < 32;
    return isNarrow && terms.sink ? node.builder.getF32Type() : element;
  }

  Sizes groupedSizes(Sizes all, size_t dim) {
    all[dim] = keyHeads;
    all.insert(all.begin() + dim + 1, node.quotient(heads, keyHeads));
    return all;
  }

  Value groupedQuery() {
    auto transpose = terms.query.getDefiningOp<TransposeOp>();
    if (!transpose || transpose.getPermutation() != ArrayRef<int64_t>{0, 2, 1, 3})
      return node.reshape(terms.query, groupedSizes(node.sizesOf(terms.query), 1));
    Value x = transpose.getOperand();
    return node.transpose(node.reshape(x, groupedSizes(node.sizesOf(x), 2)), {0, 2, 3, 1, 4});
  }

  Value ungrouped(Value scores) { return node.reshape(scores, {sizes[0], heads, sizes[row], sizes[column]}); }

  /// What broadcasts to `[B, H, S, T]` so that it broadcasts to the scores.
  Value grouped(Value x) {
    if (!isGrouped || rankOf(x) < 3)
      return x;
    int64_t dim = rankOf(x) - 3;
    if (isStatic(node.sizeOf(x, dim), 1))
      return node.unsqueeze(x, {dim});
    Sizes whole = node.sizesOf(x);
    whole[dim] = heads;
    x = node.broadcastTo(x, whole);
    return node.reshape(x, groupedSizes(whole, dim));
  }

  /// One value out of several, of their common sizes.
  template <typename Op> Value combined(ArrayRef<Value> values) {
    Value result;
    for (Value value : values) {
      SmallVector<Value> pair = {grouped(value)};
      if (result)
        pair.push_back(result);
      if (!node.broadcastAll(pair))
        return value;
      result = result ? node.binary<Op>(pair[1], pair[0]) : pair[0];
    }
    return result;
  }

  Value masked(Value scores) {
    constexpr double hidden = -std::numeric_limits<double>::infinity();
    Value visible = combined<AndOp>(terms.visible), bias = combined<AddOp>(terms.biases);
    if (node.hasFailed())
      return scores;
    // One sum or one choice: that is what is recognised as part of attention.
    if (bias && visible) {
      SmallVector<Value> pair = {visible, bias};
      if (!node.broadcastAll(pair))
        return scores;
      bias = node.select(pair[0], pair[1], node.splat(hidden, pair[1]));
      visible = {};
    }
    if (bias)
      return node.binary<AddOp>(scores, node.cast(node.broadcastTo(bias, sizes), elementOf(scores)));
    if (visible)
      return node.select(node.broadcastTo(visible, sizes), scores, node.splat(hidden, scores));
    return scores;
  }

  Value softmax(Value scores) {
    int64_t rank = rankOf(scores);
    Value wide = terms.precise ? node.cast(scores, terms.precise) : scores;
    if (terms.sink) {
      Sizes one = sizes;
      one.back() = node.size(1);
      Value sink = node.cast(terms.sink, elementOf(wide));
      if (isGrouped)
        sink = node.reshape(sink, groupedSizes(node.sizesOf(sink), 0));
      SmallVector<int64_t> dims = isGrouped ? SmallVector<int64_t>{1, 2} : SmallVector<int64_t>{1};
      wide = node.concat({wide, node.broadcast(sink, dims, one)}, rank - 1);
    }
    Value weights = SoftmaxOp::create(node.builder, node.loc, wide.getType(), wide, ArrayRef<int64_t>{rank - 1}, false);
    if (terms.sink)
      weights = node.slice(weights, rank - 1, node.size(0), sizes.back());
    if (terms.mayBeBlind) {
      Value best = node.reduce(Combiner::max, wide, {rank - 1}, /*keepDims=*/true);
      Value isBlind = node.compare(Predicate::eq, best, -std::numeric_limits<double>::infinity());
      weights = node.select(node.broadcastTo(isBlind, node.sizesOf(weights)), node.splat(0, weights), weights);
    }
    return node.cast(weights, elementOf(terms.query));
  }

  Node &node;
  AttentionTerms &terms;
  AffineExpr heads, keyHeads;
  bool isGrouped;
  SmallVector<unsigned> batch;
  unsigned row, column, depth;
  Sizes sizes; ///< of the scores
};
} // namespace

AttentionStages onnx::attend(Node &node, AttentionTerms terms) { return Attend(node, terms).run(); }

//===----------------------------------------------------------------------===//
// The standard's operators
//===----------------------------------------------------------------------===//

Value onnx::reciprocalRoot(Node &node, AffineExpr size) {
  Value root = node.unary<SqrtOp>(node.cast(numberOf(node, size), node.builder.getF32Type()));
  return node.unary<ReciprocalOp>(root);
}

namespace {
class Attention {
public:
  explicit Attention(Node &node) : node(node) {}

  Results convert() {
    if (!placeHeads() || !appendPast())
      return failure();
    setScale();
    terms.softcap = node.number("softcap", 0);
    terms.precise = elementTypeOf(node.integer("softmax_precision", 1), node.builder.getContext());
    if (!isa_and_present<FloatType>(terms.precise))
      return node.error() << "expects a floating-point type as softmax_precision, but has "
                          << node.integer("softmax_precision", 1);
    addVisibility();
    terms.mayBeBlind = !terms.visible.empty() || !terms.biases.empty();
    int64_t stage = node.integer("qk_matmul_output_mode", 0);
    if (stage < 0 || stage > 3)
      return node.error() << "expects qk_matmul_output_mode from 0 to 3, but has " << stage;
    if (node.hasFailed())
      return failure();
    AttentionStages stages = attend(node, terms);
    Value all[] = {stages.raw, stages.capped, stages.masked, stages.weights};
    return {stages.result, terms.key, terms.value, node.isUsed(3) ? all[stage] : Value()};
  }

private:
  bool placeHeads() {
    Value query = node[0], key = node[1], value = node[2];
    terms.isFlat = rankOf(query) == 3;
    if ((!terms.isFlat && rankOf(query) != 4) || rankOf(key) != rankOf(query) || rankOf(value) != rankOf(query)) {
      node.error() << "expects query, key and value of one rank, 3 or 4, but has " << typeOf(query) << ", "
                   << typeOf(key) << " and " << typeOf(value);
      return false;
    }
    if (terms.isFlat) {
      int64_t queryHeads = node.integer("q_num_heads", 0), keyHeads = node.integer("kv_num_heads", 0);
      if (queryHeads < 1 || keyHeads < 1) {
        node.error() << "expects positive q_num_heads and kv_num_heads, but has " << queryHeads << " and " << keyHeads;
        return false;
      }
      auto apart = [&](Value x, int64_t heads) {
        x = splitHeads(node, x, heads);
        return node.hasFailed() ? x : node.transpose(x, {0, 2, 1, 3});
      };
      query = apart(query, queryHeads);
      key = apart(key, keyHeads);
      value = apart(value, keyHeads);
    }
    if (node.hasFailed())
      return false;
    key = node.withSize(key, 3, node.sizeOf(query, 3), "queries and keys with heads of one size");
    value = node.withSizes(value, {AffineExpr(), node.sizeOf(key, 1), node.sizeOf(key, 2), AffineExpr()},
                           "as many values as keys");
    node.expectMultiple(node.sizeOf(query, 1), node.sizeOf(key, 1), "the heads of keys to divide those of queries");
    if (node.hasFailed())
      return false;
    queryLength = node.sizeOf(query, 2);
    terms.query = query;
    terms.key = key;
    terms.value = value;
    return true;
  }

  /// One over the root of the size of a head, where no attribute says it.
  void setScale() {
    AffineExpr depth = node.sizeOf(terms.query, 3);
    terms.scale = node.number("scale", isStatic(depth) ? 1 / std::sqrt(double(SizeAnalysis::staticSize(depth))) : 1);
    if (isStatic(depth) || node.hasAttribute("scale"))
      return;
    terms.factor = reciprocalRoot(node, depth);
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
      terms.key = node.concat({node[4], terms.key}, 2);
      terms.value = node.concat({node[5], terms.value}, 2);
    }
    keyLength = node.sizeOf(terms.key, 2);
    return !node.hasFailed();
  }

  void addVisibility() {
    if (node.has(3))
      addMask(node[3]);
    Type i64 = node.builder.getI64Type();
    Value lengths;
    if (node.has(6) && rankOf(node[6]) != 1) {
      node.error() << "expects a vector as nonpad_kv_seqlen, but has " << typeOf(node[6]);
      return;
    }
    if (node.has(6)) {
      AffineExpr batch = node.sizeOf(terms.query, 0);
      lengths = node.withSize(node.cast(node[6], i64), 0, batch, "one length of keys for each of the batch");
      lengths = node.reshape(lengths, {batch, node.size(1), node.size(1), node.size(1)});
    }
    int64_t left = node.integer("left_window_size", -1), right = node.integer("right_window_size", -1);
    bool isCausal = node.flag("is_causal");
    if (isCausal || left >= 0 || right >= 0) {
      // The place of a query among the keys, less that of the key.
      Sizes places = {queryLength, keyLength};
      Value distance = node.binary<SubOp>(node.iota(places, 0, i64), node.iota(places, 1, i64));
      if (lengths) {
        Value offset = node.binary<SubOp>(lengths, numberOf(node, queryLength));
        Sizes batched = {node.sizeOf(terms.query, 0), node.size(1), queryLength, keyLength};
        distance = node.binary<AddOp>(node.broadcastTo(distance, batched), node.broadcastTo(offset, batched));
      } else if (!isStatic(pastLength, 0)) {
        distance = node.binary<AddOp>(distance, numberOf(node, pastLength));
      }
      if (isCausal)
        terms.visible.push_back(node.compare(Predicate::ge, distance, 0.0));
      if (left >= 0)
        terms.visible.push_back(node.compare(Predicate::le, distance, double(left)));
      if (right >= 0)
        terms.visible.push_back(node.compare(Predicate::ge, distance, double(-right)));
    }
    if (lengths) {
      Sizes places = {node.sizeOf(terms.query, 0), node.size(1), node.size(1), keyLength};
      Value place = node.broadcastTo(node.iota(keyLength, 0, i64), places);
      terms.visible.push_back(node.compare(Predicate::lt, place, node.broadcastTo(lengths, places)));
    }
  }

  /// A mask that is shorter than the keys hides the rest.
  void addMask(Value mask) {
    bool isCondition = elementOf(mask).isInteger(1);
    AffineExpr width = node.sizeOf(mask, rankOf(mask) - 1);
    if (width != keyLength && !isStatic(width, 1)) {
      Sizes low(rankOf(mask), node.size(0)), high = low;
      high.back() = node.largest(node.sizes.simplify(keyLength - width), node.size(0));
      double hidden = isCondition ? 0 : -std::numeric_limits<double>::infinity();
      mask = node.pad(mask, node.scalar(hidden, elementOf(mask)), low, high);
    }
    if (isCondition)
      terms.visible.push_back(mask);
    else
      terms.biases.push_back(node.cast(mask, elementOf(terms.query)));
  }

  Node &node;
  AttentionTerms terms;
  AffineExpr queryLength, keyLength, pastLength;
};

Results attention(Node &node) { return Attention(node).convert(); }

/// What a subgraph makes of scores or weights; nothing where there is no such subgraph, null after an error.
Value modified(Node &node, StringRef name, Value scores) {
  Region *source = node.op.getBody(name);
  if (!source)
    return scores;
  if (source->front().getNumArguments() != 1 || source->front().getTerminator()->getNumOperands() != 1) {
    node.error() << "expects one input and one output of the subgraph '" << name << "'";
    return {};
  }
  auto values = node.graph.convertBody(*source, {scores});
  if (failed(values))
    return {};
  Value result = values->front();
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || type.getElementType() != elementOf(scores) || type.getRank() != 4) {
    node.error() << "expects what the subgraph '" << name << "' takes, " << typeOf(scores)
                 << ", also as its output, but has " << result.getType();
    return {};
  }
  return node.broadcastTo(result, node.sizesOf(scores));
}

/// Attention with subgraphs that change scores and weights.
Results flexAttention(Node &node) {
  Value query = node[0], key = node[1], value = node[2];
  for (Value x : node.all())
    if (rankOf(x) != 4 || elementOf(x) != elementOf(query) || !isa<FloatType>(elementOf(x)))
      return node.error()
             << "expects query, key and value [B, heads, length, size] of one floating-point type, but has "
             << typeOf(x);
  AffineExpr heads = node.sizeOf(query, 1), keyHeads = node.sizeOf(key, 1), depth = node.sizeOf(query, 3);
  key = node.withSize(key, 3, depth, "queries and keys with heads of one size");
  value = node.withSizes(value, {AffineExpr(), keyHeads, node.sizeOf(key, 2), AffineExpr()}, "as many values as keys");
  node.expectMultiple(heads, keyHeads, "the heads of keys to divide those of queries");
  if (node.hasFailed())
    return failure();
  bool isWide = elementOf(query).isF64();
  Type precise = elementTypeOf(node.integer("softmax_precision", isWide ? 11 : 1), node.builder.getContext());
  if (!isa_and_present<FloatType>(precise))
    return node.error() << "expects a floating-point type as softmax_precision, but has "
                        << node.integer("softmax_precision", 1);
  Sizes sizes = node.sizesOf(query);
  AffineExpr group = node.quotient(heads, keyHeads), length = node.sizeOf(key, 2), width = node.sizeOf(value, 3);
  // b, h, g, s, t, d: heads that share keys are a dimension of their own.
  auto grouped = [&](Value x) {
    Sizes all = node.sizesOf(x);
    return node.reshape(x, {all[0], keyHeads, group, all[2], all[3]});
  };
  Value scores = node.contract(node.cast(grouped(query), precise), node.cast(key, precise), 6, {0, 1, 2, 3, 5},
                               {0, 1, 4, 5}, {0, 1, 2, 3, 4}, precise);
  scores = node.reshape(scores, {sizes[0], sizes[1], sizes[2], length});
  if (isStatic(depth) || node.hasAttribute("scale"))
    scores = node.binary<MulOp>(
        scores, node.number("scale", isStatic(depth) ? 1 / std::sqrt(double(SizeAnalysis::staticSize(depth))) : 1));
  else
    scores = node.binary<MulOp>(scores, node.cast(reciprocalRoot(node, depth), precise));
  scores = modified(node, "score_mod", scores);
  if (!scores || node.hasFailed())
    return failure();
  Value weights = SoftmaxOp::create(node.builder, node.loc, scores.getType(), scores, ArrayRef<int64_t>{3}, false);
  weights = modified(node, "prob_mod", weights);
  if (!weights || node.hasFailed())
    return failure();
  Value y = node.contract(grouped(weights), node.cast(value, precise), 6, {0, 1, 2, 3, 4}, {0, 1, 4, 5},
                          {0, 1, 2, 3, 5}, precise);
  return node.cast(node.reshape(y, {sizes[0], sizes[1], sizes[2], width}), elementOf(query));
}
} // namespace

Value onnx::rotate(Node &node, Value x, Value cosine, Value sine, AffineExpr rotated, bool interleaved) {
  AffineExpr depth = node.sizeOf(x, 3), rest = node.sizes.simplify(depth - rotated);
  if ((isStatic(rotated) && (SizeAnalysis::staticSize(rotated) < 0 || SizeAnalysis::staticSize(rotated) % 2 != 0)) ||
      (isStatic(rest) && SizeAnalysis::staticSize(rest) < 0)) {
    InFlightDiagnostic error = node.error() << "expects an even rotary_embedding_dim";
    if (isStatic(depth))
      error << " up to " << SizeAnalysis::staticSize(depth);
    error << ", but has " << SizeAnalysis::staticSize(rotated);
    return x;
  }
  node.expectMultiple(rotated, node.size(2), "an even size of heads");
  if (rankOf(cosine) != 3 || rankOf(sine) != 3) {
    node.error() << "expects angles of rank 3, but has " << typeOf(cosine) << " and " << typeOf(sine);
    return x;
  }
  AffineExpr half = node.sizes.simplify(rotated.floorDiv(2));
  auto part = [&](int64_t i) {
    return interleaved ? node.slice(x, 3, node.size(i), half, 2)
                       : node.slice(x, 3, node.sizes.simplify(half * i), half);
  };
  Value a = part(0), b = part(1);
  auto angles = [&](Value table) { return node.broadcastTo(node.unsqueeze(table, {2}), node.sizesOf(a)); };
  Value c = angles(cosine), s = angles(sine);
  Value real = node.binary<SubOp>(node.binary<MulOp>(c, a), node.binary<MulOp>(s, b));
  Value imaginary = node.binary<AddOp>(node.binary<MulOp>(s, a), node.binary<MulOp>(c, b));
  Value result;
  if (interleaved) {
    Sizes sizes = node.sizesOf(real);
    sizes.back() = rotated;
    result = node.reshape(node.concat({node.unsqueeze(real, {4}), node.unsqueeze(imaginary, {4})}, 4), sizes);
  } else {
    result = node.concat({real, imaginary}, 3);
  }
  if (!isStatic(rest, 0))
    result = node.concat({result, node.slice(x, 3, rotated, rest)}, 3);
  return result;
}

/// Rotates pairs of the last dimension by the angles of their places.
static Results rotaryEmbedding(Node &node) {
  Value x = node[0], cosine = node[1], sine = node[2];
  bool isFlat = rankOf(x) == 3;
  Sizes original = node.sizesOf(x);
  if (isFlat) {
    int64_t heads = node.integer("num_heads", 0);
    if (heads < 1)
      return node.error() << "expects a positive num_heads, but has " << heads;
    x = node.reshape(x, {original[0], original[1], node.size(heads), node.quotient(original[2], node.size(heads))});
  } else if (rankOf(x) == 4) {
    x = node.transpose(x, {0, 2, 1, 3});
  } else {
    return node.error() << "expects an operand of rank 3 or 4, but has " << typeOf(x);
  }
  if (rankOf(cosine) == rankOf(sine))
    sine = node.withSizes(sine, node.sizesOf(cosine), "as many sines as cosines");
  if (node.has(3)) {
    cosine = take(node, cosine, node[3], 0);
    sine = take(node, sine, node[3], 0);
  }
  int64_t rotated = node.integer("rotary_embedding_dim", 0);
  x = rotate(node, x, cosine, sine, rotated == 0 ? node.sizeOf(x, 3) : node.size(rotated), node.flag("interleaved"));
  if (node.hasFailed())
    return failure();
  return isFlat ? node.reshape(x, original) : node.transpose(x, {0, 2, 1, 3});
}

void onnx::addAttentionConverters(ConverterTable &table) {
  table.add("Attention", 23, 3, 7, attention);
  table.add("ai.onnx.preview.FlexAttention", 1, 3, 3, flexAttention);
  table.add("RotaryEmbedding", 23, 3, 4, rotaryEmbedding);
}
