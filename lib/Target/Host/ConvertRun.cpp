//===- ConvertRun.cpp - The way through a program's segments ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionBuilder.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using abi::HostFunction;

namespace {
/// Converts what stands between the segments.
class RunConverter : FunctionBuilder {
public:
  RunConverter(ProgramLayout &layout, OpBuilder &builder) : FunctionBuilder(layout, builder, layout.main.getLoc()) {}

  LogicalResult convert() {
    OpBuilder::InsertionGuard guard(builder);
    begin(LLVM::LLVMFuncOp::create(builder, loc, "run", LLVM::LLVMFunctionType::get(i32, {pointer})));
    size_t most = 0;
    for (ProgramLayout::Segment &segment : layout.segments)
      most = std::max(most, size_t(segment.plan.getData().size()));
    if (most != 0)
      beginNumbers(most);
    return failure(failed(FunctionBuilder::convert(layout.main.getBody().front())) || failed(finish()));
  }

private:
  /// Plans find the symbols in front of their data.
  void beginNumbers(size_t dataCount) {
    size_t symbols = layout.metadata.symbols.size();
    numbers = LLVM::AllocaOp::create(builder, loc, pointer, i64, constant32(symbols + dataCount));
    for (size_t i = 0; i < symbols; ++i)
      LLVM::StoreOp::create(builder, loc, load(i64, field(ContextField::symbols), i), element(i64, numbers, i));
  }

  LogicalResult convertOther(Operation *op) override {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        // Of something that is returned.
        .Case<ViewOp>([](auto) { return success(); })
        .Case<PlanOp, SegmentOp>([&](auto op) { return convertOp(op); })
        .Default([](Operation *op) { return op->emitOpError("has no place between segments"); });
  }

  LogicalResult convertOp(PlanOp plan) {
    for (auto [i, data] : llvm::enumerate(plan.getData()))
      LLVM::StoreOp::create(builder, loc, widened(number(data)),
                            element(i64, numbers, layout.metadata.symbols.size() + i));
    ProgramLayout::Segment &segment = layout.segments[plan.getNumber()];
    Value which = constant32(plan.getNumber());
    callAndCheck(HostFunction::plan, {which, plan.getData().empty() ? field(ContextField::symbols) : numbers});
    callAndCheck(HostFunction::reserve, {which});
    for (auto storage : segment.op.getBody().front().getOps<StorageOp>())
      if (storage.getKind() == StorageKind::growing)
        callAndCheck(HostFunction::grow, {constant32(storage.getNumber()), number(storage.getBytes())});
    return success();
  }

  LogicalResult convertOp(SegmentOp segment) {
    callAndCheck(HostFunction::execute, {constant32(segment.getNumber())});
    for (Value result : segment.getResults())
      if (std::optional<unsigned> place = layout.placeOf(insideOf(result)); place && !result.use_empty())
        define(result, narrowed(load(i64, field(ContextField::values), *place), result.getType()));
    return success();
  }

  Value outsideNumber(Value value) override {
    auto plan = value.getDefiningOp<PlanOp>();
    if (!plan)
      return {};
    Value slots = load(pointer, field(ContextField::slots), plan.getNumber());
    return narrowed(load(i64, slots, cast<OpResult>(value).getResultNumber()), value.getType());
  }

  Value numbers; ///< symbols, then data
};
} // namespace

LogicalResult tenon::host::convertRun(ProgramLayout &layout, OpBuilder &builder) {
  return RunConverter(layout, builder).convert();
}
