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

Results convTransposeWithDynamicPads(Node &node) { return transposedConvolution(node, /*pads=*/2, /*bias=*/3); }
} // namespace

void onnx::addMicrosoftContractionConverters(ConverterTable &table) {
  table.add("com.microsoft.FusedMatMul", 1, 2, 2, fusedMatMul);
  table.add("com.microsoft.TransposeMatMul", 1, 2, 2, fusedMatMul);
  table.add("com.microsoft.FusedMatMulActivation", 1, 2, 2, fusedMatMulActivation);
  table.add("com.microsoft.FusedGemm", 1, 2, 3, fusedGemm);
  table.add("com.microsoft.GemmFastGelu", 1, 2, 3, gemmFastGelu);
  table.add("com.microsoft.FusedConv", 1, 2, 4, fusedConv<false>);
  table.add("com.microsoft.NhwcConv", 1, 2, 3, fusedConv<true>);
  table.add("com.microsoft.NhwcFusedConv", 1, 2, 4, fusedConv<true>);
  table.add("com.microsoft.ConvTransposeWithDynamicPads", 1, 2, 4, convTransposeWithDynamicPads);
}
