//===- MemoryTest.cpp - Memory that sessions hold ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include <gtest/gtest.h>

using tenon::runtime::Buffer;

namespace {
TEST(Buffer, GrowsByAFactorAndKeepsWhatItHolds) {
  Buffer buffer;
  ASSERT_TRUE(buffer.grow(0));
  int moves = 0;
  for (int64_t bytes = 1; bytes <= 1000000; bytes += 100) {
    void *before = buffer.data();
    ASSERT_TRUE(buffer.grow(bytes));
    moves += buffer.data() != before;
    ASSERT_GE(buffer.bytes(), bytes);
    static_cast<char *>(buffer.data())[bytes - 1] = char(bytes % 127);
  }
  EXPECT_LE(moves, 30);
  EXPECT_LE(buffer.bytes(), 1600000);
  for (int64_t bytes = 1; bytes <= 1000000; bytes += 100)
    ASSERT_EQ(static_cast<char *>(buffer.data())[bytes - 1], char(bytes % 127));
  EXPECT_FALSE(buffer.grow(INT64_MAX));
  EXPECT_EQ(static_cast<char *>(buffer.data())[0], 1);
}

TEST(Buffer, Exchanges) {
  Buffer a, b;
  ASSERT_TRUE(a.reserve(64) && b.reserve(128));
  void *first = a.data(), *second = b.data();
  a.exchange(b);
  EXPECT_EQ(a.data(), second);
  EXPECT_EQ(b.data(), first);
  EXPECT_EQ(a.bytes(), 128);
  EXPECT_EQ(b.bytes(), 64);
}
} // namespace
