//===- FunctionBuilder.cpp - What the functions of a host program are built of ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionBuilder.h"

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using abi::HostFunction;

FunctionBuilder::FunctionBuilder(ProgramLayout &layout, OpBuilder &builder, Location loc)
    : layout(layout), builder(builder), loc(loc), pointer(LLVM::LLVMPointerType::get(builder.getContext())),
      i32(builder.getI32Type()), i64(builder.getI64Type()) {}

void FunctionBuilder::begin(LLVM::LLVMFuncOp function) {
  Block *entry = function.addEntryBlock(builder);
  exit = function.addBlock();
  exit->addArgument(i32, loc);
  context = function.getArgument(0);
  builder.setInsertionPointToStart(exit);
  LLVM::ReturnOp::create(builder, loc, exit->getArgument(0));
  builder.setInsertionPointToStart(entry);
  functions = load(pointer, context, int64_t(ContextField::fns));
  lastOnEntry = functions.getDefiningOp();
  loadedOnEntry.clear();
  known.clear();
}

LogicalResult FunctionBuilder::finish() {
  LLVM::BrOp::create(builder, loc, constant32(0), exit);
  // Blocks were added as the program went on: the exit stands last.
  exit->moveBefore(exit->getParent(), exit->getParent()->end());
  return failure(hasFailed);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Value FunctionBuilder::constant32(int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, i32, builder.getI32IntegerAttr(value));
}

Value FunctionBuilder::constant(int64_t value) {
  return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(value));
}

Value FunctionBuilder::element(Type type, Value array, int64_t number) {
  return LLVM::GEPOp::create(builder, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{int32_t(number)});
}

Value FunctionBuilder::load(Type type, Value array, int64_t number) {
  return LLVM::LoadOp::create(builder, loc, type, element(type, array, number));
}

Value FunctionBuilder::loadOnEntry(Value array, int64_t number) {
  Value &loaded = loadedOnEntry[{array, number}];
  if (!loaded) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfter(lastOnEntry);
    loaded = load(pointer, array, number);
    lastOnEntry = loaded.getDefiningOp();
  }
  return loaded;
}

Value FunctionBuilder::number(OpFoldResult number) {
  if (std::optional<int64_t> fixed = getConstantIntValue(number)) {
    auto value = dyn_cast<Value>(number);
    if (!value || value.getType().isIndex())
      return constant(*fixed);
    TypedAttr attribute = value.getType().isInteger(1) ? TypedAttr(builder.getBoolAttr(*fixed != 0))
                                                       : builder.getIntegerAttr(value.getType(), *fixed);
    return LLVM::ConstantOp::create(builder, loc, value.getType(), attribute);
  }
  auto value = cast<Value>(number);
  if (Value done = known.lookup(value))
    return done;
  if (Value outside = outsideNumber(value))
    return outside;
  if (!std::exchange(hasFailed, true))
    emitError(loc) << "takes a number that is not known here: "
                   << (value.getDefiningOp() ? value.getDefiningOp()->getName().getStringRef()
                                             : "an argument of a region");
  return LLVM::ZeroOp::create(builder, loc, value.getType().isIndex() ? i64 : value.getType());
}

SmallVector<Value> FunctionBuilder::numbersOf(ValueRange values) {
  return llvm::map_to_vector(values, [&](Value value) { return number(value); });
}

Value FunctionBuilder::widened(Value number) {
  return number.getType() == i64 ? number : LLVM::ZExtOp::create(builder, loc, i64, number);
}

Value FunctionBuilder::narrowed(Value number, Type type) {
  return type.isIndex() ? number : LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, number, constant(0));
}

LogicalResult FunctionBuilder::convertArithmetic(Operation *op) {
  if (op->use_empty() || getConstantIntValue(OpFoldResult(op->getResult(0))))
    return success();
  if (std::optional<unsigned> symbol = layout.symbolOf(op)) {
    define(op->getResult(0), load(i64, field(ContextField::symbols), *symbol));
    return success();
  }
  IRMapping mapping;
  for (Value operand : op->getOperands()) {
    Value value = number(operand);
    if (operand.getType().isIndex())
      value = arith::IndexCastOp::create(builder, loc, operand.getType(), value);
    mapping.map(operand, value);
  }
  Operation *copy = builder.clone(*op, mapping);
  for (auto [result, value] : llvm::zip(op->getResults(), copy->getResults()))
    define(result,
           result.getType().isIndex() ? arith::IndexCastOp::create(builder, loc, i64, value).getResult() : value);
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

LogicalResult FunctionBuilder::convert(Operation *op) {
  loc = op->getLoc();
  if (isArithmetic(op))
    return convertArithmetic(op);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return convertIf(branch);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return convertWhile(loop);
  return convertOther(op);
}

LogicalResult FunctionBuilder::convert(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(convert(&op)))
      return failure();
  return success();
}

Block *FunctionBuilder::newBlock(TypeRange types) {
  Block *block = new Block;
  exit->getParent()->push_back(block);
  for (Type type : types)
    block->addArgument(type, loc);
  return block;
}

/// A block that is given numbers of the program.
Block *FunctionBuilder::newBlockFor(TypeRange types) {
  return newBlock(llvm::map_to_vector(types, [&](Type type) { return type.isIndex() ? i64 : type; }));
}

void FunctionBuilder::define(ValueRange values, Block *block) {
  for (auto [value, argument] : llvm::zip(values, block->getArguments()))
    define(value, argument);
  builder.setInsertionPointToStart(block);
}

void FunctionBuilder::returnUnlessZero(Value code) {
  Block *next = newBlock();
  Value fine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, code, constant32(0));
  LLVM::CondBrOp::create(builder, loc, fine, next, ValueRange(), exit, ValueRange(code));
  builder.setInsertionPointToStart(next);
}

void FunctionBuilder::callAndCheck(HostFunction which, ArrayRef<Value> arguments) {
  SmallVector<Value> operands = {loadOnEntry(functions, int64_t(which)), context};
  llvm::append_range(operands, arguments);
  SmallVector<Type> types = llvm::map_to_vector(ArrayRef(operands).drop_front(), [](Value v) { return v.getType(); });
  auto type = LLVM::LLVMFunctionType::get(i32, types);
  returnUnlessZero(LLVM::CallOp::create(builder, loc, type, operands).getResult());
}

LogicalResult FunctionBuilder::convertIf(scf::IfOp branch) {
  Block *blocks[] = {newBlock(), newBlock()}, *after = newBlockFor(branch.getResultTypes());
  LLVM::CondBrOp::create(builder, loc, number(branch.getCondition()), blocks[0], ValueRange(), blocks[1], ValueRange());
  for (auto [block, region] : llvm::zip(blocks, branch->getRegions())) {
    builder.setInsertionPointToStart(block);
    SmallVector<Value> results;
    if (!region.empty()) {
      if (failed(convert(region.front())))
        return failure();
      results = numbersOf(region.front().getTerminator()->getOperands());
    }
    LLVM::BrOp::create(builder, loc, results, after);
  }
  define(branch.getResults(), after);
  return success();
}

LogicalResult FunctionBuilder::convertWhile(scf::WhileOp loop) {
  Block *before = newBlockFor(ValueRange(loop.getBeforeArguments()).getTypes());
  Block *after = newBlockFor(ValueRange(loop.getAfterArguments()).getTypes());
  Block *end = newBlockFor(loop.getResultTypes());
  LLVM::BrOp::create(builder, loc, numbersOf(loop.getInits()), before);
  define(loop.getBeforeArguments(), before);
  if (failed(convert(*loop.getBeforeBody())))
    return failure();
  auto condition = loop.getConditionOp();
  SmallVector<Value> passed = numbersOf(condition.getArgs());
  LLVM::CondBrOp::create(builder, loc, number(condition.getCondition()), after, passed, end, passed);
  define(loop.getAfterArguments(), after);
  // At the start of each iteration: a check of nothing, in which the runtime ends a run that was cancelled. A body may
  // have no other call.
  callAndCheck(HostFunction::check, {constant32(-1), constant32(0), constant(0), constant(0)});
  if (failed(convert(*loop.getAfterBody())))
    return failure();
  LLVM::BrOp::create(builder, loc, numbersOf(loop.getYieldOp().getResults()), before);
  define(loop.getResults(), end);
  return success();
}
