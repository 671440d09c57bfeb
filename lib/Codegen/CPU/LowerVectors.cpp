//===- LowerVectors.cpp - Vectors of one dimension and places in memory ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon::cpu {
#define GEN_PASS_DEF_LOWERVECTORSPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
struct LowerVectorsPass : tenon::cpu::impl::LowerVectorsPassBase<LowerVectorsPass> {
  /// Once for all kernels of a pipeline: making the patterns takes longer than a small kernel.
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    vector::populateVectorTransferPermutationMapLoweringPatterns(set);
    populateVectorToSCFConversionPatterns(set, VectorTransferToSCFOptions().enableFullUnroll());
    memref::populateExpandStridedMetadataPatterns(set);
    vector::populateVectorToVectorCanonicalizationPatterns(set);
    vector::populateVectorBitCastLoweringPatterns(set);
    vector::populateVectorBroadcastLoweringPatterns(set);
    vector::populateVectorContractLoweringPatterns(set, vector::VectorContractLowering::OuterProduct);
    vector::populateVectorMaskOpLoweringPatterns(set);
    vector::populateVectorShapeCastLoweringPatterns(set);
    vector::populateVectorInterleaveLoweringPatterns(set);
    vector::populateVectorTransposeLoweringPatterns(set, vector::VectorTransposeLowering::EltWise);
    vector::populateVectorTransferLoweringPatterns(set, /*maxTransferRank=*/1);
    vector::populateVectorMaskMaterializationPatterns(set, /*force32BitVectorIndices=*/true);
    vector::populateVectorInsertExtractStridedSliceTransforms(set);
    vector::populateVectorStepLoweringPatterns(set);
    vector::populateVectorRankReducingFMAPattern(set);
    vector::populateVectorGatherLoweringPatterns(set);
    patterns = std::make_shared<const FrozenRewritePatternSet>(std::move(set));
    return success();
  }

  void runOnOperation() override {
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), *patterns, config)))
      signalPassFailure();
  }

  std::shared_ptr<const FrozenRewritePatternSet> patterns;
};
} // namespace
