//===- MicrosoftNormalization.cpp - Normalisation and activation in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Contraction.h"
#include "Indexing.h"
#include "MicrosoftAttention.h"
#include "Normalization.h"
#include "Quantization.h"
#include "Random.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Layer normalisation
//===----------------------------------------------------------------------===//

namespace {
/// It stands in the standard's domain.
Results simplifiedLayerNormalization(Node &node) {
  Value x = node[0];
  int64_t axis = node.dimension(node.integer("axis", -1), rankOf(x));
  double epsilon = node.number("epsilon", 1e-5f);
  if (node.hasFailed())
    return failure();
  SmallVector<int64_t> dims = dimsFrom(axis, x);
  Value y = normalize(node, x, dims, epsilon, /*rms=*/true);
  y = node.binary<MulOp>(y, node.broadcastTo(node.cast(node[1], elementOf(x)), node.sizesOf(x)));
  return {y, node.isUsed(1) ? inverseDeviation(node, x, dims, epsilon, /*rms=*/true) : Value()};
}

/// Normalises the sum of operand, skip and a bias; the fourth result is that sum.
template <bool rms> Results skipNormalization(Node &node) {
  Value x = node[0];
  if (rankOf(x) < 1)
    return node.error() << "expects an operand of rank 1 or more, but has " << typeOf(x);
  Sizes sizes = node.sizesOf(x);
  x = node.binary<AddOp>(x, node.broadcastTo(node[1], sizes));
  size_t bias = rms ? 3 : 4;
  if (node.has(bias))
    x = node.binary<AddOp>(x, node.broadcastTo(node[bias], sizes));
  double epsilon = node.number("epsilon", 1e-12f);
  SmallVector<int64_t> dims = {rankOf(x) - 1};
  Value y = normalize(node, x, dims, epsilon, rms);
  y = node.binary<MulOp>(y, node.broadcastTo(node[2], sizes));
  if (!rms && node.has(3))
    y = node.binary<AddOp>(y, node.broadcastTo(node[3], sizes));
  return {y, node.isUsed(1) ? meanOf(node, x, dims) : Value(),
          node.isUsed(2) ? inverseDeviation(node, x, dims, epsilon, rms) : Value(), x};
}

/// The sum of the embeddings of words, places and segments, normalised; and how many words of each row aren't padding.
/// Of QEmbedLayerNormalization tables, scale and bias are quantised: operand i has its scale as operand i + 6 and its
/// zero point as operand i + 11.
class EmbedLayerNormalization {
public:
  EmbedLayerNormalization(Node &node, bool isQuantized) : node(node), isQuantized(isQuantized) {}

  Results convert() {
    if (!check())
      return failure();
    Value ids = node[0], sum = embed(2, ids);
    Sizes sizes = node.sizesOf(sum);
    Value places = isQuantized || !node.has(8) ? number(3, node.slice(node[3], 0, node.size(0), node.sizeOf(ids, 1)))
                                               : embed(3, node[8]);
    sum = node.binary<AddOp>(sum, node.broadcastTo(places, sizes));
    if (node.has(1))
      sum = node.binary<AddOp>(sum, node.broadcastTo(embed(4, node[1]), sizes));
    Value y = normalize(node, sum, {2}, node.number("epsilon", 1e-12f));
    y = node.binary<MulOp>(y, node.broadcastTo(number(5, node[5]), sizes));
    y = node.binary<AddOp>(y, node.broadcastTo(number(6, node[6]), sizes));
    Type i32 = node.builder.getI32Type();
    Value count = node.has(7) ? node.cast(node.reduce(Combiner::sum, node[7], {1}), i32)
                              : node.broadcast(node.scalar(0, i32), {}, {sizes[0]});
    return {y, count, sum};
  }

private:
  bool check() {
    if (!node.expect({2, 3, 5, 6}) || (isQuantized && !node.expect({8, 9, 11, 12, 13, 14, 16, 17})))
      return false;
    for (size_t matrix : {0, 2, 3})
      if (rankOf(node[matrix]) != 2)
        node.error() << "expects a matrix as operand " << matrix << ", but has " << typeOf(node[matrix]);
    if (node.has(1) != node.has(4))
      node.error() << "expects both segments and their embedding, or neither";
    return !node.hasFailed() && (!isQuantized || !node.has(1) || node.expect({10, 15}));
  }

  /// Rows of `[B, S]` identifiers out of a table.
  Value embed(size_t table, Value ids) {
    return number(table, take(node, node[table], node.cast(ids, node.builder.getI64Type()), 0));
  }

  /// What numbers of an operand stand for.
  Value number(size_t operand, Value x) {
    return isQuantized ? dequantize(node, {x, node[operand + 6], node[operand + 11]}) : x;
  }

  Node &node;
  bool isQuantized;
};

template <bool isQuantized> Results embedLayerNormalization(Node &node) {
  return EmbedLayerNormalization(node, isQuantized).convert();
}

//===----------------------------------------------------------------------===//
// Group normalisation
//===----------------------------------------------------------------------===//

/// Of images with channels last unless stated; computed in the type of scale and bias.
Results groupNormOf(Node &node, Value x) {
  int64_t rank = rankOf(x);
  bool isLast = node.flag("channels_last", true);
  int64_t activation = node.integer("activation", 0);
  for (size_t i : {1, 2})
    if (rankOf(node[i]) != 1)
      return node.error() << "expects a vector as operand " << i << ", but has " << typeOf(node[i]);
  if (activation != 0 && activation != 1)
    return node.error() << "expects activation 0 or 1, but has " << activation;
  Value wide = node.cast(x, elementOf(node[1]));
  Value y = normalizeGroups(node, isLast ? node.moveDim(wide, rank - 1, 1) : wide, node.integer("groups", 0), node[1],
                            node[2], node.number("epsilon", 1e-5f));
  if (!y)
    return failure();
  if (activation == 1)
    y = Activation{"silu"}.apply(node, y);
  return node.cast(isLast ? node.moveDim(y, 1, rank - 1) : y, elementOf(x));
}

Results groupNorm(Node &node) {
  if (rankOf(node[0]) < 3)
    return node.error() << "expects an operand of rank 3 or more, but has " << typeOf(node[0]);
  return groupNormOf(node, node[0]);
}

/// Of the sum of operand, skip and bias, which is the second result. The skip may be one value per image and channel.
Results skipGroupNorm(Node &node) {
  Value x = node[0], skip = node[3];
  int64_t rank = rankOf(x), channels = node.flag("channels_last", true) ? rank - 1 : 1;
  if (rank < 3)
    return node.error() << "expects an operand of rank 3 or more, but has " << typeOf(x);
  Sizes sizes = node.sizesOf(x);
  skip = rankOf(skip) == 2 ? node.broadcast(skip, {0, channels}, sizes) : node.broadcastTo(skip, sizes);
  x = node.binary<AddOp>(x, skip);
  if (node.has(4))
    x = node.binary<AddOp>(x, node.along(node[4], channels, x));
  Results result = groupNormOf(node, x);
  if (!result.isFailure)
    result.values.push_back(x);
  return result;
}

/// RMS normalisation of each run of as many elements as the scale has, times an activation of the gate, in f32.
Results gatedRMSNorm(Node &node) {
  Value x = node[0], scale = node[1];
  AffineExpr width = rankOf(scale) == 1 ? node.sizeOf(scale, 0) : AffineExpr();
  if (!width || !isStatic(width) || rankOf(x) < 1)
    return node.error() << "expects rows and a scale of known size, but has " << typeOf(x) << " and " << typeOf(scale);
  Type f32 = node.builder.getF32Type();
  Sizes sizes = node.sizesOf(x), apart = sizes;
  apart.back() = node.quotient(sizes.back(), width);
  apart.push_back(width);
  Value rows = node.reshape(node.cast(x, f32), apart);
  Value y = normalize(node, rows, {rankOf(rows) - 1}, node.number("epsilon", 1e-5f), /*rms=*/true);
  y = node.reshape(node.binary<MulOp>(y, node.broadcastTo(node.cast(scale, f32), apart)), sizes);
  Activation gate{node.string("activation", "silu").lower()};
  y = node.binary<MulOp>(y, gate.apply(node, node.cast(node[2], f32)));
  return node.cast(y, elementOf(x));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value geluOf(Node &node, Value x, bool tanh) { return GeluOp::create(node.builder, node.loc, x.getType(), x, tanh); }

Value withBias(Node &node, size_t bias) {
  Value x = node[0];
  return node.has(bias) ? node.binary<AddOp>(x, node.broadcastTo(node[bias], node.sizesOf(x))) : x;
}

/// Of the operand and a bias, if there is one.
template <bool tanh> Results gelu(Node &node) { return geluOf(node, withBias(node, 1), tanh); }

/// The halves of the last dimension.
std::pair<Value, Value> halves(Node &node, Value x) {
  int64_t last = rankOf(x) - 1;
  AffineExpr half = node.quotient(node.sizeOf(x, last), node.size(2));
  return {node.slice(x, last, node.size(0), half), node.slice(x, last, half, half)};
}

Results biasSplitGelu(Node &node) {
  if (rankOf(node[0]) < 1)
    return node.error() << "expects an operand of rank 1 or more, but has " << typeOf(node[0]);
  auto [left, right] = halves(node, withBias(node, 1));
  return node.binary<MulOp>(left, geluOf(node, right, /*tanh=*/false));
}

Value timesSigmoid(Node &node, Value x, double alpha) {
  return node.binary<MulOp>(x, node.unary<SigmoidOp>(alpha == 1 ? x : node.binary<MulOp>(x, alpha)));
}

/// x * sigmoid(alpha * x)
Results quickGelu(Node &node) { return timesSigmoid(node, node[0], node.number("alpha", 1.702f)); }

/// z * sigmoid(z) of z = scale * x
Results scaledSilu(Node &node) {
  Value x = node[0];
  if (!node.has(1))
    x = node.binary<MulOp>(x, node.number("alpha", 1));
  else if (isSingle(node[1]))
    x = node.binary<MulOp>(x, node.cast(node.reshape(node[1], {}), elementOf(x)));
  else
    return node.error() << "expects a scalar as scale, but has " << typeOf(node[1]);
  return timesSigmoid(node, x, 1);
}

/// G * sigmoid(alpha * G) * (L + beta), both halves bounded, of operands of f32.
Value gatedLinear(Node &node, Value gate, Value up, Type element) {
  if (double limit = node.number("limit", 0); limit > 0) {
    gate = node.binary<MinOp>(gate, limit);
    up = node.clamp(up, -limit, limit);
  }
  Value y = timesSigmoid(node, gate, node.number("activation_alpha", 1));
  if (node.flag("round_activation"))
    y = node.cast(node.cast(y, element), node.builder.getF32Type());
  return node.cast(node.binary<MulOp>(y, node.binary<AddOp>(up, node.number("activation_beta", 0))), element);
}

Results swiGlu(Node &node) {
  if (rankOf(node[0]) < 1)
    return node.error() << "expects an operand of rank 1 or more, but has " << typeOf(node[0]);
  Type f32 = node.builder.getF32Type();
  Value gate = node.cast(node[0], f32), up = node.has(1) ? node.cast(node[1], f32) : Value();
  if (!up)
    std::tie(gate, up) = halves(node, gate);
  return gatedLinear(node, gate, up, elementOf(node[0]));
}

/// One product whose first columns are the router's, and whose others are gate and value of an expert that all share.
Results routerGateUpProj(Node &node) {
  int64_t router = node.integer("router_size", 0);
  int64_t columns = rankOf(node[1]) == 2 ? typeOf(node[1]).getDimSize(1) : -1;
  if (rankOf(node[0]) < 1 || router < 1 || columns <= router || (columns - router) % 2 != 0)
    return node.error()
           << "expects rows, a positive router_size, and a matrix of as many and an even number of columns, "
              "but has "
           << typeOf(node[0]) << ", " << router << " and " << typeOf(node[1]);
  if (StringRef activation = node.string("activation", "swiglu"); activation != "swiglu")
    return node.error() << "expects swiglu as activation, but has '" << activation << "'";
  Type f32 = node.builder.getF32Type(), element = elementOf(node[0]);
  Value y = matMul(node, node[0], node[1], element);
  if (node.hasFailed())
    return failure();
  int64_t last = rankOf(y) - 1;
  auto part = [&](int64_t from, int64_t size) { return node.slice(y, last, node.size(from), node.size(size)); };
  auto [gate, up] = halves(node, node.cast(part(router, columns - router), f32));
  return {part(0, router), gatedLinear(node, gate, up, element)};
}

/// RMS normalisation of a part of each head `[B, S, heads, D]`, whose first elements are rotated then.
Results rmsNormRotary(Node &node) {
  Value x = node[0];
  int64_t stride = rankOf(x) == 4 ? typeOf(x).getDimSize(3) : -1, first = node.integer("input_start", 0);
  int64_t width = node.integer("input_width", 0), rotated = node.integer("rotary_embedding_dim", 0);
  width = width == 0 ? stride - first : width;
  if (stride < 1 || first < 0 || width < 1 || first + width > stride || rotated < 2 || rotated % 2 != 0 ||
      rotated > width)
    return node.error() << "expects rank 4, a part of the last dimension (input_start, input_width) and an even "
                           "rotary_embedding_dim in it, but has "
                        << typeOf(x) << ", " << first << ", " << width << " and " << rotated;
  Value positions = node[2];
  if (!isSingle(positions) && rankOf(positions) != 2)
    return node.error() << "expects one position or a matrix of them, but has " << typeOf(positions);
  auto numerics = node.has(5) ? node.constantIntegers(node[5]) : SmallVector<int64_t>{0};
  if (!numerics)
    return node.unsupported() << "prefill_numerics that is not known when compiling";
  Type f32 = node.builder.getF32Type(), bf16 = node.builder.getBF16Type();
  Type element = node.flag("output_fp16") ? Type(node.builder.getF16Type()) : bf16;
  bool isNarrow = elementOf(x).isBF16() && elementOf(node[3]).isBF16() && element == bf16;
  bool turnsNarrow = isNarrow && (numerics->front() != 0 || !node.flag("use_fp32_arithmetic", true));
  Value y = node.cast(node.slice(x, 3, node.size(first), node.size(width)), f32);
  y = normalize(node, y, {3}, node.number("epsilon", 1e-6f), /*rms=*/true);
  y = node.binary<MulOp>(y, node.along(node.cast(node[1], f32), 3, y));
  y = isNarrow ? node.cast(node.cast(y, bf16), f32) : y;
  Sizes sizes = node.sizesOf(y), tokens = {sizes[0], sizes[1]};
  Type i64 = node.builder.getI64Type();
  bool isFlat = node.flag("flatten_batch");
  if (isSingle(positions)) {
    Value place = isFlat ? node.reshape(node.iota({node.product(tokens)}, 0, i64), tokens) : node.iota(tokens, 1, i64);
    positions = node.binary<AddOp>(place, node.reshape(positions, {}));
  }
  Type arithmetic = turnsNarrow ? bf16 : f32;
  auto part = [&](int64_t from, int64_t size) { return node.slice(y, 3, node.size(from), node.size(size)); };
  Value turned = rotateAt(node, node.cast(part(0, rotated), arithmetic), positions, node.cast(node[3], arithmetic),
                          node.cast(node[4], arithmetic), /*interleaved=*/false);
  Value all = node.concat({node.cast(turned, f32), part(rotated, width - rotated)}, 3);
  AffineExpr outer = isFlat ? node.size(1) : sizes[0], inner = isFlat ? node.product(tokens) : sizes[1];
  all = node.reshape(all, {outer, inner, node.product({sizes[2], sizes[3]})});
  return {node.cast(all, element), y};
}

/// x + y * gate, one gate per row.
Results gatedAdd(Node &node) {
  if (node.has(3))
    return node.unsupported() << "a gate that is projected (gate_weight)";
  Value gate = node.broadcastTo(node[2], node.sizesOf(node[0]));
  return node.binary<AddOp>(node[0], node.binary<MulOp>(node[1], gate));
}

/// decay_scale * softplus(a + dt_bias) in f32, and sigmoid(b).
Results linearAttentionGate(Node &node) {
  Value a = node.cast(node[0], node.builder.getF32Type());
  Sizes sizes = node.sizesOf(a);
  Value decay = Activation{"softplus"}.apply(node, node.binary<AddOp>(a, node.broadcastTo(node[1], sizes)));
  decay = node.cast(node.binary<MulOp>(decay, node.broadcastTo(node[2], sizes)), elementOf(node[0]));
  return {decay, node.has(3) ? node.unary<SigmoidOp>(node[3]) : Value()};
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

Results biasAdd(Node &node) {
  return node.binary<AddOp>(withBias(node, 1), node.broadcastTo(node[2], node.sizesOf(node[0])));
}

/// Softmax of the sum of scores and bias, over all dimensions from the axis on.
Results biasSoftmax(Node &node) {
  Value x = withBias(node, 1);
  int64_t axis = node.dimension(node.integer("axis", 1), rankOf(x));
  if (node.hasFailed())
    return failure();
  return SoftmaxOp::create(node.builder, node.loc, x.getType(), x, dimsFrom(axis, x), /*log=*/false).getResult();
}

/// Operand, bias and residual, of which nothing is dropped outside of training.
Results dropoutOf(Node &node, Value sum, size_t ratio, bool isBitmask) {
  if (isBitmask && node.isUsed(1))
    return node.unsupported() << "a mask of bits as result";
  if (node.has(ratio + 1)) {
    auto training = node.constantIntegers(node[ratio + 1]);
    Value part = node.has(ratio) ? node.single(node[ratio], "one ratio") : node.scalar(0.5, node.builder.getF32Type());
    Value condition = node.single(node[ratio + 1], "one truth value as training_mode");
    if (!part || !condition)
      return failure();
    if (!training || training->front() != 0) {
      Dropped dropped = dropRandomly(node, sum, part, condition);
      return {dropped.result, dropped.mask};
    }
  }
  return {sum, node.isUsed(1) ? node.broadcast(node.boolean(true), {}, node.sizesOf(sum)) : Value()};
}

Results bitmaskDropout(Node &node) { return dropoutOf(node, node[0], 1, /*isBitmask=*/true); }

template <bool isBitmask> Results biasDropout(Node &node) {
  Value sum = withBias(node, 1);
  if (node.has(2))
    sum = node.binary<AddOp>(sum, node.broadcastTo(node[2], node.sizesOf(sum)));
  return dropoutOf(node, sum, 3, isBitmask);
}
} // namespace

void onnx::addMicrosoftNormalizationConverters(ConverterTable &table) {
  table.add("SimplifiedLayerNormalization", 1, 2, 2, simplifiedLayerNormalization);
  table.add("com.microsoft.SkipSimplifiedLayerNormalization", 1, 3, 4, skipNormalization<true>);
  table.add("com.microsoft.SkipLayerNormalization", 1, 3, 5, skipNormalization<false>);
  table.add("com.microsoft.EmbedLayerNormalization", 1, 1, 9, embedLayerNormalization<false>);
  table.add("com.microsoft.QEmbedLayerNormalization", 1, 1, 18, embedLayerNormalization<true>);
  table.add("com.microsoft.GroupNorm", 1, 3, 3, groupNorm);
  table.add("com.microsoft.SkipGroupNorm", 1, 4, 5, skipGroupNorm);
  table.add("com.microsoft.GatedRMSNorm", 1, 3, 3, gatedRMSNorm);
  table.add("com.microsoft.Gelu", 1, 1, 1, gelu<false>);
  table.add("com.microsoft.BiasGelu", 1, 2, 2, gelu<false>);
  table.add("com.microsoft.FastGelu", 1, 1, 2, gelu<true>);
  table.add("com.microsoft.BiasSplitGelu", 1, 2, 2, biasSplitGelu);
  table.add("com.microsoft.QuickGelu", 1, 1, 1, quickGelu);
  table.add("com.microsoft.ScaledSiLU", 1, 1, 2, scaledSilu);
  table.add("com.microsoft.SwiGLU", 1, 1, 2, swiGlu);
  table.add("com.microsoft.RouterGateUpProj", 1, 2, 2, routerGateUpProj);
  table.add("com.microsoft.RMSNormRotary", 1, 5, 6, rmsNormRotary);
  table.add("com.microsoft.GatedAdd", 1, 3, 4, gatedAdd);
  table.add("com.microsoft.LinearAttentionGate", 1, 3, 4, linearAttentionGate);
  table.add("com.microsoft.BiasAdd", 1, 3, 3, biasAdd);
  table.add("com.microsoft.BiasSoftmax", 1, 2, 2, biasSoftmax);
  table.add("com.microsoft.BiasDropout", 1, 2, 5, biasDropout<false>);
  table.add("com.microsoft.BitmaskBiasDropout", 1, 2, 5, biasDropout<true>);
  table.add("com.microsoft.BitmaskDropout", 1, 1, 3, bitmaskDropout);
}
