//===- KernelWorkers.cpp - How many workers a kernel pays for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelWorkers.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// What more workers save of one worker's time, in cycles, as a sum of products of sizes. What is computed is cut, and
/// so is reading constants, since each worker finds its own part in its own cache. But what other kernels wrote or will
/// read has to move to another core's cache, which takes longer than reading it again, as long as it would fit into
/// one.
class KernelTime {
public:
  KernelTime(KernelOp kernel, const KernelStrategy &strategy, TargetAttrInterface target)
      : kernel(kernel), strategy(strategy), target(target), prices(target.getFusion()), sizes(kernel.getContext()) {
    for (MemoryLevelAttr level : target.getMemories())
      if (!level.getShared())
        ownCache = level;
  }

  AffineMap dividedBy(double cycles) {
    OpGroup group(kernel, sizes);
    ContractOp tiles = strategy.structureOf(group).contract;
    for (Operation *op : group.ops())
      addOp(op, op == tiles);
    auto arguments = kernel.getBody().front().getArguments();
    for (BlockArgument operand : arguments.drop_front(kernel.getNumSymbols()))
      addBytes(operand, (bool)kernel.getArgAttr(operand.getArgNumber(), kConstantAttr));
    for (Value result : kernel.getBody().front().getTerminator()->getOperands())
      addBytes(result, /*isConstant=*/false);
    // Of data that doesn't fit more is saved than moving what fits costs.
    double own = ownCache ? ownCache.getBytes() : 0, moved = ownCache ? 1 / double(ownCache.getBytesPerCycle()) : 0;
    SmallVector<AffineExpr> results;
    for (auto [byte, fixed] : {std::pair(-moved, 0.0), std::pair(prices.byte, -own * (prices.byte + moved))}) {
      // Sums of few cycles count, too.
      constexpr double parts = 16;
      AffineExpr sum = sizes.constant((int64_t)(fixed * parts));
      for (auto [factor, time] : terms)
        sum = sum + factor * (int64_t)std::ceil((time + byte * bytes[factor]) * parts);
      std::optional<AffineMap> workers = sizes.mapOf(sizes.simplify(sum.floorDiv((int64_t)std::ceil(cycles * parts))),
                                                     arguments.take_front(kernel.getNumSymbols()));
      if (!workers)
        return AffineMap();
      results.push_back(workers->getResult(0));
    }
    // Where all is known, one of them is.
    auto first = dyn_cast<AffineConstantExpr>(results[0]), second = dyn_cast<AffineConstantExpr>(results[1]);
    if (first && second)
      results = {first.getValue() > second.getValue() ? results[0] : results[1]};
    return AffineMap::get(0, kernel.getNumSymbols(), results, kernel.getContext());
  }

private:
  /// Some cycles, and bytes that may move, for each element of a space.
  void add(ArrayRef<AffineExpr> space, double cycles, double moved = 0) {
    AffineExpr factor = sizes.constant(1);
    for (AffineExpr size : space) {
      int64_t known = SizeAnalysis::staticSize(size);
      if (ShapedType::isDynamic(known))
        factor = sizes.simplify(factor * size);
      else
        cycles *= known, moved *= known;
    }
    terms[factor] += cycles;
    bytes[factor] += moved;
  }

  void addBytes(Value tensor, bool isConstant) {
    Type element = getElementTypeOrSelf(tensor);
    // Of what is gathered from who knows how much is read.
    auto isReadWhole = [](Operation *user) { return isa<IndexingMapsInterface>(user); };
    if (!element.isIntOrFloat() || (isa<BlockArgument>(tensor) && llvm::none_of(tensor.getUsers(), isReadWhole)))
      return;
    double size = element.getIntOrFloatBitWidth() / 8.0;
    add(sizes.sizesOf(tensor), isConstant ? prices.byte * size : 0, isConstant ? 0 : size);
  }

  void addOp(Operation *op, bool hasTiles) {
    if (op->getNumOperands() == 0 || op->getNumResults() == 0 || !isa<RankedTensorType>(op->getResult(0).getType()))
      return;
    double cycles = prices.instruction * std::max<int64_t>(strategy.estimateInstructions(op), 1);
    if (hasTiles) {
      auto type = [](Value value) { return getElementTypeOrSelf(value); };
      RateAttr rate = target.getRate(type(op->getOperand(0)), type(op->getOperand(1)), type(op->getResult(0)));
      if (rate)
        cycles = 1 / rate.getProductsPerCycle();
    }
    if (auto window = dyn_cast<WindowOp>(op))
      for (int64_t taps : window.getSizes())
        cycles *= taps;
    add(spaceOf(op), cycles);
  }

  /// The loops of an op, as far as their lengths are sizes of tensors.
  SmallVector<AffineExpr> spaceOf(Operation *op) {
    auto maps = dyn_cast<IndexingMapsInterface>(op);
    if (!maps)
      return sizes.sizesOf(op->getResult(0));
    SmallVector<AffineExpr> space(maps.getLoopIterators().size());
    auto visit = [&](Value value, AffineMap map) {
      for (auto [size, place] : llvm::zip(sizes.sizesOf(value), map.getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(place))
          space[dim.getPosition()] = size;
    };
    for (auto [value, map] : llvm::zip(op->getOperands(), maps.getOperandMaps()))
      visit(value, map);
    for (auto [value, map] : llvm::zip(op->getResults(), maps.getResultMaps()))
      visit(value, map);
    llvm::erase(space, AffineExpr());
    return space;
  }

  KernelOp kernel;
  const KernelStrategy &strategy;
  TargetAttrInterface target;
  FusionPrices prices;
  SizeAnalysis sizes;
  MemoryLevelAttr ownCache; ///< the largest one that a core has for itself
  llvm::MapVector<AffineExpr, double> terms, bytes;
};
} // namespace

AffineMap codegen::workersOf(KernelOp kernel, const KernelStrategy &strategy, TargetAttrInterface target) {
  double cycles = target.getFusion().wake;
  return cycles > 0 ? KernelTime(kernel, strategy, target).dividedBy(cycles) : AffineMap();
}
