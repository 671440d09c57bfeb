//===- Tool.h - What the command-line tools have in common ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_TOOL_H
#define TENON_COMPILER_TOOL_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/InitLLVM.h"

namespace tenon {

/// A tool's process. The standard output is checked however the tool ends: one that takes no bytes, as a full disk or a
/// closed pipe, is one line and exit status 1. Interrupts end the process as they do others.
class Tool {
public:
  /// `name` is a literal.
  Tool(int &argc, char **&argv, const char *name);

  /// An error for an option that is given twice but counts once. To be called after parsing.
  llvm::Error checkOptions() const;

  /// Prints an error and gives the exit status.
  int fail(const llvm::Twine &message) const;

private:
  const char *name;
  llvm::InitLLVM init;
};

} // namespace tenon

#endif // TENON_COMPILER_TOOL_H
