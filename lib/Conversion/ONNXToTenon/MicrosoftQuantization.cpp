//===- MicrosoftQuantization.cpp - ONNX Runtime's operators on quantised numbers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Its quantiser writes them: domain com.microsoft, version 1. Where results are integers, they are rounded as
// ONNX Runtime's kernels for x86 round them: some before, some after the zero point is added.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "Quantization.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

namespace {
/// The one element of an operand, null where it is left out.
Value only(Node &node, size_t i) {
  if (!node.has(i) || isSingle(node[i]))
    return node.has(i) ? node.reshape(node[i], {}) : Value();
  node.error() << "expects one element in operand " << i << ", but has " << typeOf(node[i]);
  return node.scalar(1, elementOf(node[i]));
}

/// Scale and zero point for all elements, two operands from `first` on.
Quantized parameters(Node &node, size_t first, Value numbers) {
  Quantized result{numbers, Value(), Value()};
  if (!node.expect(first))
    return result;
  result.scale = only(node, first);
  result.zeroPoint = only(node, first + 1);
  if (!isa<FloatType>(elementOf(result.scale)))
    node.error() << "expects a floating-point scale as operand " << first << ", but has " << typeOf(node[first]);
  if (result.zeroPoint && !isa<IntegerType>(elementOf(result.zeroPoint)))
    node.error() << "expects an integer as zero point, but operand " << first + 1 << " has " << typeOf(node[first + 1]);
  return result;
}

/// Numbers, scale and zero point, three operands from `first` on.
Quantized quantized(Node &node, size_t first) {
  if (!node.expect({first, first + 1}))
    return {};
  if (!isa<IntegerType>(elementOf(node[first])))
    node.error() << "expects integers as operand " << first << ", but has " << typeOf(node[first]);
  return parameters(node, first + 1, node[first]);
}

/// Scale and zero point of the result, two operands from `first` on; of the operands' type without a zero
/// point.
class Target {
public:
  Target(Node &node, size_t first, Value operand) : node(node) {
    auto [numbers, givenScale, givenZero] = parameters(node, first, Value());
    if (node.hasFailed())
      return;
    element = cast<IntegerType>(elementOf(givenZero ? givenZero : operand));
    scale = node.cast(givenScale, node.builder.getF32Type());
    zeroPoint = givenZero ? givenZero : node.scalar(0, element);
  }

  /// round(x / scale) + zero point
  Value quantize(Value x) { return onnx::quantize(node, x, scale, wideZeroPoint(), element); }
  /// round(x + zero point), of numbers that have the scale in them
  Value quantizeSum(Value x) { return round(node.binary<AddOp>(x, wideZeroPoint())); }
  Value round(Value x) { return toRange(node, node.unary<RoundOp>(x), element); }
  Value wideZeroPoint() { return node.cast(zeroPoint, node.builder.getF32Type()); }

  Value scale, zeroPoint;

private:
  Node &node;
  IntegerType element;
};

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

Results qLinearAdd(Node &node) {
  Quantized a = quantized(node, 0), b = quantized(node, 3);
  if (node.hasFailed())
    return failure();
  Target c(node, 6, a.numbers);
  if (node.hasFailed())
    return failure();
  // The constant part apart, as ONNX Runtime does: two products and two sums per element.
  Type f32 = node.builder.getF32Type();
  Value values[] = {node.cast(a.numbers, f32), node.cast(b.numbers, f32)}, constant = c.wideZeroPoint();
  Value ratios[] = {combineScales(node, {a.scale}, c.scale), combineScales(node, {b.scale}, c.scale)};
  Value zeroPoints[] = {a.zeroPoint, b.zeroPoint};
  for (auto [ratio, zeroPoint] : llvm::zip(ratios, zeroPoints))
    if (zeroPoint)
      constant = node.binary<SubOp>(constant, node.binary<MulOp>(ratio, node.cast(zeroPoint, f32)));
  if (!node.broadcastAll(values))
    return failure();
  Value y = node.binary<AddOp>(node.binary<MulOp>(values[0], ratios[0]), constant);
  return c.round(node.binary<AddOp>(y, node.binary<MulOp>(values[1], ratios[1])));
}

Results qLinearMul(Node &node) {
  Quantized a = quantized(node, 0), b = quantized(node, 3);
  if (node.hasFailed())
    return failure();
  Target c(node, 6, a.numbers);
  Value values[] = {centred(node, a.numbers, a.zeroPoint, 0), centred(node, b.numbers, b.zeroPoint, 0)};
  if (node.hasFailed() || !node.broadcastAll(values))
    return failure();
  Value product = node.binary<MulOp>(values[0], values[1]);
  return c.quantizeSum(rescale(node, product, combineScales(node, {a.scale, b.scale}, c.scale), 0));
}

/// A function of the numbers that the operand stands for.
Results elementwise(Node &node, llvm::function_ref<Value(Value)> function) {
  Quantized x = quantized(node, 0);
  if (node.hasFailed())
    return failure();
  Target y(node, 3, x.numbers);
  return node.hasFailed() ? Results(failure()) : Results(y.quantize(function(dequantize(node, x))));
}

Results qLinearSigmoid(Node &node) {
  return elementwise(node, [&](Value x) { return node.unary<SigmoidOp>(x); });
}

Results qLinearLeakyRelu(Node &node) {
  return elementwise(node, [&](Value x) {
    Value negative = node.binary<MulOp>(x, node.number("alpha", 0.01f));
    return node.select(node.compare(Predicate::lt, x, 0.0), negative, x);
  });
}

Results qLinearSoftmax(Node &node) {
  int64_t opset = node.integer("opset", 0), rank = rankOf(node[0]);
  int64_t axis = node.dimension(node.integer("axis", -1), rank);
  if (opset < 1)
    return node.error() << "expects a positive number as attribute 'opset'";
  // Before opset 13, over all dimensions from the axis on.
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(axis, opset < 13 ? rank : axis + 1));
  return elementwise(node, [&](Value x) -> Value {
    return SoftmaxOp::create(node.builder, node.loc, x.getType(), x, dims, /*log=*/false);
  });
}

//===----------------------------------------------------------------------===//
// Choice and concatenation
//===----------------------------------------------------------------------===//

Results qLinearWhere(Node &node) {
  Quantized x = quantized(node, 1), y = quantized(node, 4);
  if (node.hasFailed())
    return failure();
  Target z(node, 7, x.numbers);
  if (node.hasFailed())
    return failure();
  Value values[] = {node.cast(node[0], node.builder.getI1Type()), z.quantize(dequantize(node, x)),
                    z.quantize(dequantize(node, y))};
  if (!node.broadcastAll(values))
    return failure();
  return node.select(values[0], values[1], values[2]);
}

/// The result's scale and zero point come first.
Results qLinearConcat(Node &node) {
  if (node.size() < 5 || (node.size() - 2) % 3 != 0)
    return node.error() << "expects a scale, a zero point and then tensors with a scale and a zero point each, but has "
                        << node.size() << " operands";
  SmallVector<Value> values;
  for (size_t i = 2; i < node.size(); i += 3) {
    Quantized x = quantized(node, i);
    if (node.hasFailed())
      return failure();
    Target y(node, 0, x.numbers);
    if (node.hasFailed())
      return failure();
    values.push_back(y.quantize(dequantize(node, x)));
  }
  int64_t dim = node.dimension(node.integer("axis", 0), rankOf(values.front()));
  if (!node.hasAttribute("axis"))
    return node.error() << "expects the attribute 'axis'";
  return node.hasFailed() ? Results(failure()) : Results(node.concat(values, dim));
}

//===----------------------------------------------------------------------===//
// Means
//===----------------------------------------------------------------------===//

/// Sums of integers, times the scales over the number of them.
Value mean(Node &node, const Quantized &x, Target &y, ArrayRef<int64_t> dims, bool keepDims) {
  Sizes counted;
  for (int64_t dim : dims)
    counted.push_back(node.sizeOf(x.numbers, dim));
  auto scalar = RankedTensorType::get({}, node.builder.getI64Type());
  Value count = node.cast(node.fromSizes(node.product(counted), scalar), node.builder.getF32Type());
  Value sum = node.reduce(Combiner::sum, centred(node, x.numbers, x.zeroPoint, 0), dims, keepDims);
  return requantize(node, sum, combineScales(node, {x.scale}, node.binary<MulOp>(y.scale, count)), y.zeroPoint, 0);
}

Results qLinearReduceMean(Node &node) {
  Quantized x = quantized(node, 0);
  auto axes = node.integers("axes");
  if (node.hasFailed())
    return failure();
  SmallVector<int64_t> dims = axes && !axes->empty() ? node.dimensions(*axes, rankOf(x.numbers))
                                                     : llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x.numbers)));
  Target y(node, 3, x.numbers);
  return node.hasFailed() ? Results(failure()) : Results(mean(node, x, y, dims, node.flag("keepdims", true)));
}

Results qLinearGlobalAveragePool(Node &node) {
  Quantized x = quantized(node, 0);
  if (node.hasFailed())
    return failure();
  int64_t rank = rankOf(x.numbers), first = node.flag("channels_last") ? 1 : 2;
  if (rank < 3)
    return node.error() << "expects an operand of rank 3 or more, but has " << typeOf(x.numbers);
  Target y(node, 3, x.numbers);
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2));
  return node.hasFailed() ? Results(failure()) : Results(mean(node, x, y, dims, /*keepDims=*/true));
}

/// What a pool makes of an operand that may have its channels last.
Value pool(Node &node, Value x, bool channelsLast, Value (*windows)(Node &, Value)) {
  int64_t last = rankOf(x) - 1;
  if (!channelsLast || last < 2)
    return windows(node, x);
  Value y = windows(node, node.moveDim(x, last, 1));
  return y ? node.moveDim(y, 1, last) : y;
}

Results qLinearAveragePool(Node &node) {
  Quantized x = quantized(node, 0);
  if (node.hasFailed())
    return failure();
  Target y(node, 3, x.numbers);
  if (node.hasFailed())
    return failure();
  Value means = pool(node, dequantize(node, x), node.flag("channels_last"), meanOfWindows);
  return means ? Results(y.quantizeSum(node.binary<DivOp>(means, y.scale))) : Results(failure());
}

Results nhwcMaxPool(Node &node) {
  Value y = pool(node, node[0], /*channelsLast=*/true, largestOfWindows);
  return y ? Results(y) : Results(failure());
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// A bias is a row.
Value addBias(Node &node, Value y, size_t bias) {
  return node.has(bias) ? node.binary<AddOp>(y, node.broadcastTo(node[bias], node.sizesOf(y))) : y;
}

/// In the type of the scale of `b`.
Results scaledProduct(Node &node, const Quantized &a, const Quantized &b, size_t bias) {
  if (!isSingle(a.scale))
    return node.error() << "expects one scale of the first operand, but has " << typeOf(a.scale);
  Value sum = centredProduct(node, a, b);
  if (!sum)
    return failure();
  Value y = rescale(node, sum, combineScales(node, {node.reshape(a.scale, {}), b.scale}), rankOf(sum) - 1);
  return addBias(node, node.cast(y, elementOf(b.scale)), bias);
}

Results matMulIntegerToFloat(Node &node) {
  return scaledProduct(node, {node[0], node[2], node[4]}, {node[1], node[3], node[5]}, 6);
}

Results dynamicQuantizeMatMul(Node &node) {
  if (!isa<FloatType>(elementOf(node[0])))
    return node.error() << "expects floating-point rows, but has " << typeOf(node[0]);
  return scaledProduct(node, quantizeDynamically(node, node[0]), {node[1], node[2], node[3]}, 4);
}

Results qGemm(Node &node) {
  Quantized operands[] = {{node[0], node[1], node[2]}, {node[3], node[4], node[5]}};
  const char *const names[] = {"transA", "transB"};
  for (auto [operand, name] : llvm::zip(operands, names)) {
    if (rankOf(operand.numbers) != 2)
      return node.error() << "expects matrices, but has " << typeOf(operand.numbers);
    if (node.flag(name))
      operand.numbers = node.transpose(operand.numbers, {1, 0});
  }
  if (node.has(7) != node.has(8))
    return node.error() << "expects both a scale and a zero point of the result, or neither";
  Value sum = centredProduct(node, operands[0], operands[1]);
  if (!sum)
    return failure();
  sum = addBias(node, sum, 6);
  Value rowScale = operands[0].scale;
  if (double alpha = node.number("alpha", 1); alpha != 1)
    rowScale = node.binary<MulOp>(rowScale, alpha);
  Value scale = combineScales(node, {rowScale, operands[1].scale}, node[7]);
  if (node.hasFailed())
    return failure();
  return node.has(8) ? requantize(node, sum, scale, node[8], 1) : rescale(node, sum, scale, 1);
}

//===----------------------------------------------------------------------===//
// Arithmetic on integers
//===----------------------------------------------------------------------===//

Results matMulInteger16(Node &node) {
  Type i32 = node.builder.getI32Type();
  return matMul(node, node.cast(node[0], i32), node.cast(node[1], i32), i32);
}

Results mulInteger(Node &node) {
  if (!node.expect({0, 2}))
    return failure();
  Value values[] = {centred(node, node[0], only(node, 1), 0), centred(node, node[2], only(node, 3), 0)};
  if (node.hasFailed() || !node.broadcastAll(values))
    return failure();
  return node.binary<MulOp>(values[0], values[1]);
}

/// In 32 bits of the operand's signedness.
Results reduceSumInteger(Node &node) {
  auto type = dyn_cast<IntegerType>(elementOf(node[0]));
  if (!type)
    return node.error() << "expects integers, but has " << typeOf(node[0]);
  Type wide = IntegerType::get(node.builder.getContext(), 32, type.getSignedness());
  auto axes = node.integers("axes");
  SmallVector<int64_t> dims = axes && !axes->empty() ? node.dimensions(*axes, rankOf(node[0]))
                                                     : llvm::to_vector(llvm::seq<int64_t>(0, rankOf(node[0])));
  if (node.hasFailed())
    return failure();
  return node.reduce(Combiner::sum, node.cast(node[0], wide), dims, node.flag("keepdims", true));
}
} // namespace

void onnx::addMicrosoftQuantizationConverters(ConverterTable &table) {
  constexpr unsigned variadic = ConverterTable::variadic;
  table.add("com.microsoft.QuantizeLinear", 1, 2, 3, quantizeLinear);
  table.add("com.microsoft.DequantizeLinear", 1, 2, 3, dequantizeLinear);
  table.add("com.microsoft.QLinearAdd", 1, 1, 8, qLinearAdd);
  table.add("com.microsoft.QLinearMul", 1, 1, 8, qLinearMul);
  table.add("com.microsoft.QLinearSigmoid", 1, 1, 5, qLinearSigmoid);
  table.add("com.microsoft.QLinearLeakyRelu", 1, 1, 5, qLinearLeakyRelu);
  table.add("com.microsoft.QLinearSoftmax", 1, 1, 5, qLinearSoftmax);
  table.add("com.microsoft.QLinearWhere", 1, 1, 9, qLinearWhere);
  table.add("com.microsoft.QLinearConcat", 1, 1, variadic, qLinearConcat);
  table.add("com.microsoft.QLinearReduceMean", 1, 1, 5, qLinearReduceMean);
  table.add("com.microsoft.QLinearGlobalAveragePool", 1, 1, 5, qLinearGlobalAveragePool);
  table.add("com.microsoft.QLinearAveragePool", 1, 1, 5, qLinearAveragePool);
  table.add("com.microsoft.NhwcMaxPool", 1, 1, 1, nhwcMaxPool);
  table.add("com.microsoft.QLinearConv", 1, 8, 9, qLinearConv);
  table.add("com.microsoft.QLinearMatMul", 1, 8, 8, qLinearMatMul);
  table.add("com.microsoft.QGemm", 1, 6, 9, qGemm);
  table.add("com.microsoft.MatMulIntegerToFloat", 1, 4, 7, matMulIntegerToFloat);
  table.add("com.microsoft.DynamicQuantizeMatMul", 1, 3, 5, dynamicQuantizeMatMul);
  table.add("com.microsoft.MatMulInteger16", 1, 2, 2, matMulInteger16);
  table.add("com.microsoft.MulInteger", 1, 1, 4, mulInteger);
  table.add("com.microsoft.ReduceSumInteger", 1, 1, 1, reduceSumInteger);
}
