//===- MicrosoftExperts.cpp - Mixtures of experts in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Microsoft.h"
#include "Quantization.h"

#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// A layer of all experts: `[E, N, K]` and, perhaps, `[E, N]`.
struct Layer {
  Value weights, bias;
};

struct Chosen {
  Value values;  ///< `[T, k]`, the largest first
  Value isThere; ///< `[T, k, N]`: whether that is column n
};

/// The k largest of each row of `[T, N]`.
Chosen choose(Node &node, Value scores, int64_t k) {
  Type i64 = node.builder.getI64Type();
  Sizes sizes = node.sizesOf(scores), best = {sizes[0], node.size(k)}, all = {sizes[0], node.size(k), sizes[1]};
  auto top = TopKOp::create(node.builder, node.loc, node.typeFor(elementOf(scores), best), node.typeFor(i64, best),
                            scores, 1, ValueRange(), ArrayRef<int64_t>{k}, /*smallest=*/false);
  Value isThere = node.compare(Predicate::eq, node.broadcast(top.getIndices(), {0, 1}, all), node.iota(all, 2, i64));
  return {top.getValues(), isThere};
}

/// Which columns of a row are among its k largest: `[T, N]`.
Value isAmongLargest(Node &node, Value scores, int64_t k) {
  Value count = node.cast(choose(node, scores, k).isThere, node.builder.getI32Type());
  return node.compare(Predicate::gt, node.reduce(Combiner::sum, count, {1}), 0.0);
}

/// How probabilities follow from the router's scores.
enum class Routing {
  all,    ///< softmax of the scores of all experts
  chosen, ///< softmax of the scores of those that are chosen
};

/// Two layers per expert, and perhaps one more beside the first; the results of the k experts that the router
/// prefers are added by its probabilities. All experts are computed: an expert that isn't chosen has no part
/// in the sum.
class MixtureOfExperts {
public:
  /// `mixing`: `[T, E]`, what the results are added by in place of probabilities; null for none.
  MixtureOfExperts(Node &node, Layer first, Layer second, Layer third, Routing routing, Value mixing = {})
      : node(node), first(first), second(second), third(third), routing(routing), mixing(mixing) {}

  Results convert() {
    if (!check())
      return failure();
    Sizes original = node.sizesOf(node[0]);
    AffineExpr width = original.back(), tokens = node.product(ArrayRef(original).drop_back());
    Value x = node.reshape(node[0], {tokens, width});
    Value weights = route(tokens);
    Value hidden = activated(apply(first, x), x);
    if (node.hasFailed())
      return failure();
    // What an expert that isn't chosen gives may be infinite.
    Sizes all = node.sizesOf(hidden);
    Value isChosen = node.broadcast(node.compare(Predicate::ne, weights, 0.0), {0, 1}, all);
    hidden =
        node.select(isChosen, node.binary<MulOp>(hidden, node.broadcast(weights, {0, 1}, all)), node.splat(0, hidden));
    // [T, E, I] times [E, H, I], over experts too.
    Value y = node.contract(hidden, second.weights, 4, {0, 1, 3}, {1, 2, 3}, {0, 2}, elementOf(x));
    if (second.bias)
      y = node.binary<AddOp>(y, node.contract(weights, second.bias, 3, {0, 2}, {2, 1}, {0, 1}, elementOf(x)));
    return node.reshape(y, original);
  }

private:
  bool check() {
    activation = node.string("activation_type", "relu");
    fusion = node.integer("swiglu_fusion", 0);
    count = node.integer("k", 1);
    for (Value weights : {first.weights, second.weights, third.weights})
      if (weights && rankOf(weights) != 3)
        node.error() << "expects weights of rank 3, but has " << typeOf(weights);
    if (node.hasFailed())
      return false;
    experts = typeOf(first.weights).getDimSize(0);
    if (rankOf(node[0]) < 2 || rankOf(node[1]) != 2)
      node.error() << "expects rows and a matrix of router_probs, but has " << typeOf(node[0]) << " and "
                   << typeOf(node[1]);
    else if (ShapedType::isDynamic(experts) || count < 1 || count > experts)
      node.error() << "expects k from 1 to the number of experts, but has " << count << " and "
                   << typeOf(first.weights);
    else if (node.flag("use_sparse_mixer") || node.flag("swiglu_limit_after_activation"))
      node.unsupported() << "use_sparse_mixer and swiglu_limit_after_activation";
    else if (fusion < 0 || fusion > 2 || (fusion != 0 && !isGated()))
      node.error() << "expects swiglu_fusion from 0 to 2 of a gated activation, but has " << fusion;
    else if (isGated() && fusion == 0 && !third.weights)
      node.error() << "expects fc3_experts_weights where gate and value aren't one product";
    else if (mixing && rankOf(mixing) != 2)
      node.error() << "expects a matrix of router_weights, but has " << typeOf(mixing);
    return !node.hasFailed();
  }

  bool isGated() { return activation == "swiglu" || activation == "geglu"; }

  Value softmax(Value scores) {
    return SoftmaxOp::create(node.builder, node.loc, scores.getType(), scores, ArrayRef<int64_t>{1}, false);
  }

  /// What the results of the k best experts are added by, zeros elsewhere: `[T, E]`.
  Value route(AffineExpr tokens) {
    Type f32 = node.builder.getF32Type();
    Value scores = node.cast(node[1], f32);
    if (routing == Routing::all)
      scores = softmax(scores);
    Chosen chosen = choose(node, scores, count);
    Sizes all = node.sizesOf(chosen.isThere);
    Value weights;
    if (mixing)
      weights = node.broadcast(node.cast(mixing, f32), {0, 2}, all);
    else
      weights = node.broadcast(routing == Routing::chosen ? softmax(chosen.values) : chosen.values, {0, 1}, all);
    weights = node.reduce(Combiner::sum, node.select(chosen.isThere, weights, node.scalar(0, f32)), {1});
    // A softmax of those that are chosen adds up to 1 as it is.
    if (node.flag("normalize_routing_weights") && (routing == Routing::all || mixing)) {
      Value sum = node.broadcastTo(node.reduce(Combiner::sum, weights, {1}, /*keepDims=*/true), node.sizesOf(weights));
      weights =
          node.select(node.compare(Predicate::eq, sum, 0.0), node.splat(0, sum), node.binary<DivOp>(weights, sum));
    }
    return node.cast(weights, elementOf(node[0]));
  }

  /// `[T, K]` times `[E, N, K]`, plus `[E, N]`.
  Value apply(const Layer &layer, Value x) {
    Value y = node.contract(x, layer.weights, 4, {0, 3}, {1, 2, 3}, {0, 1, 2}, elementOf(x));
    return layer.bias ? node.binary<AddOp>(y, node.broadcastTo(layer.bias, node.sizesOf(y))) : y;
  }

  Value activated(Value y, Value x) {
    if (!isGated()) {
      Value result = y;
      if (activation == "gelu") // by its approximation, as ONNX Runtime's kernels have it here
        result = GeluOp::create(node.builder, node.loc, y.getType(), y, /*tanh=*/true);
      else if (activation == "relu2")
        result = node.binary<MulOp>(node.binary<MaxOp>(y, 0.0), node.binary<MaxOp>(y, 0.0));
      else if (activation != "identity")
        result = Activation{activation.lower()}.apply(node, y);
      return third.weights ? node.binary<MulOp>(result, apply(third, x)) : result;
    }
    Value gate = y, value;
    AffineExpr half = node.quotient(node.sizeOf(y, 2), node.size(2));
    if (fusion == 0) {
      value = apply(third, x);
    } else {
      bool isInterleaved = fusion == 1;
      gate = node.slice(y, 2, node.size(0), half, isInterleaved ? 2 : 1);
      value = node.slice(y, 2, isInterleaved ? node.size(1) : half, half, isInterleaved ? 2 : 1);
    }
    if (activation == "geglu")
      return node.binary<MulOp>(GeluOp::create(node.builder, node.loc, gate.getType(), gate, /*tanh=*/true), value);
    if (node.hasAttribute("swiglu_limit")) {
      double limit = node.number("swiglu_limit", 0);
      gate = node.binary<MinOp>(gate, limit);
      value = node.clamp(value, -limit, limit);
    }
    Value sigmoid = node.unary<SigmoidOp>(node.binary<MulOp>(gate, node.number("activation_alpha", 1)));
    return node.binary<MulOp>(node.binary<MulOp>(gate, sigmoid),
                              node.binary<AddOp>(value, node.number("activation_beta", 0)));
  }

  Node &node;
  Layer first, second, third;
  Routing routing;
  Value mixing;
  StringRef activation;
  int64_t fusion = 0, count = 1, experts = 0;
};

Results mixtureOfExperts(Node &node) {
  if (!node.expect({0, 1, 2, 4}))
    return failure();
  return MixtureOfExperts(node, {node[2], node[3]}, {node[4], node[5]}, {node[6], node[7]}, Routing::all).convert();
}

//===----------------------------------------------------------------------===//
// Quantised weights
//===----------------------------------------------------------------------===//

/// Integers of few bits, with scales and perhaps zero points per row or per block of a row. Zero points of
/// rows are packed along the rows, those of blocks along the blocks, each row from a whole byte on.
class QuantizedLayer {
public:
  QuantizedLayer(Node &node, size_t weights, size_t zeroPoints, StringRef name)
      : node(node), bytes(node[weights]), scales(node[weights + 1]), bias(node[weights + 2]), zeros(node[zeroPoints]),
        name(name), bits(node.integer((name + "_expert_weight_bits").str(), node.integer("expert_weight_bits", 4))) {}

  /// In the type of the activations; null after an error.
  Layer build() {
    if (!check())
      return {};
    Type f32 = node.builder.getF32Type();
    Value numbers = node.cast(unpack(node, bytes, bits), f32);
    Sizes whole = node.sizesOf(numbers), apart = {whole[0], whole[1], node.size(blocks), node.size(columns / blocks)};
    numbers = node.reshape(numbers, apart);
    auto repeated = [&](Value x) {
      return node.broadcast(node.reshape(x, {whole[0], whole[1], node.size(blocks)}), {0, 1, 2}, apart);
    };
    Value zero = zeros ? repeated(node.cast(zeroPoints(), f32)) : node.scalar(1 << (bits - 1), f32);
    if (node.hasFailed())
      return {};
    numbers = node.binary<MulOp>(node.binary<SubOp>(numbers, zero), repeated(node.cast(scales, f32)));
    return {node.cast(node.reshape(numbers, whole), elementOf(node[0])), bias};
  }

private:
  bool check() {
    if (bits == 3)
      node.unsupported() << "weights of 3 bits, whose numbers go on over the ends of bytes";
    else if (bits != 2 && bits != 4 && bits != 8)
      node.error() << "expects weights of 2, 4 or 8 bits, but has " << bits;
    else if (!elementOf(bytes).isUnsignedInteger(8) || rankOf(bytes) != 3 || !typeOf(bytes).hasStaticShape())
      node.error() << "expects weights of " << name << " in bytes, of rank 3 and of known size, but has "
                   << typeOf(bytes);
    else if (!scales)
      node.error() << "expects scales of the weights of " << name;
    if (node.hasFailed())
      return false;
    experts = typeOf(bytes).getDimSize(0);
    rows = typeOf(bytes).getDimSize(1);
    columns = typeOf(bytes).getDimSize(2) * (8 / bits);
    return checkScales() && checkZeroPoints();
  }

  bool checkScales() {
    int64_t block = node.integer("block_size", 0);
    blocks = rankOf(scales) == 3 ? typeOf(scales).getDimSize(2) : 1;
    SmallVector<int64_t> expected = {experts, rows};
    if (rankOf(scales) == 3)
      expected.push_back(block > 0 && blocks != 1 ? columns / block : blocks);
    if (typeOf(scales).getShape() != ArrayRef(expected) || blocks < 1 || columns % blocks != 0)
      node.error() << "expects a scale per row or per block of the " << experts << " x " << rows << " x " << columns
                   << " weights of " << name << ", with block_size " << block << ", but has " << typeOf(scales);
    return !node.hasFailed();
  }

  bool checkZeroPoints() {
    if (!zeros)
      return true;
    RankedTensorType type = typeOf(zeros);
    SmallVector<int64_t> expected = {experts};
    if (areOfRows())
      expected.push_back(llvm::divideCeil(rows * bits, 8));
    else
      expected.append({rows, (int64_t)llvm::divideCeil(blocks * bits, 8)});
    if (!type.getElementType().isUnsignedInteger(8) || type.getShape() != ArrayRef(expected))
      node.error() << "expects zero points of " << name << " of " << RankedTensorType::get(expected, elementOf(bytes))
                   << ", but has " << type;
    return !node.hasFailed();
  }

  bool areOfRows() { return blocks == 1 && rankOf(zeros) == 2; }

  Value zeroPoints() {
    Value all = unpack(node, zeros, bits);
    return node.slice(all, rankOf(all) - 1, node.size(0), node.size(areOfRows() ? rows : blocks));
  }

  Node &node;
  Value bytes, scales, bias, zeros;
  StringRef name;
  int64_t bits, experts = 0, rows = 0, columns = 0, blocks = 1;
};

Results quantizedMixtureOfExperts(Node &node) {
  if (!node.expect({0, 1, 2, 5}))
    return failure();
  StringRef kind = node.string("quant_type", "int");
  if (kind != "int")
    return node.unsupported() << "weights quantised as '" << kind << "'; quantise them to integers (quant_type 'int')";
  if (node.integer("weights_prepacked", -1) == 1)
    return node.unsupported()
           << "weights in a layout of ONNX Runtime's CUDA kernels (weights_prepacked is 1); export the "
              "model with weights_prepacked 0";
  for (size_t i = 15; i <= 20; ++i)
    if (node.has(i))
      return node.unsupported() << "scales of activations or of whole experts (operand " << i << ")";
  Layer first = QuantizedLayer(node, 2, 11, "fc1").build(), second = QuantizedLayer(node, 5, 12, "fc2").build(), third;
  if (node.has(8))
    third = QuantizedLayer(node, 8, 13, "fc3").build();
  if (node.hasFailed())
    return failure();
  return MixtureOfExperts(node, first, second, third, Routing::chosen, node[14]).convert();
}

//===----------------------------------------------------------------------===//
// Routers
//===----------------------------------------------------------------------===//

/// Sigmoids of the logits; those of the best experts of the best groups, by sums of the best with a bias per
/// expert, as logarithms, and a number of its own elsewhere. Or all of them, with the bias and without.
Results routeByGroups(Node &node) {
  Type f32 = node.builder.getF32Type();
  int64_t experts = rankOf(node[1]) == 1 ? typeOf(node[1]).getDimSize(0) : ShapedType::kDynamic;
  int64_t groups = node.integer("n_group", 1), count = node.integer("top_k", 0);
  int64_t bestGroups = node.integer("topk_group", 1), best = node.integer("group_topk", 2);
  if (rankOf(node[0]) < 1 || ShapedType::isDynamic(experts))
    return node.error() << "expects logits and a bias per expert, but has " << typeOf(node[0]) << " and "
                        << typeOf(node[1]);
  if (groups < 1 || experts % groups != 0 || bestGroups < 1 || bestGroups > groups || best < 1 || count < 1 ||
      count > bestGroups * (experts / groups))
    return node.error() << "expects n_group that divides the " << experts
                        << " experts, topk_group up to it and top_k experts in so "
                        << "many groups, but has " << groups << ", " << bestGroups << " and " << count;
  Sizes sizes = node.sizesOf(node[0]);
  AffineExpr tokens = node.product(ArrayRef(sizes).drop_back()), inGroup = node.size(experts / groups);
  Value x = node.reshape(node.cast(node[0], f32), {tokens, sizes.back()});
  if (node.has(2))
    x = node.contract(x, node.cast(node[2], f32), 3, {0, 2}, {1, 2}, {0, 1}, f32);
  Value scores = node.unary<SigmoidOp>(x), biased = node.binary<AddOp>(scores, node.along(node[1], 1, scores));
  if (node.hasFailed())
    return failure();
  Value chosen = biased, none = node.scalar(-std::numeric_limits<double>::infinity(), f32);
  Sizes apart = {tokens, node.size(groups), inGroup};
  if (groups > 1) {
    Value rows = node.reshape(biased, {node.product({tokens, node.size(groups)}), inGroup});
    Value sums = node.reduce(Combiner::sum, choose(node, rows, std::min(best, experts / groups)).values, {1});
    Value isGroup = isAmongLargest(node, node.reshape(sums, {tokens, node.size(groups)}), bestGroups);
    chosen = node.select(node.broadcast(isGroup, {0, 1}, apart), node.reshape(biased, apart), none);
    chosen = node.reshape(chosen, node.sizesOf(biased));
  }
  Value routed = node.unary<LogOp>(node.binary<MaxOp>(scores, 1e-20));
  routed = node.select(isAmongLargest(node, chosen, count), routed,
                       node.scalar(node.number("router_sentinel", -10000), f32));
  return {node.cast(routed, elementOf(node[0])), biased, scores};
}
} // namespace

void onnx::addMicrosoftExpertConverters(ConverterTable &table) {
  table.add("com.microsoft.MoE", 1, 1, 8, mixtureOfExperts);
  table.add("com.microsoft.MoEGroupRouter", 1, 2, 3, routeByGroups);
  table.add("com.microsoft.QMoE", 1, 1, 21, quantizedMixtureOfExperts);
}
