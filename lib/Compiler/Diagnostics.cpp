//===- Diagnostics.cpp - Diagnostics as users read them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Diagnostics.h"

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"

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

/// Whether a location is a line of text, and not in a model, which has none.
static bool isInText(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  return file && file.getLine() != 0;
}

/// `model.onnx: `, or `model.mlir:3:5: `.
static std::string describeFile(Location location) {
  auto file = location->findInstanceOf<FileLineColLoc>();
  if (!file)
    return "";
  std::string text = tenon::escapeText(file.getFilename().getValue());
  if (isInText(location))
    text += ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  return text + ": ";
}

/// `'node': ` in a file that has no lines.
static std::string describeNode(Location location) {
  auto name = location->findInstanceOf<NameLoc>();
  if (!name || name.getName().empty() || isInText(location))
    return "";
  return "'" + tenon::escapeText(name.getName()) + "': ";
}

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

/// `float32`, as ONNX and NumPy say it.
static std::string describeElement(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned width = integer.getWidth();
    return width == 1 ? "bool" : (integer.isUnsigned() ? "uint" : "int") + std::to_string(width);
  }
  if (auto complex = dyn_cast<ComplexType>(type))
    return "complex" + std::to_string(2 * complex.getElementType().getIntOrFloatBitWidth());
  if (isa<FloatType>(type)) // bf16, f8E4M3FN
    return std::string(type.isBF16() ? "b" : "") + "float" + StringRef(text).substr(type.isBF16() ? 2 : 1).lower();
  return isa<tenon::StringType>(type) ? "string" : type.isIndex() ? "int64" : text;
}

/// `float32[2, ?]`, as ONNX and NumPy say it.
static std::string describeType(Type type) {
  if (auto sequence = dyn_cast<tenon::SequenceType>(type))
    return "sequence of " + describeType(sequence.getElementType());
  if (auto optional = dyn_cast<tenon::OptionalType>(type))
    return "optional " + describeType(optional.getElementType());
  if (isa<tenon::onnx::UnknownType>(type))
    return "unknown type";
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return describeElement(type);
  if (!shaped.hasRank())
    return describeElement(shaped.getElementType()) + " of any rank";
  auto sizes = llvm::map_range(shaped.getShape(),
                               [](int64_t size) { return ShapedType::isDynamic(size) ? "?" : std::to_string(size); });
  return describeElement(shaped.getElementType()) + "[" + llvm::join(sizes, ", ") + "]";
}

/// What an error of an op says, `'tenon.op' op has no place`, of the node that it came from: `has no place (tenon.op)`.
static std::string putNodeFirst(MLIRContext *context, StringRef text) {
  auto [name, said] = text.split("' ");
  bool isOp = name.consume_front("'") && name.contains('.') && context->getLoadedDialect(name.split('.').first);
  if (!isOp)
    return text.str();
  said.consume_front("op ");
  return (said + " (" + name + ")").str();
}

std::string tenon::describeMessage(const Diagnostic &diagnostic) {
  Location location = diagnostic.getLocation();
  if (isInText(location))
    return escapeText(diagnostic.str());
  std::string text;
  llvm::raw_string_ostream out(text);
  for (const DiagnosticArgument &argument : diagnostic.getArguments()) {
    if (argument.getKind() == DiagnosticArgument::DiagnosticArgumentKind::Type && argument.getAsType())
      out << describeType(argument.getAsType());
    else
      out << argument;
  }
  if (!describeNode(location).empty())
    text = putNodeFirst(location.getContext(), text);
  return escapeText(text);
}

std::string tenon::describeDiagnostic(const Diagnostic &diagnostic) {
  return describeFile(diagnostic.getLocation()) + describeNode(diagnostic.getLocation()) + describeMessage(diagnostic);
}

//===----------------------------------------------------------------------===//
// Printing
//===----------------------------------------------------------------------===//

static void printKind(DiagnosticSeverity severity, llvm::raw_ostream &out) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    llvm::WithColor::error(out);
    break;
  case DiagnosticSeverity::Warning:
    llvm::WithColor::warning(out);
    break;
  case DiagnosticSeverity::Remark:
    llvm::WithColor::remark(out);
    break;
  case DiagnosticSeverity::Note:
    llvm::WithColor::note(out);
    break;
  }
}

bool tenon::printOfModel(const Diagnostic &diagnostic, llvm::raw_ostream &out) {
  Location location = diagnostic.getLocation();
  if (isInText(location))
    return false;
  out << describeFile(location);
  printKind(diagnostic.getSeverity(), out);
  out << describeNode(location) << describeMessage(diagnostic) << "\n";
  return true;
}

tenon::DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context, llvm::raw_ostream &out)
    : SourceMgrDiagnosticHandler(sources, context, out) {
  // The line of the source, too, is somebody's text: what isn't printable becomes a space, so that columns stay.
  sources.setDiagHandler(
      [](const llvm::SMDiagnostic &given, void *printer) {
        std::string line = given.getLineContents().str();
        std::replace_if(
            line.begin(), line.end(), [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; }, ' ');
        llvm::SMDiagnostic(*given.getSourceMgr(), given.getLoc(), given.getFilename(), given.getLineNo(),
                           given.getColumnNo(), given.getKind(), given.getMessage(), line, given.getRanges())
            .print(nullptr, static_cast<DiagnosticPrinter *>(printer)->os);
      },
      this);
  setHandler([this](Diagnostic &diagnostic) {
    print(diagnostic);
    for (Diagnostic &note : diagnostic.getNotes())
      print(note);
  });
}

void tenon::DiagnosticPrinter::print(const Diagnostic &diagnostic) {
  if (!printOfModel(diagnostic, os))
    emitDiagnostic(diagnostic.getLocation(), describeMessage(diagnostic), diagnostic.getSeverity());
}
