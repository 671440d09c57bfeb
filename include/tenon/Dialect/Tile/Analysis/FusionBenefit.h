//===- FusionBenefit.h - What it brings to compute ops in one kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_FUSIONBENEFIT_H
#define TENON_DIALECT_TILE_ANALYSIS_FUSIONBENEFIT_H

#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

namespace tenon::tile {

/// Whether one kernel takes less than two, `a` and `b`, which `whole` computes with `strategy`: what isn't written and
/// read, and a launch, against what it computes several times and what fewer workers can do at once. What isn't known
/// of sizes costs nothing, but nothing of unknown number is computed again. `reason` says what outweighs; it may be
/// null.
bool isWorthFusing(const OpGroup &a, const OpGroup &b, const OpGroup &whole, const KernelStrategies &strategies,
                   const KernelStrategy &strategy, const FusionPrices &prices, llvm::raw_ostream *reason);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_FUSIONBENEFIT_H
