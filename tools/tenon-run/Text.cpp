//===- Text.cpp - What the tool says ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Text.h"
#include "tenon/Support/ControlCharacters.h"

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace tenon::run {

std::string printable(const std::string &text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    size_t control = text[i] == 0 ? 1 : sizeOfControlCharacter(text.c_str() + i);
    if (control == 0) {
      result += text[i];
    } else if (text[i] == '\n') {
      result += "\\n";
    } else if (text[i] == '\t') {
      result += "\\t";
    } else {
      for (size_t end = i + control; i < end; ++i) {
        char code[8];
        std::snprintf(code, sizeof(code), "\\x%02x", static_cast<unsigned char>(text[i]));
        result += code;
      }
      --i;
    }
  }
  return result;
}

void say(const char *format, ...) {
  va_list arguments, again;
  va_start(arguments, format);
  va_copy(again, arguments);
  int size = std::vsnprintf(nullptr, 0, format, arguments);
  std::string text(size_t(size > 0 ? size : 0) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, again);
  va_end(again);
  va_end(arguments);
  text.pop_back();
  std::puts(printable(text).c_str());
}

void die(const std::string &message) {
  std::fflush(stdout);
  std::fprintf(stderr, "tenon-run: error: %s\n", printable(message).c_str());
  std::exit(1);
}

void finish(int status) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout))
    die(std::string("cannot write to standard output: ") + std::strerror(errno));
  std::exit(status);
}

static void onSignal(int number) {
  static const char message[] = "tenon-run: interrupted\n";
  (void)!write(STDERR_FILENO, message, sizeof(message) - 1);
  std::signal(number, SIG_DFL);
  raise(number);
}

void handleSignals() {
  // A closed pipe is an error of writing, and so is a file above the limit of a process.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action = {};
    // Who started the program may have it ignore a signal.
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      continue;
    action = {};
    action.sa_handler = onSignal;
    // The signal is let through as soon as the handler raises it again.
    action.sa_flags = SA_NODEFER;
    sigaction(number, &action, nullptr);
  }
}

} // namespace tenon::run
