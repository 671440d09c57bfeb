//===- OpGroup.cpp - Ops that are one kernel, or would be ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/OpGroup.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

OpGroup::OpGroup(KernelOp kernel, SizeAnalysis &sizes) : sizes(sizes) {
  Block &body = kernel.getBody().front();
  for (Operation &op : body.without_terminator())
    members.push_back(&op);
  set.insert(members.begin(), members.end());
  if (body.getTerminator()->getNumOperands() > 0)
    yielded = body.getTerminator()->getOperand(0);
}

bool OpGroup::has(Role role) const {
  return llvm::any_of(members, [&](Operation *op) { return roleOf(op) == role; });
}

bool OpGroup::isReadOutside(Operation *op) const {
  return llvm::any_of(op->getUsers(), [&](Operation *user) { return !contains(user); });
}

Value OpGroup::firstResult() const {
  if (yielded)
    return yielded;
  for (Operation *op : members)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !contains(user); }))
        return result;
  return members.back()->getResult(0);
}

Operation *OpGroup::withOtherSizes(ArrayRef<AffineExpr> space) const {
  for (Operation *op : members)
    if (isReadOutside(op) && ArrayRef(sizesOf(op)) != space)
      return op;
  return nullptr;
}

bool OpGroup::repeatsWork(Operation *op) const {
  Operation *source = isa<BroadcastOp>(op) ? op->getOperand(0).getDefiningOp() : nullptr;
  return source && contains(source) && roleOf(source) != Role::free;
}

std::string tile::nodeNameOf(Operation *op) {
  if (auto name = op->getLoc()->findInstanceOf<NameLoc>(); name && !name.getName().empty())
    return "'" + name.getName().str() + "'";
  return "'" + op->getName().getStringRef().str() + "'";
}
