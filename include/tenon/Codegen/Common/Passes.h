//===- Passes.h - From kernels to loops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PASSES_H
#define TENON_CODEGEN_COMMON_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"

#include <functional>

namespace tenon::codegen {
#define GEN_PASS_DECL
#include "tenon/Codegen/Common/Passes.h.inc"

/// Here a dictionary of the numbers of the kernel's leading arguments by kind: `buffers`, `strides`, `symbols`. Then
/// follow the begin and the end of the work range.
using tenon::kKernelAttr;
/// Of a variant that is loops: for each constant that its function takes in a form, that `form`, and the `operands` of
/// a launch that it is made of.
inline constexpr llvm::StringLiteral kConstantsAttr = "tenon_tile.constants";
/// Marks a kernel that takes its worker's scratch after the end of the work range.
inline constexpr llvm::StringLiteral kScratchAttr = "tenon_tile.scratch";
/// Marks one that takes the launch's scratch after these.
inline constexpr llvm::StringLiteral kLaunchScratchAttr = "tenon_tile.launch_scratch";
/// Marks a kernel that takes its worker's error slot as the last argument.
inline constexpr llvm::StringLiteral kChecksAttr = "tenon_tile.checks";

/// The targets that a list names. What there is to know of targets is no part of this library.
using TargetResolver = std::function<llvm::Expected<llvm::SmallVector<tile::TargetAttrInterface>>(
    mlir::MLIRContext *, llvm::StringRef list)>;

/// Makes a variant of each kernel for each of the targets.
std::unique_ptr<mlir::Pass> createFormVariantsPass(TargetResolver resolver);

/// Registers the passes from kernels to loops.
void registerCodegenPasses(const TargetResolver &resolver);
} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_PASSES_H
