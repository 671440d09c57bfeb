//===- ModelFiles.h - Models as they lie on disks ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_MODELFILES_H
#define TENON_COMPILER_MODELFILES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tenon {

struct LoadOptions {
  /// Follows links of an ONNX model's external data to wherever they lead: for models that can be trusted.
  bool allowExternalLinks = false;
  /// Takes whatever it is for an ONNX model.
  bool onlyONNX = false;
};

/// Reads an ONNX model, or MLIR at any level, from a file, a pipe, or the standard input ('-'). The suffixes .onnx,
/// .mlir and .mlirbc say which, otherwise the content does. Null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp> loadModel(llvm::StringRef path, mlir::MLIRContext *context,
                                            const LoadOptions &options = {});

/// Writes a module for loadModel, with what BlobFiles.h says of its constants. See writeText.
llvm::Error writeModel(mlir::ModuleOp module, llvm::StringRef path, mlir::OpPrintingFlags flags = {});

/// Writes a text to a file, which appears whole or not at all, or to the standard output if the path is '-'. A file
/// that the context's models are read from is not overwritten.
llvm::Error writeText(mlir::MLIRContext *context, llvm::StringRef path,
                      llvm::function_ref<void(llvm::raw_ostream &)> print);

} // namespace tenon

#endif // TENON_COMPILER_MODELFILES_H
