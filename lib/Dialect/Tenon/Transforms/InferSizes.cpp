//===- InferSizes.cpp - Static sizes that follow, in the types of tensors ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_INFERSIZESPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

namespace {
class SizeInference {
public:
  explicit SizeInference(func::FuncOp func) : func(func), sizes(func.getContext()) {}

  LogicalResult run() {
    WalkResult result = func.walk<WalkOrder::PreOrder>(
        [&](Operation *op) { return succeeded(visit(op)) ? WalkResult::advance() : WalkResult::interrupt(); });
    return failure(result.wasInterrupted());
  }

private:
  LogicalResult visit(Operation *op) {
    if (!isa<SizesInterface, IndexingMapsInterface>(op) || op->getNumRegions() != 0) {
      if (!isa<BindShapeOp, SizeOp, ItemOp, tensor::CastOp>(op))
        restoreOperands(op);
      return success();
    }
    SmallVector<Type> before(op->getResultTypes());
    SmallVector<Value> operands(op->getOperands());
    bool changed = llvm::any_of(op->getOperands(), [&](Value operand) { return originals.contains(operand); });
    changed |= castOperands(op);
    for (OpResult result : op->getResults()) {
      auto type = dyn_cast<RankedTensorType>(result.getType());
      if (!type)
        continue;
      FailureOr<RankedTensorType> refined = refinedType(result, type);
      if (failed(refined))
        return failure();
      if (*refined == type)
        continue;
      changed = true;
      result.setType(*refined);
    }
    if (!changed)
      return success();
    if (op->hasTrait<OpTrait::Elementwise>()) // results have the shape of the operands
      for (Value result : op->getResults())
        result.setType(cast<RankedTensorType>(result.getType())
                           .clone(cast<RankedTensorType>(op->getOperand(0).getType()).getShape()));
    if (!isValid(op)) {
      // An op that asks for more than its sizes: it keeps the types that it had.
      op->setOperands(operands);
      restoreOperands(op);
      for (auto [result, type] : llvm::zip(op->getResults(), before))
        result.setType(type);
      return success();
    }
    for (auto [result, type] : llvm::zip(op->getResults(), before))
      if (result.getType() != type)
        originals[result] = type;
    return success();
  }

  /// The type with the static sizes that follow from the op; an error where it states others.
  FailureOr<RankedTensorType> refinedType(OpResult result, RankedTensorType type) {
    SmallVector<AffineExpr> inferred = sizes.inferredSizesOf(result);
    if ((int64_t)inferred.size() != type.getRank())
      return type;
    SmallVector<int64_t> shape(type.getShape());
    for (auto [dim, size] : llvm::enumerate(inferred)) {
      int64_t known = size ? SizeAnalysis::staticSize(sizes.simplify(size)) : ShapedType::kDynamic;
      if (ShapedType::isDynamic(known))
        continue;
      Operation *op = result.getOwner();
      if (known < 0)
        return op->emitOpError("has a result whose size in dimension ") << dim << " would be " << known, failure();
      if (!ShapedType::isDynamic(shape[dim]) && shape[dim] != known)
        return op->emitOpError("has a result of size ")
                   << shape[dim] << " in dimension " << dim << ", but from its operands follows " << known,
               failure();
      shape[dim] = known;
    }
    return type.clone(shape);
  }

  /// What an op says of its operands' sizes by those of others: a static size that one of them has is that of all
  /// that share the dimension, which is checked at run time. Whether there was any.
  bool castOperands(Operation *op) {
    SmallVector<SmallVector<int64_t>> shapes;
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      shapes.emplace_back(type ? type.getShape() : ArrayRef<int64_t>());
    }
    if (auto maps = dyn_cast<IndexingMapsInterface>(op))
      shareSizes(maps, shapes);
    // The channels of several groups are no dimension of the space.
    if (auto conv = dyn_cast<ConvOp>(op)) {
      int64_t &channels = shapes[0][conv.getChannelDim()], summed = shapes[1][conv.getSummedDim()];
      if (ShapedType::isDynamic(channels) && !ShapedType::isDynamic(summed))
        channels = summed * conv.getGroups();
    }
    OpBuilder builder(op);
    bool changed = false;
    for (auto [operand, shape] : llvm::zip(op->getOpOperands(), shapes)) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type || type.getShape() == ArrayRef(shape))
        continue;
      castTo(builder, operand, type.clone(shape));
      changed = true;
    }
    return changed;
  }

  void shareSizes(IndexingMapsInterface op, MutableArrayRef<SmallVector<int64_t>> shapes) {
    SmallVector<int64_t> space(op.getLoopIterators().size(), ShapedType::kDynamic);
    auto visit = [&](auto share) {
      for (auto [shape, map] : llvm::zip(shapes, op.getOperandMaps()))
        for (auto [size, expression] : llvm::zip(shape, map.getResults()))
          if (auto dim = dyn_cast<AffineDimExpr>(expression))
            share(size, space[dim.getPosition()]);
    };
    visit([](int64_t size, int64_t &known) { known = ShapedType::isDynamic(known) ? size : known; });
    visit([](int64_t &size, int64_t known) { size = ShapedType::isDynamic(size) ? known : size; });
  }

  void restoreOperands(Operation *op) {
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands())
      if (Type original = originals.lookup(operand.get()))
        castTo(builder, operand, original);
  }

  static void castTo(OpBuilder &builder, OpOperand &operand, Type type) {
    if (operand.get().getType() != type)
      operand.set(tensor::CastOp::create(builder, operand.getOwner()->getLoc(), type, operand.get()));
  }

  static bool isValid(Operation *op) {
    ScopedDiagnosticHandler silence(op->getContext(), [](Diagnostic &) { return success(); });
    return succeeded(verify(op, /*verifyRecursively=*/false));
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  DenseMap<Value, Type> originals; ///< what values that have more static sizes now were
};

struct InferSizesPass : tenon::impl::InferSizesPassBase<InferSizesPass> {
  void runOnOperation() override {
    if (failed(SizeInference(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
