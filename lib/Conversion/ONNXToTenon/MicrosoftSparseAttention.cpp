//===- MicrosoftSparseAttention.cpp - Attention to keys that an indexer has chosen ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Microsoft.h"
#include "MicrosoftAttention.h"
#include "Normalization.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Queries read the chosen keys of a cache that new keys are written into, or a window of it and chosen keys of another
/// cache. A query that reads none gives 0.
class DynamicSparseAttention {
public:
  explicit DynamicSparseAttention(Node &node) : node(node), i64(node.builder.getI64Type()) {}

  Results convert() {
    if (!check() || !placeHeads())
      return failure();
    batch = node.sizeOf(query, 0);
    length = node.sizeOf(query, 1);
    Sizes places = {batch, length};
    Value total = node.binary<AddOp>(node.reshape(node.cast(node[9], i64), {batch}), 1.0);
    Value start = node.binary<SubOp>(total, numberOf(node, length));
    position = node.binary<AddOp>(node.iota(places, 1, i64), node.broadcast(start, {0}, places));
    query = rotated(normalized(query, 14));
    key = rotated(normalized(key, 15));
    if (node.hasFailed() || !writeCaches())
      return failure();
    chooseKeys();
    terms.query = node.transpose(query, {0, 2, 1, 3});
    terms.scale = scaleOf(node, query);
    terms.mayBeBlind = true;
    if (node.has(16))
      terms.sink = node.cast(node[16], elementOf(query));
    else if (node.flag("smooth_softmax"))
      terms.sink = node.broadcast(node.scalar(0, elementOf(query)), {}, {node.size(heads)});
    if (terms.sink && (rankOf(terms.sink) != 1 || typeOf(terms.sink).getDimSize(0) != heads))
      return node.error() << "expects a number per head (" << heads << ") as head_sink, but has " << typeOf(terms.sink);
    if (node.hasFailed())
      return failure();
    Value y = attend(node, terms).result;
    if (node.flag("output_bf16"))
      y = node.cast(y, node.builder.getBF16Type());
    return {y, presentKey, presentValue};
  }

private:
  bool check() {
    heads = node.integer("num_heads", 0);
    keyHeads = node.integer("kv_num_heads", 0);
    window = node.integer("local_window_size", -1);
    StringRef mode = node.string("attention_mode", "selected_only"), source = node.string("selected_kv_source", "main");
    isLocal = mode == "local_plus_selected";
    if (!node.expect({0, 7, 8, 9, 10}))
      return false;
    if (heads < 1 || keyHeads < 1 || heads % keyHeads != 0)
      node.error() << "expects positive kv_num_heads that divides num_heads, but has " << keyHeads << " and " << heads;
    else if (!(mode == "selected_only" && source == "main") && !(isLocal && source == "auxiliary"))
      node.error() << "expects attention_mode selected_only and selected_kv_source main, or local_plus_selected and "
                      "auxiliary, but has '"
                   << mode << "' and '" << source << "'";
    else if (isLocal && (window < 1 || !node.has(5)))
      node.error() << "expects a positive local_window_size and auxiliary_key of attention_mode local_plus_selected";
    else if (isLocal && !node.has(6) && !node.flag("auxiliary_kv_shared"))
      node.error() << "expects auxiliary_value, or auxiliary_kv_shared 1";
    else if (!node.flag("is_causal", true))
      node.error() << "expects is_causal 1";
    else if (node.has(1) != node.has(2) || node.has(3) != node.has(4) || node.has(14) != node.has(15))
      node.error()
          << "expects both of key and value, of past_key and past_value, of q_norm_weight and k_norm_weight, or "
             "neither";
    else if (node.flag("do_rotary") && (!node.has(11) || !node.has(12)))
      node.error() << "expects cos_cache and sin_cache where do_rotary is set";
    else if (node.isUsed(3))
      node.unsupported() << "validation_status, which checks what devices are given";
    else if (rankOf(node[0]) != 3 || rankOf(node[7]) != 2 || rankOf(node[8]) != 1 || rankOf(node[9]) != 1)
      node.error() << "expects a query of rank 3, a matrix of selected_indices, and vectors of selected_counts and "
                      "seqlens_k, but has "
                   << typeOf(node[0]) << ", " << typeOf(node[7]) << ", " << typeOf(node[8]) << " and "
                   << typeOf(node[9]);
    else if (!isa<FloatType>(elementOf(node[0])))
      node.error() << "expects floating-point queries, but has " << typeOf(node[0]);
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

  Value normalized(Value x, size_t weight) {
    if (!node.has(weight))
      return x;
    Type f32 = node.builder.getF32Type();
    Value y = normalize(node, node.cast(x, f32), {3}, node.number("qk_norm_epsilon", 1e-6f), /*rms=*/true);
    y = node.binary<MulOp>(y, node.broadcastTo(node.cast(node[weight], f32), node.sizesOf(y)));
    return node.cast(y, elementOf(x));
  }

  Value rotated(Value x) {
    if (!node.flag("do_rotary") || node.hasFailed())
      return x;
    int64_t depth = typeOf(x).getDimSize(3), first = node.integer("rotary_offset", 0);
    int64_t count = rankOf(node[11]) == 2 ? 2 * typeOf(node[11]).getDimSize(1) : -1;
    if (count < 0 || first < 0 || first % 8 != 0 || first + count > depth) {
      node.error()
          << "expects matrices of known numbers of cosines and sines, and a rotary_offset that is a multiple of 8 "
             "and leaves room for them in heads of "
          << depth << ", but has " << typeOf(node[11]) << " and " << first;
      return x;
    }
    auto part = [&](int64_t from, int64_t size) { return node.slice(x, 3, node.size(from), node.size(size)); };
    Value places = node.has(13) ? node.cast(node[13], i64) : position;
    auto table = [&](size_t i) { return node.cast(node[i], elementOf(x)); };
    Value middle = rotateAt(node, part(first, count), places, table(11), table(12), node.flag("rotary_interleaved"));
    return node.concat({part(0, first), middle, part(first + count, depth - first - count)}, 3);
  }

  bool isQuantized() { return node.has(3) && elementOf(node[3]).isSignlessInteger(8); }

  /// Numbers per channel of all heads, beside `[B, S, H, D]` or with `isCache` `[B, H, T, D]`.
  Value scale(size_t operand, Value like, bool isCache) {
    Value apart = node.reshape(node[operand], {node.size(keyHeads), node.sizeOf(like, 3)});
    return node.broadcast(apart, {isCache ? 1 : 2, 3}, node.sizesOf(like));
  }

  Value encode(Value x, size_t past, size_t factor) {
    if (!isQuantized())
      return node.cast(x, elementOf(node[past]));
    Value y = node.cast(x, node.builder.getF32Type());
    y = node.unary<RoundOp>(node.binary<DivOp>(y, scale(factor, y, /*isCache=*/false)));
    return node.cast(node.clamp(y, -128, 127), elementOf(node[past]));
  }

  Value decode(Value cache, size_t factor) {
    if (!isQuantized())
      return node.cast(cache, elementOf(query));
    Value y = node.cast(cache, node.builder.getF32Type());
    return node.cast(node.binary<MulOp>(y, scale(factor, y, /*isCache=*/true)), elementOf(query));
  }

  bool writeCaches() {
    if (!node.has(3)) {
      presentKey = node.transpose(key, {0, 2, 1, 3});
      presentValue = node.transpose(value, {0, 2, 1, 3});
    } else {
      for (auto [i, fresh] : {std::pair(size_t(3), key), std::pair(size_t(4), value)})
        if (rankOf(node[i]) != 4 || typeOf(node[i]).getDimSize(1) != keyHeads ||
            typeOf(node[i]).getDimSize(3) != typeOf(fresh).getDimSize(3)) {
          node.error() << "expects a cache of " << keyHeads << " heads of size " << typeOf(fresh).getDimSize(3)
                       << " as operand " << i << ", but has " << typeOf(node[i]);
          return false;
        }
      if (isQuantized() && !(node.has(18) && node.has(19))) {
        node.error() << "expects key_scale and value_scale of a cache of int8";
        return false;
      }
      // Places before the first are those of tokens that fill a shorter sequence up.
      Value place =
          node.select(node.compare(Predicate::ge, position, 0.0), position, numberOf(node, node.sizeOf(node[3], 2)));
      auto written = [&](size_t past, Value fresh) -> Value {
        return ScatterOp::create(node.builder, node.loc, node[past].getType(), IndexMode::drop, CombinerAttr(),
                                 node[past], node.unsqueeze(place, {2}), fresh, ArrayRef<int64_t>{2}, 1);
      };
      presentKey = written(3, encode(key, 3, 18));
      presentValue = written(4, encode(value, 4, 19));
    }
    terms.key = decode(presentKey, 18);
    terms.value = decode(presentValue, 19);
    return !node.hasFailed();
  }

  /// Which of that many keys are among the first of each row of selected indices: `[B, S, T]`.
  Value selected(AffineExpr keys) {
    AffineExpr most = node.sizeOf(node[7], 1);
    Sizes sizes = {batch, length, most};
    Value indices = node.reshape(node.cast(node[7], i64), sizes);
    Value counts = node.reshape(node.cast(node[8], i64), {batch, length});
    Value isValid = node.compare(Predicate::lt, node.iota(sizes, 2, i64), node.broadcast(counts, {0, 1}, sizes));
    isValid = node.binary<AndOp>(isValid, node.compare(Predicate::ge, indices, 0.0));
    indices = node.select(isValid, indices, numberOf(node, keys));
    Type i32 = node.builder.getI32Type();
    Value none = node.broadcast(node.scalar(0, i32), {}, {batch, length, keys});
    Value one = node.broadcast(node.scalar(1, i32), {}, sizes);
    Value flags = ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::drop, CombinerAttr(), none,
                                    node.unsqueeze(indices, {3}), one, ArrayRef<int64_t>{2}, 2);
    return node.compare(Predicate::gt, flags, 0.0);
  }

  void chooseKeys() {
    AffineExpr keys = node.sizeOf(terms.key, 2);
    Sizes places = {batch, length, keys};
    Value place = node.iota(places, 2, i64), own = node.broadcast(position, {0, 1}, places);
    Value isSeen = node.compare(Predicate::le, place, own);
    if (!isLocal) {
      isSeen = node.binary<AndOp>(isSeen, selected(keys));
    } else {
      isSeen = node.binary<AndOp>(isSeen, node.compare(Predicate::gt, place, node.binary<SubOp>(own, double(window))));
      Value otherKey = node.cast(node[5], elementOf(query));
      Value otherValue = node.has(6) ? node.cast(node[6], elementOf(query)) : otherKey;
      for (Value other : {otherKey, otherValue})
        if (rankOf(other) != 4 || typeOf(other).getDimSize(1) != keyHeads ||
            typeOf(other).getDimSize(3) != typeOf(key).getDimSize(3)) {
          node.error() << "expects an auxiliary cache of " << keyHeads << " heads of size " << typeOf(key).getDimSize(3)
                       << ", but has " << typeOf(other);
          return;
        }
      isSeen = node.concat({isSeen, selected(node.sizeOf(otherKey, 2))}, 2);
      terms.key = node.concat({terms.key, otherKey}, 2);
      terms.value = node.concat({terms.value, otherValue}, 2);
    }
    terms.visible.push_back(node.unsqueeze(isSeen, {1}));
  }

  Node &node;
  Type i64;
  int64_t heads = 0, keyHeads = 0, window = 0;
  bool isLocal = false;
  Value query, key, value; ///< `[B, S, heads, D]`
  Value position;          ///< `[B, S]`
  Value presentKey, presentValue;
  AffineExpr batch, length;
  AttentionTerms terms;
};

Results dynamicSparseAttention(Node &node) { return DynamicSparseAttention(node).convert(); }
} // namespace

void onnx::addMicrosoftSparseAttentionConverters(ConverterTable &table) {
  table.add("com.microsoft.DynamicSparseAttention", 1, 1, 20, dynamicSparseAttention);
}
