//===- Microsoft.cpp - Operators that ONNX Runtime adds to the standard's ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Exporters of transformers write them: domain com.microsoft, version 1. SimplifiedLayerNormalization is of
// the same origin, but stands in the standard's domain.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
/// Numbers of `bits` bits out of the bytes of the last dimension, the lowest bits first.
Value unpack(Node &node, Value bytes, int64_t bits) {
  if (bits == 8)
    return bytes;
  int64_t perByte = 8 / bits, rank = rankOf(bytes);
  Sizes apart = node.sizesOf(bytes), joined = apart;
  joined.back() = node.sizes.simplify(joined.back() * perByte);
  apart.push_back(node.size(perByte));
  SmallVector<double> shifts;
  for (int64_t i = 0; i < perByte; ++i)
    shifts.push_back(i * bits);
  Value repeated = node.broadcast(bytes, llvm::to_vector(llvm::seq<int64_t>(0, rank)), apart);
  Value shift = node.broadcast(node.numbersConstant(shifts, elementOf(bytes)), {rank}, apart);
  Value numbers = node.binary<AndOp>(node.binary<ShrOp>(repeated, shift),
                                     node.splat(llvm::maskTrailingOnes<uint64_t>(bits), repeated));
  return node.reshape(numbers, joined);
}

/// The matrix of weights of MatMulNBits, rows of blocks with a scale and perhaps a zero point each.
class BlockedWeights {
public:
  explicit BlockedWeights(Node &node)
      : node(node), n(node.integer("N", 0)), k(node.integer("K", 0)), bits(node.integer("bits", 4)),
        block(node.integer("block_size", 0)), blocks(block > 0 ? llvm::divideCeil(k, block) : 0) {}

  /// N x K numbers; null after an error.
  Value build() {
    if (!check())
      return {};
    // Narrow floating point can't hold what comes before the scale.
    Type f32 = node.builder.getF32Type();
    Value numbers = node.cast(unpack(node, node[1], bits), f32);
    numbers = node.binary<SubOp>(numbers, perBlock(zeroPoints(), numbers));
    numbers = node.binary<MulOp>(numbers, perBlock(node.cast(node[2], f32), numbers));
    Value rows = node.reshape(numbers, {node.size(n), node.size(blocks * block)});
    // The last block may be filled up.
    return node.cast(node.slice(rows, 1, node.size(0), node.size(k)), elementOf(node[0]));
  }

private:
  bool check() {
    if (n < 1 || k < 1)
      node.error() << "expects positive N and K, but has " << n << " and " << k;
    else if (bits != 2 && bits != 4 && bits != 8)
      node.unsupported() << "weights of " << bits << " bits";
    else if (block < 16 || !llvm::isPowerOf2_64(block))
      node.error() << "expects a power of 2 of at least 16 as block_size, but has " << block;
    else if (node.has(4))
      node.unsupported() << "an order of groups (g_idx)";
    else if (!isa<FloatType>(elementOf(node[0])) || rankOf(node[0]) < 1)
      node.error() << "expects floating-point rows, but has " << typeOf(node[0]);
    else
      return expectElements(1, n * blocks * (block * bits / 8)) && expectElements(2, n * blocks) &&
             checkBytes();
    return false;
  }

  bool checkBytes() {
    Type ui8 = node.builder.getIntegerType(8, /*isSigned=*/false);
    auto expected = RankedTensorType::get({n, blocks, block * bits / 8}, ui8);
    if (typeOf(node[1]) == expected)
      return true;
    node.error() << "expects weights of " << expected << ", but has " << typeOf(node[1]);
    return false;
  }

  bool expectElements(size_t operand, int64_t count) {
    if (typeOf(node[operand]).hasStaticShape() && typeOf(node[operand]).getNumElements() == count)
      return true;
    node.error() << "expects " << count << " elements in operand " << operand << ", but has "
                 << typeOf(node[operand]);
    return false;
  }

  /// Packed as the weights are, each row from a whole byte on, or one floating-point number per block.
  Value zeroPoints() {
    Type f32 = node.builder.getF32Type();
    if (!node.has(3))
      return node.scalar(1 << (bits - 1), f32);
    if (isa<FloatType>(elementOf(node[3])))
      return expectElements(3, n * blocks) ? node.cast(node[3], f32) : node.scalar(0, f32);
    int64_t bytes = llvm::divideCeil(blocks * bits, 8);
    if (!elementOf(node[3]).isUnsignedInteger(8))
      node.error() << "expects zero points in bytes or in floating point, but has " << typeOf(node[3]);
    if (node.hasFailed() || !expectElements(3, n * bytes))
      return node.scalar(0, f32);
    Value all = unpack(node, node.reshape(node[3], {node.size(n), node.size(bytes)}), bits);
    return node.cast(node.slice(all, 1, node.size(0), node.size(blocks)), f32);
  }

  Value perBlock(Value parameter, Value numbers) {
    if (rankOf(parameter) == 0)
      return parameter;
    parameter = node.reshape(parameter, {node.size(n), node.size(blocks)});
    return node.broadcast(parameter, {0, 1}, node.sizesOf(numbers));
  }

  Node &node;
  int64_t n, k, bits, block, blocks;
};

Results matMulNBits(Node &node) {
  Value weights = BlockedWeights(node).build();
  if (!weights || node.hasFailed())
    return failure();
  Value y = matMul(node, node[0], node.transpose(weights, {1, 0}), elementOf(node[0]));
  if (node.has(5))
    y = node.binary<AddOp>(y, node.broadcastTo(node[5], node.sizesOf(y)));
  return node.hasFailed() ? Results(failure()) : Results(y);
}
} // namespace

void onnx::addMicrosoftConverters(ConverterTable &table) {
  table.add("com.microsoft.MatMulNBits", 1, 3, 6, matMulNBits);
  constexpr StringRef internal = "it is laid out for the machine that ONNX Runtime ran on; save the model with "
                                 "ORT_ENABLE_EXTENDED as the level of optimisation";
  table.refuse("com.microsoft.nchwc.*", internal);
  table.refuse("com.ms.internal.nhwc.*", internal);
}
