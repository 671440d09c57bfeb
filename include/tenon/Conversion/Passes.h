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
#include "llvm/Support/Error.h"
#include <utility>
#include <vector>

namespace tenon {
#define GEN_PASS_DECL
#include "tenon/Conversion/Passes.h.inc"

/// Sizes by the names of their symbols.
using NamedSizes = std::vector<std::pair<std::string, int64_t>>;

/// What texts of the form NAME=N say.
llvm::Expected<NamedSizes> parseNamedSizes(llvm::ArrayRef<std::string> texts);

/// Computes sizes, axes and bounds that follow from constants with the evaluator; without one they are unknown. Symbols
/// in `sizes` have these values.
std::unique_ptr<mlir::Pass> createConvertONNXToTenonPass(Evaluator evaluator = {}, const NamedSizes &sizes = {});

/// The operators of ONNX models, one a line and in the order of their names, as `domain.name` outside of ONNX's own
/// domain: `name version` with the oldest version that is converted, or `name: reason` for what is refused (`domain.*`:
/// for all others of a domain).
void printONNXOperators(llvm::raw_ostream &os);

void registerConversionPasses(const Evaluator &evaluator);
} // namespace tenon

#endif // TENON_CONVERSION_PASSES_H
