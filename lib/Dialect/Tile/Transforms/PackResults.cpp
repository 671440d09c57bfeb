//===- PackResults.cpp - Elements that share bytes are written by casts -------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/Roles.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace tenon;

namespace tenon::tile {
#define GEN_PASS_DEF_PACKRESULTSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// The type that has all numbers of one whose elements share bytes; null of other types.
Type wideType(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.getElementType().isIntOrFloat() || !StorageFormat(tensor.getElementType()).sharesBytes())
    return Type();
  auto integer = dyn_cast<IntegerType>(tensor.getElementType());
  if (!integer)
    return tensor.clone(Float32Type::get(type.getContext()));
  return tensor.clone(IntegerType::get(type.getContext(), 8, integer.getSignedness()));
}

bool becomesKernel(Operation *op) {
  return isa<SliceOp, ConcatOp>(op) ||
         (isa_and_present<TenonDialect>(op->getDialect()) && roleOf(op) != Role::placement);
}

/// Whether constants alone make the value: kernels that multiply with it take them along.
bool isOfConstants(Value value) {
  SetVector<Operation *> ops;
  auto enter = [&](Value operand) {
    Operation *op = operand.getDefiningOp();
    bool fits =
        op && isa_and_present<TenonDialect>(op->getDialect()) && (op->getNumOperands() > 0 || isa<ConstantOp>(op));
    if (fits)
      ops.insert(op);
    return fits;
  };
  bool holds = enter(value);
  for (size_t i = 0; holds && i < ops.size(); ++i)
    holds = llvm::all_of(ops[i]->getOperands(), enter);
  return holds;
}

/// Whether the op computes or moves elements, and some of what it gives shares bytes and is written.
bool writesShared(Operation *op) {
  auto isWritten = [](Value result) {
    return wideType(result.getType()) &&
           (llvm::any_of(result.getUsers(), [](Operation *user) { return !becomesKernel(user); }) ||
            (!result.use_empty() && !isOfConstants(result)));
  };
  return becomesKernel(op) && op->getNumRegions() == 0 && llvm::any_of(op->getResults(), isWritten);
}

struct PackResultsPass : tile::impl::PackResultsPassBase<PackResultsPass> {
  void runOnChecked() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (writesShared(op))
        ops.push_back(op);
    });
    SizeAnalysis sizes(&getContext());
    for (Operation *op : ops)
      widen(op, sizes);
    // At last: sizes are remembered by values.
    for (Operation *op : llvm::reverse(ops))
      op->erase();
  }

private:
  static void widen(Operation *op, SizeAnalysis &sizes) {
    OpBuilder builder(op);
    Operation *copy = builder.clone(*op);
    builder.setInsertionPoint(copy);
    // A cast reads what it is given as it is.
    for (OpOperand &operand : copy->getOpOperands())
      if (Type wide = isa<CastOp>(op) ? Type() : wideType(operand.get().getType()))
        operand.set(CastOp::create(builder, op->getLoc(), wide, operand.get()));
    builder.setInsertionPointAfter(copy);
    for (auto [result, made] : llvm::zip(op->getResults(), copy->getResults())) {
      Value value = made;
      if (Type wide = wideType(made.getType())) {
        made.setType(wide);
        value = pack(builder, made, result, sizes);
      }
      result.replaceAllUsesWith(value);
    }
  }

  /// `wide` in the type of `result`, one byte after the other.
  static Value pack(OpBuilder &builder, Value wide, Value result, SizeAnalysis &sizes) {
    Location loc = wide.getLoc();
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<AffineExpr> shape = sizes.sizesOf(result);
    AffineExpr count = sizes.constant(1);
    for (AffineExpr size : shape)
      count = count * size;
    auto reshape = [&](Value tensor, ArrayRef<AffineExpr> to) -> Value {
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed;
      for (AffineExpr size : to)
        dispatchIndexOpFoldResult(sizes.materialize(builder, loc, size), dynamic, fixed);
      auto from = cast<RankedTensorType>(tensor.getType());
      return ReshapeOp::create(builder, loc, from.clone(fixed), tensor, dynamic, fixed);
    };
    Value flat = shape.size() == 1 ? wide : reshape(wide, count);
    Type packed = cast<RankedTensorType>(flat.getType()).clone(type.getElementType());
    Value bytes = CastOp::create(builder, loc, packed, flat);
    return shape.size() == 1 ? bytes : reshape(bytes, shape);
  }
};
} // namespace
