//===- ReferenceModel.h - The reference interpreter behind plain types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_REFERENCEMODEL_H
#define TENON_PYTHON_REFERENCEMODEL_H

#include "CompileModel.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tenon::python {

enum class PlainKind : int32_t { tensor = 0, sequence = 1, optional = 2 };

/// A value in plain types. A tensor has contiguous rows, whole bytes per element or its strings, the type as ONNX
/// numbers it; a sequence or optional has items.
struct PlainValue {
  PlainKind kind = PlainKind::tensor;
  int32_t dtype = 0;
  std::vector<int64_t> shape;
  std::string bytes;
  std::vector<std::string> strings;
  std::vector<PlainValue> items;
};

struct PlainInfo {
  std::string name;
  int32_t dtype = 0;
  std::vector<int64_t> shape;       ///< -1 where a size is not known
  std::vector<std::string> symbols; ///< the sizes' names, empty where there is none
  PlainKind kind = PlainKind::tensor;
  /// Of an output that is a dictionary per row: texts, or where there are none numbers.
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
};

/// A model as the interpreter runs it. Functions that fail give a text, the others an empty one.
class ReferenceModel {
public:
  ReferenceModel();
  ~ReferenceModel();

  std::string load(const CompileRequest &request);
  /// Arguments by name; results in order. Ends soon after the flag is set.
  std::string run(const std::map<std::string, PlainValue> &feeds, std::vector<PlainValue> &results,
                  const std::atomic<bool> &isCancelled);

  std::vector<PlainInfo> inputs, outputs;
  std::vector<std::string> warnings;

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace tenon::python

#endif // TENON_PYTHON_REFERENCEMODEL_H
