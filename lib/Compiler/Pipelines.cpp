//===- Pipelines.cpp - The staircase of levels as pass pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Pipelines.h"

#include "ConstantEvaluator.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Conversion/Passes.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void tenon::buildGraphPipeline(OpPassManager &pm) {
  pm.addPass(createConvertONNXToTenonPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  // What simplification makes of constants is folded, which lets it see more.
  for (int round = 0; round < 2; ++round) {
    pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
    pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass());
  }
  pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
  pm.addNestedPass<func::FuncOp>(createAssignLayoutsPass());
  // Transposes of weights are computed, those that meet go.
  pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass());
  pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
  pm.addPass(createCSEPass());
}

void tenon::buildKernelsPipeline(OpPassManager &pm, const KernelOptions &options) {
  pm.addNestedPass<func::FuncOp>(tile::createCountNonZeroPass());
  pm.addNestedPass<func::FuncOp>(tile::createLowerConvolutionsPass());
  // A transposed result is one of the contraction that a convolution became.
  pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass({/*foldScales=*/false}));
  pm.addNestedPass<func::FuncOp>(tile::createPackContractionsPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(tile::createAssignViewsPass());
  pm.addPass(tile::createFormKernelsPass());
  pm.addNestedPass<func::FuncOp>(host::createPlaceBuffersPass());
  if (!options.device.empty()) {
    pm.addNestedPass<func::FuncOp>(host::createAssignDevicesPass({options.device}));
    pm.addNestedPass<func::FuncOp>(host::createInsertTokensPass());
  }
}

void tenon::buildLoopsPipeline(OpPassManager &pm, const LoopOptions &options) {
  codegen::LowerKernelsPassOptions kernels;
  kernels.vectorBytes = options.vectorBytes;
  // Two vectors per row accumulate, two hold columns, one a broadcast element.
  kernels.tileRows = options.vectorRegisters / 2 - 2;
  pm.addPass(codegen::createLowerKernelsPass(kernels));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

namespace {
struct KernelPipelineOptions : PassPipelineOptions<KernelPipelineOptions> {
  Option<std::string> device{*this, "device", llvm::cl::desc("Device that runs the kernels; empty for the CPU")};
};

struct LoopPipelineOptions : PassPipelineOptions<LoopPipelineOptions> {
  Option<int64_t> vectorBytes{*this, "vector-bytes", llvm::cl::desc("Bytes of a vector register"),
                              llvm::cl::init(32)};
  Option<int64_t> vectorRegisters{*this, "vector-registers", llvm::cl::desc("Number of vector registers"),
                                  llvm::cl::init(16)};
};
} // namespace

void tenon::registerPipelines() {
  PassPipelineRegistration<>("tenon-graph", "Level 0 to 1: the graph as kernels want it", buildGraphPipeline);
  PassPipelineRegistration<KernelPipelineOptions>(
      "tenon-kernels", "Level 1 to 2: kernels and the placed host program",
      [](OpPassManager &pm, const KernelPipelineOptions &options) { buildKernelsPipeline(pm, {options.device}); });
  PassPipelineRegistration<LoopPipelineOptions>("tenon-loops", "Level 2 to 3: kernels as loops over vectors",
                                                [](OpPassManager &pm, const LoopPipelineOptions &options) {
                                                  buildLoopsPipeline(
                                                      pm, {options.vectorBytes, options.vectorRegisters});
                                                });
}
