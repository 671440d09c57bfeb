//===- KernelChecks.cpp - What passes on kernels rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

static LogicalResult checkKernel(KernelOp kernel) {
  if (failed(checkGraph(kernel)))
    return failure();
  SizeAnalysis sizes(kernel.getContext());
  auto symbols = kernel.getBody().front().getArguments().take_front(kernel.getNumSymbols());
  auto checkSizes = [&](Operation *op, Value tensor) -> LogicalResult {
    for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(tensor)))
      if (!sizes.mapOf(size, symbols))
        return op->emitOpError("has size ")
               << dim << " of " << tensor.getType() << ", which does not follow from the kernel's symbols";
    return success();
  };
  for (Value argument : kernel.getBody().front().getArguments())
    if (failed(checkSizes(kernel, argument)))
      return failure();
  for (Operation &op : kernel.getBody().front()) {
    if (op.getNumRegions() != 0)
      return op.emitOpError("has regions, which no op of a kernel may have");
    for (Type type : op.getResultTypes())
      if (!isa<RankedTensorType, IndexType>(type))
        return op.emitOpError("gives ") << type << ", but kernels compute tensors and indices";
    for (Value result : op.getResults())
      if (failed(checkSizes(&op, result)))
        return failure();
  }
  return success();
}

LogicalResult tenon::tile::checkKernels(Operation *root) {
  WalkResult result = root->walk(
      [](KernelOp kernel) { return failed(checkKernel(kernel)) ? WalkResult::interrupt() : WalkResult::skip(); });
  return failure(result.wasInterrupted());
}
