//===- Roles.h - What an op is to a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_ROLES_H
#define TENON_DIALECT_TENON_IR_ROLES_H

#include "mlir/IR/OpDefinition.h"

namespace tenon {

enum class Role {
  placement,   ///< says where things lie, or computes sizes: no kernel's
  form,        ///< says how an operand is stored: goes into each kernel that reads it
  free,        ///< moves elements or makes them from nothing: costs nothing to do again
  cheap,       ///< costs next to nothing per element and reads each operand at one place
  element,     ///< any element of the result can be computed on its own, at a cost
  rows,        ///< combines the elements of rows, or all of a row's with what they come to
  ordered,     ///< elements depend on those before them
  contraction, ///< sums of products
};

/// The role that an op states through `RoleInterface`, or that of ops which don't.
Role roleOf(mlir::Operation *op);

/// The dimensions that an op of rows or of an order goes along; none for others.
llvm::SmallVector<int64_t> roleDimsOf(mlir::Operation *op);

} // namespace tenon

#include "tenon/Dialect/Tenon/IR/RoleInterface.h.inc"

namespace tenon {
/// What an op attaches to have a role without dimensions.
template <Role role> struct RoleModel {
  template <typename OpT> struct Of : RoleInterface::ExternalModel<Of<OpT>, OpT> {
    Role getRole(mlir::Operation *) const { return role; }
  };
};

/// The roles of the graph dialect's ops.
void attachRoles(mlir::MLIRContext *context);
} // namespace tenon

#endif // TENON_DIALECT_TENON_IR_ROLES_H
