//===- Quantization.cpp - ONNX operators on quantised numbers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantization.h"

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
  Granularity(Node &node, Value like, int64_t axis, int64_t block) : node(node), like(like), axis(axis), block(block) {}

  Value repeat(Value parameter) {
    if (isSingle(parameter) && block == 0)
      return node.broadcast(node.reshape(parameter, {}), {}, node.sizesOf(like));
    int64_t rank = rankOf(like), dim = node.dimension(axis, rank);
    if (node.hasFailed())
      return like;
    if (block == 0) {
      // One whose size isn't known may be for each place or, alone, for all.
      if (rankOf(parameter) == 1)
        return isStatic(node.sizeOf(parameter, 0)) ? node.along(parameter, dim, like)
                                                   : node.broadcast(parameter, {dim}, node.sizesOf(like));
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

/// Rounded, with the zero point added, where it is of the type of integers.
Value toQuantized(Node &node, Value y, Value zeroPoint, Type target, bool saturate) {
  auto integer = dyn_cast<IntegerType>(target);
  if (!integer)
    return node.cast(y, target, saturate && target.getIntOrFloatBitWidth() <= 8);
  y = node.unary<RoundOp>(y);
  return toRange(node, zeroPoint ? node.binary<AddOp>(y, zeroPoint) : y, integer);
}
} // namespace

Value onnx::toRange(Node &node, Value x, IntegerType target) {
  auto [low, high] = rangeOf(target);
  return node.cast(node.clamp(x, low, high), target);
}

Value onnx::quantize(Node &node, Value x, Value scale, Value zeroPoint, Type target, bool saturate) {
  return toQuantized(node, node.binary<DivOp>(x, scale), zeroPoint, target, saturate);
}

Value onnx::repeatBlocks(Node &node, Value parameter, Value x, int64_t dim, int64_t block) {
  return Granularity(node, x, dim, block).repeat(parameter);
}

Results onnx::quantizeLinear(Node &node) {
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

Results onnx::dequantizeLinear(Node &node) {
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

Quantized onnx::quantizeDynamically(Node &node, Value x) {
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  Type ui8 = IntegerType::get(node.builder.getContext(), 8, IntegerType::Unsigned);
  Value low = node.binary<MinOp>(node.reduce(Combiner::min, x, dims), 0.0);
  Value high = node.binary<MaxOp>(node.reduce(Combiner::max, x, dims), 0.0);
  Value scale = node.binary<DivOp>(node.binary<SubOp>(high, low), 255.0);
  // Of zeros only, the scale is 0 and so is the zero point.
  Value isZero = node.compare(Predicate::eq, scale, 0.0);
  Value divisor = node.select(isZero, node.splat(1, scale), scale);
  Value zeroPoint = node.clamp(node.unary<RoundOp>(node.unary<NegOp>(node.binary<DivOp>(low, divisor))), 0, 255);
  return {quantize(node, x, divisor, zeroPoint, ui8), scale, node.cast(zeroPoint, ui8)};
}

static Results dynamicQuantizeLinear(Node &node) {
  Quantized y = quantizeDynamically(node, node[0]);
  return {y.numbers, y.scale, y.zeroPoint};
}

//===----------------------------------------------------------------------===//
// Products of quantised numbers
//===----------------------------------------------------------------------===//

/// A parameter of one number, one per place of `dim`, or of a shape that is repeated by numpy's rule.
static Value repeated(Node &node, Value parameter, Value like, int64_t dim) {
  bool hasShape = rankOf(parameter) > 1 && !isSingle(parameter);
  return hasShape ? node.broadcastTo(parameter, node.sizesOf(like)) : Granularity(node, like, dim, 0).repeat(parameter);
}

Value onnx::centred(Node &node, Value x, Value zeroPoint, int64_t dim) {
  Type wide = isa<FloatType>(elementOf(x)) ? Type(node.builder.getF32Type()) : node.builder.getI32Type();
  x = node.cast(x, wide);
  if (!zeroPoint)
    return x;
  zeroPoint = node.cast(zeroPoint, wide);
  return node.binary<SubOp>(x, repeated(node, zeroPoint, x, dim));
}

Value onnx::centredProduct(Node &node, const Quantized &a, const Quantized &b) {
  Value lhs = centred(node, a.numbers, a.zeroPoint, rankOf(a.numbers) - 2);
  Value rhs = centred(node, b.numbers, b.zeroPoint, rankOf(b.numbers) - 1);
  if (elementOf(lhs) != elementOf(rhs))
    node.error() << "expects integers or floating-point numbers in both operands, but has " << elementOf(a.numbers)
                 << " and " << elementOf(b.numbers);
  return node.hasFailed() ? Value() : matMul(node, lhs, rhs, elementOf(lhs));
}

Value onnx::combineScales(Node &node, ArrayRef<Value> scales, Value resultScale) {
  SmallVector<Value> all(scales);
  if (resultScale)
    all.push_back(resultScale);
  for (Value &scale : all)
    scale = node.cast(scale, node.builder.getF32Type());
  if (!node.broadcastAll(all))
    return all.front();
  Value result = all.front();
  for (Value scale : ArrayRef(all).take_front(scales.size()).drop_front())
    result = node.binary<MulOp>(result, scale);
  return resultScale ? node.binary<DivOp>(result, all.back()) : result;
}

Value onnx::rescale(Node &node, Value x, Value scale, int64_t dim) {
  x = node.cast(x, node.builder.getF32Type());
  return node.binary<MulOp>(x, repeated(node, scale, x, dim));
}

Value onnx::dequantize(Node &node, const Quantized &x) {
  return rescale(node, centred(node, x.numbers, x.zeroPoint, 0), node.cast(x.scale, node.builder.getF32Type()), 0);
}

Value onnx::requantize(Node &node, Value sum, Value scale, Value zeroPoint, int64_t dim) {
  Value y = rescale(node, sum, scale, dim);
  Value offset = repeated(node, node.cast(zeroPoint, node.builder.getF32Type()), y, dim);
  return toQuantized(node, y, offset, elementOf(zeroPoint), /*saturate=*/true);
}

static Results matMulInteger(Node &node) {
  Value y = centredProduct(node, {node[0], {}, node[2]}, {node[1], {}, node[3]});
  return y ? Results(y) : Results(failure());
}

static Results convInteger(Node &node) {
  Value x = centred(node, node[0], node[2], 1), w = centred(node, node[1], node[3], 0);
  Value y = node.hasFailed() ? Value() : convolution(node, x, w);
  return y ? Results(y) : Results(failure());
}

Results onnx::qLinearMatMul(Node &node) {
  Value product = centredProduct(node, {node[0], {}, node[2]}, {node[3], {}, node[5]});
  if (!product)
    return failure();
  // A vector of scales of the first operand is one per row.
  Value rowScale = node[1];
  if (rankOf(rowScale) == 1 && !isStatic(node.sizeOf(rowScale, 0), 1))
    rowScale = node.unsqueeze(rowScale, {1});
  Value scale = combineScales(node, {rowScale, node[4]}, node[6]);
  return requantize(node, product, scale, node[7], rankOf(product) - 1);
}

Results onnx::qLinearConv(Node &node) {
  Value x = node[0];
  // The filter lies as ever.
  bool channelsLast = node.flag("channels_last") && rankOf(x) > 2;
  if (channelsLast)
    x = node.moveDim(x, rankOf(x) - 1, 1);
  x = centred(node, x, node[2], 1);
  Value w = centred(node, node[3], node[5], 0);
  Value product = node.hasFailed() ? Value() : convolution(node, x, w);
  if (!product)
    return failure();
  if (node.has(8))
    product = node.binary<AddOp>(product, node.along(node[8], 1, product));
  Value y = requantize(node, product, combineScales(node, {node[1], node[4]}, node[6]), node[7], 1);
  return channelsLast ? node.moveDim(y, 1, rankOf(y) - 1) : y;
}

void onnx::addQuantizationConverters(ConverterTable &table) {
  table.add("QuantizeLinear", 10, 2, 3, quantizeLinear);
  table.add("DequantizeLinear", 10, 2, 3, dequantizeLinear);
  table.add("DynamicQuantizeLinear", 11, 1, 1, dynamicQuantizeLinear);
  table.add("MatMulInteger", 10, 2, 4, matMulInteger);
  table.add("ConvInteger", 10, 2, 4, convInteger);
  table.add("QLinearMatMul", 10, 8, 8, qLinearMatMul);
  table.add("QLinearConv", 10, 8, 9, qLinearConv);
}
