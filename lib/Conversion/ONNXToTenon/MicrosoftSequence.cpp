//===- MicrosoftSequence.cpp - States, places and padding of sequences in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Attention.h"
#include "Indexing.h"
#include "Loop.h"
#include "Microsoft.h"
#include "Sampling.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// States
//===----------------------------------------------------------------------===//

namespace {
/// Each channel of `[B, C, T]` with its filter of `[C, 1, K]`, which `length` places are long enough for. A convolution
/// has as many groups as there are channels: where those aren't known, windows are sums of products.
Value perChannel(Node &node, Value x, Value filter, int64_t dilation, AffineExpr length) {
  AffineExpr channels = node.sizeOf(filter, 0), taps = node.sizeOf(filter, 2);
  if (isStatic(channels))
    return node.sized<ConvOp>(3, elementOf(x), x, filter, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{dilation},
                              ArrayRef<int64_t>{0, 0}, SizeAnalysis::staticSize(channels));
  Type i64 = node.builder.getI64Type(), compute = computedIn(node, elementOf(x));
  Value ahead = node.binary<MulOp>(node.iota({length, taps}, 1, i64), double(dilation));
  Value windows = take(node, x, node.binary<AddOp>(node.iota({length, taps}, 0, i64), ahead), 2);
  Value weights = node.broadcast(node.reshape(filter, {channels, taps}), {1, 3}, node.sizesOf(windows));
  Value products = node.binary<MulOp>(node.cast(windows, compute), node.cast(weights, compute));
  return node.cast(node.reduce(Combiner::sum, products, {3}), elementOf(x));
}

/// Each channel on its own, from what lies before: behind the state of the last step, or behind zeros.
Results causalConvWithState(Node &node) {
  Value x = node[0], filter = node[1];
  bool isLast = node.flag("channels_last");
  int64_t dilation = node.integer("dilation", 1);
  for (StringRef name :
       {"state_window", "input_channels", "input_channel_offset", "state_length", "state_update_capacity"})
    if (node.integer(name, 0) != 0)
      return node.unsupported() << "the attribute '" << name << "'";
  if (node.integer("ndim", 1) != 1 || rankOf(filter) != 3 || rankOf(x) < 3 || (!isLast && rankOf(x) != 3))
    return node.unsupported() << "more than one spatial dimension";
  AffineExpr channels = node.sizeOf(filter, 0), taps = node.sizeOf(filter, 2);
  if (isStatic(taps, 0) || dilation < 1)
    return node.error() << "expects a filter of one tap or more and a positive dilation, but has " << typeOf(filter)
                        << " and " << dilation;
  Sizes original = node.sizesOf(x);
  auto channelsFirst = [&](Value value) {
    Sizes sizes = node.sizesOf(value);
    return isLast ? node.moveDim(node.reshape(value, {sizes[0], sizes[1], channels}), 2, 1)
                  : node.withSize(value, 1, channels, "as many channels as filters");
  };
  auto asGiven = [&](Value value) {
    Sizes sizes = original;
    sizes[isLast ? 1 : 2] = node.sizeOf(value, 2);
    return node.reshape(isLast ? node.moveDim(value, 1, 2) : value, sizes);
  };
  x = channelsFirst(x);
  AffineExpr reach = node.sizes.simplify((taps - 1) * dilation), length = node.sizeOf(x, 2);
  Sizes none(3, node.size(0)), before = none;
  before[2] = reach;
  x = node.has(3) ? node.concat({channelsFirst(node[3]), x}, 2)
                  : node.pad(x, node.scalar(0, elementOf(x)), before, none);
  Value y = perChannel(node, x, filter, dilation, length);
  if (!y)
    return failure();
  if (node.has(2))
    y = node.binary<AddOp>(y, node.along(node[2], 1, y));
  StringRef activation = node.string("activation", "none");
  if (activation != "none")
    y = Activation{activation.lower()}.apply(node, y);
  return {asGiven(y), asGiven(node.slice(x, 2, length, reach))};
}

/// Per token a state of keys times values: it decays, what it holds for the key may be taken out, then the
/// key's value is added; the query reads it.
class LinearAttention {
public:
  explicit LinearAttention(Node &node) : node(node), f32(node.builder.getF32Type()) {}

  Results convert() {
    if (!check())
      return failure();
    Value query = heads(0, queryHeads), key = heads(1, keyHeads), value = heads(2, keyHeads);
    if (node.hasFailed())
      return failure();
    AffineExpr batch = node.sizeOf(query, 0), length = node.sizeOf(query, 1), depth = node.sizeOf(key, 3),
               width = node.sizeOf(value, 3);
    Sizes tokens = {batch, length, AffineExpr(), AffineExpr()};
    key = node.withSizes(key, tokens, "as many keys as queries");
    value = node.withSizes(value, tokens, "as many values as queries");
    query = node.withSizes(query, {batch, length, AffineExpr(), depth}, "heads of queries as long as those of keys");
    Sizes state = {batch, node.size(keyHeads), depth, width};
    if (node.has(3) && rankOf(node[3]) != 4)
      return node.error() << "expects a state of rank 4, but has " << typeOf(node[3]);
    Value initial = node.has(3)
                        ? node.withSizes(node.cast(node[3], f32), state, "a state of keys times values per head")
                        : node.broadcast(node.scalar(0, f32), {}, state);
    Value decay = decays ? factors(4, depth) : Value(), rate = subtracts ? factors(5, node.size(1)) : Value();
    if (node.hasFailed())
      return failure();
    double scale = node.number("scale", isStatic(depth) ? 1 / std::sqrt(double(SizeAnalysis::staticSize(depth))) : 0);
    query = scale != 0
                ? node.binary<MulOp>(query, scale)
                : node.binary<MulOp>(query, node.broadcast(reciprocalRoot(node, depth), {}, node.sizesOf(query)));
    auto scalar = RankedTensorType::get({}, node.builder.getI64Type());
    auto body = [&](Value time, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
      auto at = [&](Value x) { return take(node, x, time, 1); };
      Value s = states.front(), k = at(key), v = at(value);
      if (decay)
        s = node.binary<MulOp>(s, node.broadcastTo(node.unsqueeze(at(decay), {3}), state));
      if (rate) {
        Value held = node.contract(k, s, 4, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 3}, f32);
        v = node.binary<MulOp>(node.binary<SubOp>(v, held), node.broadcastTo(at(rate), node.sizesOf(v)));
      }
      s = node.binary<AddOp>(
          s, node.binary<MulOp>(node.broadcast(k, {0, 1, 2}, state), node.broadcast(v, {0, 1, 3}, state)));
      Value y = read(at(query), s);
      if (node.hasFailed())
        return std::nullopt;
      return LoopBuilder::Yielded{node.boolean(true), {s}, {y}};
    };
    SmallVector<Value> carried = {initial};
    auto values = LoopBuilder(node, carried).build(node.fromSizes(length, scalar), node.boolean(true), body);
    if (!values)
      return failure();
    // [T, B, H, dv]
    Value y = node.transpose(values->back(), {1, 0, 2, 3});
    y = node.reshape(y, {batch, length, node.product({node.size(std::max(queryHeads, keyHeads)), width})});
    Type stateType = node.has(3) ? elementOf(node[3]) : elementOf(node[0]);
    return {node.cast(y, elementOf(node[0])), node.cast(values->front(), stateType)};
  }

private:
  bool check() {
    queryHeads = node.integer("q_num_heads", 0);
    keyHeads = node.integer("kv_num_heads", 0);
    StringRef rule = node.string("update_rule", "gated_delta");
    decays = rule == "gated" || rule == "gated_delta";
    subtracts = rule == "delta" || rule == "gated_delta";
    if (!decays && !subtracts && rule != "linear")
      node.error() << "expects update_rule linear, gated, delta or gated_delta, but has '" << rule << "'";
    else if (node.integer("state_window", 0) != 0)
      node.unsupported() << "states of several tokens (state_window)";
    else if (queryHeads < 1 || keyHeads < 1 || std::max(queryHeads, keyHeads) % std::min(queryHeads, keyHeads) != 0)
      node.error() << "expects q_num_heads and kv_num_heads of which one divides the other, but has " << queryHeads
                   << " and " << keyHeads;
    else if ((decays && !node.has(4)) || (subtracts && !node.has(5)))
      node.error() << "expects decay and beta as the update_rule '" << rule << "' needs them";
    return !node.hasFailed() && node.expect({0, 1, 2});
  }

  Value heads(size_t operand, int64_t count) { return node.cast(splitHeads(node, node[operand], count), f32); }

  /// `[B, T, Hkv * d]`, `[B, T, Hkv]` or `[B, T, 1]` as `[B, T, Hkv or 1, d or 1]`; e to the decay.
  Value factors(size_t operand, AffineExpr depth) {
    Value x = node.cast(node[operand], f32);
    if (rankOf(x) != 3) {
      node.error() << "expects rank 3 of operand " << operand << ", but has " << typeOf(x);
      return x;
    }
    x = node.withSizes(x, {node.sizeOf(node[0], 0), node.sizeOf(node[0], 1), AffineExpr()},
                       "as many factors as queries");
    Sizes sizes = node.sizesOf(x);
    AffineExpr heads = node.size(keyHeads), all = node.product({heads, depth});
    if (!isStatic(sizes[2]) && sizes[2] != all) {
      // Whichever of the three it is, a place in all elements of the heads has its part.
      AffineExpr known = node.choose(sizes[2], heads, heads, all);
      known = node.choose(sizes[2], node.size(1), node.size(1), known);
      node.expectEqual(sizes[2], known,
                       "LinearAttention expects a factor per token, per head or per element of a head");
      Type i64 = node.builder.getI64Type();
      Value place = node.iota({all}, 0, i64);
      auto like = [&](AffineExpr size) { return node.broadcast(numberOf(node, size, i64), {}, {all}); };
      place = node.binary<DivOp>(node.binary<MulOp>(place, like(sizes[2])), like(all));
      x = node.reshape(take(node, x, place, 2), {sizes[0], sizes[1], heads, depth});
      return operand == 4 ? node.unary<ExpOp>(x) : x;
    }
    bool isShared = isStatic(sizes[2], 1);
    AffineExpr rest = isShared ? node.size(1) : node.quotient(sizes[2], node.size(keyHeads));
    if (rest != depth && !isStatic(rest, 1)) {
      node.error() << "expects a factor per head or per element of a head, but has " << typeOf(x);
      return x;
    }
    x = node.reshape(x, {sizes[0], sizes[1], isShared ? node.size(1) : node.size(keyHeads), rest});
    return operand == 4 ? node.unary<ExpOp>(x) : x;
  }

  /// `[B, Hq, dk]` times `[B, Hkv, dk, dv]`, heads of the fewer shared.
  Value read(Value query, Value state) {
    int64_t group = std::max(queryHeads, keyHeads) / std::min(queryHeads, keyHeads);
    if (group == 1)
      return node.contract(query, state, 4, {0, 1, 2}, {0, 1, 2, 3}, {0, 1, 3}, f32);
    Value &more = queryHeads < keyHeads ? state : query;
    Sizes sizes = node.sizesOf(more), apart = sizes;
    apart[1] = node.size(std::min(queryHeads, keyHeads));
    apart.insert(apart.begin() + 2, node.size(group));
    more = node.reshape(more, apart);
    Value y = queryHeads < keyHeads ? node.contract(query, state, 5, {0, 1, 3}, {0, 1, 2, 3, 4}, {0, 1, 2, 4}, f32)
                                    : node.contract(query, state, 5, {0, 1, 2, 3}, {0, 1, 3, 4}, {0, 1, 2, 4}, f32);
    return node.reshape(y, {sizes[0], node.size(std::max(queryHeads, keyHeads)), node.sizeOf(y, 3)});
  }

  Node &node;
  Type f32;
  int64_t queryHeads = 0, keyHeads = 0;
  bool decays = false, subtracts = false;
};

Results linearAttention(Node &node) { return LinearAttention(node).convert(); }

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// T5's buckets of distances: near ones have one each, far ones share them by the logarithm.
Results relativePositionBias(Node &node) {
  Value table = node[0];
  double farthest = node.integer("max_distance", 0);
  int64_t buckets = rankOf(table) == 2 ? typeOf(table).getDimSize(0) : 0;
  if (buckets < 4 || farthest < 1)
    return node.error() << "expects a table of buckets and a positive max_distance, but has " << typeOf(table)
                        << " and " << farthest;
  Type i64 = node.builder.getI64Type(), f32 = node.builder.getF32Type();
  Sizes lengths;
  for (size_t i : {1, 2}) {
    if (!isSingle(node[i]) || !elementOf(node[i]).isInteger())
      return node.error() << "expects an integer as length, but has " << typeOf(node[i]);
    lengths.push_back(node.elements(node.reshape(node[i], {}))->front());
  }
  Value distance = node.binary<SubOp>(node.iota(lengths, 1, i64), node.iota(lengths, 0, i64));
  Value first = node.splat(0, distance);
  if (node.flag("is_bidirectional")) {
    buckets /= 2;
    first = node.binary<MulOp>(node.cast(node.compare(Predicate::gt, distance, 0.0), i64), double(buckets));
    distance = node.unary<AbsOp>(distance);
  } else {
    distance = node.binary<MaxOp>(node.unary<NegOp>(distance), 0.0);
  }
  double exact = buckets / 2;
  Value far = node.binary<DivOp>(node.cast(node.binary<MaxOp>(distance, 1.0), f32), exact);
  far = node.binary<DivOp>(node.unary<LogOp>(far), std::log(float(farthest / exact)));
  far = node.cast(node.binary<MulOp>(far, buckets - exact), i64);
  far = node.binary<MinOp>(node.binary<AddOp>(far, exact), double(buckets - 1));
  Value bucket = node.select(node.compare(Predicate::lt, distance, exact), distance, far);
  // The bytes of the table are those of the transposed one.
  Value rows = node.reshape(table, {node.sizeOf(table, 1), node.sizeOf(table, 0)});
  return node.unsqueeze(take(node, rows, node.binary<AddOp>(bucket, first), 1), {0});
}

/// The bias of places times what the query says of it.
Results gatedRelativePositionBias(Node &node) {
  if (node.has(6))
    return node.unsupported() << "tokens without their padding (token_offset)";
  Value query = node.binary<AddOp>(node[0], node.broadcastTo(node[1], node.sizesOf(node[0])));
  int64_t heads = node.integer("num_heads", 0);
  query = splitHeads(node, query, heads);
  if (rankOf(node[2]) != 4 || rankOf(node[3]) != 2)
    return node.error() << "expects a bias of rank 4 and a matrix of weights, but has " << typeOf(node[2]) << " and "
                        << typeOf(node[3]);
  if (node.hasFailed())
    return failure();
  Value gates = node.contract(query, node[3], 5, {0, 2, 1, 3}, {3, 4}, {0, 1, 2, 4}, elementOf(query));
  Sizes sizes = node.sizesOf(gates);
  gates = node.binary<AddOp>(gates, node.broadcastTo(node[4], sizes));
  Sizes apart(ArrayRef(sizes).drop_back());
  apart.append({node.size(2), node.quotient(sizes[3], node.size(2))});
  gates = node.unary<SigmoidOp>(node.reduce(Combiner::sum, node.reshape(gates, apart), {4}));
  Value update = node.slice(gates, 3, node.size(0), node.size(1)),
        reset = node.slice(gates, 3, node.size(1), node.size(1));
  Value scale = node.broadcastTo(node[5], node.sizesOf(reset));
  Value gate = node.binary<SubOp>(node.binary<MulOp>(reset, scale), 1.0);
  gate = node.binary<AddOp>(node.binary<MulOp>(update, gate), 2.0);
  SmallVector<Value> pair = {gate, node[2]};
  if (!node.broadcastAll(pair))
    return failure();
  return node.binary<MulOp>(pair[0], pair[1]);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// The tokens `[n, D]` of `[B, S, D]` without padding at the ends, where they stood, and where sequences end.
Results removePadding(Node &node) {
  Value x = node[0];
  if (rankOf(x) != 3 || rankOf(node[1]) != 1)
    return node.error() << "expects rank 3 and a vector of counts, but has " << typeOf(x) << " and " << typeOf(node[1]);
  Type i64 = node.builder.getI64Type(), i32 = node.builder.getI32Type();
  Sizes sizes = node.sizesOf(x), grid = {sizes[0], sizes[1]};
  AffineExpr all = node.product(grid);
  Value counts = node.cast(node[1], i64);
  Value isToken = node.compare(Predicate::lt, node.iota(grid, 1, i64), node.broadcast(counts, {0}, grid));
  isToken = node.reshape(isToken, {all});
  auto places = [&](Value condition) {
    auto type = RankedTensorType::get({1, ShapedType::kDynamic}, i64);
    return node.squeeze(NonZeroOp::create(node.builder, node.loc, type, condition), {0});
  };
  Value tokens = places(isToken), padding = places(node.unary<NotOp>(isToken));
  Value offsets = node.reshape(node.cast(node.concat({tokens, padding}, 0), i32), grid);
  Value sums = ScanOp::create(node.builder, node.loc, counts.getType(), Combiner::sum, counts, 0, false, false);
  Value ends = node.pad(sums, node.scalar(0, i64), {node.size(1)}, {node.size(0)});
  Value longest = node.unsqueeze(node.reduce(Combiner::max, counts, {0}), {0});
  return {take(node, node.reshape(x, {all, sizes[2]}), tokens, 0), offsets, node.cast(ends, i32),
          node.cast(longest, i32)};
}

/// The tokens `[n, D]` at their places in `[B, S, D]`, zeros elsewhere.
Results restorePadding(Node &node) {
  Value x = node[0], offsets = node[1];
  if (rankOf(x) != 2 || rankOf(offsets) != 2)
    return node.error() << "expects matrices, but has " << typeOf(x) << " and " << typeOf(offsets);
  Sizes sizes = node.sizesOf(offsets);
  AffineExpr tokens = node.sizeOf(x, 0), width = node.sizeOf(x, 1), all = node.product(sizes);
  Value places =
      node.slice(node.reshape(node.cast(offsets, node.builder.getI64Type()), {all}), 0, node.size(0), tokens);
  Value none = node.broadcast(node.scalar(0, elementOf(x)), {}, {all, width});
  Value y = ScatterOp::create(node.builder, node.loc, none.getType(), IndexMode::error, CombinerAttr(), none,
                              node.unsqueeze(places, {1}), x, ArrayRef<int64_t>{0}, 0);
  return node.reshape(y, {sizes[0], sizes[1], width});
}

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

/// Tokens that would make the last ones a sequence that stands before get a score of -inf.
Results nGramRepeatBlock(Node &node) {
  Value tokens = node[0], scores = node[1];
  int64_t length = node.integer("ngram_size", 0);
  if (rankOf(tokens) != 2 || rankOf(scores) != 2 || length < 1 || !isa<FloatType>(elementOf(scores)))
    return node.error() << "expects a positive ngram_size and matrices of tokens and scores, but has " << length << ", "
                        << typeOf(tokens) << " and " << typeOf(scores);
  Type i64 = node.builder.getI64Type();
  AffineExpr zero = node.size(0), last = node.sizes.simplify(node.sizeOf(tokens, 1) + 1 - length);
  AffineExpr count = node.largest(last, zero);
  Value window = node.iota({count}, 0, i64);
  auto at = [&](int64_t i) { return node.cast(take(node, tokens, node.binary<AddOp>(window, double(i)), 1), i64); };
  Value next = at(length - 1), isSame = node.broadcast(node.boolean(true), {}, node.sizesOf(next));
  Value end = node.broadcast(node.binary<MaxOp>(numberOf(node, last), 0.0), {}, {count});
  for (int64_t i = 0; i + 1 < length; ++i) {
    // Of each window the same; there is none where this is behind the last token.
    Value wanted = node.cast(take(node, tokens, node.binary<AddOp>(end, double(i)), 1), i64);
    isSame = node.binary<AndOp>(isSame, node.compare(Predicate::eq, at(i), wanted));
  }
  Value nowhere = numberOf(node, node.sizeOf(scores, 1));
  Value place = node.select(isSame, next, nowhere);
  Value blocked =
      node.broadcast(node.scalar(-std::numeric_limits<double>::infinity(), elementOf(scores)), {}, node.sizesOf(place));
  return ScatterOp::create(node.builder, node.loc, scores.getType(), IndexMode::drop, CombinerAttr(), scores,
                           node.unsqueeze(place, {2}), blocked, ArrayRef<int64_t>{1}, 1)
      .getResult();
}

//===----------------------------------------------------------------------===//
// Alignment
//===----------------------------------------------------------------------===//

/// The cheapest path through a matrix from its first element to its last, by steps to the next row, column or
/// both.
class TimeWarping {
public:
  explicit TimeWarping(Node &node) : node(node), i64(node.builder.getI64Type()) {}

  Results convert() {
    costs = node[0];
    if (rankOf(costs) == 3)
      costs = node.squeeze(costs, {0});
    if (node.hasFailed() || rankOf(costs) != 2 || !isa<FloatType>(elementOf(costs)))
      return node.error() << "expects a matrix of costs, but has " << typeOf(node[0]);
    rows = node.sizeOf(costs, 0);
    columns = node.sizeOf(costs, 1);
    flat = node.reshape(costs, node.product({rows, columns}));
    diagonals = node.sizes.simplify(rows + columns - 1);
    Value steps = findSteps();
    return steps ? follow(steps) : Results(failure());
  }

private:
  using Yielded = LoopBuilder::Yielded;

  Value count(AffineExpr size) { return numberOf(node, size); }

  /// Per diagonal from the second on, and per row, by which step its element is reached: 0 from both, 1 from
  /// the row before, 2 from the column before. Rows and columns count from 1. Elements of a diagonal don't
  /// depend on each other.
  Value findSteps() {
    Sizes row = {node.sizes.simplify(rows + 1)};
    Value place = node.iota(row, 0, i64), unreached = node.broadcast(node.scalar(infinity, elementOf(costs)), {}, row);
    Value before = node.binary<MaxOp>(node.binary<SubOp>(place, 1.0), 0.0);
    Value start = node.select(node.compare(Predicate::eq, place, 0.0), node.scalar(0, elementOf(costs)),
                              node.scalar(infinity, elementOf(costs)));
    auto step = [&](Value time, ArrayRef<Value> last) -> std::optional<Yielded> {
      Value column = node.binary<SubOp>(node.binary<AddOp>(time, 2.0), place);
      Value isInside = node.binary<AndOp>(node.compare(Predicate::ge, column, 1.0),
                                          node.compare(Predicate::le, column, count(columns)));
      isInside = node.binary<AndOp>(isInside, node.compare(Predicate::ge, place, 1.0));
      Value both = take(node, last[0], before, 0), up = take(node, last[1], before, 0), left = last[1];
      auto isLeast = [&](Value x, Value a, Value b) {
        return node.binary<AndOp>(node.compare(Predicate::lt, x, a), node.compare(Predicate::lt, x, b));
      };
      Value isBoth = isLeast(both, up, left), isUp = isLeast(up, both, left);
      Value index = node.binary<SubOp>(node.binary<AddOp>(node.binary<MulOp>(before, count(columns)), column), 1.0);
      Value cost = take(node, flat, index, 0, IndexMode::clamp);
      cost = node.binary<AddOp>(node.select(isBoth, both, node.select(isUp, up, left)), cost);
      Value way = node.select(isBoth, node.scalar(0, i64), node.select(isUp, node.scalar(1, i64), node.scalar(2, i64)));
      cost = node.select(isInside, cost, unreached);
      if (node.hasFailed())
        return std::nullopt;
      return Yielded{node.boolean(true), {last[1], cost}, {way}};
    };
    Value initial[] = {start, unreached};
    auto values = LoopBuilder(node, initial).build(count(diagonals), node.boolean(true), step);
    return values ? values->back() : Value();
  }

  /// From the last element back to the first.
  Results follow(Value steps) {
    auto goesOn = [&](Value row, Value column) {
      return node.binary<AndOp>(node.compare(Predicate::gt, row, 0.0), node.compare(Predicate::gt, column, 0.0));
    };
    auto step = [&](Value, ArrayRef<Value> at) -> std::optional<Yielded> {
      Value diagonal = node.binary<SubOp>(node.binary<AddOp>(at[0], at[1]), 2.0);
      Value way = take(node, take(node, steps, diagonal, 0), at[0], 0);
      auto previous = [&](Value x, double unless) {
        return node.select(node.compare(Predicate::eq, way, unless), x, node.binary<SubOp>(x, 1.0));
      };
      Value row = previous(at[0], 2), column = previous(at[1], 1);
      if (node.hasFailed())
        return std::nullopt;
      return Yielded{
          goesOn(row, column), {row, column}, {node.binary<SubOp>(at[0], 1.0), node.binary<SubOp>(at[1], 1.0)}};
    };
    Value initial[] = {count(rows), count(columns)};
    auto values = LoopBuilder(node, initial).build(count(diagonals), goesOn(initial[0], initial[1]), step);
    if (!values)
      return failure();
    Value backwards = node.concat({node.unsqueeze((*values)[2], {0}), node.unsqueeze((*values)[3], {0})}, 0);
    AffineExpr length = node.sizeOf(backwards, 1);
    Value place = node.binary<SubOp>(node.binary<SubOp>(count(length), 1.0), node.iota({length}, 0, i64));
    return node.cast(take(node, backwards, place, 1), node.builder.getI32Type());
  }

  static constexpr double infinity = std::numeric_limits<double>::infinity();
  Node &node;
  Type i64;
  Value costs, flat;
  AffineExpr rows, columns, diagonals;
};

Results dynamicTimeWarping(Node &node) { return TimeWarping(node).convert(); }

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// Of each word, a row of numbers of characters up to the first 0, a convolution of the characters' vectors and the
/// largest of its values. A word of no characters gives 0.
Results wordConvEmbedding(Node &node) {
  Value words = node[0], filter = node[1], table = node[3];
  Type f32 = node.builder.getF32Type(), i64 = node.builder.getI64Type();
  if (rankOf(words) != 2 || rankOf(filter) != 4 || rankOf(table) != 2 || rankOf(node[2]) != 1 ||
      !typeOf(filter).hasStaticShape() || !isStatic(node.sizeOf(table, 1), typeOf(filter).getDimSize(3)) ||
      typeOf(filter).getDimSize(1) != 1)
    return node.error()
           << "expects words of rank 2, filters [M, 1, K, E] of known sizes, M biases and vectors of E, but has "
           << typeOf(words) << ", " << typeOf(filter) << ", " << typeOf(node[2]) << " and " << typeOf(table);
  ArrayRef<int64_t> sizes = typeOf(filter).getShape();
  for (auto [name, size] : {std::pair("embedding_size", sizes[0]), std::pair("conv_window_size", sizes[2]),
                            std::pair("char_embedding_size", sizes[3])})
    if (int64_t stated = node.integer(name, size); stated != size && stated != -1)
      return node.error() << "expects " << size << " as " << name << ", but has " << stated;
  AffineExpr count = node.sizeOf(words, 0);
  Value isCharacter = node.compare(Predicate::gt, words, 0.0);
  Value isWord = node.reshape(node.slice(isCharacter, 1, node.size(0), node.size(1)), {count});
  Value length = node.reduce(Combiner::sum, node.cast(isCharacter, i64), {1});
  Value vectors = node.moveDim(take(node, table, node.cast(words, i64), 0), 1, 2);
  Value kernel =
      node.moveDim(node.reshape(filter, {node.size(sizes[0]), node.size(sizes[2]), node.size(sizes[3])}), 1, 2);
  Value y = node.sized<ConvOp>(3, f32, vectors, kernel, ArrayRef<int64_t>{1}, ArrayRef<int64_t>{1},
                               ArrayRef<int64_t>{0, 0}, 1);
  if (!y)
    return failure();
  y = node.unary<TanhOp>(node.binary<AddOp>(y, node.along(node[2], 1, y)));
  Value windows = node.binary<MaxOp>(node.binary<SubOp>(length, double(sizes[2] - 1)), 1.0);
  Sizes all = node.sizesOf(y);
  Value isInside = node.compare(Predicate::lt, node.iota(all, 2, i64), node.broadcast(windows, {0}, all));
  y = node.reduce(Combiner::max, node.select(isInside, y, node.splat(-1, y)), {2});
  return node.select(node.broadcast(isWord, {0}, node.sizesOf(y)), y, node.splat(0, y));
}
} // namespace

void onnx::addMicrosoftSequenceConverters(ConverterTable &table) {
  table.add("com.microsoft.NGramRepeatBlock", 1, 2, 2, nGramRepeatBlock);
  table.add("com.microsoft.DynamicTimeWarping", 1, 1, 1, dynamicTimeWarping);
  table.add("com.microsoft.WordConvEmbedding", 1, 4, 4, wordConvEmbedding);
  // The standard took them over as they are.
  table.add("CausalConvWithState", 27, 2, 4, causalConvWithState);
  table.add("com.microsoft.CausalConvWithState", 1, 2, 4, causalConvWithState);
  table.add("LinearAttention", 27, 3, 6, linearAttention);
  table.add("com.microsoft.LinearAttention", 1, 3, 6, linearAttention);
  table.add("com.microsoft.RelativePositionBias", 1, 3, 3, relativePositionBias);
  table.add("com.microsoft.GatedRelativePositionBias", 1, 6, 7, gatedRelativePositionBias);
  table.add("com.microsoft.RemovePadding", 1, 2, 2, removePadding);
  table.add("com.microsoft.RestorePadding", 1, 2, 2, restorePadding);
}
