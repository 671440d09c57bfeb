//===- ConstantFile.h - A file for constants that have none ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_CONSTANTFILE_H
#define TENON_DIALECT_TENON_IR_CONSTANTFILE_H

#include "tenon/Support/OutputFile.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace mlir {
class MLIRContext;
} // namespace mlir

namespace tenon {

/// An append-only file of large constants. It is made by the first one, and appears when it is kept.
class ConstantFile {
public:
  /// An empty path is a temporary file: it has no name, can be read at once, and lives as long as the context.
  ConstantFile(std::string path, mlir::MLIRContext *context) : path(std::move(path)), context(context) {}

  /// Writes the bytes at the end and gives their offset, a multiple of 64.
  llvm::Expected<uint64_t> append(llvm::ArrayRef<char> bytes);
  /// The path under which the bytes will be found; known after the first constant.
  llvm::StringRef getPath() const { return path; }
  /// Completes the file, if there is one.
  llvm::Error keep();

  /// Whether the path is that of a temporary file.
  static bool isTemporary(llvm::StringRef path);

private:
  llvm::Error open();

  std::string path;
  mlir::MLIRContext *context;
  std::unique_ptr<OutputFile> file;
};

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_CONSTANTFILE_H
