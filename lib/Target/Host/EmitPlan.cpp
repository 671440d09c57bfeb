//===- EmitPlan.cpp - The function that computes a program's sizes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Runtime/tenon_kernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

/// Marks plans until their divisions are guarded: other functions of the module stay as they are.
static constexpr llvm::StringLiteral kPlanAttr = "tenon_host.plan";

namespace {
constexpr StringLiteral kNegative = "a size of its result is negative: an input is too small";
constexpr StringLiteral kOverflow = "its result has more bytes than 64 bits can count";

bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp, arith::CeilDivUIOp,
             arith::FloorDivSIOp>(op);
}

/// Writes the plan.
class PlanEmitter {
public:
  PlanEmitter(ProgramLayout &layout, unsigned number, OpBuilder &builder)
      : layout(layout), number(number), segment(layout.segments[number]), builder(builder), loc(layout.main.getLoc()), i64(builder.getI64Type()),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())) {}

  LogicalResult emit() {
    OpBuilder::InsertionGuard guard(builder);
    auto plan = func::FuncOp::create(builder, loc, "plan_" + std::to_string(number),
                                     builder.getFunctionType({pointer, pointer}, builder.getI32Type()));
    // One long block of arithmetic that runs once per set of sizes: scheduling it would take time that grows with its square.
    plan->setAttr(kPlanAttr, builder.getUnitAttr());
    plan->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "optnone"}));
    Block *entry = plan.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    symbols = entry->getArgument(0);
    code = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(TENON_CODE_OK));
    if (failed(cloneArithmetic()))
      return failure();
    for (auto &[value, slot] : segment.slots)
      store(entry->getArgument(1), slot, integer(value));
    for (auto &[storage, slot] : segment.byteSlots)
      store(entry->getArgument(1), slot, bytesOf(cast<StorageOp>(storage)));
    checkOutputs();
    // What is bound to the inputs is checked once, on entry.
    for (ProgramLayout::Equality &equality : equalities()) {
      Value differs = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, symbol(equality.symbol),
                                            integer(equality.expected));
      const artifact::SymbolInfo &size = layout.metadata.symbols[equality.symbol];
      reject(differs, "input '" + layout.metadata.inputs[size.input].name + "': the size of dimension " +
                          std::to_string(size.dim) + " is not what follows from those of the inputs");
    }
    func::ReturnOp::create(builder, loc, code);
    return success();
  }

private:
  MutableArrayRef<ProgramLayout::Equality> equalities() {
    return number == 0 ? MutableArrayRef(layout.equalities) : MutableArrayRef<ProgramLayout::Equality>();
  }

  /// The runtime looks at the sizes of outputs, too, but doesn't know whose they are.
  void checkOutputs() {
    layout.main.walk([&](StorageOp storage) {
      SmallVector<StringRef> names;
      collectNames(storage.getLoc(), names);
      if (storage.getKind() != StorageKind::output || names.empty())
        return;
      for (OpFoldResult size : storage.getMixedSizes())
        if (auto value = dyn_cast<Value>(size); value && segment.slots.contains(value))
          rejectNegative(integer(value), storage);
    });
  }

  /// Copies the index arithmetic that some slot depends on.
  LogicalResult cloneArithmetic() {
    SetVector<Operation *> needed;
    SmallVector<Value> work;
    for (auto &[value, slot] : segment.slots)
      work.push_back(value);
    for (auto &[storage, slot] : segment.byteSlots)
      llvm::append_range(work, cast<StorageOp>(storage).getSizes());
    for (ProgramLayout::Equality &equality : equalities())
      work.push_back(equality.expected);
    while (!work.empty()) {
      Value next = work.pop_back_val();
      if (layout.data.contains(next)) {
        // Data of earlier segments comes behind the symbols.
        unsigned place = layout.metadata.symbols.size() + segment.planData.size();
        if (segment.planData.insert({next, place}).second)
          mapping.map(next, arith::IndexCastOp::create(builder, loc, builder.getIndexType(), symbol(place)));
        continue;
      }
      Operation *op = next.getDefiningOp();
      if (!op)
        return layout.main.emitOpError("is no placed program: it has arguments");
      if (!needed.insert(op))
        continue;
      // Divisions too, which are not pure: guardDivisions looks at what they divide by.
      bool isArithmetic = isa_and_present<arith::ArithDialect, affine::AffineDialect>(op->getDialect()) &&
                          isMemoryEffectFree(op);
      if (!isArithmetic && !layout.bindings.contains(op))
        return op->emitOpError("gives a size that is not known before the run");
      llvm::append_range(work, op->getOperands());
    }
    layout.main.walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!needed.contains(op))
        return;
      if (auto it = layout.bindings.find(op); it != layout.bindings.end()) {
        Value value = symbol(it->second);
        mapping.map(op->getResult(0), arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value));
      } else {
        rejectDivisionByZero(op);
        builder.clone(*op, mapping);
      }
    });
    return success();
  }

  Value constant(int64_t value) { return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value)); }
  Value integer(Value index) { return arith::IndexCastOp::create(builder, loc, i64, mapping.lookup(index)); }
  Value symbol(unsigned number) { return LLVM::LoadOp::create(builder, loc, i64, element(symbols, number)); }
  Value element(Value array, unsigned number) {
    return LLVM::GEPOp::create(builder, loc, pointer, i64, array, ArrayRef<LLVM::GEPArg>{int32_t(number)});
  }
  void store(Value array, unsigned slot, Value value) {
    LLVM::StoreOp::create(builder, loc, value, element(array, slot));
  }

  /// guardDivisions lets them give something, but knows no names.
  void rejectDivisionByZero(Operation *op) {
    auto rejectZero = [&](Value divisor) {
      Value zero = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(divisor.getType(), 0));
      reject(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, divisor, zero),
             messageAt(op->getLoc(), "integer division by zero"));
    };
    if (isDivision(op) && !getConstantIntValue(op->getOperand(1)))
      rejectZero(mapping.lookup(op->getOperand(1)));
    AffineMap map = isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(op)
                        ? op->getAttrOfType<AffineMapAttr>("map").getValue()
                        : AffineMap();
    if (!map)
      return;
    SmallVector<Value> operands = llvm::map_to_vector(op->getOperands(), [&](Value v) { return mapping.lookup(v); });
    ValueRange dims = ValueRange(operands).take_front(map.getNumDims());
    map.walkExprs([&](AffineExpr part) {
      auto binary = dyn_cast<AffineBinaryOpExpr>(part);
      if (binary && !isa<AffineConstantExpr>(binary.getRHS()) &&
          llvm::is_contained({AffineExprKind::Mod, AffineExprKind::FloorDiv, AffineExprKind::CeilDiv}, part.getKind()))
        rejectZero(affine::expandAffineExpr(builder, loc, binary.getRHS(), dims,
                                            ValueRange(operands).drop_front(map.getNumDims())));
    });
  }

  /// The first message that applies is the plan's result.
  void reject(Value condition, const std::string &message) {
    Value none = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, code,
                                       arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0)));
    Value applies = arith::AndIOp::create(builder, loc, condition, none);
    Value number = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(layout.codeOf(message)));
    code = arith::SelectOp::create(builder, loc, applies, number, code);
  }

  void rejectNegative(Value size, StorageOp storage) {
    reject(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, size, constant(0)),
           messageAt(storage.getLoc(), kNegative));
  }

  Value multiply(Value left, Value right, Value &overflow) {
    auto type = LLVM::LLVMStructType::getLiteral(builder.getContext(), {i64, builder.getI1Type()});
    Value both = LLVM::SMulWithOverflowOp::create(builder, loc, type, left, right);
    Value flag = LLVM::ExtractValueOp::create(builder, loc, both, 1);
    overflow = overflow ? arith::OrIOp::create(builder, loc, overflow, flag) : flag;
    return LLVM::ExtractValueOp::create(builder, loc, both, 0);
  }

  Value bytesOf(StorageOp storage) {
    unsigned bits = storageBits(cast<MemRefType>(storage.getType()).getElementType());
    Value count = constant(1), overflow;
    for (OpFoldResult size : storage.getMixedSizes()) {
      std::optional<int64_t> fixed = getConstantIntValue(size);
      Value extent = fixed ? constant(*fixed) : integer(cast<Value>(size));
      if (!fixed)
        rejectNegative(extent, storage);
      count = multiply(count, extent, overflow);
    }
    // Elements narrower than a byte are packed.
    count = multiply(count, constant(bits % 8 == 0 ? bits / 8 : bits), overflow);
    reject(overflow, messageAt(storage.getLoc(), kOverflow));
    if (bits % 8 == 0)
      return count;
    Value rounded = arith::AddIOp::create(builder, loc, count, constant(7));
    return arith::ShRUIOp::create(builder, loc, rounded, constant(3));
  }

  ProgramLayout &layout;
  unsigned number;
  ProgramLayout::Segment &segment;
  OpBuilder &builder;
  Location loc;
  Type i64, pointer;
  Value symbols, code;
  IRMapping mapping;
};
} // namespace

LogicalResult tenon::host::emitPlan(ProgramLayout &layout, unsigned segment, OpBuilder &builder) {
  return PlanEmitter(layout, segment, builder).emit();
}

void tenon::host::guardDivisions(func::FuncOp plan) {
  if (!plan->removeAttr(kPlanAttr))
    return;
  plan.walk([&](Operation *op) {
    if (!isDivision(op) || getConstantIntValue(op->getOperand(1)))
      return;
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Value divisor = op->getOperand(1);
    Type type = divisor.getType();
    auto equals = [&](Value value, const APInt &number) -> Value {
      Value constant = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, number));
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, constant);
    };
    unsigned width = ConstantIntRanges::getStorageBitwidth(type);
    Value traps = equals(divisor, APInt::getZero(width));
    // The smallest integer by -1 is itself in two's complement, but processors trap.
    if (!isa<arith::DivUIOp, arith::RemUIOp, arith::CeilDivUIOp>(op))
      traps = arith::OrIOp::create(builder, loc, traps,
                                   arith::AndIOp::create(builder, loc, equals(divisor, APInt::getAllOnes(width)),
                                                         equals(op->getOperand(0), APInt::getSignedMinValue(width))));
    Value one = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, 1));
    op->setOperand(1, arith::SelectOp::create(builder, loc, traps, one, divisor));
  });
}
