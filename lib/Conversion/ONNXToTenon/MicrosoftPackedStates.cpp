//===- MicrosoftPackedStates.cpp - States of packed requests in ONNX Runtime's operators ---===//
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
#include "PackedRequests.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// How many of the first tokens of a request are given as what they change; an error where it makes no sense.
std::optional<int64_t> capturedOf(Node &node, size_t counts) {
  int64_t captured = node.integer("state_update_capacity", 0);
  if (captured >= 0 && captured <= 8 && (captured > 0) == node.has(counts))
    return captured;
  node.error() << "expects state_update_capacity from 0 to 8, and capture_count where it is positive, but has "
               << captured;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

/// Each channel `[N, C]` on its own, from what lies before in the same request, which begins with a state.
Results varlenCausalConvWithState(Node &node) {
  Value x = node[0], filter = node[1];
  int64_t dilation = node.integer("dilation", 1);
  if (node.has(6) || node.has(7) || node.integer("group_size", 1) != 1 || node.integer("delta_offset", 0) != 0)
    return node.unsupported() << "filters that depend on the token (kernel_delta)";
  if (!node.expect({4}))
    return failure();
  int64_t taps = rankOf(filter) == 3 ? typeOf(filter).getDimSize(2) : -1;
  if (rankOf(x) != 2 || taps < 1 || taps > 4096 || typeOf(filter).getDimSize(1) != 1 || dilation < 1)
    return node.error() << "expects tokens of rank 2, a filter of rank 3 with a known number of taps and a positive "
                           "dilation, but has "
                        << typeOf(x) << ", " << typeOf(filter) << " and " << dilation;
  auto captured = capturedOf(node, 5);
  int64_t reach = (taps - 1) * dilation;
  if (captured && (rankOf(node[4]) != 3 || !isStatic(node.sizeOf(node[4], 2), reach)))
    node.error() << "expects " << reach << " elements per channel as initial_state, but has " << typeOf(node[4]);
  StringRef activation = node.string("activation", "none");
  if (!node.hasFailed() && activation != "none" && activation != "silu" && activation != "swish")
    node.error() << "expects none, silu or swish as activation, but has '" << activation << "'";
  if (node.hasFailed())
    return failure();
  PackedRequests requests(node, node[2], node.sizeOf(x, 0));
  Type f32 = node.builder.getF32Type(), element = elementOf(x);
  Value state = node.moveDim(node[4], 1, 2), sum;
  for (int64_t tap = 0; tap < taps; ++tap) {
    int64_t distance = (taps - 1 - tap) * dilation;
    Value term = distance == 0 ? x : requests.before(x, state, distance);
    term = node.cast(term, f32);
    Value factor = node.reshape(node.slice(filter, 2, node.size(tap), node.size(1)), {node.sizeOf(filter, 0)});
    term = node.binary<MulOp>(term, node.along(node.cast(factor, f32), 1, term));
    sum = sum ? node.binary<AddOp>(sum, term) : term;
  }
  if (node.has(3))
    sum = node.binary<AddOp>(sum, node.along(node.cast(node[3], f32), 1, sum));
  if (activation != "none")
    sum = Activation{"silu"}.apply(node, sum);
  Value last = node.moveDim(requests.last(x, state, requests.lengths), 1, 2);
  return {node.cast(sum, element), last, *captured > 0 ? requests.first(x, *captured, node[5], 0) : Value()};
}

//===----------------------------------------------------------------------===//
// Gated delta rule
//===----------------------------------------------------------------------===//

/// Per token a state of values times keys, `[B, Hv, dv, dk]`: it decays, what it holds for the key is taken from the
/// value, and the rest is added; the query reads it. Requests run side by side, as many steps as the longest has
/// tokens.
class GatedDeltaNet {
public:
  explicit GatedDeltaNet(Node &node) : node(node), f32(node.builder.getF32Type()), i64(node.builder.getI64Type()) {}

  Results convert() {
    auto capacity = capturedOf(node, 9);
    if (!capacity || !check() || !placeOperands())
      return failure();
    bool subtracts = rule == "delta" || rule == "gated_delta";
    Value decay = rule == "gated" || rule == "gated_delta" ? decays() : Value();
    Value rate = subtracts || node.has(5) ? rates() : Value();
    if (node.hasFailed())
      return failure();
    double scale = node.number("scale", 0);
    query = node.binary<MulOp>(query, scale != 0 ? scale : 1 / std::sqrt(double(depth)));

    Sizes state = {requests->count, node.size(heads), node.size(width), node.size(depth)};
    Value initial = node.has(6) ? node.reshape(node[6], state) : node.broadcast(node.scalar(0, f32), {}, state);
    auto body = [&](Value time, ArrayRef<Value> states) -> std::optional<LoopBuilder::Yielded> {
      Value place = node.binary<AddOp>(requests->starts, time);
      auto at = [&](Value x) { return requests->takeTokens(x, place); };
      Value s = states.front(), k = perValueHead(at(key)), v = at(value);
      if (decay)
        s = node.binary<MulOp>(s, spread(at(decay), state));
      if (subtracts)
        v = node.binary<SubOp>(v, node.contract(s, k, 4, {0, 1, 2, 3}, {0, 1, 3}, {0, 1, 2}, f32));
      if (rate)
        v = node.binary<MulOp>(v, node.broadcast(at(rate), {0, 1}, node.sizesOf(v)));
      s = node.binary<AddOp>(
          s, node.binary<MulOp>(node.broadcast(v, {0, 1, 2}, state), node.broadcast(k, {0, 1, 3}, state)));
      Value y = node.contract(s, perValueHead(at(query)), 4, {0, 1, 2, 3}, {0, 1, 3}, {0, 1, 2}, f32);
      Value goesOn = node.compare(Predicate::gt, requests->lengths, time);
      s = node.select(node.broadcast(goesOn, {0}, state), s, states.front());
      if (node.hasFailed())
        return std::nullopt;
      return LoopBuilder::Yielded{node.boolean(true), {s}, {y, v}};
    };
    Value steps = isRagged() ? node.reduce(Combiner::max, requests->lengths, {0}) : numberOf(node, uniform);
    auto values = LoopBuilder(node, {initial}).build(steps, node.boolean(true), body);
    if (!values)
      return failure();
    Sizes given = outer;
    given.append({node.size(heads), node.size(width)});
    Value y = node.cast(node.reshape(ofTokens((*values)[1]), given), elementOf(node[0]));
    Value update = node.isUsed(2) && *capacity > 0 ? transitions(*capacity, decay, ofTokens((*values)[2])) : Value();
    return {y, values->front(), update};
  }

private:
  bool isRagged() { return node.has(3); }

  bool check() {
    rule = node.string("update_rule", "gated_delta");
    gate = node.string("gate_activation", "none");
    StringRef rateOf = node.string("beta_activation", "none");
    bool decaysToo = rule == "gated" || rule == "gated_delta", subtracts = rule == "delta" || rule == "gated_delta";
    if (!decaysToo && !subtracts && rule != "linear")
      node.error() << "expects update_rule linear, gated, delta or gated_delta, but has '" << rule << "'";
    else if (gate != "none" && gate != "softplus" && gate != "qwen" && gate != "sigmoid" && gate != "kda")
      node.error() << "expects gate_activation none, softplus or sigmoid, but has '" << gate << "'";
    else if (rateOf != "none" && rateOf != "sigmoid")
      node.error() << "expects beta_activation none or sigmoid, but has '" << rateOf << "'";
    else if ((decaysToo && !node.has(4)) || (subtracts && !node.has(5)))
      node.error() << "expects decay and beta as the update_rule '" << rule << "' needs them";
    else if (decaysToo && gate != "none" && (!node.has(7) || !node.has(8)))
      node.error() << "expects a_log and dt_bias of gate_activation '" << gate << "'";
    else if (node.has(1) != node.has(2))
      node.error() << "expects both key and value, or neither";
    else if ((!node.has(1) || !isRagged()) && !node.has(6) && rankOf(node[0]) != 4)
      node.error() << "expects initial_state where it alone says how many requests and heads there are";
    else if (node.has(6) && (rankOf(node[6]) != 4 || !elementOf(node[6]).isF32()))
      node.error() << "expects an initial_state of float32 of rank 4, but has " << typeOf(node[6]);
    return !node.hasFailed();
  }

  /// All tokens in one dimension, heads apart.
  bool placeOperands() {
    int64_t extra = node.has(1) ? 2 : 1, rank = rankOf(node[0]);
    if (rank != extra + 1 && (rank != extra + 2 || isRagged())) {
      node.error() << "expects tokens in one dimension, or in two without cu_seqlens, but has " << typeOf(node[0]);
      return false;
    }
    outer = Sizes(ArrayRef(node.sizesOf(node[0])).drop_back(extra));
    tokens = node.product(outer);
    if (!node.has(1)) {
      if (!unpack())
        return false;
    } else {
      auto known = [&](size_t operand, int64_t back) {
        ArrayRef<int64_t> sizes = typeOf(node[operand]).getShape();
        return rankOf(node[operand]) == rank ? sizes[rank - back] : ShapedType::kDynamic;
      };
      keyHeads = known(0, 2);
      depth = known(0, 1);
      heads = known(2, 2);
      width = known(2, 1);
      if (ShapedType::isDynamic(keyHeads) || ShapedType::isDynamic(depth) || ShapedType::isDynamic(heads) ||
          ShapedType::isDynamic(width) || known(1, 2) != keyHeads || known(1, 1) != depth) {
        node.error() << "expects queries, keys and values with known and fitting heads, but has " << typeOf(node[0])
                     << ", " << typeOf(node[1]) << " and " << typeOf(node[2]);
        return false;
      }
      query = apart(node[0], keyHeads, depth);
      key = apart(node[1], keyHeads, depth);
      value = apart(node[2], heads, width);
    }
    if (keyHeads < 1 || heads < 1 || heads % keyHeads != 0 || depth < 1 || width < 1) {
      node.error() << "expects heads of values (" << heads << ") that are a multiple of those of keys (" << keyHeads
                   << ")";
      return false;
    }
    if (node.flag("qk_l2_norm")) {
      query = normalized(query);
      key = normalized(key);
    }
    Value ends = node[3];
    if (!isRagged()) {
      AffineExpr count = outer.size() == 2 ? outer[0] : node.sizeOf(node[6], 0);
      uniform = outer.size() == 2 ? outer[1] : node.quotient(tokens, count);
      ends = node.binary<MulOp>(node.iota({node.sizes.simplify(count + 1)}, 0, i64), numberOf(node, uniform));
    }
    requests.emplace(node, ends, tokens);
    return !node.hasFailed();
  }

  bool unpack() {
    ArrayRef<int64_t> state = typeOf(node[6]).getShape();
    int64_t all = typeOf(node[0]).getShape().back();
    heads = state[1];
    width = state[2];
    depth = state[3];
    bool isKnown = !ShapedType::isDynamic(heads) && !ShapedType::isDynamic(width) && !ShapedType::isDynamic(depth) &&
                   !ShapedType::isDynamic(all) && depth > 0;
    keyHeads = isKnown ? (all - heads * width) / (2 * depth) : 0;
    if (!isKnown || keyHeads < 1 || all != 2 * keyHeads * depth + heads * width) {
      node.error()
          << "expects queries, keys and values behind each other, of heads of the sizes of initial_state, but has "
          << typeOf(node[0]) << " and " << typeOf(node[6]);
      return false;
    }
    int64_t last = rankOf(node[0]) - 1, keys = keyHeads * depth;
    auto part = [&](int64_t from, int64_t size) { return node.slice(node[0], last, node.size(from), node.size(size)); };
    query = apart(part(0, keys), keyHeads, depth);
    key = apart(part(keys, keys), keyHeads, depth);
    value = apart(part(2 * keys, heads * width), heads, width);
    return true;
  }

  Value apart(Value x, int64_t count, int64_t size) {
    return node.reshape(node.cast(x, f32), {tokens, node.size(count), node.size(size)});
  }

  Value normalized(Value x) {
    Value sum = node.reduce(Combiner::sum, node.binary<MulOp>(x, x), {2});
    Value factor = node.unary<RsqrtOp>(node.binary<AddOp>(sum, 1e-6f));
    return node.binary<MulOp>(x, node.broadcast(factor, {0, 1}, node.sizesOf(x)));
  }

  /// Heads of keys, each repeated for the heads of values that share it.
  Value perValueHead(Value x) {
    if (heads == keyHeads)
      return x;
    Sizes sizes = node.sizesOf(x), grouped = sizes;
    grouped.insert(grouped.begin() + 2, node.size(heads / keyHeads));
    sizes[1] = node.size(heads);
    return node.reshape(node.broadcast(x, {0, 1, 3}, grouped), sizes);
  }

  /// A factor per head, `[B, Hv]`, or per key dimension too.
  Value spread(Value x, ArrayRef<AffineExpr> sizes) {
    return rankOf(x) == 2 ? node.broadcast(x, {0, 1}, sizes) : node.broadcast(x, {0, 1, 3}, sizes);
  }

  /// What remains of the state: `[N, Hv]` or `[N, Hv, dk]`.
  Value decays() {
    Sizes sizes = {tokens, node.size(heads)};
    bool perKey = rankOf(node[4]) == (int64_t)outer.size() + 2;
    if (perKey)
      sizes.push_back(node.size(depth));
    Value x = node.reshape(node.cast(node[4], f32), sizes);
    if (gate != "none") {
      bool isShared = isStatic(node.product(node.sizesOf(node[8])), heads);
      Value bias =
          node.reshape(node[8], isShared ? Sizes{node.size(heads)} : Sizes{node.size(heads), node.size(depth)});
      if (!isShared && !perKey) {
        node.error() << "expects a dt_bias per head, but has " << typeOf(node[8]);
        return x;
      }
      x = node.binary<AddOp>(x, isShared ? node.along(bias, 1, x) : node.broadcast(bias, {1, 2}, sizes));
      Value rate = node.along(node.unary<ExpOp>(node[7]), 1, x);
      if (gate == "softplus" || gate == "qwen")
        x = node.binary<MulOp>(node.unary<NegOp>(rate), Activation{"softplus"}.apply(node, x));
      else
        x = node.binary<MulOp>(node.unary<SigmoidOp>(node.binary<MulOp>(rate, x)), node.number("gate_lower_bound", -5));
    }
    return node.unary<ExpOp>(x);
  }

  Value rates() {
    Value x = node.reshape(node.cast(node[5], f32), {tokens, node.size(heads)});
    return node.string("beta_activation", "none") == "sigmoid" ? node.unary<SigmoidOp>(x) : x;
  }

  /// What a step `[T, B, ..]` gave, for each token.
  Value ofTokens(Value steps) {
    Value indices = node.concat({node.unsqueeze(requests->place, {1}), node.unsqueeze(requests->request, {1})}, 1);
    return node.gather(steps, indices, {0, 1}, /*batchDims=*/0, IndexMode::clamp);
  }

  /// Decays, keys and what was added of the first tokens of each request, one behind the other; 0 behind the last.
  Value transitions(int64_t capacity, Value decay, Value added) {
    if (!decay)
      decay = node.broadcast(node.scalar(1, f32), {}, {tokens, node.size(heads)});
    SmallVector<Value> parts;
    for (Value x : {decay, key, added}) {
      Value first = requests->first(x, capacity, node[9], 0);
      Sizes sizes = node.sizesOf(first);
      parts.push_back(node.reshape(first, {sizes[0], node.product(ArrayRef(sizes).drop_front())}));
    }
    Value all = node.concat(parts, 1);
    if (!node.has(10))
      return all;
    Value isActive = node.compare(Predicate::ne, node.reshape(node[10], {}), 0.0);
    return node.select(isActive, all, node.splat(0, all));
  }

  Node &node;
  Type f32, i64;
  StringRef rule, gate;
  int64_t heads = 0, keyHeads = 0, width = 0, depth = 0;
  Sizes outer; ///< the dimensions of tokens
  AffineExpr tokens, uniform;
  std::optional<PackedRequests> requests;
  Value query, key, value; ///< `[N, heads, size]`
};

Results gatedDeltaNet(Node &node) { return GatedDeltaNet(node).convert(); }
} // namespace

void onnx::addMicrosoftPackedStateConverters(ConverterTable &table) {
  table.add("com.microsoft.VarlenCausalConvWithState", 1, 3, 8, varlenCausalConvWithState);
  table.add("com.microsoft.GatedDeltaNet", 1, 1, 11, gatedDeltaNet);
}
