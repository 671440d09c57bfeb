//===- CheckSizes.cpp - Check at run time what ops expect of sizes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "llvm/ADT/TypeSwitch.h"

#include <set>

using namespace mlir;
using namespace tenon;

namespace tenon::tile {
#define GEN_PASS_DEF_CHECKSIZESPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// What the ops of a function expect of sizes, as checks before them.
class Checks {
public:
  explicit Checks(func::FuncOp func) : func(func), sizes(func.getContext()), builder(func.getContext()) {}

  void run() {
    SmallVector<cf::AssertOp> stated;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      builder.setInsertionPoint(op);
      loc = op->getLoc();
      block = op->getBlock();
      llvm::TypeSwitch<Operation *>(op)
          .Case<ReshapeOp, BroadcastOp, SliceOp, ConcatOp, GatherOp, ScatterOp, TopKOp, ConvOp, ArgReduceOp, ItemOp,
                tensor::CastOp>([&](auto known) { check(known); })
          .Case<cf::AssertOp>([&](auto known) {
            check(known);
            stated.push_back(known);
          });
      // Last, since what an op says itself says more.
      if (auto maps = dyn_cast<IndexingMapsInterface>(op))
        checkSpace(maps);
    });
    for (cf::AssertOp op : stated)
      op.erase();
    func.walk([this](Block *inner) { hoist(*inner); });
  }

private:
  /// Moves each check to where all of its numbers are known. Whoever makes an operand may write it where the op's
  /// result will be, whose sizes are only right where the check holds.
  void hoist(Block &inner) {
    SmallVector<Operation *> ops = {nullptr}, checks;      // the start, then each by its number
    llvm::DenseMap<Operation *, unsigned> numbers, places; // places of moved ops are those of what they stand behind
    llvm::DenseMap<Operation *, unsigned> known;           // behind which place arithmetic may stand
    unsigned begin = 0;                                    // of the last of the ops that say what sizes there are
    auto isMovable = [](Operation *op) { return isa<SymbolOp>(op) || host::isArithmetic(op); };
    auto knownOf = [&](ValueRange values) {
      unsigned result = begin;
      for (Value value : values)
        if (Operation *op = value.getDefiningOp(); op && op->getBlock() == &inner)
          result = std::max(result, isMovable(op) ? known[op] : numbers[op]);
      return result;
    };
    for (Operation &op : inner) {
      unsigned number = numbers[&op] = places[&op] = ops.size();
      ops.push_back(&op);
      if (begin + 1 == number && (isa<BindShapeOp>(op) || isMovable(&op)))
        begin = number;
      if (isMovable(&op))
        known[&op] = knownOf(op.getOperands());
      else if (isa<host::CheckEqualOp, host::CheckAtMostOp>(op))
        checks.push_back(&op);
    }
    llvm::DenseMap<unsigned, Operation *> lastBehind; // the last that was moved behind an op
    for (Operation *check : checks) {
      unsigned last = knownOf(check->getOperands());
      llvm::SetVector<Operation *> moved;
      SmallVector<Value> work(check->getOperands());
      while (!work.empty())
        if (Operation *op = work.pop_back_val().getDefiningOp();
            op && op->getBlock() == &inner && isMovable(op) && places[op] > last && moved.insert(op))
          llvm::append_range(work, op->getOperands());
      SmallVector<Operation *> inOrder = moved.takeVector();
      llvm::sort(inOrder, [&](Operation *a, Operation *b) { return numbers[a] < numbers[b]; });
      inOrder.push_back(check);
      Operation *&behind = lastBehind.try_emplace(last, ops[last]).first->second;
      for (Operation *op : inOrder) {
        if (behind)
          op->moveAfter(behind);
        else
          op->moveBefore(&inner, inner.begin());
        behind = op;
        places[op] = last;
      }
    }
  }

  enum class Kind { equal, atMost, broadcast, slice, any };

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  /// Operands and results that share a dimension of the iteration space agree in its size.
  void checkSpace(IndexingMapsInterface op) {
    SmallVector<AffineExpr> space(op.getLoopIterators().size());
    auto visit = [&](Value tensor, AffineMap map) {
      for (auto [size, expression] : llvm::zip(sizes.sizesOf(tensor), map.getResults())) {
        auto dim = dyn_cast<AffineDimExpr>(expression);
        if (!dim)
          continue;
        AffineExpr &known = space[dim.getPosition()];
        if (known)
          expectEqual(size, known, "operands differ in a size that they share");
        else
          known = size;
      }
    };
    for (auto [operand, map] : llvm::zip(op->getOperands(), op.getOperandMaps()))
      visit(operand, map);
    for (auto [result, map] : llvm::zip(op->getResults(), op.getResultMaps()))
      visit(result, map);
  }

  void check(ReshapeOp op) {
    expectEqual(product(sizes.sizesOf(op.getOperand())), product(sizes.sizesOf(op.getResult())),
                "the operand has another number of elements than the shape that it is given");
  }

  /// Sizes of 1 repeat, others stay.
  void check(BroadcastOp op) {
    SmallVector<AffineExpr> from = sizes.sizesOf(op.getOperand()), to = sizes.sizesOf(op.getResult());
    for (auto [dim, size] : llvm::zip(op.getDims(), from)) {
      AffineExpr target = to[dim];
      if (size == target || size == sizes.constant(1) || !isNew(Kind::broadcast, {size, target}))
        continue;
      Value actual = number(size), expected = number(target);
      Value isOne = compare(arith::CmpIPredicate::eq, actual, number(sizes.constant(1)));
      Value fitting = arith::SelectOp::create(builder, loc, isOne, expected, actual);
      host::CheckEqualOp::create(builder, loc, fitting, expected, "a size is neither 1 nor what it is broadcast to");
    }
  }

  /// The first and the last place of each dimension lie in the operand, unless there is none.
  void check(SliceOp op) {
    SmallVector<AffineExpr> whole = sizes.sizesOf(op.getOperand()), extents = sizes.sizesOf(op.getResult());
    SmallVector<AffineExpr> offsets = sizes.expressionsOf(op.getMixedOffsets()),
                            strides = sizes.expressionsOf(op.getMixedStrides());
    for (size_t d = 0; d < whole.size(); ++d) {
      AffineExpr last = sizes.simplify(offsets[d] + (extents[d] - 1) * strides[d]);
      AffineExpr room = sizes.simplify(whole[d] - 1 - last), start = sizes.simplify(offsets[d]);
      bool goesUp = SizeAnalysis::staticSize(strides[d]) >= 0 && isStatic(strides[d]);
      // Forward from a place that is known: only the end is in question.
      if (goesUp && isStatic(start) && isStatic(room) && SizeAnalysis::staticSize(start) >= 0 &&
          SizeAnalysis::staticSize(room) >= 0)
        continue;
      if (!isKnownHere(last) || !isKnownHere(whole[d]) || !isKnownHere(start) || !isKnownHere(extents[d]) ||
          !isNew(Kind::slice, {start, last, whole[d], extents[d]}))
        continue;
      Value zero = number(sizes.constant(0)), first = number(start), end = number(last);
      Value isEmpty = compare(arith::CmpIPredicate::sle, number(extents[d]), zero);
      Value high = arith::MaxSIOp::create(builder, loc, first, end),
            low = arith::MinSIOp::create(builder, loc, first, end);
      Value limit = number(sizes.simplify(whole[d] - 1));
      const char *message = "the slice goes beyond its operand";
      host::CheckAtMostOp::create(builder, loc, arith::SelectOp::create(builder, loc, isEmpty, limit, high), limit,
                                  message);
      host::CheckAtMostOp::create(builder, loc, zero, arith::SelectOp::create(builder, loc, isEmpty, zero, low),
                                  message);
    }
  }

  void check(ConcatOp op) {
    SmallVector<AffineExpr> result = sizes.sizesOf(op.getResult());
    for (Value operand : op.getOperands())
      for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(operand)))
        if (dim != op.getDim())
          expectEqual(size, result[dim], "operands differ in a size that isn't concatenated");
  }

  void check(GatherOp op) { checkBatch(op.getOperand(), op.getIndices(), op.getBatchDims()); }

  void check(ScatterOp op) {
    checkBatch(op.getOperand(), op.getIndices(), op.getBatchDims());
    SmallVector<AffineExpr> expected = sizes.sizesOf(op.getIndices());
    expected.pop_back();
    for (auto [dim, size] : llvm::enumerate(sizes.sizesOf(op.getOperand())))
      if ((int64_t)dim >= (int64_t)op.getBatchDims() && !llvm::is_contained(op.getDims(), (int64_t)dim))
        expected.push_back(size);
    for (auto [size, other] : llvm::zip(sizes.sizesOf(op.getUpdates()), expected))
      expectEqual(size, other, "the updates are of other sizes than the indices and the operand say");
  }

  void checkBatch(Value operand, Value indices, int64_t count) {
    SmallVector<AffineExpr> batch = sizes.sizesOf(indices);
    batch.resize(count);
    for (auto [a, b] : llvm::zip(batch, sizes.sizesOf(operand)))
      expectEqual(a, b, "the indices differ from the operand in a batch dimension");
  }

  void check(TopKOp op) {
    expectAtMost(sizes.expressionsOf(op.getMixedK())[0], sizes.sizesOf(op.getOperand())[op.getDim()],
                 "there are fewer elements than are asked for");
  }

  void check(ConvOp op) {
    expectEqual(sizes.sizesOf(op.getInput())[op.getChannelDim()],
                sizes.simplify(sizes.sizesOf(op.getFilter())[op.getSummedDim()] * (int64_t)op.getGroups()),
                "the input has another number of channels than the filters");
  }

  /// Of no elements none is the largest.
  void check(ArgReduceOp op) {
    AffineExpr size = sizes.sizesOf(op.getOperand())[op.getDim()];
    if (isStatic(size) && SizeAnalysis::staticSize(size) > 0)
      return;
    AffineExpr count = product(sizes.sizesOf(op.getResult()));
    if (!isKnownHere(size) || !isKnownHere(count) || !isNew(Kind::any, {size, count}))
      return;
    Value needed = arith::MinSIOp::create(builder, loc, number(count), number(sizes.constant(1)));
    host::CheckAtMostOp::create(builder, loc, needed, number(size), "there are no elements to choose from");
  }

  void check(ItemOp op) {
    expectAtMost(sizes.constant(op.getPosition() + 1), product(sizes.sizesOf(op.getOperand())),
                 "a size is read beyond the end of its tensor");
  }

  void check(tensor::CastOp op) {
    for (auto [from, to] : llvm::zip(sizes.sizesOf(op.getSource()), sizes.sizesOf(op.getDest())))
      expectEqual(from, to, "a size is not what the model says");
  }

  /// What the graph states itself.
  void check(cf::AssertOp op) {
    auto compare = op.getArg().getDefiningOp<arith::CmpIOp>();
    Value actual, expected;
    if (compare && compare.getPredicate() == arith::CmpIPredicate::eq && compare.getLhs().getType().isIndex()) {
      actual = compare.getLhs(), expected = compare.getRhs();
    } else {
      expected = number(sizes.constant(1));
      actual = arith::SelectOp::create(builder, loc, op.getArg(), expected, number(sizes.constant(0)));
    }
    host::CheckEqualOp::create(builder, loc, actual, expected, op.getMsg());
  }

  //===--------------------------------------------------------------------===//
  // Checks
  //===--------------------------------------------------------------------===//

  void expectEqual(AffineExpr actual, AffineExpr expected, const char *message) {
    actual = sizes.simplify(actual), expected = sizes.simplify(expected);
    if (actual == expected || !isKnownHere(actual) || !isKnownHere(expected))
      return;
    // Either order of the two is one check.
    auto [first, second] = std::minmax(
        actual, expected, [](AffineExpr a, AffineExpr b) { return a.getAsOpaquePointer() < b.getAsOpaquePointer(); });
    if (isNew(Kind::equal, {first, second}))
      host::CheckEqualOp::create(builder, loc, number(actual), number(expected), message);
  }

  void expectAtMost(AffineExpr actual, AffineExpr limit, const char *message) {
    AffineExpr room = sizes.simplify(limit - actual);
    if (isStatic(room) && SizeAnalysis::staticSize(room) >= 0)
      return;
    if (isKnownHere(actual) && isKnownHere(limit) && isNew(Kind::atMost, {actual, limit}))
      host::CheckAtMostOp::create(builder, loc, number(actual), number(limit), message);
  }

  /// Whether a size is a number of the host program where its check would stand: in loops and branches, those from
  /// outside are.
  bool isKnownHere(AffineExpr size) {
    return block == &func.getBody().front() || llvm::all_of(sizes.valuesOf(size), [&](Value value) {
             return value.getType().isIndex() && value.getParentBlock() == &func.getBody().front();
           });
  }

  /// What the function checks on its way to everything else needs no second check.
  bool isNew(Kind kind, std::initializer_list<AffineExpr> about) {
    std::pair<Kind, std::vector<const void *>> key = {kind, {}};
    for (AffineExpr expression : about)
      key.second.push_back(expression.getAsOpaquePointer());
    return block == &func.getBody().front() ? checked.insert(key).second : checked.count(key) == 0;
  }

  static bool isStatic(AffineExpr size) { return isa<AffineConstantExpr>(size); }

  AffineExpr product(ArrayRef<AffineExpr> list) {
    AffineExpr result = sizes.constant(1);
    for (AffineExpr size : list)
      result = result * size;
    return sizes.simplify(result);
  }

  Value number(AffineExpr size) {
    return getValueOrCreateConstantIndexOp(builder, loc, sizes.materialize(builder, loc, size));
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(builder, loc, predicate, a, b);
  }

  func::FuncOp func;
  SizeAnalysis sizes;
  OpBuilder builder;
  Location loc = builder.getUnknownLoc();
  Block *block = nullptr;
  std::set<std::pair<Kind, std::vector<const void *>>> checked; ///< by expressions, which are unique objects
};

struct CheckSizesPass : tile::impl::CheckSizesPassBase<CheckSizesPass> {
  void runOnChecked() override { Checks(getOperation()).run(); }
};
} // namespace
