//===- BufferAccesses.cpp - Which bytes the operations of a program touch ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferAccesses.h"

using namespace mlir;
using namespace tenon::host;

SmallVector<Access> tenon::host::accessesOf(Operation *op) {
  SmallVector<Access> result;
  auto add = [&](Operation *inner, Value buffer, bool writes) {
    if (StorageOp storage = isa<MemRefType>(buffer.getType()) ? storageOf(buffer) : StorageOp())
      result.push_back({inner, buffer, storage, writes});
  };
  op->walk([&](Operation *inner) {
    if (auto effects = dyn_cast<MemoryEffectOpInterface>(inner)) {
      SmallVector<MemoryEffects::EffectInstance> instances;
      effects.getEffects(instances);
      for (MemoryEffects::EffectInstance &instance : instances)
        if (Value value = instance.getValue())
          add(inner, value, isa<MemoryEffects::Write>(instance.getEffect()));
      return;
    }
    if (inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>() || inner->hasTrait<OpTrait::IsTerminator>())
      return;
    // Of others nothing is known.
    for (Value operand : inner->getOperands()) {
      add(inner, operand, false);
      add(inner, operand, true);
    }
  });
  return result;
}
