//===- InsertTokens.cpp - Let devices work while the program goes on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_INSERTTOKENSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// What is under way with the bytes of a storage.
struct Use {
  Value writer; ///< null when nothing writes it
  SmallVector<Value> readers;
};

class Ordering {
public:
  explicit Ordering(func::FuncOp func) : builder(func.getContext()) { order(func.getBody().front()); }

private:
  using Tokens = llvm::SmallSetVector<Value, 8>;

  void order(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
      if (deviceOf(&op)) {
        start(&op);
      } else if (op.getNumRegions() != 0) {
        awaitAll(&op);
        for (Region &region : op.getRegions())
          for (Block &inner : region)
            order(inner);
      } else if (!isMemoryEffectFree(&op)) {
        await(conflictsOf(&op), &op);
      }
    }
    awaitAll(block.getTerminator());
  }

  /// Calls `visit(storage, writes)` for each storage that the operation reads or writes.
  void forEachStorage(Operation *op, llvm::function_ref<void(StorageOp, bool)> visit) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    cast<MemoryEffectOpInterface>(op).getEffects(effects);
    for (auto &effect : effects)
      if (Value value = effect.getValue())
        if (StorageOp storage = storageOf(value))
          visit(storage, isa<MemoryEffects::Write>(effect.getEffect()));
  }

  /// Buffers that are not in use at the same time may share their bytes, on the same device or on the host,
  /// and so may an input and an output.
  static bool mayOverlap(StorageOp a, StorageOp b) {
    auto isBound = [](StorageOp s) {
      return s.getKind() == StorageKind::input || s.getKind() == StorageKind::output;
    };
    if (isBound(a) && isBound(b) && a.getKind() != b.getKind())
      return true;
    if (a.getKind() != b.getKind() || deviceOf(a.getResult()) != deviceOf(b.getResult()))
      return false;
    if (a.getNumber() == b.getNumber())
      return true;
    if (a.getKind() != StorageKind::arena || !a.getLive() || !b.getLive())
      return false;
    return (*a.getLive())[1] < (*b.getLive())[0] || (*b.getLive())[1] < (*a.getLive())[0];
  }

  Tokens conflictsOf(Operation *op) {
    Tokens tokens;
    forEachStorage(op, [&](StorageOp storage, bool writes) {
      for (auto &[other, use] : uses) {
        if (!mayOverlap(storage, other))
          continue;
        if (use.writer)
          tokens.insert(use.writer);
        if (writes)
          tokens.insert(use.readers.begin(), use.readers.end());
      }
    });
    return tokens;
  }

  void start(Operation *op) {
    Tokens after = conflictsOf(op);
    builder.setInsertionPoint(op);
    auto async =
        AsyncOp::create(builder, op->getLoc(), TokenType::get(builder.getContext()), after.getArrayRef());
    op->moveBefore(&async.getBody().emplaceBlock(), async.getBody().front().end());
    Value token = async.getToken();
    // Its end is the end of what it waits for, too.
    running.remove_if([&](Value before) { return after.contains(before); });
    running.insert(token);
    forEachStorage(op, [&](StorageOp storage, bool writes) {
      Use &use = uses[storage];
      if (writes)
        use = {token, {}};
      else
        use.readers.push_back(token);
    });
  }

  void await(const Tokens &tokens, Operation *before) {
    if (tokens.empty())
      return;
    builder.setInsertionPoint(before);
    AwaitOp::create(builder, before->getLoc(), tokens.getArrayRef());
    auto isOver = [&](Value token) { return tokens.contains(token); };
    running.remove_if(isOver);
    for (auto &[storage, use] : uses) {
      if (use.writer && isOver(use.writer))
        use.writer = {};
      llvm::erase_if(use.readers, isOver);
    }
  }

  void awaitAll(Operation *before) {
    Tokens all(running.begin(), running.end());
    await(all, before);
    uses.clear();
  }

  OpBuilder builder;
  llvm::MapVector<StorageOp, Use> uses;
  Tokens running; ///< what the program has not waited for
};

struct InsertTokensPass : host::impl::InsertTokensPassBase<InsertTokensPass> {
  void runOnOperation() override {
    if (!getOperation().isExternal())
      Ordering ordering(getOperation());
  }
};
} // namespace
