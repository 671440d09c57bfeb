//===- Passes.h - Passes on the graph ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_PASSES_H
#define TENON_DIALECT_TENON_TRANSFORMS_PASSES_H

#include "tenon/Dialect/Tenon/Transforms/Evaluator.h"
#include "tenon/Dialect/Tenon/Transforms/Layout.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/Error.h"

#include <functional>

namespace mlir {
class RewritePatternSet;
} // namespace mlir

namespace tenon {
#define GEN_PASS_DECL
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"

/// Computes ops on constants with the evaluator; without one the pass does nothing.
std::unique_ptr<mlir::Pass> createFoldConstantsPass(Evaluator evaluator, bool foldWeights = true);

/// What layouts cost on a target, by its name. What there is to know of targets is no part of this library.
using LayoutPricesResolver = std::function<llvm::Expected<LayoutPrices>(llvm::StringRef target)>;

/// Chooses layouts by the prices of a target.
std::unique_ptr<mlir::Pass> createAssignLayoutsPass(LayoutPricesResolver resolver);

/// Registers the passes on the graph.
void registerTenonTransforms(const Evaluator &evaluator, const LayoutPricesResolver &resolver);

/// Ops that give their operand, ops in a row that are one.
void populateSimplifyMovementPatterns(mlir::RewritePatternSet &patterns);
/// Arithmetic that is the same in another form, bit by bit.
void populateSimplifyArithmeticPatterns(mlir::RewritePatternSet &patterns);
/// Quantised numbers that are pooled, or quantised again as they were, stay as they are stored.
void populateSimplifyQuantizationPatterns(mlir::RewritePatternSet &patterns);
/// Transposes into the indexing maps of contractions.
void populateSimplifyContractionPatterns(mlir::RewritePatternSet &patterns);
/// Composites in the forms that exporters write them.
void populateRecognizeNormalizationPatterns(mlir::RewritePatternSet &patterns);
void populateRecognizeGeluPatterns(mlir::RewritePatternSet &patterns);
void populateRecognizeAttentionPatterns(mlir::RewritePatternSet &patterns);
/// Factors per channel into the weights before them.
void populateFoldScalesPatterns(mlir::RewritePatternSet &patterns);
} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_PASSES_H
