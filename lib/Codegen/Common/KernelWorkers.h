//===- KernelWorkers.h - How many workers a kernel pays for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_KERNELWORKERS_H
#define TENON_LIB_CODEGEN_COMMON_KERNELWORKERS_H

#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

namespace tenon::codegen {

/// How many workers a launch of the kernel pays for, by its symbols: as often as what they save is the time in which
/// one is woken. Null where that follows from more, or where the target asks nothing for it.
mlir::AffineMap workersOf(tile::KernelOp kernel, const tile::KernelStrategy &strategy,
                          tile::TargetAttrInterface target);

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_KERNELWORKERS_H
