//===- TopKStrategy.cpp - Kernels of the first elements of rows in order ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowerings.h"
#include "OrderedStrategy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
class TopKStrategy : public OrderedStrategy {
public:
  StringRef getName() const override { return "topk"; }
  bool suits(const OpGroup &group) const override { return llvm::any_of(group.ops(), llvm::IsaPred<TopKOp>); }
  AffineMap scratchOf(KernelOp kernel) const override;
  bool hasProgram(KernelOp) const override { return false; } // it keeps candidates in memory that launches give
  LogicalResult lower(KernelBody &body) const override { return emitTopK(body); }
};
} // namespace

/// Room for all of a row, or for what is collected before it is sorted.
AffineMap TopKStrategy::scratchOf(KernelOp kernel) const {
  TopKOp op = *kernel.getBody().getOps<TopKOp>().begin();
  SizeAnalysis sizes(kernel.getContext());
  AffineExpr row = sizes.sizesOf(op.getOperand())[op.getDim()], k = sizes.sizesOf(op.getValues())[op.getDim()];
  int64_t results = SizeAnalysis::staticSize(k);
  if (!ShapedType::isDynamic(results) && results <= TopKCandidates::mostInserted)
    return AffineMap();
  Type element = cast<RankedTensorType>(op.getOperand().getType()).getElementType();
  int64_t bytes = 2 * (TopKCandidates::keyBytes(element) + TopKCandidates::positionBytes);
  SmallVector<AffineExpr> bounds;
  unsigned symbols = kernel.getNumSymbols();
  for (AffineExpr count : {row, k * TopKCandidates::perResult})
    bounds.push_back(
        sizes
            .mapOf((count + TopKCandidates::chunk) * bytes, kernel.getBody().front().getArguments().take_front(symbols))
            ->getResult(0));
  return AffineMap::get(0, symbols, bounds, kernel.getContext());
}

void codegen::addTopKStrategy(TileDialect *dialect) { addStrategy<TopKStrategy>(dialect); }
