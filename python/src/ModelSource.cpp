//===- ModelSource.cpp - Reading a model, with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelSource.h"

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/ModelFiles.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tenon::python;

namespace {
std::string describeWithNotes(const Diagnostic &diagnostic) {
  std::string text = tenon::describeDiagnostic(diagnostic);
  for (const Diagnostic &note : diagnostic.getNotes())
    text += "\n  " + tenon::describeDiagnostic(note);
  return text;
}

DialectRegistry allDialects() {
  DialectRegistry registry;
  tenon::registerUpstreamDialects(registry);
  tenon::registerDialects(registry);
  return registry;
}
} // namespace

Session::Session(unsigned threads)
    : pool(tenon::threadsOf(threads)), context(allDialects(), MLIRContext::Threading::DISABLED) {
  if (pool.getMaxConcurrency() != 1)
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false);
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    std::string text = describeWithNotes(diagnostic);
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      errors.push_back(text);
    else if (diagnostic.getSeverity() == DiagnosticSeverity::Warning && !llvm::is_contained(warnings, text))
      warnings.push_back(text);
    return success();
  });
}

std::string Session::takeErrors() {
  std::string text = errors.empty() ? "the model cannot be compiled" : llvm::join(errors, "\n");
  errors.clear();
  return text;
}

OwningOpRef<ModuleOp> tenon::python::importModel(const CompileRequest &request, MLIRContext *context) {
  if (request.isInMemory) {
    tenon::onnx::ImportOptions options;
    options.allowExternalLinks = request.allowExternalLinks;
    return tenon::onnx::importONNXBytes(llvm::ArrayRef(request.bytes.data(), request.bytes.size()), request.modelName,
                                        request.path, context, options);
  }
  tenon::LoadOptions options;
  options.allowExternalLinks = request.allowExternalLinks;
  // The standard input isn't the name of a model here.
  return tenon::loadModel(request.path == "-" ? "./-" : request.path, context, options);
}
