//===- ScaleAdd.h - A model made by hand ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_UNITTESTS_RUNTIME_SCALEADD_H
#define TENON_UNITTESTS_RUNTIME_SCALEADD_H

#include "tenon/Artifact/ArtifactWriter.h"
#include "tenon/Artifact/LaunchPlan.h"
#include "tenon/Runtime/tenon.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <functional>
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
    // Up to 8 rows one grid, then two; and one grid.
    auto number = [](int64_t value) { return planWord(PlanOp::constant, value); };
    int64_t rows = planWord(PlanOp::symbol, 0), multiply = planWord(PlanOp::multiply), end = planWord(PlanOp::end);
    metadata.plans.push_back({number(8),
                              rows,
                              number(-1),
                              multiply,
                              planWord(PlanOp::add),
                              planWord(PlanOp::skipIfNegative, 6),
                              number(0),
                              number(16),
                              number(0),
                              number(kAllWorkers),
                              rows,
                              end,
                              number(1),
                              number(0),
                              rows,
                              number(16),
                              multiply,
                              number(kAllWorkers),
                              rows,
                              rows,
                              end});
    metadata.plans.push_back({number(0), number(0), number(0), number(kAllWorkers), rows, end});
    metadata.kernels.push_back(
        {"scale", 1, 1, {{0, {0}}, {0, {entry["scale"], entry["scale_copy"], entry["scale_all"]}}}});
    metadata.kernels.push_back({"add", 1, 1, {{1, {0}}, {1, {entry["add"]}}}});
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

struct Model {
  tenon_model *model = nullptr;
  ~Model() { tenon_model_close(model); }
};
struct Session {
  tenon_session *session = nullptr;
  Session(tenon_model *model, int32_t threads = 1) {
    tenon_options options = {};
    options.size = sizeof(options);
    options.threads = threads;
    options.profile = 1;
    EXPECT_EQ(tenon_session_create(model, &options, &session), TENON_OK) << tenon_last_error();
  }
  ~Session() { tenon_session_destroy(session); }
  operator tenon_session *() const { return session; }
};

struct Matrix {
  std::vector<float> data;
  int64_t shape[2], strides[2];
  tenon_value value = {};
  Matrix(int64_t rows, int64_t columns = 4, int64_t rowStride = 0) {
    shape[0] = rows;
    shape[1] = columns;
    strides[0] = rowStride ? rowStride : columns;
    strides[1] = 1;
    data.resize(size_t(rows * strides[0]));
    for (size_t i = 0; i < data.size(); ++i)
      data[i] = float(i % 1000) * 0.5f;
    value.dtype = TENON_F32;
    value.rank = 2;
    value.shape = shape;
    value.strides = rowStride ? strides : nullptr;
    value.data = data.data();
  }
  float &at(int64_t row, int64_t column) { return data[size_t(row * strides[0] + column)]; }
};

inline void expectResult(Matrix &x, const tenon_value *y) {
  ASSERT_EQ(y->shape[0], x.shape[0]);
  for (int64_t r = 0; r < x.shape[0]; ++r)
    for (int64_t c = 0; c < 4; ++c)
      ASSERT_EQ(static_cast<float *>(y->data)[r * y->strides[0] + c], x.at(r, c) * 2 + float(c + 1)) << r << ' ' << c;
}

#define ASSERT_OK(expression) ASSERT_EQ(expression, TENON_OK) << tenon_last_error()
#define EXPECT_FAILS(expression, status, text)                                                                         \
  do {                                                                                                                 \
    EXPECT_EQ(expression, status);                                                                                     \
    EXPECT_NE(std::string(tenon_last_error()).find(text), std::string::npos) << tenon_last_error();                    \
  } while (false)

} // namespace tenon::test

#endif
