//===- NarrowFloats.cpp - Floating-point types of 8 bits ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NarrowFloats.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
/// The bits of a type, as "FP8 Formats for Deep Learning" (Micikevicius et al., 2022) defines them; the variants
/// without infinity and negative zero (FNUZ) have NaN in the place of the latter and a bias that is larger by one.
struct Format {
  int64_t mantissa, bias, sign = 0x80;
  bool hasInfinity, isUnsignedZero, hasNaN = true;

  explicit Format(Type type)
      : mantissa(isa<Float8E5M2Type, Float8E5M2FNUZType>(type) ? 2 : 3), hasInfinity(isa<Float8E5M2Type>(type)),
        isUnsignedZero(isa<Float8E4M3FNUZType, Float8E5M2FNUZType>(type)) {
    bias = (mantissa == 2 ? 15 : 7) + isUnsignedZero;
    // "OCP Microscaling Formats (MX) Specification", version 1.0, 5.3.3: all of its patterns are numbers. NaN
    // becomes negative zero, as the standard has it.
    if (isa<Float4E2M1FNType>(type)) {
      mantissa = bias = 1;
      sign = 0x8;
      hasNaN = false;
    }
  }
  int64_t nan() const { return isUnsignedZero ? 0x80 : hasNaN ? 0x7F : sign; }
  int64_t infinity() const { return 0x7C; }
  int64_t largest() const { return !hasNaN ? 0x7 : isUnsignedZero ? 0x7F : hasInfinity ? 0x7B : 0x7E; }
};

/// Arithmetic on scalars and vectors alike.
class Bits {
public:
  Bits(ElementEmitter &e, Value pattern) : e(e), pattern(pattern) {}

  Value number(int64_t value) { return like(e.integer(i32(), value)); }
  Value real(double value) { return like(e.number(f32(), value)); }
  Type i32() { return e.builder.getI32Type(); }
  Type f32() { return e.builder.getF32Type(); }
  Value shl(Value a, int64_t n) { return arith::ShLIOp::create(e.builder, e.loc, a, number(n)); }
  Value shr(Value a, int64_t n) { return arith::ShRUIOp::create(e.builder, e.loc, a, number(n)); }
  Value andI(Value a, int64_t mask) { return arith::AndIOp::create(e.builder, e.loc, a, number(mask)); }
  Value orI(Value a, Value b) { return arith::OrIOp::create(e.builder, e.loc, a, b); }
  Value addI(Value a, Value b) { return arith::AddIOp::create(e.builder, e.loc, a, b); }
  Value is(arith::CmpIPredicate predicate, Value a, int64_t b) {
    return arith::CmpIOp::create(e.builder, e.loc, predicate, a, number(b));
  }
  Value select(Value c, Value a, Value b) { return arith::SelectOp::create(e.builder, e.loc, c, a, b); }
  Value asReal(Value bits) { return arith::BitcastOp::create(e.builder, e.loc, e.typeLike(pattern, f32()), bits); }
  Value asBits(Value real) { return arith::BitcastOp::create(e.builder, e.loc, e.typeLike(pattern, i32()), real); }

  ElementEmitter &e;
  Value pattern;

private:
  Value like(Value scalar) { return isa<VectorType>(pattern.getType()) ? e.asVector(scalar) : scalar; }
};
} // namespace

bool codegen::isStorageFloat(Type element) {
  return isa<Float4E2M1FNType, Float8E4M3FNType, Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType,
             Float8E8M0FNUType>(element);
}

Value codegen::widen(ElementEmitter &e, Value value, Type element) {
  return arith::ExtFOp::create(e.builder, e.loc, e.typeLike(value, element), value, e.contraction());
}

Value codegen::narrow(ElementEmitter &e, Value value, Type element) {
  return arith::TruncFOp::create(e.builder, e.loc, e.typeLike(value, element), value, /*roundingmode=*/nullptr,
                                 e.contraction());
}

// "OCP Microscaling Formats (MX) Specification", version 1.0, 5.4.1: a byte is an exponent as that of f32, but for the
// least, which is no denormal, and the largest, which is NaN.
static constexpr int64_t largestExponent = 254, noExponent = 255, leastPower = 0x400000;

static Value decodeExponent(ElementEmitter &e, Value bits) {
  using P = arith::CmpIPredicate;
  Bits b(e, bits);
  Value word = arith::ExtUIOp::create(e.builder, e.loc, e.typeLike(bits, b.i32()), bits);
  Value result = b.select(b.is(P::eq, word, 0), b.number(leastPower), b.shl(word, 23));
  return b.asReal(b.select(b.is(P::eq, word, noExponent), b.number(0x7FC00000), result));
}

/// The exponent of the nearest power of two, of two the larger. Below the normal numbers powers are further apart.
static Value encodeExponent(ElementEmitter &e, Value value, bool saturate) {
  using P = arith::CmpIPredicate;
  Bits b(e, value);
  Value magnitude = b.andI(b.asBits(value), 0x7FFFFFFF);
  Value half = b.select(b.is(P::ult, magnitude, 0x800000), b.number(0x200000), b.number(0x400000));
  Value exponent = b.shr(b.addI(magnitude, half), 23);
  Value isBeyond = b.is(P::ugt, exponent, largestExponent), isNan = b.is(P::ugt, magnitude, 0x7F800000);
  Value result = b.select(isBeyond, b.number(saturate ? largestExponent : noExponent), exponent);
  result = b.select(isNan, b.number(noExponent), result);
  return arith::TruncIOp::create(e.builder, e.loc, e.typeLike(value, e.builder.getI8Type()), result);
}

Value codegen::decodeFloat(ElementEmitter &e, Value bits, FloatType type) {
  using P = arith::CmpIPredicate;
  if (isa<Float8E8M0FNUType>(type))
    return decodeExponent(e, bits);
  Format format(type);
  Bits b(e, bits);
  Value word = arith::ExtUIOp::create(e.builder, e.loc, e.typeLike(bits, b.i32()), bits);
  Value magnitude = b.andI(word, format.sign - 1);
  // A normal number needs its fields moved, one below that is a multiple of the least.
  Value normal = b.addI(b.shl(magnitude, 23 - format.mantissa), b.number((127 - format.bias) << 23));
  Value count = arith::UIToFPOp::create(e.builder, e.loc, e.typeLike(bits, b.f32()), magnitude);
  Value least = b.real(std::ldexp(1.0, 1 - format.bias - format.mantissa));
  Value small = b.asBits(arith::MulFOp::create(e.builder, e.loc, count, least));
  Value result = b.select(b.is(P::ult, magnitude, 1 << format.mantissa), small, normal);
  Value nan = b.number(0x7FC00000);
  if (format.hasInfinity) {
    result = b.select(b.is(P::ugt, magnitude, format.infinity()), nan, result);
    result = b.select(b.is(P::eq, magnitude, format.infinity()), b.number(0x7F800000), result);
  } else if (!format.isUnsignedZero && format.hasNaN) {
    result = b.select(b.is(P::eq, magnitude, format.nan()), nan, result);
  }
  result = b.orI(result, b.shl(b.andI(word, format.sign), 31 - llvm::Log2_64(format.sign)));
  if (format.isUnsignedZero)
    result = b.select(b.is(P::eq, word, format.nan()), nan, result);
  return b.asReal(result);
}

Value codegen::encodeFloat(ElementEmitter &e, Value value, FloatType type, bool saturate) {
  using P = arith::CmpIPredicate;
  if (isa<Float8E8M0FNUType>(type))
    return encodeExponent(e, value, saturate);
  Format format(type);
  Bits b(e, value);
  Value word = b.asBits(value), magnitude = b.andI(word, 0x7FFFFFFF);
  // Half a unit less one, and one more where the kept part is odd: ties go to even.
  int64_t dropped = 23 - format.mantissa;
  Value odd = b.andI(b.shr(magnitude, dropped), 1);
  Value rounded = b.addI(b.addI(magnitude, b.number((1 << (dropped - 1)) - 1)), odd);
  Value normal = b.addI(b.shr(rounded, dropped), b.number(-((127 - format.bias) << format.mantissa)));
  Value scaled = arith::MulFOp::create(e.builder, e.loc, b.asReal(magnitude),
                                       b.real(std::ldexp(1.0, format.bias - 1 + format.mantissa)));
  Value even = math::RoundEvenOp::create(e.builder, e.loc, scaled);
  // Only small values are taken from here: larger ones need not fit.
  Value fits = b.is(P::ult, magnitude, (128 - format.bias) << 23);
  Value small = arith::FPToSIOp::create(e.builder, e.loc, e.typeLike(value, b.i32()), b.select(fits, even, b.real(0)));
  Value result = b.select(fits, small, normal);
  int64_t beyond = saturate || !format.hasNaN ? format.largest()
                   : format.hasInfinity       ? format.infinity()
                                              : format.nan();
  Value isBeyond = arith::OrIOp::create(e.builder, e.loc, b.is(P::sgt, result, format.largest()),
                                        b.is(P::uge, magnitude, 0x7F800000));
  Value isNan = b.is(P::ugt, magnitude, 0x7F800000);
  Value sign = b.andI(b.shr(word, 31 - llvm::Log2_64(format.sign)), format.sign);
  result = b.select(isBeyond, b.number(beyond), result);
  result = b.orI(result, sign);
  if (format.isUnsignedZero) {
    // There is no negative zero, and NaN has no sign.
    result = b.select(b.is(P::eq, result, 0x80), b.number(0), result);
    if (!saturate)
      result = b.select(isBeyond, b.number(format.nan()), result);
  }
  result = b.select(isNan, b.number(format.nan()), result);
  return arith::TruncIOp::create(e.builder, e.loc, e.typeLike(value, e.builder.getI8Type()), result);
}
