//===- Elementwise.cpp - ONNX operators that compute each element on its own ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Activation.h"

#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
constexpr unsigned variadic = ConverterTable::variadic;

template <typename Op> Results unaryNode(Node &node) { return node.unary<Op>(node[0]); }

/// Both operands, whose last dimensions run together. Before version 7 the second one lies along dimensions of the
/// first, from `axis` on or the last ones, where `broadcast` is set. Nothing after an error.
std::optional<SmallVector<Value>> placedPair(Node &node) {
  SmallVector<Value> values(node.all());
  if (node.version() < 7) {
    int64_t rank = rankOf(values[0]), other = rankOf(values[1]);
    if (node.flag("broadcast") && node.hasAttribute("axis") && other > 0) {
      int64_t first = node.dimension(node.integer("axis", 0), rank), behind = rank - first - other;
      if (!node.hasFailed() && behind < 0)
        node.error() << "expects dimensions from " << first << " on for all of " << typeOf(values[1]) << ", but has "
                     << typeOf(values[0]);
      if (node.hasFailed())
        return std::nullopt;
      values[1] = node.unsqueeze(values[1], llvm::to_vector(llvm::seq<int64_t>(other, other + behind)));
    } else if (!node.flag("broadcast") && rank != other) {
      node.error() << "expects operands of equal sizes where broadcast isn't set, but has " << typeOf(values[0])
                   << " and " << typeOf(values[1]);
      return std::nullopt;
    }
  }
  return values;
}

/// The same with their common sizes.
std::optional<SmallVector<Value>> pairOf(Node &node) {
  auto values = placedPair(node);
  return values && node.broadcastAll(*values) ? values : std::nullopt;
}

template <typename Op> Results binaryNode(Node &node) {
  auto values = pairOf(node);
  return values ? Results(node.binary<Op>((*values)[0], (*values)[1])) : Results(failure());
}

template <typename Op> Results variadicNode(Node &node) {
  SmallVector<Value> values(node.all());
  if (!node.broadcastAll(values))
    return failure();
  Value result = values.front();
  for (Value value : ArrayRef(values).drop_front())
    result = node.binary<Op>(result, value);
  return result;
}

template <Predicate predicate> Results compareNode(Node &node) {
  auto values = pairOf(node);
  return values ? Results(node.compare(predicate, (*values)[0], (*values)[1])) : Results(failure());
}

Results mean(Node &node) {
  Results sum = variadicNode<AddOp>(node);
  return sum.isFailure ? sum : Results(node.binary<DivOp>(sum.values[0], double(node.size())));
}

/// The result has the type of the base, whatever the exponent has.
Results power(Node &node) {
  auto pair = placedPair(node);
  if (!pair)
    return failure();
  SmallVector<Value> values = *pair;
  Type base = elementOf(values[0]), exponent = elementOf(values[1]);
  if (isa<FloatType>(base) || !isa<FloatType>(exponent)) {
    values[1] = node.cast(values[1], base);
  } else {
    Type wide = node.builder.getF64Type();
    values = {node.cast(values[0], wide), node.cast(values[1], wide)};
  }
  if (!node.broadcastAll(values))
    return failure();
  return node.cast(node.binary<PowOp>(values[0], values[1]), base);
}

/// The sign follows the divisor, or with `fmod` the dividend.
Results modulo(Node &node) { return node.flag("fmod") ? binaryNode<RemOp>(node) : binaryNode<ModOp>(node); }

Results bitShift(Node &node) {
  StringRef direction = node.string("direction", "");
  if (direction != "LEFT" && direction != "RIGHT")
    return node.error() << "expects direction LEFT or RIGHT, but has '" << direction << "'";
  return direction == "LEFT" ? binaryNode<ShlOp>(node) : binaryNode<ShrOp>(node);
}

Results where(Node &node) {
  SmallVector<Value> values(node.all());
  if (!node.broadcastAll(values))
    return failure();
  return node.select(values[0], values[1], values[2]);
}

/// The operand; types of 8 bits as f32, which holds their infinities and NaN.
Value withSpecials(Node &node) {
  bool isNarrow = elementOf(node[0]).getIntOrFloatBitWidth() < 16;
  return isNarrow ? node.cast(node[0], node.builder.getF32Type()) : node[0];
}

Results isInfinite(Node &node) {
  Value x = withSpecials(node);
  double infinity = std::numeric_limits<double>::infinity();
  bool positive = node.flag("detect_positive", true), negative = node.flag("detect_negative", true);
  if (positive && negative)
    return node.compare(Predicate::eq, node.unary<AbsOp>(x), infinity);
  if (positive || negative)
    return node.compare(Predicate::eq, x, positive ? infinity : -infinity);
  return node.broadcast(node.boolean(false), {}, node.sizesOf(x));
}

Results isNan(Node &node) {
  Value x = withSpecials(node);
  return IsNanOp::create(node.builder, node.loc, typeOf(x).clone(node.builder.getI1Type()), x).getResult();
}

/// Bounds are attributes before version 11.
Results clipAttributes(Node &node) {
  Value x = node[0];
  if (node.hasAttribute("min"))
    x = node.binary<MaxOp>(x, node.number("min", 0));
  if (node.hasAttribute("max"))
    x = node.binary<MinOp>(x, node.number("max", 0));
  return x;
}

Results clip(Node &node) {
  Value x = node[0];
  for (size_t i : {1, 2}) {
    if (!node.has(i))
      continue;
    if (elementOf(node[i]) != elementOf(x))
      return node.error() << "expects a scalar of type " << elementOf(x) << " as bound, but has " << typeOf(node[i]);
    Value bound = node.single(node[i], "a scalar as bound");
    if (!bound)
      return failure();
    x = i == 1 ? node.binary<MaxOp>(x, bound) : node.binary<MinOp>(x, bound);
  }
  return x;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Results relu(Node &node) { return node.binary<MaxOp>(node[0], 0.0); }

Value whereNegative(Node &node, Value x, Value negative) {
  return node.select(node.compare(Predicate::lt, x, 0.0), negative, x);
}

Value leakyReluOf(Node &node, Value x, double alpha) { return whereNegative(node, x, node.binary<MulOp>(x, alpha)); }

Results leakyRelu(Node &node) { return leakyReluOf(node, node[0], node.number("alpha", 0.01)); }

Value thresholdedReluOf(Node &node, Value x, double alpha) {
  return node.select(node.compare(Predicate::gt, x, alpha), x, node.splat(0, x));
}

Results thresholdedRelu(Node &node) { return thresholdedReluOf(node, node[0], node.number("alpha", 1)); }

/// Before version 7 a vector of slopes is one per channel.
Results prelu(Node &node) {
  Value x = node[0], slope = node[1];
  if (node.version() < 7 && rankOf(slope) == 1 && rankOf(x) > 1 && !isSingle(slope))
    slope = node.along(slope, 1, x);
  return whereNegative(node, x, node.binary<MulOp>(x, node.broadcastTo(slope, node.sizesOf(x))));
}

Value eluOf(Node &node, Value x, double alpha) {
  return whereNegative(node, x, node.binary<MulOp>(node.unary<Expm1Op>(x), alpha));
}

Results elu(Node &node) { return eluOf(node, node[0], node.number("alpha", 1)); }

constexpr double seluAlpha = 1.67326319217681884765625, seluGamma = 1.05070102214813232421875;

Results selu(Node &node) {
  bool isFirst = node.version() < 6;
  Value bent = eluOf(node, node[0], node.number("alpha", isFirst ? 1.6732 : seluAlpha));
  return node.binary<MulOp>(bent, node.number("gamma", isFirst ? 1.0507 : seluGamma));
}

/// max(0, x) + min(0, alpha * (e^(x / alpha) - 1))
Results celu(Node &node) {
  Value x = node[0];
  double alpha = node.number("alpha", 1);
  Value bent = node.binary<MulOp>(node.unary<Expm1Op>(node.binary<DivOp>(x, alpha)), alpha);
  return node.binary<AddOp>(node.binary<MaxOp>(x, 0.0), node.binary<MinOp>(bent, 0.0));
}

Value hardSigmoidOf(Node &node, Value x, double alpha, double beta) {
  return node.clamp(node.binary<AddOp>(node.binary<MulOp>(x, alpha), beta), 0, 1);
}

Results hardSigmoid(Node &node) {
  return hardSigmoidOf(node, node[0], node.number("alpha", 0.2f), node.number("beta", 0.5));
}

Results hardSwish(Node &node) { return node.binary<MulOp>(node[0], hardSigmoidOf(node, node[0], 1.0 / 6, 0.5)); }

/// ln(e^x + 1), so that a large x doesn't overflow: max(x, 0) + ln(1 + e^-|x|).
Value softplusOf(Node &node, Value x) {
  Value small = node.unary<ExpOp>(node.unary<NegOp>(node.unary<AbsOp>(x)));
  return node.binary<AddOp>(node.binary<MaxOp>(x, 0.0), node.unary<Log1pOp>(small));
}

Results softplus(Node &node) { return softplusOf(node, node[0]); }

Results mish(Node &node) { return node.binary<MulOp>(node[0], node.unary<TanhOp>(softplusOf(node, node[0]))); }

Value softsignOf(Node &node, Value x) { return node.binary<DivOp>(x, node.binary<AddOp>(node.unary<AbsOp>(x), 1.0)); }

Results softsign(Node &node) { return softsignOf(node, node[0]); }

Results swish(Node &node) {
  double alpha = node.number("alpha", 1);
  Value inner = alpha == 1 ? node[0] : node.binary<MulOp>(node[0], alpha);
  return node.binary<MulOp>(node[0], node.unary<SigmoidOp>(inner));
}

Results swiGlu(Node &node) {
  SmallVector<Value> values(node.all());
  if (!node.broadcastAll(values))
    return failure();
  double alpha = node.number("alpha", 1);
  Value inner = alpha == 1 ? values[0] : node.binary<MulOp>(values[0], alpha);
  return node.binary<MulOp>(node.binary<MulOp>(values[0], node.unary<SigmoidOp>(inner)), values[1]);
}

Results shrink(Node &node) {
  Value x = node[0];
  double bias = node.number("bias", 0), lambda = node.number("lambd", 0.5);
  // Integers are compared with fractions and moved by them, and then cut off.
  Type element = elementOf(x);
  if (!isa<FloatType>(element))
    x = node.cast(x, node.builder.getF64Type());
  Value middle = node.select(node.compare(Predicate::gt, x, lambda), node.binary<SubOp>(x, bias), node.splat(0, x));
  return node.cast(node.select(node.compare(Predicate::lt, x, -lambda), node.binary<AddOp>(x, bias), middle), element);
}

Results gelu(Node &node) {
  StringRef approximate = node.string("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return node.error() << "expects approximate none or tanh, but has '" << approximate << "'";
  return GeluOp::create(node.builder, node.loc, node[0].getType(), node[0], approximate == "tanh").getResult();
}

/// An operator of ONNX before version 1.2 that recurrent ones name as an activation.
Results formerActivation(Node &node) {
  return Activation{node.name().lower(), node.number("alpha", 1), node.number("beta", 1)}.apply(node, node[0]);
}

/// One scale, and a bias per channel.
Results imageScaler(Node &node) {
  Value y = node.binary<MulOp>(node[0], node.number("scale", 1));
  auto bias = node.numbers("bias");
  if (!bias)
    return node.hasFailed() ? Results(failure()) : Results(y);
  if (rankOf(y) < 2)
    return node.error() << "expects images, but has " << typeOf(y);
  return node.binary<AddOp>(y, node.along(node.numbersConstant(*bias, elementOf(y)), 1, y));
}
} // namespace

Value Activation::apply(Node &node, Value x) const {
  double a = alpha.value_or(1);
  if (name == "sigmoid")
    return node.unary<SigmoidOp>(x);
  if (name == "tanh")
    return node.unary<TanhOp>(x);
  if (name == "relu")
    return node.binary<MaxOp>(x, 0.0);
  if (name == "leakyrelu")
    return leakyReluOf(node, x, alpha.value_or(0.01));
  if (name == "thresholdedrelu")
    return thresholdedReluOf(node, x, a);
  if (name == "clip")
    return node.clamp(x, alpha.value_or(-std::numeric_limits<float>::max()),
                      beta.value_or(std::numeric_limits<float>::max()));
  if (name == "hardsigmoid")
    return hardSigmoidOf(node, x, alpha.value_or(0.2), beta.value_or(0.5));
  if (name == "affine")
    return node.binary<AddOp>(node.binary<MulOp>(x, a), beta.value_or(0));
  if (name == "scaledtanh")
    return node.binary<MulOp>(node.unary<TanhOp>(node.binary<MulOp>(x, beta.value_or(1))), a);
  if (name == "parametricsoftplus")
    return node.binary<MulOp>(softplusOf(node, node.binary<MulOp>(x, beta.value_or(1))), a);
  if (name == "softplus")
    return softplusOf(node, x);
  if (name == "softsign")
    return softsignOf(node, x);
  if (name == "elu")
    return eluOf(node, x, a);
  if (name == "selu")
    return node.binary<MulOp>(eluOf(node, x, alpha.value_or(seluAlpha)), gamma.value_or(seluGamma));
  if (name == "gelu")
    return GeluOp::create(node.builder, node.loc, x.getType(), x, /*tanh=*/false);
  if (name == "silu" || name == "swish")
    return node.binary<MulOp>(x, node.unary<SigmoidOp>(x));
  node.unsupported() << "activation '" << name << "'";
  return x;
}

void onnx::addElementwiseConverters(ConverterTable &table) {
  auto unary = [&](StringRef name, int64_t since, Results (*convert)(Node &)) {
    table.add(name, since, 1, 1, convert).keepsSizes = true;
  };
  auto binary = [&](StringRef name, int64_t since, Results (*convert)(Node &)) {
    table.add(name, since, 2, 2, convert);
  };
  unary("Abs", 1, unaryNode<AbsOp>);
  unary("Acos", 7, unaryNode<AcosOp>);
  unary("Acosh", 9, unaryNode<AcoshOp>);
  unary("Asin", 7, unaryNode<AsinOp>);
  unary("Asinh", 9, unaryNode<AsinhOp>);
  unary("Atan", 7, unaryNode<AtanOp>);
  unary("Atanh", 9, unaryNode<AtanhOp>);
  unary("BitwiseNot", 18, unaryNode<NotOp>);
  unary("Ceil", 1, unaryNode<CeilOp>);
  unary("Cos", 7, unaryNode<CosOp>);
  unary("Cosh", 9, unaryNode<CoshOp>);
  unary("Erf", 9, unaryNode<ErfOp>);
  unary("Exp", 1, unaryNode<ExpOp>);
  unary("Floor", 1, unaryNode<FloorOp>);
  unary("Log", 1, unaryNode<LogOp>);
  unary("Neg", 1, unaryNode<NegOp>);
  unary("Not", 1, unaryNode<NotOp>);
  unary("Reciprocal", 1, unaryNode<ReciprocalOp>);
  unary("Round", 11, unaryNode<RoundOp>);
  unary("Sigmoid", 1, unaryNode<SigmoidOp>);
  unary("Sign", 9, unaryNode<SignOp>);
  unary("Sin", 7, unaryNode<SinOp>);
  unary("Sinh", 9, unaryNode<SinhOp>);
  unary("Sqrt", 1, unaryNode<SqrtOp>);
  unary("Tan", 7, unaryNode<TanOp>);
  unary("Tanh", 1, unaryNode<TanhOp>);
  unary("IsInf", 10, isInfinite);
  unary("IsNaN", 9, isNan);
  binary("Add", 1, binaryNode<AddOp>);
  binary("And", 1, binaryNode<AndOp>);
  binary("BitwiseAnd", 18, binaryNode<AndOp>);
  binary("BitwiseOr", 18, binaryNode<OrOp>);
  binary("BitwiseXor", 18, binaryNode<XorOp>);
  binary("BitShift", 11, bitShift);
  binary("Div", 1, binaryNode<DivOp>);
  table.add("Equal", 1, 2, 2, compareNode<Predicate::eq>, Accepts::tensors);
  binary("Greater", 1, compareNode<Predicate::gt>);
  binary("GreaterOrEqual", 12, compareNode<Predicate::ge>);
  binary("Less", 1, compareNode<Predicate::lt>);
  binary("LessOrEqual", 12, compareNode<Predicate::le>);
  binary("Mod", 10, modulo);
  binary("Mul", 1, binaryNode<MulOp>);
  binary("Or", 1, binaryNode<OrOp>);
  binary("Pow", 1, power);
  binary("Sub", 1, binaryNode<SubOp>);
  binary("Xor", 1, binaryNode<XorOp>);
  table.add("Max", 1, 1, variadic, variadicNode<MaxOp>);
  table.add("Min", 1, 1, variadic, variadicNode<MinOp>);
  table.add("Sum", 1, 1, variadic, variadicNode<AddOp>);
  table.add("Mean", 1, 1, variadic, mean);
  table.add("Where", 9, 3, 3, where, Accepts::tensors);
  table.add("Clip", 1, 1, 1, clipAttributes);
  table.add("Clip", 11, 1, 3, clip);
  unary("Relu", 1, relu);
  unary("LeakyRelu", 1, leakyRelu);
  unary("ThresholdedRelu", 10, thresholdedRelu);
  binary("PRelu", 1, prelu);
  unary("Elu", 1, elu);
  unary("Selu", 1, selu);
  unary("Celu", 12, celu);
  unary("HardSigmoid", 1, hardSigmoid);
  unary("HardSwish", 14, hardSwish);
  unary("Softplus", 1, softplus);
  unary("Softsign", 1, softsign);
  unary("Mish", 18, mish);
  unary("Swish", 24, swish);
  binary("SwiGLU", 28, swiGlu);
  unary("Shrink", 9, shrink);
  unary("Gelu", 20, gelu);
  for (StringRef name : {"Affine", "ParametricSoftplus", "ScaledTanh"})
    unary(name, 1, formerActivation);
  unary("ImageScaler", 1, imageScaler);
}
