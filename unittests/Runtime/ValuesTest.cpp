//===- ValuesTest.cpp - Strings, sequences and optionals ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostCall.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace tenon::runtime;

namespace {
tenon_value tensor(int32_t dtype, const std::vector<int64_t> &shape, void *data, const int64_t *strides = nullptr) {
  return {TENON_TENSOR, dtype, int64_t(shape.size()), shape.data(), strides, data, 0, 0, nullptr};
}

tenon_value list(int32_t kind, const std::vector<const tenon_value *> &items) {
  return {kind, 0, 0, nullptr, nullptr, nullptr, 0, int64_t(items.size()), items.data()};
}

TEST(Values, CopiesFollowStrides) {
  float data[] = {0, 1, 2, 3, 4, 5};
  std::vector<int64_t> shape = {3, 2};
  int64_t strides[] = {1, 3};
  Box *box = copyOf(tensor(TENON_F32, shape, data, strides));
  ASSERT_NE(box, nullptr);
  EXPECT_EQ(box->value.strides, nullptr);
  const float expected[] = {0, 3, 1, 4, 2, 5};
  EXPECT_EQ(0, memcmp(box->value.data, expected, sizeof(expected)));
  release(box);
}

TEST(Values, StringsAndItemsOwnTheirBytes) {
  std::string text = "Zoë";
  tenon_string strings[] = {{text.data(), text.size()}, {nullptr, 0}};
  std::vector<int64_t> shape = {2};
  tenon_value words = tensor(TENON_STRING, shape, strings);
  tenon_value sequence = list(TENON_SEQUENCE, {&words, &words});
  std::vector<const tenon_value *> items = {&words, &words};
  sequence.items = items.data();
  Box *box = copyOf(sequence);
  text.assign(text.size(), '-');
  ASSERT_EQ(box->value.count, 2);
  const auto *copied = static_cast<const tenon_string *>(box->value.items[1]->data);
  EXPECT_EQ(std::string(copied[0].data, copied[0].size), "Zoë");
  EXPECT_EQ(copied[1].size, 0u);
  Box *item = share(Box::of(box->value.items[0]));
  release(box);
  EXPECT_EQ(item->value.dtype, TENON_STRING);
  release(item);
}

TEST(Values, SaysWhatIsWrong) {
  float number = 0;
  std::vector<int64_t> shape = {1}, negative = {-1}, huge = {int64_t(1) << 40, int64_t(1) << 40}, empty = {0, 5};
  EXPECT_EQ(problemOf(tensor(TENON_F32, shape, &number)), nullptr);
  EXPECT_EQ(problemOf(tensor(TENON_F32, empty, nullptr)), nullptr);
  EXPECT_STREQ(problemOf(tensor(99, shape, &number)), "has an unknown dtype");
  EXPECT_STREQ(problemOf(tensor(TENON_F32, shape, nullptr)), "has a tensor without data");
  EXPECT_STREQ(problemOf(tensor(TENON_F32, negative, &number)),
               "has a tensor with a negative size or too many elements");
  EXPECT_STREQ(problemOf(tensor(TENON_F32, huge, &number)), "has a tensor with a negative size or too many elements");
  tenon_string broken = {nullptr, 3};
  EXPECT_STREQ(problemOf(tensor(TENON_STRING, shape, &broken)), "has a string without data");
  std::vector<const tenon_value *> missing = {nullptr}, two = {nullptr, nullptr};
  EXPECT_STREQ(problemOf(list(TENON_SEQUENCE, missing)), "has an item that is null");
  EXPECT_STREQ(problemOf(list(TENON_OPTIONAL, two)), "has a number of items that it can't have");
  EXPECT_STREQ(problemOf(list(7, {})), "has an unknown kind");
  tenon_value self = list(TENON_SEQUENCE, {});
  std::vector<const tenon_value *> itself = {&self};
  self.items = itself.data();
  self.count = 1;
  EXPECT_STREQ(problemOf(self), "is nested too deeply");
}

/// A call of a function of the runtime with one output that it makes.
struct Called {
  explicit Called(const char *name, std::vector<const tenon_value *> inputs) {
    slot.set(nullptr);
    tenon_value *output = &slot.value;
    tenon_host_entry entry = findRuntimeFunction(name);
    HostCall call(entry, inputs.data(), int32_t(inputs.size()), &output, 1);
    code = entry.function(&call);
    text = call.text;
  }
  ~Called() { slot.set(nullptr); }
  HeldSlot slot = {};
  int32_t code;
  std::string text;
};

TEST(Values, RuntimeFunctionsShareItems) {
  float number = 1;
  std::vector<int64_t> shape = {1}, scalar;
  tenon_value value = tensor(TENON_F32, shape, &number);
  Called made("sequence", {&value, &value});
  ASSERT_EQ(made.code, 0);
  const tenon_value *first = made.slot.box->value.items[0];
  Called inserted("sequence_insert", {&made.slot.box->value, &value});
  ASSERT_EQ(inserted.slot.value.count, 3);
  EXPECT_EQ(inserted.slot.value.items[0], first);
  int64_t place = -3;
  tenon_value at = tensor(TENON_I64, scalar, &place);
  Called taken("sequence_at", {&made.slot.box->value, &at});
  EXPECT_EQ(taken.code, 1);
  EXPECT_EQ(taken.text, "position -3 is out of range for a sequence of length 2");
  Called wrong("sequence_at", {&value, &at});
  EXPECT_EQ(wrong.text, "expects a sequence as input 0");
  EXPECT_EQ(findRuntimeFunction("no such function").function, nullptr);
}

TEST(Values, LibrariesThatAreMissingAreNamed) {
  char text[512];
  EXPECT_EQ(findInLibrary("no_such_library", "f", "/tmp/model.so", text, sizeof(text)), nullptr);
  EXPECT_NE(std::string(text).find("there is no '/tmp/no_such_library.so' or '"), std::string::npos) << text;
  EXPECT_EQ(findInLibrary("", "f", "/tmp/model.so", text, sizeof(text)), nullptr);
  EXPECT_STREQ(text, "the application does not have it");
}
} // namespace
