//===- CompileModel.h - Compiling with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The border between the compiler, which is built without exceptions, and the binding code, which needs them:
// only plain C++ types cross.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_COMPILEMODEL_H
#define TENON_PYTHON_COMPILEMODEL_H

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tenon::python {

struct CompileRequest {
  /// The model's file; or where external data of a model in memory lies.
  std::string path;
  /// A serialised ModelProto, when there is no file.
  std::string_view bytes;
  bool isInMemory = false;
  std::string modelName;
  /// A comma-separated list of CPUs, best first.
  std::string target;
  /// As tenon-compile's --accuracy; empty where nothing is said.
  std::string accuracy;
  /// Which device runs which kernels, as tenon-compile's --device.
  std::vector<std::string> devices;
  /// 0: one per core.
  unsigned threads = 0;
  /// Outputs that may share a buffer with an input, by name.
  std::vector<std::pair<std::string, std::string>> aliases;
  /// Sizes of inputs that are fixed, as tenon-compile's --size.
  std::vector<std::pair<std::string, int64_t>> sizes;
  std::string runtimeLibrary;
  std::string output;
  /// As tenon-compile's --cache and --cache-limit, in bytes; 0 is the default.
  std::string cache;
  uint64_t cacheLimit = 0;
  /// As tenon-compile's --allow-external-links.
  bool allowExternalLinks = false;
  /// Whether to give up, or null. What is under way then ends soon, with any text.
  const std::atomic<bool> *isCancelled = nullptr;
};

/// Compiles a model and writes the artifact. Gives the errors, one a line: empty when all went well. Then `warnings`
/// are those of the model.
std::string compileModel(const CompileRequest &request, std::vector<std::string> &warnings);

} // namespace tenon::python

#endif // TENON_PYTHON_COMPILEMODEL_H
