//===- MergeForms.cpp - Forms of constants once in a module ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/IR/TilePrograms.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_MERGEFORMSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
struct MergeFormsPass : tile::impl::MergeFormsPassBase<MergeFormsPass> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    for (auto form : module.getOps<FormOp>())
      known.try_emplace(contentOf(form), form.getSymNameAttr());
    SmallVector<VariantsOp> all(module.getOps<VariantsOp>());
    for (VariantsOp variants : all)
      for (auto variant : variants.getOps<VariantOp>())
        for (FormOp form : llvm::to_vector(variant.getOps<FormOp>()))
          if (failed(move(form, variant, symbols)))
            return signalPassFailure();
    known.clear();
  }

private:
  /// What a form computes, without its name.
  static std::string contentOf(FormOp form) {
    OwningOpRef<FormOp> nameless = form.clone();
    nameless->setSymName("form");
    std::string text;
    llvm::raw_string_ostream out(text);
    nameless->print(out, OpPrintingFlags().useLocalScope());
    return text;
  }

  LogicalResult move(FormOp form, VariantOp variant, SymbolTable &symbols) {
    StringAttr before = form.getSymNameAttr();
    auto [it, isNew] = known.try_emplace(contentOf(form));
    form->remove();
    if (isNew)
      it->second = symbols.insert(form, variant->getParentOp()->getIterator());
    StringAttr after = it->second;
    if (!isNew)
      form->destroy();
    if (before != after && failed(SymbolTable::replaceAllSymbolUses(before, after, &variant.getBody())))
      return variant.emitOpError() << "has ops that may name forms in ways that aren't known";
    return success();
  }

  llvm::StringMap<StringAttr> known;
};
} // namespace
