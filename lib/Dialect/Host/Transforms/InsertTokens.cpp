//===- InsertTokens.cpp - Let devices work while the program goes on ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferAccesses.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetOperations.h"
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
  explicit Ordering(func::FuncOp func) : builder(func.getContext()) {
    dissolve(func);
    order(func.getBody().front());
  }

private:
  using Tokens = llvm::SmallSetVector<Value, 8>;

  /// Takes away the order that is there.
  static void dissolve(func::FuncOp func) {
    func.walk([](AwaitOp await) { await.erase(); });
    func.walk([](AsyncOp async) {
      async.getOperationInside().moveBefore(async);
      async.getToken().dropAllUses();
      async.erase();
    });
  }

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

  /// Buffers that are not in use at the same time may share their bytes, on the same device or on the host,
  /// and so may an input and an output.
  static bool mayOverlap(StorageOp a, StorageOp b) {
    auto isBound = [](StorageOp s) { return s.getKind() == StorageKind::input || s.getKind() == StorageKind::output; };
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
    for (const Access &access : accessesOf(op))
      for (auto &[other, use] : uses) {
        if (!mayOverlap(access.storage, other))
          continue;
        if (use.writer)
          tokens.insert(use.writer);
        if (access.writes)
          tokens.insert(use.readers.begin(), use.readers.end());
      }
    return tokens;
  }

  void start(Operation *op) {
    Tokens after = conflictsOf(op);
    dropImplied(after);
    builder.setInsertionPoint(op);
    auto async = AsyncOp::create(builder, op->getLoc(), TokenType::get(builder.getContext()), after.getArrayRef());
    op->moveBefore(&async.getBody().emplaceBlock(), async.getBody().front().end());
    Value token = async.getToken();
    // Its end is the end of what it waits for, too.
    llvm::DenseSet<Value> &known = implied[token];
    for (Value before : after) {
      known.insert(before);
      llvm::set_union(known, implied.lookup(before));
    }
    running.remove_if([&](Value before) { return after.contains(before); });
    running.insert(token);
    for (const Access &access : accessesOf(op)) {
      Use &use = uses[access.storage];
      if (access.writes)
        use = {token, {}};
      else
        use.readers.push_back(token);
    }
  }

  /// Leaves out tokens that have ended when others have.
  void dropImplied(Tokens &tokens) {
    Tokens all = tokens;
    tokens.remove_if(
        [&](Value token) { return llvm::any_of(all, [&](Value other) { return implied[other].contains(token); }); });
  }

  void await(Tokens tokens, Operation *before) {
    if (tokens.empty())
      return;
    dropImplied(tokens);
    builder.setInsertionPoint(before);
    AwaitOp::create(builder, before->getLoc(), tokens.getArrayRef());
    auto isOver = [&](Value token) {
      return tokens.contains(token) ||
             llvm::any_of(tokens, [&](Value awaited) { return implied[awaited].contains(token); });
    };
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
  llvm::DenseMap<Value, llvm::DenseSet<Value>> implied; ///< by token: all that end before it
  Tokens running;                                       ///< what the program has not waited for
};

struct InsertTokensPass : host::impl::InsertTokensPassBase<InsertTokensPass> {
  void runOnChecked() override { Ordering ordering(getOperation()); }
};
} // namespace
