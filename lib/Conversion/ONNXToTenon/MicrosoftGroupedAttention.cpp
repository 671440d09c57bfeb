//===- MicrosoftGroupedAttention.cpp - Heads that share keys, with caches that are written into ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Indexing.h"
#include "Microsoft.h"
#include "MicrosoftAttention.h"
#include "Normalization.h"
#include "Quantization.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

static constexpr const char *kBiasSizes = "the attention bias of the sizes of the scores";

Value onnx::updateCache(Node &node, Value past, Value fresh, Value start, AffineExpr length) {
  Type i64 = node.builder.getI64Type();
  Sizes none(4, node.size(0)), high = none;
  high[2] = node.sizes.simplify(length - node.sizeOf(past, 2));
  Value filled = node.pad(past, node.scalar(0, elementOf(past)), none, high);
  Sizes places = {node.sizeOf(past, 0), length};
  Value place = node.iota(places, 1, i64);
  place = node.binary<SubOp>(place, rankOf(start) == 0 ? start : node.broadcast(start, {0}, places));
  Value isFresh = node.binary<AndOp>(node.compare(Predicate::ge, place, 0.0),
                                     node.compare(Predicate::lt, place, numberOf(node, node.sizeOf(fresh, 1))));
  Value moved = node.gather(fresh, node.unsqueeze(place, {2}), {1}, 1, IndexMode::clamp);
  moved = node.transpose(moved, {0, 2, 1, 3});
  Sizes sizes = node.sizesOf(filled);
  Value isPast = node.compare(Predicate::lt, place, 0.0);
  filled = node.select(node.broadcast(isPast, {0, 2}, sizes), filled, node.splat(0, filled));
  return node.select(node.broadcast(isFresh, {0, 2}, sizes), moved, filled);
}

Value onnx::rotateAt(Node &node, Value x, Value places, Value cosines, Value sines, bool interleaved) {
  if (rankOf(cosines) != 2 || rankOf(sines) != 2) {
    node.error() << "expects matrices of cosines and sines, but has " << typeOf(cosines) << " and " << typeOf(sines);
    return x;
  }
  int64_t half = typeOf(cosines).getDimSize(1);
  if (ShapedType::isDynamic(half)) {
    node.unsupported() << "the number of angles in " << typeOf(cosines) << " is not known when compiling";
    return x;
  }
  return rotate(node, x, take(node, cosines, places, 0), take(node, sines, places, 0), node.size(2 * half),
                interleaved);
}

bool onnx::haveKnownSize(Node &node, ArrayRef<Value> all) {
  for (Value x : all)
    if (node.hasFailed() || ShapedType::isDynamic(typeOf(x).getDimSize(3))) {
      node.unsupported() << "the size of a head in " << typeOf(x) << " is not known when compiling";
      return false;
    }
  return true;
}

double onnx::scaleOf(Node &node, Value query) {
  double scale = node.number("scale", 0);
  return scale != 0 ? scale : 1 / std::sqrt(double(typeOf(query).getShape().back()));
}

Value onnx::scoreBias(Node &node, Value bias, AffineExpr queries, AffineExpr keys, bool isFilledUp) {
  if (rankOf(bias) != 4) {
    node.error() << "expects an attention bias of rank 4, but has " << typeOf(bias);
    return bias;
  }
  AffineExpr width = node.sizeOf(bias, 3);
  if (isFilledUp && width != keys) {
    Sizes none(4, node.size(0)), high = none;
    high[3] = node.largest(node.sizes.simplify(keys - width), node.size(0));
    bias = node.slice(node.pad(bias, node.scalar(0, elementOf(bias)), none, high), 3, node.size(0), keys);
  }
  bias = node.withSize(bias, 3, keys, kBiasSizes);
  return isStatic(node.sizeOf(bias, 2), 1) ? bias : node.withSize(bias, 2, queries, kBiasSizes);
}

namespace {
//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

constexpr size_t absent = ~size_t(0) / 2; // so that what stands behind is absent too

/// How a cache holds keys or values: as they are, or as numbers of few bits times a scale for all of them or
/// per head and place in it. Those of 4 bits are 8 too large, two in a byte.
class CacheCode {
public:
  CacheCode(Node &node, StringRef kind, Value scale) : node(node), kind(kind), scale(scale) {
    bits = node.integer("kv_cache_bit_width", 8);
  }

  bool isPlain() const { return kind == "NONE"; }

  bool check(Value cache) {
    Type element = cache ? elementOf(cache) : Type();
    if (isPlain() && scale)
      node.error() << "expects no scale of a cache that isn't quantised";
    else if (kind != "NONE" && kind != "PER_TENSOR" && kind != "PER_CHANNEL")
      node.error() << "expects NONE, PER_TENSOR or PER_CHANNEL as k_quant_type and v_quant_type, but has '" << kind
                   << "'";
    else if (!isPlain() && (!cache || !scale))
      node.error() << "expects a cache and its scale where k_quant_type or v_quant_type says that it is quantised";
    else if (!isPlain() && !(bits == 4 && element.isUnsignedInteger(8)) &&
             !(bits == 8 && (element.isSignlessInteger(8) || isa<Float8E4M3FNType>(element))))
      node.error() << "expects a quantised cache of int8, of float8e4m3fn, or with kv_cache_bit_width 4 of "
                      "uint8, but has "
                   << typeOf(cache) << " and kv_cache_bit_width " << bits;
    else if (!isPlain() && !isSingle(scale) && rankOf(scale) != 4)
      node.error() << "expects one scale of the cache or one per head and place in it, but has " << typeOf(scale);
    return !node.hasFailed();
  }

  /// How many elements of the cache hold a head.
  int64_t width(int64_t depth) const { return !isPlain() && bits == 4 ? depth / 2 : depth; }

  /// `[B, S, H, D]` as the cache holds it.
  Value encode(Value x, Type element) {
    if (isPlain())
      return x;
    Value y = node.cast(x, node.builder.getF32Type());
    Value divisor = isSingle(scale) ? node.reshape(scale, {}) : node.moveDim(scale, 1, 2);
    y = node.binary<DivOp>(y, node.broadcastTo(divisor, node.sizesOf(y)));
    if (isa<FloatType>(element))
      return node.cast(y, element, /*saturate=*/true);
    double least = -double(1 << (bits - 1));
    y = node.clamp(node.unary<RoundOp>(y), least, -least - 1);
    if (bits == 8)
      return node.cast(y, element);
    y = node.cast(node.binary<AddOp>(y, -least), element);
    Sizes whole = node.sizesOf(y), pairs = whole;
    pairs.back() = node.quotient(pairs.back(), node.size(2));
    whole = pairs;
    pairs.push_back(node.size(2));
    y = node.reshape(y, pairs);
    auto half = [&](int64_t i) { return node.reshape(node.slice(y, 4, node.size(i), node.size(1)), whole); };
    return node.binary<OrOp>(half(0), node.binary<ShlOp>(half(1), 4.0));
  }

  /// What a cache `[B, H, T, D]` holds.
  Value decode(Value cache, Type element) {
    if (isPlain())
      return cache;
    Value y = node.cast(bits == 4 ? unpack(node, cache, bits) : cache, node.builder.getF32Type());
    if (bits == 4)
      y = node.binary<SubOp>(y, 8.0);
    Value factor = isSingle(scale) ? node.reshape(scale, {}) : scale;
    return node.cast(node.binary<MulOp>(y, node.broadcastTo(factor, node.sizesOf(y))), element);
  }

private:
  Node &node;
  StringRef kind;
  Value scale;
  int64_t bits;
};

/// Where operands stand beside query, key, value and both pasts.
struct GroupedOperands {
  size_t used;    ///< how many places of the cache are in use with the new ones, per batch entry,
  double behind;  ///< less this
  size_t total;   ///< the most places in use
  size_t cosines; ///< sines stand behind
  size_t places = absent, bias = absent, sink = absent, scales = absent, norms = absent, fresh = absent;
  size_t blockRows = absent; ///< columns stand behind
};

/// Attention of new queries to a cache that their keys and values are written into, behind what was in use of
/// it.
class GroupedAttention {
public:
  GroupedAttention(Node &node, GroupedOperands at)
      : node(node), at(at), keyCode(node, node.string("k_quant_type", "NONE"), node[at.scales]),
        valueCode(node, node.string("v_quant_type", "NONE"), node[at.scales + 1]) {}

  Results convert() {
    if (!check() || !placeHeads())
      return failure();
    i64 = node.builder.getI64Type();
    length = node.sizeOf(query, 1);
    findStart();
    normalizeHeads();
    rotateHeads();
    if (node.hasFailed() || !writeCache())
      return failure();
    terms.query = node.transpose(query, {0, 2, 1, 3});
    terms.scale = scaleOf(node, query);
    terms.softcap = node.number("softcap", 0);
    addVisibility();
    if (node.has(at.blockRows))
      addBlocks();
    if (node.has(at.bias))
      addBias();
    if (node.has(at.sink))
      terms.sink = node[at.sink];
    else if (node.flag("smooth_softmax"))
      terms.sink = node.broadcast(node.scalar(0, elementOf(query)), {}, {node.size(heads)});
    if (terms.sink && (rankOf(terms.sink) != 1 || typeOf(terms.sink).getDimSize(0) != heads))
      return node.error() << "expects a number per head (" << heads << ") as head_sink, but has " << typeOf(terms.sink);
    if (node.hasFailed())
      return failure();
    AttentionStages stages = attend(node, terms);
    return {stages.result, presentKey, presentValue, node.isUsed(3) ? scores(stages) : Value()};
  }

private:
  bool check() {
    heads = node.integer("num_heads", 0);
    keyHeads = node.integer("kv_num_heads", 0);
    if (!node.expect({0, at.used, at.total}))
      return false;
    if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0)
      node.error() << "expects positive kv_num_heads that divides num_heads, but has " << keyHeads << " and " << heads;
    else if (node.has(1) != node.has(2))
      node.error() << "expects both key and value, or neither";
    else if (node.has(3) != node.has(4))
      node.error() << "expects both past_key and past_value, or neither";
    else if (at.norms != absent && node.has(at.norms) != node.has(at.norms + 1))
      node.error() << "expects both q_norm_weight and k_norm_weight, or neither";
    else if (node.flag("do_rotary") && (!node.has(at.cosines) || !node.has(at.cosines + 1)))
      node.error() << "expects cos_cache and sin_cache where do_rotary is set";
    else if (rankOf(node[0]) != 3)
      node.error() << "expects a query of rank 3, but has " << typeOf(node[0]);
    else if (rankOf(node[at.used]) > 2 || !isSingle(node[at.total]))
      node.error() << "expects a vector of lengths and a scalar as total_sequence_length, but has "
                   << typeOf(node[at.used]) << " and " << typeOf(node[at.total]);
    else if (isWindow() && (!node.has(3) || node.integer("local_window_size", -1) < 1 || !node.flag("causal", true)))
      node.error() << "expects a cache, a positive local_window_size and causal 1 where sliding_window_cache is set";
    else if (isWindow() && node.isUsed(3))
      node.unsupported() << "scores (qk_output) of a cache that holds no more than the window (sliding_window_cache)";
    else if (node.isUsed(3) && node.integer("qk_output", 0) != 1 && node.integer("qk_output", 0) != 2)
      node.error() << "expects qk_output 1 or 2 where output_qk is used, but has " << node.integer("qk_output", 0);
    else
      return keyCode.check(node[3]) && valueCode.check(node[4]);
    return !node.hasFailed();
  }

  bool placeHeads() {
    if (node.has(1)) {
      query = splitHeads(node, node[0], heads);
      key = splitHeads(node, node[1], keyHeads);
      value = splitHeads(node, node[2], keyHeads);
    } else {
      Value all = splitHeads(node, node[0], heads + 2 * keyHeads);
      query = node.slice(all, 2, node.size(0), node.size(heads));
      key = node.slice(all, 2, node.size(heads), node.size(keyHeads));
      value = node.slice(all, 2, node.size(heads + keyHeads), node.size(keyHeads));
    }
    return haveKnownSize(node, {query, key, value});
  }

  /// The first place of the new keys: all that are in use, less the new ones. Prompts that are shorter than
  /// others are padded on the right.
  void findStart() {
    AffineExpr batch = node.sizeOf(query, 0);
    total = node.reshape(node.cast(node[at.used], i64), {batch});
    if (at.behind != 0)
      total = node.binary<AddOp>(total, at.behind);
    if (node.has(at.fresh))
      start = node.binary<SubOp>(total, node.cast(node[at.fresh], i64));
    else
      start = node.binary<MaxOp>(node.binary<SubOp>(total, numberOf(node, length)), 0.0);
    Sizes places = {batch, length};
    position = node.binary<AddOp>(node.iota(places, 1, i64), node.broadcast(start, {0}, places));
  }

  void normalizeHeads() {
    if (!node.has(at.norms))
      return;
    double epsilon = node.number("qk_norm_epsilon", 1e-6f);
    auto normalized = [&](Value x, size_t weight, StringRef own) {
      Value y = normalize(node, x, {3}, node.number(own, epsilon), /*rms=*/true);
      return node.binary<MulOp>(y, node.broadcastTo(node[weight], node.sizesOf(x)));
    };
    query = normalized(query, at.norms, "q_norm_epsilon");
    key = normalized(key, at.norms + 1, "k_norm_epsilon");
  }

  void rotateHeads() {
    if (!node.flag("do_rotary"))
      return;
    Value places = node.has(at.places) ? node.cast(node[at.places], i64) : position;
    bool interleaved = node.flag("rotary_interleaved");
    query = rotateAt(node, query, places, node[at.cosines], node[at.cosines + 1], interleaved);
    key = rotateAt(node, key, places, node[at.cosines], node[at.cosines + 1], interleaved);
  }

  /// A cache of the size that is needed, or a larger one that stays as large.
  bool writeCache() {
    if (!node.has(3)) {
      presentKey = terms.key = node.transpose(key, {0, 2, 1, 3});
      presentValue = terms.value = node.transpose(value, {0, 2, 1, 3});
      keyLength = node.sizeOf(terms.key, 2);
      return true;
    }
    int64_t depth = typeOf(key).getDimSize(3);
    for (auto [i, code] : {std::pair(size_t(3), &keyCode), std::pair(size_t(4), &valueCode)})
      if (rankOf(node[i]) != 4 || typeOf(node[i]).getDimSize(1) != keyHeads ||
          typeOf(node[i]).getDimSize(3) != code->width(depth)) {
        node.error() << "expects a cache of " << keyHeads << " heads of size " << code->width(depth) << " as operand "
                     << i << ", but has " << typeOf(node[i]);
        return false;
      }
    Value freshKey = keyCode.encode(key, elementOf(node[3])), freshValue = valueCode.encode(value, elementOf(node[4]));
    if (isWindow())
      return moveWindow(freshKey, freshValue);
    auto elements = node.elements(node.reshape(node[at.total], {}));
    if (!elements)
      return false;
    keyLength = elements->front();
    presentKey = written(node[3], freshKey);
    presentValue = written(node[4], freshValue);
    auto used = [&](Value cache) { return node.slice(cache, 2, node.size(0), keyLength); };
    terms.key = keyCode.decode(used(presentKey), elementOf(query));
    terms.value = valueCode.decode(used(presentValue), elementOf(query));
    return !node.hasFailed();
  }

  /// The past, with room for all keys, and the new ones at their places in it.
  Value written(Value past, Value fresh) {
    Sizes behind = node.sizesOf(past);
    behind[2] = node.sizes.simplify(node.largest(keyLength, behind[2]) - behind[2]);
    Value grown = node.concat({past, node.broadcast(node.scalar(0, elementOf(past)), {}, behind)}, 2);
    return ScatterOp::create(node.builder, node.loc, grown.getType(), IndexMode::drop, CombinerAttr(), grown,
                             node.unsqueeze(position, {2}), fresh, ArrayRef<int64_t>{2}, 1);
  }

  bool isWindow() { return node.flag("sliding_window_cache"); }

  /// A cache that holds the last tokens alone, from its first row on: of T tokens all as long as there is
  /// room for them, else T - g * ceil((T - room) / g), where g = room - window + 1 is how many are given up
  /// at once. Queries see rows that are given up as well.
  bool moveWindow(Value freshKey, Value freshValue) {
    AffineExpr room = node.sizeOf(node[3], 2), batch = node.sizeOf(query, 0);
    AffineExpr group = node.sizes.simplify(room - node.integer("local_window_size", -1) + 1);
    if (isStatic(group) && SizeAnalysis::staticSize(group) < 1) {
      node.error() << "expects a cache with room for local_window_size (" << node.integer("local_window_size", -1)
                   << ") tokens, but has " << typeOf(node[3]);
      return false;
    }
    auto firstOf = [&](Value tokens) { // the place of the token in the first row
      Value beyond = node.binary<SubOp>(tokens, numberOf(node, room)), step = numberOf(node, group);
      Value groups = node.binary<DivOp>(node.binary<SubOp>(node.binary<AddOp>(beyond, step), 1.0), step);
      return node.select(node.compare(Predicate::le, beyond, 0.0), node.splat(0, tokens),
                         node.binary<MulOp>(groups, step));
    };
    Value firstBefore = firstOf(start), firstAfter = firstOf(total);
    Sizes rows = {batch, room};
    auto each = [&](Value x) { return node.broadcast(x, {0}, rows); };
    Value row = node.iota(rows, 1, i64), place = node.binary<AddOp>(row, each(firstAfter));
    Value isUsed = node.compare(Predicate::lt, place, each(total)),
          isFresh = node.compare(Predicate::ge, place, each(start));
    auto moved = [&](Value past, Value fresh) {
      auto rowsOf = [&](Value x, Value first, int64_t dim) {
        Value at = node.unsqueeze(node.binary<MaxOp>(node.binary<SubOp>(place, each(first)), 0.0), {2});
        return node.transpose(node.gather(x, at, {dim}, 1, IndexMode::clamp), {0, 2, 1, 3});
      };
      Value old = rowsOf(past, firstBefore, 2), added = rowsOf(fresh, start, 1);
      auto all = [&](Value flags) { return node.broadcast(flags, {0, 2}, node.sizesOf(old)); };
      return node.select(all(isUsed), node.select(all(isFresh), added, old), node.splat(0, old));
    };
    presentKey = moved(node[3], freshKey);
    presentValue = moved(node[4], freshValue);
    auto joined = [&](Value past, Value fresh) { return node.concat({past, node.transpose(fresh, {0, 2, 1, 3})}, 2); };
    terms.key = keyCode.decode(joined(node[3], freshKey), elementOf(query));
    terms.value = valueCode.decode(joined(node[4], freshValue), elementOf(query));
    keyLength = node.sizeOf(terms.key, 2);
    // Rows that aren't in use are behind all queries.
    Value before = node.binary<AddOp>(row, each(firstBefore));
    before = node.select(node.compare(Predicate::lt, before, each(start)), before,
                         node.scalarInteger(std::numeric_limits<int64_t>::max(), i64));
    keyPosition = node.concat({before, position}, 1);
    return !node.hasFailed();
  }

  /// Columns of a bias are the places of tokens.
  void addBias() {
    Value bias = node[at.bias];
    if (!keyPosition) {
      terms.biases.push_back(scoreBias(node, bias, length, keyLength, /*isFilledUp=*/node.has(3)));
      return;
    }
    if (rankOf(bias) != 4) {
      node.error() << "expects an attention bias of rank 4, but has " << typeOf(bias);
      return;
    }
    Sizes sizes = node.sizesOf(bias);
    sizes[0] = node.sizeOf(query, 0);
    bias = node.gather(node.broadcastTo(bias, sizes), node.unsqueeze(keyPosition, {2}), {3}, 1, IndexMode::clamp);
    terms.biases.push_back(node.transpose(bias, {0, 2, 3, 1})); // of [B, T, H, S]
  }

  /// Before the softmax or after it; 0 where a query doesn't see a key.
  Value scores(const AttentionStages &stages) {
    if (node.integer("qk_output", 0) == 2)
      return stages.weights;
    Value isHidden = node.compare(Predicate::eq, stages.masked, -std::numeric_limits<double>::infinity());
    return node.select(isHidden, node.splat(0, stages.masked), stages.masked);
  }

  void addVisibility() {
    int64_t window = node.integer("local_window_size", -1);
    bool isCausal = node.flag("causal", true);
    Sizes places = {node.sizeOf(query, 0), node.size(1), length, keyLength};
    Value place = keyPosition ? node.broadcast(keyPosition, {0, 3}, places) : node.iota(places, 3, i64);
    auto add = [&](Predicate predicate, Value limit) {
      terms.visible.push_back(node.compare(predicate, place, limit));
    };
    Value queryPlace = node.broadcast(position, {0, 2}, places);
    if (isCausal)
      add(Predicate::le, queryPlace);
    else
      add(Predicate::lt, node.broadcast(total, {0}, places));
    if (window > 0)
      add(Predicate::gt, node.binary<SubOp>(queryPlace, double(window)));
  }

  /// A query sees the blocks of keys that the row of its own block lists: per layout, rows of positions in a
  /// list of columns. Head h has layout h modulo their number.
  void addBlocks() {
    Value rows = node.cast(node[at.blockRows], i64), columns = node.cast(node[at.blockRows + 1], i64);
    int64_t block = node.integer("sparse_block_size", 0);
    if (rankOf(rows) != 2 || rankOf(columns) != 2 || block < 1 || !typeOf(rows).hasStaticShape() ||
        !typeOf(columns).hasStaticShape() || heads % std::max<int64_t>(1, typeOf(rows).getDimSize(0)) != 0) {
      node.error() << "expects a positive sparse_block_size and matrices of block_row_indices and "
                      "block_col_indices, but has "
                   << block << ", " << typeOf(rows) << " and " << typeOf(columns);
      return;
    }
    AffineExpr layouts = node.sizeOf(rows, 0), entries = node.sizeOf(columns, 1);
    AffineExpr blocks = node.sizes.simplify(node.sizeOf(rows, 1) - 1);
    // The row of an entry is how many rows end before it; entries behind the last row are padding.
    Sizes grid = {layouts, entries, blocks};
    Value ends = node.broadcast(node.slice(rows, 1, node.size(1), blocks), {0, 2}, grid);
    Value isBehind = node.compare(Predicate::le, ends, node.iota(grid, 1, i64));
    Value row = node.reduce(Combiner::sum, node.cast(isBehind, i64), {2});
    Value places = node.concat({node.unsqueeze(row, {2}), node.unsqueeze(columns, {2})}, 2);
    Type i32 = node.builder.getI32Type();
    Value none = node.broadcast(node.scalar(0, i32), {}, {layouts, blocks, blocks});
    Value one = node.broadcast(node.scalar(1, i32), {}, {layouts, entries});
    Value listed = ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::drop, CombinerAttr(), none,
                                     places, one, ArrayRef<int64_t>{1, 2}, 1);
    Value keyBlock = node.binary<DivOp>(node.iota({keyLength}, 0, i64), double(block));
    Value queryBlock = node.binary<DivOp>(position, double(block));
    Value seen = take(node, take(node, listed, keyBlock, 2), queryBlock, 1); // [layouts, B, S, T]
    Sizes sizes = node.sizesOf(seen);
    Sizes repeated = {sizes[1], node.quotient(node.size(heads), layouts), layouts, sizes[2], sizes[3]};
    seen = node.reshape(node.broadcast(node.moveDim(seen, 0, 1), {0, 2, 3, 4}, repeated),
                        {sizes[1], node.size(heads), sizes[2], sizes[3]});
    terms.visible.push_back(node.compare(Predicate::gt, seen, 0.0));
  }

  Node &node;
  GroupedOperands at;
  int64_t heads = 0, keyHeads = 0;
  Type i64;
  AttentionTerms terms;
  Value query, key, value; ///< `[B, S, heads, D]`
  Value start, total;      ///< `[B]`
  Value position;          ///< `[B, S]`, of the queries
  Value keyPosition;       ///< `[B, T]`, where keys don't lie at their places
  CacheCode keyCode, valueCode;
  Value presentKey, presentValue;
  AffineExpr length, keyLength;
};

Results groupQueryAttention(Node &node) {
  return GroupedAttention(node, {.used = 5,
                                 .behind = 1,
                                 .total = 6,
                                 .cosines = 7,
                                 .places = 9,
                                 .bias = 10,
                                 .sink = 11,
                                 .scales = 12,
                                 .norms = 14,
                                 .fresh = 16})
      .convert();
}

Results sparseAttention(Node &node) {
  return GroupedAttention(node, {.used = 8, .behind = 0, .total = 7, .cosines = 9, .blockRows = 5}).convert();
}
} // namespace

void onnx::addMicrosoftGroupedAttentionConverters(ConverterTable &table) {
  table.add("com.microsoft.GroupQueryAttention", 1, 1, 17, groupQueryAttention);
  table.add("com.microsoft.SparseAttention", 1, 1, 11, sparseAttention);
}
