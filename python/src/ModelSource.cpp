//===- ModelSource.cpp - Reading a model, with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelSource.h"

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace tenon::python;

namespace {
/// What a user knows of a location: the file, and the line of IR or the name of the node or value.
void printLocation(Location location, llvm::raw_ostream &out) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (file) {
    out << file.getFilename().getValue() << ":";
    if (file.getLine() != 0)
      out << file.getLine() << ":" << file.getColumn() << ":";
    out << " ";
  }
  if (auto name = location->findInstanceOf<NameLoc>(); name && (!file || file.getLine() == 0))
    out << "'" << name.getName().getValue() << "': ";
}

void printDiagnostic(const Diagnostic &diagnostic, llvm::raw_ostream &out) {
  printLocation(diagnostic.getLocation(), out);
  out << diagnostic << "\n";
  for (const Diagnostic &note : diagnostic.getNotes()) {
    out << "  ";
    printLocation(note.getLocation(), out);
    out << note << "\n";
  }
}

DialectRegistry allDialects() {
  DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  return registry;
}
} // namespace

Session::Session(unsigned threads)
    : pool(llvm::hardware_concurrency(threads)), context(allDialects(), MLIRContext::Threading::DISABLED) {
  if (threads != 1)
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false);
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    llvm::raw_string_ostream out(errors);
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      printDiagnostic(diagnostic, out);
    return success();
  });
}

std::string Session::takeErrors() {
  std::string text = errors.empty() ? "the model cannot be compiled\n" : std::move(errors);
  errors.clear();
  text.pop_back();
  return text;
}

OwningOpRef<ModuleOp> tenon::python::importModel(const CompileRequest &request, MLIRContext *context) {
  if (request.isInMemory) {
    tenon::onnx::ImportOptions options;
    options.constantsFile = request.constantsFile;
    return tenon::onnx::importONNXBytes(llvm::ArrayRef(request.bytes.data(), request.bytes.size()),
                                        request.modelName, request.path, context, options);
  }
  StringRef path(request.path);
  if (path.ends_with(".mlir") || path.ends_with(".mlirbc"))
    return tenon::loadModel(path, context);
  return tenon::onnx::importONNX(path, context);
}
