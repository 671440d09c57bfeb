//===- CheckedPass.h - Passes that say what IR they take ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// IR that verifies may still be none that a pass is for: a graph of several blocks, a program that has buffers already.
// A pass names what it asks of its operation in Passes.td (`Tenon_CheckedPass`); it runs where that holds and is an
// error with a reason where it doesn't. Functions without a body are none of any pass.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS_H
#define TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS_H

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/Pass.h"

namespace tenon {

/// Marks a function as a kernel that is loops already, in a dialect above this one: no graph, and no program.
inline constexpr llvm::StringLiteral kKernelAttr = "tenon_tile.kernel";

/// Whether ops of Tenon, and what they are computed from, stand in an order that runs from the first to the last: each
/// in the only block of a region where values are defined before they are used. Tensors have a countable number of
/// elements.
mlir::LogicalResult checkGraph(mlir::Operation *root);

template <typename Base, mlir::LogicalResult (*check)(mlir::Operation *)> class CheckedPass : public Base {
protected:
  explicit CheckedPass(mlir::TypeID id) : Base(id) {}
  CheckedPass(const CheckedPass &other) : Base(other) {}

  void runOnOperation() final {
    mlir::Operation *root = this->getOperation();
    // Declarations have nothing to pass over.
    if (auto function = llvm::dyn_cast<mlir::FunctionOpInterface>(root);
        function && (function.isExternal() || function->hasAttr(kKernelAttr)))
      return;
    if (failed(check(root)))
      return this->signalPassFailure();
    runOnChecked();
  }

  virtual void runOnChecked() = 0;
};

} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS_H
