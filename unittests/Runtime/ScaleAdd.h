//===- ScaleAdd.h - a model made by hand
//--------------------------------------------------------------------===//
#ifndef TENON_UNITTESTS_RUNTIME_SCALEADD_H
#define TENON_UNITTESTS_RUNTIME_SCALEADD_H

#include "tenon/Artifact/ArtifactWriter.h"
#include "tenon/Runtime/tenon.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <unistd.h>

namespace tenon::test {
using namespace tenon::artifact;

inline std::vector<char> readFile(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void writeFile(const std::string &path, const std::vector<char> &bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), std::streamsize(bytes.size()));
}

/// y = 2 * x + c, x: [batch, 4].
class ScaleAdd : public ::testing::Test {
protected:
  std::string path = ::testing::TempDir() + "tenon-scale-add-" + std::to_string(getpid()) + ".so";
  ModelMetadata metadata;
  std::map<std::string, int64_t> entry;

  void SetUp() override {
    std::ifstream symbols(TEST_IMAGE ".symbols");
    std::string line;
    while (std::getline(symbols, line)) {
      std::istringstream words(line);
      std::string address, type, name;
      words >> address >> type >> name;
      entry[name] = std::stoll(address, nullptr, 16);
    }
    metadata.modelName = "scale_add";
    metadata.inputs.push_back({"x", DType::F32, ValueKind::Tensor, {Dim::symbol(0), Dim::fixed(4)}});
    metadata.outputs.push_back({"y", DType::F32, ValueKind::Tensor, {Dim::slot(0), Dim::fixed(4)}});
    metadata.symbols.push_back({"batch", SymbolInfo::InputDim, 0, 0, 0, 100000, 1});
    metadata.constants.push_back({0, 0, 16});
    metadata.variants.push_back({"never", {"no-such-feature"}});
    metadata.variants.push_back({"baseline", {}});
    metadata.kernels.push_back({"scale", {0, entry["scale"]}});
    metadata.kernels.push_back({"add", {0, entry["add"]}});
    metadata.launches.push_back({0, "mul1"});
    metadata.launches.push_back({1, "add1"});
    metadata.segments.push_back({entry["plan_0"], entry["execute_0"], 1, 2, {{1, 0, 1}}});
    metadata.runEntry = entry["run"];
    metadata.messages.push_back("batch 13 is unlucky");
    write();
  }
  void TearDown() override { std::remove(path.c_str()); }

  void write() {
    std::vector<char> runtime = readFile(TEST_RUNTIME), image = readFile(TEST_IMAGE ".bin");
    ASSERT_FALSE(image.empty());
    ArtifactWriter writer(path, runtime.data(), runtime.size());
    float constant[4] = {1, 2, 3, 4};
    writer.addHostCode(image.data(), image.size());
    writer.addKernelCode(1, image.data(), image.size());
    writer.beginConstants();
    writer.appendConstants(constant, sizeof(constant));
    ASSERT_TRUE(writer.finish(metadata)) << writer.error();
  }

  tenon_status open(tenon_model **model) { return tenon_model_open(path.c_str(), model); }
};

} // namespace tenon::test

#endif
