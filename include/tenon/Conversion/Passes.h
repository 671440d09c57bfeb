//===- Passes.h - From one level to the next ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CONVERSION_PASSES_H
#define TENON_CONVERSION_PASSES_H

#include "tenon/Dialect/Tenon/Transforms/Evaluator.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon {
#define GEN_PASS_DECL
#include "tenon/Conversion/Passes.h.inc"

/// Computes sizes, axes and bounds that follow from constants with the evaluator; without one they are unknown.
std::unique_ptr<mlir::Pass> createConvertONNXToTenonPass(Evaluator evaluator = {});

void registerConversionPasses(const Evaluator &evaluator);
} // namespace tenon

#endif // TENON_CONVERSION_PASSES_H
