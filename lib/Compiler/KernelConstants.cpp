//===- KernelConstants.cpp - What a kernel's code takes of a launch ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelConstants.h"

#include "tenon/Codegen/Common/Passes.h"

#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace tenon;

/// Of a module with forms beside code in the cache.
static constexpr llvm::StringLiteral kPlacesAttr = "tenon_tile.places";

/// The constants that the list of a variant, or of a module with forms, names.
static std::vector<FormedConstant> readConstants(Operation *op) {
  std::vector<FormedConstant> result;
  auto list = op->getAttrOfType<ArrayAttr>(codegen::kConstantsAttr);
  for (Attribute entry : list ? list.getValue() : ArrayRef<Attribute>()) {
    FormedConstant &constant = result.emplace_back();
    auto fields = dyn_cast<DictionaryAttr>(entry);
    auto name = fields ? fields.getAs<FlatSymbolRefAttr>("form") : FlatSymbolRefAttr();
    for (Operation *table = op; name && table && !constant.form; table = table->getParentOp())
      if (table->hasTrait<OpTrait::SymbolTable>())
        constant.form = dyn_cast_or_null<tile::FormOp>(SymbolTable::lookupSymbolIn(table, name.getAttr()));
    if (auto operands = fields ? fields.getAs<DenseI64ArrayAttr>("operands") : DenseI64ArrayAttr())
      constant.operands.assign(operands.asArrayRef().begin(), operands.asArrayRef().end());
  }
  return result;
}

LogicalResult KernelConstants::find(tile::VariantOp variant) {
  if (auto arguments = variant.getFunction()->getAttrOfType<DictionaryAttr>(codegen::kKernelAttr))
    if (auto known = arguments.getAs<DenseI64ArrayAttr>("places"))
      places = SmallVector<int64_t>(known.asArrayRef());
  constants = readConstants(variant);
  for (FormedConstant &constant : constants)
    if (!constant.form || constant.operands.size() != constant.form.getArgumentTypes().size())
      return variant.emitOpError() << "expects '" << codegen::kConstantsAttr
                                   << "' to name forms, and an operand for each of their arguments";
  return success();
}

std::string KernelConstants::print(MLIRContext *context) const {
  std::string text;
  if (constants.empty() && !places)
    return text;
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(context));
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  SmallVector<Attribute> list;
  for (auto [i, constant] : llvm::enumerate(constants)) {
    tile::FormOp known = constant.form;
    auto form = cast<tile::FormOp>(builder.clone(*known));
    form.setSymName("form" + std::to_string(i));
    list.push_back(
        builder.getDictionaryAttr({builder.getNamedAttr("form", FlatSymbolRefAttr::get(form.getSymNameAttr())),
                                   builder.getNamedAttr("operands", builder.getDenseI64ArrayAttr(constant.operands))}));
  }
  (*module)->setAttr(codegen::kConstantsAttr, builder.getArrayAttr(list));
  if (places)
    (*module)->setAttr(kPlacesAttr, builder.getDenseI64ArrayAttr(*places));
  llvm::raw_string_ostream(text) << *module;
  return text;
}

bool KernelConstants::parse(StringRef text, MLIRContext *context) {
  // The parser wants a NUL at the end.
  std::string content = text.str();
  forms = parseSourceString<ModuleOp>(content, context);
  if (!forms)
    return false;
  constants = readConstants(*forms);
  if (auto known = (*forms)->getAttrOfType<DenseI64ArrayAttr>(kPlacesAttr))
    places = SmallVector<int64_t>(known.asArrayRef());
  return true;
}

std::vector<FormedConstant> tenon::constantsOf(tile::VariantOp variant) {
  std::vector<FormedConstant> result = readConstants(variant);
  for (auto program : variant.getOps<tile::ProgramOp>())
    for (unsigned i = program.getNumIndices(); i < program.getFirstResult(); ++i)
      if (tile::FormOp form = tile::lookupForm(program, i))
        result.push_back({form, program.getOperandsOf(i)});
  if (auto kernel = dyn_cast<tile::KernelOp>(*variant.getFunction()))
    for (unsigned i = kernel.getNumSymbols(); i < kernel.getNumArguments(); ++i)
      if (kernel.getArgAttr(i, tile::kConstantAttr))
        result.push_back({tile::FormOp(), {int64_t(i - kernel.getNumSymbols())}});
  return result;
}

std::string tenon::contentOfForms(tile::VariantOp variant) {
  std::string text;
  for (FormedConstant &constant : constantsOf(variant))
    if (constant.form)
      text += contentOf(constant.form);
  return text;
}

std::string tenon::contentOf(tile::FormOp form) {
  OwningOpRef<tile::FormOp> nameless = form.clone();
  nameless->setSymName("form");
  std::string text;
  llvm::raw_string_ostream out(text);
  nameless->print(out, OpPrintingFlags().useLocalScope());
  return text;
}
