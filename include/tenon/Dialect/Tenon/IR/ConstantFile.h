//===- ConstantFile.h - A file for constants that have none ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_CONSTANTFILE_H
#define TENON_DIALECT_TENON_IR_CONSTANTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <string>

namespace tenon {

/// An append-only file of large constants. It is made by the first one, under another name until `keep`.
class ConstantFile {
public:
  /// An empty path is a temporary file, which lives until the process ends.
  explicit ConstantFile(std::string path) : path(std::move(path)) {}
  /// Removes what wasn't kept.
  ~ConstantFile();

  /// Writes the bytes at the end and gives their offset, a multiple of 64.
  llvm::Expected<uint64_t> append(llvm::ArrayRef<char> bytes);
  /// The path under which the bytes will be found; known after the first constant.
  llvm::StringRef getPath() const { return path; }
  /// Makes what was appended so far readable under the path of a temporary file.
  llvm::Error flush();
  /// Completes the file, if there is one.
  llvm::Error keep();

  /// Whether a file that was kept goes away with the process.
  static bool isTemporaryFile(llvm::StringRef path);

private:
  llvm::Error open();

  std::string path, unfinished;
  bool isTemporary = false;
  std::unique_ptr<llvm::raw_fd_ostream> stream;
};

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_CONSTANTFILE_H
