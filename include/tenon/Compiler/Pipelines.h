//===- Pipelines.h - The staircase of levels as pass pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_COMPILER_PIPELINES_H
#define TENON_COMPILER_PIPELINES_H

#include <cstdint>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tenon {
struct KernelOptions {
  std::string device; ///< that runs the kernels; empty for the CPU that runs the program
};

/// What the loops depend on of a target.
struct LoopOptions {
  int64_t vectorBytes = 32;
  int64_t vectorRegisters = 16;
};

/// Level 0 to level 1: the graph as kernels want it.
void buildGraphPipeline(mlir::OpPassManager &pm);
/// Level 1 to level 2: kernels, and the host program that launches them, with every buffer in its place.
void buildKernelsPipeline(mlir::OpPassManager &pm, const KernelOptions &options);
/// Level 2 to level 3: kernels as loops over vectors.
void buildLoopsPipeline(mlir::OpPassManager &pm, const LoopOptions &options);
/// Registers them as `tenon-graph`, `tenon-kernels` and `tenon-loops`.
void registerPipelines();
} // namespace tenon

#endif // TENON_COMPILER_PIPELINES_H
