//===- NpzTest.cpp - Archives of arrays, whole and damaged ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Npz.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

using namespace tenon::npz;

namespace {
Archive example() {
  Archive archive;
  archive.push_back({"x", {'f', 4, {2, 3}, std::vector<unsigned char>(24, 7)}});
  archive.push_back({"scalar", {'i', 8, {}, std::vector<unsigned char>(8, 1)}});
  archive.push_back({"empty", {'b', 1, {0}, {}}});
  return archive;
}

std::vector<unsigned char> bytesOf(const Archive &archive) {
  std::string path = ::testing::TempDir() + "tenon-npz-test.npz", error;
  EXPECT_TRUE(writeNpz(path, archive, error)) << error;
  std::ifstream in(path, std::ios::binary);
  std::vector<unsigned char> bytes{std::istreambuf_iterator<char>(in), {}};
  std::remove(path.c_str());
  return bytes;
}

TEST(Npz, RoundTrips) {
  std::vector<unsigned char> bytes = bytesOf(example());
  Archive read;
  std::string error;
  ASSERT_TRUE(parseNpz(bytes.data(), bytes.size(), read, error)) << error;
  ASSERT_EQ(read.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read[i].first, example()[i].first);
    EXPECT_EQ(read[i].second.kind, example()[i].second.kind);
    EXPECT_EQ(read[i].second.shape, example()[i].second.shape);
    EXPECT_EQ(read[i].second.data, example()[i].second.data);
  }
}

TEST(Npz, NamesDoNotLeadOutOfTheArchive) {
  Archive archive;
  const char *names[] = {"../../evil", "a/../b", "..", "a\\..\\b", "/layer/output", "x..y", "...", "%2E"};
  for (const char *name : names)
    archive.push_back({name, {'b', 1, {1}, {1}}});
  std::vector<unsigned char> bytes = bytesOf(archive);
  std::string text(bytes.begin(), bytes.end()), error;
  EXPECT_EQ(text.find("../"), std::string::npos);
  EXPECT_NE(text.find("%2E%2E/%2E%2E/evil.npy"), std::string::npos);
  EXPECT_NE(text.find("x..y.npy"), std::string::npos);
  Archive read;
  ASSERT_TRUE(parseNpz(bytes.data(), bytes.size(), read, error)) << error;
  ASSERT_EQ(read.size(), archive.size());
  for (size_t i = 0; i < read.size(); ++i)
    EXPECT_EQ(read[i].first, names[i]);
}

TEST(Npz, ReadsBigEndianArrays) {
  auto parse = [](const std::string &descr, std::vector<unsigned char> data, Array &array) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (1,), }\n";
    std::vector<unsigned char> bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, static_cast<unsigned char>(header.size()),
                                        0};
    bytes.insert(bytes.end(), header.begin(), header.end());
    bytes.insert(bytes.end(), data.begin(), data.end());
    std::string error;
    return parseNpy(bytes.data(), bytes.size(), array, error);
  };
  using Bytes = std::vector<unsigned char>;
  Array array;
  ASSERT_TRUE(parse(">i4", {1, 2, 3, 4}, array));
  EXPECT_EQ(array.data, (Bytes{4, 3, 2, 1}));
  ASSERT_TRUE(parse(">c8", {1, 2, 3, 4, 5, 6, 7, 8}, array));
  EXPECT_EQ(array.data, (Bytes{4, 3, 2, 1, 8, 7, 6, 5}));
  ASSERT_TRUE(parse(">U2", {0, 0, 0, 'a', 0, 0, 0, 'b'}, array));
  EXPECT_EQ(array.data, (Bytes{'a', 0, 0, 0, 'b', 0, 0, 0}));
  ASSERT_TRUE(parse("|u1", {9}, array));
  EXPECT_EQ(array.data, (Bytes{9}));
}

TEST(Npz, DamagedArchivesAreErrors) {
  const std::vector<unsigned char> good = bytesOf(example());
  std::string error;
  for (size_t size = 0; size < good.size(); ++size) {
    Archive read;
    std::vector<unsigned char> cut(good.begin(), good.begin() + std::ptrdiff_t(size));
    EXPECT_FALSE(parseNpz(cut.data(), cut.size(), read, error)) << size;
  }
  for (size_t i = 0; i < good.size(); ++i) {
    std::vector<unsigned char> bad = good;
    bad[i] ^= 0xff;
    Archive read;
    parseNpz(bad.data(), bad.size(), read, error); // may be fine (names, dates); must not crash
  }
}

TEST(Npz, ColumnMajorArraysBecomeRowMajor) {
  std::vector<unsigned char> bytes = formatNpy({'u', 1, {2, 3}, {0, 1, 2, 3, 4, 5}});
  std::string text(bytes.begin(), bytes.end());
  text.replace(text.find("False"), 5, "True ");
  Array array;
  std::string error;
  ASSERT_TRUE(parseNpy(reinterpret_cast<const unsigned char *>(text.data()), text.size(), array, error)) << error;
  EXPECT_EQ(array.data, (std::vector<unsigned char>{0, 2, 4, 1, 3, 5}));
}

TEST(Npz, PickledObjectsAreRefused) {
  std::vector<unsigned char> bytes = formatNpy({'O', 8, {1}, std::vector<unsigned char>(8)});
  Array array;
  std::string error;
  EXPECT_FALSE(parseNpy(bytes.data(), bytes.size(), array, error));
  EXPECT_NE(error.find("not supported"), std::string::npos);
}
} // namespace
