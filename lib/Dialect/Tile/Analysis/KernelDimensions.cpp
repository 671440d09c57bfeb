//===- KernelDimensions.cpp - Dimensions that a kernel's tensors share ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelDimensions.h"
#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

KernelDimensions::KernelDimensions(KernelOp kernel) : sizes(kernel.getContext()) {
  Block &body = kernel.getBody().front();
  for (Value argument : body.getArguments().drop_front(kernel.getNumSymbols()))
    add(argument);
  for (Operation &op : body)
    for (Value result : op.getResults())
      if (isa<RankedTensorType>(result.getType()))
        add(result);
  for (Operation &op : body.without_terminator())
    relate(&op);
  relateResults(body);
  // From here on a class is its leader.
  for (auto &[tensor, ids] : dims)
    for (int &id : ids)
      id = classes.getLeaderValue(id);
  llvm::DenseSet<int> leaders;
  for (int id : fixed)
    leaders.insert(classes.getLeaderValue(id));
  fixed = std::move(leaders);
}

void KernelDimensions::add(Value tensor) {
  SmallVector<int> &ids = dims[tensor];
  for (int64_t i = 0; i < cast<RankedTensorType>(tensor.getType()).getRank(); ++i) {
    classes.insert(count);
    ids.push_back(count++);
  }
}

void KernelDimensions::unite(Value a, int64_t i, Value b, int64_t j) { classes.unionSets(dims[a][i], dims[b][j]); }

void KernelDimensions::fix(Value tensor, int64_t dim) { fixed.insert(dims[tensor][dim]); }

void KernelDimensions::fixAll(Operation *op) {
  for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
    for (int64_t dim = 0; dim < (int64_t)dims.lookup(value).size(); ++dim)
      fix(value, dim);
}

void KernelDimensions::relate(Operation *op) {
  if (isa<ConstantOp, BindShapeOp>(op) || !isa_and_present<TenonDialect, TileDialect>(op->getDialect()))
    return;
  Role role = roleOf(op);
  auto maps = dyn_cast<IndexingMapsInterface>(op);
  if (op->hasTrait<OpTrait::Elementwise>()) {
    for (Value operand : op->getOperands())
      for (int64_t dim = 0; dim < (int64_t)dims[operand].size(); ++dim)
        unite(operand, dim, op->getResult(0), dim);
  } else if (maps && (role == Role::contraction || role == Role::rows || role == Role::free)) {
    relateMaps(maps);
  } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    SmallVector<AffineExpr> from = sizes.sizesOf(broadcast.getOperand()), to = sizes.sizesOf(broadcast.getResult());
    for (auto [i, dim] : llvm::enumerate(broadcast.getDims())) {
      if (from[i] == to[dim])
        unite(broadcast.getOperand(), i, broadcast.getResult(), dim);
      else
        fix(broadcast.getOperand(), i), fix(broadcast.getResult(), dim);
    }
  } else {
    fixAll(op);
  }
}

void KernelDimensions::relateMaps(IndexingMapsInterface op) {
  DenseMap<unsigned, int> ids;
  auto visit = [&](Value value, AffineMap map) {
    for (auto [dim, expression] : llvm::enumerate(map.getResults())) {
      auto position = dyn_cast<AffineDimExpr>(expression);
      if (!position) {
        fix(value, dim);
        continue;
      }
      auto [it, inserted] = ids.try_emplace(position.getPosition(), dims[value][dim]);
      if (!inserted)
        classes.unionSets(it->second, dims[value][dim]);
    }
  };
  for (auto [value, map] : llvm::zip(op->getOperands(), op.getOperandMaps()))
    visit(value, map);
  for (auto [value, map] : llvm::zip(op->getResults(), op.getResultMaps()))
    visit(value, map);
  // A reduction's dimensions are written in its attribute: they stay.
  for (int64_t dim : roleDimsOf(op))
    fix(op->getOperand(0), dim);
}

/// What has the sizes of the iteration space is computed at one place of it, whether it is read together or
/// not.
void KernelDimensions::relateResults(Block &body) {
  SmallVector<Value> wholes(body.getTerminator()->getOperands());
  for (Operation &op : body)
    if (roleOf(&op) == Role::rows)
      wholes.push_back(op.getOperand(0));
  for (auto [i, whole] : llvm::enumerate(wholes))
    for (Value other : ArrayRef(wholes).drop_front(i + 1))
      if (sizes.sizesOf(whole) == sizes.sizesOf(other))
        for (int64_t dim = 0; dim < (int64_t)dims[whole].size(); ++dim)
          unite(whole, dim, other, dim);
}
