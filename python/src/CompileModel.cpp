//===- CompileModel.cpp - Compiling with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompileModel.h"

#include "ModelSource.h"
#include "tenon/Compiler/Compiler.h"
#include "tenon/Compiler/Targets.h"

#include "llvm/Support/Path.h"

using namespace mlir;
using namespace tenon::python;

std::string tenon::python::compileModel(const CompileRequest &request, std::vector<std::string> &warnings) {
  CompileOptions options;
  options.accuracy = tile::symbolizeAccuracy(request.accuracy);
  options.devices.assign(request.devices.begin(), request.devices.end());
  options.runtimeLibrary = request.runtimeLibrary;
  options.aliases = request.aliases;
  options.sizes = request.sizes;
  options.cacheDirectory = request.cache;
  if (request.cacheLimit)
    options.cacheLimit = request.cacheLimit;
  if (request.isCancelled)
    options.isCancelled = [&] { return request.isCancelled->load(); };
  options.modelName = llvm::sys::path::stem(request.modelName).str();

  Session session(request.threads);
  auto targets = resolveTargets(&session.context, request.target);
  if (!targets)
    return llvm::toString(targets.takeError());
  options.targets = std::move(*targets);
  OwningOpRef<ModuleOp> module = importModel(request, &session.context);
  CompileReport report;
  if (!module || failed(compile(*module, options, request.output, report)))
    return session.takeErrors();
  warnings = session.takeWarnings();
  return "";
}
