//===- Diagnostics.cpp - Diagnostics as users read them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Diagnostics.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Unicode.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;

std::string tenon::escapeText(StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream out(escaped);
  const auto *at = reinterpret_cast<const llvm::UTF8 *>(text.begin());
  const auto *end = reinterpret_cast<const llvm::UTF8 *>(text.end());
  while (at != end) {
    llvm::UTF32 point = 0, *target = &point;
    const llvm::UTF8 *start = at;
    bool isCharacter = llvm::isLegalUTF8Sequence(at, end) &&
                       llvm::ConvertUTF8toUTF32(&at, std::min(at + llvm::getNumBytesForUTF8(*at), end), &target,
                                                target + 1, llvm::strictConversion) == llvm::conversionOK;
    if (!isCharacter) {
      out << "\\x" << llvm::format_hex_no_prefix(*start, 2);
      at = start + 1;
    } else if (llvm::sys::unicode::isPrintable(point)) {
      out << StringRef(reinterpret_cast<const char *>(start), at - start);
    } else if (point == '\n' || point == '\t' || point == '\r') {
      out << (point == '\n' ? "\\n" : point == '\t' ? "\\t" : "\\r");
    } else if (point < 0x80) {
      out << "\\x" << llvm::format_hex_no_prefix(point, 2);
    } else {
      out << "\\u{" << llvm::utohexstr(point, /*LowerCase=*/true) << "}";
    }
  }
  return escaped;
}

/// `model.onnx: `, or `model.mlir:3:5: `.
static std::string describeFile(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file)
    return "";
  std::string text = tenon::escapeText(file.getFilename().getValue());
  if (file.getLine() != 0)
    text += ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  return text + ": ";
}

/// `'node': ` in a file that has no lines.
static std::string describeNode(Location location) {
  auto name = location->findInstanceOf<NameLoc>();
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!name || name.getName().empty() || (file && file.getLine() != 0))
    return "";
  return "'" + tenon::escapeText(name.getName()) + "': ";
}

std::string tenon::describeLocation(Location location) { return describeFile(location) + describeNode(location); }

tenon::DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context, raw_ostream &out)
    : SourceMgrDiagnosticHandler(sources, context, out) {
  setHandler([this](Diagnostic &diagnostic) {
    print(diagnostic);
    for (Diagnostic &note : diagnostic.getNotes())
      print(note);
  });
}

void tenon::DiagnosticPrinter::print(const Diagnostic &diagnostic) {
  std::string message = escapeText(diagnostic.str());
  Location location = diagnostic.getLocation();
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (file && file.getLine() != 0) {
    emitDiagnostic(location, message, diagnostic.getSeverity());
    return;
  }
  os << describeFile(location);
  switch (diagnostic.getSeverity()) {
  case DiagnosticSeverity::Error:
    llvm::WithColor::error(os);
    break;
  case DiagnosticSeverity::Warning:
    llvm::WithColor::warning(os);
    break;
  case DiagnosticSeverity::Remark:
    llvm::WithColor::remark(os);
    break;
  case DiagnosticSeverity::Note:
    llvm::WithColor::note(os);
    break;
  }
  os << describeNode(location) << message << "\n";
}
