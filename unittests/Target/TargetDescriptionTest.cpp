//===- TargetDescriptionTest.cpp - What code generation knows about a CPU ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Target/CPU/TargetDescription.h"

#include <gtest/gtest.h>

using namespace tenon::cpu;

namespace {
TEST(TargetDescription, LevelsContainEachOther) {
  auto targets = parseTargets("avx512, avx2");
  ASSERT_TRUE(bool(targets));
  ASSERT_EQ(targets->size(), 2u);
  const TargetDescription &wide = (*targets)[0], &narrow = (*targets)[1];
  EXPECT_EQ(wide.vectorBytes, 64u);
  EXPECT_EQ(wide.vectorRegisters, 32u);
  EXPECT_EQ(narrow.vectorBytes, 32u);
  EXPECT_EQ(narrow.vectorRegisters, 16u);
  for (const std::string &feature : narrow.features)
    EXPECT_TRUE(wide.has(feature)) << feature;
  EXPECT_TRUE(narrow.has("fma"));
  EXPECT_FALSE(narrow.has("avx512f"));
  EXPECT_NE(narrow.featureString().find("+avx2,"), std::string::npos);
}

TEST(TargetDescription, TheHostIsALevelAndMore) {
  auto host = hostTarget();
  if (!host)
    GTEST_SKIP() << llvm::toString(host.takeError());
  EXPECT_EQ(host->name, "host");
  EXPECT_TRUE(host->has("avx2"));
  EXPECT_EQ(host->vectorBytes, host->has("avx512f") ? 64u : 32u);
  EXPECT_TRUE(std::is_sorted(host->features.begin(), host->features.end()));
  EXPECT_GT(host->level1Bytes, 0);
  EXPECT_GE(host->level2Bytes, host->level1Bytes);
}

TEST(TargetDescription, ErrorsNameTheTarget) {
  for (const char *list : {"z80", "avx2,z80", "", "avx2,avx2"}) {
    auto targets = parseTargets(list);
    EXPECT_FALSE(bool(targets)) << list;
    llvm::consumeError(targets.takeError());
  }
}
} // namespace
