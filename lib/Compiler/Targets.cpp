//===- Targets.cpp - The targets that there are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Targets.h"

#include "TargetFamilies.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include "mlir/AsmParser/AsmParser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon {
#define TENON_TARGET(NAME) std::unique_ptr<codegen::TargetFamily> create##NAME##TargetFamily();
#include "tenon/Target/Family.def"
#undef TENON_TARGET
} // namespace tenon

ArrayRef<std::unique_ptr<codegen::TargetFamily>> tenon::targetFamilies() {
  static const std::vector<std::unique_ptr<codegen::TargetFamily>> families = [] {
    std::vector<std::unique_ptr<codegen::TargetFamily>> result;
#define TENON_TARGET(NAME) result.push_back(create##NAME##TargetFamily());
#include "tenon/Target/Family.def"
#undef TENON_TARGET
    return result;
  }();
  return families;
}

std::string tenon::listTargetNames() {
  SmallVector<StringRef> names;
  for (const auto &family : targetFamilies())
    llvm::append_range(names, family->getTargetNames());
  return llvm::join(names, ", ");
}

static llvm::Expected<TargetAttrInterface> describe(MLIRContext *context, StringRef name) {
  for (const auto &family : targetFamilies()) {
    llvm::Expected<TargetAttrInterface> target = family->describe(context, name);
    if (!target || *target)
      return target;
  }
  return llvm::createStringError("unknown target '" + name + "', expected one of " + listTargetNames() + ", or @FILE");
}

/// The descriptions in a file, one after the other.
static llvm::Error readTargets(MLIRContext *context, StringRef path, SmallVectorImpl<TargetAttrInterface> &targets) {
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && status.type() == llvm::sys::fs::file_type::character_file)
    return llvm::createStringError("cannot read the target's description '" + path + "': it is a device");
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return llvm::createStringError("cannot read the target's description '" + path + "': " + file.getError().message());
  std::string wrong;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(wrong) << ": " << diagnostic;
    return success();
  });
  for (StringRef text = (*file)->getBuffer().trim(); !text.empty();) {
    size_t read = 0;
    auto target = dyn_cast_if_present<TargetAttrInterface>(parseAttribute(text.str(), context, Type(), &read));
    if (!target)
      return llvm::createStringError("'" + path + "' holds no description of a target" + wrong);
    targets.push_back(target);
    text = text.drop_front(read).trim();
  }
  return llvm::Error::success();
}

llvm::Expected<SmallVector<TargetAttrInterface>> tenon::resolveTargets(MLIRContext *context, StringRef list) {
  context->loadDialect<TileDialect>();
  SmallVector<TargetAttrInterface> targets;
  SmallVector<StringRef> names;
  list.split(names, ',');
  for (StringRef name : names) {
    name = name.trim();
    if (name.consume_front("@")) {
      if (llvm::Error error = readTargets(context, name, targets))
        return std::move(error);
      continue;
    }
    llvm::Expected<TargetAttrInterface> target = describe(context, name);
    if (!target)
      return target.takeError();
    targets.push_back(*target);
  }
  for (auto [i, target] : llvm::enumerate(targets))
    if (llvm::any_of(ArrayRef(targets).take_front(i), [&](auto other) { return other.getName() == target.getName(); }))
      return llvm::createStringError("target '" + target.getName() + "' is listed twice");
  if (targets.empty())
    return llvm::createStringError("'" + list + "' names no target");
  return targets;
}

/// What the first target of a list takes: passes that ask can load no dialect.
template <typename Prices>
static llvm::Expected<Prices> resolvePrices(StringRef list, Prices (TargetAttrInterface::*get)() const) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  llvm::Expected<SmallVector<TargetAttrInterface>> targets = resolveTargets(&context, list);
  if (!targets)
    return targets.takeError();
  return (targets->front().*get)();
}

llvm::Expected<LayoutPrices> tenon::resolveLayoutPrices(StringRef list) {
  return resolvePrices(list, &TargetAttrInterface::getLayouts);
}

llvm::Expected<FusionPrices> tenon::resolveFusionPrices(StringRef list) {
  return resolvePrices(list, &TargetAttrInterface::getFusion);
}

void tenon::printTarget(raw_ostream &out, TargetAttrInterface target) {
  std::string text;
  llvm::raw_string_ostream(text) << target;
  // A line for each parameter, and for each entry of a list.
  int depth = 0;
  bool isQuoted = false, isSpace = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    isQuoted ^= c == '"';
    if (!isQuoted) {
      depth += (c == '<') + (c == '[') + (c == '{');
      depth -= (c == '>') + (c == ']') + (c == '}');
    }
    if (isSpace && c == ' ')
      continue;
    isSpace = false;
    out << c;
    bool isInList = depth == 2 && i > 0 && text[i - 1] == '>';
    if (!isQuoted && c == ',' && (depth == 1 || isInList)) {
      out << "\n" << std::string(depth * 2, ' ');
      isSpace = true;
    }
  }
  out << "\n";
}
