//===- CompileCache.h - What was compiled before ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A directory of files named by a hash of what they were made from: the compiler itself, its options, and a model or a
// kernel. Processes may share it. An entry appears whole or not at all and carries a checksum: one that is damaged is
// as good as none.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_COMPILECACHE_H
#define TENON_COMPILER_COMPILECACHE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace tenon {

class CompileCache {
public:
  /// `limit` bounds the bytes of all entries.
  CompileCache(llvm::StringRef directory, uint64_t limit);
  /// Removes the entries that were not used for longest, down to the limit.
  ~CompileCache();
  CompileCache(const CompileCache &) = delete;
  CompileCache &operator=(const CompileCache &) = delete;

  /// Makes the directory where there is none.
  llvm::Error open();

  /// The name of what is made of these parts, each with its length.
  std::string keyOf(llvm::ArrayRef<llvm::StringRef> parts) const;

  struct Entry {
    std::unique_ptr<llvm::MemoryBuffer> file;
    llvm::StringRef bytes; ///< of the file
  };
  std::optional<Entry> lookup(llvm::StringRef key);
  /// Adds an entry. A cache that can't be written to stays as it is: nothing depends on it.
  void insert(llvm::StringRef key, llvm::StringRef bytes);

private:
  std::string pathOf(llvm::StringRef key) const;

  std::string directory;
  uint64_t limit;
  bool isChanged = false;
};

/// What an artifact depends on in a module: its text with the nodes' names, constants by their content and not by the
/// files that they lie in.
llvm::Expected<std::string> contentOf(mlir::ModuleOp module);

} // namespace tenon

#endif // TENON_COMPILER_COMPILECACHE_H
