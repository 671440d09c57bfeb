//===- Trigonometry.cpp - Trigonometric functions and their inverses ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementaryFunctions.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include <cmath>

using namespace mlir;
using namespace tenon::cpu;
using Number = Reals::Number;

namespace {
// pi/2 in three parts, each rounded.
constexpr double halfPi[] = {1.5707963267948966, 6.123233995736766e-17, -1.4973849048591697773e-33};
// Below this the parts say which multiple of pi/2 is taken off, and what it leaves.
constexpr double reductionLimit = 0x1p45;
// The bits of 2/pi from the weight 2^31 down, as many as f64 needs.
constexpr uint32_t twoOverPi[] = {0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
                                  0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c,
                                  0xb129a73e, 0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4,
                                  0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf,
                                  0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea,
                                  0x6bfb5fb1, 0x1f8d5d08, 0x56033046};
// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4 in r^2, (atan(t) - t) / t^3 in t^2
constexpr double sinTerms[] = {-0.1666666666666666667,   0.008333333333333331492,  -0.0001984126984126506483,
                               2.755731921933907972e-6,  -2.505210623241742653e-8, 1.605853161420714925e-10,
                               -7.586696835994802558e-13};
constexpr double cosTerms[] = {0.04166666666666666667,   -0.001388888888888888787, 0.00002480158730158464637,
                               -2.755731922140277614e-7, 2.087675579106366066e-9,  -1.147046088495293422e-11,
                               4.745871745416475525e-14};
constexpr double atanTerms[] = {-0.3333333333333333318, 0.1999999999999902262,  -0.1428571428471303762,
                                0.1111111072619497855,  -0.0909083854821395551, 0.07685657417113710251,
                                -0.06354213401310338827};
// atan(i / 4) in two parts.
constexpr double atanQuarters[] = {0, 0.24497866312686414, 0.4636476090008061, 0.6435011087932844, 0.7853981633974483};
constexpr double atanRests[] = {0, 1.06987556187344515e-17, 2.26987774529616866e-17, 1.58347850514442857e-17,
                                3.06161699786838294e-17};
} // namespace

Reals::Angle Reals::reduceAngle(Number x, int64_t largestExponent) {
  Angle angle = reduceSmallAngle(x);
  Number magnitude = abs(x);
  Flag isLarge = both(less(magnitude, constant(INFINITY)),
                      compare(arith::CmpFPredicate::OGE, magnitude, constant(reductionLimit)));
  auto branch = scf::IfOp::create(
      builder, loc, any(isLarge),
      [&](OpBuilder &, Location) {
        Angle large = reduceLargeAngle(x, largestExponent);
        Value quadrant = arith::SelectOp::create(builder, loc, isLarge, large.quadrant, angle.quadrant);
        scf::YieldOp::create(
            builder, loc,
            {select(isLarge, large.high, angle.high).value, select(isLarge, large.low, angle.low).value, quadrant});
      },
      [&](OpBuilder &, Location) {
        scf::YieldOp::create(builder, loc, {angle.high.value, angle.low.value, angle.quadrant});
      });
  return {number(branch.getResult(0)), number(branch.getResult(1)), branch.getResult(2)};
}

Reals::Angle Reals::reduceSmallAngle(Number x) {
  auto [n, quadrant] = roundToInteger(x * constant(M_2_PI));
  // The first difference is exact: it is a multiple of the last bit of pi/2's first part.
  Number first = fma(n, constant(-halfPi[0]), x);
  Number high = fma(n, constant(-halfPi[1]), first);
  Number low = fma(n, constant(-halfPi[1]), first - high);
  low = fma(n, constant(-halfPi[2]), low);
  return {high, low, quadrant};
}

/// Payne and Hanek's reduction ("Radian reduction for trigonometric functions", 1983): x is an integer m times 2^e, and
/// of m * 2^e * 2/pi only what is left modulo 4 counts, so that only some of the bits of 2/pi are multiplied: 192 of
/// them, as no f64 is nearer to a multiple of pi/2 than 2^-62.
Reals::Angle Reals::reduceLargeAngle(Number x, int64_t largestExponent) {
  auto shiftLeft = [&](Value a, int64_t by) -> Value { return arith::ShLIOp::create(builder, loc, a, integer(by)); };
  auto shiftRight = [&](Value a, int64_t by) -> Value { return arith::ShRUIOp::create(builder, loc, a, integer(by)); };
  auto add = [&](Value a, Value b) -> Value { return arith::AddIOp::create(builder, loc, a, b); };
  auto times = [&](Value a, Value b) -> Value { return arith::MulIOp::create(builder, loc, a, b); };
  auto mask = [&](Value a, int64_t bits) -> Value { return arith::AndIOp::create(builder, loc, a, integer(bits)); };
  auto unite = [&](Value a, Value b) -> Value { return arith::OrIOp::create(builder, loc, a, b); };
  constexpr int64_t word = 0xffffffff;

  Value pattern = bits(x);
  Value exponent = mask(shiftRight(pattern, mantissaBits), 2 * bias + 1);
  int64_t hidden = int64_t(1) << mantissaBits;
  Value mantissa = unite(mask(pattern, hidden - 1), integer(hidden));
  // The first bit that counts has the weight 2 once it is multiplied by 2^e.
  Value first = add(exponent, integer(30 - bias - mantissaBits));
  Value place = shiftRight(first, 5), offset = mask(first, 31);

  // The words from `place` on, by the bits of `place`.
  int64_t lastPlace = (largestExponent + 30 - mantissaBits) >> 5;
  SmallVector<Value> words;
  for (int64_t i = 0; i < lastPlace + 7; ++i)
    words.push_back(integer(twoOverPi[i]));
  for (int64_t step = llvm::bit_floor(uint64_t(lastPlace)); step != 0; step /= 2) {
    Flag moves = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, mask(place, step), integer(0));
    size_t count = std::min<size_t>(words.size(), 7 + step - 1);
    for (size_t i = 0; i < count; ++i)
      if (i + step < words.size())
        words[i] = arith::SelectOp::create(builder, loc, moves, words[i + step], words[i]);
    words.truncate(count);
  }
  Value factor[6];
  for (int i = 0; i < 6; ++i) {
    Value pair = unite(shiftLeft(words[i], 32), words[i + 1]);
    pair = arith::ShLIOp::create(builder, loc, pair, offset);
    factor[i] = shiftRight(pair, 32);
  }

  // m times them, modulo 2^192: what is carried out of the first word are multiples of 4.
  Value low = mask(mantissa, word), high = shiftRight(mantissa, 32), carry = integer(0);
  Value product[6];
  for (int i = 5; i >= 0; --i) {
    Value part = times(low, factor[i]);
    Value sum = add(mask(part, word), carry);
    carry = add(shiftRight(part, 32), shiftRight(sum, 32));
    sum = mask(sum, word);
    if (i < 5) {
      // At most 21 bits by 32 bits.
      Value upper = times(high, factor[i + 1]);
      sum = add(sum, mask(upper, word));
      carry = add(carry, add(shiftRight(upper, 32), shiftRight(sum, 32)));
      sum = mask(sum, word);
    }
    product[i] = sum;
  }

  // Two bits of quadrant, and a signed fraction of one in words: the nearest multiple of pi/2 is taken off.
  Value quadrant = shiftRight(product[0], 30);
  Value fraction[4];
  for (int i = 0; i < 4; ++i)
    fraction[i] = mask(unite(shiftLeft(product[i], 2), shiftRight(product[i + 1], 30)), word);
  Value isUpper = shiftRight(fraction[0], 31);
  quadrant = add(quadrant, isUpper);
  fraction[0] = arith::SubIOp::create(builder, loc, fraction[0], shiftLeft(isUpper, 32));
  auto part = [&](int i) {
    Number converted = number(arith::SIToFPOp::create(builder, loc, type, fraction[i]));
    return std::ldexp(1.0, -32 * (i + 1)) * converted;
  };
  // Each sum in two parts: its rounded value and what rounding left.
  Number upper = part(0) + part(1), left = part(1) - (upper - part(0));
  Number rest = part(2) + part(3), sum = upper + rest;
  left = left + (rest - (sum - upper));
  Number angle = sum * constant(halfPi[0]);
  Number tail = fma(sum, constant(halfPi[0]), -angle);
  tail = fma(sum, constant(halfPi[1]), fma(left, constant(halfPi[0]), tail));

  Flag isNegative = less(x, constant(0));
  Value turned = arith::SubIOp::create(builder, loc, integer(0), quadrant);
  return {select(isNegative, -angle, angle), select(isNegative, -tail, tail),
          arith::SelectOp::create(builder, loc, isNegative, turned, quadrant)};
}

Number Reals::sinReduced(Angle angle) {
  Number r = angle.high, z = r * r;
  // sin(r + low) = sin(r) + low cos(r)
  Number tail = fma(constant(-0.5) * z, angle.low, angle.low);
  return r + fma(z * r, polynomial(sinTerms, z), tail);
}

Number Reals::cosReduced(Angle angle) {
  Number r = angle.high, z = r * r;
  Number half = 0.5 * z, sum = 1.0 - half;
  Number rest = ((1.0 - sum) - half) - r * angle.low;
  return sum + fma(z * z, polynomial(cosTerms, z), rest);
}

Number Reals::sinOrCos(Number x, bool wantsCos, int64_t largestExponent) {
  Angle angle = reduceAngle(x, largestExponent);
  Number sine = sinReduced(angle), cosine = cosReduced(angle);
  Value turn = angle.quadrant;
  if (wantsCos)
    turn = arith::AddIOp::create(builder, loc, turn, integer(1));
  Value odd = arith::AndIOp::create(builder, loc, turn, integer(1));
  Flag swaps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, odd, integer(0));
  Value second = arith::AndIOp::create(builder, loc, turn, integer(2));
  Flag negates = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, second, integer(0));
  Number value = select(swaps, cosine, sine);
  value = select(negates, -value, value);
  return wantsCos ? value : select(equal(x, constant(0)), x, value);
}

Number Reals::tan(Number x, int64_t largestExponent) {
  Angle angle = reduceAngle(x, largestExponent);
  Number sine = sinReduced(angle), cosine = cosReduced(angle);
  Value odd = arith::AndIOp::create(builder, loc, angle.quadrant, integer(1));
  Flag swaps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, odd, integer(0));
  Number value = select(swaps, -cosine, sine) / select(swaps, sine, cosine);
  return select(equal(x, constant(0)), x, value);
}

Number Reals::atan(Number x) {
  Number m = abs(x);
  Flag inverts = less(constant(1), m);
  Number t = select(inverts, 1.0 / m, m);
  // The nearest quarter c: atan(t) = atan(c) + atan((t - c) / (1 + t c)).
  Number index = roundToInteger(4.0 * t).first, c = constant(0.25) * index;
  Number r = (t - c) / fma(t, c, constant(1)), z = r * r;
  Number base = constant(atanQuarters[0]), rest = constant(atanRests[0]);
  for (int i = 1; i <= 4; ++i) {
    Flag matches = equal(index, constant(i));
    base = select(matches, constant(atanQuarters[i]), base);
    rest = select(matches, constant(atanRests[i]), rest);
  }
  Number small = fma(z * r, polynomial(atanTerms, z), rest) + r;
  Number inverted = (halfPi[0] - base) - (small - halfPi[1]);
  return withSign(select(inverts, inverted, base + small), x);
}

Number Reals::atan2(Number y, Number x) {
  Number my = abs(y), mx = abs(x), infinite = constant(INFINITY);
  Number ratio = my / mx;
  // 0/0 is 0 and inf/inf is 1 here.
  ratio = select(equal(my, constant(0)), constant(0), ratio);
  ratio = select(both(equal(my, infinite), equal(mx, infinite)), constant(1), ratio);
  Number angle = atan(ratio);
  Flag isLeft = less(withSign(constant(1), x), constant(0));
  angle = select(isLeft, 2 * halfPi[0] - (angle - 2 * halfPi[1]), angle);
  Number result = withSign(angle, y), sum = x + y;
  Flag isNaNOperand = arith::OrIOp::create(builder, loc, isNaN(x), isNaN(y));
  return select(isNaNOperand, sum, result);
}

Number Reals::asin(Number x) { return atan(x / sqrt((1.0 - x) * (x + 1.0))); }

Number Reals::acos(Number x) { return 2.0 * atan(sqrt((1.0 - x) / (x + 1.0))); }
