//===- EmitExecute.cpp - The function that runs a program's launches ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Runtime/tenon_kernel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace {
/// Fields of `tenon_context`, all pointers.
enum class Field { fns, inputs, outputs, constants, symbols, slots, arenas, arenaOffsets, inputStrides, outputStrides };
/// Functions of `tenon_host_functions`, as a table of pointers: the first place holds its version and size.
enum class Call { plan = 1, reserve, execute, launch, copy, check };

using Size = ProgramLayout::Size;

/// Writes `execute_0` and `run`.
class ExecuteEmitter {
public:
  ExecuteEmitter(ProgramLayout &layout, OpBuilder &builder)
      : layout(layout), builder(builder), loc(layout.main.getLoc()),
        pointer(LLVM::LLVMPointerType::get(builder.getContext())), i32(builder.getI32Type()),
        i64(builder.getI64Type()) {}

  LogicalResult emitExecute() {
    OpBuilder::InsertionGuard guard(builder);
    auto function = LLVM::LLVMFuncOp::create(builder, loc, "execute_0",
                                             LLVM::LLVMFunctionType::get(i32, {pointer, pointer}));
    begin(function);
    slots = function.getArgument(1);
    allocateArrays();
    for (auto storage : layout.main.getOps<StorageOp>())
      if (storage.getKind() == StorageKind::input || storage.getKind() == StorageKind::output)
        checkRows(storage);
    for (Operation &op : layout.main.getBody().front()) {
      loc = op.getLoc();
      if (auto launch = dyn_cast<LaunchOp>(op)) {
        if (failed(emitLaunch(launch)))
          return failure();
      } else if (auto copy = dyn_cast<CopyOp>(op)) {
        if (failed(emitCopy(copy)))
          return failure();
      }
    }
    finish();
    return success();
  }

  void emitRun() {
    OpBuilder::InsertionGuard guard(builder);
    auto function = LLVM::LLVMFuncOp::create(builder, loc, "run", LLVM::LLVMFunctionType::get(i32, {pointer}));
    begin(function);
    Value segment = constant32(0);
    callAndCheck(Call::plan, {segment, field(Field::symbols)});
    callAndCheck(Call::reserve, {segment});
    callAndCheck(Call::execute, {segment});
    finish();
  }

private:
  //===--------------------------------------------------------------------===//
  // Values
  //===--------------------------------------------------------------------===//

  Value constant32(int64_t value) { return LLVM::ConstantOp::create(builder, loc, i32, builder.getI32IntegerAttr(value)); }
  Value constant(int64_t value) { return LLVM::ConstantOp::create(builder, loc, i64, builder.getI64IntegerAttr(value)); }
  Value element(Type type, Value array, int64_t number) {
    return LLVM::GEPOp::create(builder, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{int32_t(number)});
  }
  Value load(Type type, Value array, int64_t number) {
    return LLVM::LoadOp::create(builder, loc, type, element(type, array, number));
  }
  Value field(Field number) { return load(pointer, context, int64_t(number)); }
  Value value(Size size) { return size.constant ? constant(*size.constant) : load(i64, slots, size.slot); }
  Value value(OpFoldResult size) { return value(layout.sizeOf(size)); }

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
      return load(pointer, field(Field::inputs), number);
    case StorageKind::output:
      return load(pointer, field(Field::outputs), number);
    case StorageKind::constant:
      return load(pointer, field(Field::constants), number);
    case StorageKind::arena: {
      Value arena = load(pointer, field(Field::arenas), 0);
      Value offsets = load(pointer, field(Field::arenaOffsets), 0);
      return bytesFrom(arena, load(i64, offsets, number));
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
    functions = field(Field::fns);
  }

  void finish() {
    LLVM::BrOp::create(builder, loc, constant32(0), exit);
    // Blocks were added as the program went on: the exit stands last.
    exit->moveBefore(exit->getParent(), exit->getParent()->end());
  }

  /// Goes on in a new block where `code` is zero, else returns it.
  void returnUnlessZero(Value code) {
    Block *next = new Block;
    exit->getParent()->push_back(next);
    Value fine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq, code, constant32(0));
    LLVM::CondBrOp::create(builder, loc, fine, next, ValueRange(), exit, ValueRange(code));
    builder.setInsertionPointToStart(next);
  }

  void callAndCheck(Call which, ArrayRef<Value> arguments) {
    SmallVector<Value> operands = {load(pointer, functions, int64_t(which)), context};
    llvm::append_range(operands, arguments);
    SmallVector<Type> types = llvm::map_to_vector(ArrayRef(operands).drop_front(), [](Value v) { return v.getType(); });
    auto type = LLVM::LLVMFunctionType::get(i32, types);
    returnUnlessZero(LLVM::CallOp::create(builder, loc, type, operands).getResult());
  }

  //===--------------------------------------------------------------------===//
  // Operations
  //===--------------------------------------------------------------------===//

  /// The arrays that calls read, as large as the largest one needs.
  void allocateArrays() {
    int64_t pointers = 0, integers = 0;
    for (auto launch : layout.main.getOps<LaunchOp>()) {
      pointers = std::max<int64_t>(pointers, launch.getIns().size() + launch.getOuts().size());
      integers = std::max<int64_t>(integers, launch.getSymbols().size() + stridesOf(launch).size());
    }
    for (auto copy : layout.main.getOps<CopyOp>())
      integers = std::max<int64_t>(integers, 3 * cast<MemRefType>(copy.getSource().getType()).getRank());
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
    Value strides = storeNumbers(stridesOf(launch), first);
    Value symbols = storeNumbers(getAsOpFoldResult(launch.getSymbols()), first);
    Value work = launch.getWork() ? value(OpFoldResult(launch.getWork())) : constant(1);
    callAndCheck(Call::launch, {constant32(layout.launches.lookup(launch)), buffers, strides, symbols, work,
                                /*scratch bytes=*/constant(0), /*grain=*/constant(1)});
    return success();
  }

  LogicalResult emitCopy(CopyOp copy) {
    auto type = cast<MemRefType>(copy.getSource().getType());
    unsigned bits = storageBits(type.getElementType());
    if (bits % 8 != 0)
      return copy.emitOpError() << "can't copy elements of " << type.getElementType() << ", which share bytes";
    int64_t first = 0;
    Value sizes = storeNumbers(layout.extentsOf(copy.getSource()), first);
    Value sourceStrides = storeNumbers(layout.stridesOf(copy.getSource()), first);
    Value destinationStrides = storeNumbers(layout.stridesOf(copy.getDestination()), first);
    callAndCheck(Call::copy, {address(copy.getDestination()), destinationStrides, address(copy.getSource()),
                              sourceStrides, sizes, constant(type.getRank()), constant(bits / 8)});
    return success();
  }

  /// Kernels take rows of inputs and outputs one after the other: anything else that the caller bound is refused.
  void checkRows(StorageOp storage) {
    bool isInput = storage.getKind() == StorageKind::input;
    SmallVector<OpFoldResult> sizes = storage.getMixedSizes(), strides = layout.stridesOf(storage);
    if (sizes.size() < 2 || !checked.insert({isInput, storage.getNumber()}).second)
      return;
    Value actual = load(pointer, field(isInput ? Field::inputStrides : Field::outputStrides), storage.getNumber());
    Value wrong;
    for (size_t d = 0; d + 1 < sizes.size(); ++d) {
      Value differs = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, load(i64, actual, d), value(strides[d]));
      // The stride of a size below 2 is never used.
      Value counts = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sgt, value(sizes[d]), constant(1));
      Value both = LLVM::AndOp::create(builder, loc, differs, counts);
      wrong = wrong ? Value(LLVM::OrOp::create(builder, loc, wrong, both)) : both;
    }
    auto &metadata = layout.metadata;
    int64_t code = TENON_CODE_MESSAGE + metadata.messages.size();
    metadata.messages.push_back((isInput ? "input '" + metadata.inputs[storage.getNumber()].name
                                         : "output '" + metadata.outputs[storage.getNumber()].name) +
                                "' is bound with gaps between its rows, which this model does not take");
    Value number = LLVM::SelectOp::create(builder, loc, wrong, constant32(code), constant32(0));
    callAndCheck(Call::check, {constant32(-1), number, constant(0), constant(0)});
  }

  ProgramLayout &layout;
  OpBuilder &builder;
  Location loc;
  Type pointer, i32, i64;
  Value context, functions, slots, buffers, numbers;
  Block *exit = nullptr;
  llvm::DenseSet<std::pair<unsigned, uint64_t>> checked;
};
} // namespace

LogicalResult tenon::host::emitExecute(ProgramLayout &layout, OpBuilder &builder) {
  ExecuteEmitter emitter(layout, builder);
  if (failed(emitter.emitExecute()))
    return failure();
  emitter.emitRun();
  return success();
}
