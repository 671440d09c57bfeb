//===- LaunchPlanTest.cpp ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/LaunchPlan.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

using namespace tenon::artifact;

namespace {
using Words = std::vector<int64_t>;

int64_t number(int64_t value) { return planWord(PlanOp::constant, value); }
int64_t symbol(int64_t position) { return planWord(PlanOp::symbol, position); }
int64_t stride(int64_t position) { return planWord(PlanOp::stride, position); }

/// The numbers of a plan, none where it is no plan.
Words evaluate(const Words &words, const Words &symbols, const Words &strides = {}) {
  Words numbers(kMaxPlanNumbers);
  numbers.resize(evaluatePlan(words.data(), uint32_t(words.size()),
                              {symbols.data(), strides.data(), uint32_t(symbols.size()), uint32_t(strides.size())},
                              numbers.data()));
  return numbers;
}

bool isPlan(const Words &words) { return !evaluate(words, {1}, {1}).empty(); }

/// A plan whose units are an operation of two symbols.
int64_t unitsOf(PlanOp op, int64_t left, int64_t right) {
  return evaluate(
             {number(0), number(0), number(0), number(1), symbol(0), symbol(1), planWord(op), planWord(PlanOp::end)},
             {left, right})
      .back();
}

TEST(LaunchPlan, Computes) {
  EXPECT_EQ(unitsOf(PlanOp::add, 3, -5), -2);
  EXPECT_EQ(unitsOf(PlanOp::multiply, 3, -5), -15);
  EXPECT_EQ(unitsOf(PlanOp::floorDivide, -7, 2), -4);
  EXPECT_EQ(unitsOf(PlanOp::floorDivide, 7, 2), 3);
  EXPECT_EQ(unitsOf(PlanOp::minimum, 3, -5), -5);
  EXPECT_EQ(unitsOf(PlanOp::maximum, 3, -5), 3);
}

TEST(LaunchPlan, HasNoTraps) {
  EXPECT_EQ(unitsOf(PlanOp::floorDivide, 5, 0), 0);
  EXPECT_EQ(unitsOf(PlanOp::floorDivide, INT64_MIN, -1), 0);
  EXPECT_EQ(unitsOf(PlanOp::multiply, INT64_MAX, 2), INT64_MAX);
  EXPECT_EQ(unitsOf(PlanOp::multiply, INT64_MAX, -2), INT64_MIN);
  EXPECT_EQ(unitsOf(PlanOp::multiply, INT64_MIN, -1), INT64_MAX);
  EXPECT_EQ(unitsOf(PlanOp::add, INT64_MAX, 1), INT64_MAX);
  EXPECT_EQ(unitsOf(PlanOp::add, INT64_MIN, -1), INT64_MIN);
}

TEST(LaunchPlan, TakesTheFirstProgramWhoseGuardHolds) {
  // 4 - s0 >= 0 and t0 - 1 == 0, else s0 - 100 >= 0, else the last one.
  Words first = {number(0), number(64), number(0), number(1), symbol(0), planWord(PlanOp::end)};
  Words plan = {number(4), symbol(0), number(-1), planWord(PlanOp::multiply), planWord(PlanOp::add)};
  plan.push_back(planWord(PlanOp::skipIfNegative, 4 + 6));
  plan.insert(plan.end(), {stride(0), number(-1), planWord(PlanOp::add), planWord(PlanOp::skipUnlessZero, 6)});
  plan.insert(plan.end(), first.begin(), first.end());
  plan.insert(plan.end(), {symbol(0), number(-100), planWord(PlanOp::add), planWord(PlanOp::skipIfNegative, 7)});
  plan.insert(plan.end(), {number(1), number(0), symbol(0), number(1), symbol(0), number(2), planWord(PlanOp::end)});
  plan.insert(plan.end(), {number(3), number(0), number(0), number(5), number(7), planWord(PlanOp::end)});
  EXPECT_EQ(evaluate(plan, {4}, {1}), (Words{0, 64, 0, 1, 4}));
  EXPECT_EQ(evaluate(plan, {4}, {2}), (Words{3, 0, 0, 5, 7}));
  EXPECT_EQ(evaluate(plan, {5}, {1}), (Words{3, 0, 0, 5, 7}));
  EXPECT_EQ(evaluate(plan, {100}, {1}), (Words{1, 0, 100, 1, 100, 2}));
}

TEST(LaunchPlan, RefusesWhatIsNone) {
  int64_t end = planWord(PlanOp::end), add = planWord(PlanOp::add);
  EXPECT_TRUE(isPlan({number(0), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({}));
  EXPECT_FALSE(isPlan({number(0), number(0), number(0), number(1), end})); // no grid
  EXPECT_FALSE(isPlan({number(0), number(0), number(0), number(1), number(1)}));
  EXPECT_FALSE(isPlan({number(0), add, number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({symbol(-1), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({symbol(1 << 30), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan(
      {number(-1), planWord(PlanOp::skipIfNegative, 9), number(0), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan(
      {number(-1), planWord(PlanOp::skipIfNegative, -3), number(0), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(
      isPlan({planWord(PlanOp::skipIfNegative, 0), number(0), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({symbol(1), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({stride(1), number(0), number(0), number(1), number(1), end}));
  EXPECT_FALSE(isPlan({planWord(PlanOp(77)), number(0), number(0), number(1), number(1), end}));
  Words deep(kMaxPlanNumbers + 1, number(0));
  deep.push_back(end);
  EXPECT_FALSE(isPlan(deep));
}

// Whatever words are, they run within their memory.
TEST(LaunchPlan, AllWordsRunSafely) {
  std::minstd_rand random(1);
  int plans = 0;
  for (int i = 0; i < 400000; ++i) {
    Words words;
    for (size_t count = 6 + random() % 12; words.size() < count;)
      words.push_back(
          planWord(PlanOp(random() % (random() % 2 ? 3 : 12)), random() % 8 < 7 ? int64_t(random() % 7) : -1));
    words.push_back(planWord(PlanOp::end));
    plans += !evaluate(words, {1, -3, 5}, {0, 2}).empty();
  }
  EXPECT_GT(plans, 20);
}
} // namespace
