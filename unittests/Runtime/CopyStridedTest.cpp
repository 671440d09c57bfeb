//===- CopyStridedTest.cpp - Copies between strided memories ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CopyStrided.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

using tenon::runtime::StridedCopy;

namespace {
TEST(CopyStrided, TransposesAndReverses) {
  std::vector<int32_t> src(24), dst(24, -1);
  std::iota(src.begin(), src.end(), 0);
  // dst[i][j][k] = src[i][2 - j][k] of [2, 3, 4], written as [3, 2, 4].
  int64_t sizes[] = {2, 3, 4}, dstStrides[] = {4, 8, 1}, srcStrides[] = {12, -4, 1};
  StridedCopy copy;
  ASSERT_TRUE(copy.prepare(dst.data(), dstStrides, src.data() + 8, srcStrides, sizes, 3, 4));
  EXPECT_EQ(copy.bytes(), 96);
  copy.run(0, 1);
  copy.run(1, 2);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 4; ++k)
        EXPECT_EQ(dst[j * 8 + i * 4 + k], src[i * 12 + (2 - j) * 4 + k]);
}

TEST(CopyStrided, MergesContiguousDimensions) {
  char src[60], dst[60];
  int64_t sizes[] = {3, 1, 4, 5}, strides[] = {20, 7, 5, 1};
  StridedCopy copy;
  ASSERT_TRUE(copy.prepare(dst, strides, src, strides, sizes, 4, 1));
  EXPECT_EQ(copy.rank, 1);
  EXPECT_EQ(copy.sizes[0], 60);
}

TEST(CopyStrided, IsCutIntoPiecesThatAreWorthIt) {
  auto rowsPerPiece = [](int64_t rows, int64_t columns) {
    char src, dst;
    int64_t sizes[] = {rows, columns}, dstStrides[] = {2 * columns, 1}, srcStrides[] = {columns, 1};
    StridedCopy copy;
    EXPECT_TRUE(copy.prepare(&dst, dstStrides, &src, srcStrides, sizes, 2, 1));
    return copy.rowsPerPiece();
  };
  EXPECT_EQ(rowsPerPiece(512, 16), 512);
  EXPECT_EQ(rowsPerPiece(512, 511), 512);
  EXPECT_EQ(rowsPerPiece(512, 1024), 171);
  EXPECT_EQ(rowsPerPiece(3, 1 << 20), 1);
  EXPECT_EQ(rowsPerPiece(1 << 20, 1024), 256);
}

TEST(CopyStrided, BroadcastsWithStrideZero) {
  double src = 3, dst[6] = {};
  int64_t sizes[] = {2, 3}, dstStrides[] = {3, 1}, srcStrides[] = {0, 0};
  StridedCopy copy;
  ASSERT_TRUE(copy.prepare(dst, dstStrides, &src, srcStrides, sizes, 2, 8));
  copy.run(0, copy.sizes[0]);
  for (double value : dst)
    EXPECT_EQ(value, 3);
}

template <typename T> void fillAround() {
  // The border of [3, 20] within [5, 24]: what is inside stays.
  std::vector<T> dst(5 * 24 + 1, T(7));
  T value = T(3);
  const int64_t parts[][3] = {{0, 1, 24}, {96, 1, 24}, {24, 3, 1}, {45, 3, 3}}; // offset, rows, columns
  for (auto [offset, rows, columns] : parts) {
    int64_t sizes[] = {rows, columns}, dstStrides[] = {24, 1}, srcStrides[] = {0, 0};
    StridedCopy copy;
    ASSERT_TRUE(copy.prepare(dst.data() + offset, dstStrides, &value, srcStrides, sizes, 2, sizeof(T)));
    copy.run(0, copy.sizes[0]);
  }
  for (int64_t i = 0; i < 5; ++i)
    for (int64_t j = 0; j < 24; ++j)
      EXPECT_EQ(dst[i * 24 + j], i >= 1 && i < 4 && j >= 1 && j < 21 ? T(7) : T(3)) << i << ", " << j;
  EXPECT_EQ(dst.back(), T(7));
}

TEST(CopyStrided, FillsBorders) {
  fillAround<uint8_t>();
  fillAround<int16_t>();
  fillAround<float>();
  fillAround<double>();
}

template <typename T> void fillRows(T value) {
  // Shorter than a line of what is written at once, some lines, and parts of one.
  for (int64_t length : {1, 3, 15, 63, 64, 65, 127, 128, 300, 1025}) {
    std::vector<T> dst(size_t(length) + 2, T(7));
    int64_t one = 1, zero = 0;
    StridedCopy copy;
    ASSERT_TRUE(copy.prepare(dst.data() + 1, &one, &value, &zero, &length, 1, sizeof(T)));
    copy.run(0, length);
    EXPECT_EQ(std::count(dst.begin(), dst.end(), value), length) << length;
    EXPECT_EQ(dst.front(), T(7));
    EXPECT_EQ(dst.back(), T(7));
  }
}

TEST(CopyStrided, FillsRows) {
  fillRows<uint8_t>(3);
  fillRows<int16_t>(-2);
  fillRows<float>(0.1f);
  fillRows<float>(0);
  fillRows<double>(-0.1);
}

template <typename T> void gatherAndScatter() {
  std::vector<T> src(64), dst(64, T(100));
  std::iota(src.begin(), src.end(), T(0));
  for (int64_t length : {1, 2, 3, 4, 5, 8, 11}) {
    int64_t from = 3, to = 5;
    StridedCopy copy;
    ASSERT_TRUE(copy.prepare(dst.data(), &to, src.data(), &from, &length, 1, sizeof(T)));
    copy.run(0, length);
    for (int64_t i = 0; i < 60; ++i)
      EXPECT_EQ(dst[i], i % 5 == 0 && i / 5 < length ? T(i / 5 * 3) : T(100)) << length << ", " << i;
  }
}

TEST(CopyStrided, FollowsStrides) {
  gatherAndScatter<uint8_t>();
  gatherAndScatter<int16_t>();
  gatherAndScatter<float>();
  gatherAndScatter<double>();
}

TEST(CopyStrided, EmptyAndScalar) {
  int64_t zero = 0, one = 1;
  int16_t src = 5, dst = 0;
  StridedCopy copy;
  EXPECT_FALSE(copy.prepare(&dst, &one, &src, &one, &zero, 1, 2));
  ASSERT_TRUE(copy.prepare(&dst, nullptr, &src, nullptr, nullptr, 0, 2));
  copy.run(0, 1);
  EXPECT_EQ(dst, 5);
}
} // namespace
