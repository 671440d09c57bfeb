//===- MicrosoftAttention.cpp - Heads with keys of their own in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MicrosoftAttention.h"
#include "Indexing.h"
#include "Quantization.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
//===----------------------------------------------------------------------===//
// Attention of as many heads of keys as of queries
//===----------------------------------------------------------------------===//

/// What MultiHeadAttention and Attention, with and without what is needed for decoding, have in common.
class HeadedAttention {
public:
  explicit HeadedAttention(Node &node) : node(node), heads(node.integer("num_heads", 0)) {
    i64 = node.builder.getI64Type();
    f32 = node.builder.getF32Type();
  }

  Node &node;
  int64_t heads;
  Value query;      ///< `[B, S, H, D]`
  Value key, value; ///< `[B, L, H, D]`, or in place `[B, H, L, D]`
  bool isInPlace = false;
  Value pastKey, pastValue; ///< `[B, H, P, D]`, null for none
  Value pastLength;         ///< how much of them is in use, where they are buffers; null where all is
  Value mask, bias;
  SmallVector<Value> visible; ///< where a query sees a key, as far as masks don't say
  bool mayHaveStarts = false; ///< of the keys that are seen, behind their ends in a mask of rank 1

  /// Whether the heads can be told apart.
  bool check() {
    if (heads < 1)
      node.error() << "expects positive num_heads, but has " << heads;
    return !node.hasFailed();
  }

  /// Result, keys, values, and the scores that the softmax is of.
  std::optional<std::array<Value, 4>> run() {
    if (!haveKnownSize(node, {query, key, value}))
      return std::nullopt;
    queryLength = node.sizeOf(query, 1);
    if (!place())
      return std::nullopt;
    terms.query = node.transpose(query, {0, 2, 1, 3});
    terms.scale = scaleOf(node, query);
    terms.visible = visible;
    if (node.flag("unidirectional"))
      addCausality();
    if (pastLength)
      hideUnused();
    if (mask)
      addMask();
    if (bias)
      terms.biases.push_back(scoreBias(node, bias, queryLength, keyLength, /*isFilledUp=*/!!pastLength));
    if (node.hasFailed())
      return std::nullopt;
    AttentionStages stages = attend(node, terms);
    return std::array<Value, 4>{stages.result, terms.key, terms.value, stages.masked};
  }

private:
  bool place() {
    if (!!pastKey != !!pastValue) {
      node.error() << "expects both past_key and past_value, or neither";
      return false;
    }
    freshLength = node.sizeOf(key, isInPlace ? 2 : 1);
    pastSize = pastKey ? node.sizeOf(pastKey, 2) : node.size(0);
    for (Value past : {pastKey, pastValue})
      if (past && rankOf(past) != 4) {
        node.error() << "expects past keys and values of rank 4, but has " << typeOf(past);
        return false;
      }
    if (pastKey && isInPlace) {
      node.error() << "expects no past keys beside keys of rank 4";
      return false;
    }
    if (pastKey && pastLength) {
      if (!isSingle(pastLength)) {
        node.error() << "expects a scalar as past_sequence_length, but has " << typeOf(pastLength);
        return false;
      }
      pastLength = node.reshape(node.cast(pastLength, i64), {});
      terms.key = updateCache(node, pastKey, key, pastLength, pastSize);
      terms.value = updateCache(node, pastValue, value, pastLength, pastSize);
    } else {
      pastLength = {};
      auto placed = [&](Value x, Value past) {
        if (!isInPlace)
          x = node.transpose(x, {0, 2, 1, 3});
        return past ? node.concat({past, x}, 2) : x;
      };
      terms.key = placed(key, pastKey);
      terms.value = placed(value, pastValue);
    }
    keyLength = node.sizeOf(terms.key, 2);
    return !node.hasFailed();
  }

  void addCausality() {
    Sizes places = {queryLength, keyLength};
    Value queryPlace = node.iota(places, 0, i64);
    if (pastLength || !isStatic(pastSize, 0))
      queryPlace = node.binary<AddOp>(queryPlace, pastLength ? pastLength : numberOf(node, pastSize));
    terms.visible.push_back(node.compare(Predicate::le, node.iota(places, 1, i64), queryPlace));
  }

  /// What a buffer has behind the keys.
  void hideUnused() {
    Value used = node.binary<AddOp>(pastLength, numberOf(node, freshLength));
    terms.visible.push_back(node.compare(Predicate::lt, node.iota({node.size(1), keyLength}, 1, i64), used));
  }

  /// What is added to scores that the mask hides: finite, so that a query to which all is hidden sees all.
  void addFilter(Value isSeen) {
    Value zero = node.splat(0, node.cast(isSeen, elementOf(query)));
    Value hidden = node.splat(node.number("mask_filter_value", -10000), zero);
    terms.biases.push_back(node.select(isSeen, zero, hidden));
  }

  Value keyPlace(ArrayRef<AffineExpr> places) { return node.iota(places, 3, i64); }

  /// Places below an end, and perhaps from a start on, per batch entry; flags of keys; or flags of pairs.
  void addMask() {
    AffineExpr batch = node.sizeOf(query, 0);
    Sizes places = {batch, node.size(1), node.size(1), keyLength};
    int64_t rank = rankOf(mask);
    if (rank == 1) {
      auto limit = [&](AffineExpr from) {
        return node.broadcast(node.cast(node.slice(mask, 0, from, batch), i64), {0}, places);
      };
      Value isSeen = node.compare(Predicate::lt, keyPlace(places), limit(node.size(0)));
      if (Value isBehind = behindStarts(limit, places))
        isSeen = node.binary<AndOp>(isSeen, isBehind);
      addFilter(isSeen);
      return;
    }
    Value flags = mask;
    int64_t last = rank - 1;
    AffineExpr width = node.sizeOf(flags, last);
    if (rank == 2 && isStatic(width, 1) && !isStatic(keyLength, 1))
      return; // the same of all keys, which hides none
    if (rank == 4) {
      // Of the places of a whole sequence: rows of the queries, columns of the keys.
      auto past = pastLength ? node.elements(pastLength) : std::optional(Sizes(1, pastSize));
      if (!past)
        return;
      AffineExpr from = past->front();
      flags = node.slice(node.slice(flags, 2, from, queryLength), 3, node.size(0), keyLength);
    } else if (rank != 2 && rank != 3) {
      node.error() << "expects a mask of rank 1 to 4, but has " << typeOf(mask);
      return;
    } else if (pastKey && width == freshLength && width != keyLength) {
      flags = padded(flags, pastSize, node.size(0), 1); // all of the past is seen
    } else if (pastLength && width != keyLength) {
      flags = padded(flags, node.size(0), node.largest(node.sizes.simplify(keyLength - width), node.size(0)), 0);
    }
    flags = node.withSize(flags, last, keyLength, "the mask of the sizes of the scores");
    if (rank > 2)
      flags = node.withSize(flags, rank - 2, queryLength, "the mask of the sizes of the scores");
    if (rank < 4)
      flags = node.unsqueeze(flags, rank == 2 ? ArrayRef<int64_t>{1, 2} : ArrayRef<int64_t>{1});
    addFilter(node.compare(Predicate::gt, flags, 0.0));
  }

  /// A mask of twice the batch has starts behind the ends, one of three times and two has other numbers
  /// there. Which it is may be known only at run time. Null where there are no starts.
  Value behindStarts(function_ref<Value(AffineExpr)> limit, ArrayRef<AffineExpr> places) {
    AffineExpr batch = places[0], count = node.sizeOf(mask, 0), rest = node.sizes.simplify(count - batch * 2);
    bool isKnown = isStatic(rest) || count == batch || isStatic(node.sizes.simplify(rest - batch));
    if (!mayHaveStarts || (isKnown && !isStatic(rest, 0)))
      return {};
    Value isBehind = node.compare(Predicate::ge, keyPlace(places), limit(node.sizes.simplify(count - batch)));
    if (isKnown)
      return isBehind;
    Value hasStarts =
        node.compare(Predicate::eq, numberOf(node, count), numberOf(node, node.sizes.simplify(batch * 2)));
    return node.select(hasStarts, isBehind, node.broadcast(node.boolean(true), {}, places));
  }

  Value padded(Value flags, AffineExpr before, AffineExpr after, double value) {
    Sizes low(rankOf(flags), node.size(0)), high = low;
    low.back() = before;
    high.back() = after;
    return node.pad(flags, node.scalar(value, elementOf(flags)), low, high);
  }

  Type i64, f32;
  AttentionTerms terms;
  AffineExpr queryLength, freshLength, pastSize, keyLength;
};

/// Adds one vector for queries, keys and values, where there is one.
bool addHeadBias(HeadedAttention &attention, Value bias) {
  Node &node = attention.node;
  if (!bias)
    return true;
  if (rankOf(bias) != 1) {
    node.error() << "expects a vector as bias, but has " << typeOf(bias);
    return false;
  }
  AffineExpr from = node.size(0);
  for (Value *x : {&attention.query, &attention.key, &attention.value}) {
    int64_t dim = attention.isInPlace && x != &attention.query ? 1 : 2;
    Sizes sizes = node.sizesOf(*x), head = {sizes[dim], sizes[3]};
    AffineExpr width = node.product(head);
    Value part = node.reshape(node.slice(bias, 0, from, width), head);
    *x = node.binary<AddOp>(*x, node.broadcast(part, {dim, 3}, sizes));
    from = node.sizes.simplify(from + width);
  }
  return !node.hasFailed();
}

/// Where the operands of MultiHeadAttention stand.
struct MultiHeadOperands {
  size_t bias, mask, scoreBias, pastKey, pastLength, indirection;
};

/// Queries, keys and values in one operand or in several, heads apart or not.
class MultiHeadAttention {
public:
  MultiHeadAttention(Node &node, MultiHeadOperands at) : node(node), at(at), attention(node) {}

  Results convert() {
    if (!attention.check() || !placeOperands())
      return failure();
    if (node.has(at.indirection))
      return node.unsupported() << "a cache whose entries are found through others (cache_indirection)";
    attention.pastKey = node[at.pastKey];
    attention.pastValue = node[at.pastKey + 1];
    attention.pastLength = node[at.pastLength];
    attention.mask = node[at.mask];
    attention.bias = node[at.scoreBias];
    auto results = attention.run();
    return results ? Results(*results) : Results(failure());
  }

private:
  bool placeOperands() {
    int64_t heads = attention.heads;
    Value query = node[0], key = node[1], value = node[2];
    if (!key && rankOf(query) == 3) {
      Value all = splitHeads(node, query, 3 * heads);
      auto part = [&](int64_t i) { return node.slice(all, 2, node.size(i * heads), node.size(heads)); };
      attention.query = part(0);
      attention.key = part(1);
      attention.value = part(2);
    } else if (!key && rankOf(query) == 5) {
      attention.query = packed(query, 0, 3);
      attention.key = packed(query, 1, 3);
      attention.value = packed(query, 2, 3);
    } else if (key && rankOf(key) == 5 && !value) {
      attention.query = splitHeads(node, query, heads);
      attention.key = packed(key, 0, 2);
      attention.value = packed(key, 1, 2);
    } else if (key && value && rankOf(key) == 4 && rankOf(value) == 4) {
      attention.query = splitHeads(node, query, heads);
      attention.key = key;
      attention.value = value;
      attention.isInPlace = true;
    } else if (key && value && rankOf(key) == 3 && rankOf(value) == 3) {
      attention.query = splitHeads(node, query, heads);
      attention.key = splitHeads(node, key, heads);
      attention.value = splitHeads(node, value, heads);
    } else {
      InFlightDiagnostic error = node.error()
                                 << "expects query, key and value in one of the forms of the operator, but has ";
      llvm::interleaveComma(llvm::make_filter_range(ArrayRef<Value>{query, key, value}, [](Value x) { return !!x; }),
                            error, [&](Value x) { error << typeOf(x); });
      return false;
    }
    return !node.hasFailed() && addHeadBias(attention, node[at.bias]);
  }

  /// Part i of `[B, S, H, parts, D]`.
  Value packed(Value all, int64_t i, int64_t parts) {
    if (typeOf(all).getDimSize(2) != attention.heads || typeOf(all).getDimSize(3) != parts) {
      node.error() << "expects " << attention.heads << " heads of " << parts << " parts, but has " << typeOf(all);
      return all;
    }
    return node.squeeze(node.slice(all, 3, node.size(i), node.size(1)), {3});
  }

  Node &node;
  MultiHeadOperands at;
  HeadedAttention attention;
};

Results multiHeadAttention(Node &node) {
  return MultiHeadAttention(node,
                            {.bias = 3, .mask = 4, .scoreBias = 5, .pastKey = 6, .pastLength = 8, .indirection = 9})
      .convert();
}

/// A beam width of 1 is as none.
bool hasBeams(Node &node, size_t width, size_t indirection) {
  auto known = node.constantIntegers(node[width]);
  return node.has(indirection) && !(known && known->size() == 1 && known->front() == 1);
}

Results decoderMaskedMultiHeadAttention(Node &node) {
  size_t indirection = hasBeams(node, 8, 9) ? 9 : ~size_t(0);
  return MultiHeadAttention(
             node, {.bias = 10, .mask = 3, .scoreBias = 4, .pastKey = 5, .pastLength = 7, .indirection = indirection})
      .convert();
}

/// Queries, keys and values, of these widths, side by side in one operand.
void apart(HeadedAttention &attention, Value projected, ArrayRef<int64_t> widths) {
  Node &node = attention.node;
  int64_t from = 0;
  Value *const parts[] = {&attention.query, &attention.key, &attention.value};
  for (auto [part, width] : llvm::zip(parts, widths)) {
    *part = splitHeads(node, node.slice(projected, 2, node.size(from), node.size(width)), attention.heads);
    from += width;
  }
}

/// `[B, S, D]` times a matrix of weights, plus a bias that may be null.
Value projected(Node &node, Value x, Value weights, Value bias) {
  Value y = node.contract(x, weights, 4, {0, 1, 3}, {3, 2}, {0, 1, 2}, elementOf(x));
  return bias ? node.binary<AddOp>(y, node.broadcastTo(bias, node.sizesOf(y))) : y;
}

/// Queries, keys and values as products of `[B, S, D]` with one matrix of weights, plus one bias.
bool project(HeadedAttention &attention, Value x, Value weights, Value bias) {
  Node &node = attention.node;
  if (!attention.check())
    return false;
  if (rankOf(x) != 3 || rankOf(weights) != 2 || elementOf(x) != elementOf(weights)) {
    node.error() << "expects an input of rows and a matrix of weights, but has " << typeOf(node[0]) << " and "
                 << typeOf(weights);
    return false;
  }
  int64_t all = typeOf(weights).getDimSize(1);
  auto widths = node.integers("qkv_hidden_sizes").value_or(SmallVector<int64_t>{all / 3, all / 3, all / 3});
  if (ShapedType::isDynamic(all)) {
    node.unsupported() << "the size of a head in " << typeOf(weights) << " is not known when compiling";
    return false;
  }
  if (widths.size() != 3 || widths[0] + widths[1] + widths[2] != all || widths[0] != widths[1]) {
    node.error() << "expects qkv_hidden_sizes of query, key and value that add up to " << all;
    return false;
  }
  apart(attention, projected(node, x, weights, bias), widths);
  return !node.hasFailed();
}

/// What Attention needs beside the product of input and weights, null where it is left out; the past of keys
/// and values is one tensor.
struct ProjectedOperands {
  Value mask, past, bias, pastLength;
};

Results attendProjected(HeadedAttention &attention, const ProjectedOperands &operands) {
  Node &node = attention.node;
  if (Value past = operands.past) {
    if (rankOf(past) != 5 || typeOf(past).getDimSize(0) != 2)
      return node.error() << "expects past keys and values of rank 5 as one tensor, but has " << typeOf(past);
    auto half = [&](int64_t i) { return node.squeeze(node.slice(past, 0, node.size(i), node.size(1)), {0}); };
    attention.pastKey = half(0);
    attention.pastValue = half(1);
    if (node.flag("past_present_share_buffer") && !operands.pastLength)
      return node.error() << "expects past_sequence_length where past and present share a buffer";
    if (node.flag("past_present_share_buffer"))
      attention.pastLength = operands.pastLength;
  }
  attention.mask = operands.mask;
  attention.mayHaveStarts = true;
  attention.bias = operands.bias;
  if (node.hasFailed())
    return failure();
  auto results = attention.run();
  if (!results)
    return failure();
  auto [y, key, value, scores] = *results;
  Value present;
  if (node.isUsed(1))
    present = node.concat({node.unsqueeze(key, {0}), node.unsqueeze(value, {0})}, 0);
  return {y, present};
}

Results attentionOf(Node &node, size_t pastLength) {
  HeadedAttention attention(node);
  if (node.flag("do_rotary"))
    return node.unsupported() << "places that the operator rotates itself (do_rotary)";
  if (!project(attention, node[0], node[1], node[2]))
    return failure();
  return attendProjected(attention, {node[3], node[4], node[5], node[pastLength]});
}

/// Input and weights are quantised.
Results qAttention(Node &node) {
  HeadedAttention attention(node);
  Value x = node[0], weights = node[1];
  if (!node.expect({1, 2, 3, 4}) || !attention.check())
    return failure();
  if (rankOf(x) != 3 || rankOf(weights) != 2)
    return node.error() << "expects an input of rank 3 and a matrix of weights, but has " << typeOf(x) << " and "
                        << typeOf(weights);
  if (node.flag("do_rotary"))
    return node.unsupported() << "places that the operator rotates itself (do_rotary)";
  int64_t all = typeOf(weights).getDimSize(1);
  if (ShapedType::isDynamic(all) || all % 3 != 0)
    return node.error() << "expects weights of query, key and value of one size, but has " << typeOf(weights);
  Value sum = centredProduct(node, {x, {}, node[6]}, {weights, {}, node[7]});
  if (!sum)
    return failure();
  Value projected = rescale(node, sum, combineScales(node, {node[3], node[4]}), 2);
  projected = node.cast(projected, elementOf(node[2]));
  projected = node.binary<AddOp>(projected, node.broadcastTo(node[2], node.sizesOf(projected)));
  apart(attention, projected, {all / 3, all / 3, all / 3});
  return attendProjected(attention, {node[5], node[8], {}, {}});
}

Results attention(Node &node) { return attentionOf(node, 6); }

Results decoderMaskedSelfAttention(Node &node) {
  if (hasBeams(node, 7, 8))
    return node.unsupported() << "a cache whose entries are found through others (cache_indirection)";
  return attentionOf(node, 6);
}

//===----------------------------------------------------------------------===//
// LongformerAttention
//===----------------------------------------------------------------------===//

/// A token sees those around it and the global ones; a global token sees all, by projections of its own. The
/// mask is added to the scores of a key.
Results longformerAttention(Node &node) {
  HeadedAttention local(node), global(node);
  int64_t window = node.integer("window", 0);
  if (window < 1 || rankOf(node[3]) != 2 || rankOf(node[6]) != 2)
    return node.error() << "expects a positive window, and a mask and global flags of rank 2, but has " << window
                        << ", " << typeOf(node[3]) << " and " << typeOf(node[6]);
  if (!project(local, node[0], node[1], node[2]) || !project(global, node[0], node[4], node[5]))
    return failure();
  Type i64 = node.builder.getI64Type();
  AffineExpr length = node.sizeOf(node[0], 1);
  Sizes places = {length, length}, pairs = {node.sizeOf(node[0], 0), node.size(1), length, length};
  Value distance = node.unary<AbsOp>(node.binary<SubOp>(node.iota(places, 0, i64), node.iota(places, 1, i64)));
  Value isNear = node.broadcastTo(node.compare(Predicate::le, distance, double(window)), pairs);
  Value isGlobal = node.compare(Predicate::ne, node[6], 0.0);
  local.visible.push_back(node.binary<OrOp>(isNear, node.broadcast(isGlobal, {0, 3}, pairs)));
  local.bias = global.bias = node.unsqueeze(node.cast(node[3], elementOf(node[0])), {1, 2});
  auto near = local.run(), all = near ? global.run() : std::nullopt;
  if (!all)
    return failure();
  Value y = near->front();
  return node.select(node.broadcast(isGlobal, {0, 1}, node.sizesOf(y)), all->front(), y);
}

//===----------------------------------------------------------------------===//
// DecoderAttention
//===----------------------------------------------------------------------===//

/// Of tokens before batches. Keys and values are those of the queries' tokens behind a cache, or of other
/// tokens, of which the cache holds all.
class DecoderAttention {
public:
  explicit DecoderAttention(Node &node) : node(node), attention(node) {}

  Results convert() {
    if (!attention.check() || !check())
      return failure();
    AffineExpr width = node.sizeOf(node[0], 2);
    auto bias = [&](int64_t from, int64_t count) {
      return node.slice(node[4], 0, node.sizes.simplify(width * from), node.sizes.simplify(width * count));
    };
    Value tokens = node.transpose(node[0], {1, 0, 2});
    attention.query = splitHeads(node, projected(node, tokens, node[2], bias(0, 1)), attention.heads);
    if (isCross && usesPast) {
      attention.key = node[6];
      attention.value = node[7];
      attention.isInPlace = true;
    } else {
      Value source = isCross ? node.transpose(node[1], {1, 0, 2}) : tokens;
      Value both = splitHeads(node, projected(node, source, node[3], bias(1, 2)), 2 * attention.heads);
      attention.key = node.slice(both, 2, node.size(0), node.size(attention.heads));
      attention.value = node.slice(both, 2, node.size(attention.heads), node.size(attention.heads));
    }
    if (!isCross && usesPast) {
      attention.pastKey = node[6];
      attention.pastValue = node[7];
    }
    if (isMasked)
      attention.mask = node.cast(node.unary<NotOp>(node[5]), node.builder.getI32Type());
    auto results = node.hasFailed() ? std::nullopt : attention.run();
    if (!results)
      return failure();
    return {node.transpose((*results)[0], {1, 0, 2}), (*results)[1], (*results)[2]};
  }

private:
  /// The operands that say which form it is are constants.
  std::optional<bool> flagOf(size_t operand, StringRef name) {
    auto known = node.constantIntegers(node[operand]);
    if (known && known->size() == 1)
      return known->front() != 0;
    node.unsupported() << name << " that is not known when compiling";
    return std::nullopt;
  }

  bool check() {
    for (size_t i : {0, 1})
      if (rankOf(node[i]) != 3)
        node.error() << "expects tokens of rank 3 as operand " << i << ", but has " << typeOf(node[i]);
    for (size_t i : {2, 3})
      if (rankOf(node[i]) != 2 || elementOf(node[i]) != elementOf(node[0]))
        node.error() << "expects a matrix of " << elementOf(node[0]) << " as operand " << i << ", but has "
                     << typeOf(node[i]);
    if (rankOf(node[4]) != 1)
      node.error() << "expects a vector as bias, but has " << typeOf(node[4]);
    if (node.hasFailed())
      return false;
    auto cross = flagOf(8, "static_kv"), past = flagOf(9, "use_past"), state = flagOf(10, "has_layer_state"),
         masked = flagOf(11, "has_key_padding_mask");
    if (node.hasFailed())
      return false;
    isCross = *cross;
    usesPast = *past && *state;
    isMasked = *masked;
    return (!usesPast || node.expect({6, 7})) && (!isMasked || node.expect({5}));
  }

  Node &node;
  HeadedAttention attention;
  bool isCross = false, usesPast = false, isMasked = false;
};

Results decoderAttention(Node &node) { return DecoderAttention(node).convert(); }

//===----------------------------------------------------------------------===//
// Sequences without their padding
//===----------------------------------------------------------------------===//

/// Attention among tokens `[1, T, H, D]` of several sequences: a token sees those of its own.
Results packedAttention(HeadedAttention &attention, Value ends, Value bias) {
  Node &node = attention.node;
  if (bias)
    return node.unsupported() << "an attention bias of sequences without their padding";
  if (rankOf(ends) != 1)
    return node.error() << "expects a vector as cumulative_sequence_length, but has " << typeOf(ends);
  Type i64 = node.builder.getI64Type();
  AffineExpr tokens = node.sizeOf(attention.query, 1);
  Sizes grid = {tokens, node.sizeOf(ends, 0)}, pairs = {tokens, tokens};
  Value isBehind =
      node.compare(Predicate::ge, node.iota(grid, 0, i64), node.broadcast(node.cast(ends, i64), {1}, grid));
  Value sequence = node.reduce(Combiner::sum, node.cast(isBehind, i64), {1});
  attention.visible.push_back(
      node.compare(Predicate::eq, node.broadcast(sequence, {0}, pairs), node.broadcast(sequence, {1}, pairs)));
  auto results = attention.run();
  return results ? Results(node.squeeze(results->front(), {0})) : Results(failure());
}

Results packedAttentionOfRows(Node &node) {
  HeadedAttention attention(node);
  if (rankOf(node[0]) != 2)
    return node.error() << "expects rows of tokens, but has " << typeOf(node[0]);
  if (!project(attention, node.unsqueeze(node[0], {0}), node[1], node[2]))
    return failure();
  return packedAttention(attention, node[4], node[5]);
}

/// Query, key and value as rows of tokens, or `[T, H, 3, D]`.
Results packedMultiHeadAttention(Node &node) {
  HeadedAttention attention(node);
  if (!attention.check() || !node.expect({0, 4, 5}))
    return failure();
  Value *const parts[] = {&attention.query, &attention.key, &attention.value};
  for (auto [i, part] : llvm::enumerate(parts)) {
    if (!node.has(1) && rankOf(node[0]) == 4 && typeOf(node[0]).getDimSize(1) == attention.heads)
      *part = node.unsqueeze(node.squeeze(node.slice(node[0], 2, node.size(i), node.size(1)), {2}), {0});
    else if (node.has(i) && rankOf(node[i]) == 2)
      *part = splitHeads(node, node.unsqueeze(node[i], {0}), attention.heads);
    else
      return node.error() << "expects rows of query, key and value, or all three in one operand of rank 4";
  }
  if (node.hasFailed() || !addHeadBias(attention, node[3]))
    return failure();
  return packedAttention(attention, node[5], node[6]);
}

//===----------------------------------------------------------------------===//
// RotaryEmbedding
//===----------------------------------------------------------------------===//

/// The operand, of rank 3 or 4, as `[B, S, heads, D]`; null after an error.
Value rotaryHeads(Node &node) {
  Value x = node[0];
  bool isFlat = rankOf(x) == 3;
  int64_t half = rankOf(node[2]) == 2 ? typeOf(node[2]).getDimSize(1) : 0;
  int64_t width = typeOf(x).getRank() > 2 ? typeOf(x).getDimSize(2) : 0;
  int64_t rotated = node.integer("rotary_embedding_dim", 0), heads = node.integer("num_heads", 0);
  if (!isFlat && rankOf(x) != 4) {
    node.error() << "expects an operand of rank 3 or 4, but has " << typeOf(x);
  } else if (rankOf(node[2]) != 2) {
    node.error() << "expects a matrix of cosines, but has " << typeOf(node[2]);
  } else if (isFlat && heads == 0 && rotated > 0) {
    node.error() << "expects num_heads where rotary_embedding_dim is set";
  } else if (isFlat && heads == 0 && (ShapedType::isDynamic(width) || ShapedType::isDynamic(half) || half < 1)) {
    node.unsupported() << "the heads of " << typeOf(x) << " are not known when compiling";
  } else {
    x = isFlat ? splitHeads(node, x, heads == 0 ? width / (2 * half) : heads) : node.transpose(x, {0, 2, 1, 3});
    return node.hasFailed() ? Value() : x;
  }
  return {};
}

/// The same the other way round.
Results rotaryResult(Node &node, Value x) {
  if (node.hasFailed())
    return failure();
  return rankOf(node[0]) == 3 ? node.reshape(x, node.sizesOf(node[0])) : node.transpose(x, {0, 2, 1, 3});
}

/// Places are one per element, or the first one's.
Results rotaryEmbedding(Node &node) {
  Value x = rotaryHeads(node), places = node.cast(node[1], node.builder.getI64Type());
  if (!x)
    return failure();
  Sizes grid = {node.sizeOf(x, 0), node.sizeOf(x, 1)};
  if (rankOf(places) == 1 && isSingle(places))
    places = node.binary<AddOp>(node.iota(grid, 1, node.builder.getI64Type()), node.reshape(places, {}));
  else if (rankOf(places) == 2)
    places = node.broadcastTo(places, grid);
  else
    return node.error() << "expects one place or a matrix of them, but has " << typeOf(places);
  return rotaryResult(node, rotateAt(node, x, places, node[2], node[3], node.flag("interleaved")));
}

/// Places in time, height and width: each angle follows one of them, those of a section or, interleaved,
/// every third one as long as a section goes, and time in between.
Results multimodalRotaryEmbedding(Node &node) {
  Value x = rotaryHeads(node), places = node[1];
  auto sections = node.integers("mrope_section", 3, 0);
  if (!x || node.hasFailed())
    return failure();
  int64_t half = typeOf(node[2]).getDimSize(1);
  if (rankOf(places) != 3 || typeOf(places).getDimSize(0) != 3 || typeOf(node[2]) != typeOf(node[3]) ||
      llvm::any_of(sections, [](int64_t size) { return size < 0; }) || sections[0] + sections[1] + sections[2] != half)
    return node.error() << "expects places in time, height and width, and sections that add up to the number "
                           "of angles, but has "
                        << typeOf(places) << " and " << sections[0] << ", " << sections[1] << " and " << sections[2]
                        << " of " << typeOf(node[2]);
  SmallVector<double> streams;
  for (int64_t angle = 0; angle < half; ++angle) {
    int64_t section = angle < sections[0] ? 0 : angle < sections[0] + sections[1] ? 1 : 2, turn = angle % 3;
    bool isTurn = turn != 0 && angle < sections[turn] * 3;
    streams.push_back(!node.flag("mrope_layout") ? section : isTurn ? turn : 0);
  }
  Type i64 = node.builder.getI64Type();
  Value stream = node.numbersConstant(streams, i64);
  auto angles = [&](Value table) {
    Value result;
    for (int64_t i = 0; i < 3; ++i) {
      Value place = node.squeeze(node.slice(places, 0, node.size(i), node.size(1)), {0});
      Value rows = take(node, table, node.cast(place, i64), 0);
      Value isMine = node.along(node.compare(Predicate::eq, stream, double(i)), 2, rows);
      result = result ? node.select(isMine, rows, result) : rows;
    }
    return result;
  };
  return rotaryResult(node,
                      rotate(node, x, angles(node[2]), angles(node[3]), node.size(2 * half), node.flag("interleaved")));
}

/// q * cos(emb) + q_rot * sin(emb), and the same of k.
Results gemmaRotaryEmbedding(Node &node) {
  Value angles = node[0];
  if (rankOf(angles) != 3)
    return node.error() << "expects angles of rank 3, but has " << typeOf(angles);
  auto rotated = [&](Value x, Value turned) {
    Sizes sizes = node.sizesOf(x);
    auto factor = [&](Value table) {
      return node.broadcastTo(node.unsqueeze(node.cast(table, elementOf(x)), {1}), sizes);
    };
    Value real = node.binary<MulOp>(x, factor(node.unary<CosOp>(angles)));
    return node.binary<AddOp>(real, node.binary<MulOp>(turned, factor(node.unary<SinOp>(angles))));
  };
  return {rotated(node[1], node[2]), rotated(node[3], node[4])};
}
} // namespace

void onnx::addMicrosoftAttentionConverters(ConverterTable &table) {
  table.add("com.microsoft.MultiHeadAttention", 1, 1, 10, multiHeadAttention);
  table.add("com.microsoft.DecoderMaskedMultiHeadAttention", 1, 1, 11, decoderMaskedMultiHeadAttention);
  table.add("com.microsoft.Attention", 1, 2, 7, attention);
  table.add("com.microsoft.QAttention", 1, 1, 9, qAttention);
  table.add("com.microsoft.DecoderMaskedSelfAttention", 1, 2, 9, decoderMaskedSelfAttention);
  table.add("com.microsoft.LongformerAttention", 1, 7, 7, longformerAttention);
  table.add("com.microsoft.DecoderAttention", 1, 5, 12, decoderAttention);
  table.add("com.microsoft.PackedAttention", 1, 5, 6, packedAttentionOfRows);
  table.add("com.microsoft.PackedMultiHeadAttention", 1, 1, 7, packedMultiHeadAttention);
  table.add("com.microsoft.RotaryEmbedding", 1, 4, 4, rotaryEmbedding);
  table.add("com.microsoft.MRotaryEmbedding", 1, 4, 4, multimodalRotaryEmbedding);
  table.add("com.microsoft.GemmaRotaryEmbedding", 1, 5, 5, gemmaRotaryEmbedding);
}
