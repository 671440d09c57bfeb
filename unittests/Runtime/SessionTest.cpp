//===- SessionTest.cpp - Hand-made models, end to end ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleAdd.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <thread>

using namespace tenon::test;

namespace {
TEST_F(ScaleAdd, RunsWithManyShapesThreadsAndSessions) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session one(m.model, 1), two(m.model, 2), seven(m.model, 7);
  for (int64_t rows : {1, 0, 3, 1000, 1, 5000, 17}) {
    for (tenon_session *s : {one.session, two.session, seven.session}) {
      Matrix x(rows);
      const tenon_value *y;
      ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
      ASSERT_OK(tenon_session_run(s));
      ASSERT_OK(tenon_session_output(s, 0, &y));
      expectResult(x, y);
    }
  }
  tenon_profile_entry profile;
  ASSERT_EQ(tenon_session_profile_count(one), 2);
  ASSERT_OK(tenon_session_profile(one, 0, &profile));
  EXPECT_STREQ(profile.kernel, "scale");
  EXPECT_STREQ(profile.nodes, "mul1");
  EXPECT_EQ(profile.count, 6);
  tenon_copy_profile copies;
  ASSERT_OK(tenon_session_profile_copies(one, &copies));
  EXPECT_EQ(copies.count, 0);
  EXPECT_FAILS(tenon_session_profile_copies(one, nullptr), TENON_ERROR_ARGUMENT, "copies");
  EXPECT_GT(tenon_session_memory_bytes(one), 5000 * 16);
}

TEST_F(ScaleAdd, PlansMoreShapesThanTheCacheHolds) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  for (int64_t i = 0; i < 200; ++i) {
    Matrix x(20 + i * 7 % 40);
    const tenon_value *y;
    ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
    ASSERT_OK(tenon_session_run(s));
    ASSERT_OK(tenon_session_output(s, 0, &y));
    expectResult(x, y);
  }
}

TEST_F(ScaleAdd, SessionsRunAtTheSameTime) {
  Model m;
  ASSERT_OK(open(&m.model));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      Session s(m.model, 1 + i % 2);
      for (int round = 0; round < 50; ++round) {
        Matrix x(100 + i + round);
        const tenon_value *y;
        ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
        ASSERT_OK(tenon_session_run(s));
        ASSERT_OK(tenon_session_output(s, 0, &y));
        expectResult(x, y);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST_F(ScaleAdd, UsesTheCallersBuffersAndStrides) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model, 2);
  Matrix x(50, 4, 9), y(50, 4, 6);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_bind_output(s, 0, &y.value));
  ASSERT_OK(tenon_session_run(s));
  const tenon_value *result;
  ASSERT_OK(tenon_session_output(s, 0, &result));
  EXPECT_EQ(result->data, y.data.data());
  expectResult(x, result);
}

TEST_F(ScaleAdd, TellsShapesAndMemoryBeforeRunning) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  int64_t shape[2], bytes;
  EXPECT_FAILS(tenon_session_output_shape(s, 0, shape, 2), TENON_ERROR_UNBOUND, "input 'x' is not bound");
  Matrix x(12);
  x.value.data = TENON_SHAPE_ONLY;
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_output_shape(s, 0, shape, 2));
  EXPECT_EQ(shape[0], 12);
  EXPECT_EQ(shape[1], 4);
  ASSERT_OK(tenon_session_arena_bytes(s, &bytes));
  EXPECT_EQ(bytes, 192);
  EXPECT_FAILS(tenon_session_output_shape(s, 0, shape, 3), TENON_ERROR_ARGUMENT, "rank 2, not 3");
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_ARGUMENT, "input 'x' has no data: it is bound for its shape only");
}

TEST_F(ScaleAdd, DescribesItself) {
  Model m;
  ASSERT_OK(open(&m.model));
  EXPECT_STREQ(tenon_model_name(m.model), "scale_add");
  EXPECT_STREQ(tenon_model_variant(m.model), "baseline");
  EXPECT_EQ(tenon_model_find_output(m.model, "y"), 0);
  EXPECT_EQ(tenon_model_find_input(m.model, "y"), -1);
  EXPECT_STREQ(tenon_last_error(), "the model has no input named 'y'");
  tenon_tensor_info info;
  ASSERT_OK(tenon_model_input(m.model, 0, &info));
  EXPECT_STREQ(info.name, "x");
  EXPECT_EQ(info.rank, 2);
  tenon_dim dim;
  ASSERT_OK(tenon_model_input_dim(m.model, 0, 0, &dim));
  EXPECT_EQ(dim.size, -1);
  EXPECT_STREQ(dim.symbol, "batch");
  EXPECT_FAILS(tenon_model_input_dim(m.model, 0, 2, &dim), TENON_ERROR_ARGUMENT, "its rank is 2");
  EXPECT_FAILS(tenon_model_output(m.model, 1, &info), TENON_ERROR_ARGUMENT, "output 1 does not exist");
  ASSERT_OK(tenon_model_verify(m.model));
}

TEST_F(ScaleAdd, RefusesWrongBindings) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  Matrix x(3), wide(3, 5), many(100001);
  tenon_value value = x.value;
  value.dtype = TENON_F64;
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &value), TENON_ERROR_TYPE, "has dtype float32, the value has float64");
  value = x.value;
  value.rank = 1;
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &value), TENON_ERROR_SHAPE, "has rank 2, the value has 1");
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &wide.value), TENON_ERROR_SHAPE,
               "has size 4 in dimension 1, the value has 5");
  EXPECT_FAILS(tenon_session_bind_input(s, 1, &x.value), TENON_ERROR_ARGUMENT, "input 1 does not exist");
  EXPECT_FAILS(tenon_session_bind_input(nullptr, 0, &x.value), TENON_ERROR_ARGUMENT, "'session' is null");
  value = x.value;
  value.data = reinterpret_cast<char *>(x.data.data()) + 1;
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &value), TENON_ERROR_ARGUMENT, "not aligned");
  value.data = nullptr;
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &value), TENON_ERROR_ARGUMENT, "input 'x': the value has no data");
  EXPECT_FAILS(tenon_session_bind_output(s, 0, &value), TENON_ERROR_ARGUMENT, "output 'y': the value has no data");
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_UNBOUND, "input 'x' is not bound");
  Matrix empty(0);
  empty.value.data = nullptr;
  ASSERT_OK(tenon_session_bind_input(s, 0, &empty.value));
  ASSERT_OK(tenon_session_run(s));
  ASSERT_OK(tenon_session_bind_input(s, 0, nullptr));
  int64_t strides[] = {1, 3};
  value = x.value;
  value.strides = strides;
  EXPECT_FAILS(tenon_session_bind_input(s, 0, &value), TENON_ERROR_SHAPE, "last dimension");
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_UNBOUND, "input 'x' is not bound");

  ASSERT_OK(tenon_session_bind_input(s, 0, &many.value));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_SHAPE, "'batch' must be between 0 and 100000");
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_bind_output(s, 0, &x.value));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_ARGUMENT, "overlaps");
  Matrix y(4);
  ASSERT_OK(tenon_session_bind_output(s, 0, &y.value));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_SHAPE, "bound with size 4 in dimension 0, the model gives 3");
  const tenon_value *none;
  EXPECT_FAILS(tenon_session_output(s, 0, &none), TENON_ERROR_ARGUMENT, "has not run");
  y.value.capacity = 64;
  ASSERT_OK(tenon_session_bind_output(s, 0, &y.value));
  ASSERT_OK(tenon_session_run(s));
  y.value.capacity = 47;
  ASSERT_OK(tenon_session_bind_output(s, 0, &y.value));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_SHAPE, "needs 48 bytes, its buffer has 47");
}

TEST_F(ScaleAdd, SymbolsThatDisagreeAreAnError) {
  metadata.inputs.push_back({"z", DType::F32, ValueKind::Tensor, {Dim::symbol(0)}});
  write();
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  Matrix x(3);
  float data[4];
  int64_t size = 4;
  tenon_value z = {};
  z.dtype = TENON_F32;
  z.rank = 1;
  z.shape = &size;
  z.data = data;
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_bind_input(s, 1, &z));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_SHAPE,
               "input 'z' has size 4 in dimension 0, but 'batch' is 3 (from input 'x', dimension 0)");
}

TEST_F(ScaleAdd, ReportsTheFirstErrorOfAKernel) {
  Model m;
  ASSERT_OK(open(&m.model));
  for (int threads : {1, 2, 5}) {
    Session s(m.model, threads);
    for (int round = 0; round < 20; ++round) {
      Matrix x(2000);
      x.at(1500, 0) = x.at(341, 0) = x.at(1999, 0) = 777;
      ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
      EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_RUN, "node 'mul1': index 341 is out of range for size 2000");
      x.at(1500, 0) = x.at(341, 0) = x.at(1999, 0) = 0;
      ASSERT_OK(tenon_session_run(s));
    }
  }
}

TEST_F(ScaleAdd, AnErrorEndsTheLaunchAfterItsGrid) {
  Model m;
  ASSERT_OK(open(&m.model));
  for (int32_t threads : {1, 4}) {
    Session s(m.model, threads);
    // The second grid would say another error.
    Matrix x(3000);
    x.at(2500, 0) = x.at(7, 0) = 777;
    ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
    EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_RUN, "7");
    EXPECT_EQ(std::string(tenon_last_error()).find("capacity"), std::string::npos) << tenon_last_error();
    // What the launch has in scratch is of no later one.
    x.at(2500, 0) = x.at(7, 0) = 1;
    ASSERT_OK(tenon_session_run(s));
    const tenon_value *y;
    ASSERT_OK(tenon_session_output(s, 0, &y));
    expectResult(x, y);
  }
}

TEST_F(ScaleAdd, PlansThatNameNoCodeAreRefused) {
  metadata.plans[1][0] = planWord(PlanOp::constant, 1);
  write();
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  Matrix x(3);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_FORMAT, "does not fit its metadata");
}

TEST_F(ScaleAdd, ReportsAnErrorOfThePlan) {
  Model m;
  ASSERT_OK(open(&m.model));
  Session s(m.model);
  Matrix x(13);
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  for (int round = 0; round < 2; ++round)
    EXPECT_FAILS(tenon_session_run(s), TENON_ERROR_RUN, "batch 13 is unlucky");
}

TEST_F(ScaleAdd, RunsOnTheCallersThreads) {
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_options options = {};
  options.size = sizeof(options);
  options.threads = 2;
  int calls = 0;
  options.parallel_for_user = &calls;
  options.parallel_for = [](void *user, void (*body)(void *, int64_t, int32_t), void *arg, int64_t count) {
    ++*static_cast<int *>(user);
    std::thread other([&] {
      for (int64_t i = 1; i < count; i += 2)
        body(arg, i, 1);
    });
    for (int64_t i = 0; i < count; i += 2)
      body(arg, i, 0);
    other.join();
  };
  tenon_session *s;
  ASSERT_OK(tenon_session_create(m.model, &options, &s));
  Matrix x(300);
  const tenon_value *y;
  ASSERT_OK(tenon_session_bind_input(s, 0, &x.value));
  ASSERT_OK(tenon_session_run(s));
  ASSERT_OK(tenon_session_output(s, 0, &y));
  expectResult(x, y);
  EXPECT_EQ(calls, 3); // the first launch has two grids
  tenon_session_destroy(s);
}

TEST_F(ScaleAdd, MissingExternalFunctionIsNamed) {
  metadata.externals.push_back({"tenon_strings", "regex_match", ""});
  write();
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_session *s;
  EXPECT_FAILS(tenon_session_create(m.model, nullptr, &s), TENON_ERROR_EXTERNAL,
               "function 'regex_match' of library 'tenon_strings'");
}

TEST_F(ScaleAdd, FunctionsOfALaterRuntimeAreNamed) {
  metadata.externals.push_back({"tenon_runtime", "of_the_future", ""});
  write();
  Model m;
  ASSERT_OK(open(&m.model));
  tenon_session *s;
  EXPECT_FAILS(tenon_session_create(m.model, nullptr, &s), TENON_ERROR_EXTERNAL,
               "function 'of_the_future' of library 'tenon_runtime': this runtime lacks it");
}

TEST_F(ScaleAdd, NamesTheCpuFeatureThatIsMissing) {
  metadata.variants[1].features = {"no-such-feature"};
  write();
  tenon_model *model;
  EXPECT_FAILS(open(&model), TENON_ERROR_CPU, "no-such-feature");
  EXPECT_EQ(model, nullptr);
}

TEST_F(ScaleAdd, OpensItselfAsALibrary) {
  void *library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr) << dlerror();
  auto self = reinterpret_cast<decltype(&tenon_model_self)>(dlsym(library, "tenon_model_self"));
  auto name = reinterpret_cast<decltype(&tenon_model_name)>(dlsym(library, "tenon_model_name"));
  auto close = reinterpret_cast<decltype(&tenon_model_close)>(dlsym(library, "tenon_model_close"));
  tenon_model *model;
  ASSERT_EQ(self(&model), TENON_OK);
  EXPECT_STREQ(name(model), "scale_add");
  close(model);
  dlclose(library);
}

TEST_F(ScaleAdd, FilesThatAreNoModelsAreRefused) {
  tenon_model *model;
  EXPECT_FAILS(tenon_model_open("/nonexistent", &model), TENON_ERROR_FILE, "No such file");
  EXPECT_FAILS(tenon_model_open("/", &model), TENON_ERROR_FILE, "not a regular file");
  EXPECT_FAILS(tenon_model_open(TEST_RUNTIME, &model), TENON_ERROR_FORMAT, "was it stripped?");
  EXPECT_FAILS(tenon_model_open(nullptr, &model), TENON_ERROR_ARGUMENT, "'path' is null");
}

TEST_F(ScaleAdd, DamagedFilesAreRefused) {
  const std::vector<char> good = readFile(path);
  size_t runtimeSize = readFile(TEST_RUNTIME).size();
  size_t start = (runtimeSize + kContainerAlignment - 1) / kContainerAlignment * kContainerAlignment;
  tenon_model *model;
  // Every byte of header, table, code, metadata and trailer; padding and constants are not read on opening.
  for (size_t i = start; i < good.size(); ++i) {
    size_t page = (i - start) / kPageAlignment, at = i % kPageAlignment;
    bool zero = good[i] == 0;
    if (zero && at > 300 && i + 64 < good.size())
      continue;
    std::vector<char> bad = good;
    bad[i] ^= 0x10;
    writeFile(path, bad);
    tenon_status status = open(&model);
    if (status == TENON_OK) {
      tenon_model_close(model);
      EXPECT_TRUE(zero || (page == 3 && at < 16)) << "byte " << i << " changed and nobody noticed";
    } else {
      EXPECT_EQ(model, nullptr);
      EXPECT_STRNE(tenon_last_error(), "");
    }
  }
  for (size_t size = 0; size < good.size(); size += size < start ? 4099 : 13) {
    writeFile(path, std::vector<char>(good.begin(), good.begin() + std::ptrdiff_t(size)));
    EXPECT_NE(open(&model), TENON_OK) << "size " << size;
  }
}

// Of the library that ships: sanitizers make it several times as large.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TENON_SANITIZED
#endif
#endif
#ifndef TENON_SANITIZED
/// 64 KiB, with room for what comes next.
TEST(RuntimeLibrary, IsSmall) { EXPECT_LE(readFile(TEST_RUNTIME).size(), 65536u - 1536); }
#endif
} // namespace
