//===- ConvertNarrowMoves.cpp - Moves of narrow floats as of integers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace tenon::cpu {
#define GEN_PASS_DEF_CONVERTNARROWMOVESPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
/// The integers in place of narrow floats, as many; null for other types.
Type integersFor(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (!element.isF16() && !element.isBF16())
    return nullptr;
  Type integer = IntegerType::get(type.getContext(), 16);
  auto vector = dyn_cast<VectorType>(type);
  return vector ? vector.clone(integer) : integer;
}

/// Gives a value its integers' type, and its users what they knew.
void convert(Value value, OpBuilder &builder) {
  Type narrow = value.getType(), integers = integersFor(narrow);
  if (!integers)
    return;
  value.setType(integers);
  auto back = LLVM::BitcastOp::create(builder, value.getLoc(), narrow, value);
  value.replaceAllUsesExcept(back, back);
}

/// Moves integers instead; pointers are the same for all types.
void convert(Operation *op) {
  OpBuilder builder(op);
  for (OpOperand &operand : op->getOpOperands())
    if (Type integers = integersFor(operand.get().getType()))
      operand.set(LLVM::BitcastOp::create(builder, op->getLoc(), integers, operand.get()));
  builder.setInsertionPointAfter(op);
  for (Value result : op->getResults())
    convert(result, builder);
}

struct ConvertNarrowMovesPass : tenon::cpu::impl::ConvertNarrowMovesPassBase<ConvertNarrowMovesPass> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (isa<LLVM::MaskedLoadOp, LLVM::MaskedStoreOp, LLVM::masked_gather, LLVM::masked_scatter, LLVM::LoadOp,
              LLVM::StoreOp, LLVM::InsertElementOp, LLVM::ExtractElementOp, LLVM::ShuffleVectorOp, LLVM::SelectOp,
              LLVM::BrOp, LLVM::CondBrOp, LLVM::SwitchOp>(op))
        convert(op);
    });
    // What branches hand over. Arguments of functions are what their callers give.
    getOperation()->walk([](Block *block) {
      OpBuilder builder = OpBuilder::atBlockBegin(block);
      if (!block->isEntryBlock())
        for (BlockArgument argument : block->getArguments())
          convert(argument, builder);
    });
  }
};
} // namespace
