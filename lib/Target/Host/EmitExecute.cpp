//===- EmitExecute.cpp - The function that runs a program's launches ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Runtime/KernelABI.h"
#include "tenon/Runtime/tenon.h"
#include "tenon/Runtime/tenon_device.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace {
using abi::HostFunction;
using ContextField = abi::Context;
using Size = ProgramLayout::Size;

/// Writes `execute_<segment>` and `run`.
class ExecuteEmitter {
public:
  ExecuteEmitter(ProgramLayout &layout, OpBuilder &builder)
      : layout(layout), builder(builder), loc(layout.main.getLoc()),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())), i32(builder.getI32Type()),
        i64(builder.getI64Type()) {}

  LogicalResult emitExecute(unsigned number) {
    OpBuilder::InsertionGuard guard(builder);
    ArrayRef<Operation *> ops = layout.segments[number].ops;
    std::string name = "execute_" + std::to_string(number);
    segment = number;
    SmallVector<LLVM::LLVMFuncOp> parts;
    for (bool isFirst = true; isFirst || !ops.empty(); isFirst = false) {
      ArrayRef<Operation *> part = ops.take_front(ProgramLayout::kOpsPerFunction);
      ops = ops.drop_front(part.size());
      std::string partName = isFirst && ops.empty() ? name : name + "_part_" + std::to_string(parts.size());
      LLVM::LLVMFuncOp function = parts.emplace_back(beginExecute(partName));
      allocateArrays(part);
      if (isFirst)
        checkBindings();
      if (failed(emitPart(part)))
        return failure();
      finish();
      builder.setInsertionPointAfter(function);
    }
    if (parts.size() == 1)
      return success();
    beginExecute(name);
    for (LLVM::LLVMFuncOp part : parts) {
      part.setLinkage(LLVM::Linkage::Internal);
      returnUnlessZero(LLVM::CallOp::create(builder, loc, part, {context, slots}).getResult());
    }
    finish();
    return failure(hasFailed);
  }

  LogicalResult emitRun() {
    OpBuilder::InsertionGuard guard(builder);
    auto function = LLVM::LLVMFuncOp::create(builder, loc, "run", LLVM::LLVMFunctionType::get(i32, {pointer}));
    begin(function);
    segment = std::nullopt;
    inlined.clear();
    size_t symbols = layout.metadata.symbols.size(), most = 0;
    for (ProgramLayout::Segment &segment : layout.segments)
      most = std::max(most, segment.planData.size());
    if (most != 0) {
      // Plans find the symbols in front of the data.
      numbers = LLVM::AllocaOp::create(builder, loc, pointer, i64, constant32(symbols + most));
      for (size_t i = 0; i < symbols; ++i)
        LLVM::StoreOp::create(builder, loc, load(i64, field(ContextField::symbols), i), element(i64, numbers, i));
    }
    emitSteps(layout.steps);
    finish();
    return failure(hasFailed);
  }

private:
  LLVM::LLVMFuncOp beginExecute(StringRef name) {
    auto function =
        LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(i32, {pointer, pointer}));
    begin(function);
    slots = function.getArgument(1);
    inlined.clear();
    return function;
  }

  LogicalResult emitPart(ArrayRef<Operation *> ops) {
    for (Operation *op : ops) {
      if (failed(emit(op)))
        return failure();
      for (Value result : op->getResults())
        if (layout.data.contains(result) && layout.keepsData())
          keep(result, inlined.lookup(result));
    }
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  Value constant32(int64_t value) { return LLVM::ConstantOp::create(builder, loc, i32, builder.getI32IntegerAttr(value)); }
  Value constant(int64_t value) { return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(value)); }
  Type valueType() {
    return LLVM::LLVMStructType::getLiteral(builder.getContext(), abi::typesOf<Type>(abi::kValue, pointer, i32, i64));
  }
  Value element(Type type, Value array, int64_t number) {
    return LLVM::GEPOp::create(builder, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{int32_t(number)});
  }
  Value load(Type type, Value array, int64_t number) {
    return LLVM::LoadOp::create(builder, loc, type, element(type, array, number));
  }
  /// An element of an array that stays as it is while the function runs: loaded once, on entry.
  Value loadOnEntry(Value array, int64_t number) {
    Value &loaded = loadedOnEntry[{array, number}];
    if (!loaded) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointAfter(lastOnEntry);
      loaded = load(pointer, array, number);
      lastOnEntry = loaded.getDefiningOp();
    }
    return loaded;
  }
  Value field(ContextField number) { return loadOnEntry(context, int64_t(number)); }

  /// A size or offset: from the plan, or where data decides computed here.
  Value value(OpFoldResult size) {
    if (std::optional<int64_t> known = getConstantIntValue(size))
      return constant(*known);
    Size known = segment ? layout.sizeOf(size, *segment) : Size();
    return known.slot ? load(i64, slots, *known.slot) : computed(cast<Value>(size));
  }

  /// Leaves a number for later segments.
  void keep(Value data, Value number) {
    if (number.getType() != i64)
      number = LLVM::ZExtOp::create(builder, loc, i64, number);
    LLVM::StoreOp::create(builder, loc, number, element(i64, field(ContextField::values), layout.data.lookup(data)));
  }

  Value computed(Value index) {
    if (Value done = inlined.lookup(index))
      return done;
    if (layout.data.contains(index)) {
      Value kept = load(i64, field(ContextField::values), layout.data.lookup(index));
      return index.getType().isIndex() ? kept
                                       : LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, kept, constant(0))
                                             .getResult();
    }
    Operation *op = index.getDefiningOp();
    if (auto symbol = dyn_cast_if_present<SymbolOp>(op))
      return load(i64, field(ContextField::symbols), layout.symbols.lookup(symbol.getName()));
    if (!op || !isa_and_present<arith::ArithDialect, affine::AffineDialect>(op->getDialect())) {
      if (!std::exchange(hasFailed, true))
        emitError(loc) << "takes a number that is not known here: "
                       << (op ? op->getName().getStringRef() : "an argument of a region");
      Type type = index.getType().isIndex() ? i64 : index.getType();
      return LLVM::ZeroOp::create(builder, loc, type);
    }
    // What an expression shares is computed once for it; elsewhere its value may not dominate.
    if (Value done = expression.lookup(index))
      return done;
    ++expressionDepth;
    IRMapping mapping;
    for (Value operand : op->getOperands()) {
      Value number = operand.getType().isIndex() ? value(OpFoldResult(operand)) : computed(operand);
      if (operand.getType().isIndex())
        number = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), number);
      mapping.map(operand, number);
    }
    Value result = builder.clone(*op, mapping)->getResult(cast<OpResult>(index).getResultNumber());
    if (index.getType().isIndex())
      result = arith::IndexCastOp::create(builder, loc, i64, result);
    if (--expressionDepth == 0)
      expression.clear();
    else
      expression[index] = result;
    return result;
  }

  Value bytesFrom(Value base, Value bytes) {
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base, ArrayRef<LLVM::GEPArg>{bytes});
  }

  /// Where the first element of a buffer is.
  Value address(Value buffer) {
    if (auto view = buffer.getDefiningOp<ViewOp>()) {
      Value base = address(view.getSource());
      unsigned bits = storageBits(cast<MemRefType>(view.getType()).getElementType());
      OpFoldResult offset = view.getMixedOffsets().front();
      if (getConstantIntValue(offset) == 0)
        return base;
      Value scaled = LLVM::MulOp::create(builder, loc, value(offset), constant(bits % 8 == 0 ? bits / 8 : bits));
      if (bits % 8 != 0)
        scaled = LLVM::LShrOp::create(builder, loc, scaled, constant(3));
      return bytesFrom(base, scaled);
    }
    auto storage = cast<StorageOp>(buffer.getDefiningOp());
    int64_t number = storage.getNumber();
    switch (storage.getKind()) {
    case StorageKind::input:
      return load(pointer, field(ContextField::inputs), number);
    case StorageKind::output:
      return load(pointer, field(ContextField::outputs), number);
    case StorageKind::constant:
      if (DeviceAttr device = deviceOf(buffer))
        return load(pointer, field(ContextField::deviceConstants),
                    layout.deviceNumber(device) * layout.constants.size() + number);
      return load(pointer, field(ContextField::constants), number);
    case StorageKind::growing:
      return load(pointer, field(ContextField::growing), number);
    case StorageKind::arena: {
      ProgramLayout::ArenaPlace place = layout.arenas.lookup(storage);
      DeviceAttr device = deviceOf(buffer);
      Value arena = device ? loadOnEntry(field(ContextField::deviceArenas),
                                         layout.deviceNumber(device) * layout.segments.size() + place.segment)
                           : loadOnEntry(field(ContextField::arenas), place.segment);
      Value offsets = loadOnEntry(field(ContextField::arenaOffsets), place.segment);
      return bytesFrom(arena, load(i64, offsets, place.number));
    }
    }
    llvm_unreachable("the verifier knows all kinds");
  }

  //===--------------------------------------------------------------------===//
  // Control flow
  //===--------------------------------------------------------------------===//

  void begin(LLVM::LLVMFuncOp function) {
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
  }

  void finish() {
    LLVM::BrOp::create(builder, loc, constant32(0), exit);
    // Blocks were added as the program went on: the exit stands last.
    exit->moveBefore(exit->getParent(), exit->getParent()->end());
  }

  Block *newBlock(TypeRange types = {}) {
    Block *block = new Block;
    exit->getParent()->push_back(block);
    for (Type type : types)
      block->addArgument(type, loc);
    return block;
  }

  /// Goes on in a new block where `code` is zero, else returns it.
  void returnUnlessZero(Value code) {
    Block *next = newBlock();
    Value fine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, code, constant32(0));
    LLVM::CondBrOp::create(builder, loc, fine, next, ValueRange(), exit, ValueRange(code));
    builder.setInsertionPointToStart(next);
  }

  void callAndCheck(HostFunction which, ArrayRef<Value> arguments) {
    SmallVector<Value> operands = {loadOnEntry(functions, int64_t(which)), context};
    llvm::append_range(operands, arguments);
    SmallVector<Type> types = llvm::map_to_vector(ArrayRef(operands).drop_front(), [](Value v) { return v.getType(); });
    auto type = LLVM::LLVMFunctionType::get(i32, types);
    returnUnlessZero(LLVM::CallOp::create(builder, loc, type, operands).getResult());
  }

  //===--------------------------------------------------------------------===//
  // Operations
  //===--------------------------------------------------------------------===//

  LogicalResult emit(Operation *op) {
    loc = op->getLoc();
    if (auto launch = dyn_cast<LaunchOp>(op))
      return emitLaunch(launch);
    if (auto copy = dyn_cast<CopyOp>(op))
      return emitCopy(copy);
    if (auto call = dyn_cast<CallOp>(op))
      return emitCall(call);
    if (auto async = dyn_cast<AsyncOp>(op))
      return emit(&async.getOperationInside());
    if (auto wait = dyn_cast<AwaitOp>(op))
      emitAwait(wait.getTokens());
    if (auto read = dyn_cast<ReadScalarOp>(op))
      inlined[read.getResult()] = emitRead(read);
    else if (auto write = dyn_cast<WriteScalarOp>(op))
      emitWrite(write);
    else if (auto exchange = dyn_cast<ExchangeOp>(op))
      emitExchange(exchange);
    else if (auto check = dyn_cast<CheckEqualOp>(op))
      emitCheck(check, check.getActual(), check.getExpected(), check.getMessage(), LLVM::ICmpPredicate::ne);
    else if (auto check = dyn_cast<CheckAtMostOp>(op))
      emitCheck(check, check.getActual(), check.getLimit(), check.getMessage(), LLVM::ICmpPredicate::sgt);
    else if (auto branch = dyn_cast<scf::IfOp>(op))
      return emitIf(branch);
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      return emitWhile(loop);
    return success();
  }

  LogicalResult emit(Block &block) {
    for (Operation &op : block.without_terminator())
      if (failed(emit(&op)))
        return failure();
    return success();
  }

  /// A number of the program: an index as i64, a truth value as i1.
  Value number(Value value) { return value.getType().isIndex() ? this->value(OpFoldResult(value)) : computed(value); }

  Value scalarAddress(Value buffer, int64_t position) {
    unsigned bits = storageBits(cast<MemRefType>(buffer.getType()).getElementType());
    return bytesFrom(address(buffer), constant(position * bits / 8));
  }

  Value emitRead(ReadScalarOp read) {
    Type element = cast<MemRefType>(read.getSource().getType()).getElementType();
    Type stored = builder.getIntegerType(storageBits(element));
    Value result = LLVM::LoadOp::create(builder, loc, stored, scalarAddress(read.getSource(), read.getPosition()));
    if (read.getType().isInteger(1)) {
      Value zero = LLVM::ConstantOp::create(builder, loc, stored, builder.getIntegerAttr(stored, 0));
      return LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, result, zero);
    }
    if (stored == i64)
      return result;
    if (element.isUnsignedInteger() || element.isInteger(1))
      return LLVM::ZExtOp::create(builder, loc, i64, result);
    return LLVM::SExtOp::create(builder, loc, i64, result);
  }

  void emitWrite(WriteScalarOp write) {
    Type element = cast<MemRefType>(write.getDestination().getType()).getElementType();
    Type stored = builder.getIntegerType(storageBits(element));
    Value result = number(write.getValue());
    unsigned width = cast<IntegerType>(result.getType()).getWidth(), target = storageBits(element);
    if (width < target)
      result = LLVM::ZExtOp::create(builder, loc, stored, result);
    else if (width > target)
      result = LLVM::TruncOp::create(builder, loc, stored, result);
    LLVM::StoreOp::create(builder, loc, result, scalarAddress(write.getDestination(), write.getPosition()));
  }

  LogicalResult emitIf(scf::IfOp branch) {
    Block *blocks[] = {newBlock(), newBlock()}, *after = newBlock();
    LLVM::CondBrOp::create(builder, loc, number(branch.getCondition()), blocks[0], ValueRange(), blocks[1],
                           ValueRange());
    for (auto [block, region] : llvm::zip(blocks, branch->getRegions())) {
      builder.setInsertionPointToStart(block);
      if (!region.empty() && failed(emit(region.front())))
        return failure();
      LLVM::BrOp::create(builder, loc, ValueRange(), after);
    }
    builder.setInsertionPointToStart(after);
    return success();
  }

  SmallVector<Value> machineValues(ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return number(value); });
  }

  LogicalResult emitWhile(scf::WhileOp loop) {
    auto machineTypes = [&](TypeRange types) {
      return llvm::map_to_vector(types, [&](Type type) -> Type { return type.isIndex() ? i64 : type; });
    };
    Block *before = newBlock(machineTypes(ValueRange(loop.getBeforeArguments()).getTypes()));
    Block *after = newBlock(machineTypes(ValueRange(loop.getAfterArguments()).getTypes()));
    Block *end = newBlock(machineTypes(loop.getResultTypes()));
    LLVM::BrOp::create(builder, loc, machineValues(loop.getInits()), before);
    auto define = [&](ValueRange values, Block *block) {
      for (auto [value, argument] : llvm::zip(values, block->getArguments()))
        inlined[value] = argument;
      builder.setInsertionPointToStart(block);
    };
    define(loop.getBeforeArguments(), before);
    if (failed(emit(*loop.getBeforeBody())))
      return failure();
    auto condition = loop.getConditionOp();
    SmallVector<Value> passed = machineValues(condition.getArgs());
    LLVM::CondBrOp::create(builder, loc, number(condition.getCondition()), after, passed, end, passed);
    define(loop.getAfterArguments(), after);
    emitTurn();
    if (failed(emit(*loop.getAfterBody())))
      return failure();
    LLVM::BrOp::create(builder, loc, machineValues(loop.getYieldOp().getResults()), before);
    define(loop.getResults(), end);
    return success();
  }

  /// At the start of each iteration: a check of nothing, in which the runtime ends a run that was cancelled. A body may
  /// have no other call.
  void emitTurn() { callAndCheck(HostFunction::check, {constant32(-1), constant32(0), constant(0), constant(0)}); }

  void emitExchange(ExchangeOp exchange) {
    auto numberOf = [&](Value buffer) { return constant32(buffer.getDefiningOp<StorageOp>().getNumber()); };
    callAndCheck(HostFunction::exchange, {numberOf(exchange.getFirst()), numberOf(exchange.getSecond())});
  }

  /// Ends the run where two numbers compare so.
  void emitCheck(Operation *op, Value first, Value second, StringRef what, LLVM::ICmpPredicate predicate) {
    Value actual = value(OpFoldResult(first)), limit = value(OpFoldResult(second));
    checkThat(LLVM::ICmpOp::create(builder, loc, predicate, actual, limit), messageAt(op->getLoc(), what), actual, limit);
  }

  /// Ends the run with a message where the condition, an i1, holds.
  void checkThat(Value wrong, const std::string &message, Value actual, Value limit) {
    Value number = LLVM::SelectOp::create(builder, loc, wrong, constant32(layout.codeOf(message)), constant32(0));
    callAndCheck(HostFunction::check, {constant32(-1), number, actual, limit});
  }

  //===--------------------------------------------------------------------===//
  // Between segments
  //===--------------------------------------------------------------------===//

  void emitSteps(ArrayRef<ProgramLayout::Step> steps) {
    for (const ProgramLayout::Step &step : steps)
      if (auto branch = dyn_cast_if_present<scf::IfOp>(step.flow))
        emitBetween(branch, step);
      else if (auto loop = dyn_cast_if_present<scf::WhileOp>(step.flow))
        emitBetween(loop, step);
      else
        runSegment(step.segment);
  }

  void runSegment(unsigned number) {
    ProgramLayout::Segment &next = layout.segments[number];
    for (auto &[data, place] : next.planData)
      LLVM::StoreOp::create(builder, loc, load(i64, field(ContextField::values), layout.data.lookup(data)),
                            element(i64, numbers, place));
    Value which = constant32(number);
    callAndCheck(HostFunction::plan, {which, next.planData.empty() ? field(ContextField::symbols) : numbers});
    callAndCheck(HostFunction::reserve, {which});
    for (StorageOp storage : next.growing) {
      Value bytes = load(i64, load(pointer, field(ContextField::slots), number), next.byteSlots.lookup(storage));
      callAndCheck(HostFunction::grow, {constant32(storage.getNumber()), bytes});
    }
    callAndCheck(HostFunction::execute, {which});
  }

  /// Leaves numbers that are computed before any of them is left: a loop's next may be its last.
  void keepAll(ValueRange places, ValueRange values) {
    for (auto [place, number] : llvm::zip(places, machineValues(values)))
      keep(place, number);
  }

  void emitBetween(scf::IfOp branch, const ProgramLayout::Step &step) {
    Block *blocks[] = {newBlock(), newBlock()}, *after = newBlock();
    LLVM::CondBrOp::create(builder, loc, number(branch.getCondition()), blocks[0], ValueRange(), blocks[1],
                           ValueRange());
    for (auto [block, region, body] : llvm::zip(blocks, branch->getRegions(), step.bodies)) {
      builder.setInsertionPointToStart(block);
      emitSteps(body);
      if (!region.empty())
        keepAll(branch.getResults(), region.front().getTerminator()->getOperands());
      LLVM::BrOp::create(builder, loc, ValueRange(), after);
    }
    builder.setInsertionPointToStart(after);
  }

  void emitBetween(scf::WhileOp loop, const ProgramLayout::Step &step) {
    Block *before = newBlock(), *after = newBlock(), *end = newBlock();
    keepAll(loop.getBeforeArguments(), loop.getInits());
    LLVM::BrOp::create(builder, loc, ValueRange(), before);
    builder.setInsertionPointToStart(before);
    keepAll(loop.getAfterArguments(), loop.getConditionOp().getArgs());
    keepAll(loop.getResults(), loop.getConditionOp().getArgs());
    LLVM::CondBrOp::create(builder, loc, number(loop.getConditionOp().getCondition()), after, ValueRange(), end,
                           ValueRange());
    builder.setInsertionPointToStart(after);
    emitTurn();
    emitSteps(step.bodies.front());
    keepAll(loop.getBeforeArguments(), loop.getYieldOp().getResults());
    LLVM::BrOp::create(builder, loc, ValueRange(), before);
    builder.setInsertionPointToStart(end);
  }

  //===--------------------------------------------------------------------===//
  // Launches, copies and what is bound
  //===--------------------------------------------------------------------===//

  /// The arrays that calls of these ops read, as large as the largest one needs.
  void allocateArrays(ArrayRef<Operation *> ops) {
    auto walk = [&](auto visit) {
      for (Operation *op : ops)
        op->walk(visit);
    };
    int64_t pointers = 0, integers = 0;
    walk([&](LaunchOp launch) {
      pointers = std::max<int64_t>(pointers, launch.getIns().size() + launch.getOuts().size());
      integers = std::max<int64_t>(integers, launch.getSymbols().size() + stridesOf(launch).size());
    });
    walk([&](CopyOp copy) {
      integers = std::max<int64_t>(integers, 3 * cast<MemRefType>(copy.getSource().getType()).getRank());
    });
    int64_t values = 0;
    walk([&](CallOp call) {
      int64_t count = call.getIns().size() + call.getOuts().size(), dims = 0;
      for (Value value : llvm::concat<Value>(call.getIns(), call.getOuts()))
        if (auto type = dyn_cast<MemRefType>(value.getType()))
          dims += type.getRank();
      values = std::max(values, count);
      pointers = std::max(pointers, count);
      integers = std::max(integers, 2 * dims);
    });
    if (values != 0)
      descriptions = LLVM::AllocaOp::create(builder, loc, pointer, valueType(), constant32(values));
    int64_t waits = 1;
    walk([&](Operation *op) {
      if (isa<AsyncOp, AwaitOp>(op))
        waits = std::max<int64_t>(waits, op->getNumOperands());
    });
    tokens = LLVM::AllocaOp::create(builder, loc, pointer, i32, constant32(waits));
    buffers = LLVM::AllocaOp::create(builder, loc, pointer, pointer, constant32(std::max<int64_t>(pointers, 1)));
    numbers = LLVM::AllocaOp::create(builder, loc, pointer, i64, constant32(std::max<int64_t>(integers, 1)));
  }

  /// The dynamic strides of a launch's buffers, one after the other.
  SmallVector<OpFoldResult> stridesOf(LaunchOp launch) {
    SmallVector<OpFoldResult> result;
    for (Value buffer : llvm::concat<Value>(launch.getIns(), launch.getOuts())) {
      auto layoutAttr = dyn_cast<StridedLayoutAttr>(cast<MemRefType>(buffer.getType()).getLayout());
      if (!layoutAttr)
        continue;
      for (auto [stride, actual] : llvm::zip(layoutAttr.getStrides(), layout.stridesOf(buffer)))
        if (ShapedType::isDynamic(stride))
          result.push_back(actual);
    }
    return result;
  }

  /// Stores values from place `first` on, and gives the address of the first.
  Value storeNumbers(ArrayRef<OpFoldResult> sizes, int64_t &first) {
    Value start = element(i64, numbers, first);
    for (OpFoldResult size : sizes)
      LLVM::StoreOp::create(builder, loc, value(size), element(i64, numbers, first++));
    return start;
  }

  LogicalResult emitLaunch(LaunchOp launch) {
    int64_t place = 0;
    for (Value buffer : llvm::concat<Value>(launch.getIns(), launch.getOuts())) {
      if (!isa<MemRefType>(buffer.getType()))
        return launch.emitOpError("is not placed");
      LLVM::StoreOp::create(builder, loc, address(buffer), element(pointer, buffers, place++));
    }
    int64_t first = 0;
    SmallVector<OpFoldResult> dynamicStrides = stridesOf(launch);
    Value strides = storeNumbers(dynamicStrides, first);
    Value symbols = storeNumbers(getAsOpFoldResult(launch.getSymbols()), first);
    Value work = launch.getWork() ? value(OpFoldResult(launch.getWork())) : constant(1);
    Value scratch = launch.getScratch() ? value(OpFoldResult(launch.getScratch())) : constant(0);
    Value number = constant32(layout.launches.lookup(launch));
    if (DeviceAttr device = deviceOf(launch.getOperation())) {
      callDevice(HostFunction::deviceLaunch, device, launch,
                 {number, buffers, constant32(place), strides, constant32(dynamicStrides.size()), symbols,
                  constant32(launch.getSymbols().size()), work, scratch});
      return success();
    }
    callAndCheck(HostFunction::launch, {number, buffers, strides, symbols, work, scratch, /*grain=*/constant(1)});
    return success();
  }

  /// A `tenon_value` for a buffer: what it points to stands in `numbers` from `first` on.
  Value describe(Value buffer, int64_t place, int64_t &first) {
    if (auto slot = buffer.getDefiningOp<SlotOp>())
      return load(pointer, field(ContextField::held), layout.placeOf(slot));
    auto type = cast<MemRefType>(buffer.getType());
    Value shape = storeNumbers(layout.extentsOf(buffer), first);
    Value strides = storeNumbers(layout.stridesOf(buffer), first);
    Value description = element(valueType(), descriptions, place);
    auto store = [&](abi::Value field, Value value) {
      Value at = LLVM::GEPOp::create(builder, loc, pointer, valueType(), description,
                                     ArrayRef<LLVM::GEPArg>{0, int32_t(field)});
      LLVM::StoreOp::create(builder, loc, value, at);
    };
    store(abi::Value::kind, constant32(TENON_TENSOR));
    store(abi::Value::dtype, constant32(int32_t(dtypeOf(type.getElementType()))));
    store(abi::Value::rank, constant(type.getRank()));
    store(abi::Value::shape, shape);
    store(abi::Value::strides, strides);
    store(abi::Value::data, address(buffer));
    store(abi::Value::capacity, constant(0));
    store(abi::Value::count, constant(0));
    store(abi::Value::items, LLVM::ZeroOp::create(builder, loc, pointer));
    return description;
  }

  LogicalResult emitCall(CallOp call) {
    int64_t place = 0, first = 0;
    for (Value value : llvm::concat<Value>(call.getIns(), call.getOuts())) {
      if (isa<MemRefType>(value.getType()) && deviceOf(value))
        return call.emitOpError("can't be called with a buffer of a device");
      LLVM::StoreOp::create(builder, loc, describe(value, place, first), element(pointer, buffers, place));
      ++place;
    }
    int64_t ins = call.getIns().size(), outs = call.getOuts().size();
    callAndCheck(HostFunction::callExternal, {constant32(layout.calls.lookup(call)), buffers, constant32(ins),
                                      element(pointer, buffers, ins), constant32(outs)});
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Devices
  //===--------------------------------------------------------------------===//

  /// Asks a device for an operation: within `tenon_host.async` the program goes on, else it waits.
  void callDevice(HostFunction which, DeviceAttr device, Operation *op, ArrayRef<Value> arguments) {
    auto async = dyn_cast<AsyncOp>(op->getParentOp());
    SmallVector<Value> elsewhere;
    SmallVector<int32_t> after;
    int32_t token = tokenCount++;
    if (async) {
      tokenNumbers[async.getToken()] = {device, token};
      for (Value dependency : async.getDependencies()) {
        auto [other, number] = tokenNumbers.lookup(dependency);
        if (other == device)
          after.push_back(number);
        else
          elsewhere.push_back(dependency);
      }
    }
    // No device knows the tokens of another one.
    emitAwait(elsewhere);
    Value number = constant32(layout.deviceNumber(device));
    SmallVector<Value> all = {number};
    llvm::append_range(all, arguments);
    storeTokens(after);
    llvm::append_range(all, ArrayRef<Value>{tokens, constant32(after.size()), constant32(token)});
    callAndCheck(which, all);
    if (!async)
      emitAwait(device, token);
  }

  void storeTokens(ArrayRef<int32_t> numbers) {
    for (auto [i, number] : llvm::enumerate(numbers))
      LLVM::StoreOp::create(builder, loc, constant32(number), element(i32, tokens, i));
  }

  void emitAwait(DeviceAttr device, ArrayRef<int32_t> numbers) {
    storeTokens(numbers);
    callAndCheck(HostFunction::await, {constant32(layout.deviceNumber(device)), tokens, constant32(numbers.size())});
  }

  void emitAwait(ValueRange awaited) {
    llvm::MapVector<DeviceAttr, SmallVector<int32_t>> byDevice;
    for (Value token : awaited) {
      auto [device, number] = tokenNumbers.lookup(token);
      byDevice[device].push_back(number);
    }
    for (auto &[device, numbers] : byDevice)
      emitAwait(device, numbers);
  }

  LogicalResult emitCopy(CopyOp copy) {
    auto type = cast<MemRefType>(copy.getSource().getType());
    unsigned bits = storageBits(type.getElementType());
    if (bits % 8 != 0)
      return copy.emitError() << "can't copy elements of " << type.getElementType() << ", which share bytes";
    int64_t first = 0;
    Value sizes = storeNumbers(layout.extentsOf(copy.getSource()), first);
    Value sourceStrides = storeNumbers(layout.stridesOf(copy.getSource()), first);
    Value destinationStrides = storeNumbers(layout.stridesOf(copy.getDestination()), first);
    SmallVector<Value> arguments = {address(copy.getDestination()), destinationStrides,
                                    address(copy.getSource()),      sourceStrides,
                                    sizes,                          constant(type.getRank()),
                                    constant(bits / 8)};
    DeviceAttr device = deviceOf(copy.getOperation());
    if (!device) {
      callAndCheck(HostFunction::copy, arguments);
      return success();
    }
    DeviceAttr from = deviceOf(copy.getSource()), to = deviceOf(copy.getDestination());
    if (from && to && from != to)
      return copy.emitOpError("can't copy from one device to another");
    int32_t direction = from == to ? TENON_WITHIN_DEVICE : to ? TENON_HOST_TO_DEVICE : TENON_DEVICE_TO_HOST;
    arguments.insert(arguments.begin(), constant32(direction));
    callDevice(HostFunction::deviceCopy, device, copy, arguments);
    return success();
  }

  /// Checks inputs and outputs as soon as their strides are known, outputs under the sizes that they are returned with:
  /// those of their last storage.
  void checkBindings() {
    if (!layout.segments[*segment].runsOnce)
      return;
    llvm::MapVector<std::pair<unsigned, uint64_t>, StorageOp> bound;
    for (auto storage : layout.main.getOps<StorageOp>())
      if (storage.getKind() == StorageKind::input || storage.getKind() == StorageKind::output)
        bound[{unsigned(storage.getKind()), storage.getNumber()}] = storage;
    for (auto &[key, storage] : bound) {
      SmallVector<OpFoldResult> strides = layout.stridesOf(storage), all = storage.getMixedSizes();
      llvm::append_range(all, strides);
      auto isKnown = [&](OpFoldResult stride) {
        Size size = layout.sizeOf(stride, *segment);
        return size.constant || size.slot;
      };
      if (strides.size() >= 2 && llvm::all_of(all, isKnown) && checked.insert(key).second)
        checkRows(storage, strides);
    }
  }

  /// Kernels take rows of inputs and outputs one after the other: anything else that the caller bound is refused.
  void checkRows(StorageOp storage, ArrayRef<OpFoldResult> strides) {
    bool isInput = storage.getKind() == StorageKind::input;
    SmallVector<OpFoldResult> sizes = storage.getMixedSizes();
    // Without elements nothing is read.
    if (llvm::any_of(sizes, [](OpFoldResult size) { return isZeroInteger(size); }))
      return;
    Value actual = load(pointer, field(isInput ? ContextField::inputStrides : ContextField::outputStrides), storage.getNumber());
    Value wrong;
    for (size_t d = 0; d + 1 < sizes.size(); ++d) {
      Value differs = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, load(i64, actual, d), value(strides[d]));
      // The stride of a size below 2 is never used.
      Value counts = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sgt, value(sizes[d]), constant(1));
      Value both = LLVM::AndOp::create(builder, loc, differs, counts);
      wrong = wrong ? Value(LLVM::OrOp::create(builder, loc, wrong, both)) : both;
    }
    for (OpFoldResult size : sizes)
      if (!getConstantIntValue(size))
        wrong = LLVM::AndOp::create(
            builder, loc, wrong,
            LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sgt, value(size), constant(0)));
    auto &metadata = layout.metadata;
    std::string name = isInput ? "input '" + metadata.inputs[storage.getNumber()].name
                               : "output '" + metadata.outputs[storage.getNumber()].name;
    checkThat(wrong, name + "' is bound with gaps between its rows, which this model does not take", constant(0),
              constant(0));
  }

  ProgramLayout &layout;
  OpBuilder &builder;
  Location loc;
  Type pointer, i32, i64;
  Value descriptions; ///< of buffers that functions from outside are called with
  Value context, functions, slots, buffers, numbers, tokens;
  DenseMap<Value, std::pair<DeviceAttr, int32_t>> tokenNumbers;
  int32_t tokenCount = 0;
  bool hasFailed = false;
  std::optional<unsigned> segment; ///< none in `run`
  DenseMap<Value, Value> inlined; ///< numbers that the function has computed
  DenseMap<Value, Value> expression; ///< parts of the expression that is being computed
  unsigned expressionDepth = 0;
  DenseMap<std::pair<Value, int64_t>, Value> loadedOnEntry;
  Operation *lastOnEntry = nullptr;
  Block *exit = nullptr;
  llvm::DenseSet<std::pair<unsigned, uint64_t>> checked;
};
} // namespace

LogicalResult tenon::host::emitExecute(ProgramLayout &layout, OpBuilder &builder) {
  ExecuteEmitter emitter(layout, builder);
  for (size_t i = 0; i < layout.segments.size(); ++i)
    if (failed(emitter.emitExecute(i)))
      return failure();
  return success();
}

LogicalResult tenon::host::emitRun(ProgramLayout &layout, OpBuilder &builder) {
  return ExecuteEmitter(layout, builder).emitRun();
}
