//===- AssignDevices.cpp - Run the launches of a placed program on a device ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_ASSIGNDEVICESPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
class Assignment {
public:
  Assignment(func::FuncOp func, StringRef device)
      : func(func), builder(func.getContext()), device(DeviceAttr::get(func.getContext(), device)) {}

  LogicalResult run() {
    if (failed(checkSizes()))
      return failure();
    SmallVector<StorageOp> storages(func.getOps<StorageOp>());
    for (StorageOp storage : storages)
      if (storage.getKind() == StorageKind::arena)
        nextArena = std::max(nextArena, (int64_t)storage.getNumber() + 1);
    // What is copied in follows the inputs: their sizes are what binds the symbols.
    for (StorageOp storage : storages)
      if (storage.getKind() == StorageKind::input)
        afterInputs = storage->getNextNode();
    for (StorageOp storage : storages)
      move(storage);
    func.walk([&](ReadScalarOp read) { stage(read); });
    func.walk([&](WriteScalarOp write) { stage(write); });
    return success();
  }

private:
  LogicalResult checkSizes() {
    WalkResult result = func.walk([&](StorageOp storage) {
      if (storage->getParentOp() == func && storage.getKind() != StorageKind::growing)
        return WalkResult::advance();
      storage.emitError() << "a loop or branch whose sizes show while it runs can't run on device '" << device.getName()
                          << "' yet";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  bool isLaunched(Value buffer) {
    return llvm::any_of(buffer.getUsers(), [&](Operation *user) {
      auto view = dyn_cast<ViewOp>(user);
      return isa<LaunchOp>(user) || (view && isLaunched(view.getResult()));
    });
  }

  void move(StorageOp storage) {
    switch (storage.getKind()) {
    case StorageKind::arena:
      return setSpace(storage.getResult());
    case StorageKind::constant:
      if (isLaunched(storage.getResult())) {
        builder.setInsertionPointAfter(storage);
        auto copy = cast<StorageOp>(builder.clone(*storage));
        moveUses(storage, copy, [](Operation *user) { return isa<LaunchOp>(user); });
      }
      return;
    case StorageKind::input:
      if (isLaunched(storage.getResult())) {
        builder.setInsertionPoint(afterInputs);
        StorageOp copy = arenaLike(storage);
        CopyOp::create(builder, storage.getLoc(), storage.getResult(), copy.getResult());
        moveUses(storage, copy, [](Operation *user) { return isa<LaunchOp>(user); });
      }
      return;
    case StorageKind::output:
      // Others than launches may write it, too, or read it again: all of it happens on the device.
      if (isLaunched(storage.getResult())) {
        builder.setInsertionPointAfter(storage);
        StorageOp copy = arenaLike(storage);
        moveUses(storage, copy, [](Operation *user) { return !isa<func::ReturnOp>(user); });
        builder.setInsertionPoint(func.getBody().front().getTerminator());
        CopyOp::create(builder, storage.getLoc(), copy.getResult(), storage.getResult());
      }
      return;
    case StorageKind::growing:
      return;
    }
  }

  /// An arena buffer of the same sizes, in use from beginning to end.
  StorageOp arenaLike(StorageOp storage) {
    return StorageOp::create(builder, storage.getLoc(), storage.getType(), StorageKind::arena, nextArena++,
                             /*name=*/StringAttr(), storage.getSizes(), storage.getStaticSizes(),
                             /*live=*/DenseI64ArrayAttr(), /*value=*/Attribute());
  }

  /// Gives those uses of a buffer that the condition names, also through views, to one on the device.
  void moveUses(StorageOp from, StorageOp to, llvm::function_ref<bool(Operation *)> moves) {
    moveUses(from.getResult(), to.getResult(), to, moves);
    setSpace(to.getResult());
  }

  void moveUses(Value from, Value to, StorageOp copy, llvm::function_ref<bool(Operation *)> moves) {
    for (OpOperand &use : llvm::make_early_inc_range(from.getUses())) {
      Operation *user = use.getOwner();
      if (user->isBeforeInBlock(copy) && user->getBlock() == copy->getBlock() && !isa<ViewOp>(user))
        continue;
      if (auto view = dyn_cast<ViewOp>(user)) {
        builder.setInsertionPointAfter(view->isBeforeInBlock(copy) ? copy.getOperation()
                                                                   : view.getOperation());
        auto other = cast<ViewOp>(builder.clone(*view));
        other.getSourceMutable().assign(to);
        moveUses(view.getResult(), other.getResult(), copy, moves);
        if (other->use_empty())
          other->erase();
      } else if (moves(user)) {
        use.set(to);
      }
    }
  }

  void setSpace(Value buffer) {
    buffer.setType(MemRefType::Builder(cast<MemRefType>(buffer.getType())).setMemorySpace(device));
    for (Operation *user : buffer.getUsers())
      if (auto view = dyn_cast<ViewOp>(user))
        setSpace(view.getResult());
  }

  //===--------------------------------------------------------------------===//
  // Numbers of the program
  //===--------------------------------------------------------------------===//

  /// One element of a buffer on the device, and where it stands on the host meanwhile.
  std::pair<Value, Value> element(Value buffer, int64_t position, Operation *user) {
    auto type = MemRefType::Builder(cast<MemRefType>(buffer.getType())).setShape({}).setLayout({});
    auto space = MemRefType(type).getMemorySpace();
    MemRefType onHost = MemRefType::Builder(type).setMemorySpace({});
    builder.setInsertionPoint(user);
    auto strided = StridedLayoutAttr::get(builder.getContext(), position, {});
    MemRefType viewed = MemRefType::get({}, onHost.getElementType(),
                                        position == 0 ? MemRefLayoutAttrInterface() : strided, space);
    Value view =
        ViewOp::create(builder, user->getLoc(), viewed, buffer, ValueRange(), ValueRange(), ValueRange(),
                       ArrayRef<int64_t>{position}, ArrayRef<int64_t>(), ArrayRef<int64_t>());
    // Buffers are placed outside of loops and branches.
    Operation *outermost = func.getBody().front().findAncestorOpInBlock(*user);
    builder.setInsertionPoint(outermost);
    auto staging = StorageOp::create(builder, user->getLoc(), onHost, StorageKind::arena, nextArena++,
                                     /*name=*/StringAttr(), ValueRange(), ArrayRef<int64_t>(),
                                     /*live=*/DenseI64ArrayAttr(), /*value=*/Attribute());
    return {view, staging.getResult()};
  }

  void stage(ReadScalarOp read) {
    if (!deviceOf(read.getSource()))
      return;
    auto [view, staging] = element(read.getSource(), read.getPosition(), read);
    builder.setInsertionPoint(read);
    CopyOp::create(builder, read.getLoc(), view, staging);
    read.getSourceMutable().assign(staging);
    read.setPosition(0);
  }

  void stage(WriteScalarOp write) {
    if (!deviceOf(write.getDestination()))
      return;
    auto [view, staging] = element(write.getDestination(), write.getPosition(), write);
    builder.setInsertionPointAfter(write);
    CopyOp::create(builder, write.getLoc(), staging, view);
    write.getDestinationMutable().assign(staging);
    write.setPosition(0);
  }

  func::FuncOp func;
  OpBuilder builder;
  DeviceAttr device;
  Operation *afterInputs = nullptr;
  int64_t nextArena = 0;
};

struct AssignDevicesPass : host::impl::AssignDevicesPassBase<AssignDevicesPass> {
  using Base::Base;
  void runOnOperation() override {
    if (!device.empty() && !getOperation().isExternal() && failed(Assignment(getOperation(), device).run()))
      signalPassFailure();
  }
};
} // namespace
