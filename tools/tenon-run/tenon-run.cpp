//===- tenon-run.cpp - run a compiled model
//-----------------------------------------------------------------===//

#include "Values.h"
#include "tenon/Runtime/tenon.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using namespace tenon;
using npz::find;
using npz::kindOf;

namespace {
const char kUsage[] = R"(usage: tenon-run model.so [options]
  --input FILE.npz | NAME=FILE.npy   inputs by name; may be repeated. Strings are of
                                     NumPy's type U, a sequence is NAME.0, NAME.1, ... with its length in
                                     NAME.len, an optional without a value is NAME.len = -1
  --output FILE.npz                  write the outputs
  --expect FILE.npz                  compare the outputs; exit status 1 when one differs, as after any error
  --tolerance T                      largest difference, relative to the largest expected value (default 1e-4)
  --symbol NAME=N                    size of a symbolic dimension of an input that isn't given
  --random                           fill inputs that aren't given (seeded, the same every time)
  --time N                           run N more times and print minimum, median and mean
  --profile                          print the mean and the lowest time of each launch, and what is copied between them
  --threads N                        default: one per CPU
  --device LIBRARY.so                a device that the model may need (see tenon_device.h); may be repeated
  --list                             print inputs and outputs, run nothing
  --verify                           check all checksums of the file
)";

[[noreturn]] void die(const std::string &message) {
  std::fprintf(stderr, "tenon-run: error: %s\n", message.c_str());
  std::exit(1);
}

void check(tenon_status status) {
  if (status != TENON_OK)
    die(tenon_last_error());
}

struct Options {
  std::string model, output, expect;
  npz::Archive inputs;
  std::vector<std::pair<std::string, int64_t>> symbols;
  double tolerance = 1e-4;
  long time = 0;
  int32_t threads = 0;
  std::vector<const tenon_device *> devices;
  bool profile = false, list = false, verify = false, random = false;
};

Options parse(int argc, char **argv) {
  Options options;
  std::string error;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i], value;
    size_t equals = word.find('=');
    bool attached = word.compare(0, 2, "--") == 0 && equals != std::string::npos;
    if (attached) {
      value = word.substr(equals + 1);
      word.resize(equals);
    }
    auto operand = [&] {
      if (!attached && ++i == argc)
        die("option '" + word + "' needs a value");
      return attached ? value : std::string(argv[i]);
    };
    auto number = [&] {
      std::string text = operand();
      char *end;
      double result = std::strtod(text.c_str(), &end);
      if (end == text.c_str() || *end || result < 0)
        die("'" + text + "' is not a number for '" + word + "'");
      return result;
    };
    if (word == "--help" || word == "-h") {
      std::fputs(kUsage, stdout);
      std::exit(0);
    } else if (word == "--input" || word == "-i") {
      std::string file = operand();
      size_t split = file.find('=');
      if (split != std::string::npos) {
        npz::Array array;
        if (!npz::readNpy(file.substr(split + 1), array, error))
          die(error);
        options.inputs.emplace_back(file.substr(0, split), std::move(array));
      } else if (!npz::readNpz(file, options.inputs, error)) {
        die(error);
      }
    } else if (word == "--symbol") {
      std::string text = operand();
      size_t split = text.find('=');
      if (split == std::string::npos)
        die("'--symbol' needs NAME=N");
      options.symbols.emplace_back(text.substr(0, split), std::atoll(text.c_str() + split + 1));
    } else if (word == "--output" || word == "-o") {
      options.output = operand();
    } else if (word == "--expect") {
      options.expect = operand();
    } else if (word == "--tolerance") {
      options.tolerance = number();
    } else if (word == "--time") {
      options.time = long(number());
    } else if (word == "--threads") {
      options.threads = int32_t(number());
    } else if (word == "--device") {
      check(tenon_device_load(operand().c_str(), &options.devices.emplace_back()));
    } else if (word == "--profile") {
      options.profile = true;
    } else if (word == "--random") {
      options.random = true;
    } else if (word == "--list") {
      options.list = true;
    } else if (word == "--verify") {
      options.verify = true;
    } else if (!word.empty() && word[0] == '-') {
      die("unknown option '" + word + "' (see --help)");
    } else if (options.model.empty()) {
      options.model = word;
    } else {
      die("more than one model: '" + options.model + "' and '" + word + "'");
    }
  }
  if (options.model.empty())
    die("no model (see --help)");
  return options;
}

void printTensors(const tenon_model *model, bool output) {
  int32_t count = output ? tenon_model_output_count(model) : tenon_model_input_count(model);
  for (int32_t i = 0; i < count; ++i) {
    tenon_tensor_info info;
    check(output ? tenon_model_output(model, i, &info) : tenon_model_input(model, i, &info));
    std::printf("%s %s: %s[", output ? "output" : "input", info.name, tenon_dtype_name(info.dtype));
    for (int32_t d = 0; d < info.rank; ++d) {
      tenon_dim dim;
      check(output ? tenon_model_output_dim(model, i, d, &dim) : tenon_model_input_dim(model, i, d, &dim));
      std::string text = dim.size >= 0 ? std::to_string(dim.size) : dim.symbol ? dim.symbol : "?";
      std::printf("%s%s", d ? ", " : "", text.c_str());
    }
    std::printf("]\n");
  }
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
    return item == 1   ? load<int8_t>(p)
           : item == 2 ? load<int16_t>(p)
           : item == 4 ? load<int32_t>(p)
                       : load<int64_t>(p);
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
bool compare(const std::string &name, const npz::Array &actual, const npz::Array &expected,
             double tolerance) {
  if (actual.kind == 'U' && expected.kind == 'U' && actual.shape == expected.shape) {
    bool same = npz::textsOf(actual) == npz::textsOf(expected);
    std::printf("%s: %s\n", name.c_str(), same ? "equal" : "different strings");
    return same;
  }
  if (actual.shape != expected.shape || actual.kind != expected.kind || actual.item != expected.item) {
    auto describe = [](const npz::Array &a) {
      std::string text = std::string(1, a.kind) + std::to_string(a.item) + "[";
      for (size_t d = 0; d < a.shape.size(); ++d)
        text += (d ? ", " : "") + std::to_string(a.shape[d]);
      return text + "]";
    };
    std::printf("%s: is %s, expected %s\n", name.c_str(), describe(actual).c_str(),
                describe(expected).c_str());
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
    std::printf("%s: equal\n", name.c_str());
  else
    std::printf("%s: %s, largest difference %g (%g relative to %g) at element %lld: %.9g, expected %.9g\n",
                name.c_str(), same ? "close" : "different", difference,
                largest > 0 ? difference / largest : INFINITY, largest, (long long)worst,
                element(actual, worst), element(expected, worst));
  return same;
}

npz::Array makeInput(const tenon_model *model, int32_t index, const tenon_tensor_info &info,
                     const Options &options) {
  npz::Array array;
  array.kind = kindOf(info.dtype);
  array.item = std::max(tenon_dtype_bits(info.dtype) / 8, 1);
  for (int32_t d = 0; d < info.rank; ++d) {
    tenon_dim dim;
    check(tenon_model_input_dim(model, index, d, &dim));
    int64_t size = dim.size >= 0 ? dim.size : 1;
    for (const auto &[name, value] : options.symbols)
      if (dim.symbol && name == dim.symbol)
        size = value;
    array.shape.push_back(size);
  }
  array.data.resize(size_t(array.count() * array.item));
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

/// Ends the program where a symbol is given that no input has.
void checkSymbols(const tenon_model *model, const Options &options) {
  for (const auto &entry : options.symbols) {
    bool isKnown = false;
    for (int32_t i = 0; i < tenon_model_input_count(model); ++i) {
      tenon_tensor_info info;
      check(tenon_model_input(model, i, &info));
      for (int32_t d = 0; d < info.rank; ++d) {
        tenon_dim dim;
        check(tenon_model_input_dim(model, i, d, &dim));
        isKnown |= dim.symbol && entry.first == dim.symbol;
      }
    }
    if (!isKnown)
      die("no input of the model has a size named '" + entry.first + "'");
  }
}
} // namespace

int main(int argc, char **argv) {
  Options options = parse(argc, argv);
  tenon_model *model;
  check(tenon_model_open(options.model.c_str(), &model));
  if (options.verify)
    check(tenon_model_verify(model));
  if (options.list) {
    printTensors(model, false);
    printTensors(model, true);
    std::printf("code: %s\n", tenon_model_variant(model));
    tenon_model_close(model);
    return 0;
  }

  tenon_options sessionOptions = {};
  sessionOptions.size = sizeof(sessionOptions);
  sessionOptions.threads = options.threads;
  sessionOptions.profile = options.profile;
  sessionOptions.devices = options.devices.data();
  sessionOptions.device_count = int32_t(options.devices.size());
  tenon_session *session;
  check(tenon_session_create(model, &sessionOptions, &session));

  for (const auto &entry : options.inputs)
    if (tenon_model_find_input(model, entry.first.c_str()) < 0 &&
        tenon_model_find_input(model, npz::wholeOf(entry.first).c_str()) < 0)
      die("the model has no input named '" + entry.first + "'");
  checkSymbols(model, options);
  npz::Archive made;
  int32_t inputCount = tenon_model_input_count(model);
  made.reserve(size_t(inputCount));
  for (int32_t i = 0; i < inputCount; ++i) {
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
  check(tenon_session_run(session));

  npz::Archive outputs, expected;
  for (int32_t i = 0; i < tenon_model_output_count(model); ++i) {
    tenon_tensor_info info;
    const tenon_value *value;
    check(tenon_model_output(model, i, &info));
    check(tenon_session_output(session, i, &value));
    npz::add(outputs, info.name, *value);
  }
  std::string error;
  if (!options.output.empty() && !npz::writeNpz(options.output, outputs, error))
    die(error);
  bool same = true;
  if (!options.expect.empty()) {
    if (!npz::readNpz(options.expect, expected, error))
      die(error);
    for (const auto &[name, array] : expected) {
      const npz::Array *actual = find(outputs, name);
      if (!actual)
        die("the model has no output named '" + name + "'");
      same &= compare(name, *actual, array, options.tolerance);
    }
  }

  if (options.time > 0) {
    std::vector<double> times;
    double sum = 0;
    for (long i = 0; i < options.time; ++i) {
      auto start = std::chrono::steady_clock::now();
      check(tenon_session_run(session));
      times.push_back(
          std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
      sum += times.back();
    }
    std::sort(times.begin(), times.end());
    std::printf("time: minimum %.4f ms, median %.4f ms, mean %.4f ms of %ld runs\n", times[0],
                times[times.size() / 2], sum / double(times.size()), options.time);
  }
  if (options.profile) {
    int64_t total = 0;
    for (int32_t i = 0; i < tenon_session_profile_count(session); ++i) {
      tenon_profile_entry entry;
      check(tenon_session_profile(session, i, &entry));
      if (entry.count == 0)
        continue;
      total += entry.nanoseconds;
      std::printf("%10.3f us  fastest %10.3f us  x%-6lld %s  (%s)\n",
                  double(entry.nanoseconds) / double(entry.count) / 1000, double(entry.fastest) / 1000,
                  (long long)entry.count, entry.kernel, entry.nodes);
    }
    tenon_copy_profile copies;
    check(tenon_session_profile_copies(session, &copies));
    std::printf("copies: %lld of %lld bytes in %.3f ms\n", (long long)copies.count, (long long)copies.bytes,
                double(copies.nanoseconds) / 1e6);
    std::printf("launches: %.3f ms in all; memory of the session: %lld bytes\n", double(total) / 1e6,
                (long long)tenon_session_memory_bytes(session));
  }
  tenon_session_destroy(session);
  tenon_model_close(model);
  return same ? 0 : 1;
}
