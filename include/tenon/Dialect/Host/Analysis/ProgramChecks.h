//===- ProgramChecks.h - What passes on host programs rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The forms of a program between graph and code, as checks of `CheckedPass`: each takes a function, or a module and
// looks at the functions in it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_ANALYSIS_PROGRAMCHECKS_H
#define TENON_DIALECT_HOST_ANALYSIS_PROGRAMCHECKS_H

#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tenon::host {
/// A graph, or host program on tensors: one block that ends in func.return, no buffers yet.
mlir::LogicalResult checkProgram(mlir::Operation *root);
/// ... what comes in and goes out are tensors of known rank, sequences or optionals, and each dynamic size of an input
/// is bound.
mlir::LogicalResult checkBoundProgram(mlir::Operation *root);
/// Programs that are placed: their buffers are storages and views of them, their numbers are indices and truth values,
/// their control flow is scf.if and scf.while.
mlir::LogicalResult checkPlaced(mlir::Operation *root);
/// Of them those that are cut: whatever touches buffers is in a segment, between them stand arithmetic and control
/// flow.
mlir::LogicalResult checkCut(mlir::func::FuncOp program);
/// A function of either form.
mlir::LogicalResult checkPlacedOrCut(mlir::Operation *root);

/// Whether an op computes a number of the program from others, from symbols, or from what is bound.
bool isArithmetic(mlir::Operation *op);
} // namespace tenon::host

#endif // TENON_DIALECT_HOST_ANALYSIS_PROGRAMCHECKS_H
