//===- ConvertPlans.cpp - The functions that compute a program's sizes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Runtime/tenon_kernel.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace {
constexpr StringLiteral kUnguardedAttr = "tenon_host.unguarded";
constexpr StringLiteral kNegative = "a size of its result is negative: an input is too small";
constexpr StringLiteral kOverflow = "its result has more bytes than 64 bits can count";

bool isDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp, arith::CeilDivUIOp,
             arith::FloorDivSIOp>(op);
}

/// Converts the plan of a segment, op by op.
class PlanConverter {
public:
  PlanConverter(ProgramLayout &layout, ProgramLayout::Segment &segment, OpBuilder &builder)
      : layout(layout), segment(segment), builder(builder), loc(segment.function.getLoc()), i64(builder.getI64Type()),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())) {}

  LogicalResult convert() {
    OpBuilder::InsertionGuard guard(builder);
    unsigned number = segment.plan.getNumber();
    auto plan = func::FuncOp::create(builder, loc, "plan_" + std::to_string(number),
                                     builder.getFunctionType({pointer, pointer}, builder.getI32Type()));
    // Until its divisions are guarded: other functions of the module stay as they are.
    plan->setAttr(kUnguardedAttr, builder.getUnitAttr());
    // One long block of arithmetic that runs once per set of sizes: scheduling it would take time that grows with its
    // square.
    plan->setAttr("passthrough", builder.getStrArrayAttr({"noinline", "optnone"}));
    Block *entry = plan.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    symbols = entry->getArgument(0);
    slots = entry->getArgument(1);
    code = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(TENON_CODE_OK));
    if (!segment.function.getBody().hasOneBlock())
      return segment.function.emitOpError("expects one block, but has ")
             << segment.function.getBody().getBlocks().size();
    Block &body = segment.function.getBody().front();
    // Data of earlier segments comes behind the symbols.
    for (BlockArgument argument : body.getArguments())
      mapping.map(argument,
                  toNumber(symbol(layout.metadata.symbols.size() + argument.getArgNumber()), argument.getType()));
    for (Operation &op : body)
      if (failed(convert(&op)))
        return failure();
    return success();
  }

private:
  LogicalResult convert(Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<BufferBytesOp, CheckEqualOp, CheckAtMostOp, func::ReturnOp>([&](auto op) { return convert(op); })
        .Default([&](Operation *op) { return convertArithmetic(op); });
  }

  LogicalResult convertArithmetic(Operation *op) {
    if (std::optional<unsigned> number = layout.symbolOf(op)) {
      mapping.map(op->getResult(0), toNumber(symbol(*number), op->getResult(0).getType()));
      return success();
    }
    if (auto symbol = dyn_cast<SymbolOp>(op))
      return symbol.emitOpError() << "'" << symbol.getName() << "' is the size of no input";
    // Divisions too, which are not pure: guardDivisions looks at what they divide by.
    if (!isArithmetic(op) || op->getDialect() == segment.plan->getDialect() || !isMemoryEffectFree(op))
      return op->emitOpError("gives a size that is not known before the run");
    rejectDivisionByZero(op);
    builder.clone(*op, mapping);
    return success();
  }

  LogicalResult convert(func::ReturnOp end) {
    for (auto [slot, value] : llvm::enumerate(end.getOperands()))
      LLVM::StoreOp::create(builder, loc, integer(value), element(slots, slot));
    func::ReturnOp::create(builder, loc, code);
    return success();
  }

  LogicalResult convert(CheckEqualOp check) {
    return convertCheck(check, arith::CmpIPredicate::ne, check.getActual(), check.getExpected(), check.getMessage());
  }

  LogicalResult convert(CheckAtMostOp check) {
    return convertCheck(check, arith::CmpIPredicate::sgt, check.getActual(), check.getLimit(), check.getMessage());
  }

  LogicalResult convertCheck(Operation *op, arith::CmpIPredicate isWrong, Value left, Value right, StringRef message) {
    reject(arith::CmpIOp::create(builder, loc, isWrong, integer(left), integer(right)),
           messageAt(op->getLoc(), message));
    return success();
  }

  LogicalResult convert(BufferBytesOp bytes) {
    mapping.map(bytes.getResult(), toNumber(bytesOf(bytes), bytes.getType()));
    return success();
  }

  /// A number of the plan from one of the runtime.
  Value toNumber(Value integer, Type type) {
    if (type.isIndex())
      return arith::IndexCastOp::create(builder, loc, type, integer);
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, integer, constant(0));
  }

  Value integer(Value number) {
    Value value = mapping.lookup(number);
    if (value.getType().isIndex())
      return arith::IndexCastOp::create(builder, loc, i64, value);
    return arith::ExtUIOp::create(builder, loc, i64, value);
  }

  Value constant(int64_t value) { return arith::ConstantOp::create(builder, loc, builder.getI64IntegerAttr(value)); }
  Value symbol(unsigned number) { return LLVM::LoadOp::create(builder, loc, i64, element(symbols, number)); }
  Value element(Value array, unsigned number) {
    return LLVM::GEPOp::create(builder, loc, pointer, i64, array, ArrayRef<LLVM::GEPArg>{int32_t(number)});
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

  Value multiply(Value left, Value right, Value &overflow) {
    auto type = LLVM::LLVMStructType::getLiteral(builder.getContext(), {i64, builder.getI1Type()});
    Value both = LLVM::SMulWithOverflowOp::create(builder, loc, type, left, right);
    Value flag = LLVM::ExtractValueOp::create(builder, loc, both, 1);
    overflow = overflow ? arith::OrIOp::create(builder, loc, overflow, flag) : flag;
    return LLVM::ExtractValueOp::create(builder, loc, both, 0);
  }

  Value bytesOf(BufferBytesOp op) {
    StorageFormat format(cast<MemRefType>(op.getBuffer()).getElementType());
    Value count = constant(1), overflow;
    for (OpFoldResult size : op.getMixedSizes()) {
      std::optional<int64_t> fixed = getConstantIntValue(size);
      Value extent = fixed ? constant(*fixed) : integer(cast<Value>(size));
      if (!fixed)
        reject(arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, extent, constant(0)),
               messageAt(op.getLoc(), kNegative));
      count = multiply(count, extent, overflow);
    }
    // Elements narrower than a byte are packed.
    count = multiply(count, constant(format.sharesBytes() ? format.getBits() : format.getBytes()), overflow);
    reject(overflow, messageAt(op.getLoc(), kOverflow));
    if (!format.sharesBytes())
      return count;
    Value rounded = arith::AddIOp::create(builder, loc, count, constant(7));
    return arith::ShRUIOp::create(builder, loc, rounded, constant(3));
  }

  ProgramLayout &layout;
  ProgramLayout::Segment &segment;
  OpBuilder &builder;
  Location loc;
  Type i64, pointer;
  Value symbols, slots, code;
  IRMapping mapping;
};
} // namespace

LogicalResult tenon::host::convertPlan(ProgramLayout &layout, unsigned segment, OpBuilder &builder) {
  return PlanConverter(layout, layout.segments[segment], builder).convert();
}

void tenon::host::guardDivisions(func::FuncOp plan) {
  if (!plan->removeAttr(kUnguardedAttr))
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
