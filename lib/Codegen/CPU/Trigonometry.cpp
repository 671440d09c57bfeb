//===- Trigonometry.cpp - Trigonometric functions and their inverses ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementaryFunctions.h"

#include <cmath>

using namespace mlir;
using namespace tenon::cpu;
using Number = Reals::Number;

namespace {
// pi/2 in three parts, each rounded.
constexpr double halfPi[] = {1.5707963267948966, 6.123233995736766e-17, -1.4973849048591697773e-33};
// Up to here the multiple of pi/2 is right.
constexpr double reductionLimit = 0x1p45;
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

Reals::Angle Reals::reduceAngle(Number x) {
  auto [n, quadrant] = roundToInteger(x * constant(M_2_PI));
  // The first difference is exact: it is a multiple of the last bit of pi/2's first part.
  Number first = fma(n, constant(-halfPi[0]), x);
  Number high = fma(n, constant(-halfPi[1]), first);
  Number low = fma(n, constant(-halfPi[1]), first - high);
  low = fma(n, constant(-halfPi[2]), low);
  return {high, low, quadrant};
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

Number Reals::sinOrCos(Number x, bool wantsCos) {
  Angle angle = reduceAngle(x);
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
  // Beyond this, pi would be needed to more digits: no number is better than a wrong one.
  value = select(less(abs(x), constant(reductionLimit)), value, constant(NAN));
  return wantsCos ? value : select(equal(x, constant(0)), x, value);
}

Number Reals::tan(Number x) {
  Angle angle = reduceAngle(x);
  Number sine = sinReduced(angle), cosine = cosReduced(angle);
  Value odd = arith::AndIOp::create(builder, loc, angle.quadrant, integer(1));
  Flag swaps = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, odd, integer(0));
  Number value = select(swaps, -cosine, sine) / select(swaps, sine, cosine);
  value = select(less(abs(x), constant(reductionLimit)), value, constant(NAN));
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
