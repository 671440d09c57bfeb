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
    WalkResult result = func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      return succeeded(visit(op)) ? WalkResult::advance() : WalkResult::interrupt();
    });
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
    bool changed =
        llvm::any_of(op->getOperands(), [&](Value operand) { return originals.contains(operand); });
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
    if (op->hasTrait<OpTrait::Elementwise>())
      unify(op);
    if (!isValid(op)) {
      // An op that asks for more than its sizes: it keeps the types that it had.
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
        return op->emitOpError("has a result whose size in dimension ") << dim << " would be " << known,
               failure();
      if (!ShapedType::isDynamic(shape[dim]) && shape[dim] != known)
        return op->emitOpError("has a result of size ")
                   << shape[dim] << " in dimension " << dim << ", but from its operands follows " << known,
               failure();
      shape[dim] = known;
    }
    return type.clone(shape);
  }

  /// Operands and results of an elementwise op have one shape: a size that one of them has is that of all.
  void unify(Operation *op) {
    SmallVector<int64_t> shape(cast<RankedTensorType>(op->getResult(0).getType()).getShape());
    for (Value operand : op->getOperands())
      for (auto [size, known] : llvm::zip(shape, cast<RankedTensorType>(operand.getType()).getShape()))
        if (ShapedType::isDynamic(size))
          size = known;
    OpBuilder builder(op);
    for (OpOperand &operand : op->getOpOperands())
      castTo(builder, operand, cast<RankedTensorType>(operand.get().getType()).clone(shape));
    for (Value result : op->getResults())
      result.setType(cast<RankedTensorType>(result.getType()).clone(shape));
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
