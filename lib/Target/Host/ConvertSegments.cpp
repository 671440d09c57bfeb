//===- ConvertSegments.cpp - The functions that execute segments ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionBuilder.h"

#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Runtime/tenon.h"
#include "tenon/Runtime/tenon_device.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using abi::HostFunction;

namespace {
/// Converts the ops of a segment.
class SegmentConverter : FunctionBuilder {
public:
  SegmentConverter(ProgramLayout &layout, unsigned number, OpBuilder &builder)
      : FunctionBuilder(layout, builder, layout.main.getLoc()), segment(layout.segments[number]) {}

  LogicalResult convert() {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Operation *> all = segment.ops();
    ArrayRef<Operation *> ops = all;
    std::string name = "execute_" + std::to_string(segment.plan.getNumber());
    SmallVector<LLVM::LLVMFuncOp> parts;
    for (bool isFirst = true; isFirst || !ops.empty(); isFirst = false) {
      ArrayRef<Operation *> part = ops.take_front(ProgramLayout::kOpsPerFunction);
      ops = ops.drop_front(part.size());
      std::string partName = isFirst && ops.empty() ? name : name + "_part_" + std::to_string(parts.size());
      parts.push_back(beginExecute(partName));
      allocateArrays(part);
      if (failed(convertPart(part, /*isLast=*/ops.empty())))
        return failure();
      builder.setInsertionPointAfter(parts.back());
    }
    return parts.size() == 1 ? success() : callAll(parts, name);
  }

private:
  LLVM::LLVMFuncOp beginExecute(StringRef name) {
    auto function = LLVM::LLVMFuncOp::create(builder, loc, name, LLVM::LLVMFunctionType::get(i32, {pointer, pointer}));
    begin(function);
    slots = function.getArgument(1);
    return function;
  }

  LogicalResult convertPart(ArrayRef<Operation *> ops, bool isLast) {
    for (Operation *op : ops) {
      if (failed(FunctionBuilder::convert(op)))
        return failure();
      for (Value result : op->getResults())
        keep(result);
    }
    // What is yielded is an op's, but for what comes from outside.
    if (isLast)
      for (Value value : segment.op.getBody().front().getTerminator()->getOperands())
        if (value.getParentBlock() != &segment.op.getBody().front())
          keep(value);
    return finish();
  }

  LogicalResult callAll(ArrayRef<LLVM::LLVMFuncOp> parts, StringRef name) {
    beginExecute(name);
    for (LLVM::LLVMFuncOp part : parts) {
      part.setLinkage(LLVM::Linkage::Internal);
      returnUnlessZero(LLVM::CallOp::create(builder, loc, part, {context, slots}).getResult());
    }
    return finish();
  }

  /// Leaves a number for later functions.
  void keep(Value value) {
    if (std::optional<unsigned> place = layout.placeOf(value))
      LLVM::StoreOp::create(builder, loc, widened(number(value)), element(i64, field(ContextField::values), *place));
  }

  /// From the plan, or from an earlier function.
  Value outsideNumber(Value value) override {
    if (value.getDefiningOp() == segment.plan)
      return narrowed(load(i64, slots, cast<OpResult>(value).getResultNumber()), value.getType());
    if (std::optional<unsigned> place = layout.placeOf(insideOf(value)))
      return narrowed(load(i64, field(ContextField::values), *place), value.getType());
    return {};
  }

  //===--------------------------------------------------------------------===//
  // Buffers
  //===--------------------------------------------------------------------===//

  Type valueType() {
    return LLVM::LLVMStructType::getLiteral(builder.getContext(), abi::typesOf<Type>(abi::kValue, pointer, i32, i64));
  }

  static SmallVector<OpFoldResult> extentsOf(Value buffer) {
    if (auto view = buffer.getDefiningOp<ViewOp>())
      return view.getMixedSizes();
    return insideOf(buffer).getDefiningOp<StorageOp>().getMixedSizes();
  }

  /// Strides that plans compute are those of views; others follow from sizes that are static.
  SmallVector<OpFoldResult> stridesOf(Value buffer) {
    if (auto view = buffer.getDefiningOp<ViewOp>())
      return view.getMixedStrides();
    SmallVector<OpFoldResult> strides;
    uint64_t stride = 1;
    for (int64_t size : llvm::reverse(cast<MemRefType>(buffer.getType()).getShape())) {
      strides.insert(strides.begin(), builder.getIndexAttr(stride));
      stride *= size;
    }
    return strides;
  }

  Value bytesFrom(Value base, Value bytes) {
    return LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), base, ArrayRef<LLVM::GEPArg>{bytes});
  }

  /// Where the first element of a buffer is.
  Value address(Value buffer) {
    if (auto view = buffer.getDefiningOp<ViewOp>()) {
      Value base = address(view.getSource());
      StorageFormat format(cast<MemRefType>(view.getType()).getElementType());
      OpFoldResult offset = view.getMixedOffsets().front();
      if (getConstantIntValue(offset) == 0)
        return base;
      Value scaled = LLVM::MulOp::create(builder, loc, number(offset),
                                         constant(format.sharesBytes() ? format.getBits() : format.getBytes()));
      if (format.sharesBytes())
        scaled = LLVM::LShrOp::create(builder, loc, scaled, constant(3));
      return bytesFrom(base, scaled);
    }
    auto storage = cast<StorageOp>(insideOf(buffer).getDefiningOp());
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
  // Operations
  //===--------------------------------------------------------------------===//

  LogicalResult convertOther(Operation *op) override {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        // They name buffers.
        .Case<StorageOp, ViewOp, SlotOp>([](auto) { return success(); })
        .Case<LaunchOp, CopyOp, CallOp, AsyncOp, AwaitOp, ReadScalarOp, WriteScalarOp, ExchangeOp, CheckEqualOp,
              CheckAtMostOp, CheckRowsOp>([&](auto op) { return convertOp(op); })
        .Default([](Operation *op) { return op->emitOpError("has no place in the host program"); });
  }

  Value scalarAddress(Value buffer, int64_t position) {
    unsigned bits = StorageFormat(cast<MemRefType>(buffer.getType()).getElementType()).getBits();
    return bytesFrom(address(buffer), constant(position * bits / 8));
  }

  LogicalResult convertOp(ReadScalarOp read) {
    define(read.getResult(), valueOf(read));
    return success();
  }

  Value valueOf(ReadScalarOp read) {
    Type element = cast<MemRefType>(read.getSource().getType()).getElementType();
    Type stored = builder.getIntegerType(StorageFormat(element).getBits());
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

  LogicalResult convertOp(WriteScalarOp write) {
    Type element = cast<MemRefType>(write.getDestination().getType()).getElementType();
    Type stored = builder.getIntegerType(StorageFormat(element).getBits());
    Value result = number(write.getValue());
    unsigned width = cast<IntegerType>(result.getType()).getWidth(), target = StorageFormat(element).getBits();
    if (width < target)
      result = LLVM::ZExtOp::create(builder, loc, stored, result);
    else if (width > target)
      result = LLVM::TruncOp::create(builder, loc, stored, result);
    LLVM::StoreOp::create(builder, loc, result, scalarAddress(write.getDestination(), write.getPosition()));
    return success();
  }

  LogicalResult convertOp(ExchangeOp exchange) {
    auto numberOf = [&](Value buffer) { return constant32(storageOf(buffer).getNumber()); };
    callAndCheck(HostFunction::exchange, {numberOf(exchange.getFirst()), numberOf(exchange.getSecond())});
    return success();
  }

  LogicalResult convertOp(CheckEqualOp check) {
    return checkNumbers(check, LLVM::ICmpPredicate::ne, check.getActual(), check.getExpected(), check.getMessage());
  }

  LogicalResult convertOp(CheckAtMostOp check) {
    return checkNumbers(check, LLVM::ICmpPredicate::sgt, check.getActual(), check.getLimit(), check.getMessage());
  }

  /// Ends the run where two numbers compare so.
  LogicalResult checkNumbers(Operation *op, LLVM::ICmpPredicate isWrong, Value first, Value second, StringRef what) {
    Value actual = number(first), limit = number(second);
    checkThat(LLVM::ICmpOp::create(builder, loc, isWrong, actual, limit), messageAt(op->getLoc(), what), actual, limit);
    return success();
  }

  /// Ends the run with a message where the condition, an i1, holds.
  void checkThat(Value wrong, const std::string &message, Value actual, Value limit) {
    Value number = LLVM::SelectOp::create(builder, loc, wrong, constant32(layout.codeOf(message)), constant32(0));
    callAndCheck(HostFunction::check, {constant32(-1), number, actual, limit});
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
      auto type = dyn_cast<MemRefType>(buffer.getType());
      auto strided = type ? dyn_cast<StridedLayoutAttr>(type.getLayout()) : StridedLayoutAttr();
      if (!strided)
        continue;
      for (auto [stride, actual] : llvm::zip(strided.getStrides(), stridesOf(buffer)))
        if (ShapedType::isDynamic(stride))
          result.push_back(actual);
    }
    return result;
  }

  /// Stores values from place `first` on, and gives the address of the first.
  Value storeNumbers(ArrayRef<OpFoldResult> sizes, int64_t &first) {
    Value start = element(i64, numbers, first);
    for (OpFoldResult size : sizes)
      LLVM::StoreOp::create(builder, loc, number(size), element(i64, numbers, first++));
    return start;
  }

  LogicalResult convertOp(LaunchOp launch) {
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
    artifact::KernelInfo &kernel =
        layout.metadata.kernels[layout.metadata.launches[layout.launches.lookup(launch)].kernel];
    kernel.symbolCount = launch.getSymbols().size();
    kernel.strideCount = dynamicStrides.size();
    Value which = constant32(layout.launches.lookup(launch));
    if (DeviceAttr device = deviceOf(launch.getOperation())) {
      callDevice(HostFunction::deviceLaunch, device, launch, {which, buffers, constant32(place), strides, symbols});
      return success();
    }
    callAndCheck(HostFunction::launch, {which, buffers, strides, symbols});
    return success();
  }

  /// A `tenon_value` for a buffer: what it points to stands in `numbers` from `first` on.
  Value describe(Value buffer, int64_t place, int64_t &first) {
    if (auto slot = insideOf(buffer).getDefiningOp<SlotOp>())
      return load(pointer, field(ContextField::held), layout.placeOf(slot));
    auto type = cast<MemRefType>(buffer.getType());
    Value shape = storeNumbers(extentsOf(buffer), first);
    Value strides = storeNumbers(stridesOf(buffer), first);
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

  LogicalResult convertOp(CallOp call) {
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

  LogicalResult convertOp(AsyncOp async) { return FunctionBuilder::convert(&async.getOperationInside()); }

  LogicalResult convertOp(AwaitOp wait) {
    emitAwait(wait.getTokens());
    return success();
  }

  /// Asks a device for an operation: within `tenon_host.async` the program goes on, else it waits.
  void callDevice(HostFunction which, DeviceAttr device, Operation *op, ArrayRef<Value> arguments) {
    auto async = dyn_cast<AsyncOp>(op->getParentOp());
    SmallVector<Value> elsewhere;
    SmallVector<int32_t> after;
    int32_t token = layout.tokenCount++;
    if (async) {
      layout.tokens[async.getToken()] = {device, token};
      for (Value dependency : async.getDependencies()) {
        auto [other, number] = layout.tokens.lookup(insideOf(dependency));
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
      auto [device, number] = layout.tokens.lookup(insideOf(token));
      byDevice[device].push_back(number);
    }
    for (auto &[device, numbers] : byDevice)
      emitAwait(device, numbers);
  }

  LogicalResult convertOp(CopyOp copy) {
    auto type = cast<MemRefType>(copy.getSource().getType());
    StorageFormat format(type.getElementType());
    bool isWhole =
        type.getLayout().isIdentity() && cast<MemRefType>(copy.getDestination().getType()).getLayout().isIdentity();
    if (format.sharesBytes() && !isWhole)
      return copy.emitError() << "can't copy elements of " << type.getElementType() << ", which share bytes";
    int64_t first = 0;
    Value sizes, sourceStrides, destinationStrides;
    if (format.sharesBytes()) {
      // All of them are a row of bytes.
      Value bits = constant(format.getBits());
      for (OpFoldResult extent : extentsOf(copy.getSource()))
        bits = LLVM::MulOp::create(builder, loc, bits, number(extent));
      Value rounded = LLVM::AddOp::create(builder, loc, bits, constant(7));
      sizes = element(i64, numbers, 0);
      sourceStrides = destinationStrides = element(i64, numbers, 1);
      LLVM::StoreOp::create(builder, loc, LLVM::UDivOp::create(builder, loc, rounded, constant(8)), sizes);
      LLVM::StoreOp::create(builder, loc, constant(1), sourceStrides);
    } else {
      sizes = storeNumbers(extentsOf(copy.getSource()), first);
      sourceStrides = storeNumbers(stridesOf(copy.getSource()), first);
      destinationStrides = storeNumbers(stridesOf(copy.getDestination()), first);
    }
    SmallVector<Value> arguments = {address(copy.getDestination()),
                                    destinationStrides,
                                    address(copy.getSource()),
                                    sourceStrides,
                                    sizes,
                                    constant(format.sharesBytes() ? 1 : type.getRank()),
                                    constant(std::max(format.getBytes(), 1u))};
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

  /// Kernels take rows of inputs and outputs one after the other: anything else that the caller bound is refused.
  LogicalResult convertOp(CheckRowsOp check) {
    bool isInput = check.getKind() == StorageKind::input;
    auto &known = isInput ? layout.metadata.inputs : layout.metadata.outputs;
    if ((size_t)check.getNumber() >= known.size() ||
        known[check.getNumber()].dims.size() != check.getMixedSizes().size())
      return check.emitOpError() << "has no such " << stringifyStorageKind(check.getKind());
    Value actual =
        load(pointer, field(isInput ? ContextField::inputStrides : ContextField::outputStrides), check.getNumber());
    SmallVector<OpFoldResult> sizes = check.getMixedSizes();
    Value wrong;
    for (auto [d, stride] : llvm::enumerate(check.getMixedStrides())) {
      Value differs = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::ne, load(i64, actual, d), number(stride));
      // The stride of a size below 2 is never used.
      Value counts = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sgt, number(sizes[d]), constant(1));
      Value both = LLVM::AndOp::create(builder, loc, differs, counts);
      wrong = wrong ? Value(LLVM::OrOp::create(builder, loc, wrong, both)) : both;
    }
    if (!wrong)
      return success();
    for (OpFoldResult size : sizes)
      if (!getConstantIntValue(size) || isZeroInteger(size))
        wrong = LLVM::AndOp::create(
            builder, loc, wrong,
            LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::sgt, number(size), constant(0)));
    checkThat(wrong,
              stringifyStorageKind(check.getKind()).str() + " '" + known[check.getNumber()].name +
                  "' is bound with gaps between its rows, which this model does not take",
              constant(0), constant(0));
    return success();
  }

  ProgramLayout::Segment &segment;
  Value descriptions; ///< of buffers that functions from outside are called with
  Value slots, buffers, numbers, tokens;
};
} // namespace

LogicalResult tenon::host::convertSegment(ProgramLayout &layout, unsigned segment, OpBuilder &builder) {
  return SegmentConverter(layout, segment, builder).convert();
}
