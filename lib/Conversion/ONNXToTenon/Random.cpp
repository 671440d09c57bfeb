//===- Random.cpp - Random numbers in models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Random.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

/// Philox4x32-10: "Parallel Random Numbers: As Easy as 1, 2, 3" (Salmon et al., 2011). Of each element's place four
/// words of 32 random bits.
class Philox {
public:
  Philox(Node &node, AffineExpr count)
      : node(node), i64(node.builder.getI64Type()), ui32(node.builder.getIntegerType(32, /*isSigned=*/false)),
        ui64(node.builder.getIntegerType(64, /*isSigned=*/false)) {
    Value place = node.cast(node.iota(count, 0, i64), ui64), zero = node.splat(0, node.cast(place, ui32));
    Value words[] = {low(place), high(place), zero, zero};
    auto key = seed();
    constexpr int64_t rounds = 10, steps[] = {0x9E3779B9, 0xBB67AE85}, factors[] = {0xD2511F53, 0xCD9E8D57};
    for (int64_t round = 0; round < rounds; ++round) {
      Value a = product(words[0], factors[0]), b = product(words[2], factors[1]);
      Value next[] = {node.binary<XorOp>(node.binary<XorOp>(high(b), words[1]), key.first), low(b),
                      node.binary<XorOp>(node.binary<XorOp>(high(a), words[3]), key.second), low(a)};
      llvm::copy(next, words);
      key = {step(key.first, steps[0]), step(key.second, steps[1])};
    }
    result.assign(std::begin(words), std::end(words));
  }

  /// Of `ui32`.
  Value word(size_t i) { return result[i]; }

private:
  Value low(Value x) { return node.cast(x, ui32); }
  Value high(Value x) { return node.cast(node.binary<ShrOp>(x, 32.0), ui32); }
  Value product(Value x, int64_t factor) { return node.binary<MulOp>(node.cast(x, ui64), double(factor)); }
  Value step(Value key, int64_t by) { return node.binary<AddOp>(key, node.scalarInteger(by, ui32)); }

  /// Two scalars: the attribute's bits, or what the system gives when the model runs.
  std::pair<Value, Value> seed() {
    Attribute stated = node.attribute("seed");
    if (!stated) {
      Value bits = RandomSeedOp::create(node.builder, node.loc, RankedTensorType::get({}, i64), stream());
      bits = node.cast(bits, ui64);
      return {low(bits), high(bits)};
    }
    uint64_t bits = 0;
    if (auto number = dyn_cast<FloatAttr>(stated))
      bits = llvm::bit_cast<uint32_t>(float(number.getValueAsDouble()));
    else
      bits = node.integer("seed", 0);
    return {node.scalarInteger(int64_t(bits & 0xFFFFFFFF), ui32), node.scalarInteger(int64_t(bits >> 32), ui32)};
  }

  /// How many nodes of the model stand before this one.
  int64_t stream() {
    int64_t number = 0;
    node.op->getParentOfType<func::FuncOp>().walk<WalkOrder::PreOrder>([&](NodeOp other) {
      number += other != node.op;
      return other == node.op ? WalkResult::interrupt() : WalkResult::advance();
    });
    return number;
  }

  Node &node;
  Type i64, ui32, ui64;
  SmallVector<Value> result;
};

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The first `bits` of a word as a number; there are conversions of signed numbers in vectors.
Value firstBits(Node &node, Value word, int64_t bits, Type element) {
  Value number = node.cast(node.binary<ShrOp>(word, double(32 - bits)), node.builder.getI32Type());
  return node.cast(number, element);
}

/// `[0, 2^53)` of two words, `[0, 2^24)` of one, or as many bits as a narrower type has; and how many those are.
std::pair<Value, int64_t> integerBits(Node &node, Philox &philox, size_t first, Type element) {
  if (element.isF64()) {
    Value high = firstBits(node, philox.word(first), 27, element),
          low = firstBits(node, philox.word(first + 1), 26, element);
    return {node.binary<AddOp>(node.binary<MulOp>(high, std::ldexp(1.0, 26)), low), 53};
  }
  int64_t bits = element.isF32() ? 24 : element.isF16() ? 11 : 8;
  return {firstBits(node, philox.word(first), bits, element), bits};
}

bool isRandomType(Type element) {
  return element && (element.isF16() || element.isBF16() || element.isF32() || element.isF64());
}

/// By the transform of Box and Muller (1958), in f32 or f64.
Value normalNumbers(Node &node, ArrayRef<AffineExpr> sizes, Type element) {
  Type wide = element.isF64() ? element : node.builder.getF32Type();
  Philox philox(node, node.product(sizes));
  auto [first, bits] = integerBits(node, philox, 0, wide);
  // From above 0 to 1, whose logarithm exists.
  Value radius = node.binary<MulOp>(node.binary<AddOp>(first, 1.0), std::ldexp(1.0, -bits));
  radius = node.unary<SqrtOp>(node.binary<MulOp>(node.unary<LogOp>(radius), -2.0));
  auto [second, others] = integerBits(node, philox, element.isF64() ? 2 : 1, wide);
  Value angle = node.binary<MulOp>(second, std::ldexp(2 * std::numbers::pi, -others));
  return node.reshape(node.binary<MulOp>(radius, node.unary<CosOp>(angle)), sizes);
}

/// The type that `dtype` names, else `otherwise`; null after an error.
Type resultType(Node &node, Type otherwise) {
  bool isStated = node.hasAttribute("dtype");
  Type element = isStated ? elementTypeOf(node.integer("dtype", 0), node.builder.getContext()) : otherwise;
  if (isRandomType(element))
    return element;
  if (!isStated)
    node.error() << "expects the attribute 'dtype', as " << otherwise << " holds no such numbers";
  else
    node.error() << "expects float16, bfloat16, float or double as dtype, but has number " << node.integer("dtype", 0);
  return {};
}

std::optional<Sizes> statedSizes(Node &node) {
  auto shape = node.integers("shape");
  Sizes sizes;
  for (int64_t size : shape.value_or(SmallVector<int64_t>()))
    sizes.push_back(node.size(size));
  if (shape && llvm::all_of(*shape, [](int64_t size) { return size >= 0; }))
    return sizes;
  node.error() << "expects sizes in the attribute 'shape'";
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Distributions
//===----------------------------------------------------------------------===//

Results uniformOf(Node &node, const std::optional<Sizes> &sizes, Type element) {
  if (!sizes || !element)
    return failure();
  double low = node.number("low", 0), high = node.number("high", 1);
  if (!(low <= high))
    return node.error() << "expects low up to high, but has " << low << " and " << high;
  // A sum of narrow numbers would be rounded twice.
  Type wide = element.isF64() ? element : node.builder.getF32Type();
  Value x = uniformNumbers(node, *sizes, low == 0 && high == 1 ? element : wide);
  if (low != 0 || high != 1)
    // In halves, whose difference is within the type's range.
    x = node.binary<MulOp>(node.binary<AddOp>(node.binary<MulOp>(x, high / 2 - low / 2), low / 2), 2.0);
  return node.cast(x, element);
}

Results normalOf(Node &node, const std::optional<Sizes> &sizes, Type element) {
  if (!sizes || !element)
    return failure();
  Value x = normalNumbers(node, *sizes, element);
  x = node.binary<AddOp>(node.binary<MulOp>(x, node.number("scale", 1)), node.number("mean", 0));
  return node.cast(x, element);
}

Results randomUniform(Node &node) {
  return uniformOf(node, statedSizes(node), resultType(node, node.builder.getF32Type()));
}
Results randomNormal(Node &node) {
  return normalOf(node, statedSizes(node), resultType(node, node.builder.getF32Type()));
}
Results randomUniformLike(Node &node) {
  return uniformOf(node, node.sizesOf(node[0]), resultType(node, elementOf(node[0])));
}
Results randomNormalLike(Node &node) {
  return normalOf(node, node.sizesOf(node[0]), resultType(node, elementOf(node[0])));
}

/// 1 with the probability that an element states.
Results bernoulli(Node &node) {
  Type element = elementOf(node[0]);
  if (node.hasAttribute("dtype"))
    element = elementTypeOf(node.integer("dtype", 0), node.builder.getContext());
  if (!isRandomType(elementOf(node[0])) || !element || !isNumber(element))
    return node.error() << "expects floating-point numbers and a type of numbers as dtype, but has " << typeOf(node[0])
                        << " and " << node.integer("dtype", 0);
  Type wide = elementOf(node[0]).isF64() ? elementOf(node[0]) : node.builder.getF32Type();
  Value chance = uniformNumbers(node, node.sizesOf(node[0]), wide);
  return node.cast(node.compare(Predicate::lt, chance, node.cast(node[0], wide)), element);
}

/// Of each row as many classes as are asked for: those in whose part of the sum of all probabilities a number falls.
Results multinomial(Node &node) {
  Type f64 = node.builder.getF64Type(), i64 = node.builder.getI64Type();
  Type element = elementTypeOf(node.integer("dtype", 6), node.builder.getContext());
  int64_t count = node.integer("sample_size", 1);
  if (rankOf(node[0]) != 2 || !isRandomType(elementOf(node[0])))
    return node.error() << "expects logarithms of probabilities [batch, classes], but has " << typeOf(node[0]);
  if (!element || (!element.isInteger(32) && !element.isInteger(64)) || element.isUnsignedInteger() || count < 0)
    return node.error() << "expects int32 or int64 as dtype, and a sample_size that isn't negative, but has "
                        << node.integer("dtype", 6) << " and " << count;
  AffineExpr classes = node.sizeOf(node[0], 1);
  node.expectEqual(node.largest(classes, node.size(1)), classes, "Multinomial expects at least one class");
  Value x = node.cast(node[0], f64);
  Sizes sizes = node.sizesOf(x), all = {sizes[0], node.size(count), sizes[1]};
  Value largest = node.broadcastTo(node.reduce(Combiner::max, x, {1}, /*keepDims=*/true), sizes);
  Value parts = node.unary<ExpOp>(node.binary<SubOp>(x, largest));
  Value ends = ScanOp::create(node.builder, node.loc, parts.getType(), Combiner::sum, parts, 1, false, false);
  AffineExpr last = node.sizes.simplify(sizes[1] - 1);
  Value total = node.slice(ends, 1, last, node.size(1));
  Value chance = uniformNumbers(node, {sizes[0], node.size(count)}, f64);
  chance = node.binary<MulOp>(chance, node.broadcastTo(total, node.sizesOf(chance)));
  Value isBefore = node.compare(Predicate::le, node.broadcast(ends, {0, 2}, all), node.broadcast(chance, {0, 1}, all));
  return node.cast(node.reduce(Combiner::sum, node.cast(isBefore, i64), {2}), element);
}
} // namespace

Value onnx::uniformNumbers(Node &node, ArrayRef<AffineExpr> sizes, Type element) {
  Philox philox(node, node.product(sizes));
  auto [number, bits] = integerBits(node, philox, 0, element);
  return node.reshape(node.binary<MulOp>(number, std::ldexp(1.0, -bits)), sizes);
}

Dropped onnx::dropRandomly(Node &node, Value x, Value ratio, Value training) {
  Type f32 = node.builder.getF32Type();
  Sizes sizes = node.sizesOf(x);
  ratio = node.cast(ratio, f32);
  Value chance = uniformNumbers(node, sizes, f32);
  Value mask = node.compare(Predicate::ge, chance, node.broadcast(ratio, {}, sizes));
  mask = node.binary<OrOp>(mask, node.broadcast(node.unary<NotOp>(training), {}, sizes));
  Value one = node.scalar(1, f32);
  Value scale = node.select(training, node.binary<DivOp>(one, node.binary<SubOp>(one, ratio)), one);
  Value wide = elementOf(x).isF64() ? x : node.cast(x, f32);
  Value kept = node.binary<MulOp>(wide, node.broadcast(node.cast(scale, elementOf(wide)), {}, sizes));
  return {node.cast(node.select(mask, kept, node.splat(0, kept)), elementOf(x)), mask};
}

void onnx::addRandomConverters(ConverterTable &table) {
  table.add("RandomUniform", 1, 0, 0, randomUniform);
  table.add("RandomNormal", 1, 0, 0, randomNormal);
  table.add("RandomUniformLike", 1, 1, 1, randomUniformLike);
  table.add("RandomNormalLike", 1, 1, 1, randomNormalLike);
  table.add("Bernoulli", 15, 1, 1, bernoulli);
  table.add("Multinomial", 7, 1, 1, multinomial);
}
