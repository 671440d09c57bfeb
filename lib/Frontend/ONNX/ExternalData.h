//===- ExternalData.h - Constants beside the model ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_EXTERNALDATA_H
#define TENON_LIB_FRONTEND_ONNX_EXTERNALDATA_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"
#include <string>

namespace onnx {
class TensorProto;
} // namespace onnx

namespace tenon::onnx {

/// Bytes of a file.
struct FileRange {
  std::string file;
  uint64_t offset, bytes;
};

/// The files in a model's directory that hold its external data. A model must not make the compiler read what
/// lies elsewhere, so every way out of the directory is an error. A model that is a link itself, as those in caches of
/// downloads are, may have its data beside each file that it leads to, and links that lead there.
class ExternalFiles {
public:
  /// `model` is the model's path, or a directory's with a separator at its end. With `allowLinks`, links may lead
  /// anywhere.
  ExternalFiles(llvm::StringRef model, bool allowLinks, mlir::MLIRContext *context);

  /// Where a tensor's data lies; `bytes` is what its type takes.
  llvm::Expected<FileRange> locate(const ::onnx::TensorProto &tensor, uint64_t bytes);

private:
  struct File {
    std::string path;
    uint64_t size;
  };
  /// Checks a location once, however many tensors name it.
  llvm::Expected<File> open(llvm::StringRef location);

  /// Where data is looked for, in this order.
  llvm::SmallVector<std::string, 2> directories;
  /// Real paths, with a separator at the end, of the directories that links may lead to.
  llvm::SmallVector<std::string, 3> trees;
  bool allowLinks;
  mlir::MLIRContext *context;
  llvm::StringMap<File> files;
};

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_EXTERNALDATA_H
