//===- Passes.h - Passes on kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_TRANSFORMS_PASSES_H
#define TENON_DIALECT_TILE_TRANSFORMS_PASSES_H

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Dialect/Tile/Analysis/KernelChecks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {
struct LayoutPrices;
} // namespace tenon

namespace tenon::tile {
struct FusionPrices;
/// What layouts of images cost on a target of a list, by its name.
using LayoutPricesResolver = std::function<llvm::Expected<LayoutPrices>(llvm::StringRef target)>;
/// What a target of a list, by its name, takes for what fusion saves and costs.
using FusionPricesResolver = std::function<llvm::Expected<FusionPrices>(llvm::StringRef target)>;
std::unique_ptr<mlir::Pass> createLowerConvolutionsPass(LayoutPricesResolver resolver);
std::unique_ptr<mlir::Pass> createFormKernelsPass(FusionPricesResolver resolver, bool explain = false);
std::unique_ptr<mlir::Pass> createGeneralizeSizesPass(FusionPricesResolver resolver);

#define GEN_PASS_DECL
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"

/// Registers all of them for `tenon-opt` and plugins.
void registerTileTransforms(const LayoutPricesResolver &layouts, const FusionPricesResolver &fusion);
} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_TRANSFORMS_PASSES_H
