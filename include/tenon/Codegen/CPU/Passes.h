//===- Passes.h - Passes from loops to machine code on a CPU ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_CPU_PASSES_H
#define TENON_CODEGEN_CPU_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class OpPassManager;
class RewritePatternSet;
} // namespace mlir

namespace tenon::cpu {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tenon/Codegen/CPU/Passes.h.inc"

/// From kernels in loops and vectors to the LLVM dialect with C entry points. Runs on a module of kernels.
void buildKernelToLLVMPipeline(mlir::OpPassManager &pm);
/// Registers the pipeline as `tenon-lower-to-llvm`.
void registerCPUCodegenPipelines();
} // namespace tenon::cpu

#endif // TENON_CODEGEN_CPU_PASSES_H
