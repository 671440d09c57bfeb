//===- ElementaryFunctions.cpp - Exponentials, logarithms and what follows from them ---===//
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
constexpr double log2High = 0.6931471805599453, log2Low = 2.3190468138462996e-17;
// log(2) with as many zeros at the end as a product with an exponent needs to be exact.
constexpr double log2FloatHigh = 0.693359375, log2FloatLow = -2.12194440054690583e-4;
constexpr double log2DoubleHigh = 0x1.62e42feep-1, log2DoubleLow = 0x1.a39ef35793c76p-33;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double notANumber = std::numeric_limits<double>::quiet_NaN();

// (e^r - 1 - r) / r^2
constexpr double expDouble[] = {0.5,
                                0.16666666666666671,
                                0.04166666666666666976,
                                0.008333333333326119862,
                                0.00138888888888837374,
                                0.0001984126987487397508,
                                0.00002480158732558583888,
                                2.75572553325544091e-6,
                                2.755727359479941319e-7,
                                2.510524515390136985e-8,
                                2.091470706961235337e-9};
constexpr double expFloat[] = {0.5, 0.1666657689460660062, 0.04166655449841369865, 0.008363194882419040823,
                               0.001392620336163433777};
// (log(1 + f) - 2 s) / s^3 in s^2, s = f / (2 + f)
constexpr double logDouble[] = {0.6666666666666669688, 0.3999999999989945362, 0.2857142862599855965,
                                0.2222221113102851852, 0.1818288939967771993, 0.1533171247938130031,
                                0.1461656242210464558};
constexpr double logFloat[] = {0.6666668504421032406, 0.3998877866920588474, 0.2958003547825994497};
// erf(x) / x - 1 in x^2, x up to 1
// e^r = 1 + r p(r), |r| up to half of log 2, of least relative error: 1.02e-4
constexpr double expApproximation[] = {1.0001958425776702, 0.5041303984200434, 0.16517975637753096};
// erf(x) = x p(x^2), |x| up to 2.7, of least error: 1.34e-4; beyond, erf is nearer to 1 than that
constexpr double erfApproximation[] = {1.127595184373754,    -0.371614560390228,   0.10520902609722767,
                                       -0.02097218162889601, 0.002718772598081804, -0.00020230657510001554,
                                       6.478278944344051e-06};
constexpr double erfDouble[] = {0.1283791670955125739,    -0.3761263890318375238,     0.1128379167095512024,
                                -0.02686617064512984081,  0.005223977625423298309,    -0.0008548327021934829596,
                                0.0001205533290288873541, -0.00001492564756751933213, 1.646204544146841894e-6,
                                -1.63646421581676153e-7,  1.4792401209404813e-8,      -1.216456005728345008e-9,
                                8.70904512905310669e-11,  -4.230945824295337817e-12};
constexpr double erfFloat[] = {0.1283791670615434152,    -0.376126384680287104,   0.1128378249523684454,
                               -0.02686543072767024289,  0.005221031807858022797, -0.0008484080405535106294,
                               0.0001126595902560660897, -9.667044571486996415e-6};
// erfc(x) e^(x^2) in (x - 4) / (x + 4), x from 1 to where erf is 1
constexpr double erfcDouble[] = {0.1369994576250613899,     -0.2590680487601716382,     0.2187196789182649228,
                                 -0.1642578166973091355,    0.1089631773988982863,      -0.06310781563975890854,
                                 0.03129905651921747859,    -0.01284394602854688893,    0.004060263608705799835,
                                 -0.0007991269466505424625, -0.00002176173200440243108, 0.00007898562127429783738,
                                 -0.0000225487350077963283, -1.908366143817368135e-6,   2.868400693137249831e-6,
                                 -6.04654383926574625e-7,   -5.32254326142778746e-7,    -5.859104469198379636e-8};
constexpr double erfcFloat[] = {0.1369994553406234626,  -0.2590686191200794941, 0.2186991634194590845,
                                -0.1645337631997635723, 0.1071553666031303851,  -0.06949186285628789328,
                                0.01895999710477287797, -0.02487476883270217639};
} // namespace

//===----------------------------------------------------------------------===//
// Exponentials
//===----------------------------------------------------------------------===//

Number Reals::expm1Reduced(Number r) {
  Number p = isDouble ? polynomial(expDouble, r) : polynomial(expFloat, r);
  return fma(r * r, p, r);
}

Number Reals::expWithTail(Number x, Number tail) {
  auto [n, exponent] = roundToInteger(x * constant(M_LOG2E));
  Number high = constant(-pick(log2High, log2FloatHigh)), low = constant(-pick(log2Low, log2FloatLow));
  Number r = fma(n, low, fma(n, high, x)) + tail;
  return scale(expm1Reduced(r) + 1.0, exponent);
}

Number Reals::exp(Number x) {
  // Above the first bound the result is infinite. Below the second it is zero, which isn't left to a product that
  // underflows: processors take a hundred cycles for one, and masks make such arguments by the thousand.
  Number top = constant(pick(710, 89)), bottom = constant(pick(-746, -104));
  Flag vanishes = less(x, bottom);
  Number inRange = select(vanishes, constant(0), select(less(top, x), top, x));
  return select(vanishes, constant(0), expWithTail(inRange, constant(-0.0)));
}

Number Reals::exp2(Number x) {
  Number inRange = clamp(x, pick(-1076, -151), pick(1025, 129));
  auto [n, exponent] = roundToInteger(inRange);
  Number f = inRange - n;
  Number r = isDouble ? fma(f, constant(log2High), f * constant(log2Low)) : f * constant(M_LN2);
  return scale(expm1Reduced(r) + 1.0, exponent);
}

Number Reals::expm1(Number x) {
  Number inRange = clamp(x, pick(-40, -19), pick(710, 89));
  auto [n, exponent] = roundToInteger(inRange * constant(M_LOG2E));
  Number high = constant(-pick(log2High, log2FloatHigh)), low = constant(-pick(log2Low, log2FloatLow));
  Number p = expm1Reduced(fma(n, low, fma(n, high, inRange)));
  // Half of 2^n is always a number; at n = 0 the sum is exactly p.
  Number half = powerOfTwo(arith::SubIOp::create(builder, loc, exponent, integer(1)));
  Number result = 2.0 * fma(half, p, half - 0.5);
  return select(equal(x, constant(0)), x, result);
}

Number Reals::sigmoid(Number x) {
  // 1 / (1 + e^-x), both sides of the division scaled: one power of two reaches from where the sum is 1 to where the
  // result, a denormal, becomes zero.
  const int64_t down = pick(64, 24);
  Number inRange = clamp(x, pick(-746, -104), pick(40, 20)), scaledOne = constant(std::ldexp(1.0, -down));
  auto [n, exponent] = roundToInteger(inRange * constant(-M_LOG2E));
  Number high = constant(-pick(log2High, log2FloatHigh)), low = constant(-pick(log2Low, log2FloatLow));
  Number p = expm1Reduced(fma(n, low, fma(n, high, -inRange))) + 1.0;
  Number power = powerOfTwo(arith::SubIOp::create(builder, loc, exponent, integer(down)));
  return scaledOne / fma(p, power, scaledOne);
}

Number Reals::tanh(Number x) {
  // Where it is 1 to the last bit.
  Number t = expm1(2.0 * clamp(abs(x), 0, pick(20, 10)));
  return withSign(t / (t + 2.0), x);
}

//===----------------------------------------------------------------------===//
// Approximations
//===----------------------------------------------------------------------===//

Number Reals::approximateExp(Number x) {
  Number inRange = clamp(x, -87, 88);
  // As in roundToInteger; shifted into the exponent, nothing but the integer is left of the sum's bits.
  Number magic = constant(12582912.0), shifted = fma(inRange, constant(M_LOG2E), magic);
  Number r = fma(shifted - magic, constant(-M_LN2), inRange);
  Number fraction = fma(r, polynomial(expApproximation, r), constant(1));
  Value exponent = arith::ShLIOp::create(builder, loc, bits(shifted), integer(mantissaBits));
  return fromBits(arith::AddIOp::create(builder, loc, bits(fraction), exponent));
}

Number Reals::approximateTanh(Number x) {
  Number t = approximateExp(2.0 * clamp(abs(x), 0, 5)) - 1.0;
  return withSign(t / (t + 2.0), x);
}

Number Reals::approximateErf(Number x) {
  Number inRange = clamp(x, -2.7, 2.7);
  return inRange * polynomial(erfApproximation, inRange * inRange);
}

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

Reals::Split Reals::split(Number x) {
  Number tiny = constant(std::ldexp(1.0, 1 - bias)), factor = constant(std::ldexp(1.0, mantissaBits + 2));
  Flag isDenormal = less(x, tiny);
  Number normal = select(isDenormal, x * factor, x);
  Value pattern = bits(normal);
  // The exponent of x / sqrt(1/2), so that the fraction is balanced around 1.
  Value offset = integer(isDouble ? 0x3fe6a09e667f3bcd : 0x3f3504f3);
  Value distance = arith::SubIOp::create(builder, loc, pattern, offset);
  Value exponent = arith::ShRSIOp::create(builder, loc, distance, integer(mantissaBits));
  Value shifted = arith::ShLIOp::create(builder, loc, exponent, integer(mantissaBits));
  Number m = fromBits(arith::SubIOp::create(builder, loc, pattern, shifted));
  // To a number by the way that roundToInteger goes, as there is no conversion of 64-bit integers in AVX2.
  Number magic = constant(pick(6755399441055744.0, 12582912.0));
  Number k = fromBits(arith::AddIOp::create(builder, loc, exponent, bits(magic))) - magic;
  return {k - select(isDenormal, constant(mantissaBits + 2), constant(0)), m - 1.0};
}

Number Reals::logOf(Number f, Number k, Number tail) {
  Number s = f / (f + 2.0), z = s * s;
  Number r = z * (isDouble ? polynomial(logDouble, z) : polynomial(logFloat, z));
  // 2 s = f - f^2/2 + s f^2/2: f, the largest part, is exact.
  Number square = 0.5 * (f * f);
  Number small = fma(s, square + r, k * constant(pick(log2DoubleLow, log2FloatLow)) + tail);
  return k * constant(pick(log2DoubleHigh, log2FloatHigh)) - ((square - small) - f);
}

Number Reals::logSpecial(Number x, Number result) {
  result = select(equal(x, constant(infinity)), x, result);
  result = select(equal(x, constant(0)), constant(-infinity), result);
  result = select(less(x, constant(0)), constant(notANumber), result);
  return select(isNaN(x), x, result);
}

Number Reals::log(Number x) {
  Split parts = split(x);
  return logSpecial(x, logOf(parts.fraction, parts.exponent, constant(0)));
}

Number Reals::log2(Number x) {
  Split parts = split(x);
  Number fraction = logOf(parts.fraction, constant(0), constant(0));
  Number product = fraction * constant(M_LOG2E);
  // What the rounded product and the rounded constant leave.
  Number rest = fma(fraction, constant(M_LOG2E), -product) + fraction * constant(2.0355273740931033e-17);
  return logSpecial(x, parts.exponent + (product + rest));
}

Number Reals::log10(Number x) { return log(x) * constant(M_LOG10E); }

Number Reals::log1p(Number x) {
  Number sum = x + 1.0;
  // What the sum lost.
  Number lost = select(less(sum, constant(2)), x - (sum - 1.0), 1.0 - (sum - x));
  Split parts = split(sum);
  Number result = logSpecial(sum, logOf(parts.fraction, parts.exponent, lost / sum));
  return select(equal(x, constant(0)), x, result);
}

//===----------------------------------------------------------------------===//
// The error function
//===----------------------------------------------------------------------===//

Number Reals::erf(Number x) {
  Number z = x * x, t = clamp(abs(x), 0, pick(6, 4));
  Number small = fma(x, isDouble ? polynomial(erfDouble, z) : polynomial(erfFloat, z), x);
  Number q = (t - 4.0) / (t + 4.0);
  Number complement =
      expWithTail(-(t * t), constant(-0.0)) * (isDouble ? polynomial(erfcDouble, q) : polynomial(erfcFloat, q));
  Number large = withSign(1.0 - complement, x);
  return select(isNaN(x), x, select(less(abs(x), constant(1)), small, large));
}

//===----------------------------------------------------------------------===//
// Hyperbolic functions
//===----------------------------------------------------------------------===//

Number Reals::sinh(Number x) {
  Number magnitude = abs(x), t = expm1(magnitude);
  Number half = exp(0.5 * magnitude);
  Number small = 0.5 * (t + t / (t + 1.0));
  return withSign(select(less(magnitude, constant(40)), small, (0.5 * half) * half), x);
}

Number Reals::cosh(Number x) {
  Number half = exp(0.5 * abs(x)), whole = half * half;
  Number small = fma(constant(0.5), whole, 0.5 / whole);
  return select(less(abs(x), constant(40)), small, (0.5 * half) * half);
}

Number Reals::asinh(Number x) {
  Number m = abs(x), square = m * m;
  Number small = log1p(m + square / (sqrt(square + 1.0) + 1.0));
  return withSign(select(less(m, constant(1e9)), small, log(m) + M_LN2), x);
}

Number Reals::acosh(Number x) {
  Number t = x - 1.0;
  Number small = log1p(t + sqrt(2.0 * t + t * t));
  Number result = select(less(x, constant(1e9)), small, log(x) + M_LN2);
  return select(less(x, constant(1)), constant(notANumber), result);
}

Number Reals::atanh(Number x) {
  Number m = abs(x);
  return withSign(0.5 * log1p(2.0 * m / (1.0 - m)), x);
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

Number Reals::cbrt(Number x) {
  Number m = abs(x);
  Flag isDenormal = less(m, constant(std::ldexp(1.0, -1022)));
  Number normal = select(isDenormal, m * constant(std::ldexp(1.0, 54)), m);
  Number y = exp(log(normal) * constant(1.0 / 3));
  // One step of Newton's method.
  Number square = y * y;
  y = y - fma(square, y, -normal) / (3.0 * square);
  y = y * select(isDenormal, constant(std::ldexp(1.0, -18)), constant(1));
  Flag isSpecial = arith::OrIOp::create(builder, loc, equal(m, constant(0)), equal(m, constant(infinity)));
  return withSign(select(isSpecial, m, y), x);
}

Number Reals::pow(Number x, Number y) {
  // log|x| in two parts: 2 s of the fraction with what its division left, and the exponent.
  Number m = abs(x);
  Split parts = split(m);
  Number f = parts.fraction, d = f + 2.0, dRest = f - (d - 2.0);
  Number s = f / d, sRest = (fma(-s, d, f) - s * dRest) / d, z = s * s;
  Number high = 2.0 * s;
  Number low = fma(s, z * polynomial(logDouble, z), 2.0 * sRest);
  Number whole = parts.exponent * constant(log2DoubleHigh);
  Number sum = whole + high, back = sum - whole;
  low = low + ((whole - (sum - back)) + (high - back)) + parts.exponent * constant(log2DoubleLow);
  Number logHigh = sum + low, logLow = (sum - logHigh) + low;
  Number product = logHigh * y, rest = fma(logHigh, y, -product) + logLow * y;
  Number inRange = clamp(product, -746, 710);
  Number result = expWithTail(inRange, select(equal(inRange, product), rest, constant(0)));

  // Zeros and infinities of x, by the sign of y; of y, by the side of 1 that |x| is on.
  Number zero = constant(0), one = constant(1), top = constant(infinity);
  Flag yNegative = less(y, zero), yInfinite = equal(abs(y), top);
  Number whenZero = select(yNegative, top, zero), whenInfinite = select(yNegative, zero, top);
  result = select(equal(m, zero), whenZero, result);
  result = select(equal(m, top), whenInfinite, result);
  Number whenYInfinite = select(equal(m, one), one, select(less(m, one), whenZero, whenInfinite));
  result = select(yInfinite, whenYInfinite, result);

  // A negative x takes whole exponents only, and odd ones keep its sign.
  Number half = 0.5 * y;
  Flag isWhole = equal(trunc(y), y);
  Flag isOdd = both(isWhole, compare(arith::CmpFPredicate::ONE, trunc(half), half));
  Flag isInvalid = both(both(less(x, zero), less(m, top)), compare(arith::CmpFPredicate::ONE, trunc(y), y));
  result = select(isInvalid, constant(notANumber), result);
  result = select(isOdd, withSign(result, x), result);
  Number sumOfBoth = x + y;
  result = select(isNaN(sumOfBoth), select(both(yInfinite, equal(m, top)), result, sumOfBoth), result);
  result = select(equal(x, one), one, result);
  return select(equal(y, zero), one, result);
}
