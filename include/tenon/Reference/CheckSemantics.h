//===- CheckSemantics.h - Finds the pass that changes results ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Interprets a module before the first pass of a pipeline and after each one that changes it, on the same inputs. What
// runs are functions of level 1, programs that launch kernels or their tile programs, kernels that nobody launches,
// and each variant of a kernel by itself.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_CHECKSEMANTICS_H
#define TENON_REFERENCE_CHECKSEMANTICS_H

#include "tenon/Reference/Interpreter.h"

namespace mlir {
class PassManager;
} // namespace mlir

namespace tenon::reference {

struct SemanticsOptions {
  uint64_t seed = 1; ///< of random inputs
  /// Allowed difference of floating point, relative above 1. By default 1e-4, or 16 units in the last place of the
  /// coarsest type that a function computes with.
  std::optional<double> tolerance;
  /// Sizes of symbols by name, for each run; others are small ones. Without any, four runs at sizes of their own.
  std::vector<llvm::StringMap<int64_t>> sizes;
  /// An input that is not random, by its name and type; nothing for others.
  std::function<llvm::Expected<std::optional<Value>>(llvm::StringRef name, mlir::Type type)> given;
};

/// Adds the check to a pass manager that has all its passes. The first pass after which a result changes fails with an
/// error; what can't be interpreted is a remark, once. Passes run one after the other from here on.
void checkSemantics(mlir::PassManager &passes, SemanticsOptions options);

} // namespace tenon::reference

#endif // TENON_REFERENCE_CHECKSEMANTICS_H
