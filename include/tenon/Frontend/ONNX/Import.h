//===- Import.h - From ONNX files to level 0 ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Reads ONNX models as modules of the tenon_onnx dialect: every node as it is, functions that the model
// defines inlined, constants above 1 kB as references into the files that hold them. What nodes mean is left
// to Conversion/ONNXToTenon. A model that is malformed is one diagnostic and a null module, never a crash.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_FRONTEND_ONNX_IMPORT_H
#define TENON_FRONTEND_ONNX_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <string>

namespace tenon::onnx {

struct ImportOptions {
  /// Where constants above 1 kB go that no file holds as plain bytes: those in typed fields, sparse ones, and
  /// all of a model in memory. It is written when the import succeeds and has such constants. If empty, a
  /// temporary file takes them, which lives as long as the context.
  std::string constantsFile;
  /// Puts such constants into the IR instead, so that it needs no file beside the model's.
  bool inlineConstants = false;
  /// Follows links of external data to wherever they lead: for models that can be trusted.
  bool allowExternalLinks = false;
};

/// Imports the model in a file. The file is mapped, not read: large constants become `#tenon.blob` references
/// to it by the path given here. Null after a diagnostic on `context`.
mlir::OwningOpRef<mlir::ModuleOp> importONNX(llvm::StringRef path, mlir::MLIRContext *context,
                                             const ImportOptions &options = {});

/// Imports a serialised ModelProto. `name` stands for the file in locations, `directory` is where external
/// data lies. Null after a diagnostic on `context`.
mlir::OwningOpRef<mlir::ModuleOp> importONNXBytes(llvm::ArrayRef<char> bytes, llvm::StringRef name,
                                                  llvm::StringRef directory, mlir::MLIRContext *context,
                                                  const ImportOptions &options = {});

/// What a file with this content is that is no ONNX model, and what to do with it. Empty if that isn't known.
llvm::StringRef describeFileKind(llvm::StringRef content);

} // namespace tenon::onnx

#endif // TENON_FRONTEND_ONNX_IMPORT_H
