//===- Options.cpp - The tool's command line ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "Text.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <unistd.h>

namespace tenon::run {

static const char kUsage[] = R"(usage: tenon-run model.so [options]
  --input FILE.npz | NAME=FILE.npy   inputs by name; may be repeated. Strings are of
                                     NumPy's type U, a sequence is NAME.0, NAME.1, ... with its length in
                                     NAME.len, an optional without a value is NAME.len = -1
  --output FILE.npz                  write the outputs
  --expect FILE.npz                  compare the outputs; exit status 1 when one differs, as after any error
  --tolerance T                      largest difference, relative to the largest expected value (default 1e-4)
  --symbol NAME=N                    size of a symbolic dimension of an input that isn't given; may be repeated
  --random                           fill inputs that aren't given (seeded, the same every time)
  --time N                           run N more times and print minimum, median and mean
  --profile                          print the mean and the lowest time of each launch, and what is copied between them
  --threads N                        default: one per CPU
  --memory-limit BYTES               an error when a run needs more for temporary values and outputs
  --device LIBRARY.so                a device that the model may need (see tenon_device.h); may be repeated
  --list                             print inputs, outputs and the CPUs that there is code for, whatever this one is
  --verify                           check all checksums of the file
  --version, --help
)";

std::optional<int64_t> Options::sizeOf(const std::string &symbol) const {
  for (const auto &[name, size] : symbols)
    if (name == symbol)
      return size;
  return std::nullopt;
}

/// Digits and nothing else.
static int64_t parseInteger(const std::string &text, const std::string &what, int64_t largest) {
  int64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc::result_out_of_range || (code == std::errc() && value > largest))
    die("'" + text + "' is too large for " + what + ": at most " + std::to_string(largest));
  if (code != std::errc() || end != text.data() + text.size() || value < 0)
    die("'" + text + "' is no number of 0 or more for " + what);
  return value;
}

static double parseReal(const std::string &text, const std::string &what) {
  double value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || !std::isfinite(value) || value < 0)
    die("'" + text + "' is no number of 0 or more for " + what);
  return value;
}

static void readInput(const std::string &text, Options &options) {
  std::string error;
  size_t split = text.find('='), known = options.inputs.size();
  // A file may have '=' in its name.
  bool isNamed = split != std::string::npos && access(text.c_str(), F_OK) != 0;
  if (isNamed) {
    npz::Array array;
    if (split == 0)
      die("'--input' needs NAME=FILE.npy or FILE.npz, not '" + text + "'");
    if (!npz::readNpy(text.substr(split + 1), array, error))
      die(error);
    options.inputs.emplace_back(text.substr(0, split), std::move(array));
  } else if (!npz::readNpz(text, options.inputs, error)) {
    die(error);
  }
  options.files.push_back(isNamed ? text.substr(split + 1) : text);
  for (size_t i = known; i < options.inputs.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (options.inputs[i].first == options.inputs[k].first)
        die("input '" + options.inputs[i].first + "' is given twice");
}

static void addSymbol(const std::string &text, Options &options) {
  size_t split = text.rfind('=');
  if (split == std::string::npos || split == 0)
    die("'--symbol' needs NAME=N, not '" + text + "'");
  std::string name = text.substr(0, split);
  int64_t size = parseInteger(text.substr(split + 1), "size '" + name + "'", INT64_MAX);
  if (options.sizeOf(name).value_or(size) != size)
    die("size '" + name + "' is given twice, as " + std::to_string(*options.sizeOf(name)) + " and " +
        std::to_string(size));
  options.symbols.emplace_back(name, size);
}

Options parseOptions(int argc, char **argv) {
  Options options;
  std::vector<std::string> given;
  bool onlyFiles = false;
  auto addModel = [&](const std::string &path) {
    if (!options.model.empty())
      die("more than one model: '" + options.model + "' and '" + path + "'");
    options.model = path;
  };
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i], value;
    if (onlyFiles || word.empty() || word[0] != '-') {
      addModel(word);
      continue;
    }
    if (word == "--") {
      onlyFiles = true;
      continue;
    }
    size_t equals = word.find('=');
    bool attached = word.compare(0, 2, "--") == 0 && equals != std::string::npos;
    if (attached) {
      value = word.substr(equals + 1);
      word.resize(equals);
    }
    // Of what may be said several times, the operand.
    auto next = [&] {
      if (!attached && ++i == argc)
        die("option '" + word + "' needs a value");
      return attached ? value : std::string(argv[i]);
    };
    auto once = [&] {
      for (const std::string &other : given)
        if (other == word)
          die("option '" + word + "' is given twice");
      given.push_back(word);
      return next();
    };
    auto flag = [&](bool &field) {
      if (attached)
        die("option '" + word + "' takes no value");
      field = true;
    };
    word = word == "-i" ? "--input" : word == "-o" ? "--output" : word == "-h" ? "--help" : word;
    std::string what = "'" + word + "'";
    bool isAsked = false;
    if (word == "--help") {
      flag(isAsked);
      std::fputs(kUsage, stdout);
      finish(0);
    } else if (word == "--version") {
      flag(isAsked);
      say("tenon-run %s", tenon_version());
      finish(0);
    } else if (word == "--input") {
      readInput(next(), options);
    } else if (word == "--symbol") {
      addSymbol(next(), options);
    } else if (word == "--output") {
      options.output = once();
    } else if (word == "--expect") {
      options.expect = once();
    } else if (word == "--tolerance") {
      options.tolerance = parseReal(once(), what);
    } else if (word == "--time") {
      options.time = parseInteger(once(), what, 1'000'000'000);
    } else if (word == "--threads") {
      options.threads = int32_t(parseInteger(once(), what, 1024));
    } else if (word == "--memory-limit") {
      options.memoryLimit = parseInteger(once(), what, INT64_MAX);
    } else if (word == "--device") {
      options.devices.push_back(next());
    } else if (word == "--profile") {
      flag(options.profile);
    } else if (word == "--random") {
      flag(options.random);
    } else if (word == "--list") {
      flag(options.list);
    } else if (word == "--verify") {
      flag(options.verify);
    } else {
      die("unknown option '" + word + "' (see --help)");
    }
  }
  if (options.model.empty())
    die("no model (see --help)");
  return options;
}

} // namespace tenon::run
