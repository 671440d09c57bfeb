//===- ReduceModule.h - Makes a module small that shows something ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Takes away ops, results, arguments, sizes and attributes of a module, as long as it stays interesting: what that
// means is a function of the caller's. MLIR's own reducer (`mlir-reduce`) erases only ops without users, whereas a
// graph becomes small by cutting through its middle: here the results of an op that goes are taken from the outside, as
// arguments, from its operands, or are zero.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REDUCE_REDUCEMODULE_H
#define TENON_REDUCE_REDUCEMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace tenon {

struct ReductionReport {
  unsigned opsBefore, opsAfter, tests;
};

/// Reduces a module until nothing more can be taken away. `isInteresting` is asked of modules that verify, each text
/// once. An error where the module isn't interesting to begin with.
llvm::Expected<ReductionReport> reduceModule(mlir::OwningOpRef<mlir::ModuleOp> &module,
                                             llvm::function_ref<bool(mlir::ModuleOp)> isInteresting);

} // namespace tenon

#endif // TENON_REDUCE_REDUCEMODULE_H
