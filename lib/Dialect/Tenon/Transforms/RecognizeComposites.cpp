//===- RecognizeComposites.cpp - Find composites in the simple ops that exporters write ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_RECOGNIZECOMPOSITESPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

namespace {
struct RecognizeCompositesPass : tenon::impl::RecognizeCompositesPassBase<RecognizeCompositesPass> {
  using RecognizeCompositesPassBase::RecognizeCompositesPassBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateRecognizeNormalizationPatterns(patterns);
    populateRecognizeGeluPatterns(patterns);
    populateRecognizeAttentionPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    if (remarks)
      getOperation()->walk([](DecomposableInterface op) {
        emitRemark(op->getLoc()) << "is " << op->getName().stripDialect() << " as a whole";
      });
  }
};
} // namespace
