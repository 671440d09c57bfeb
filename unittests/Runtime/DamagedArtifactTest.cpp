//===- DamagedArtifactTest.cpp - seeded mutations of an artifact ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A bounded run of what fuzz/ArtifactFuzzer.cpp does without bound.
//
//===----------------------------------------------------------------------===//

#include "ArtifactMutator.h"
#include "ScaleAdd.h"

using namespace tenon;
using namespace tenon::test;

namespace {
/// Runs the model on 3 rows. Empty when it was refused.
std::vector<float> runModel(const std::string &path) {
  tenon_model *model = nullptr;
  tenon_session *session = nullptr;
  std::vector<float> result, x = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  int64_t shape[] = {3, 4};
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = 1;
  tenon_value input = {};
  input.dtype = TENON_F32;
  input.rank = 2;
  input.shape = shape;
  input.data = x.data();
  const tenon_value *y;
  if (tenon_model_open(path.c_str(), &model) == TENON_OK &&
      tenon_session_create(model, &options, &session) == TENON_OK &&
      tenon_session_bind_input(session, 0, &input) == TENON_OK && tenon_session_run(session) == TENON_OK &&
      tenon_session_output(session, 0, &y) == TENON_OK)
    result.assign(static_cast<const float *>(y->data), static_cast<const float *>(y->data) + 12);
  // Constants are too large to be read when a model is opened.
  if (!result.empty() && tenon_model_verify(model) != TENON_OK)
    result.clear();
  tenon_session_destroy(session);
  tenon_model_close(model);
  return result;
}

class DamagedArtifact : public ScaleAdd {
protected:
  /// The container alone: most mutations shall meet it.
  std::string original() {
    std::vector<char> image = readFile(TEST_IMAGE ".bin");
    ArtifactWriter writer(path, "", 0);
    float constant[4] = {1, 2, 3, 4};
    writer.addHostCode(image.data(), image.size());
    writer.addKernelCode(1, image.data(), image.size());
    writer.beginConstants();
    writer.appendConstants(constant, sizeof(constant));
    EXPECT_TRUE(writer.finish(metadata)) << writer.error();
    std::vector<char> bytes = readFile(path);
    return {bytes.begin(), bytes.end()};
  }
};

TEST_F(DamagedArtifact, IsRefusedOrRunsRight) {
  std::string intact = original();
  const std::vector<float> expected = runModel(path);
  ASSERT_EQ(expected.size(), 12u);
  std::minstd_rand random(1);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = mutateArtifact(intact, random);
    writeFile(path, {damaged.begin(), damaged.end()});
    std::vector<float> result = runModel(path);
    refused += result.empty();
    ASSERT_TRUE(result.empty() || result == expected) << "mutation " << i;
  }
  EXPECT_GT(refused, 1000);
}

TEST_F(DamagedArtifact, OpensSafelyWithRightChecksums) {
  std::string intact = original();
  repairChecksums(intact);
  std::vector<char> bytes = readFile(path);
  ASSERT_EQ(intact, std::string(bytes.begin(), bytes.end())) << "an artifact that is right needs no repair";
  std::minstd_rand random(2);
  int opened = 0, refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = mutateArtifact(intact, random);
    repairChecksums(damaged);
    (inspectArtifact(damaged) ? opened : refused) += 1;
  }
  // The checks behind the checksums see both.
  EXPECT_GT(opened, 200);
  EXPECT_GT(refused, 200);
}

TEST_F(DamagedArtifact, RunsSafelyWithForgedMetadata) {
  // Strings, aliases, what grows, functions: more for the runtime to look after.
  metadata.inputs.push_back({"text", DType::String, ValueKind::Tensor, {Dim::fixed(2)}});
  metadata.inputs.push_back({"list", DType::F32, ValueKind::Sequence, {}});
  metadata.inputs.push_back({"cache", DType::F32, ValueKind::Tensor, {Dim::symbol(0), Dim::fixed(4)}});
  metadata.outputs.push_back({"found", DType::I64, ValueKind::Tensor, {Dim::slot(0), Dim::fixed(2)}});
  metadata.aliases.push_back({0, 3});
  metadata.symbols.push_back({"stride", SymbolInfo::InputStride, 3, 0});
  metadata.symbols.push_back({"aliased", SymbolInfo::Aliased, 0, 0});
  metadata.externals.push_back({"tenon_runtime", "identity", "copy"});
  metadata.heldCount = 2;
  metadata.growingCount = 2;
  metadata.valueCount = 3;
  std::string intact = original();
  removeCode(intact);
  ASSERT_TRUE(inspectArtifact(intact, true));
  std::minstd_rand random(3);
  int opened = 0, refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = mutateArtifact(intact, random);
    removeCode(damaged);
    (inspectArtifact(damaged, true) ? opened : refused) += 1;
  }
  EXPECT_GT(opened, 200);
  EXPECT_GT(refused, 200);
}

TEST_F(DamagedArtifact, CutAnywhereIsRefused) {
  std::string intact = original();
  for (size_t size = 0; size < intact.size(); size += size < 64 ? 1 : 61)
    ASSERT_FALSE(inspectArtifact(intact.substr(0, size))) << size;
}
} // namespace
