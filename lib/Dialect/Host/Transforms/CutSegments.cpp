//===- CutSegments.cpp - Cut a placed program where sizes depend on data ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Host/Transforms/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

namespace tenon::host {
#define GEN_PASS_DEF_CUTSEGMENTSPASS
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

namespace {
/// Whether a loop or branch has segments inside.
bool isOpen(Operation *op) {
  return (isa<scf::IfOp>(op) && op->getNumResults() != 0) ||
         (isa<scf::IfOp, scf::WhileOp>(op) &&
          op->walk([](StorageOp) { return WalkResult::interrupt(); }).wasInterrupted());
}

/// Cuts the ops of one block. Arithmetic stays in the block, as early as what it is computed from is known; what a
/// segment needs of numbers that it has read itself is computed in it once more.
class BlockCutter {
public:
  BlockCutter(Block &block, int64_t &segmentCount) : block(block), segmentCount(segmentCount) {}

  void cut(bool isProgram) {
    // The first segment checks what is bound, even where nothing is done.
    for (Operation &op : llvm::make_early_inc_range(block.without_terminator())) {
      if (isProgram && steps.empty() && isOpen(&op))
        begin(&op);
      if (isOpen(&op))
        cutInside(&op);
      else if (isArithmetic(&op))
        hoist(&op);
      else if (isa<ViewOp>(op))
        pending.push_back(&op);
      else
        take(&op);
    }
    if (isProgram && steps.empty())
      begin(block.getTerminator());
    end();
    erasePending();
  }

private:
  /// How many of the block's segments, loops and branches stand before what an op needs.
  size_t levelOf(Operation *op) {
    size_t level = 0;
    for (Value operand : op->getOperands())
      level = std::max(level, levelOf(operand));
    return level;
  }

  size_t levelOf(Value value) {
    auto known = levels.find(value);
    return known == levels.end() ? 0 : known->second;
  }

  void cutInside(Operation *flow) {
    end();
    cutRegions(flow);
    steps.push_back(flow);
    setLevels(flow);
  }

  void cutRegions(Operation *flow) {
    if (auto loop = dyn_cast<scf::WhileOp>(flow))
      return BlockCutter(*loop.getAfterBody(), segmentCount).cut(/*isProgram=*/false);
    for (Region &region : flow->getRegions())
      if (!region.empty())
        BlockCutter(region.front(), segmentCount).cut(/*isProgram=*/false);
  }

  void setLevels(Operation *op) {
    for (Value result : op->getResults())
      levels[result] = steps.size();
  }

  void hoist(Operation *op) {
    size_t level = levelOf(op);
    if (level < steps.size())
      op->moveBefore(steps[level]);
    else if (level != 0)
      pending.push_back(op);
    for (Value result : op->getResults())
      levels[result] = level;
  }

  /// Moves an op to the segment, or to the next one where it names a buffer whose size this one reads.
  void take(Operation *op) {
    auto storage = dyn_cast<StorageOp>(op);
    if (storage && segment && levelOf(op) == steps.size())
      end();
    if (!segment)
      begin(op);
    op->moveBefore(segment.getBody().front().getTerminator());
    op->walk([&](Operation *inner) {
      for (OpOperand &operand : inner->getOpOperands())
        operand.set(inSegment(operand.get(), op));
    });
    setLevels(op);
  }

  void begin(Operation *before) {
    OpBuilder builder(before);
    Location loc = block.getParentOp()->getLoc();
    segment = SegmentOp::create(builder, loc, TypeRange(), segmentCount++);
    SegmentOp::ensureTerminator(segment.getBody(), builder, loc);
    steps.push_back(segment);
  }

  /// A value of the block as an op of the segment may use it: a view, or arithmetic on what the segment reads, is there
  /// once more.
  Value inSegment(Value value, Operation *user) {
    if (Value known = copies.lookup(value))
      return known;
    if (!isMissing(value))
      return value;
    // Not by recursion: chains of arithmetic are long.
    SmallVector<Operation *> work = {value.getDefiningOp()};
    OpBuilder builder(user);
    while (!work.empty()) {
      Operation *op = work.back();
      size_t before = work.size();
      for (Value operand : op->getOperands())
        if (isMissing(operand))
          work.push_back(operand.getDefiningOp());
      if (work.size() != before)
        continue;
      work.pop_back();
      if (copies.contains(op->getResult(0)))
        continue;
      IRMapping mapping;
      for (Value operand : op->getOperands())
        mapping.map(operand, copies.contains(operand) ? copies.lookup(operand) : operand);
      Operation *copy = builder.clone(*op, mapping);
      for (auto [old, now] : llvm::zip(op->getResults(), copy->getResults()))
        copies[old] = now;
    }
    return copies.lookup(value);
  }

  bool isMissing(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || copies.contains(value))
      return false;
    if (isa<ViewOp>(op))
      return !segment->isProperAncestor(op);
    return op->getBlock() == &block && isArithmetic(op) && levelOf(value) == steps.size();
  }

  /// Views, and arithmetic on what segments read, of which all users have copies.
  void erasePending() {
    for (Operation *&op : llvm::reverse(pending))
      if (op->use_empty()) {
        op->erase();
        op = nullptr;
      }
    llvm::erase(pending, nullptr);
  }

  /// What is used outside of the segment is a result of it.
  void end() {
    if (!segment)
      return;
    erasePending();
    Block &body = segment.getBody().front();
    SmallVector<Value> yielded;
    auto isOutside = [&](OpOperand &use) { return !segment->isProperAncestor(use.getOwner()); };
    for (Operation &op : body)
      for (Value result : op.getResults())
        if (llvm::any_of(result.getUses(), isOutside))
          yielded.push_back(result);
    OpBuilder builder(segment);
    auto known = SegmentOp::create(builder, segment.getLoc(), ValueRange(yielded).getTypes(), segment.getNumber());
    known.getBody().takeBody(segment.getBody());
    steps.back() = known;
    segment.erase();
    segment = known;
    for (auto [inside, result] : llvm::zip(yielded, known.getResults()))
      inside.replaceUsesWithIf(result, isOutside);
    body.getTerminator()->setOperands(yielded);
    setLevels(known);
    segment = nullptr;
    copies.clear();
  }

  Block &block;
  int64_t &segmentCount;
  SegmentOp segment;                ///< that ops are moved to
  SmallVector<Operation *> steps;   ///< segments, loops and branches so far
  DenseMap<Value, size_t> levels;   ///< how many steps stand before a value is known
  DenseMap<Value, Value> copies;    ///< in the segment
  SmallVector<Operation *> pending; ///< what may turn out to have copies only
};

struct CutSegmentsPass : host::impl::CutSegmentsPassBase<CutSegmentsPass> {
  void runOnChecked() override {
    func::FuncOp program = getOperation();
    int64_t segmentCount = 0;
    if (isPlaced(program) && !isCut(program))
      BlockCutter(program.getBody().front(), segmentCount).cut(/*isProgram=*/true);
  }
};
} // namespace
