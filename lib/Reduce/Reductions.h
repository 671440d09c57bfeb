//===- Reductions.h - What can be taken away from a module ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_REDUCE_REDUCTIONS_H
#define TENON_LIB_REDUCE_REDUCTIONS_H

#include "mlir/IR/BuiltinOps.h"

namespace tenon::reduce {

/// A list of things that a module has, and that can be taken away from it.
struct Reduction {
  /// How many there are.
  unsigned (*count)(mlir::ModuleOp module);
  /// Takes away those numbered from `begin` to `end`, as far as it can; false if nothing changed. What is left may not
  /// verify.
  bool (*apply)(mlir::ModuleOp module, unsigned begin, unsigned end);
};

Reduction outputReduction();             ///< results of functions
Reduction outputToOperandReduction();    ///< results of functions that become operands of the ops they come from
Reduction symbolReduction();             ///< functions, kernels and other symbols that nothing uses
Reduction opToArgumentReduction();       ///< ops, whose results become arguments of their function
Reduction opToOperandReduction();        ///< ops, whose results become operands of the same type
Reduction opToZeroReduction();           ///< ops, whose results become zero
Reduction constantToArgumentReduction(); ///< constants that become arguments
Reduction argumentReduction();           ///< arguments that nothing uses
Reduction symbolicSizeReduction();       ///< sizes with a name that become 3, in imported models
Reduction attributeReduction();          ///< attributes, node attributes too
Reduction elementReduction();            ///< constants with different elements

/// Sizes above 1 in the types of a module, the largest first.
llvm::SmallVector<int64_t> sizesIn(mlir::ModuleOp module);
/// Makes a size another one wherever it stands: in types, in lists of sizes and in small integer constants. With
/// `withMultiples` those of the size follow.
void replaceSize(mlir::ModuleOp module, int64_t from, int64_t to, bool withMultiples);

/// States the types of results in an imported model that follow from those of its inputs; false if it states all.
bool stateTypes(mlir::ModuleOp module);

/// Erases what nobody uses.
void eraseDeadOps(mlir::ModuleOp module);

} // namespace tenon::reduce

#endif // TENON_LIB_REDUCE_REDUCTIONS_H
