//===- MetadataTest.cpp - Metadata, whole and damaged ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Artifact/Metadata.h"
#include "tenon/Artifact/LaunchPlan.h"
#include "tenon/Artifact/MetadataView.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace tenon::artifact;

namespace {
ModelMetadata example() {
  ModelMetadata m;
  m.modelName = "example";
  m.producer = "test";
  m.runEntry = 16;
  m.inputs.push_back({"x", DType::F32, ValueKind::Tensor, {Dim::symbol(0), Dim::fixed(4)}});
  m.inputs.push_back({"cache", DType::F16, ValueKind::Tensor, {Dim::fixed(0)}});
  m.outputs.push_back({"y", DType::I64, ValueKind::Tensor, {Dim::slot(1), Dim::symbol(0)}});
  m.aliases.push_back({0, 1});
  m.symbols.push_back({"batch", SymbolInfo::InputDim, 0, 0, 1, 64, 2});
  m.constants.push_back({0, 64, 128});
  m.formed.push_back({0, 192, 256, 1});
  m.bindings = {{0, 0, 0, 0}, {0, 0, 1, 0}, {0, 1, 0, 0}};
  m.variants.push_back({"avx2", {"avx2", "fma"}});
  m.variants.push_back({"baseline", {}});
  m.plans.push_back({planWord(PlanOp::constant, 0), planWord(PlanOp::constant, 0), planWord(PlanOp::constant, 0),
                     planWord(PlanOp::constant, 1), planWord(PlanOp::symbol, 1), planWord(PlanOp::end)});
  m.kernels.push_back({"contract_a", 2, 0, {{0, {0}}, {0, {64, 96}}}});
  m.kernels.push_back({"contract_b", 3, 1, {{}, {0, {128}}}});
  m.launches.push_back({1, "conv1, relu1"});
  m.segments.push_back({32, 48, 1, 3, {{0, 0, 2}, {2, 1, 1}}});
  m.externals.push_back({"strings", "regex", "node"});
  m.messages.push_back("sizes differ");
  m.properties.push_back({"names", "{0: 'cat'}"});
  return m;
}

TEST(Metadata, RoundTrips) {
  ModelMetadata m = example(), r;
  std::vector<uint8_t> bytes = m.serialize();
  std::string error;
  ASSERT_TRUE(ModelMetadata::parse(bytes.data(), bytes.size(), r, error)) << error;
  EXPECT_EQ(r.serialize(), bytes);
  EXPECT_EQ(r.modelName, "example");
  EXPECT_EQ(r.outputs[0].dims[0].kind, Dim::Slot);
  EXPECT_EQ(r.variants[0].features, m.variants[0].features);
  EXPECT_EQ(r.plans, m.plans);
  EXPECT_EQ(r.kernels[0].variants[1].entries, m.kernels[0].variants[1].entries);
  EXPECT_TRUE(r.kernels[1].variants[0].entries.empty());
  EXPECT_EQ(r.kernels[1].symbolCount, 3u);
  EXPECT_EQ(r.launches[0].nodes, "conv1, relu1");
  EXPECT_EQ(r.segments[0].buffers[1].sizeSlot, 2u);
  EXPECT_EQ(r.symbols[0].divisor, 2);
  EXPECT_EQ(r.messages[0], "sizes differ");
  EXPECT_EQ(r.properties[0].value, "{0: 'cat'}");
  EXPECT_EQ(r.formed[0].bytes, 256u);
  EXPECT_EQ(r.bindings[1].argument, 1u);
}

TEST(Metadata, EveryTruncationIsAnError) {
  std::vector<uint8_t> bytes = example().serialize();
  for (size_t size = 0; size + 8 < bytes.size(); ++size) {
    ModelMetadata r;
    std::string error;
    EXPECT_FALSE(ModelMetadata::parse(bytes.data(), size, r, error)) << size;
    EXPECT_NE(error, "");
  }
}

// A checksum guards the metadata in a file, so a changed byte may still be valid metadata here; it must not
// crash.
TEST(Metadata, EveryChangedByteIsReadSafely) {
  std::vector<uint8_t> bytes = example().serialize();
  for (size_t i = 0; i < bytes.size(); ++i)
    for (uint8_t change : {0x01, 0x80, 0xff}) {
      bytes[i] ^= change;
      ModelMetadata r;
      std::string error;
      if (!ModelMetadata::parse(bytes.data(), bytes.size(), r, error)) {
        EXPECT_NE(error, "");
      }
      bytes[i] ^= change;
    }
}

TEST(Metadata, RefusesIndicesOutOfRange) {
  auto errorOf = [](const ModelMetadata &m) {
    std::vector<uint8_t> bytes = m.serialize();
    ModelMetadata r;
    std::string error;
    ModelMetadata::parse(bytes.data(), bytes.size(), r, error);
    return error;
  };
  EXPECT_EQ(errorOf(example()), "");
  ModelMetadata m = example();
  m.launches[0].kernel = 2;
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.kernels[0].variants[1].plan = 1;
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.symbols[0].dim = 2;
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.inputs[0].dims[0] = Dim::slot(0);
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.outputs[0].dims[0] = Dim::slot(3);
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.segments[0].buffers[0].lastLaunch = -1;
  EXPECT_NE(errorOf(m), "");
  m = example();
  m.aliases[0].input = 2;
  EXPECT_NE(errorOf(m), "");
  // Arguments of a launch and a variant are all there, in order.
  for (BindingInfo wrong : {BindingInfo{0, 1, 1, 0}, BindingInfo{1, 1, 0, 0}, BindingInfo{0, 2, 0, 0},
                            BindingInfo{0, 1, 0, 1}, BindingInfo{0, 0, 0, 0}}) {
    m = example();
    m.bindings.back() = wrong;
    EXPECT_NE(errorOf(m), "");
  }
  m = example();
  m.segments.clear();
  EXPECT_NE(errorOf(m), "");
}
} // namespace
