//===- OpenRegions.cpp - Loops and branches whose sizes show while they run ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OpenRegions.h"

#include "tenon/Dialect/Host/IR/HostOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

OpenRegions::OpenRegions(func::FuncOp func, SizeAnalysis &sizes) : sizes(sizes) {
  func.walk([&](Operation *op) {
    if (isa<IfOp, LoopOp>(op))
      look(op);
  });
}

bool host::runsToTripCount(LoopOp loop) {
  auto condition = loop.getBody().front().getTerminator()->getOperand(0).getDefiningOp<ConstantOp>();
  auto value = condition ? dyn_cast<SplatElementsAttr>(condition.getValue()) : SplatElementsAttr();
  return value && !value.getSplatValue<APInt>().isZero();
}

ArrayRef<int64_t> OpenRegions::unknownDims(Value value) const {
  auto it = unknown.find(value);
  return it == unknown.end() ? ArrayRef<int64_t>() : ArrayRef(it->second);
}

/// Whether a size is computed by the op: in its regions, or as a result of it.
bool OpenRegions::isUnknownBefore(AffineExpr size, Operation *op) {
  return llvm::any_of(sizes.valuesOf(size), [&](Value value) {
    return value.getDefiningOp() == op || op->isAncestor(value.getParentRegion()->getParentOp());
  });
}

void OpenRegions::look(Operation *op) {
  auto loop = dyn_cast<LoopOp>(op);
  unsigned carried = loop ? loop.getCarried().size() : op->getNumResults();
  auto add = [&](Value value) {
    // A slot holds values of any size.
    if (isa<RankedTensorType>(value.getType()) && !isHeld(value.getType()))
      for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(value)))
        if (isUnknownBefore(size, op))
          unknown[value].push_back(dim);
    return !unknownDims(value).empty();
  };
  bool grows = false;
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    bool isUnknown = add(result);
    if (loop && i < carried)
      isUnknown |= add(loop.getBody().getArgument(i + 1));
    else if (loop && isUnknown && runsToTripCount(loop))
      isUnknown &= unknownDims(result).size() > 1 || unknownDims(result).front() != 0;
    if (!isUnknown)
      continue;
    grows = true;
    growing.insert(result);
    if (loop && i < carried)
      growing.insert(loop.getBody().getArgument(i + 1));
  }
  if (grows || hasUnknownSizesInside(op))
    open.insert(op);
}

bool OpenRegions::hasUnknownSizesInside(Operation *op) {
  for (Region &region : op->getRegions()) {
    WalkResult result = region.walk([&](Operation *inner) {
      bool isUnknown = isOpen(inner) || llvm::any_of(inner->getResults(), [&](Value value) {
                         bool hasSizes = isa<RankedTensorType>(value.getType()) && !isHeld(value.getType());
                         return hasSizes && llvm::any_of(sizes.sizesOf(value),
                                                         [&](AffineExpr size) { return isUnknownBefore(size, op); });
                       });
      return isUnknown ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return true;
  }
  return false;
}
