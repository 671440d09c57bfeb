//===- OutputKeys.cpp - Outputs whose rows are dictionaries ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/OutputKeys.h"

using namespace mlir;

static constexpr llvm::StringLiteral kKeysAttr = "tenon.keys";

void tenon::setKeys(ModuleOp module, StringRef output, ArrayAttr keys) {
  NamedAttrList known(module->getAttrOfType<DictionaryAttr>(kKeysAttr));
  known.set(output, keys);
  module->setAttr(kKeysAttr, known.getDictionary(module.getContext()));
}

ArrayRef<Attribute> tenon::keysOf(ModuleOp module, StringRef output) {
  auto known = module ? module->getAttrOfType<DictionaryAttr>(kKeysAttr) : DictionaryAttr();
  auto keys = known ? known.getAs<ArrayAttr>(output) : ArrayAttr();
  // Of text that someone wrote.
  if (!keys || !llvm::all_of(keys, llvm::IsaPred<StringAttr, IntegerAttr>))
    return {};
  return keys.getValue();
}
