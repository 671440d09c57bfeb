//===- AssignDevices.cpp - Give launches to devices and move what they need ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferAccesses.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_ASSIGNDEVICESPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// Which device computes kernels with an operation of this name, or all kernels.
struct Rule {
  StringRef op;
  DeviceAttr device;
};

/// Gives the launches of one function away. A storage of the program has at most one copy of its bytes in each
/// memory; a walk over the program knows which of them are up to date, and copies where one is needed that isn't.
class Assignment {
public:
  Assignment(func::FuncOp func, ArrayRef<Rule> rules) : func(func), rules(rules), builder(func.getContext()) {}

  LogicalResult run() {
    if (!func.getBody().hasOneBlock())
      return func.emitOpError("expects one block");
    assignLaunches();
    if (devices.empty())
      return success();
    WalkResult ordered = func.walk([](AsyncOp async) {
      async.emitOpError("orders a program whose launches get devices only now");
      return WalkResult::interrupt();
    });
    if (ordered.wasInterrupted())
      return failure();
    assignOthers();
    func.walk([&](StorageOp storage) {
      storages[Place::of(storage)].push_back(storage);
      uint64_t &next = storage.getKind() == StorageKind::constant ? nextConstant : nextBuffer;
      next = std::max<uint64_t>(next, storage.getNumber() + 1);
    });
    if (failed(walk(func.getBody().front())))
      return failure();
    eraseUnused();
    numberConstants();
    setLives();
    return success();
  }

private:
  using Device = DeviceAttr; ///< null is the host

  //===--------------------------------------------------------------------===//
  // Who computes what
  //===--------------------------------------------------------------------===//

  void assignLaunches() {
    func.walk([&](LaunchOp launch) {
      // What grows stays with the host, and so do the kernels that read or write it.
      if (deviceOf(launch.getOperation()) || touchesGrowing(launch))
        return;
      if (Device device = deviceFor(launch))
        devices[launch] = device;
    });
  }

  static bool touchesGrowing(Operation *op) {
    return llvm::any_of(accessesOf(op),
                        [](const Access &access) { return access.storage.getKind() == StorageKind::growing; });
  }

  Device deviceFor(LaunchOp launch) {
    Operation *kernel = SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernelAttr());
    for (const Rule &rule : rules) {
      bool applies = rule.op.empty();
      kernel->walk([&](Operation *op) { applies |= op->getName().getStringRef() == rule.op; });
      if (applies)
        return rule.device;
    }
    return {};
  }

  /// A copy goes where the launches are that use what it copies, if they are all in one place; the host reads and
  /// writes single numbers there.
  void assignOthers() {
    DenseMap<Place, SmallVector<Device>> users;
    func.walk([&](LaunchOp launch) {
      for (const Access &access : accessesOf(launch))
        users[access.place()].push_back(devices.lookup(launch));
    });
    func.walk([&](Operation *op) {
      if (!isa<CopyOp, ReadScalarOp, WriteScalarOp>(op))
        return;
      if (touchesGrowing(op))
        return;
      SmallVector<Device> candidates;
      for (const Access &access : accessesOf(op))
        llvm::append_range(candidates, users.lookup(access.place()));
      if (!candidates.empty() && candidates.front() && llvm::all_equal(candidates))
        devices[op] = candidates.front();
    });
  }

  //===--------------------------------------------------------------------===//
  // Where bytes are up to date
  //===--------------------------------------------------------------------===//

  /// Memories that hold a storage's bytes; nothing was written yet when there is none.
  using Holders = SmallVector<Device, 2>;

  /// Before anything ran, inputs are with the host; a constant is everywhere.
  Holders &holdersOf(const Access &access) {
    auto [it, isNew] = state.try_emplace(access.place());
    if (isNew && access.storage.getKind() == StorageKind::input)
      it->second.push_back(Device());
    return it->second;
  }

  LogicalResult require(const Access &access, Device device, Location loc) {
    Holders &holders = holdersOf(access);
    if (access.storage.getKind() == StorageKind::constant || holders.empty() || llvm::is_contained(holders, device))
      return success();
    // Devices don't see each other's memory.
    if (device && !llvm::is_contained(holders, Device())) {
      if (failed(transfer(access.storage, holders.front(), Device(), loc)))
        return failure();
      holders.push_back(Device());
    }
    if (failed(transfer(access.storage, device ? Device() : holders.front(), device, loc)))
      return failure();
    holders.push_back(device);
    return success();
  }

  LogicalResult transfer(StorageOp storage, Device from, Device to, Location loc) {
    // An output that is reshaped is stated again.
    Value host = *llvm::find_if(storages[Place::of(storage)], [&](StorageOp stated) {
      Operation *here = stated->getBlock()->findAncestorOpInBlock(*builder.getInsertionPoint());
      return stated == storage || (here && stated->isBeforeInBlock(here));
    });
    FailureOr<Value> source = bufferIn(host, from), destination = bufferIn(host, to);
    if (failed(source) || failed(destination))
      return failure();
    CopyOp::create(builder, loc, *source, *destination);
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Buffers in other memories
  //===--------------------------------------------------------------------===//

  static MemRefType typeIn(Type type, Device device) {
    auto memref = cast<MemRefType>(type);
    return MemRefType::get(memref.getShape(), memref.getElementType(), memref.getLayout(), device);
  }

  /// The buffer of a device that stands for one of the host's.
  FailureOr<Value> bufferIn(Value buffer, Device device) {
    if (!device)
      return buffer;
    if (Value known = buffers.lookup({buffer, device}))
      return known;
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointAfterValue(buffer);
    MemRefType type = typeIn(buffer.getType(), device);
    Value result;
    if (auto view = buffer.getDefiningOp<ViewOp>()) {
      FailureOr<Value> source = bufferIn(view.getSource(), device);
      if (failed(source))
        return failure();
      auto clone = cast<ViewOp>(builder.clone(*view));
      clone.getSourceMutable().assign(*source);
      clone.getResult().setType(type);
      result = clone.getResult();
    } else {
      auto storage = buffer.getDefiningOp<StorageOp>();
      bool isConstant = storage.getKind() == StorageKind::constant;
      auto [it, isNew] = mirrors.try_emplace({Place::of(storage), device}, Mirror{type, 0});
      if (!isNew && it->second.type != type)
        return storage.emitOpError("has several types, which no device can use");
      if (!storage.getStrides().empty())
        return storage.emitOpError("is bound with strides, which no device can use");
      if (isNew)
        it->second.number = isConstant ? nextConstant++ : nextBuffer++;
      // Wherever the storage is named, so is what mirrors it.
      auto clone = cast<StorageOp>(builder.clone(*storage));
      clone.setKind(isConstant ? StorageKind::constant : StorageKind::arena);
      clone.setNumber(it->second.number);
      clone.removeNameAttr();
      clone.removeLiveAttr();
      clone.getResult().setType(type);
      result = clone.getResult();
    }
    return buffers[{buffer, device}] = result;
  }

  //===--------------------------------------------------------------------===//
  // The program
  //===--------------------------------------------------------------------===//

  LogicalResult walk(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      builder.setInsertionPoint(&op);
      if (op.getNumRegions() != 0 ? failed(walkRegions(&op)) : failed(place(&op)))
        return failure();
    }
    return success();
  }

  LogicalResult place(Operation *op) {
    Device device = devices.lookup(op);
    SmallVector<Access> accesses = accessesOf(op);
    if (isa<func::ReturnOp>(op))
      for (Value output : op->getOperands())
        if (StorageOp storage = storageOf(output))
          accesses.push_back({op, output, storage, /*writes=*/false});
    for (const Access &access : accesses)
      if (!access.overwrites() && failed(require(access, device, op->getLoc())))
        return failure();
    for (const Access &access : accesses)
      if (access.writes)
        holdersOf(access) = {device};
    if (!device)
      return success();
    if (auto read = dyn_cast<ReadScalarOp>(op))
      return stage(read, device);
    if (auto write = dyn_cast<WriteScalarOp>(op))
      return stage(write, device);
    for (OpOperand &operand : op->getOpOperands())
      if (isa<MemRefType>(operand.get().getType())) {
        FailureOr<Value> buffer = bufferIn(operand.get(), device);
        if (failed(buffer))
          return failure();
        operand.set(*buffer);
      }
    return success();
  }

  /// One element of a buffer on a device, and where it stands on the host meanwhile.
  FailureOr<std::pair<Value, Value>> element(Value buffer, int64_t position, Device device, Operation *user) {
    FailureOr<Value> source = bufferIn(buffer, device);
    if (failed(source))
      return failure();
    Type type = cast<MemRefType>(buffer.getType()).getElementType();
    MemRefLayoutAttrInterface layout;
    if (position != 0)
      layout = StridedLayoutAttr::get(builder.getContext(), position, {});
    Value view =
        ViewOp::create(builder, user->getLoc(), MemRefType::get({}, type, layout, device), *source, ValueRange(),
                       ValueRange(), ValueRange(), ArrayRef(position), ArrayRef<int64_t>(), ArrayRef<int64_t>());
    // Storages stand outside of loops and branches.
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(func.getBody().front().findAncestorOpInBlock(*user));
    auto onHost =
        StorageOp::create(builder, user->getLoc(), MemRefType::get({}, type), StorageKind::arena, nextBuffer++,
                          /*name=*/StringAttr(), ValueRange(), ArrayRef<int64_t>(), /*strides=*/ValueRange(),
                          /*bytes=*/Value(), /*live=*/DenseI64ArrayAttr(), /*value=*/Attribute());
    return std::pair(view, Value(onHost.getResult()));
  }

  LogicalResult stage(ReadScalarOp read, Device device) {
    FailureOr<std::pair<Value, Value>> places = element(read.getSource(), read.getPosition(), device, read);
    if (failed(places))
      return failure();
    CopyOp::create(builder, read.getLoc(), places->first, places->second);
    read.getSourceMutable().assign(places->second);
    read.setPosition(0);
    return success();
  }

  LogicalResult stage(WriteScalarOp write, Device device) {
    FailureOr<std::pair<Value, Value>> places = element(write.getDestination(), write.getPosition(), device, write);
    if (failed(places))
      return failure();
    builder.setInsertionPointAfter(write);
    CopyOp::create(builder, write.getLoc(), places->second, places->first);
    write.getDestinationMutable().assign(places->second);
    write.setPosition(0);
    return success();
  }

  /// However often regions run: each starts and ends with what it writes in one memory.
  LogicalResult walkRegions(Operation *op) {
    struct Use {
      Access access;
      Holders memories;
      bool writes = false;
    };
    llvm::MapVector<Place, Use> uses;
    for (const Access &access : accessesOf(op)) {
      // What is placed inside begins anew each time.
      if (op->isAncestor(access.storage))
        continue;
      Use &use = uses.insert({access.place(), Use{access, {}}}).first->second;
      use.writes |= access.writes;
      if (Device device = devices.lookup(access.op); !llvm::is_contained(use.memories, device))
        use.memories.push_back(device);
    }
    auto settle = [&]() -> LogicalResult {
      for (auto &[place, use] : uses) {
        Device device = use.memories.size() == 1 ? use.memories.front() : Device();
        if (failed(require(use.access, device, op->getLoc())))
          return failure();
        if (use.writes)
          holdersOf(use.access) = {device};
      }
      return success();
    };
    if (failed(settle()))
      return failure();
    DenseMap<Place, Holders> entry = state;
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        state = entry;
        if (failed(walk(block)))
          return failure();
        builder.setInsertionPoint(block.getTerminator());
        if (failed(settle()))
          return failure();
      }
    state = std::move(entry);
    return success();
  }

  //===--------------------------------------------------------------------===//
  // What is left
  //===--------------------------------------------------------------------===//

  void eraseUnused() {
    SmallVector<Operation *> candidates;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      auto storage = dyn_cast<StorageOp>(op);
      if (isa<ViewOp>(op) ||
          (storage && (storage.getKind() == StorageKind::arena || storage.getKind() == StorageKind::constant)))
        candidates.push_back(op);
    });
    for (Operation *op : llvm::reverse(candidates))
      if (op->use_empty())
        op->erase();
  }

  void numberConstants() {
    uint64_t number = 0;
    func.walk<WalkOrder::PreOrder>([&](StorageOp storage) {
      if (storage.getKind() == StorageKind::constant)
        storage.setNumber(number++);
    });
  }

  /// From the first operation of the function's block that uses a device's buffer to the last.
  void setLives() {
    DenseMap<Place, std::pair<int64_t, int64_t>> lives;
    for (auto [i, op] : llvm::enumerate(func.getBody().front()))
      for (const Access &access : accessesOf(&op))
        if (access.storage.getKind() == StorageKind::arena && access.place().device)
          lives.insert({access.place(), {i, i}}).first->second.second = i;
    func.walk([&](StorageOp storage) {
      if (auto live = lives.find(Place::of(storage)); live != lives.end())
        storage.setLiveAttr(builder.getDenseI64ArrayAttr({live->second.first, live->second.second}));
    });
  }

  func::FuncOp func;
  ArrayRef<Rule> rules;
  OpBuilder builder;
  llvm::MapVector<Operation *, Device> devices;
  DenseMap<Place, Holders> state;
  DenseMap<Place, SmallVector<StorageOp, 1>> storages; ///< in the order in which they are named
  DenseMap<std::pair<Value, Device>, Value> buffers;
  struct Mirror {
    MemRefType type;
    uint64_t number;
  };
  DenseMap<std::pair<Place, Device>, Mirror> mirrors; ///< of a place in the memory of a device
  uint64_t nextConstant = 0, nextBuffer = 0;
};

struct AssignDevicesPass : host::impl::AssignDevicesPassBase<AssignDevicesPass> {
  using AssignDevicesPassBase::AssignDevicesPassBase;

  void runOnChecked() override {
    SmallVector<Rule> parsed;
    for (StringRef rule : rules) {
      bool isForAll = !rule.contains('=');
      auto [op, device] = isForAll ? std::pair(StringRef(), rule) : rule.split('=');
      if (op.empty() != isForAll || device.empty()) {
        getOperation().emitError() << "expects device rules like 'npu' or 'tenon.contract=npu', but has '" << rule
                                   << "'";
        return signalPassFailure();
      }
      parsed.push_back({op, DeviceAttr::get(&getContext(), device)});
    }
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal() && failed(Assignment(func, parsed).run()))
        return signalPassFailure();
  }
};
} // namespace
