//===- Options.h - The command line ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TOOLS_TENON_RUN_OPTIONS_H
#define TENON_TOOLS_TENON_RUN_OPTIONS_H

#include "Npz.h"
#include "tenon/Runtime/tenon.h"

#include <optional>

namespace tenon::run {

struct Options {
  std::string model, output, expect;
  npz::Archive inputs;
  std::vector<std::string> files; ///< that were read
  std::vector<std::pair<std::string, int64_t>> symbols;
  double tolerance = 1e-4;
  int64_t time = 0, memoryLimit = 0;
  int32_t threads = 0;
  std::vector<std::string> devices;
  bool profile = false, list = false, verify = false, random = false;

  /// Whether something asks for a run.
  bool runs() const {
    return !inputs.empty() || random || !output.empty() || !expect.empty() || time != 0 || profile || !(list || verify);
  }
  std::optional<int64_t> sizeOf(const std::string &symbol) const;
};

/// Ends the program where they make no sense, and for --help and --version. Reads the inputs.
Options parseOptions(int argc, char **argv);

} // namespace tenon::run

#endif
