//===- CompileModel.cpp - Compiling with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModel.h"

#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Registration.h"
#include "tenon/Frontend/ONNX/Import.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tenon::python;

namespace {
/// The part of a location that a user knows: the node's name and the model's file.
void printLocation(Location location, llvm::raw_ostream &out) {
  if (isa<UnknownLoc>(location))
    return;
  out << location << ": ";
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

OwningOpRef<ModuleOp> import(const CompileRequest &request, MLIRContext *context) {
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
} // namespace

std::string tenon::python::compileModel(const CompileRequest &request) {
  CompileOptions options;
  llvm::Expected<llvm::SmallVector<cpu::TargetDescription>> targets = cpu::parseTargets(request.target);
  if (!targets)
    return llvm::toString(targets.takeError());
  options.targets = std::move(*targets);
  options.runtimeLibrary = request.runtimeLibrary;
  options.modelName = llvm::sys::path::stem(request.modelName).str();

  DialectRegistry registry;
  registerUpstreamDialects(registry);
  registerDialects(registry);
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(request.threads));
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  if (request.threads != 1)
    context.setThreadPool(pool);
  context.printOpOnDiagnostic(false);
  std::string errors;
  llvm::raw_string_ostream out(errors);
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      printDiagnostic(diagnostic, out);
    return success();
  });

  OwningOpRef<ModuleOp> module = import(request, &context);
  CompileReport report;
  if (module && succeeded(compile(*module, options, request.output, report)))
    return "";
  if (errors.empty())
    return "the model cannot be compiled";
  errors.pop_back();
  return errors;
}
