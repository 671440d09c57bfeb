//===- MicrosoftHyperConnection.cpp - Several residual streams in ONNX Runtime's operators ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Hyper-connections keep C streams of width H where a transformer has one: `[.., C, H]`, or flat as `[.., C * H]`. All
// is computed in f32 and rounded where ONNX Runtime's documentation says so.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include "Contraction.h"
#include "Microsoft.h"
#include "Normalization.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Streams apart, and how other operands of a node lie beside them.
class Streams {
public:
  /// `isFlat` where `branches` says how many streams lie in the last dimension.
  Streams(Node &node, Value x, int64_t branches) : node(node), isFlat(branches != 0) {
    given = node.sizesOf(x);
    if (branches < 0 || rankOf(x) < (isFlat ? 1 : 2) || !isa<FloatType>(elementOf(x))) {
      node.error() << "expects floating-point streams of rank 2 or more, or of rank 1 or more and a positive "
                      "num_branches, but has "
                   << typeOf(x) << " and " << branches;
      return;
    }
    sizes = given;
    if (isFlat) {
      if (isStatic(given.back()) && SizeAnalysis::staticSize(given.back()) % branches != 0) {
        node.error() << "expects num_branches (" << branches << ") that divides the last size, but has " << typeOf(x);
        return;
      }
      sizes.back() = node.size(branches);
      sizes.push_back(node.quotient(given.back(), node.size(branches)));
    }
  }

  AffineExpr count() const { return sizes[sizes.size() - 2]; }
  AffineExpr width() const { return sizes.back(); }
  /// The dimensions before streams.
  Sizes outer() const { return Sizes(ArrayRef(sizes).drop_back(2)); }
  int64_t rank() const { return sizes.size(); }

  Value apart(Value x) { return node.reshape(inF32(x), sizes); }
  Value asGiven(Value x, Type element) { return node.cast(node.reshape(x, given), element); }

  /// `[.., C]`, `[.., C, 1]`, `[.., C, H]`, or with `mayBeFlat` `[.., C * H]`, beside each element.
  Value gates(Value x, bool mayBeFlat) {
    Value y = inF32(x);
    if (rankOf(x) == rank() - 1) {
      bool isPerStream = !mayBeFlat || !isFlat || node.sizeOf(x, rankOf(x) - 1) != given.back();
      y = isPerStream ? node.unsqueeze(y, {rank() - 1}) : node.reshape(y, sizes);
    } else if (rankOf(x) != rank()) {
      node.error() << "expects gates of rank " << rank() - 1 << " or " << rank() << ", but has " << typeOf(x);
    }
    return node.broadcastTo(y, sizes);
  }

  /// A scale `[C * H]`, `[C, H]` or `[H]` beside each element.
  Value scale(Value x) {
    Value y = inF32(x);
    if (rankOf(x) == 1 && node.sizeOf(x, 0) != width())
      y = node.reshape(y, {count(), width()});
    else if (rankOf(x) != 1 && rankOf(x) != 2)
      node.error() << "expects a scale of rank 1 or 2, but has " << typeOf(x);
    return node.broadcastTo(y, sizes);
  }

  /// `[.., H]` beside each stream.
  Value shared(Value x) {
    if (rankOf(x) != rank() - 1) {
      node.error() << "expects features of rank " << rank() - 1 << ", but has " << typeOf(x);
      return apart(x);
    }
    return node.broadcastTo(node.unsqueeze(inF32(x), {rank() - 2}), sizes);
  }

  Value overStreams(Value x) { return node.reduce(Combiner::sum, x, {rank() - 2}); }

  Value normalized(Value x, double epsilon) { return normalize(node, x, {rank() - 1}, epsilon, /*rms=*/true); }

private:
  Value inF32(Value x) { return node.cast(x, node.builder.getF32Type()); }

  Node &node;
  bool isFlat;
  Sizes given, sizes;
};

Results branchwiseRMSNorm(Node &node) {
  Streams streams(node, node[0], node.integer("num_branches", 0));
  if (node.hasFailed())
    return failure();
  Value y = streams.normalized(streams.apart(node[0]), node.number("epsilon", 1e-5f));
  if (node.has(1))
    y = node.binary<MulOp>(y, streams.scale(node[1]));
  return streams.asGiven(y, elementOf(node[0]));
}

/// sum_c x[c] * gate[c]
Results hyperConnectionPreMix(Node &node) {
  Streams streams(node, node[0], node.integer("num_branches", 0));
  if (node.hasFailed())
    return failure();
  Value y = node.binary<MulOp>(streams.apart(node[0]), streams.gates(node[1], /*mayBeFlat=*/true));
  y = node.binary<MulOp>(streams.overStreams(y), node.number("reduction_scale", 1));
  return node.cast(y, elementOf(node[0]));
}

/// sum_c mix[c, k] * x[c] + gate[k] * features
Results hyperConnectionPostMix(Node &node) {
  Streams streams(node, node[0], node.integer("num_branches", 0));
  if (node.hasFailed())
    return failure();
  Value x = streams.apart(node[0]);
  if (node.has(3)) {
    if (rankOf(node[3]) != streams.rank())
      return node.error() << "expects a matrix of streams of rank " << streams.rank() << ", but has "
                          << typeOf(node[3]);
    unsigned batch = streams.rank() - 2;
    auto dims = [&](std::initializer_list<unsigned> last) {
      auto list = llvm::to_vector(llvm::seq<unsigned>(0, batch));
      list.append(last);
      return list;
    };
    Value mix = node.cast(node[3], elementOf(x));
    x = node.contract(mix, x, batch + 3, dims({batch, batch + 1}), dims({batch, batch + 2}),
                      dims({batch + 1, batch + 2}), elementOf(x));
  }
  Value added = node.binary<MulOp>(streams.gates(node[2], /*mayBeFlat=*/false), streams.shared(node[1]));
  return streams.asGiven(node.binary<AddOp>(x, added), elementOf(node[0]));
}

/// A block of hyper-connections whose gates come from a network of low rank, perhaps after the mix that ends the block
/// before. What each standard operator would give is rounded to the element type.
class LowRankMix {
public:
  explicit LowRankMix(Node &node)
      : node(node), element(elementOf(node[0])), streams(node, node[0], node.integer("num_branches", -1)) {}

  Results convert() {
    double divisor = node.number("gate_div", 1);
    if (node.has(5) != node.has(6))
      node.error() << "expects both prev_block_output and prev_post_gate, or neither";
    else if (divisor == 0)
      node.error() << "expects gate_div other than 0";
    if (node.hasFailed())
      return failure();
    Value x = streams.apart(node[0]);
    if (node.has(5))
      x = rounded(node.binary<AddOp>(
          x, node.binary<MulOp>(streams.gates(node[6], /*mayBeFlat=*/false), streams.shared(node[5]))));
    Value normal = streams.normalized(x, node.number("epsilon", 1e-5f));
    normal = rounded(node.binary<MulOp>(normal, streams.scale(node[1])));
    Sizes flat = streams.outer();
    flat.push_back(node.product({streams.count(), streams.width()}));
    Value rows = node.reshape(normal, flat);
    Value down = rounded(node.binary<MulOp>(product(rows, 2), node.number("silu_alpha", 1)));
    Value hidden = rounded(node.binary<MulOp>(down, sigmoid(down)));
    Value gates = node.reshape(sigmoid(product(hidden, 3)), node.sizesOf(x));
    Value mixed = streams.overStreams(node.binary<MulOp>(normal, gates));
    mixed = node.binary<MulOp>(mixed, node.number("reduction_scale", 1));
    Value inject = sigmoid(rounded(node.binary<DivOp>(product(rows, 4), divisor)));
    inject = node.binary<MulOp>(inject, node.number("gate_mul", 1));
    return {node.cast(mixed, element), node.cast(inject, element), streams.asGiven(x, element)};
  }

private:
  Value rounded(Value x) { return node.cast(node.cast(x, element), node.builder.getF32Type()); }
  Value sigmoid(Value x) { return rounded(node.unary<SigmoidOp>(x)); }

  Value product(Value rows, size_t weights) {
    if (rankOf(node[weights]) != 2) {
      node.error() << "expects a matrix as operand " << weights << ", but has " << typeOf(node[weights]);
      return rows;
    }
    Type f32 = node.builder.getF32Type();
    return rounded(matMul(node, rows, node.cast(node[weights], f32), f32));
  }

  Node &node;
  Type element;
  Streams streams;
};

Results hyperConnectionLowRankMix(Node &node) { return LowRankMix(node).convert(); }

/// One gate per stream, sigmoid(sign(s) sqrt(|s|)) of the product s of normalised keys and queries, on values that all
/// streams share.
Results engramGate(Node &node) {
  for (size_t i : {0, 1, 2})
    if (rankOf(node[i]) != (i == 2 ? 3 : 4))
      return node.error() << "expects rank " << (i == 2 ? 3 : 4) << " of operand " << i << ", but has "
                          << typeOf(node[i]);
  if (node.isUsed(1) && !node.has(5))
    return node.error() << "expects conv_norm_scale where gated_value_normed is used";
  Streams streams(node, node[0], /*branches=*/0);
  if (node.hasFailed())
    return failure();
  double epsilon = node.number("epsilon", 1e-5f);
  auto normalized = [&](Value x, size_t scale) {
    return node.binary<MulOp>(streams.normalized(x, epsilon), streams.scale(node[scale]));
  };
  Value products = node.binary<MulOp>(normalized(streams.apart(node[0]), 3), normalized(streams.apart(node[1]), 4));
  Value sum = node.reduce(Combiner::sum, products, {3});
  Value width = node.cast(numberOf(node, streams.width()), elementOf(sum));
  sum = node.binary<DivOp>(sum, node.unary<SqrtOp>(width));
  Value root = node.unary<SqrtOp>(node.binary<MaxOp>(node.unary<AbsOp>(sum), 1e-6f));
  Value gate = node.unary<SigmoidOp>(node.binary<MulOp>(node.unary<SignOp>(sum), root));
  Value y = node.binary<MulOp>(streams.gates(gate, /*mayBeFlat=*/false), streams.shared(node[2]));
  Type element = elementOf(node[0]);
  return {node.cast(y, element), node.isUsed(1) ? node.cast(normalized(y, 5), element) : Value()};
}
} // namespace

void onnx::addMicrosoftHyperConnectionConverters(ConverterTable &table) {
  table.add("com.microsoft.BranchwiseRMSNorm", 1, 1, 2, branchwiseRMSNorm);
  table.add("com.microsoft.HyperConnectionPreMix", 1, 2, 2, hyperConnectionPreMix);
  table.add("com.microsoft.HyperConnectionPostMix", 1, 3, 4, hyperConnectionPostMix);
  table.add("com.microsoft.HyperConnectionLowRankMix", 1, 5, 7, hyperConnectionLowRankMix);
  table.add("com.microsoft.EngramGate", 1, 5, 6, engramGate);
}
