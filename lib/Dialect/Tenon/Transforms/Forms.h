//===- Forms.h - What a value of the graph is made of ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TENON_TRANSFORMS_FORMS_H
#define TENON_LIB_DIALECT_TENON_TRANSFORMS_FORMS_H

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

namespace tenon {

/// The one value of a floating-point constant.
std::optional<double> numberOf(mlir::Value value);

/// Whether two numbers are one that was rounded to the element type of `value` in one way or another.
bool isNearly(double number, double expected, mlir::Value value);

/// Some result of a reduction, or of elementwise ops on it, that is repeated along the dimensions which were
/// reduced.
struct Spread {
  mlir::Value value; ///< without these dimensions, or with them at size 1
  BroadcastOp broadcast;
};
std::optional<Spread> spreadOf(mlir::Value value);

/// The reduction that `value` is, with or without dimensions of size 1, if `broadcast` repeats it where it
/// came from.
mlir::FailureOr<ReduceOp> reductionOf(mlir::Value value, BroadcastOp broadcast);

/// Both operands of an op, in either order.
template <typename Op, typename F> bool eitherOrder(Op op, F match) {
  return match(op.getLhs(), op.getRhs()) || match(op.getRhs(), op.getLhs());
}

/// Whether nothing but `users` uses the value.
bool isUsedBy(mlir::Value value, llvm::ArrayRef<mlir::Operation *> users);

} // namespace tenon

#endif // TENON_LIB_DIALECT_TENON_TRANSFORMS_FORMS_H
