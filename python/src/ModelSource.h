//===- ModelSource.h - Reading a model, with errors as text ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_PYTHON_MODELSOURCE_H
#define TENON_PYTHON_MODELSOURCE_H

#include "CompileModel.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/ThreadPool.h"

#include <string>
#include <utility>
#include <vector>

namespace tenon::python {

/// A context whose errors and warnings are collected, each with its notes in lines below it.
class Session {
public:
  /// 0 threads are one per CPU.
  explicit Session(unsigned threads);
  /// The errors that have been reported, one after the other; something, when none was.
  std::string takeErrors();
  /// The warnings that have been reported, each once.
  std::vector<std::string> takeWarnings() { return std::exchange(warnings, {}); }

private:
  std::vector<std::string> errors, warnings;
  llvm::DefaultThreadPool pool;

public:
  mlir::MLIRContext context;
};

/// The model at level 0, or what a file of IR holds. Null after an error.
mlir::OwningOpRef<mlir::ModuleOp> importModel(const CompileRequest &request, mlir::MLIRContext *context);

} // namespace tenon::python

#endif // TENON_PYTHON_MODELSOURCE_H
