//===- ContainerTest.cpp - The file format of compiled models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/Container.h"
#include "tenon/Artifact/ArtifactWriter.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace tenon::artifact;

namespace {
std::string temporaryPath(const char *name) { return ::testing::TempDir() + "tenon-" + name; }

std::vector<char> readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The checksum by the definition of XXH64's published test vectors.
TEST(Checksum, MatchesPublishedVectors) {
  EXPECT_EQ(Checksum::of("", 0), 0xEF46DB3751D8E999u);
  EXPECT_EQ(Checksum::of("abc", 3), 0x44BC2CF5AD770999u);
}

TEST(Checksum, IsTheSameInPieces) {
  unsigned char bytes[200];
  for (size_t i = 0; i < sizeof(bytes); ++i)
    bytes[i] = static_cast<unsigned char>(i * 7);
  for (size_t cut = 0; cut <= sizeof(bytes); ++cut) {
    Checksum sum;
    sum.update(bytes, cut);
    sum.update(bytes + cut, sizeof(bytes) - cut);
    EXPECT_EQ(sum.finish(), Checksum::of(bytes, sizeof(bytes)));
  }
}

ModelMetadata minimalMetadata() {
  ModelMetadata metadata;
  metadata.segments.push_back({0, 0, 0, 0, {}});
  return metadata;
}

TEST(ArtifactWriter, RoundTrips) {
  std::string path = temporaryPath("roundtrip.so");
  ArtifactWriter writer(path, "runtime", 7);
  uint64_t offset = 1;
  EXPECT_TRUE(writer.addHostCode("host", 4));
  EXPECT_TRUE(writer.addKernelCode(0, "kernels", 7));
  EXPECT_TRUE(writer.beginConstants());
  EXPECT_TRUE(writer.alignConstants(64, offset));
  EXPECT_EQ(offset, 0u);
  EXPECT_TRUE(writer.appendConstants("abc", 3));
  EXPECT_TRUE(writer.alignConstants(64, offset));
  EXPECT_EQ(offset, 64u);
  EXPECT_TRUE(writer.appendConstants("def", 3));
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(writer.finish(minimalMetadata())) << writer.error();

  std::vector<char> file = readFile(path);
  ASSERT_EQ(std::string(file.data(), 7), "runtime");
  Trailer trailer;
  ASSERT_EQ(readTrailer(file.data() + file.size() - 32, file.size(), trailer), nullptr);
  EXPECT_EQ(trailer.offset, kContainerAlignment);
  ContainerView view;
  ASSERT_EQ(view.open(file.data() + trailer.offset, trailer.size), nullptr);
  ASSERT_EQ(view.segmentCount(), 4u);
  for (uint32_t i = 0; i < view.segmentCount(); ++i)
    EXPECT_TRUE(view.verify(view.segment(i)));
  const SegmentRecord *constants = view.find(SegmentKind::Constants);
  ASSERT_NE(constants, nullptr);
  EXPECT_EQ(constants->size, 67u);
  EXPECT_EQ(std::memcmp(view.bytes(*constants) + 64, "def", 3), 0);
  EXPECT_EQ(view.find(SegmentKind::KernelCode, 1), nullptr);
  std::remove(path.c_str());
}

TEST(ArtifactWriter, TakesConstantsBack) {
  std::vector<char> files[2];
  const std::string longer(100000, 'x');
  for (bool takesBack : {false, true}) {
    std::string path = temporaryPath("back.so");
    ArtifactWriter writer(path, "r", 1);
    uint64_t offset;
    writer.addHostCode("host", 4);
    writer.beginConstants();
    writer.appendConstants("abc", 3);
    for (int i = 0; i < 2; ++i) {
      if (takesBack) {
        ArtifactWriter::ConstantsEnd end = writer.constantsEnd();
        writer.alignConstants(64, offset);
        writer.appendConstants(longer.data(), longer.size());
        writer.takeBackTo(end);
      }
      // What was taken back is longer than all that follows it.
      writer.alignConstants(64, offset);
      EXPECT_EQ(offset, 64u * (i + 1));
      writer.appendConstants("def", 3);
    }
    if (takesBack) {
      ArtifactWriter::ConstantsEnd end = writer.constantsEnd();
      writer.appendConstants(longer.data(), longer.size());
      writer.takeBackTo(end);
    }
    ASSERT_TRUE(writer.finish(minimalMetadata())) << writer.error();
    files[takesBack] = readFile(path);
    std::remove(path.c_str());
  }
  EXPECT_EQ(files[0], files[1]);
}

TEST(ArtifactWriter, IsDeterministic) {
  std::vector<char> files[2];
  for (auto &file : files) {
    std::string path = temporaryPath("same.so");
    ArtifactWriter writer(path, "r", 1);
    writer.addHostCode("host", 4);
    ASSERT_TRUE(writer.finish(minimalMetadata()));
    file = readFile(path);
    std::remove(path.c_str());
  }
  EXPECT_EQ(files[0], files[1]);
}

TEST(ArtifactWriter, LeavesNothingBehindWhenItIsAbandoned) {
  std::string directory = temporaryPath("abandoned");
  std::filesystem::create_directory(directory);
  {
    ArtifactWriter writer(directory + "/model.so", "r", 1);
    writer.addHostCode("host", 4);
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  {
    ArtifactWriter writer(directory + "/model.so", "r", 1);
    ModelMetadata broken = minimalMetadata();
    broken.launches.push_back({3, "no such kernel"});
    writer.addHostCode("host", 4);
    EXPECT_FALSE(writer.finish(broken));
    EXPECT_NE(writer.error(), "");
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  std::filesystem::remove(directory);
}

TEST(ArtifactWriter, NamesThePathThatItCannotCreate) {
  ArtifactWriter writer("/nonexistent/model.so", "r", 1);
  EXPECT_FALSE(writer.addHostCode("host", 4));
  EXPECT_NE(writer.error().find("/nonexistent/model.so"), std::string::npos);
}

TEST(ContainerView, RefusesAFlippedByteInHeaderAndTable) {
  std::string path = temporaryPath("flip.so");
  ArtifactWriter writer(path, "", 0);
  writer.addHostCode("host", 4);
  ASSERT_TRUE(writer.finish(minimalMetadata()));
  std::vector<char> file = readFile(path);
  std::remove(path.c_str());
  size_t size = file.size() - sizeof(Trailer);
  for (size_t i = 0; i < sizeof(ContainerHeader) + 2 * sizeof(SegmentRecord); ++i) {
    file[i] ^= 1;
    ContainerView view;
    EXPECT_NE(view.open(file.data(), size), nullptr) << "byte " << i;
    file[i] ^= 1;
  }
  for (size_t i = file.size() - sizeof(Trailer); i < file.size(); ++i) {
    file[i] ^= 1;
    Trailer trailer;
    EXPECT_NE(readTrailer(file.data() + size, file.size(), trailer), nullptr) << "byte " << i;
    file[i] ^= 1;
  }
  for (size_t cut = 0; cut < size; cut += cut < 256 ? 1 : 61) {
    ContainerView view;
    EXPECT_NE(view.open(file.data(), cut), nullptr) << "cut " << cut;
  }
}
} // namespace
