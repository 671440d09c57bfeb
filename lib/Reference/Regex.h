//===- Regex.h - Regular expressions of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REFERENCE_REGEX_H
#define TENON_LIB_REFERENCE_REGEX_H

#include <string>
#include <vector>

namespace tenon::reference {

/// Whether the pattern matches each whole text; false with a text in `error` when it is none.
bool matchAll(const std::string &pattern, const std::vector<std::string> &texts, std::vector<bool> &results,
              std::string &error);

} // namespace tenon::reference

#endif // TENON_LIB_REFERENCE_REGEX_H
