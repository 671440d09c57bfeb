//===- Evaluator.h - Who computes ops at compile time ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The graph's passes don't compute: whoever builds a pipeline gives them an evaluator. It must give the same
// bytes on every machine.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_EVALUATOR_H
#define TENON_DIALECT_TENON_TRANSFORMS_EVALUATOR_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>

namespace tenon {

/// What an operand or result is: an attribute (of a constant op, or an integer for an index), or elements as
/// `#tenon.blob` stores them.
struct KnownValue {
  mlir::TypedAttr attribute;

  mlir::RankedTensorType type;
  llvm::ArrayRef<char> bytes;
  std::shared_ptr<const void> owner; ///< keeps the bytes
};

/// Computes an op on known operands. An error is no failure of the compilation: the op stays.
using Evaluator = std::function<llvm::Expected<llvm::SmallVector<KnownValue>>(mlir::Operation *op,
                                                                              llvm::ArrayRef<KnownValue> operands)>;

} // namespace tenon

#endif // TENON_DIALECT_TENON_TRANSFORMS_EVALUATOR_H
