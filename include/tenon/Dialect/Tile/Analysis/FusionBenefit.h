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

/// What a target takes for what fusion saves and costs, in ns.
struct FusionPrices {
  double launch = 500;      ///< of a kernel
  double byte = 0.1;        ///< written or read again: what doesn't fit into caches
  double instruction = 0.2; ///< of a vector
  int64_t lanes = 8;        ///< elements of a vector
  int64_t workers = 8;      ///< that a launch may be cut between
};

/// The prices for the kernels of a module.
FusionPrices fusionPricesOf(mlir::Operation *module);

/// The time that one kernel saves over two, `a` and `b`, which `whole` computes with `strategy`: what isn't written and
/// read, and a launch, less what fewer workers can do at once. What isn't known of sizes costs nothing.
double fusionBenefit(const OpGroup &a, const OpGroup &b, const OpGroup &whole, const KernelStrategies &strategies,
                     const KernelStrategy &strategy, const FusionPrices &prices);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_FUSIONBENEFIT_H
