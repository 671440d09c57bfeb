//===- PackArenaTest.cpp - Offsets of buffers in an arena ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Runtime/PackArena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace {
TEST(PackArena, SharesMemoryOfBuffersThatAreNotLiveTogether) {
  tenon_arena_buffer buffers[] = {{100, 0, 1}, {100, 1, 2}, {100, 2, 3}};
  int64_t offsets[3];
  EXPECT_EQ(tenon_pack_arena(buffers, 3, offsets), 256);
  EXPECT_EQ(offsets[0], offsets[2]);
}

TEST(PackArena, NothingNeedsNothing) {
  EXPECT_EQ(tenon_pack_arena(nullptr, 0, nullptr), 0);
  tenon_arena_buffer empty[] = {{0, 0, 5}, {0, 1, 2}};
  int64_t offsets[2] = {-1, -1};
  EXPECT_EQ(tenon_pack_arena(empty, 2, offsets), 0);
  EXPECT_EQ(offsets[1], 0);
}

TEST(PackArena, RefusesSizesThatMakeNoSense) {
  int64_t offsets[2];
  tenon_arena_buffer negative[] = {{-1, 0, 1}};
  EXPECT_EQ(tenon_pack_arena(negative, 1, offsets), -1);
  tenon_arena_buffer reversed[] = {{1, 2, 1}};
  EXPECT_EQ(tenon_pack_arena(reversed, 1, offsets), -1);
  tenon_arena_buffer huge[] = {{INT64_MAX / 2, 0, 1}, {INT64_MAX / 2 + 2, 0, 1}};
  EXPECT_EQ(tenon_pack_arena(huge, 2, offsets), -1);
}

TEST(PackArena, RandomBuffersNeverOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<tenon_arena_buffer> buffers(random() % 60 + 1);
    for (auto &b : buffers) {
      b.size = random() % 3 == 0 ? 0 : random() % 100000;
      b.first = int32_t(random() % 40);
      b.last = b.first + int32_t(random() % 10);
    }
    std::vector<int64_t> offsets(buffers.size()), again(buffers.size());
    int64_t total = tenon_pack_arena(buffers.data(), int64_t(buffers.size()), offsets.data());
    EXPECT_EQ(tenon_pack_arena(buffers.data(), int64_t(buffers.size()), again.data()), total);
    EXPECT_EQ(offsets, again);
    int64_t peak = 0;
    for (int32_t step = 0; step < 50; ++step) {
      int64_t live = 0;
      for (auto &b : buffers)
        live += b.first <= step && step <= b.last ? b.size : 0;
      peak = std::max(peak, live);
    }
    EXPECT_GE(total, peak);
    for (size_t i = 0; i < buffers.size(); ++i) {
      EXPECT_EQ(offsets[i] % 64, 0);
      EXPECT_LE(offsets[i] + buffers[i].size, total);
      for (size_t j = 0; j < i; ++j)
        if (buffers[i].size && buffers[j].size && buffers[i].first <= buffers[j].last &&
            buffers[j].first <= buffers[i].last) {
          EXPECT_TRUE(offsets[i] + buffers[i].size <= offsets[j] || offsets[j] + buffers[j].size <= offsets[i]);
        }
    }
  }
}
} // namespace
