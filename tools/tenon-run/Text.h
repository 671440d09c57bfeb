//===- Text.h - What the tool says ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names come from models, which may have any bytes in them: what is printed goes through here.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_TOOLS_TENON_RUN_TEXT_H
#define TENON_TOOLS_TENON_RUN_TEXT_H

#include <string>

namespace tenon::run {

/// The text with what would move a terminal's cursor or change its colours as \n, \x1b, ...
std::string printable(const std::string &text);

/// Prints a line to standard output.
[[gnu::format(printf, 1, 2)]] void say(const char *format, ...);

/// Prints an error and ends the program.
[[noreturn]] void die(const std::string &message);

/// Ends the program; with an error, when what was printed can't be written.
[[noreturn]] void finish(int status);

/// On SIGINT, SIGTERM and SIGHUP says so in a line, and dies by the signal. There is nothing to remove: outputs have no
/// name before they are complete. A pipe that nobody reads is an error of writing.
void handleSignals();

} // namespace tenon::run

#endif
