//===- Diagnostics.h - Diagnostics as users read them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// One form for all tools and Python: `model.onnx: error: 'node': what is wrong`, or `model.mlir:3:5: error: ...` with
// the line below it. Names in it may come from anybody's model: what would move a terminal's cursor or forge a line is
// escaped.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_DIAGNOSTICS_H
#define TENON_COMPILER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/SourceMgr.h"

namespace tenon {

/// Characters that aren't printable as \n, \x1b or \u{202e}, bytes that aren't UTF-8 as \xff.
std::string escapeText(llvm::StringRef text);

/// What a diagnostic says. Of a model in ONNX's words: types as `float32[2, ?]`, and the op of ours that a node became
/// only at the end.
std::string describeMessage(const mlir::Diagnostic &diagnostic);

/// The whole of it, without its notes: `model.onnx: 'node': what is wrong`.
std::string describeDiagnostic(const mlir::Diagnostic &diagnostic);

/// Prints a diagnostic of a model, without its notes; false where it is one of a text with lines.
bool printOfModel(const mlir::Diagnostic &diagnostic, llvm::raw_ostream &out);

/// Prints the diagnostics of a context to a stream as long as it lives.
class DiagnosticPrinter : public mlir::SourceMgrDiagnosticHandler {
public:
  DiagnosticPrinter(mlir::MLIRContext *context, llvm::raw_ostream &out);

private:
  void print(const mlir::Diagnostic &diagnostic);

  llvm::SourceMgr sources;
};

} // namespace tenon

#endif // TENON_COMPILER_DIAGNOSTICS_H
