//===- Roles.cpp - What an op is to a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"

#include <type_traits>

using namespace mlir;
using namespace tenon;

#include "tenon/Dialect/Tenon/IR/RoleInterface.cpp.inc"

Role tenon::roleOf(Operation *op) {
  if (auto stated = dyn_cast<RoleInterface>(op))
    return stated.getRole();
  return isa_and_present<TenonDialect>(op->getDialect()) ? Role::element : Role::placement;
}

SmallVector<int64_t> tenon::roleDimsOf(Operation *op) {
  auto stated = dyn_cast<RoleInterface>(op);
  return stated ? stated.getRoleDims() : SmallVector<int64_t>();
}

namespace {
/// Rows lie along the op's `dims`.
template <typename OpT> struct RowsModel : RoleInterface::ExternalModel<RowsModel<OpT>, OpT> {
  Role getRole(Operation *) const { return Role::rows; }
  SmallVector<int64_t> getRoleDims(Operation *op) const {
    SmallVector<int64_t> dims(cast<OpT>(op).getDims());
    llvm::sort(dims);
    return dims;
  }
};

/// An order goes along the op's `dim`, or through all of its operand where it has none.
template <typename OpT> struct OrderedModel : RoleInterface::ExternalModel<OrderedModel<OpT>, OpT> {
  Role getRole(Operation *) const { return Role::ordered; }
  SmallVector<int64_t> getRoleDims(Operation *op) const {
    if constexpr (requires(OpT ordered) { ordered.getDim(); })
      return {(int64_t)cast<OpT>(op).getDim()};
    return llvm::to_vector(llvm::seq<int64_t>(0, cast<RankedTensorType>(op->getOperand(0).getType()).getRank()));
  }
};

template <template <typename> typename Model, typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<Model<Ops>>(*context), ...);
}

/// Elementwise ops are cheap. A conversion is done again rather than read.
template <typename... Ops> void attachToElementwise(MLIRContext *context) {
  auto attachTo = [&]<typename OpT>(std::type_identity<OpT>) {
    if constexpr (std::is_same_v<OpT, CastOp>)
      OpT::template attachInterface<RoleModel<Role::free>::Of<OpT>>(*context);
    else if constexpr (OpT::template hasTrait<OpTrait::Elementwise>())
      OpT::template attachInterface<RoleModel<Role::cheap>::Of<OpT>>(*context);
  };
  (attachTo(std::type_identity<Ops>()), ...);
}
} // namespace

void tenon::attachRoles(MLIRContext *context) {
  attachToElementwise<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonElementwise.cpp.inc"
      >(context);
  attachToElementwise<
#define GET_OP_LIST
#include "tenon/Dialect/Tenon/IR/TenonNormalization.cpp.inc"
      >(context);
  attach<RoleModel<Role::placement>::Of, ConstantOp, ReshapeOp, SliceOp, ConcatOp, SymbolOp, BindShapeOp, SizeOp,
         ItemOp>(context);
  attach<RoleModel<Role::free>::Of, BitcastOp, BroadcastOp, TransposeOp, IotaOp, FromSizesOp>(context);
  attach<RoleModel<Role::contraction>::Of, ContractOp>(context);
  attach<RowsModel, ReduceOp, SoftmaxOp, NormalizeOp>(context);
  attach<OrderedModel, NonZeroOp, ScanOp, ScatterOp, SuppressOp, TopKOp>(context);
}
