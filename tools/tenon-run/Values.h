//===- Values.h - Values of the runtime in NumPy's archives ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Strings are arrays of NumPy's fixed-width text, a sequence is `name.0`, `name.1`, ... with its number of values in
// `name.len`, an optional is what it holds, or `name.len` = -1.
//
//===--------------------------------------------------------------------------------------------------------===//
#ifndef TENON_TOOLS_TENON_RUN_VALUES_H
#define TENON_TOOLS_TENON_RUN_VALUES_H

#include "Npz.h"
#include "tenon/Runtime/tenon.h"

#include <memory>

namespace tenon::npz {

/// A value to bind, with what it points to; arrays stay in their archive.
struct Operand {
  tenon_value value = {};
  std::vector<std::string> texts;
  std::vector<tenon_string> strings;
  std::vector<std::unique_ptr<Operand>> items;
  std::vector<const tenon_value *> itemValues;
};

/// NumPy's kind of a dtype; types that NumPy lacks are raw bytes.
char kindOf(int32_t dtype);

const Array *find(const Archive &archive, const std::string &name);

/// The value of an input; false when it isn't there, or with a text in `error` when it can't be one.
bool describe(const Archive &archive, const std::string &name, int32_t kind, int32_t dtype, Operand &operand,
              std::string &error);

/// Adds an output.
void add(Archive &archive, const std::string &name, const tenon_value &value);

/// The texts of an array of kind U, in UTF-8.
std::vector<std::string> textsOf(const Array &array);

/// The name without what marks a part of a sequence or optional: `name.len`, `name.3`.
std::string wholeOf(const std::string &name);

} // namespace tenon::npz

#endif
