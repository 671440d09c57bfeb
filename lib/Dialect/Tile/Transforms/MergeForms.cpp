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
        if (failed(moveAll(variant, symbols)))
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

  /// A form's name in the module may be that of another one in the variant: those have names of their own until all are
  /// moved.
  LogicalResult moveAll(VariantOp variant, SymbolTable &symbols) {
    SmallVector<FormOp> forms(variant.getOps<FormOp>());
    SmallVector<StringAttr> names;
    for (auto [i, form] : llvm::enumerate(forms)) {
      names.push_back(form.getSymNameAttr());
      StringAttr own = StringAttr::get(&getContext(), "form:" + Twine(i));
      if (failed(rename(names.back(), own, variant)))
        return failure();
      form.setSymNameAttr(own);
    }
    for (auto [form, name] : llvm::zip(forms, names)) {
      StringAttr own = form.getSymNameAttr();
      form.setSymNameAttr(name);
      auto [it, isNew] = known.try_emplace(contentOf(form));
      form->remove();
      if (isNew)
        it->second = symbols.insert(form, variant->getParentOp()->getIterator());
      else
        form->destroy();
      if (failed(rename(own, it->second, variant)))
        return failure();
    }
    return success();
  }

  static LogicalResult rename(StringAttr before, StringAttr after, VariantOp variant) {
    if (failed(SymbolTable::replaceAllSymbolUses(before, after, &variant.getBody())))
      return variant.emitOpError() << "has ops that may name forms in ways that aren't known";
    return success();
  }

  llvm::StringMap<StringAttr> known;
};
} // namespace
