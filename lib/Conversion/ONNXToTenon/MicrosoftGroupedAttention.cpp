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

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Value onnx::withSize(Node &node, Value x, int64_t dim, AffineExpr size, StringRef what) {
  Sizes sizes = node.sizesOf(x);
  AffineExpr difference = node.sizes.simplify(sizes[dim] - size);
  if (isStatic(difference, 0))
    return x;
  if (isStatic(difference)) {
    node.error() << "expects " << what << " of the sizes of the scores, but has " << typeOf(x);
    return x;
  }
  node.expectEqual(sizes[dim], size, (what + " doesn't have the size that query and keys give").str());
  sizes[dim] = size;
  return node.reshape(x, sizes);
}

Value onnx::updateCache(Node &node, Value past, Value fresh, Value start, AffineExpr length) {
  Type i64 = node.builder.getI64Type();
  Sizes none(4, node.size(0)), high = none;
  high[2] = node.sizes.simplify(length - node.sizeOf(past, 2));
  Value filled = node.pad(past, node.scalar(0, elementOf(past)), none, high);
  Sizes places = {node.sizeOf(past, 0), length};
  Value place = node.iota(places, 1, i64);
  place = node.binary<SubOp>(place, rankOf(start) == 0 ? start : node.broadcast(start, {0}, places));
  Value isFresh =
      node.binary<AndOp>(node.compare(Predicate::ge, place, 0.0),
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
    node.error() << "expects matrices of cosines and sines, but has " << typeOf(cosines) << " and "
                 << typeOf(sines);
    return x;
  }
  int64_t half = typeOf(cosines).getDimSize(1);
  if (ShapedType::isDynamic(half)) {
    node.unsupported() << "the number of angles in " << typeOf(cosines) << " is not known when compiling";
    return x;
  }
  return rotate(node, x, take(node, cosines, places, 0), take(node, sines, places, 0), 2 * half, interleaved);
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
  bias = withSize(node, bias, 3, keys, "the attention bias");
  return isStatic(node.sizeOf(bias, 2), 1) ? bias : withSize(node, bias, 2, queries, "the attention bias");
}

namespace {
//===----------------------------------------------------------------------===//
// GroupQueryAttention
//===----------------------------------------------------------------------===//

constexpr size_t absent = ~size_t(0);

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
  GroupedAttention(Node &node, GroupedOperands at) : node(node), at(at) {}

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
      terms.biases.push_back(scoreBias(node, node[at.bias], length, keyLength, /*isFilledUp=*/node.has(3)));
    if (node.has(at.sink))
      terms.sink = node[at.sink];
    else if (node.flag("smooth_softmax"))
      terms.sink = node.broadcast(node.scalar(0, elementOf(query)), {}, {node.size(heads)});
    if (terms.sink && (rankOf(terms.sink) != 1 || typeOf(terms.sink).getDimSize(0) != heads))
      return node.error() << "expects a number per head (" << heads << ") as head_sink, but has "
                          << typeOf(terms.sink);
    if (node.hasFailed())
      return failure();
    return {attend(node, terms).result, terms.key, terms.value};
  }

private:
  bool check() {
    heads = node.integer("num_heads", 0);
    keyHeads = node.integer("kv_num_heads", 0);
    if (!node.expect({0, at.used, at.total}))
      return false;
    if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0)
      node.error() << "expects positive kv_num_heads that divides num_heads, but has " << keyHeads << " and "
                   << heads;
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
    else if (node.string("k_quant_type", "NONE") != "NONE" || node.string("v_quant_type", "NONE") != "NONE" ||
             (at.scales != absent && (node.has(at.scales) || node.has(at.scales + 1))))
      node.unsupported() << "a cache of quantised numbers";
    else if (node.flag("sliding_window_cache"))
      node.unsupported() << "a cache that holds no more than the window (sliding_window_cache)";
    else if (node.isUsed(3))
      node.unsupported() << "scores as a result (qk_output)";
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
      terms.key = node.transpose(key, {0, 2, 1, 3});
      terms.value = node.transpose(value, {0, 2, 1, 3});
      keyLength = node.sizeOf(terms.key, 2);
      return true;
    }
    for (size_t i : {3, 4})
      if (rankOf(node[i]) != 4 || typeOf(node[i]).getDimSize(1) != keyHeads ||
          typeOf(node[i]).getDimSize(3) != typeOf(key).getDimSize(3)) {
        node.error() << "expects a cache of " << keyHeads << " heads of size " << typeOf(key).getDimSize(3)
                     << " as operand " << i << ", but has " << typeOf(node[i]);
        return false;
      }
    Value wanted = node.reshape(node[at.total], {});
    auto elements = node.elements(wanted);
    if (!elements)
      return false;
    keyLength = node.largest(elements->front(), node.sizeOf(node[3], 2));
    terms.key = updateCache(node, node[3], key, start, keyLength);
    terms.value = updateCache(node, node[4], value, start, keyLength);
    return !node.hasFailed();
  }

  void addVisibility() {
    int64_t window = node.integer("local_window_size", -1);
    bool isCausal = node.flag("causal", true);
    Sizes places = {node.sizeOf(query, 0), node.size(1), length, keyLength};
    Value place = node.iota(places, 3, i64);
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
    Value listed = ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::drop, CombinerAttr(),
                                     none, places, one, ArrayRef<int64_t>{1, 2}, 1);
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
