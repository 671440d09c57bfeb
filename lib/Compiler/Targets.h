//===- Targets.h - Descriptions of targets as attributes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_TARGETS_H
#define TENON_LIB_COMPILER_TARGETS_H

#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Target/CPU/TargetDescription.h"

namespace tenon {

tile::TargetAttr attributeOf(mlir::MLIRContext *context, const cpu::TargetDescription &target);
cpu::TargetDescription descriptionOf(tile::TargetAttr target);

/// The targets that a list names, as `cpu::parseTargets` has it.
llvm::Expected<llvm::SmallVector<tile::TargetAttr>> resolveTargets(mlir::MLIRContext *context, llvm::StringRef list);

} // namespace tenon

#endif // TENON_LIB_COMPILER_TARGETS_H
