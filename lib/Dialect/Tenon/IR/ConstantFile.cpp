//===- ConstantFile.cpp - A file for constants that have none ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantFile.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"

using namespace llvm;
using namespace tenon;

/// How a file without a name can be opened.
static constexpr StringLiteral kUnnamed = "/proc/self/fd/";

bool ConstantFile::isTemporary(StringRef path) { return path.starts_with(kUnnamed); }

static Error writingFailed(const OutputFile &file) {
  return createStringError("the constants cannot be kept: " + file.error());
}

Error ConstantFile::open() {
  if (path.empty()) {
    std::string reason;
    int descriptor = openUnnamedFile(reason);
    if (descriptor < 0)
      return createStringError("the constants cannot be kept: " + reason);
    keepOpen(context, descriptor);
    path = (kUnnamed + Twine(descriptor)).str();
  } else if (Error error = checkOutputFile(context, path)) {
    return error;
  }
  file = std::make_unique<OutputFile>(path);
  return file->error().empty() ? Error::success() : writingFailed(*file);
}

Expected<uint64_t> ConstantFile::append(ArrayRef<char> bytes) {
  if (!file)
    if (Error error = open())
      return std::move(error);
  static const char zeros[64] = {};
  if (!file->append(zeros, (64 - file->size() % 64) % 64))
    return writingFailed(*file);
  uint64_t offset = file->size();
  if (!file->append(bytes.data(), bytes.size()))
    return writingFailed(*file);
  return offset;
}

Error ConstantFile::keep() { return !file || file->keep() ? Error::success() : writingFailed(*file); }
