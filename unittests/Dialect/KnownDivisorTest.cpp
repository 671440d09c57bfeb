//===- KnownDivisorTest.cpp - Quotients by a known number, against division ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen/Common/KnownDivisor.h"

#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <cstdint>

using namespace tenon::codegen;

namespace {
/// How many quotients of the numbers from 1 to 2 are others than those of division.
int64_t countWrong(const KnownDivisor &divisor) {
  int64_t wrong = 0;
  for (uint32_t bits = std::bit_cast<uint32_t>(1.0f); bits < std::bit_cast<uint32_t>(2.0f); ++bits) {
    float x = std::bit_cast<float>(bits);
    wrong += std::fma(x, divisor.inverse, x * divisor.rest) != x / divisor.divisor;
  }
  return wrong;
}

TEST(KnownDivisor, restDoesWhereAllQuotientsAreThoseOfDivision) {
  for (float divisor :
       {0.02f, 1.0f, -0.75f, 3.0f, 0.0273382179f, std::nextafter(2.0f, 0.0f), std::nextafter(1.0f, 2.0f)}) {
    EXPECT_TRUE(KnownDivisor(divisor).restDoes()) << divisor;
    EXPECT_EQ(countWrong(KnownDivisor(divisor)), 0) << divisor;
  }
}

TEST(KnownDivisor, restDoesNotWhereOneQuotientIsAnother) {
  for (float divisor : {0.209932849f, 0.0262758713f, -0.244081244f}) {
    EXPECT_FALSE(KnownDivisor(divisor).restDoes()) << divisor;
    EXPECT_GT(countWrong(KnownDivisor(divisor)), 0) << divisor;
  }
}

/// By what a rounded quotient leaves, which does for each divisor, of those that are known at run time too.
TEST(KnownDivisor, whatIsLeftDoesForEachDivisor) {
  for (float divisor :
       {0.02f, 0.209932849f, 0.0262758713f, 3.0f, std::nextafter(2.0f, 0.0f), std::nextafter(1.0f, 2.0f)}) {
    float inverse = 1 / divisor;
    int64_t wrong = 0;
    for (uint32_t bits = std::bit_cast<uint32_t>(1.0f); bits < std::bit_cast<uint32_t>(2.0f); ++bits) {
      float x = std::bit_cast<float>(bits), quotient = x * inverse;
      wrong += std::fma(std::fma(quotient, -divisor, x), inverse, quotient) != x / divisor;
    }
    EXPECT_EQ(wrong, 0) << divisor;
  }
}
} // namespace
