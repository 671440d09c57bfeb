//===- SimplifyGraph.cpp - Rewrites the graph into fewer and cheaper ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_SIMPLIFYGRAPHPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

namespace {
struct SimplifyGraphPass : tenon::impl::SimplifyGraphPassBase<SimplifyGraphPass> {
  using SimplifyGraphPassBase::SimplifyGraphPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateSimplifyMovementPatterns(patterns);
    populateSimplifyArithmeticPatterns(patterns);
    populateSimplifyContractionPatterns(patterns);
    populateSimplifyQuantizationPatterns(patterns);
    if (foldScales)
      populateFoldScalesPatterns(patterns);
    tensor::CastOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void tenon::registerTenonTransforms(const Evaluator &evaluator, const LayoutPricesResolver &resolver) {
  mlir::registerPass([evaluator] { return createFoldConstantsPass(evaluator); });
  mlir::registerPass([resolver] { return createAssignLayoutsPass(resolver); });
  mlir::registerPass([] { return createInferSizesPass(); });
  mlir::registerPass([] { return createExpandZeroPointsPass(); });
  mlir::registerPass([] { return createRecognizeCompositesPass(); });
  mlir::registerPass([] { return createDecomposeCompositesPass(); });
  mlir::registerPass([] { return createSimplifyGraphPass(); });
}
