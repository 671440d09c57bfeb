//===- BlobFilesInterface.h - What a context knows of its files ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TENON_IR_BLOBFILESINTERFACE_H
#define TENON_LIB_DIALECT_TENON_IR_BLOBFILESINTERFACE_H

#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

#include "mlir/IR/DialectInterface.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem/UniqueID.h"
#include "llvm/Support/MemoryBuffer.h"
#include <mutex>
#include <set>

namespace tenon {

/// Files that blobs refer to, mapped once per context, and once more when one has grown beyond what was mapped.
class BlobFiles : public mlir::DialectInterface::Base<BlobFiles> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(BlobFiles)
  explicit BlobFiles(mlir::Dialect *dialect) : Base(dialect) {}
  ~BlobFiles();

  static const BlobFiles &of(mlir::MLIRContext *context);
  static uint64_t checksumOf(llvm::ArrayRef<char> bytes);

  /// The content of a file, at least up to `end` if it has so much.
  llvm::Expected<llvm::StringRef> map(llvm::StringRef file, uint64_t end) const;
  /// Compares the checksum of a blob's bytes once.
  llvm::Error check(BlobAttr blob, llvm::ArrayRef<char> bytes) const;
  /// Lets go of the pages of a blob's bytes [begin, end), and of the one that they begin in.
  void release(BlobAttr blob, uint64_t begin, uint64_t end) const;
  void addInput(llvm::StringRef file) const;
  bool isInput(llvm::StringRef file) const;
  void adopt(int descriptor) const;

private:
  mutable std::mutex mutex;
  mutable llvm::StringMap<llvm::SmallVector<std::unique_ptr<llvm::MemoryBuffer>, 1>> buffers;
  mutable llvm::DenseSet<mlir::Attribute> checked;
  mutable std::set<llvm::sys::fs::UniqueID> inputs;
  mutable std::vector<int> descriptors;
};

} // namespace tenon

#endif // TENON_LIB_DIALECT_TENON_IR_BLOBFILESINTERFACE_H
