//===- Pipelines.h - The staircase of levels as pass pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_PIPELINES_H
#define TENON_COMPILER_PIPELINES_H

#include "tenon/Conversion/Passes.h"
#include "tenon/Dialect/Tile/IR/Accuracy.h"
#include "tenon/Dialect/Tile/IR/TileTargets.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tenon {
struct GraphOptions {
  LayoutPrices layouts; ///< what layouts cost on some target
  tile::Accuracy accuracy = tile::Accuracy::standard;
  NamedSizes sizes = {}; ///< of inputs, that are fixed
};

struct KernelOptions {
  LayoutPrices layouts;                        ///< what layouts cost on some target
  tile::FusionPrices fusion;                   ///< what fusion saves and costs on some target
  llvm::SmallVector<std::string> devices = {}; ///< rules of `tenon-assign-devices`
  bool explainFusion = false;                  ///< remarks why nodes are kernels of their own
};

/// From level 0 to level 1 and no further: what the interpreter takes. Symbols in `sizes` have these values.
void buildConversionPipeline(mlir::OpPassManager &pm, const NamedSizes &sizes = {});
/// Level 0 to level 1: the graph as kernels want it.
void buildGraphPipeline(mlir::OpPassManager &pm, const GraphOptions &options);
/// Level 1 to level 2: kernels, and the host program that launches them, with every buffer in its place.
void buildKernelsPipeline(mlir::OpPassManager &pm, const KernelOptions &options);
/// The end of it, for a program that is on level 2 already: launches on devices, ordered by tokens.
void buildDevicesPipeline(mlir::OpPassManager &pm, llvm::ArrayRef<std::string> rules);
/// Within level 2, before the program becomes code: it is cut into segments, each of which has a function that plans
/// it.
void buildPlansPipeline(mlir::OpPassManager &pm);
/// Within level 2: a variant of each kernel for each of the targets, the preferred one first, each with its schedule.
void buildVariantsPipeline(mlir::OpPassManager &pm, llvm::ArrayRef<tile::TargetAttrInterface> targets);
/// Level 2 to level 2b: variants as tile programs.
void buildTilesPipeline(mlir::OpPassManager &pm);
/// Level 2b to level 3: variants as loops over vectors.
void buildLoopsPipeline(mlir::OpPassManager &pm);
/// Registers them as `tenon-graph`, `tenon-kernels`, `tenon-plans`, `tenon-variants`, `tenon-tiles` and `tenon-loops`.
void registerPipelines();
} // namespace tenon

#endif // TENON_COMPILER_PIPELINES_H
