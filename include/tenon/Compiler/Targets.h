//===- Targets.h - The targets that there are ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_TARGETS_H
#define TENON_COMPILER_TARGETS_H

#include "tenon/Dialect/Tile/IR/TileTargets.h"

#include "llvm/Support/Error.h"

namespace tenon {

/// The targets of a comma-separated list, in order of preference: the runtime takes the first that a machine can run.
/// Each is a name, or `@FILE`, which holds descriptions as `printTarget` writes them.
llvm::Expected<llvm::SmallVector<tile::TargetAttrInterface>> resolveTargets(mlir::MLIRContext *context,
                                                                            llvm::StringRef list);
/// What layouts of images cost on the first of them.
llvm::Expected<LayoutPrices> resolveLayoutPrices(llvm::StringRef list);
/// What the first of them takes for what fusion of kernels saves and costs.
llvm::Expected<tile::FusionPrices> resolveFusionPrices(llvm::StringRef list);
/// Names that such a list may have.
std::string listTargetNames();
/// Writes the description, a line for each of its parts.
void printTarget(llvm::raw_ostream &out, tile::TargetAttrInterface target);

} // namespace tenon

#endif // TENON_COMPILER_TARGETS_H
