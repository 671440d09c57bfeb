//===- CheckGraph.cpp - What passes on graphs rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"
#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/RegionKindInterface.h"

using namespace mlir;
using namespace tenon;

/// Whether an op takes part in a graph: as one of Tenon's, or by a value.
static bool isOfGraph(Operation *op) {
  bool isTenons = op->getName().getDialectNamespace().starts_with("tenon");
  return isTenons && (op->getNumOperands() != 0 || op->getNumResults() != 0);
}

LogicalResult tenon::checkGraph(Operation *root) {
  WalkResult result = root->walk([&](Operation *op) {
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (auto shaped = dyn_cast<ShapedType>(type); shaped && shaped.hasRank() && !areCountable(shaped.getShape()))
        return op->emitOpError("has more than 2^56 elements: ") << type, WalkResult::interrupt();
    if (isa<SymbolOp>(op) && !isa_and_present<FunctionOpInterface>(op->getParentOp()))
      return op->emitOpError("expects to stand in a function, outside of loops and branches"), WalkResult::interrupt();
    Region *region = op->getParentRegion();
    if (op == root || !region || !isOfGraph(op))
      return WalkResult::advance();
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (auto integer = dyn_cast<IntegerType>(getElementTypeOrSelf(type)); integer && integer.getWidth() > 64)
        return op->emitOpError("expects integers of at most 64 bits, but has ") << type, WalkResult::interrupt();
    if (!region->hasOneBlock())
      return op->emitOpError("is in a region of several blocks, but graphs have one"), WalkResult::interrupt();
    if (mayBeGraphRegion(*region))
      return op->emitOpError("expects to be in a function"), WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
