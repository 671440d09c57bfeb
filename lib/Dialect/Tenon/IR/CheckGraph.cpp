//===- CheckGraph.cpp - What passes on graphs rely on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verification.h"
#include "tenon/Dialect/Tenon/Transforms/CheckedPass.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/RegionKindInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;

static bool hasCountableElements(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  int64_t elements = 1;
  return !shaped || !shaped.hasRank() || llvm::none_of(shaped.getShape(), [&](int64_t size) {
    return size > 0 && llvm::MulOverflow(elements, size, elements);
  });
}

/// Whether an op takes part in a graph: as one of Tenon's, or by a value.
static bool isOfGraph(Operation *op) {
  bool isTenons = op->getName().getDialectNamespace().starts_with("tenon");
  return isTenons && (op->getNumOperands() != 0 || op->getNumResults() != 0);
}

static bool isNumber(Type element) {
  if (!element.isIntOrFloat())
    return false;
  unsigned bits = element.getIntOrFloatBitWidth();
  return bits == 64 || bits == 32 || bits == 16 || (bits >= 1 && bits <= 8);
}

/// Whether an op computes with elements of its operands' types.
static LogicalResult checkElements(Operation *op) {
  bool isOfFloats = isa<SoftmaxOp, NormalizeOp, GeluOp, ExpOp, Expm1Op, LogOp, Log1pOp, SqrtOp, RsqrtOp, ReciprocalOp, SinOp,
                        CosOp, TanOp, AsinOp, AcosOp, AtanOp, SinhOp, CoshOp, AsinhOp, AcoshOp, AtanhOp, TanhOp, ErfOp,
                        SigmoidOp, FloorOp, CeilOp, RoundOp, Atan2Op>(op);
  bool isOfIntegers = isa<NotOp, AndOp, OrOp, XorOp, ShlOp, ShrOp>(op);
  bool isOfNumbers = isa<NegOp, AbsOp, SignOp, AddOp, SubOp, MulOp, DivOp, RemOp, ModOp, PowOp, MinOp, MaxOp, IsNanOp, CastOp,
                         ReduceOp, ArgReduceOp, WindowOp, ScanOp, ContractOp, ConvOp, TopKOp, NonZeroOp, IotaOp>(op);
  if (!isOfFloats && !isOfIntegers && !isOfNumbers)
    return success();
  for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes())) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    Type element = tensor ? tensor.getElementType() : Type();
    if (element && (!isNumber(element) || (isOfFloats && !isa<FloatType>(element)) ||
                    (isOfIntegers && !isa<IntegerType>(element))))
      return op->emitOpError("expects elements that are ")
             << (isOfFloats ? "floating-point numbers" : isOfIntegers ? "integers" : "numbers") << ", but has " << type;
  }
  return success();
}

static LogicalResult checkDims(Operation *op) {
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return verifyDims(op, softmax.getDims(), cast<RankedTensorType>(softmax.getType()).getRank());
  if (auto normalize = dyn_cast<NormalizeOp>(op))
    return verifyDims(op, normalize.getDims(), cast<RankedTensorType>(normalize.getType()).getRank());
  return success();
}

LogicalResult tenon::checkGraph(Operation *root) {
  WalkResult result = root->walk([&](Operation *op) {
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (!hasCountableElements(type))
        return op->emitOpError("has more elements than 64 bits can count: ") << type, WalkResult::interrupt();
    Region *region = op->getParentRegion();
    if (failed(checkElements(op)) || failed(checkDims(op)))
      return WalkResult::interrupt();
    if (op == root || !region || !isOfGraph(op))
      return WalkResult::advance();
    if (!region->hasOneBlock())
      return op->emitOpError("is in a region of several blocks, but graphs have one"), WalkResult::interrupt();
    if (mayBeGraphRegion(*region))
      return op->emitOpError("expects to be in a function"), WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
