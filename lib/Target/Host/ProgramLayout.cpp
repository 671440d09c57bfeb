//===- ProgramLayout.cpp - Number what the functions of a host program agree on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramLayout.h"

#include "tenon/Artifact/MetadataView.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Runtime/tenon_kernel.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;
using artifact::Dim;
using artifact::DType;

DType tenon::host::dtypeOf(Type element) {
  if (element.isF32())
    return DType::F32;
  if (element.isF64())
    return DType::F64;
  if (element.isF16())
    return DType::F16;
  if (element.isBF16())
    return DType::BF16;
  if (isa<Float8E4M3FNType>(element))
    return DType::F8E4M3FN;
  if (isa<Float8E4M3FNUZType>(element))
    return DType::F8E4M3FNUZ;
  if (isa<Float8E5M2Type>(element))
    return DType::F8E5M2;
  if (isa<Float8E5M2FNUZType>(element))
    return DType::F8E5M2FNUZ;
  if (isa<Float4E2M1FNType>(element))
    return DType::F4E2M1;
  if (element.isIndex())
    return DType::I64;
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return DType::Undefined;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return DType::Bool;
  case 4:
    return isUnsigned ? DType::U4 : DType::I4;
  case 8:
    return isUnsigned ? DType::U8 : DType::I8;
  case 16:
    return isUnsigned ? DType::U16 : DType::I16;
  case 32:
    return isUnsigned ? DType::U32 : DType::I32;
  case 64:
    return isUnsigned ? DType::U64 : DType::I64;
  default:
    return DType::Undefined;
  }
}

unsigned tenon::host::storageBits(Type element) {
  if (element.isIndex())
    return 64;
  if (element.isInteger(1))
    return 8;
  if (auto complex = dyn_cast<ComplexType>(element))
    return 2 * storageBits(complex.getElementType());
  return element.getIntOrFloatBitWidth();
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

ProgramLayout::Size ProgramLayout::sizeOf(OpFoldResult value, unsigned segment) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return {constant, std::nullopt};
  std::optional<unsigned> from = knownFrom(cast<Value>(value));
  if (!from || *from > segment)
    return {};
  Segment &place = segments[segment];
  auto [it, inserted] = place.slots.try_emplace(cast<Value>(value), place.slotCount);
  if (inserted)
    ++place.slotCount;
  return {std::nullopt, it->second};
}

std::optional<unsigned> ProgramLayout::knownFrom(Value value) {
  if (auto it = known.find(value); it != known.end())
    return it->second;
  std::optional<unsigned> result;
  Operation *op = value.getDefiningOp();
  if (auto it = dataFrom.find(value); it != dataFrom.end()) {
    result = it->second;
  } else if (op && op->getNumRegions() == 0 && (isa<SymbolOp>(op) || isMemoryEffectFree(op))) {
    // Divisions too, which are not pure where they divide by a number that may be zero.
    result = 0;
    for (Value operand : op->getOperands()) {
      std::optional<unsigned> from = knownFrom(operand);
      result = result && from ? std::optional(std::max(*result, *from)) : std::nullopt;
    }
  }
  return known[value] = result;
}

/// Whether a loop or branch has segments inside.
static bool isOpen(Operation *op) {
  return (isa<scf::IfOp>(op) && op->getNumResults() != 0) ||
         (isa<scf::IfOp, scf::WhileOp>(op) &&
          op->walk([](StorageOp) { return WalkResult::interrupt(); }).wasInterrupted());
}

void ProgramLayout::addData(ValueRange values, unsigned from) {
  for (Value value : values) {
    data.insert({value, data.size()});
    dataFrom[value] = from;
  }
}

/// Assigns each op of a block to a segment.
std::vector<ProgramLayout::Step> ProgramLayout::cut(Block &block) {
  std::vector<Step> steps;
  bool isTop = block.getParentOp() == main, begun = false;
  auto begin = [&] {
    steps.push_back({unsigned(segments.size()), nullptr, {}});
    segments.emplace_back();
    segments.back().runsOnce = isTop;
    begun = true;
  };
  // The first segment checks what is bound.
  if (isTop)
    begin();
  for (Operation &op : block) {
    if (isOpen(&op)) {
      steps.push_back(cutFlow(&op));
      begun = false;
      continue;
    }
    // Arithmetic is computed where it is used.
    if (op.hasTrait<OpTrait::IsTerminator>() || isa_and_present<arith::ArithDialect, affine::AffineDialect>(op.getDialect()))
      continue;
    auto storage = dyn_cast<StorageOp>(op);
    if (!begun || (storage && llvm::any_of(storage.getSizes(), [&](Value size) {
                     return knownFrom(size).value_or(0) >= segments.size();
                   })))
      begin();
    segments.back().ops.push_back(&op);
    if (isa<ReadScalarOp, scf::WhileOp>(op))
      addData(op.getResults(), segments.size());
  }
  return steps;
}

ProgramLayout::Step ProgramLayout::cutFlow(Operation *op) {
  Step step;
  step.flow = op;
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    addData(loop.getBeforeArguments(), segments.size());
    addData(loop.getAfterArguments(), segments.size());
    step.bodies.push_back(cut(*loop.getAfterBody()));
  } else {
    for (Region &region : op->getRegions())
      step.bodies.push_back(region.empty() ? std::vector<Step>() : cut(region.front()));
  }
  addData(op->getResults(), segments.size());
  return step;
}

SmallVector<OpFoldResult> ProgramLayout::extentsOf(Value buffer) {
  if (auto view = buffer.getDefiningOp<ViewOp>())
    return view.getMixedSizes();
  return cast<StorageOp>(buffer.getDefiningOp()).getMixedSizes();
}

SmallVector<OpFoldResult> ProgramLayout::stridesOf(Value buffer) {
  if (auto view = buffer.getDefiningOp<ViewOp>())
    return view.getMixedStrides();
  if (auto storage = buffer.getDefiningOp<StorageOp>(); storage && !storage.getStrides().empty()) {
    SmallVector<OpFoldResult> bound = getAsOpFoldResult(storage.getStrides());
    bound.push_back(OpBuilder(main.getContext()).getIndexAttr(1));
    return bound;
  }
  SmallVector<OpFoldResult> extents = extentsOf(buffer), strides(extents.size());
  OpBuilder builder(main.getContext());
  builder.setInsertionPointAfterValue(buffer);
  OpFoldResult stride = builder.getIndexAttr(1);
  for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
    strides[i] = stride;
    std::optional<int64_t> left = getConstantIntValue(stride), right = getConstantIntValue(extents[i]);
    int64_t product;
    if (left && right && !llvm::MulOverflow(*left, *right, product)) {
      stride = builder.getIndexAttr(product);
    } else {
      auto value = [&](OpFoldResult part) { return getValueOrCreateConstantIndexOp(builder, buffer.getLoc(), part); };
      stride = arith::MulIOp::create(builder, buffer.getLoc(), value(stride), value(extents[i])).getResult();
    }
  }
  return strides;
}

bool ProgramLayout::keepsData() const {
  return segments.size() > 1 || segments.front().ops.size() > kOpsPerFunction;
}

unsigned ProgramLayout::deviceNumber(DeviceAttr device) {
  auto it = llvm::find(metadata.devices, device.getName());
  if (it == metadata.devices.end())
    it = metadata.devices.insert(it, device.getName().str());
  return it - metadata.devices.begin();
}

LogicalResult ProgramLayout::build() {
  steps = cut(main.getBody().front());
  for (Operation &op : main.getBody().front()) {
    auto storage = dyn_cast<StorageOp>(op);
    auto slot = dyn_cast<SlotOp>(op);
    if ((storage && storage.getKind() == StorageKind::input && failed(addInput(storage, storage.getType()))) ||
        (slot && slot.getKind() == StorageKind::input && failed(addInput(slot, slot.getType().getType()))))
      return failure();
  }
  if (failed(addSymbols()))
    return failure();
  metadata.segments.resize(segments.size());
  for (auto [segment, place] : llvm::enumerate(segments))
    for (Operation *op : place.ops) {
      WalkResult result = op->walk<WalkOrder::PreOrder>([&](Operation *inner) {
        if (auto storage = dyn_cast<StorageOp>(inner))
          return failed(addStorage(storage, segment)) ? WalkResult::interrupt() : WalkResult::advance();
        if (auto slot = dyn_cast<SlotOp>(inner))
          return failed(addSlot(slot)) ? WalkResult::interrupt() : WalkResult::advance();
        if (auto launch = dyn_cast<LaunchOp>(inner)) {
          addLaunch(launch);
        } else if (auto call = dyn_cast<CallOp>(inner)) {
          addCall(call);
        } else if (!isa<SymbolOp, ViewOp, CopyOp, ReadScalarOp, WriteScalarOp, func::ReturnOp>(inner) &&
                   !isa<AsyncOp, AwaitOp, CheckEqualOp, CheckAtMostOp, ExchangeOp>(inner) &&
                   !isa<scf::IfOp, scf::WhileOp, scf::ConditionOp, scf::YieldOp>(inner) &&
                   !isMemoryEffectFree(inner)) {
          inner->emitOpError("has no place in the host program");
          return WalkResult::interrupt();
        }
        return WalkResult::advance();
      });
      if (result.wasInterrupted())
        return failure();
    }
  if (failed(checkOutputs()))
    return failure();
  extendLives();
  metadata.constants.resize(constants.size());
  for (auto [info, devices] : llvm::zip(metadata.constants, constantDevices))
    info.devices = devices;
  metadata.valueCount = keepsData() ? data.size() : 0;
  return success();
}

LogicalResult ProgramLayout::addStorage(StorageOp storage, unsigned segment) {
  if (DeviceAttr device = deviceOf(storage.getResult()); device && deviceNumber(device) >= artifact::kMaxDevices)
    return storage.emitOpError() << "is on one of more than " << artifact::kMaxDevices << " devices";
  if (storage.getKind() == StorageKind::output)
    return addOutput(storage, segment);
  if (storage.getKind() == StorageKind::arena)
    return addArena(storage, segment);
  if (storage.getKind() == StorageKind::growing) {
    segments[segment].growing.push_back(storage);
    segments[segment].byteSlots[storage] = segments[segment].slotCount++;
    metadata.growingCount = std::max<uint32_t>(metadata.growingCount, storage.getNumber() + 1);
  }
  if (storage.getKind() == StorageKind::constant) {
    auto value = dyn_cast_if_present<TypedAttr>(storage.getValueAttr());
    if (!value)
      return storage.emitOpError("expects a constant's elements");
    if (constants.size() <= (size_t)storage.getNumber())
      constants.resize(storage.getNumber() + 1), constantDevices.resize(storage.getNumber() + 1);
    constants[storage.getNumber()] = value;
    if (DeviceAttr device = deviceOf(storage.getResult()))
      constantDevices[storage.getNumber()] |= 1u << deviceNumber(device);
  }
  return success();
}

/// What a later segment reads stays as it is.
void ProgramLayout::extendLives() {
  for (auto [segment, place] : llvm::enumerate(segments))
    for (Operation *op : place.ops)
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *source = operand.getDefiningOp(); isa_and_present<StorageOp, ViewOp>(source)) {
            while (auto view = dyn_cast<ViewOp>(source))
              source = view.getSource().getDefiningOp();
            auto it = arenas.find(source);
            if (it != arenas.end() && it->second.segment < segment)
              metadata.segments[it->second.segment].buffers[it->second.number].lastLaunch = INT32_MAX;
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
      metadata.symbols.push_back(
          {name, artifact::SymbolInfo::InputDim, uint32_t(metadata.inputs.size()), uint32_t(d)});
    if (!symbol)
      equalities.push_back({it->second, cast<Value>(size)});
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
    bindings[symbol] = it->second;
  }
  auto bind = [&](Operation *op, artifact::SymbolInfo info) {
    bindings[op] = metadata.symbols.size();
    metadata.symbols.push_back(std::move(info));
  };
  for (BoundStrideOp stride : main.getOps<BoundStrideOp>()) {
    uint32_t input = stride.getInput(), dim = stride.getDim();
    if (input >= metadata.inputs.size() || dim >= metadata.inputs[input].dims.size())
      return stride.emitOpError("has no such input or dimension");
    bind(stride, {metadata.inputs[input].name + ".stride" + std::to_string(dim), artifact::SymbolInfo::InputStride,
                  input, dim, INT64_MIN});
  }
  for (IsAliasedOp alias : main.getOps<IsAliasedOp>()) {
    uint32_t input = alias.getInput(), output = alias.getOutput();
    if (input >= metadata.inputs.size())
      return alias.emitOpError("has no such input");
    bind(alias, {metadata.inputs[input].name + ".aliased", artifact::SymbolInfo::Aliased, output, 0});
    metadata.aliases.push_back({output, input});
  }
  return success();
}

FailureOr<Dim> ProgramLayout::outputDim(StorageOp output, OpFoldResult size) {
  if (auto value = dyn_cast<Value>(size))
    if (auto symbol = value.getDefiningOp<SymbolOp>())
      return Dim::symbol(symbols.lookup(symbol.getName()));
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return Dim::fixed(*constant);
  // A segment that runs in every run says it.
  for (unsigned segment = knownFrom(cast<Value>(size)).value_or(segments.size()); segment < segments.size(); ++segment)
    if (segments[segment].runsOnce)
      return Dim::slot(*sizeOf(size, segment).slot, segment);
  return output.emitOpError("has a size that no segment of the program knows");
}

LogicalResult ProgramLayout::addOutput(StorageOp storage, unsigned) {
  size_t number = storage.getNumber();
  auto type = cast<MemRefType>(storage.getType());
  if (metadata.outputs.size() <= number)
    metadata.outputs.resize(number + 1);
  // The last storage of an output states the sizes that it is returned under.
  auto described = describe(storage, storage.getName().value_or("output" + std::to_string(number)), type);
  if (failed(described))
    return failure();
  artifact::TensorInfo &info = metadata.outputs[number] = std::move(*described);
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
  Segment &place = segments[segment];
  arenas[storage] = {segment, unsigned(buffers.size())};
  // Buffers of the same sizes share a slot: a deep graph has thousands of buffers, but few sizes.
  SmallVector<const void *> sizes = {storage.getType().getAsOpaquePointer()};
  for (Value size : storage.getSizes())
    sizes.push_back(size.getAsOpaquePointer());
  auto [slot, inserted] = place.slotsOfSizes.try_emplace(std::move(sizes), place.slotCount);
  if (inserted)
    place.byteSlots[storage] = place.slotCount++;
  DeviceAttr device = deviceOf(storage.getResult());
  buffers.push_back({slot->second, firstLaunch, lastLaunch, device ? deviceNumber(device) + 1 : 0});
  return success();
}

static std::string nodesOf(Operation *op) {
  SmallVector<StringRef> names;
  collectNames(op->getLoc(), names);
  return llvm::join(names, ", ");
}

void ProgramLayout::addCall(CallOp call) {
  calls[call] = metadata.externals.size();
  metadata.externals.push_back({call.getLibrary().str(), call.getFunction().str(), nodesOf(call)});
}

void ProgramLayout::addLaunch(LaunchOp launch) {
  auto [it, inserted] = kernels.try_emplace(launch.getKernel(), metadata.kernels.size());
  if (inserted)
    metadata.kernels.push_back({launch.getKernel().str(), {}});
  launches[launch] = metadata.launches.size();
  metadata.launches.push_back({it->second, nodesOf(launch)});
}
