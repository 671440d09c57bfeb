//===- ModelSource.cpp - Reading a model, with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelSource.h"

#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace tenon::python;

namespace {
void printDiagnostic(const Diagnostic &diagnostic, llvm::raw_ostream &out) {
  out << tenon::describeLocation(diagnostic.getLocation()) << tenon::escapeText(diagnostic.str()) << "\n";
  for (const Diagnostic &note : diagnostic.getNotes()) {
    out << "  " << tenon::describeLocation(note.getLocation()) << tenon::escapeText(note.str()) << "\n";
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
    options.allowExternalLinks = request.allowExternalLinks;
    return tenon::onnx::importONNXBytes(llvm::ArrayRef(request.bytes.data(), request.bytes.size()),
                                        request.modelName, request.path, context, options);
  }
  tenon::LoadOptions options;
  options.allowExternalLinks = request.allowExternalLinks;
  // The standard input isn't the name of a model here.
  return tenon::loadModel(request.path == "-" ? "./-" : request.path, context, options);
}
