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

FusionPrices tile::fusionPricesOf(Operation *) { return {}; }

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

double tile::fusionBenefit(const OpGroup &a, const OpGroup &b, const OpGroup &whole, const KernelStrategies &strategies,
                           const KernelStrategy &strategy, const FusionPrices &prices) {
  double benefit = prices.launch + prices.byte * (bytesBetween(a, b) + bytesBetween(b, a));
  int64_t workers = workersOf(whole, strategy, prices);
  if (workers == prices.workers)
    return benefit;
  for (const OpGroup *part : {&a, &b}) {
    const KernelStrategy *own = strategies.find(*part);
    double instructions = 0;
    for (Operation *op : part->ops())
      instructions += own->estimateInstructions(op) * elementsOf(op->getResult(0)) / prices.lanes;
    benefit -= prices.instruction * instructions * (1.0 / workers - 1.0 / workersOf(*part, *own, prices));
  }
  return benefit;
}
