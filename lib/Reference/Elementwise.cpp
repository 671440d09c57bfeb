//===- Elementwise.cpp - Elementwise ops of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"

using namespace mlir;
using namespace tenon::reference;

// Elements are loaded a chunk at a time into the compute type, so that the loops below are few and vectorise.
static constexpr int64_t chunk = 512;

//===----------------------------------------------------------------------===//
// Formulas
//===----------------------------------------------------------------------===//

namespace {
// What a formula is defined on.
enum class On { Any, Float, Integer };

#define TENON_UNARY(NAME, ON, EXPRESSION)                                                                              \
  struct NAME {                                                                                                        \
    static constexpr On on = On::ON;                                                                                   \
    template <typename C> static C apply(C x) { return EXPRESSION; }                                                   \
  };
#define TENON_BINARY(NAME, ON, EXPRESSION)                                                                             \
  struct NAME {                                                                                                        \
    static constexpr On on = On::ON;                                                                                   \
    template <typename C> static C apply(C x, C y, [[maybe_unused]] unsigned bits) { return EXPRESSION; }              \
  };

// Integers wrap: computed without a sign.
template <typename C> using Wrapping = std::conditional_t<std::is_floating_point_v<C>, C, uint64_t>;

template <typename C> C absolute(C x) {
  if constexpr (std::is_floating_point_v<C>)
    return std::fabs(x);
  return x < C(0) ? C(-Wrapping<C>(x)) : x;
}
template <typename C> C signOf(C x) {
  if (x != x)
    return x;
  return x > C(0) ? C(1) : x < C(0) ? C(-1) : C(0);
}
template <typename C> C quotient(C x, C y) {
  if constexpr (std::is_floating_point_v<C>)
    return x / y;
  else if (y == 0)
    return 0;
  else if (std::is_signed_v<C> && y == C(-1))
    return C(-uint64_t(x));
  else
    return x / y;
}
template <typename C> C remainderOf(C x, C y) {
  if constexpr (std::is_floating_point_v<C>)
    return std::fmod(x, y);
  else
    return y == 0 || (std::is_signed_v<C> && y == C(-1)) ? C(0) : C(x % y);
}
template <typename C> C modulus(C x, C y) {
  C rest = remainderOf(x, y);
  if constexpr (std::is_floating_point_v<C>) {
    if (rest == 0)
      return std::copysign(rest, y);
    return (rest < 0) != (y < 0) ? rest + y : rest;
  } else {
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
  }
}
template <typename C> C power(C x, C y) {
  if constexpr (std::is_floating_point_v<C>) {
    return std::pow(x, y);
  } else {
    if (y < C(0)) // 1 / x^|y|, truncated; by zero gives zero
      return x == C(1) ? C(1) : x == C(-1) ? (uint64_t(y) % 2 ? C(-1) : C(1)) : C(0);
    uint64_t result = 1, base = uint64_t(x);
    for (uint64_t exponent = uint64_t(y); exponent; exponent >>= 1, base *= base)
      if (exponent & 1)
        result *= base;
    return C(result);
  }
}
template <typename C> C shiftRight(C x, C y, unsigned bits) {
  if (uint64_t(y) >= bits)
    return x < C(0) ? C(-1) : C(0);
  return x >> y;
}

TENON_UNARY(Neg, Any, C(-Wrapping<C>(x)))
TENON_UNARY(Abs, Any, absolute(x))
TENON_UNARY(Sign, Any, signOf(x))
TENON_UNARY(Not, Integer, ~x)
TENON_UNARY(Exp, Float, std::exp(x))
TENON_UNARY(Expm1, Float, std::expm1(x))
TENON_UNARY(Log, Float, std::log(x))
TENON_UNARY(Log1p, Float, std::log1p(x))
TENON_UNARY(Sqrt, Float, std::sqrt(x))
TENON_UNARY(Rsqrt, Float, 1 / std::sqrt(x))
TENON_UNARY(Reciprocal, Float, 1 / x)
TENON_UNARY(Sin, Float, std::sin(x))
TENON_UNARY(Cos, Float, std::cos(x))
TENON_UNARY(Tan, Float, std::tan(x))
TENON_UNARY(Asin, Float, std::asin(x))
TENON_UNARY(Acos, Float, std::acos(x))
TENON_UNARY(Atan, Float, std::atan(x))
TENON_UNARY(Sinh, Float, std::sinh(x))
TENON_UNARY(Cosh, Float, std::cosh(x))
TENON_UNARY(Asinh, Float, std::asinh(x))
TENON_UNARY(Acosh, Float, std::acosh(x))
TENON_UNARY(Atanh, Float, std::atanh(x))
TENON_UNARY(Tanh, Float, std::tanh(x))
TENON_UNARY(Erf, Float, std::erf(x))
TENON_UNARY(Sigmoid, Float, 1 / (1 + std::exp(-x)))
TENON_UNARY(Floor, Float, std::floor(x))
TENON_UNARY(Ceil, Float, std::ceil(x))
TENON_UNARY(Round, Float, std::nearbyint(x))
TENON_BINARY(Add, Any, C(Wrapping<C>(x) + Wrapping<C>(y)))
TENON_BINARY(Sub, Any, C(Wrapping<C>(x) - Wrapping<C>(y)))
TENON_BINARY(Mul, Any, C(Wrapping<C>(x) * Wrapping<C>(y)))
TENON_BINARY(Div, Any, quotient(x, y))
TENON_BINARY(Rem, Any, remainderOf(x, y))
TENON_BINARY(Mod, Any, modulus(x, y))
TENON_BINARY(Pow, Any, power(x, y))
TENON_BINARY(Min, Any, smaller(x, y))
TENON_BINARY(Max, Any, larger(x, y))
TENON_BINARY(Atan2, Float, std::atan2(x, y))
TENON_BINARY(And, Integer, x &y)
TENON_BINARY(Or, Integer, x | y)
TENON_BINARY(Xor, Integer, x ^ y)
TENON_BINARY(Shl, Integer, uint64_t(y) >= bits ? C(0) : C(uint64_t(x) << y))
TENON_BINARY(Shr, Integer, shiftRight(x, y, bits))
} // namespace

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

static llvm::Error checkShapes(Call &call) {
  for (auto [i, operand] : llvm::enumerate(call.operands))
    if (call.tensor(i).getShape() != call.tensor(0).getShape())
      return call.fail("expects operands of one shape, but has " + describeShape(call.tensor(0).getShape()) + " and " +
                       describeShape(call.tensor(i).getShape()));
  return llvm::Error::success();
}

static std::string typeName(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return text;
}

/// Runs `f` on the format's compute type if the formula is defined on it.
template <typename Formula, typename F> static llvm::Error onCompute(Call &call, const Format &format, F f) {
  bool defined = Formula::on == On::Any || (Formula::on == On::Float) == format.isFloat();
  if (!defined || !format.valid)
    return call.fail("is not defined on elements of type " + typeName(format.type));
  if constexpr (Formula::on == On::Float) {
    f(double());
  } else if constexpr (Formula::on == On::Integer) {
    if (format.kind == Kind::Signed)
      f(int64_t());
    else
      f(uint64_t());
  } else {
    withCompute(format, f);
  }
  return llvm::Error::success();
}

/// Prepares the result tensor of an elementwise op.
static llvm::Expected<Tensor> prepare(Call &call) {
  if (llvm::Error error = checkShapes(call))
    return error;
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), call.tensor(0).getShape());
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  return result;
}

template <typename Formula> static llvm::Error evaluateUnary(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  Format format(result->getElementType());
  const Tensor &x = call.tensor(0);
  if (llvm::Error error = onCompute<Formula>(call, format, [&](auto zero) {
        using C = decltype(zero);
        C a[chunk];
        for (int64_t i = 0, e = x.getNumElements(); i < e; i += chunk) {
          int64_t count = std::min(chunk, e - i);
          format.load(x.getData(), i, count, a);
          for (int64_t j = 0; j < count; ++j)
            a[j] = Formula::apply(a[j]);
          format.store(result->getData(), i, count, a);
        }
      }))
    return error;
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

template <typename Formula> static llvm::Error evaluateBinary(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  Format format(result->getElementType());
  const Tensor &x = call.tensor(0), &y = call.tensor(1);
  if (llvm::Error error = onCompute<Formula>(call, format, [&](auto zero) {
        using C = decltype(zero);
        C a[chunk], b[chunk];
        for (int64_t i = 0, e = x.getNumElements(); i < e; i += chunk) {
          int64_t count = std::min(chunk, e - i);
          format.load(x.getData(), i, count, a);
          format.load(y.getData(), i, count, b);
          for (int64_t j = 0; j < count; ++j)
            a[j] = Formula::apply(a[j], b[j], format.bits);
          format.store(result->getData(), i, count, a);
        }
      }))
    return error;
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

template <typename C> static bool compareBy(tenon::Predicate predicate, const C &x, const C &y) {
  switch (predicate) {
  case tenon::Predicate::eq:
    return x == y;
  case tenon::Predicate::ne:
    return x != y;
  case tenon::Predicate::lt:
    return x < y;
  case tenon::Predicate::le:
    return x <= y;
  case tenon::Predicate::gt:
    return x > y;
  case tenon::Predicate::ge:
    break;
  }
  return x >= y;
}

static llvm::Error evaluateCompare(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  tenon::Predicate predicate = cast<tenon::CompareOp>(call.op).getPredicate();
  const Tensor &x = call.tensor(0), &y = call.tensor(1);
  if (x.holdsStrings()) {
    for (int64_t i = 0, e = x.getNumElements(); i < e; ++i)
      result->getData()[i] = compareBy(predicate, x.getStrings()[i], y.getStrings()[i]);
  } else {
    Format format(x.getElementType());
    withCompute(format, [&](auto zero) {
      using C = decltype(zero);
      C a[chunk], b[chunk];
      for (int64_t i = 0, e = x.getNumElements(); i < e; i += chunk) {
        int64_t count = std::min(chunk, e - i);
        format.load(x.getData(), i, count, a);
        format.load(y.getData(), i, count, b);
        for (int64_t j = 0; j < count; ++j)
          result->getData()[i + j] = compareBy(predicate, a[j], b[j]);
      }
    });
  }
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

static llvm::Error evaluateIsNan(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  const Tensor &x = call.tensor(0);
  Format format(x.getElementType());
  for (int64_t i = 0, e = x.getNumElements(); i < e; ++i) {
    double value = 0;
    if (format.isFloat())
      format.load(x.getData(), i, 1, &value);
    result->getData()[i] = value != value;
  }
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

static llvm::Error evaluateSelect(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  const Tensor &condition = call.tensor(0), &x = call.tensor(1), &y = call.tensor(2);
  int64_t elements = condition.getNumElements();
  if (x.holdsStrings()) {
    for (int64_t i = 0; i < elements; ++i)
      result->getStrings()[i] = condition.getData()[i] ? x.getStrings()[i] : y.getStrings()[i];
  } else if (Format format(x.getElementType()); !format.isPacked()) {
    // Bits are kept, those of NaN too.
    int64_t size = format.bytesFor(1);
    for (int64_t i = 0; i < elements; ++i)
      std::memcpy(result->getData() + i * size, (condition.getData()[i] ? x : y).getData() + i * size, size);
  } else {
    Format raw(IntegerType::get(call.op->getContext(), format.bits, IntegerType::Unsigned));
    for (int64_t i = 0; i < elements; ++i) {
      uint64_t value;
      raw.load((condition.getData()[i] ? x : y).getData(), i, 1, &value);
      raw.store(result->getData(), i, 1, &value);
    }
  }
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

static llvm::Error evaluateBitcast(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  const Tensor &x = call.tensor(0);
  std::memcpy(result->getData(), x.getData(), Format(x.getElementType()).bytesFor(x.getNumElements()));
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

static llvm::Error evaluateCast(Call &call) {
  llvm::Expected<Tensor> result = prepare(call);
  if (!result)
    return result.takeError();
  const Tensor &x = call.tensor(0);
  if (x.holdsStrings() || result->holdsStrings())
    return call.fail("is not defined on strings");
  Format from(x.getElementType()), to(result->getElementType());
  bool saturate = cast<tenon::CastOp>(call.op).getSaturate();
  withCompute(from, [&](auto zero) {
    using C = decltype(zero);
    C a[chunk];
    for (int64_t i = 0, e = x.getNumElements(); i < e; i += chunk) {
      int64_t count = std::min(chunk, e - i);
      from.load(x.getData(), i, count, a);
      if (to.isBool())
        for (int64_t j = 0; j < count; ++j)
          a[j] = a[j] != 0;
      if constexpr (std::is_floating_point_v<C>) {
        to.store(result->getData(), i, count, a, saturate);
      } else if (saturate && to.isFloat()) {
        double wide[chunk];
        from.load(x.getData(), i, count, wide);
        to.store(result->getData(), i, count, wide, saturate);
      } else {
        to.store(result->getData(), i, count, a);
      }
    }
  });
  call.results.push_back(std::move(*result));
  return llvm::Error::success();
}

void tenon::reference::registerElementwise(Interpreter &interpreter) {
#define UNARY(OP) interpreter.registerOp(tenon::OP##Op::getOperationName(), evaluateUnary<OP>)
#define BINARY(OP) interpreter.registerOp(tenon::OP##Op::getOperationName(), evaluateBinary<OP>)
  UNARY(Neg), UNARY(Abs), UNARY(Sign), UNARY(Not), UNARY(Exp), UNARY(Expm1), UNARY(Log), UNARY(Log1p);
  UNARY(Sqrt), UNARY(Rsqrt), UNARY(Reciprocal), UNARY(Sin), UNARY(Cos), UNARY(Tan), UNARY(Asin), UNARY(Acos);
  UNARY(Atan), UNARY(Sinh), UNARY(Cosh), UNARY(Asinh), UNARY(Acosh), UNARY(Atanh), UNARY(Tanh), UNARY(Erf);
  UNARY(Sigmoid), UNARY(Floor), UNARY(Ceil), UNARY(Round);
  BINARY(Add), BINARY(Sub), BINARY(Mul), BINARY(Div), BINARY(Rem), BINARY(Mod), BINARY(Pow), BINARY(Min);
  BINARY(Max), BINARY(Atan2), BINARY(And), BINARY(Or), BINARY(Xor), BINARY(Shl), BINARY(Shr);
#undef UNARY
#undef BINARY
  interpreter.registerOp(tenon::CompareOp::getOperationName(), evaluateCompare);
  interpreter.registerOp(tenon::IsNanOp::getOperationName(), evaluateIsNan);
  interpreter.registerOp(tenon::SelectOp::getOperationName(), evaluateSelect);
  interpreter.registerOp(tenon::BitcastOp::getOperationName(), evaluateBitcast);
  interpreter.registerOp(tenon::CastOp::getOperationName(), evaluateCast);
}
