//===- Pipelines.cpp - The staircase of levels as pass pipelines ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Compiler/Pipelines.h"

#include "ConstantEvaluator.h"
#include "tenon/Codegen/Common/Passes.h"
#include "tenon/Compiler/Targets.h"
#include "tenon/Conversion/Passes.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tenon;

void tenon::buildConversionPipeline(OpPassManager &pm, const NamedSizes &sizes) {
  pm.addPass(createConvertONNXToTenonPass(interpretingEvaluator(), sizes));
}

static void buildGraph(OpPassManager &pm, std::unique_ptr<Pass> assignLayouts, tile::Accuracy accuracy,
                       const NamedSizes &sizes) {
  // Factors in weights may overflow where those of the model don't.
  SimplifyGraphPassOptions simplify;
  simplify.foldScales = accuracy != tile::Accuracy::strict;
  buildConversionPipeline(pm, sizes);
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(createInferSizesPass());
  // What is stored has to show, behind slices and transposes too, before it is widened.
  pm.addPass(createFoldConstantsPass(interpretingEvaluator(), /*foldWeights=*/false));
  pm.addNestedPass<func::FuncOp>(createExpandZeroPointsPass({/*dequantized=*/accuracy != tile::Accuracy::strict}));
  // What simplification makes of constants is folded, which lets it see more.
  for (int round = 0; round < 2; ++round) {
    pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
    pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass(simplify));
  }
  pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
  pm.addPass(createRecognizeCompositesPass());
  pm.addNestedPass<func::FuncOp>(std::move(assignLayouts));
  // Transposes of weights are computed, those that meet go.
  pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass(simplify));
  pm.addPass(createFoldConstantsPass(interpretingEvaluator()));
  pm.addPass(createCSEPass());
}

void tenon::buildGraphPipeline(OpPassManager &pm, const GraphOptions &options) {
  buildGraph(pm, createAssignLayoutsPass([layouts = options.layouts](StringRef) { return layouts; }), options.accuracy,
             options.sizes);
}

static void buildKernels(OpPassManager &pm, std::unique_ptr<Pass> lowerConvolutions, std::unique_ptr<Pass> formKernels,
                         std::unique_ptr<Pass> generalizeSizes, ArrayRef<std::string> devices) {
  DecomposeCompositesPassOptions withoutKernels;
  withoutKernels.ops = {AttentionOp::getOperationName().str()};
  pm.addPass(createDecomposeCompositesPass(withoutKernels));
  pm.addNestedPass<func::FuncOp>(host::createFormHostCallsPass());
  pm.addNestedPass<func::FuncOp>(tile::createCountNonZeroPass());
  pm.addNestedPass<func::FuncOp>(tile::createCheckSizesPass());
  pm.addNestedPass<func::FuncOp>(std::move(lowerConvolutions));
  // A transposed result is one of the contraction that a convolution became.
  pm.addNestedPass<func::FuncOp>(createSimplifyGraphPass({/*foldScales=*/false}));
  pm.addNestedPass<func::FuncOp>(tile::createCanonicalizeContractionsPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(tile::createPackResultsPass());
  pm.addNestedPass<func::FuncOp>(host::createAssignAliasesPass());
  pm.addNestedPass<func::FuncOp>(tile::createAssignViewsPass());
  pm.addPass(std::move(formKernels));
  pm.addPass(std::move(generalizeSizes));
  pm.addNestedPass<func::FuncOp>(host::createPlaceBuffersPass());
  buildDevicesPipeline(pm, devices);
}

void tenon::buildKernelsPipeline(OpPassManager &pm, const KernelOptions &options) {
  auto layouts = [layouts = options.layouts](StringRef) { return layouts; };
  auto fusion = [fusion = options.fusion](StringRef) { return fusion; };
  buildKernels(pm, tile::createLowerConvolutionsPass(layouts),
               tile::createFormKernelsPass(fusion, options.explainFusion), tile::createGeneralizeSizesPass(fusion),
               options.devices);
}

void tenon::buildDevicesPipeline(OpPassManager &pm, ArrayRef<std::string> rules) {
  if (rules.empty())
    return;
  host::AssignDevicesPassOptions devices;
  devices.rules.assign(rules.begin(), rules.end());
  pm.addPass(host::createAssignDevicesPass(devices));
  pm.addNestedPass<func::FuncOp>(host::createInsertTokensPass());
}

void tenon::buildPlansPipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(host::createCutSegmentsPass());
  pm.addPass(host::createOutlinePlanPass());
}

static void buildVariants(OpPassManager &pm, std::unique_ptr<Pass> formVariants) {
  pm.addPass(std::move(formVariants));
  pm.nest<tile::VariantsOp>().addNestedPass<tile::VariantOp>(codegen::createSelectSchedulesPass());
}

void tenon::buildVariantsPipeline(OpPassManager &pm, ArrayRef<tile::TargetAttrInterface> targets) {
  SmallVector<tile::TargetAttrInterface> known(targets);
  buildVariants(pm, codegen::createFormVariantsPass([known](MLIRContext *, StringRef) { return known; }));
}

void tenon::buildTilesPipeline(OpPassManager &pm) {
  pm.nest<tile::VariantsOp>().addNestedPass<tile::VariantOp>(codegen::createBuildTilesPass());
  pm.addPass(tile::createMergeFormsPass());
}

void tenon::buildLoopsPipeline(OpPassManager &pm) {
  OpPassManager &variant = pm.nest<tile::VariantsOp>().nest<tile::VariantOp>();
  variant.addPass(codegen::createLowerTilesPass());
  // Loops are structured: there are no blocks to merge, and looking for some takes as long as all patterns.
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  variant.addPass(createCanonicalizerPass(config));
  variant.addPass(createCSEPass());
}

namespace {
struct GraphPipelineOptions : PassPipelineOptions<GraphPipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("Name of the target whose prices of layouts count"),
                             llvm::cl::init("avx2")};
  Option<tile::Accuracy> accuracy{*this, "accuracy", llvm::cl::desc("What may be given up for speed"),
                                  llvm::cl::init(tile::Accuracy::standard),
                                  llvm::cl::values(clEnumValN(tile::Accuracy::strict, "strict", "nothing"),
                                                   clEnumValN(tile::Accuracy::standard, "default",
                                                              "bits that 1e-4 of the largest value doesn't need"),
                                                   clEnumValN(tile::Accuracy::fast, "fast", "all but about 12 bits"))};
};

struct KernelPipelineOptions : PassPipelineOptions<KernelPipelineOptions> {
  Option<std::string> target{*this, "target", llvm::cl::desc("Name of the target whose prices count"),
                             llvm::cl::init("avx2")};
  ListOption<std::string> devices{*this, "devices", llvm::cl::desc("Rules of tenon-assign-devices; none for the CPU")};
};

struct VariantsOptions : PassPipelineOptions<VariantsOptions> {
  Option<std::string> targets{*this, "targets", llvm::cl::desc("Names of targets, the preferred one first"),
                              llvm::cl::init("host")};
};
} // namespace

void tenon::registerPipelines() {
  PassPipelineRegistration<GraphPipelineOptions>(
      "tenon-graph", "Level 0 to 1: the graph as kernels want it",
      [](OpPassManager &pm, const GraphPipelineOptions &options) {
        std::string name = options.target;
        buildGraph(pm, createAssignLayoutsPass([name](StringRef) { return resolveLayoutPrices(name); }),
                   options.accuracy, {});
      });
  PassPipelineRegistration<KernelPipelineOptions>(
      "tenon-kernels", "Level 1 to 2: kernels and the placed host program",
      [](OpPassManager &pm, const KernelPipelineOptions &options) {
        std::string name = options.target;
        auto layouts = [name](StringRef) { return resolveLayoutPrices(name); };
        auto fusion = [name](StringRef) { return resolveFusionPrices(name); };
        buildKernels(pm, tile::createLowerConvolutionsPass(layouts), tile::createFormKernelsPass(fusion),
                     tile::createGeneralizeSizesPass(fusion),
                     SmallVector<std::string>(options.devices.begin(), options.devices.end()));
      });
  PassPipelineRegistration<>("tenon-plans", "Within level 2: the host program as segments and their plans",
                             buildPlansPipeline);
  PassPipelineRegistration<VariantsOptions>(
      "tenon-variants", "Within level 2: kernels for each target, with schedules",
      [](OpPassManager &pm, const VariantsOptions &options) {
        std::string names = options.targets;
        buildVariants(pm, codegen::createFormVariantsPass(
                              [names](MLIRContext *context, StringRef) { return resolveTargets(context, names); }));
      });
  PassPipelineRegistration<>("tenon-tiles", "Level 2 to 2b: variants as tile programs", buildTilesPipeline);
  PassPipelineRegistration<>("tenon-loops", "Level 2b to 3: variants as loops over vectors", buildLoopsPipeline);
}
