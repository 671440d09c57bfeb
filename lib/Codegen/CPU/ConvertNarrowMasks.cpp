//===- ConvertNarrowMasks.cpp - Masked accesses of narrow floats as of integers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace tenon::cpu {
#define GEN_PASS_DEF_CONVERTNARROWMASKSPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
/// The vector of integers in place of one of narrow floats; null for other types.
Type integersFor(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || !(vector.getElementType().isF16() || vector.getElementType().isBF16()))
    return nullptr;
  return vector.clone(IntegerType::get(type.getContext(), 16));
}

/// Accesses integers instead; pointers are the same for all types.
void convert(Operation *op) {
  OpBuilder builder(op);
  for (OpOperand &operand : op->getOpOperands())
    if (Type integers = integersFor(operand.get().getType()))
      operand.set(LLVM::BitcastOp::create(builder, op->getLoc(), integers, operand.get()));
  builder.setInsertionPointAfter(op);
  for (Value result : op->getResults()) {
    Type narrow = result.getType(), integers = integersFor(narrow);
    if (!integers)
      continue;
    result.setType(integers);
    auto back = LLVM::BitcastOp::create(builder, op->getLoc(), narrow, result);
    result.replaceAllUsesExcept(back, back);
  }
}

struct ConvertNarrowMasksPass : tenon::cpu::impl::ConvertNarrowMasksPassBase<ConvertNarrowMasksPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (isa<LLVM::MaskedLoadOp, LLVM::MaskedStoreOp, LLVM::masked_gather, LLVM::masked_scatter>(op))
        convert(op);
    });
  }
};
} // namespace
