//===- BlobFiles.h - The files that a module's constants are in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// In memory, blobs name files as this process opens them. In a module's file they name them relative to its directory,
// or by an absolute path where they lie elsewhere, each with a checksum: so a module may be moved together with its
// data, and data that has changed since is an error. These functions lead from one form to the other.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_BLOBFILES_H
#define TENON_DIALECT_TENON_IR_BLOBFILES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"

namespace tenon {
class BlobAttr;
class ConstantFile;

/// Names the files of blobs in a module that was read from `moduleFile` ('-' for the standard input) as they can be
/// opened from here, and notes them as inputs.
void openBlobs(mlir::Operation *root, llvm::StringRef moduleFile);

/// Prepares a module for being written to `moduleFile`: states checksums, and names files as it will find them.
/// Constants without a file of their own go to `constants`, or into the module if it is written to a stream.
llvm::Error closeBlobs(mlir::Operation *root, llvm::StringRef moduleFile, ConstantFile &constants);

/// Notes a file that the context's modules are made from.
void addInputFile(mlir::MLIRContext *context, llvm::StringRef path);

/// An error if writing to `path` would destroy such a file.
llvm::Error checkOutputFile(mlir::MLIRContext *context, llvm::StringRef path);

/// Keeps a descriptor open, and with it what is behind it, as long as the context lives.
void keepOpen(mlir::MLIRContext *context, int descriptor);

/// Tells the system that the process no longer needs a blob's bytes in memory; who reads them again gets them from the
/// file.
void releasePages(BlobAttr blob);
/// The same of its bytes [begin, end), where all before them are no longer needed either.
void releasePages(BlobAttr blob, uint64_t begin, uint64_t end);

/// The elements that lie in `bytes` as a blob's do.
mlir::DenseElementsAttr denseFromBlob(mlir::ShapedType type, llvm::ArrayRef<char> bytes);

} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_BLOBFILES_H
