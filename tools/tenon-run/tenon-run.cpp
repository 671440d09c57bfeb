//===- tenon-run.cpp - Run a compiled model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactFile.h"
#include "Options.h"
#include "Text.h"
#include "Values.h"
#include "tenon/Artifact/MetadataView.h"
#include "tenon/Runtime/tenon.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <vector>

using namespace tenon;
using namespace tenon::run;
using npz::find;
using npz::kindOf;

namespace {
void check(tenon_status status) {
  if (status != TENON_OK)
    die(tenon_last_error());
}

std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t d = 0; d < shape.size(); ++d)
    text += (d ? ", " : "") + std::to_string(shape[d]);
  return text + "]";
}

/// "float32[batch, 4]"
std::string typeText(const artifact::ModelMetadata &model, const artifact::TensorInfo &tensor) {
  std::string text = artifact::nameOf(uint32_t(tensor.dtype));
  if (tensor.kind != artifact::ValueKind::Tensor)
    return (tensor.kind == artifact::ValueKind::Sequence ? "sequence of " : "optional ") + text;
  for (size_t d = 0; d < tensor.dims.size(); ++d) {
    const artifact::Dim &dim = tensor.dims[d];
    text += d ? ", " : "[";
    text += dim.kind == artifact::Dim::Static   ? std::to_string(dim.value)
            : dim.kind == artifact::Dim::Symbol ? model.symbols[size_t(dim.value)].name
                                                : "?";
  }
  return text + (tensor.dims.empty() ? "[]" : "]");
}

/// What the file says, also where it can't run.
void list(const ArtifactFile &file, const std::string &runsHere) {
  const artifact::ModelMetadata &model = file.metadata();
  for (const artifact::TensorInfo &input : model.inputs)
    say("input %s: %s", input.name.c_str(), typeText(model, input).c_str());
  for (const artifact::TensorInfo &output : model.outputs)
    say("output %s: %s", output.name.c_str(), typeText(model, output).c_str());
  for (const artifact::VariantInfo &variant : model.variants) {
    std::string features;
    for (const std::string &feature : variant.features)
      features += (features.empty() ? " with " : ", ") + feature;
    say("code: %s (%s%s)%s", variant.name.c_str(), file.machine().c_str(), features.c_str(),
        variant.name == runsHere ? ", which runs here" : "");
  }
  if (model.variants.empty())
    say("code: none but the host program (%s)", file.machine().c_str());
}

double halfToDouble(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                     : exponent == 0 ? std::ldexp(mantissa, -24)
                                     : std::ldexp(mantissa + 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

template <typename T> double load(const unsigned char *p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return double(value);
}

/// Element `i` as a number; complex numbers are two elements of half the size.
double element(const npz::Array &a, int64_t i) {
  char kind = a.kind == 'c' ? 'f' : a.kind;
  int64_t item = a.kind == 'c' ? a.item / 2 : a.item;
  const unsigned char *p = a.data.data() + i * item;
  switch (kind) {
  case 'f':
    if (item == 2) {
      uint16_t bits;
      std::memcpy(&bits, p, 2);
      return halfToDouble(bits);
    }
    return item == 4 ? load<float>(p) : load<double>(p);
  case 'i':
    return item == 1 ? load<int8_t>(p) : item == 2 ? load<int16_t>(p) : item == 4 ? load<int32_t>(p) : load<int64_t>(p);
  case 'V':
    if (item == 2) { // bfloat16
      uint32_t bits = 0;
      std::memcpy(reinterpret_cast<unsigned char *>(&bits) + 2, p, 2);
      return load<float>(reinterpret_cast<unsigned char *>(&bits));
    }
    [[fallthrough]];
  default:
    return item == 1   ? load<uint8_t>(p)
           : item == 2 ? load<uint16_t>(p)
           : item == 4 ? load<uint32_t>(p)
                       : load<uint64_t>(p);
  }
}

/// Whether `actual` is what `expected` says; prints one line.
bool compare(const std::string &name, const npz::Array &actual, const npz::Array &expected, double tolerance) {
  if (actual.kind == 'U' && expected.kind == 'U' && actual.shape == expected.shape) {
    bool same = npz::textsOf(actual) == npz::textsOf(expected);
    say("%s: %s", name.c_str(), same ? "equal" : "different strings");
    return same;
  }
  if (actual.shape != expected.shape || actual.kind != expected.kind || actual.item != expected.item) {
    auto describe = [](const npz::Array &a) {
      return std::string(1, a.kind) + std::to_string(a.item) + shapeText(a.shape);
    };
    say("%s: is %s, expected %s", name.c_str(), describe(actual).c_str(), describe(expected).c_str());
    return false;
  }
  int64_t count = actual.count() * (actual.kind == 'c' ? 2 : 1), worst = -1;
  double largest = 0, difference = 0;
  for (int64_t i = 0; i < count; ++i) {
    double a = element(actual, i), e = element(expected, i);
    if (std::isfinite(e))
      largest = std::max(largest, std::abs(e));
    if (a == e || (std::isnan(a) && std::isnan(e)))
      continue;
    double d = std::abs(a - e);
    if (!(d <= difference) || worst < 0) {
      difference = std::isfinite(d) ? d : INFINITY;
      worst = i;
    }
    if (difference == INFINITY)
      break;
  }
  bool floating = actual.kind == 'f' || actual.kind == 'c' || actual.kind == 'V';
  bool same = worst < 0 || (floating && difference <= tolerance * largest);
  if (worst < 0)
    say("%s: equal", name.c_str());
  else
    say("%s: %s, largest difference %g (%g relative to %g) at element %lld: %.9g, expected %.9g", name.c_str(),
        same ? "close" : "different", difference, largest > 0 ? difference / largest : INFINITY, largest,
        (long long)worst, element(actual, worst), element(expected, worst));
  return same;
}

npz::Array makeInput(const tenon_model *model, int32_t index, const tenon_tensor_info &info, const Options &options) {
  npz::Array array;
  array.kind = kindOf(info.dtype);
  array.item = std::max(tenon_dtype_bits(info.dtype) / 8, 1);
  int64_t bytes = array.item;
  bool fits = true, isEmpty = false;
  for (int32_t d = 0; d < info.rank; ++d) {
    tenon_dim dim;
    check(tenon_model_input_dim(model, index, d, &dim));
    int64_t size = dim.size >= 0 ? dim.size : dim.symbol ? options.sizeOf(dim.symbol).value_or(1) : 1;
    array.shape.push_back(size);
    isEmpty |= size == 0;
    fits = fits && !__builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes);
  }
  std::string what = std::string("input '") + info.name + "' of sizes " + shapeText(array.shape);
  if (!fits && !isEmpty)
    die(what + " has more bytes than 64 bits can count");
  try {
    array.data.resize(isEmpty ? 0 : size_t(bytes));
  } catch (const std::exception &) {
    die("out of memory: " + what + " needs " + std::to_string(bytes) + " bytes");
  }
  uint32_t state = 12345u + uint32_t(index);
  for (int64_t i = 0, count = array.count(); i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    float unit = float(state >> 8) / float(1 << 23) - 1.0f;
    double wide = unit;
    if (info.dtype == TENON_F32)
      std::memcpy(array.data.data() + i * 4, &unit, 4);
    else if (info.dtype == TENON_F64)
      std::memcpy(array.data.data() + i * 8, &wide, 8);
    else if (info.dtype == TENON_BF16)
      std::memcpy(array.data.data() + i * 2, reinterpret_cast<char *>(&unit) + 2, 2);
    else if (info.dtype == TENON_F16) { // 0.5 to 1 by random mantissas, and a sign
      uint16_t half = uint16_t(0x3800 | (state >> 8 & 0x3ff) | (state >> 16 & 0x8000));
      std::memcpy(array.data.data() + i * 2, &half, 2);
    } else
      array.data[size_t(i * array.item)] = state >> 31; // integers: 0 and 1 are valid as most indices
  }
  return array;
}

/// Ends the program where a symbol is given that no input has, or where an input says otherwise.
void checkSymbols(const tenon_model *model, const Options &options) {
  for (const auto &[symbol, size] : options.symbols) {
    bool isKnown = false;
    for (int32_t i = 0; i < tenon_model_input_count(model); ++i) {
      tenon_tensor_info info;
      check(tenon_model_input(model, i, &info));
      const npz::Array *given = info.kind == TENON_TENSOR ? find(options.inputs, info.name) : nullptr;
      for (int32_t d = 0; d < info.rank; ++d) {
        tenon_dim dim;
        check(tenon_model_input_dim(model, i, d, &dim));
        if (!dim.symbol || symbol != dim.symbol)
          continue;
        isKnown = true;
        if (given && given->shape.size() == size_t(info.rank) && given->shape[size_t(d)] != size)
          die("size '" + symbol + "' is given as " + std::to_string(size) + ", but input '" + info.name + "' has " +
              std::to_string(given->shape[size_t(d)]) + " in dimension " + std::to_string(d));
      }
    }
    if (!isKnown)
      die("no input of the model has a size named '" + symbol + "'");
  }
}

/// An output never takes the place of what it was made from.
void checkOutput(const Options &options) {
  struct stat output, other;
  if (options.output.empty() || stat(options.output.c_str(), &output) != 0)
    return;
  std::vector<std::string> files = options.files;
  files.push_back(options.model);
  files.push_back(options.expect);
  for (const std::string &file : files)
    if (!file.empty() && stat(file.c_str(), &other) == 0 && S_ISREG(other.st_mode) && other.st_dev == output.st_dev &&
        other.st_ino == output.st_ino)
      die("'" + options.output + "' can't be written: it is '" + file + "', which is read");
}

/// "y: float32[2, 10]"
std::string describe(const std::string &name, const tenon_value &value) {
  std::string type = tenon_dtype_name(value.dtype);
  if (value.kind == TENON_TENSOR)
    return name + ": " + type + shapeText({value.shape, value.shape + value.rank});
  if (value.kind == TENON_OPTIONAL && value.count == 0)
    return name + ": no value";
  if (value.kind == TENON_OPTIONAL)
    return describe(name, *value.items[0]);
  return name + ": sequence of " + std::to_string(value.count);
}

void printTimes(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  double sum = 0;
  for (double time : times)
    sum += time;
  say("time: minimum %.4f ms, median %.4f ms, mean %.4f ms of %zu runs", times[0], times[times.size() / 2],
      sum / double(times.size()), times.size());
}

void printProfile(const tenon_session *session) {
  int64_t total = 0;
  for (int32_t i = 0; i < tenon_session_profile_count(session); ++i) {
    tenon_profile_entry entry;
    check(tenon_session_profile(session, i, &entry));
    if (entry.count == 0)
      continue;
    total += entry.nanoseconds;
    say("%10.3f us  fastest %10.3f us  x%-6lld %s  (%s)", double(entry.nanoseconds) / double(entry.count) / 1000,
        double(entry.fastest) / 1000, (long long)entry.count, entry.kernel, entry.nodes);
  }
  tenon_copy_profile copies;
  check(tenon_session_profile_copies(session, &copies));
  say("copies: %lld of %lld bytes in %.3f ms", (long long)copies.count, (long long)copies.bytes,
      double(copies.nanoseconds) / 1e6);
  say("launches: %.3f ms in all; memory of the session: %lld bytes", double(total) / 1e6,
      (long long)tenon_session_memory_bytes(session));
}

/// Binds what is given or made up. Both stay where they are.
void bindInputs(const tenon_model *model, tenon_session *session, const Options &options, npz::Archive &made) {
  for (const auto &entry : options.inputs)
    if (tenon_model_find_input(model, entry.first.c_str()) < 0 &&
        tenon_model_find_input(model, npz::wholeOf(entry.first).c_str()) < 0)
      die("the model has no input named '" + entry.first + "'");
  checkSymbols(model, options);
  int32_t count = tenon_model_input_count(model);
  made.reserve(size_t(count));
  for (int32_t i = 0; i < count; ++i) {
    tenon_tensor_info info;
    check(tenon_model_input(model, i, &info));
    npz::Operand operand;
    std::string problem;
    if (!npz::describe(options.inputs, info.name, info.kind, info.dtype, operand, problem)) {
      if (!problem.empty())
        die(problem);
      if (!options.random)
        die(std::string("input '") + info.name + "' is not given (and --random is not)");
      if (info.kind != TENON_TENSOR || info.dtype == TENON_STRING)
        die(std::string("input '") + info.name + "' is not given, and can't be made at random");
      made.emplace_back(info.name, makeInput(model, i, info, options));
      if (!npz::describe(made, info.name, info.kind, info.dtype, operand, problem))
        die(problem);
    }
    check(tenon_session_bind_input(session, i, &operand.value));
  }
}

/// Whether all outputs are what is expected.
bool compareAll(const npz::Archive &outputs, const Options &options) {
  npz::Archive expected;
  std::string error;
  if (!npz::readNpz(options.expect, expected, error))
    die(error);
  bool same = true;
  for (const auto &[name, array] : expected) {
    const npz::Array *actual = find(outputs, name);
    if (!actual)
      die("the model has no output named '" + name + "'");
    same &= compare(name, *actual, array, options.tolerance);
  }
  return same;
}

/// The exit status.
int runModel(const Options &options, tenon_model *model) {
  std::vector<const tenon_device *> devices;
  for (const std::string &library : options.devices)
    check(tenon_device_load(library.c_str(), &devices.emplace_back()));
  tenon_options sessionOptions = {};
  sessionOptions.size = sizeof(sessionOptions);
  sessionOptions.threads = options.threads;
  sessionOptions.profile = options.profile;
  sessionOptions.devices = devices.data();
  sessionOptions.device_count = int32_t(devices.size());
  sessionOptions.memory_limit = options.memoryLimit;
  tenon_session *session;
  check(tenon_session_create(model, &sessionOptions, &session));
  npz::Archive made, outputs;
  bindInputs(model, session, options, made);
  check(tenon_session_run(session));

  bool isQuiet = !options.output.empty() || !options.expect.empty() || options.time != 0 || options.profile;
  for (int32_t i = 0; i < tenon_model_output_count(model); ++i) {
    tenon_tensor_info info;
    const tenon_value *value;
    check(tenon_model_output(model, i, &info));
    check(tenon_session_output(session, i, &value));
    if (!isQuiet)
      say("%s", describe(info.name, *value).c_str());
    npz::add(outputs, info.name, *value);
  }
  std::string error;
  if (!options.output.empty() && !npz::writeNpz(options.output, outputs, error))
    die(error);
  bool same = options.expect.empty() || compareAll(outputs, options);
  std::vector<double> times;
  for (int64_t i = 0; i < options.time; ++i) {
    auto start = std::chrono::steady_clock::now();
    check(tenon_session_run(session));
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  if (!times.empty())
    printTimes(times);
  if (options.profile)
    printProfile(session);
  tenon_session_destroy(session);
  return same ? 0 : 1;
}

int work(const Options &options) {
  checkOutput(options);
  tenon_model *model = nullptr;
  if (options.list || options.verify) {
    ArtifactFile file;
    std::string problem = file.open(options.model);
    if (problem.empty() && options.verify)
      problem = file.verify();
    if (!problem.empty())
      die(problem);
    if (options.verify && !options.runs())
      say("%s: all checksums are right", options.model.c_str());
    if (options.list)
      list(file, tenon_model_open(options.model.c_str(), &model) == TENON_OK ? tenon_model_variant(model) : "");
  }
  int status = 0;
  if (!options.list && options.runs()) {
    check(tenon_model_open(options.model.c_str(), &model));
    status = runModel(options, model);
  }
  tenon_model_close(model);
  return status;
}
} // namespace

int main(int argc, char **argv) {
  handleSignals();
  try {
    finish(work(parseOptions(argc, argv)));
  } catch (const std::bad_alloc &) {
    die("out of memory");
  } catch (const std::length_error &) {
    die("out of memory");
  }
}
