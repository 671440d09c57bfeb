//===- ProgramLayout.cpp - Number what the functions of a host program agree on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Artifact/MetadataView.h"
#include "tenon/Dialect/Host/Analysis/ConstantBuffers.h"
#include "tenon/Dialect/Tenon/IR/OutputKeys.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Runtime/tenon_kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using artifact::Dim;
using artifact::DType;

DType tenon::host::dtypeOf(Type element) {
  if (element.isIndex())
    return DType::I64;
  int32_t number = isa<ComplexType, StringType>(element) ? 0 : dataTypeOf(element);
  return number <= int32_t(DType::I2) ? DType(number) : DType::Undefined;
}

void tenon::host::collectNames(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    if (!llvm::is_contained(names, name.getName().getValue()))
      names.push_back(name.getName().getValue());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  } else if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    collectNames(call.getCallee(), names);
  }
}

std::string tenon::host::messageAt(Location loc, StringRef what) {
  SmallVector<StringRef> names;
  collectNames(loc, names);
  return names.empty() ? what.str() : "node '" + llvm::join(names, ", ") + "': " + what.str();
}

int32_t ProgramLayout::codeOf(const std::string &message) {
  auto known = llvm::find(metadata.messages, message);
  int32_t code = TENON_CODE_MESSAGE + int32_t(known - metadata.messages.begin());
  if (known == metadata.messages.end())
    metadata.messages.push_back(message);
  return code;
}

SmallVector<Operation *> ProgramLayout::Segment::ops() const {
  SegmentOp segment = op;
  return llvm::to_vector(llvm::make_pointer_range(segment.getBody().front().without_terminator()));
}

unsigned ProgramLayout::deviceNumber(DeviceAttr device) {
  auto it = llvm::find(metadata.devices, device.getName());
  if (it == metadata.devices.end())
    it = metadata.devices.insert(it, device.getName().str());
  return it - metadata.devices.begin();
}

LogicalResult ProgramLayout::build() {
  if (failed(findSegments()) || failed(addInputs()) || failed(addSymbols()))
    return failure();
  metadata.segments.resize(segments.size());
  for (unsigned i = 0; i < segments.size(); ++i)
    if (failed(addSegment(i)))
      return failure();
  for (auto &[number, storage] : outputs)
    if (failed(addOutput(storage)))
      return failure();
  if (failed(checkOutputs()))
    return failure();
  extendLives();
  findConstantReads();
  metadata.constants.resize(constants.size());
  for (auto [info, devices] : llvm::zip(metadata.constants, constantDevices))
    info.devices = devices;
  // Numbers that loops and branches give are no values, but plans take them: readers want room for as many.
  metadata.valueCount = values.size();
  for (Segment &segment : segments)
    metadata.valueCount = std::max<uint32_t>(metadata.valueCount, segment.plan.getData().size());
  return success();
}

/// Segments are numbered in order, each planned right before it.
LogicalResult ProgramLayout::findSegments() {
  llvm::DenseMap<uint64_t, PlanOp> plans;
  WalkResult result = main.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto plan = dyn_cast<PlanOp>(op); plan && !plans.try_emplace(plan.getNumber(), plan).second)
      return plan.emitOpError() << "is a second plan of segment " << plan.getNumber(), WalkResult::interrupt();
    auto segment = dyn_cast<SegmentOp>(op);
    if (!segment)
      return WalkResult::advance();
    if (segment.getNumber() != segments.size())
      return segment.emitOpError() << "expects to be segment " << segments.size(), WalkResult::interrupt();
    PlanOp plan = plans.lookup(segment.getNumber());
    if (!plan || plan->getBlock() != segment->getBlock())
      return segment.emitOpError("expects a plan before it"), WalkResult::interrupt();
    auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(plan, plan.getFunctionAttr());
    if (!function || function.isExternal())
      return plan.emitOpError() << "is computed by " << plan.getFunctionAttr() << ", which has no body",
             WalkResult::interrupt();
    segments.push_back({segment, plan, function, segment->getParentOp() == main});
    return WalkResult::advance();
  });
  if (!result.wasInterrupted() && plans.size() != segments.size())
    return main.emitOpError() << "has " << plans.size() << " plans, but " << segments.size() << " segments";
  return failure(result.wasInterrupted());
}

LogicalResult ProgramLayout::addSegment(unsigned number) {
  Segment &segment = segments[number];
  metadata.segments[number].symbolCount = metadata.symbols.size() + segment.plan.getData().size();
  metadata.segments[number].slotCount = segment.plan.getNumResults();
  for (Operation *op : segment.ops())
    if (op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
            return failed(addOp(inner, number)) ? WalkResult::interrupt() : WalkResult::advance();
          }).wasInterrupted())
      return failure();
  addValues(segment);
  return success();
}

LogicalResult ProgramLayout::addOp(Operation *op, unsigned segment) {
  if (auto storage = dyn_cast<StorageOp>(op))
    return addStorage(storage, segment);
  if (auto slot = dyn_cast<SlotOp>(op))
    return addSlot(slot);
  if (auto launch = dyn_cast<LaunchOp>(op))
    addLaunch(launch);
  if (auto call = dyn_cast<CallOp>(op))
    addCall(call);
  return success();
}

/// Numbers that later segments, or later functions of a long segment, take.
void ProgramLayout::addValues(const Segment &segment) {
  auto add = [&](Value value) {
    if (value.getType().isIntOrIndex())
      values.try_emplace(value, values.size());
  };
  SegmentOp op = segment.op;
  Block &body = op.getBody().front();
  for (Value value : body.getTerminator()->getOperands())
    add(value);
  SmallVector<Operation *> ops = segment.ops();
  if (ops.size() <= kOpsPerFunction)
    return;
  DenseMap<Operation *, size_t> parts;
  for (auto [i, op] : llvm::enumerate(ops))
    parts[op] = i / kOpsPerFunction;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            Operation *around = body.findAncestorOpInBlock(*user);
            return around && parts.lookup(around) != parts.lookup(op);
          }))
        add(result);
}

std::optional<unsigned> ProgramLayout::placeOf(Value number) const {
  auto place = values.find(number);
  return place == values.end() ? std::nullopt : std::optional(place->second);
}

LogicalResult ProgramLayout::addStorage(StorageOp storage, unsigned segment) {
  if (DeviceAttr device = deviceOf(storage.getResult()); device && deviceNumber(device) >= artifact::kMaxDevices)
    return storage.emitOpError() << "is on one of more than " << artifact::kMaxDevices << " devices";
  switch (storage.getKind()) {
  case StorageKind::input:
    return success();
  case StorageKind::output:
    outputs[storage.getNumber()] = storage;
    return success();
  case StorageKind::arena:
    return addArena(storage, segment);
  case StorageKind::constant:
    return addConstant(storage);
  case StorageKind::growing:
    metadata.growingCount = std::max<uint32_t>(metadata.growingCount, storage.getNumber() + 1);
    return failure(failed(bytesOf(storage, segment)));
  }
  llvm_unreachable("the verifier knows all kinds");
}

LogicalResult ProgramLayout::addConstant(StorageOp storage) {
  auto value = dyn_cast_if_present<TypedAttr>(storage.getValueAttr());
  if (!value)
    return storage.emitOpError("expects a constant's elements");
  if (constants.size() <= (size_t)storage.getNumber())
    constants.resize(storage.getNumber() + 1), constantDevices.resize(storage.getNumber() + 1);
  constants[storage.getNumber()] = value;
  if (DeviceAttr device = deviceOf(storage.getResult()))
    constantDevices[storage.getNumber()] |= 1u << deviceNumber(device);
  return success();
}

FailureOr<unsigned> ProgramLayout::bytesOf(StorageOp storage, unsigned segment) {
  auto bytes = dyn_cast_if_present<OpResult>(storage.getBytes());
  if (!bytes || bytes.getOwner() != segments[segment].plan)
    return storage.emitOpError("expects bytes that its segment's plan gives");
  return bytes.getResultNumber();
}

/// What a later segment reads stays as it is.
void ProgramLayout::extendLives() {
  for (auto [number, segment] : llvm::enumerate(segments))
    for (Operation *op : segment.ops())
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands()) {
          auto place = isa<MemRefType>(operand.getType()) ? arenas.find(storageOf(operand)) : arenas.end();
          if (place != arenas.end() && place->second.segment < number)
            metadata.segments[place->second.segment].buffers[place->second.number].lastLaunch = INT32_MAX;
        }
      });
}

FailureOr<artifact::TensorInfo> ProgramLayout::describe(Operation *op, StringRef name, Type type) {
  artifact::TensorInfo info;
  info.name = name.str();
  while (isa<SequenceType, OptionalType>(type)) {
    if (info.kind == artifact::ValueKind::Tensor)
      info.kind = isa<SequenceType>(type) ? artifact::ValueKind::Sequence : artifact::ValueKind::Optional;
    auto sequence = dyn_cast<SequenceType>(type);
    type = sequence ? sequence.getElementType() : cast<OptionalType>(type).getElementType();
  }
  Type element = getElementTypeOrSelf(type);
  info.dtype = isa<StringType>(element) ? DType::String : dtypeOf(element);
  if (info.dtype == DType::Undefined)
    return op->emitOpError() << "has elements of " << element << ", which no input or output can have";
  return info;
}

void ProgramLayout::addInputDims(artifact::TensorInfo &info, ArrayRef<OpFoldResult> sizes) {
  for (auto [d, size] : llvm::enumerate(sizes)) {
    if (std::optional<int64_t> fixed = getConstantIntValue(size)) {
      info.dims.push_back(Dim::fixed(*fixed));
      continue;
    }
    auto symbol = cast<Value>(size).getDefiningOp<SymbolOp>();
    std::string name = symbol ? symbol.getName().str() : info.name + "." + std::to_string(d);
    auto [it, inserted] = symbols.try_emplace(name, metadata.symbols.size());
    if (inserted)
      metadata.symbols.push_back({name, artifact::SymbolInfo::InputDim, uint32_t(metadata.inputs.size()), uint32_t(d)});
    info.dims.push_back(Dim::symbol(it->second));
  }
}

template <typename Op> LogicalResult ProgramLayout::addInput(Op place, Type type) {
  size_t number = place.getNumber();
  if (number != metadata.inputs.size())
    return place.emitOpError() << "expects to be input " << metadata.inputs.size();
  auto info = describe(place, place.getName().value_or("input" + std::to_string(number)), type);
  if (failed(info))
    return failure();
  addInputDims(*info, place.getMixedSizes());
  metadata.inputs.push_back(std::move(*info));
  return success();
}

LogicalResult ProgramLayout::addInputs() {
  for (const Segment &segment : segments)
    for (Operation *op : segment.isTop ? segment.ops() : SmallVector<Operation *>()) {
      auto storage = dyn_cast<StorageOp>(op);
      auto slot = dyn_cast<SlotOp>(op);
      if ((storage && storage.getKind() == StorageKind::input && failed(addInput(storage, storage.getType()))) ||
          (slot && slot.getKind() == StorageKind::input && failed(addInput(slot, slot.getType().getType()))))
        return failure();
    }
  return success();
}

/// Values of the program's own are counted; outputs are described.
LogicalResult ProgramLayout::addSlot(SlotOp slot) {
  size_t number = slot.getNumber();
  if (slot.getKind() == StorageKind::arena)
    metadata.heldCount = std::max<uint32_t>(metadata.heldCount, number + 1);
  if (slot.getKind() != StorageKind::output)
    return success();
  if (metadata.outputs.size() <= number)
    metadata.outputs.resize(number + 1);
  Type type = slot.getType().getType();
  auto info = describe(slot, slot.getName().value_or("output" + std::to_string(number)), type);
  if (failed(info))
    return failure();
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    for (int64_t size : tensor.getShape())
      info->dims.push_back(ShapedType::isDynamic(size) ? Dim::unknown() : Dim::fixed(size));
  metadata.outputs[number] = std::move(*info);
  return success();
}

unsigned ProgramLayout::placeOf(SlotOp slot) {
  unsigned number = slot.getNumber();
  switch (slot.getKind()) {
  case StorageKind::input:
    return number;
  case StorageKind::output:
    return metadata.inputs.size() + number;
  default:
    return metadata.inputs.size() + metadata.outputs.size() + number;
  }
}

LogicalResult ProgramLayout::addSymbols() {
  for (SymbolOp symbol : main.getOps<SymbolOp>()) {
    auto it = symbols.find(symbol.getName());
    if (it == symbols.end()) {
      if (symbol.use_empty())
        continue;
      return symbol.emitOpError() << "'" << symbol.getName() << "' is the size of no input";
    }
    artifact::SymbolInfo &info = metadata.symbols[it->second];
    if (auto range = symbol.getRange()) {
      info.min = std::max(info.min, (*range)[0]);
      info.max = std::min(info.max, (*range)[1]);
    }
    if (auto divisor = symbol.getDivisible())
      info.divisor = std::lcm(info.divisor, *divisor);
  }
  for (BoundStrideOp stride : main.getOps<BoundStrideOp>()) {
    uint32_t input = stride.getInput(), dim = stride.getDim();
    if (input >= metadata.inputs.size() || dim >= metadata.inputs[input].dims.size())
      return stride.emitOpError("has no such input or dimension");
    if (strides.try_emplace({input, dim}, metadata.symbols.size()).second)
      metadata.symbols.push_back({metadata.inputs[input].name + ".stride" + std::to_string(dim),
                                  artifact::SymbolInfo::InputStride, input, dim, INT64_MIN});
  }
  for (IsAliasedOp alias : main.getOps<IsAliasedOp>()) {
    uint32_t input = alias.getInput(), output = alias.getOutput();
    if (input >= metadata.inputs.size())
      return alias.emitOpError("has no such input");
    if (!aliasBits.try_emplace({output, input}, metadata.symbols.size()).second)
      continue;
    metadata.symbols.push_back({metadata.inputs[input].name + ".aliased", artifact::SymbolInfo::Aliased, output, 0});
    metadata.aliases.push_back({output, input});
  }
  return success();
}

std::optional<unsigned> ProgramLayout::symbolOf(Operation *op) const {
  auto find = [](auto &table, auto key) {
    auto known = table.find(key);
    return known == table.end() ? std::nullopt : std::optional<unsigned>(known->second);
  };
  if (auto symbol = dyn_cast<SymbolOp>(op))
    return find(symbols, symbol.getName());
  if (auto stride = dyn_cast<BoundStrideOp>(op))
    return find(strides, std::pair(stride.getInput(), stride.getDim()));
  if (auto alias = dyn_cast<IsAliasedOp>(op))
    return find(aliasBits, std::pair(alias.getOutput(), alias.getInput()));
  auto size = dyn_cast<BoundSizeOp>(op);
  if (!size || size.getInput() >= metadata.inputs.size() ||
      size.getDim() >= metadata.inputs[size.getInput()].dims.size())
    return std::nullopt;
  const Dim &dim = metadata.inputs[size.getInput()].dims[size.getDim()];
  return dim.kind == Dim::Symbol ? std::optional<unsigned>(dim.value) : std::nullopt;
}

FailureOr<Dim> ProgramLayout::outputDim(StorageOp output, OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    if (auto symbol = value.getDefiningOp<SymbolOp>())
      return Dim::symbol(symbols.lookup(symbol.getName()));
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return Dim::fixed(*constant);
  // A segment that runs in every run says it.
  auto planned = cast<Value>(size).getDefiningOp<PlanOp>();
  if (planned && planned->getParentOp() == main)
    return Dim::slot(cast<OpResult>(cast<Value>(size)).getResultNumber(), planned.getNumber());
  return output.emitOpError("has a size that no segment of the program knows");
}

LogicalResult ProgramLayout::addOutput(StorageOp storage) {
  size_t number = storage.getNumber();
  auto type = cast<MemRefType>(storage.getType());
  if (metadata.outputs.size() <= number)
    metadata.outputs.resize(number + 1);
  auto described = describe(storage, storage.getName().value_or("output" + std::to_string(number)), type);
  if (failed(described))
    return failure();
  artifact::TensorInfo &info = metadata.outputs[number] = std::move(*described);
  for (Attribute key : keysOf(main->getParentOfType<ModuleOp>(), info.name)) {
    if (auto text = dyn_cast<StringAttr>(key))
      info.keys.push_back({true, text.str(), 0});
    else
      info.keys.push_back({false, "", cast<IntegerAttr>(key).getInt()});
  }
  for (OpFoldResult size : storage.getMixedSizes()) {
    FailureOr<Dim> dim = outputDim(storage, size);
    if (failed(dim))
      return failure();
    info.dims.push_back(*dim);
  }
  return success();
}

/// Each output that is counted has a place, and what may share a buffer is there.
LogicalResult ProgramLayout::checkOutputs() {
  for (auto [i, output] : llvm::enumerate(metadata.outputs))
    if (output.dtype == DType::Undefined)
      return main.emitOpError() << "has " << metadata.outputs.size() << " outputs, but output " << i << " has no place";
  for (IsAliasedOp alias : main.getOps<IsAliasedOp>())
    if (uint64_t(alias.getOutput()) >= metadata.outputs.size())
      return alias.emitOpError("has no such output");
  return success();
}

LogicalResult ProgramLayout::addArena(StorageOp storage, unsigned segment) {
  auto live = storage.getLive().value_or(ArrayRef<int64_t>());
  int32_t firstLaunch = live.empty() ? 0 : int32_t(live[0]), lastLaunch = live.empty() ? INT32_MAX : int32_t(live[1]);
  // Storages of one number in one memory are the same.
  auto [named, isNew] = arenaNames.try_emplace({storage.getNumber(), deviceOf(storage.getResult())}, storage);
  if (StorageOp before = named->second; !isNew) {
    if (before.getType() != storage.getType() || before.getMixedSizes() != storage.getMixedSizes())
      return storage.emitOpError() << "is arena buffer " << storage.getNumber() << " under other sizes than before";
    ArenaPlace place = arenas[storage] = arenas.lookup(before);
    auto &buffer = metadata.segments[place.segment].buffers[place.number];
    buffer.firstLaunch = std::min(buffer.firstLaunch, firstLaunch);
    buffer.lastLaunch = std::max(buffer.lastLaunch, lastLaunch);
    return success();
  }
  auto &buffers = metadata.segments[segment].buffers;
  arenas[storage] = {segment, unsigned(buffers.size())};
  FailureOr<unsigned> bytes = bytesOf(storage, segment);
  if (failed(bytes))
    return failure();
  DeviceAttr device = deviceOf(storage.getResult());
  buffers.push_back({*bytes, firstLaunch, lastLaunch, device ? deviceNumber(device) + 1 : 0});
  return success();
}

static std::string nodesOf(Operation *op) {
  SmallVector<StringRef> names;
  collectNames(op->getLoc(), names);
  return llvm::join(names, ", ");
}

void ProgramLayout::findConstantReads() {
  isReadElsewhere.resize(constants.size());
  launchOperands.resize(metadata.launches.size());
  auto readElsewhere = [&](Value value) {
    StorageOp storage = isa<MemRefType>(value.getType()) ? storageOf(value) : StorageOp();
    if (storage && storage.getKind() == StorageKind::constant)
      isReadElsewhere[storage.getNumber()] = true;
  };
  for (const Segment &segment : segments)
    for (Operation *op : segment.ops())
      op->walk([&](Operation *inner) {
        // What is read through a view, or in another segment, is seen there.
        if (isa<ViewOp>(inner))
          return;
        auto launch = dyn_cast<LaunchOp>(inner);
        if (!launch)
          return void(llvm::for_each(inner->getOperands(), readElsewhere));
        LaunchOperands &operands = launchOperands[launches.lookup(launch)];
        if (DeviceAttr device = deviceOf(launch.getOperation()))
          operands.device = deviceNumber(device);
        for (Value operand : launch.getIns()) {
          StorageOp constant = wholeConstant(operand);
          operands.constants.push_back(constant ? std::optional<unsigned>(constant.getNumber()) : std::nullopt);
          if (!operands.constants.back())
            readElsewhere(operand);
        }
      });
}

void ProgramLayout::addCall(CallOp call) {
  calls[call] = metadata.externals.size();
  metadata.externals.push_back({call.getLibrary().str(), call.getFunction().str(), nodesOf(call)});
}

void ProgramLayout::addLaunch(LaunchOp launch) {
  auto [it, inserted] = kernels.try_emplace(launch.getKernel(), metadata.kernels.size());
  if (inserted)
    metadata.kernels.push_back({launch.getKernel().str()});
  launches[launch] = metadata.launches.size();
  metadata.launches.push_back({it->second, nodesOf(launch)});
}
