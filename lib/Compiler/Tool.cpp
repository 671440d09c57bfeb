//===- Tool.cpp - What the command-line tools have in common ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Tool.h"

#include "tenon/Compiler/Diagnostics.h"

#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

using namespace llvm;

static const char *toolName;
static bool outputIsClosed;

/// Runs at exit, before LLVM's streams end, which would end the process with a report of a bug.
static void checkStandardOutput() {
  raw_fd_ostream &out = outs();
  out.flush();
  std::error_code error = out.error();
  // What is closed was opened as /dev/null, so that no file takes its number.
  if (!error && outputIsClosed && out.tell() != 0)
    error = std::error_code(EBADF, std::generic_category());
  if (!error)
    return;
  out.clear_error();
  WithColor::error(errs(), toolName) << "cannot write to the standard output: " << error.message() << "\n";
  _exit(1);
}

/// Gives the tool's name after it has looked at the standard output.
static const char *prepare(const char *name) {
  toolName = name;
  outputIsClosed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
  return name;
}

tenon::Tool::Tool(int &argc, char **&argv, const char *name)
    : name(prepare(name)), init(argc, argv, /*InstallPipeSignalExitHandler=*/false) {
  // A closed pipe is an error of writing, and so is a file above the limit of a process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // The streams are made first, so that they end last.
  outs();
  errs();
  std::atexit(checkStandardOutput);
  cl::SetVersionPrinter(
      [](raw_ostream &out) { out << "Tenon version " TENON_VERSION " (LLVM version " LLVM_VERSION_STRING ")\n"; });
}

Error tenon::Tool::checkOptions() const {
  for (const auto &[option, known] : cl::getRegisteredOptions())
    if (known->getNumOccurrences() > 1 && known->getNumOccurrencesFlag() == cl::Optional)
      return createStringError(Twine(option.size() == 1 ? "-" : "--") + option + " is given " +
                               Twine(known->getNumOccurrences()) + " times");
  return Error::success();
}

int tenon::Tool::fail(const Twine &message) const {
  WithColor::error(errs(), name) << escapeText(message.str()) << "\n";
  return 1;
}
