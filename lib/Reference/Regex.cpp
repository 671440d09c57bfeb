//===- Regex.cpp - Regular expressions of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Regex.h"

#include <regex>

bool tenon::reference::matchAll(const std::string &pattern, const std::vector<std::string> &texts,
                                std::vector<bool> &results, std::string &error) {
  try {
    // Without backtracking: time is bounded, and so is the stack.
    std::regex regex(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
    for (const std::string &text : texts)
      results.push_back(std::regex_match(text, regex));
    return true;
  } catch (const std::regex_error &problem) {
    error = problem.what();
    return false;
  }
}
