//===- KernelNames.h - What kernels are called ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELNAMES_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELNAMES_H

#include "tenon/Dialect/Tile/IR/TileOps.h"

namespace tenon::tile {

/// A kernel's text without its name and places: what kernels that are one have in common.
std::string contentOf(KernelOp kernel);

/// What a person would call a kernel of this content, and a hash of it: `linear_bias_relu_3f2a90c1`. A kernel keeps its
/// name whatever others a model has, so that profiles, tuning records and caches know it again.
std::string nameOf(KernelOp kernel, llvm::StringRef content);

} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELNAMES_H
