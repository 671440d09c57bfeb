//===- MicrosoftContraction.cpp - Products and convolutions with what ONNX Runtime fuses ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Contraction.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

namespace {
/// What the product takes of an operand `[.., M, K]`: it may lie as `[M, .., K]`, its last two dimensions
/// exchanged.
Value placed(Node &node, Value operand, bool movesBatch, bool isTransposed) {
  int64_t rank = rankOf(operand);
  if (rank < 2) // a vector is its own transpose
    return operand;
  if (movesBatch)
    operand = node.moveDim(operand, 0, rank - 2);
  return isTransposed ? node.moveDim(operand, rank - 1, rank - 2) : operand;
}

Results fusedMatMul(Node &node) {
  if (elementOf(node[0]) != elementOf(node[1]))
    return node.error() << "expects operands of one element type, but has " << elementOf(node[0]) << " and "
                        << elementOf(node[1]);
  Value a = placed(node, node[0], node.flag("transBatchA"), node.flag("transA"));
  Value b = placed(node, node[1], node.flag("transBatchB"), node.flag("transB"));
  double alpha = node.number("alpha", 1);
  Value y = matMul(node, a, b, elementOf(a));
  if (node.hasFailed())
    return failure();
  return alpha == 1 ? y : node.binary<MulOp>(y, alpha);
}

/// The activation that attributes name, with a parameter each.
Results activated(Node &node, Results results) {
  if (results.isFailure || node.hasFailed())
    return failure();
  Activation activation{node.string("activation", "").lower()};
  auto read = [&](StringRef name, std::optional<double> &parameter) {
    if (node.hasAttribute(name))
      parameter = node.number(name, 0);
  };
  read("activation_alpha", activation.alpha);
  read("activation_beta", activation.beta);
  read("activation_gamma", activation.gamma);
  return activation.name.empty() ? results : Results(activation.apply(node, results.values[0]));
}

Results fusedMatMulActivation(Node &node) { return activated(node, fusedMatMul(node)); }

Results fusedGemm(Node &node) { return activated(node, gemm(node)); }

Results gemmFastGelu(Node &node) {
  if (elementOf(node[0]) != elementOf(node[1]))
    return node.error() << "expects operands of one element type, but has " << elementOf(node[0]) << " and "
                        << elementOf(node[1]);
  Value y = matMul(node, node[0], node[1], elementOf(node[0]));
  if (!node.hasFailed() && node.has(2))
    y = node.binary<AddOp>(y, node.broadcastTo(node[2], node.sizesOf(y)));
  if (node.hasFailed())
    return failure();
  return GeluOp::create(node.builder, node.loc, y.getType(), y, /*tanh=*/true).getResult();
}

//===----------------------------------------------------------------------===//
// Mixtures of experts
//===----------------------------------------------------------------------===//

/// Two layers per expert; the results of the k experts that the router prefers are added by its
/// probabilities. All experts are computed: an expert that isn't chosen has a weight of 0.
class MixtureOfExperts {
public:
  explicit MixtureOfExperts(Node &node) : node(node) {}

  Results convert() {
    if (!check())
      return failure();
    Sizes original = node.sizesOf(node[0]);
    AffineExpr width = original.back(), tokens = node.product(ArrayRef(original).drop_back());
    Value x = node.reshape(node[0], {tokens, width});
    Value weights = route(tokens);
    Value hidden = activated(layer(x, 2), x);
    if (node.hasFailed())
      return failure();
    hidden = node.binary<MulOp>(hidden, node.broadcast(weights, {0, 1}, node.sizesOf(hidden)));
    // [T, E, I] times [E, H, I], over experts too.
    Value y = node.contract(hidden, node[4], 4, {0, 1, 3}, {1, 2, 3}, {0, 2}, elementOf(x));
    if (node.has(5))
      y = node.binary<AddOp>(y, node.contract(weights, node[5], 3, {0, 2}, {2, 1}, {0, 1}, elementOf(x)));
    return node.reshape(y, original);
  }

private:
  bool check() {
    if (!node.expect({0, 1, 2, 4}))
      return false;
    activation = node.string("activation_type", "relu");
    fusion = node.integer("swiglu_fusion", 0);
    count = node.integer("k", 1);
    for (size_t i : {2, 4})
      if (rankOf(node[i]) != 3)
        node.error() << "expects weights of rank 3 as operand " << i << ", but has " << typeOf(node[i]);
    if (node.hasFailed())
      return false;
    experts = typeOf(node[2]).getDimSize(0);
    if (rankOf(node[0]) < 2 || rankOf(node[1]) != 2)
      node.error() << "expects rows and a matrix of router_probs, but has " << typeOf(node[0]) << " and "
                   << typeOf(node[1]);
    else if (ShapedType::isDynamic(experts) || count < 1 || count > experts)
      node.error() << "expects k from 1 to the number of experts, but has " << count << " and "
                   << typeOf(node[2]);
    else if (node.flag("use_sparse_mixer") || node.flag("swiglu_limit_after_activation"))
      node.unsupported() << "use_sparse_mixer and swiglu_limit_after_activation";
    else if (fusion < 0 || fusion > 2 || (fusion != 0 && !isGated()))
      node.error() << "expects swiglu_fusion from 0 to 2 of a gated activation, but has " << fusion;
    else if (isGated() && fusion == 0 && !node.has(6))
      node.error() << "expects fc3_experts_weights where gate and value aren't one product";
    return !node.hasFailed();
  }

  bool isGated() { return activation == "swiglu" || activation == "geglu"; }

  /// The probabilities of the k largest, zeros elsewhere: `[T, E]`.
  Value route(AffineExpr tokens) {
    Type f32 = node.builder.getF32Type(), i64 = node.builder.getI64Type();
    Value scores = node.cast(node[1], f32);
    scores = SoftmaxOp::create(node.builder, node.loc, scores.getType(), scores, ArrayRef<int64_t>{1}, false);
    Sizes best = {tokens, node.size(count)}, all = {tokens, node.size(count), node.size(experts)};
    auto top = TopKOp::create(node.builder, node.loc, node.typeFor(f32, best), node.typeFor(i64, best),
                              scores, 1, ValueRange(), ArrayRef<int64_t>{count}, /*smallest=*/false);
    Value isChosen =
        node.compare(Predicate::eq, node.broadcast(top.getIndices(), {0, 1}, all), node.iota(all, 2, i64));
    Value weights = node.select(isChosen, node.broadcast(top.getValues(), {0, 1}, all), node.scalar(0, f32));
    weights = node.reduce(Combiner::sum, weights, {1});
    if (node.flag("normalize_routing_weights")) {
      Value sum = node.reduce(Combiner::sum, weights, {1}, /*keepDims=*/true);
      weights = node.binary<DivOp>(weights, node.broadcastTo(sum, node.sizesOf(weights)));
    }
    return node.cast(weights, elementOf(node[0]));
  }

  /// `[T, H]` times `[E, F, H]`, plus `[E, F]`.
  Value layer(Value x, size_t operand) {
    Value y = node.contract(x, node[operand], 4, {0, 3}, {1, 2, 3}, {0, 1, 2}, elementOf(x));
    return node.has(operand + 1) ? node.binary<AddOp>(y, node.broadcastTo(node[operand + 1], node.sizesOf(y)))
                                 : y;
  }

  Value activated(Value y, Value x) {
    if (!isGated()) {
      Value result = y;
      if (activation == "gelu") // by its approximation, as ONNX Runtime's kernels have it here
        result = GeluOp::create(node.builder, node.loc, y.getType(), y, /*tanh=*/true);
      else if (activation != "identity")
        result = Activation{activation.lower()}.apply(node, y);
      return node.has(6) ? node.binary<MulOp>(result, layer(x, 6)) : result;
    }
    Value gate = y, value;
    AffineExpr half = node.quotient(node.sizeOf(y, 2), node.size(2));
    if (fusion == 0) {
      value = layer(x, 6);
    } else {
      bool isInterleaved = fusion == 1;
      gate = node.slice(y, 2, node.size(0), half, isInterleaved ? 2 : 1);
      value = node.slice(y, 2, isInterleaved ? node.size(1) : half, half, isInterleaved ? 2 : 1);
    }
    if (activation == "geglu")
      return node.binary<MulOp>(GeluOp::create(node.builder, node.loc, gate.getType(), gate, /*tanh=*/true),
                                value);
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
  StringRef activation;
  int64_t fusion = 0, count = 1, experts = 0;
};

Results mixtureOfExperts(Node &node) { return MixtureOfExperts(node).convert(); }

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Convolution plus bias, plus what the fourth operand holds, then the activation that an attribute names.
template <bool channelsLast> Results fusedConv(Node &node) {
  Value x = node[0];
  int64_t rank = rankOf(x);
  if (rank < 3)
    return node.error() << "expects an input of rank 3 or more, but has " << typeOf(x);
  Value y = convolution(node, channelsLast ? node.moveDim(x, rank - 1, 1) : x, node[1]);
  Results results = y ? withBias(node, y, 2) : Results(failure());
  if (results.isFailure || node.hasFailed())
    return failure();
  y = results.values[0];
  if (channelsLast)
    y = node.moveDim(y, 1, rank - 1);
  if (node.has(3))
    y = node.binary<AddOp>(y, node.broadcastTo(node[3], node.sizesOf(y)));
  Activation activation{node.string("activation", "").lower()};
  SmallVector<double> parameters = node.numbers("activation_params").value_or(SmallVector<double>());
  if (parameters.size() > 0)
    activation.alpha = parameters[0];
  if (parameters.size() > 1)
    activation.beta = parameters[1];
  return activation.name.empty() ? Results(y) : Results(activation.apply(node, y));
}

Results convTransposeWithDynamicPads(Node &node) {
  return transposedConvolution(node, /*pads=*/2, /*bias=*/3);
}
} // namespace

void onnx::addMicrosoftContractionConverters(ConverterTable &table) {
  table.add("com.microsoft.FusedMatMul", 1, 2, 2, fusedMatMul);
  table.add("com.microsoft.TransposeMatMul", 1, 2, 2, fusedMatMul);
  table.add("com.microsoft.FusedMatMulActivation", 1, 2, 2, fusedMatMulActivation);
  table.add("com.microsoft.FusedGemm", 1, 2, 3, fusedGemm);
  table.add("com.microsoft.GemmFastGelu", 1, 2, 3, gemmFastGelu);
  table.add("com.microsoft.MoE", 1, 1, 8, mixtureOfExperts);
  table.add("com.microsoft.FusedConv", 1, 2, 4, fusedConv<false>);
  table.add("com.microsoft.NhwcConv", 1, 2, 3, fusedConv<true>);
  table.add("com.microsoft.NhwcFusedConv", 1, 2, 4, fusedConv<true>);
  table.add("com.microsoft.ConvTransposeWithDynamicPads", 1, 2, 4, convTransposeWithDynamicPads);
}
