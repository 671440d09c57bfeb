//===- FusionBenefit.cpp - What it brings to compute ops in one kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/FusionBenefit.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

/// The number of elements, 0 where it isn't known.
static double elementsOf(Value tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  return type && type.hasStaticShape() ? type.getNumElements() : 0;
}

/// Bytes that `b` would read of what `a` computes, and those that would not be written at all.
static double bytesBetween(const OpGroup &a, const OpGroup &b) {
  double bytes = 0;
  for (Operation *op : a.ops())
    for (Value result : op->getResults()) {
      bool isRead = llvm::any_of(result.getUsers(), [&](Operation *user) { return b.contains(user); });
      bool isKept =
          llvm::any_of(result.getUsers(), [&](Operation *user) { return !a.contains(user) && !b.contains(user); });
      if (isRead)
        bytes += (isKept ? 1 : 2) * elementsOf(result) * getElementTypeOrSelf(result).getIntOrFloatBitWidth() / 8;
    }
  return bytes;
}

/// Workers that a kernel keeps busy.
static int64_t workersOf(const OpGroup &group, const KernelStrategy &strategy, const FusionPrices &prices) {
  int64_t units = SizeAnalysis::staticSize(group.sizes.simplify(strategy.structureOf(group).work));
  return ShapedType::isDynamic(units) ? prices.workers : std::clamp<int64_t>(units, 1, prices.workers);
}

/// Instructions on single elements for what broadcasts repeat, beyond once for each element: infinitely many where
/// sizes aren't known. `first` becomes the first such broadcast.
static double repeatedInstructions(const OpGroup &group, const KernelStrategy &strategy, Operation *&first) {
  double instructions = 0;
  for (Operation *op : group.ops()) {
    if (!group.repeatsWork(op))
      continue;
    if (!first)
      first = op;
    double elements = elementsOf(op->getResult(0));
    if (elements == 0 && !cast<RankedTensorType>(op->getResult(0).getType()).hasStaticShape())
      return std::numeric_limits<double>::infinity();
    SmallVector<Operation *> repeated = {op->getOperand(0).getDefiningOp()};
    llvm::SmallPtrSet<Operation *, 8> seen(repeated.begin(), repeated.end());
    while (!repeated.empty()) {
      Operation *source = repeated.pop_back_val();
      instructions += strategy.estimateInstructions(source) * (elements - elementsOf(source->getResult(0)));
      for (Value operand : source->getOperands())
        if (Operation *next = operand.getDefiningOp(); next && group.contains(next) && seen.insert(next).second)
          repeated.push_back(next);
    }
  }
  return instructions;
}

bool tile::isWorthFusing(const OpGroup &a, const OpGroup &b, const OpGroup &whole, const KernelStrategies &strategies,
                         const KernelStrategy &strategy, const FusionPrices &prices, raw_ostream *reason) {
  auto costOf = [&](int64_t workers) { return prices.launch + (workers > 1 ? prices.wake : 0); };
  int64_t workers = workersOf(whole, strategy, prices);
  double benefit = prices.byte * (bytesBetween(a, b) + bytesBetween(b, a)) - costOf(workers);
  double repeatedBefore = 0, lost = 0;
  Operation *repeats = nullptr, *before = nullptr;
  for (const OpGroup *part : {&a, &b}) {
    const KernelStrategy *own = strategies.find(*part);
    int64_t ownWorkers = workersOf(*part, *own, prices);
    benefit += costOf(ownWorkers);
    repeatedBefore += repeatedInstructions(*part, *own, before);
    double instructions = 0;
    for (Operation *op : part->ops())
      instructions += own->estimateInstructions(op) * elementsOf(op->getResult(0));
    lost += prices.instruction * instructions * (1.0 / workers - 1.0 / ownWorkers);
  }
  double repeated = prices.instruction * (repeatedInstructions(whole, strategy, repeats) - repeatedBefore) / workers;
  if (benefit >= repeated + lost)
    return true;
  if (reason && repeated > lost)
    *reason << "what " << nodeNameOf(repeats) << " repeats would be computed again each time";
  else if (reason)
    *reason << "fewer processors could work at once than on each of them";
  return false;
}
