//===- Strings.cpp - Functions on strings that compiled models call ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The library `tenon_host_functions`: what the ops of `tenon` on strings and chance compute, by the names of the ops.
// Parameters come before operands, as `HostCallInterface` says.
//
//===----------------------------------------------------------------------===//

#include "tenon/Runtime/tenon_host.h"

#include <algorithm>
#include <cstring>
#include <cwctype>
#include <iterator>
#include <locale.h>
#include <regex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {
using View = std::string_view;

[[noreturn]] void fail(const std::string &text) { throw std::runtime_error(text); }

int64_t countOf(const tenon_value &tensor) {
  int64_t count = 1;
  for (int64_t d = 0; d < tensor.rank; ++d)
    count *= tensor.shape[d];
  return count;
}

/// The tensor of strings in an input.
struct Strings {
  Strings(tenon_call *call, int32_t input) : tensor(*call->inputs[input]) {
    if (tensor.kind != TENON_TENSOR || tensor.dtype != TENON_STRING)
      fail("input " + std::to_string(input) + " holds no strings");
    count = countOf(tensor);
  }
  View operator[](int64_t i) const {
    const tenon_string &text = static_cast<const tenon_string *>(tensor.data)[i];
    return {text.data, text.size};
  }
  const tenon_value &tensor;
  int64_t count;
};

int64_t integerOf(tenon_call *call, int32_t input) { return *static_cast<const int64_t *>(call->inputs[input]->data); }

template <typename T> T *numbers(tenon_call *call, int32_t output, int32_t dtype, const tenon_value &like) {
  void *data = call->set_tensor(call, output, dtype, like.rank, like.shape);
  if (!data)
    throw nullptr; // the reason is recorded
  return static_cast<T *>(data);
}

void give(tenon_call *call, int32_t output, const std::vector<int64_t> &shape, const std::vector<std::string> &texts) {
  std::vector<tenon_string> views;
  views.reserve(texts.size());
  for (const std::string &text : texts)
    views.push_back({text.data(), text.size()});
  if (call->set_strings(call, output, int64_t(shape.size()), shape.data(), views.data()) != 0)
    throw nullptr;
}

std::vector<int64_t> shapeOf(const tenon_value &tensor) { return {tensor.shape, tensor.shape + tensor.rank}; }

void checkSameShape(const tenon_value &a, const tenon_value &b) {
  if (shapeOf(a) != shapeOf(b))
    fail("the operands have different sizes");
}

//===----------------------------------------------------------------------===//
// Case
//===----------------------------------------------------------------------===//

locale_t unicode() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// Letters of UTF-8 text in the other case; bytes that are no UTF-8 stay.
std::string mapped(View text, wint_t (*map)(wint_t, locale_t)) {
  std::string result;
  for (size_t i = 0; i < text.size();) {
    unsigned char first = text[i];
    size_t length = first < 0x80                    ? 1
                    : first >= 0xc2 && first < 0xe0 ? 2
                    : first >= 0xe0 && first < 0xf0 ? 3
                    : first >= 0xf0 && first < 0xf5 ? 4
                                                    : 0;
    uint32_t code = length == 1 ? first : length == 0 ? 0 : first & (0x7f >> length);
    bool valid = length != 0 && i + length <= text.size();
    for (size_t k = 1; valid && k < length; ++k) {
      valid = (text[i + k] & 0xc0) == 0x80;
      code = code << 6 | (text[i + k] & 0x3f);
    }
    if (!valid) {
      result += text[i++];
      continue;
    }
    uint32_t other = unicode() ? map(wint_t(code), unicode()) : code;
    if (other == code)
      result += text.substr(i, length);
    else if (other < 0x80)
      result += char(other);
    else if (other < 0x800)
      (result += char(0xc0 | other >> 6)) += char(0x80 | (other & 0x3f));
    else if (other < 0x10000)
      ((result += char(0xe0 | other >> 12)) += char(0x80 | (other >> 6 & 0x3f))) += char(0x80 | (other & 0x3f));
    else
      (((result += char(0xf0 | other >> 18)) += char(0x80 | (other >> 12 & 0x3f))) +=
       char(0x80 | (other >> 6 & 0x3f))) += char(0x80 | (other & 0x3f));
    i += length;
  }
  return result;
}

std::string lower(View text) { return mapped(text, towlower_l); }
std::string upper(View text) { return mapped(text, towupper_l); }

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

void stringConcat(tenon_call *call) {
  Strings a(call, 0), b(call, 1);
  checkSameShape(a.tensor, b.tensor);
  std::vector<std::string> texts;
  for (int64_t i = 0; i < a.count; ++i)
    texts.push_back(std::string(a[i]) += b[i]);
  give(call, 0, shapeOf(a.tensor), texts);
}

void stringCompare(tenon_call *call) {
  int64_t predicate = integerOf(call, 0);
  Strings a(call, 1), b(call, 2);
  checkSameShape(a.tensor, b.tensor);
  bool *result = numbers<bool>(call, 0, TENON_BOOL, a.tensor);
  for (int64_t i = 0; i < a.count; ++i) {
    int order = a[i].compare(b[i]);
    bool outcomes[] = {order == 0, order != 0, order < 0, order <= 0, order > 0, order >= 0};
    result[i] = outcomes[predicate];
  }
}

void stringMatch(tenon_call *call) {
  Strings pattern(call, 0), texts(call, 1);
  // Without backtracking: time is bounded, and so is the stack.
  std::regex regex(std::string(pattern[0]), std::regex::ECMAScript | std::regex_constants::__polynomial);
  bool *result = numbers<bool>(call, 0, TENON_BOOL, texts.tensor);
  for (int64_t i = 0; i < texts.count; ++i)
    result[i] = std::regex_match(texts[i].begin(), texts[i].end(), regex);
}

void stringNormalize(tenon_call *call) {
  View change = Strings(call, 0)[0];
  bool isExact = integerOf(call, 1) != 0;
  Strings stop(call, 2), texts(call, 3);
  auto comparable = [&](View text) { return isExact ? std::string(text) : lower(text); };
  std::vector<std::string> words, kept;
  for (int64_t i = 0; i < stop.count; ++i)
    words.push_back(comparable(stop[i]));
  for (int64_t i = 0; i < texts.count; ++i) {
    bool stays = true;
    std::string key = words.empty() ? std::string() : comparable(texts[i]);
    for (const std::string &word : words)
      stays = stays && word != key;
    if (stays)
      kept.push_back(change == "lower" ? lower(texts[i]) : change == "upper" ? upper(texts[i]) : std::string(texts[i]));
  }
  if (kept.empty())
    kept.emplace_back();
  std::vector<int64_t> shape = shapeOf(texts.tensor);
  shape.back() = int64_t(kept.size());
  give(call, 0, shape, kept);
}

std::vector<std::string> parts(View text, View delimiter, int64_t limit) {
  std::vector<std::string> result;
  constexpr View space = " \t\n\v\f\r";
  if (delimiter.empty()) {
    size_t at = text.find_first_not_of(space);
    while (at != View::npos) {
      size_t end = limit >= 0 && int64_t(result.size()) == limit ? text.size() : text.find_first_of(space, at);
      end = end == View::npos ? text.size() : end;
      View part = text.substr(at, end - at);
      if (end == text.size())
        part = part.substr(0, part.find_last_not_of(space) + 1);
      result.emplace_back(part);
      at = text.find_first_not_of(space, end);
    }
    return result;
  }
  if (text.empty())
    return result;
  size_t at = 0;
  while (limit < 0 || int64_t(result.size()) < limit) {
    size_t end = text.find(delimiter, at);
    if (end == View::npos)
      break;
    result.emplace_back(text.substr(at, end - at));
    at = end + delimiter.size();
  }
  result.emplace_back(text.substr(at));
  return result;
}

void stringSplit(tenon_call *call) {
  View delimiter = Strings(call, 0)[0];
  int64_t limit = integerOf(call, 1);
  Strings texts(call, 2);
  int64_t *counts = numbers<int64_t>(call, 1, TENON_I64, texts.tensor);
  std::vector<std::vector<std::string>> lists;
  size_t most = 0;
  for (int64_t i = 0; i < texts.count; ++i) {
    lists.push_back(parts(texts[i], delimiter, limit));
    counts[i] = int64_t(lists.back().size());
    most = std::max(most, lists.back().size());
  }
  std::vector<std::string> all;
  for (std::vector<std::string> &list : lists) {
    list.resize(most);
    std::move(list.begin(), list.end(), std::back_inserter(all));
  }
  std::vector<int64_t> shape = shapeOf(texts.tensor);
  shape.push_back(int64_t(most));
  give(call, 0, shape, all);
}

//===----------------------------------------------------------------------===//
// Chance
//===----------------------------------------------------------------------===//

/// The stream only tells calls apart: each gets bits of its own.
void randomSeed(tenon_call *call) {
  auto *seed = numbers<int64_t>(call, 0, TENON_I64, *call->outputs[0]);
  if (getentropy(seed, sizeof(*seed)) != 0)
    fail("the system gives no random bits");
}

//===----------------------------------------------------------------------===//
// Lookup
//===----------------------------------------------------------------------===//

/// Bytes of a number; floating point as IEEE says it is equal: -0 is 0, each NaN one.
template <typename T> std::string keyOf(T value) {
  if (value != value)
    return "nan";
  value += T(0);
  return std::string(reinterpret_cast<const char *>(&value), sizeof(T));
}

/// Bytes of an element that isn't a string.
int64_t bytesOf(int32_t dtype) {
  switch (dtype) {
  case TENON_BOOL:
  case TENON_I8:
  case TENON_U8:
    return 1;
  case TENON_I16:
  case TENON_U16:
  case TENON_F16:
  case TENON_BF16:
    return 2;
  case TENON_F32:
  case TENON_I32:
  case TENON_U32:
    return 4;
  case TENON_F64:
  case TENON_I64:
  case TENON_U64:
    return 8;
  }
  fail("elements of dtype " + std::to_string(dtype) + " can't be looked up");
}

std::string keyAt(const tenon_value &tensor, int64_t i) {
  switch (tensor.dtype) {
  case TENON_STRING: {
    const tenon_string &text = static_cast<const tenon_string *>(tensor.data)[i];
    return {text.data, text.size};
  }
  case TENON_F32:
    return keyOf(static_cast<const float *>(tensor.data)[i]);
  case TENON_F64:
    return keyOf(static_cast<const double *>(tensor.data)[i]);
  default:
    int64_t bytes = bytesOf(tensor.dtype);
    return std::string(static_cast<const char *>(tensor.data) + i * bytes, size_t(bytes));
  }
}

void lookup(tenon_call *call) {
  const tenon_value &operand = *call->inputs[0], &keys = *call->inputs[1], &values = *call->inputs[2],
                    &fallback = *call->inputs[3];
  if (operand.dtype != keys.dtype || values.dtype != fallback.dtype || countOf(keys) != countOf(values))
    fail("keys and values don't fit each other or the operand");
  std::unordered_map<std::string, int64_t> known; // the first of equal keys
  for (int64_t i = 0, e = countOf(keys); i < e; ++i)
    known.emplace(keyAt(keys, i), i);
  std::vector<int64_t> places; // of the values, -1 for the default
  for (int64_t i = 0, e = countOf(operand); i < e; ++i) {
    auto found = known.find(keyAt(operand, i));
    places.push_back(found == known.end() ? -1 : found->second);
  }
  if (values.dtype == TENON_STRING) {
    Strings texts(call, 2), other(call, 3);
    std::vector<std::string> result;
    for (int64_t place : places)
      result.emplace_back(place < 0 ? other[0] : texts[place]);
    return give(call, 0, shapeOf(operand), result);
  }
  int64_t bytes = bytesOf(values.dtype);
  char *result = numbers<char>(call, 0, values.dtype, operand);
  for (size_t i = 0; i < places.size(); ++i)
    std::memcpy(result + int64_t(i) * bytes,
                places[i] < 0 ? static_cast<const char *>(fallback.data)
                              : static_cast<const char *>(values.data) + places[i] * bytes,
                size_t(bytes));
}

/// No exception leaves the library.
template <void (*function)(tenon_call *)> int32_t guarded(tenon_call *call) {
  try {
    function(call);
    return 0;
  } catch (const std::exception &error) {
    return call->fail(call, error.what());
  } catch (std::nullptr_t) {
    return 1;
  }
}

const tenon_host_entry functions[] = {
    {"lookup", guarded<lookup>, nullptr},
    {"random_seed", guarded<randomSeed>, nullptr},
    {"string_compare", guarded<stringCompare>, nullptr},
    {"string_concat", guarded<stringConcat>, nullptr},
    {"string_match", guarded<stringMatch>, nullptr},
    {"string_normalize", guarded<stringNormalize>, nullptr},
    {"string_split", guarded<stringSplit>, nullptr},
};
} // namespace

const tenon_host_entry *tenon_host_library(uint32_t version, int32_t *count) {
  if (version != TENON_HOST_ABI)
    return nullptr;
  *count = int32_t(std::size(functions));
  return functions;
}
