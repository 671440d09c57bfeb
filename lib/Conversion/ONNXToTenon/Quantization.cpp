//===- Quantization.cpp - ONNX operators on quantised numbers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Scale or zero point, repeated to an operand's sizes: one for all, one per place of `axis`, or one per
/// block of it.
class Granularity {
public:
  Granularity(Node &node, Value like, int64_t axis, int64_t block)
      : node(node), like(like), axis(axis), block(block) {}

  Value repeat(Value parameter) {
    if (isSingle(parameter) && block == 0)
      return node.broadcast(node.reshape(parameter, {}), {}, node.sizesOf(like));
    int64_t rank = rankOf(like), dim = node.dimension(axis, rank);
    if (node.hasFailed())
      return like;
    if (block == 0) {
      if (rankOf(parameter) == 1)
        return node.along(parameter, dim, like);
      node.error() << "expects a scalar or a vector as scale and zero point, but has " << typeOf(parameter);
      return like;
    }
    if (rankOf(parameter) != rank) {
      node.error() << "expects scale and zero point of rank " << rank << ", but has " << typeOf(parameter);
      return like;
    }
    // Each place of the axis stands for a block; the last block may be cut.
    Sizes apart = node.sizesOf(parameter), joined = apart, wanted = node.sizesOf(like);
    SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, rank));
    for (int64_t i = dim + 1; i < rank; ++i)
      ++dims[i];
    apart.insert(apart.begin() + dim + 1, node.size(block));
    joined[dim] = node.sizes.simplify(joined[dim] * block);
    Value repeated = node.reshape(node.broadcast(parameter, dims, apart), joined);
    return node.slice(repeated, dim, node.size(0), wanted[dim]);
  }

private:
  Node &node;
  Value like;
  int64_t axis, block;
};

Granularity granularityOf(Node &node, Value like) {
  return Granularity(node, like, node.integer("axis", 1), node.integer("block_size", 0));
}

/// The least and the largest value of an integer type.
std::pair<double, double> rangeOf(IntegerType type) {
  unsigned width = type.getWidth();
  if (type.isUnsigned())
    return {0, std::exp2(width) - 1};
  return {-std::exp2(width - 1), std::exp2(width - 1) - 1};
}

/// round(x / scale) + zero point within the range of the type, all in the scale's type.
Value quantize(Node &node, Value x, Value scale, Value zeroPoint, Type target, bool saturate) {
  Value y = node.binary<DivOp>(x, scale);
  auto integer = dyn_cast<IntegerType>(target);
  if (!integer)
    return node.cast(y, target, saturate && target.getIntOrFloatBitWidth() <= 8);
  y = node.unary<RoundOp>(y);
  if (zeroPoint)
    y = node.binary<AddOp>(y, zeroPoint);
  auto [low, high] = rangeOf(integer);
  return node.cast(node.clamp(y, low, high), target);
}

Results quantizeLinear(Node &node) {
  Value x = node[0], scale = node[1];
  Type target = IntegerType::get(node.builder.getContext(), 8, IntegerType::Unsigned);
  if (int64_t number = node.integer("output_dtype", 0)) {
    target = elementTypeOf(number, node.builder.getContext());
    if (!target)
      return node.unsupported() << "elements of type number " << number;
  }
  if (node.has(2))
    target = elementOf(node[2]);
  if (!isa<FloatType>(elementOf(scale)))
    return node.error() << "expects a floating-point scale, but has " << typeOf(scale);
  // Narrow floating point can't hold all quantised values.
  Type compute = elementOf(scale).getIntOrFloatBitWidth() < 32 ? node.builder.getF32Type() : elementOf(scale);
  x = node.cast(x, compute);
  Granularity granularity = granularityOf(node, x);
  Value divisor = granularity.repeat(node.cast(scale, compute)), zeroPoint;
  if (node.has(2) && isa<IntegerType>(target))
    zeroPoint = granularity.repeat(node.cast(node[2], compute));
  if (node.hasFailed())
    return failure();
  return quantize(node, x, divisor, zeroPoint, target, node.flag("saturate", true));
}

Results dequantizeLinear(Node &node) {
  Value x = node[0], scale = node[1];
  Type element = elementOf(scale);
  if (int64_t number = node.integer("output_dtype", 0)) {
    element = elementTypeOf(number, node.builder.getContext());
    if (!element)
      return node.unsupported() << "elements of type number " << number;
  }
  if (!isa<FloatType>(elementOf(scale)) || !isa<FloatType>(element))
    return node.error() << "expects a floating-point scale, but has " << typeOf(scale);
  Type compute = elementOf(scale).getIntOrFloatBitWidth() < 32 ? node.builder.getF32Type() : elementOf(scale);
  Granularity granularity = granularityOf(node, x);
  Value y;
  if (node.has(2) && isa<IntegerType>(elementOf(x))) {
    // The difference is exact in 32 bits; the accumulators that come with 32 have no zero point.
    Type wide = node.builder.getI32Type();
    y = node.binary<SubOp>(node.cast(x, wide), node.cast(granularity.repeat(node[2]), wide));
  } else {
    y = x;
  }
  y = node.binary<MulOp>(node.cast(y, compute), granularity.repeat(node.cast(scale, compute)));
  return node.hasFailed() ? Results(failure()) : Results(node.cast(y, element));
}

/// Scale and zero point from the range of the operand, 0 included, as ui8.
Results dynamicQuantizeLinear(Node &node) {
  Value x = node[0];
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  Type ui8 = IntegerType::get(node.builder.getContext(), 8, IntegerType::Unsigned);
  Value low = node.binary<MinOp>(node.reduce(Combiner::min, x, dims), 0.0);
  Value high = node.binary<MaxOp>(node.reduce(Combiner::max, x, dims), 0.0);
  Value scale = node.binary<DivOp>(node.binary<SubOp>(high, low), 255.0);
  // Of zeros only, the scale is 0 and so is the zero point.
  Value isZero = node.compare(Predicate::eq, scale, 0.0);
  Value divisor = node.select(isZero, node.splat(1, scale), scale);
  Value zeroPoint =
      node.clamp(node.unary<RoundOp>(node.unary<NegOp>(node.binary<DivOp>(low, divisor))), 0, 255);
  Value y = quantize(node, x, node.broadcast(divisor, {}, node.sizesOf(x)),
                     node.broadcast(zeroPoint, {}, node.sizesOf(x)), ui8, true);
  return {y, scale, node.cast(zeroPoint, ui8)};
}

//===----------------------------------------------------------------------===//
// Products of quantised numbers
//===----------------------------------------------------------------------===//

/// The operand in 32 bits less its zero point: one for all, or one per place of `dim`.
Value centred(Node &node, Value x, Value zeroPoint, int64_t dim) {
  Type i32 = node.builder.getI32Type();
  Value wide = node.cast(x, i32);
  if (!zeroPoint)
    return wide;
  Value offset = node.cast(zeroPoint, i32);
  if (rankOf(offset) > 1)
    return node.binary<SubOp>(wide, node.broadcastTo(offset, node.sizesOf(x)));
  return node.binary<SubOp>(wide, Granularity(node, wide, dim, 0).repeat(offset));
}

Results matMulInteger(Node &node) {
  Value a = centred(node, node[0], node[2], rankOf(node[0]) - 2);
  Value b = centred(node, node[1], node[3], rankOf(node[1]) - 1);
  return node.hasFailed() ? Results(failure()) : Results(matMul(node, a, b, node.builder.getI32Type()));
}

Results convInteger(Node &node) {
  Value x = centred(node, node[0], node[2], 1), w = centred(node, node[1], node[3], 0);
  Value y = node.hasFailed() ? Value() : convolution(node, x, w);
  return y ? Results(y) : Results(failure());
}

/// An accumulator of 32 bits, times the operands' scales, in the result's quantisation.
Value requantize(Node &node, Value accumulator, ArrayRef<Value> scales, Value resultScale, Value resultZero,
                 int64_t dim) {
  Type f32 = node.builder.getF32Type();
  Value y = node.cast(accumulator, f32);
  Granularity granularity(node, y, dim, 0);
  for (Value scale : scales) {
    Value wide = node.cast(scale, f32);
    y = node.binary<MulOp>(y, rankOf(wide) > 1 ? node.broadcastTo(wide, node.sizesOf(y))
                                               : granularity.repeat(wide));
  }
  Value zero = node.cast(resultZero, f32), divisor = node.cast(resultScale, f32);
  auto whole = [&](Value v) {
    return rankOf(v) > 1 ? node.broadcastTo(v, node.sizesOf(y)) : granularity.repeat(v);
  };
  return quantize(node, y, whole(divisor), whole(zero), elementOf(resultZero), true);
}

Results qLinearMatMul(Node &node) {
  Value a = centred(node, node[0], node[2], rankOf(node[0]) - 2);
  Value b = centred(node, node[3], node[5], rankOf(node[3]) - 1);
  if (node.hasFailed())
    return failure();
  Value product = matMul(node, a, b, node.builder.getI32Type());
  // A vector of scales of the first operand is one per row.
  Value aScale = node[1];
  if (rankOf(aScale) == 1 && !isStatic(node.sizeOf(aScale, 0), 1))
    aScale = node.unsqueeze(aScale, {1});
  Value y = requantize(node, product, {aScale, node[4]}, node[6], node[7], rankOf(product) - 1);
  return node.hasFailed() ? Results(failure()) : Results(y);
}

Results qLinearConv(Node &node) {
  Value x = centred(node, node[0], node[2], 1), w = centred(node, node[3], node[5], 0);
  Value product = node.hasFailed() ? Value() : convolution(node, x, w);
  if (!product)
    return failure();
  if (node.has(8))
    product = node.binary<AddOp>(product, node.along(node[8], 1, product));
  Value y = requantize(node, product, {node[1], node[4]}, node[6], node[7], 1);
  return node.hasFailed() ? Results(failure()) : Results(y);
}
} // namespace

void onnx::addQuantizationConverters(ConverterTable &table) {
  table.add("QuantizeLinear", 10, 2, 3, quantizeLinear);
  table.add("DequantizeLinear", 10, 2, 3, dequantizeLinear);
  table.add("DynamicQuantizeLinear", 11, 1, 1, dynamicQuantizeLinear);
  table.add("MatMulInteger", 10, 2, 4, matMulInteger);
  table.add("ConvInteger", 10, 2, 4, convInteger);
  table.add("QLinearMatMul", 10, 8, 8, qLinearMatMul);
  table.add("QLinearConv", 10, 8, 9, qLinearConv);
}
