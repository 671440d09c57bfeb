//===- KnownDivisor.cpp - Division by a number that is known ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KnownDivisor.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>

using namespace tenon::codegen;

// The inverse of f32 times the divisor is exact in f64, and so is what it is short of 1.
KnownDivisor::KnownDivisor(float divisor)
    : divisor(divisor), inverse(1 / divisor), rest(float((1 - double(divisor) * inverse) / divisor)) {}

/// The inverse of an odd number modulo 2^32, by Newton's iteration: each step doubles the bits that are right.
static uint32_t inverseModulo(uint32_t odd) {
  uint32_t result = odd;
  for (int step = 0; step < 4; ++step)
    result *= 2 - odd * result;
  return result;
}

//
// Before it is rounded what is computed is off by less than 3 * 2^-49 of the quotient. So only quotients as near to a
// number halfway between two of f32 can be rounded to the other one. With the 24 bits X and Y of dividend and divisor,
// and those of the number halfway, an odd H of 25 bits, that is X 2^s = Y H + R, where s is 24, or 25 if X < Y, and |R|
// <= 3. Modulo 2^s that has few solutions, which are tried (the article's section 4.2 finds them alike).
//
bool KnownDivisor::restDoes() const {
  constexpr int bits = 24, furthest = 4;
  int exponent;
  int64_t y = int64_t(std::ldexp(std::frexp(std::fabs(divisor), &exponent), bits));
  float real = float(y), first = 1 / real, second = KnownDivisor(real).rest;
  int twos = std::countr_zero(uint64_t(y));
  for (int shift : {bits, bits + 1})
    for (int64_t r = -furthest; r <= furthest; ++r) {
      // As often as the divisor is even R is, and no more often: H is odd.
      if (r == 0 || std::countr_zero(uint64_t(r)) != twos)
        continue;
      int64_t period = int64_t(1) << (shift - twos);
      int64_t h = int64_t(uint32_t(-(r >> twos)) * inverseModulo(uint32_t(y >> twos))) & (period - 1);
      for (h += (int64_t(1) << bits) / period * period; h < int64_t(1) << (bits + 1); h += period) {
        int64_t x = (y * h + r) >> shift;
        if (h < int64_t(1) << bits || x < int64_t(1) << (bits - 1) || x >= int64_t(1) << bits)
          continue;
        float dividend = float(x);
        if (std::fma(dividend, first, dividend * second) != dividend / real)
          return false;
      }
    }
  return true;
}
