//===- KernelStrategy.cpp - What a group of ops can be compiled as ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

const KernelStrategies *KernelStrategies::of(MLIRContext *context) {
  auto *dialect = context->getLoadedDialect<TileDialect>();
  return dialect ? dialect->getRegisteredInterface<KernelStrategies>() : nullptr;
}

const KernelStrategy *KernelStrategies::find(const OpGroup &group) const {
  for (const KernelStrategy *strategy : all())
    if (strategy->suits(group))
      return strategy;
  return nullptr;
}

const KernelStrategy *tile::strategyOf(KernelOp kernel) {
  const KernelStrategies *strategies = KernelStrategies::of(kernel.getContext());
  SizeAnalysis sizes(kernel.getContext());
  return strategies ? strategies->find(OpGroup(kernel, sizes)) : nullptr;
}

bool KernelStrategy::acceptsEpilogue(const OpGroup &group, Operation *anchor, raw_ostream *reason, Operation *turned) {
  SmallVector<AffineExpr> space = group.sizesOf(turned ? turned : anchor);
  DenseSet<Value> dependent(anchor->result_begin(), anchor->result_end());
  for (Operation *op : group.ops()) {
    if (op == anchor) {
      if (llvm::any_of(op->getOperands(), [&](Value operand) { return group.contains(operand.getDefiningOp()); }))
        return refuse(reason, "{0} reads its operands from memory, more than once", nodeNameOf(op));
      continue;
    }
    if (op == turned) {
      dependent = {op->getResult(0)};
      continue;
    }
    bool depends = llvm::any_of(op->getOperands(), [&](Value operand) { return dependent.contains(operand); });
    if (depends && !op->hasTrait<OpTrait::Elementwise>())
      return refuse(reason, "only elementwise operations can follow {0} in its kernel", nodeNameOf(anchor));
    if (depends && group.sizesOf(op) != space)
      return refuse(reason, "only operations on all of its result can follow {0} in its kernel", nodeNameOf(anchor));
    if (depends)
      dependent.insert(op->getResult(0));
  }
  if (Operation *other = group.withOtherSizes(space))
    return refuse(reason, "{0} is read elsewhere, and has other sizes than {1}", nodeNameOf(other), nodeNameOf(anchor));
  return true;
}
