//===- CheckGraph.cpp - What passes on graphs rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/RegionKindInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;

static bool hasCountableElements(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  int64_t elements = 1;
  return !shaped || !shaped.hasRank() || llvm::none_of(shaped.getShape(), [&](int64_t size) {
    return size > 0 && llvm::MulOverflow(elements, size, elements);
  });
}

/// Whether an op takes part in a graph: as one of Tenon's, or by a value.
static bool isOfGraph(Operation *op) {
  bool isTenons = op->getName().getDialectNamespace().starts_with("tenon");
  return isTenons && (op->getNumOperands() != 0 || op->getNumResults() != 0);
}

/// Sizes of all tensors may be computed from symbols: they stand before what gives tensors.
static bool standsFirst(SymbolOp symbol) {
  auto function = dyn_cast_if_present<FunctionOpInterface>(symbol->getParentOp());
  if (!function || symbol->getBlock() != &function.getFunctionBody().front())
    return false;
  for (Operation *before = symbol->getPrevNode(); before && !isa<SymbolOp>(before); before = before->getPrevNode())
    if (before->getNumRegions() != 0 ||
        (llvm::any_of(before->getResultTypes(), llvm::IsaPred<TensorType>) && !before->hasTrait<OpTrait::ConstantLike>()))
      return false;
  return true;
}

LogicalResult tenon::checkGraph(Operation *root) {
  WalkResult result = root->walk([&](Operation *op) {
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (!hasCountableElements(type))
        return op->emitOpError("has more elements than 64 bits can count: ") << type, WalkResult::interrupt();
    if (auto symbol = dyn_cast<SymbolOp>(op); symbol && !standsFirst(symbol))
      return op->emitOpError("expects to stand at the start of a function"), WalkResult::interrupt();
    Region *region = op->getParentRegion();
    if (op == root || !region || !isOfGraph(op))
      return WalkResult::advance();
    if (!region->hasOneBlock())
      return op->emitOpError("is in a region of several blocks, but graphs have one"), WalkResult::interrupt();
    if (mayBeGraphRegion(*region))
      return op->emitOpError("expects to be in a function"), WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
