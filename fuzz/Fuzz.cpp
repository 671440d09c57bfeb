//===- Fuzz.cpp - tenon-fuzz: mutants of IR, of models and of artifacts ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <charconv>
#include <cstdio>
#include <cstring>

using namespace tenon::fuzz;

static constexpr char kHelp[] =
    "usage: tenon-fuzz [options] SUITE SEED...\n"
    "Tries mutants of the seeds, in processes of some hundred; the status is 1 where one shows a fault of Tenon's.\n"
    "\n"
    "  SUITE            modules (text of IR), bytecode (of IR), models (ONNX) or artifacts\n"
    "  SEED             a file, or a folder of .mlir, .onnx or .so files\n"
    "  --seconds=N      how long (default: 10)\n"
    "  --runs=N         how many mutants, however long it takes\n"
    "  --seed=N         number of the first mutant (default: 1); --runs=1 repeats one\n"
    "  --run-seconds=N  CPU time after which a mutant hangs (default: 20)\n"
    "  --keep=FOLDER    where what fails is kept, made a little smaller (default: nowhere)\n"
    "  --verbose        show what the mutants print, and whole backtraces\n";

static int fail(const std::string &message) {
  std::fprintf(stderr, "tenon-fuzz: error: %s\n", message.c_str());
  return 2;
}

int main(int argc, char **argv) {
  Options options;
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto value = [&](std::string_view name) {
      return argument.starts_with(name) ? argument.substr(name.size()) : std::string_view();
    };
    auto number = [&](std::string_view name, auto &result) {
      std::string_view text = value(name);
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
      return !text.empty() && error == std::errc() && end == text.data() + text.size();
    };
    if (argument == "--help")
      return std::fputs(kHelp, stdout) < 0;
    if (argument == "--verbose")
      options.verbose = true;
    else if (!value("--keep=").empty())
      options.directory = value("--keep=");
    else if (argument.starts_with("--")) {
      if (!number("--seconds=", options.seconds) && !number("--runs=", options.runs) &&
          !number("--seed=", options.seed) && !number("--run-seconds=", options.runSeconds))
        return fail("unknown option or value: " + std::string(argument));
    } else
      arguments.emplace_back(argument);
  }
  if (arguments.size() < 2)
    return fail("expects a suite and its seeds (see --help)");
  std::unique_ptr<Suite> suite;
  if (arguments[0] == "modules")
    suite = makeModuleSuite();
  else if (arguments[0] == "bytecode")
    suite = makeBytecodeSuite();
  else if (arguments[0] == "models")
    suite = makeModelSuite();
  else if (arguments[0] == "artifacts")
    suite = makeArtifactSuite();
  else
    return fail("no suite is named '" + arguments[0] + "'");
  arguments.erase(arguments.begin());
  if (!suite->load(arguments))
    return fail("no seeds in " + arguments[0]);
  return runSuite(*suite, options) != 0;
}
