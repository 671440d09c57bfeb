//===- MinimumCutTest.cpp - The cheapest labelling, against all labellings ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dialect/Tenon/Transforms/MinimumCut.h"

#include "gtest/gtest.h"

#include <random>

using namespace tenon;

namespace {
struct Cost {
  unsigned from, to;
  int64_t cost;
};

/// What a labelling costs: bit i is set where node i is on the second side.
int64_t costOf(const std::vector<Cost> &costs, unsigned labels) {
  int64_t total = 0;
  for (const Cost &cost : costs)
    if (!(labels >> cost.from & 1) && (labels >> cost.to & 1))
      total += cost.cost;
  return total;
}

TEST(MinimumCut, costsAsLittleAsTheBestOfAllLabellings) {
  std::mt19937 random(0);
  for (int round = 0; round < 200; ++round) {
    unsigned nodes = 2 + random() % 8;
    MinimumCut cut;
    for (unsigned node = 2; node < nodes; ++node)
      cut.addNode();
    std::vector<Cost> costs;
    for (unsigned i = 0; i < 3 * nodes; ++i) {
      Cost cost{unsigned(random() % nodes), unsigned(random() % nodes), int64_t(random() % 10)};
      if (cost.from == cost.to)
        continue;
      costs.push_back(cost);
      cut.addCost(cost.from, cost.to, cost.cost);
    }
    int64_t least = MinimumCut::infinite;
    for (unsigned labels = 0; labels < 1u << nodes; ++labels)
      if (!(labels >> MinimumCut::first & 1) && (labels >> MinimumCut::second & 1))
        least = std::min(least, costOf(costs, labels));
    EXPECT_EQ(cut.solve(), least);
    unsigned labels = 0;
    std::vector<bool> side = cut.secondSide();
    for (unsigned node = 0; node < nodes; ++node)
      labels |= unsigned(side[node]) << node;
    EXPECT_FALSE(side[MinimumCut::first]);
    EXPECT_TRUE(side[MinimumCut::second]);
    EXPECT_EQ(costOf(costs, labels), least);
  }
}

TEST(MinimumCut, keepsToTheFirstSideWhereBothCostTheSame) {
  MinimumCut cut;
  unsigned node = cut.addNode();
  cut.addCost(MinimumCut::first, node, 3);
  cut.addCost(node, MinimumCut::second, 3);
  EXPECT_EQ(cut.solve(), 3);
  EXPECT_FALSE(cut.secondSide()[node]);
}
} // namespace
