//===- KernelChecks.h - What passes on kernels rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_ANALYSIS_KERNELCHECKS_H
#define TENON_DIALECT_TILE_ANALYSIS_KERNELCHECKS_H

#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"

namespace tenon::tile {
/// A check of `CheckedPass`: the bodies of the kernels in `root` are graphs of ops on tensors without regions, and all
/// sizes of these follow from the kernel's symbols.
mlir::LogicalResult checkKernels(mlir::Operation *root);
} // namespace tenon::tile

#endif // TENON_DIALECT_TILE_ANALYSIS_KERNELCHECKS_H
