//===- Import.cpp - From ONNX files to level 0 ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Frontend/ONNX/Import.h"

#include "GraphImporter.h"
#include "WireScan.h"
#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/BlobFiles.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace tenon::onnx;

/// Says why bytes aren't a model, with a hint where it's a common mistake.
static void emitNotAModel(Location location, ArrayRef<char> bytes, llvm::Error error) {
  InFlightDiagnostic diagnostic = emitError(location) << llvm::toString(std::move(error));
  if (StringRef kind = describeFileKind(StringRef(bytes.data(), bytes.size())); !kind.empty())
    diagnostic << " (" << kind << ")";
}

/// Imports `bytes`, the content of `file` unless that is empty, with external data as it lies around `place`.
static OwningOpRef<ModuleOp> importBytes(ArrayRef<char> bytes, StringRef file, StringRef place, Location location,
                                         const ImportOptions &options) {
  MLIRContext *context = location.getContext();
  context->loadDialect<ONNXDialect, func::FuncDialect>();
  if (bytes.empty()) {
    emitError(location) << "is no ONNX model: it is empty";
    return nullptr;
  }
  llvm::Expected<std::string> small = copyWithoutLargeConstants(bytes);
  if (!small) {
    emitNotAModel(location, bytes, small.takeError());
    return nullptr;
  }
  // ParseFromArray aborts the process above this.
  if (small->size() > INT_MAX) {
    emitError(location) << "the model without its large constants has " << small->size() << " bytes, more than the "
                        << INT_MAX << " that protobuf can read";
    return nullptr;
  }
  ::onnx::ModelProto model;
  if (!model.ParseFromArray(small->data(), small->size())) {
    emitNotAModel(location, bytes, llvm::createStringError("is no ONNX model: protobuf cannot read it"));
    return nullptr;
  }
  if (!model.has_graph() && !describeFileKind(StringRef(bytes.data(), bytes.size())).empty()) {
    emitNotAModel(location, bytes, llvm::createStringError("is no ONNX model"));
    return nullptr;
  }
  small->clear();
  small->shrink_to_fit();

  tenon::ConstantFile constants(options.constantsFile, context);
  TensorReader tensors(bytes, file, ExternalFiles(place, options.allowExternalLinks, context), constants,
                       options.inlineConstants, context);
  OwningOpRef<ModuleOp> module = GraphImporter(model, tensors, location).importModel();
  if (!module || failed(verify(*module)))
    return nullptr;
  if (llvm::Error error = constants.keep()) {
    emitError(location) << llvm::toString(std::move(error));
    return nullptr;
  }
  return module;
}

OwningOpRef<ModuleOp> tenon::onnx::importONNX(StringRef path, MLIRContext *context, const ImportOptions &options) {
  Location location = FileLineColLoc::get(context, path, 0, 0);
  llvm::sys::fs::file_status status;
  std::error_code error = llvm::sys::fs::status(path, status);
  if (!error && !llvm::sys::fs::is_regular_file(status)) {
    emitError(location) << "is not a file";
    return nullptr;
  }
  std::unique_ptr<llvm::MemoryBuffer> content;
  if (!error) {
    auto opened = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    error = opened.getError();
    if (!error)
      content = std::move(*opened);
  }
  if (error) {
    emitError(location) << "cannot read the model: " << error.message();
    return nullptr;
  }
  ArrayRef<char> bytes(content->getBufferStart(), content->getBufferSize());
  tenon::addInputFile(context, path);
  return importBytes(bytes, path, path, location, options);
}

OwningOpRef<ModuleOp> tenon::onnx::importONNXBytes(ArrayRef<char> bytes, StringRef name, StringRef directory,
                                                   MLIRContext *context, const ImportOptions &options) {
  llvm::SmallString<256> place(directory);
  llvm::sys::path::append(place, ".");
  return importBytes(bytes, /*file=*/"", place, FileLineColLoc::get(context, name, 0, 0), options);
}
