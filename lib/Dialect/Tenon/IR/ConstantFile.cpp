//===- ConstantFile.cpp - A file for constants that have none ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include <mutex>
#include <vector>

using namespace llvm;
using namespace tenon;

namespace {
/// Temporary files in use: attributes refer to them, so they live as long as the process.
class TemporaryFiles {
public:
  void add(StringRef path) {
    std::lock_guard<std::mutex> lock(mutex);
    paths.push_back(path.str());
  }
  bool contains(StringRef path) {
    std::lock_guard<std::mutex> lock(mutex);
    return is_contained(paths, path);
  }
  ~TemporaryFiles() {
    for (const std::string &path : paths)
      sys::fs::remove(path);
  }

private:
  std::mutex mutex;
  std::vector<std::string> paths;
};
} // namespace

static TemporaryFiles &temporaryFiles() {
  static TemporaryFiles files;
  return files;
}

bool ConstantFile::isTemporaryFile(StringRef path) { return temporaryFiles().contains(path); }

ConstantFile::~ConstantFile() {
  if (stream)
    stream->clear_error();
  stream.reset();
  if (!unfinished.empty())
    sys::fs::remove(unfinished);
}

Error ConstantFile::open() {
  isTemporary = path.empty();
  int descriptor;
  SmallString<128> name;
  std::error_code error = isTemporary ? sys::fs::createTemporaryFile("tenon", "constants", descriptor, name)
                                      : sys::fs::createUniqueFile(path + ".%%%%%%", descriptor, name);
  if (error)
    return createStringError(error, "cannot create a file for constants: %s", error.message().c_str());
  unfinished = name.str().str();
  if (isTemporary)
    path = unfinished;
  stream = std::make_unique<raw_fd_ostream>(descriptor, /*shouldClose=*/true);
  return Error::success();
}

Expected<uint64_t> ConstantFile::append(ArrayRef<char> bytes) {
  if (!stream)
    if (Error error = open())
      return std::move(error);
  stream->write_zeros((64 - stream->tell() % 64) % 64);
  uint64_t offset = stream->tell();
  stream->write(bytes.data(), bytes.size());
  return offset;
}

Error ConstantFile::flush() {
  if (!stream)
    return Error::success();
  stream->flush();
  if (!stream->has_error())
    return Error::success();
  std::error_code error = stream->error();
  return createStringError(error, "cannot write the constants to '%s': %s", unfinished.c_str(),
                           error.message().c_str());
}

Error ConstantFile::keep() {
  if (!stream)
    return Error::success();
  stream->flush();
  std::error_code error = stream->error();
  stream->clear_error();
  stream.reset();
  if (!error && !isTemporary)
    error = sys::fs::rename(unfinished, path);
  if (error)
    return createStringError(error, "cannot write the constants to '%s': %s", path.c_str(),
                             error.message().c_str());
  if (isTemporary)
    temporaryFiles().add(path);
  unfinished.clear();
  return Error::success();
}
