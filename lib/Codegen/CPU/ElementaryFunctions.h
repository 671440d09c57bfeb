//===- ElementaryFunctions.h - Elementary functions as arithmetic ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Each function is written once for f32 and f64, on scalars and vectors alike; the rarer ones are computed in f64 for
// both. Polynomials are interpolations at Chebyshev nodes, computed with 60 digits; their errors are below a quarter
// ulp. Infinities, NaN, signed zeros and denormals are kept. The bounds in ulp are tested.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CPU_ELEMENTARYFUNCTIONS_H
#define TENON_LIB_CODEGEN_CPU_ELEMENTARYFUNCTIONS_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace tenon::cpu {

/// Arithmetic on values of one type: f32 or f64, or vectors of them.
class Reals {
public:
  Reals(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type type);

  /// A value with its arithmetic.
  struct Number {
    Reals *reals;
    mlir::Value value;
  };
  using Flag = mlir::Value; ///< i1, or a vector of it

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Type type, integerType;
  bool isDouble;
  int64_t mantissaBits, bias;

  Number number(mlir::Value value) { return {this, value}; }
  Number constant(double value);
  mlir::Value integer(int64_t value);
  /// Exact where `isDouble`, else the constant of the other precision.
  double pick(double forDouble, double forFloat) const { return isDouble ? forDouble : forFloat; }

  Number fma(Number a, Number b, Number c);
  Number abs(Number x);
  Number sqrt(Number x);
  Number trunc(Number x);
  Number withSign(Number magnitude, Number sign);
  Number select(Flag condition, Number yes, Number no);
  Flag less(Number a, Number b) { return compare(mlir::arith::CmpFPredicate::OLT, a, b); }
  Flag equal(Number a, Number b) { return compare(mlir::arith::CmpFPredicate::OEQ, a, b); }
  Flag isNaN(Number a) { return compare(mlir::arith::CmpFPredicate::UNO, a, a); }
  Flag both(Flag a, Flag b) { return mlir::arith::AndIOp::create(builder, loc, a, b); }
  Flag compare(mlir::arith::CmpFPredicate predicate, Number a, Number b);
  /// Whether it holds anywhere, as one i1.
  mlir::Value any(Flag flag);
  /// Horner's scheme, lowest coefficient first.
  Number polynomial(llvm::ArrayRef<double> coefficients, Number x);

  mlir::Value bits(Number x) { return mlir::arith::BitcastOp::create(builder, loc, integerType, x.value); }
  Number fromBits(mlir::Value bits) { return number(mlir::arith::BitcastOp::create(builder, loc, type, bits)); }
  /// x rounded to an integer of less than half the mantissa, as a number and as an integer.
  std::pair<Number, mlir::Value> roundToInteger(Number x);
  /// 2 to an integer in the range of normal exponents.
  Number powerOfTwo(mlir::Value exponent);
  /// x * 2^n for any n that exp needs, with one rounding at most.
  Number scale(Number x, mlir::Value n);

  Number exp(Number x);
  Number exp2(Number x);
  Number expm1(Number x);
  Number sigmoid(Number x);
  Number log(Number x);
  Number log2(Number x);
  Number log10(Number x);
  Number log1p(Number x);
  Number tanh(Number x);
  Number erf(Number x);
  // In f32 only, within 2^-12: of the result `exp`, of 1 the others. NaN is kept; results of `exp` are normal numbers.
  Number approximateExp(Number x);
  Number approximateTanh(Number x);
  Number approximateErf(Number x);
  // In f64 only. Finite arguments of the first two are below 2^(largestExponent + 1).
  Number sinOrCos(Number x, bool wantsCos, int64_t largestExponent);
  Number tan(Number x, int64_t largestExponent);
  Number sinh(Number x);
  Number cosh(Number x);
  Number asin(Number x);
  Number acos(Number x);
  Number atan(Number x);
  Number atan2(Number y, Number x);
  Number asinh(Number x);
  Number acosh(Number x);
  Number atanh(Number x);
  Number cbrt(Number x);
  Number pow(Number x, Number y);

private:
  /// e^(x + tail) for x within the range of `exp`.
  Number expWithTail(Number x, Number tail);
  Number clamp(Number x, double low, double high);
  /// e^r - 1 for |r| up to half of log 2.
  Number expm1Reduced(Number r);
  /// x = 2^exponent * (1 + fraction), 1 + fraction between sqrt(1/2) and sqrt(2), for positive normal and denormal x.
  struct Split {
    Number exponent, fraction;
  };
  Split split(Number x);
  /// log(1 + f) + tail + k * log(2).
  Number logOf(Number f, Number k, Number tail);
  Number logSpecial(Number x, Number result);
  /// The argument less a multiple of pi/2, in two parts, and that multiple.
  struct Angle {
    Number high, low;
    mlir::Value quadrant;
  };
  Angle reduceAngle(Number x, int64_t largestExponent);
  Angle reduceSmallAngle(Number x);
  Angle reduceLargeAngle(Number x, int64_t largestExponent);
  Number sinReduced(Angle angle);
  Number cosReduced(Angle angle);
};

inline Reals::Number operator+(Reals::Number a, Reals::Number b) {
  return a.reals->number(mlir::arith::AddFOp::create(a.reals->builder, a.reals->loc, a.value, b.value));
}
inline Reals::Number operator-(Reals::Number a, Reals::Number b) {
  return a.reals->number(mlir::arith::SubFOp::create(a.reals->builder, a.reals->loc, a.value, b.value));
}
inline Reals::Number operator*(Reals::Number a, Reals::Number b) {
  return a.reals->number(mlir::arith::MulFOp::create(a.reals->builder, a.reals->loc, a.value, b.value));
}
inline Reals::Number operator/(Reals::Number a, Reals::Number b) {
  return a.reals->number(mlir::arith::DivFOp::create(a.reals->builder, a.reals->loc, a.value, b.value));
}
inline Reals::Number operator-(Reals::Number a) {
  return a.reals->number(mlir::arith::NegFOp::create(a.reals->builder, a.reals->loc, a.value));
}
inline Reals::Number operator*(double a, Reals::Number b) { return b.reals->constant(a) * b; }
inline Reals::Number operator+(Reals::Number a, double b) { return a + a.reals->constant(b); }
inline Reals::Number operator-(Reals::Number a, double b) { return a - a.reals->constant(b); }
inline Reals::Number operator-(double a, Reals::Number b) { return b.reals->constant(a) - b; }
inline Reals::Number operator/(double a, Reals::Number b) { return b.reals->constant(a) / b; }

} // namespace tenon::cpu

#endif // TENON_LIB_CODEGEN_CPU_ELEMENTARYFUNCTIONS_H
