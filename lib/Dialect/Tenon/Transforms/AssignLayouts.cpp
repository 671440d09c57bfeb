//===- AssignLayouts.cpp - Choose where channels lie, for the whole graph ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MinimumCut.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Layout.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"
#include "tenon/Dialect/Tenon/Transforms/Resolve.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_ASSIGNLAYOUTSPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

namespace {
/// Layouts are the two sides of a cut: channels first on the first one. An op that offers both is a node; the values
/// that a region op passes on (a branch's and its result, a loop's carried ones) are one node together.
class LayoutAssignment {
public:
  LayoutAssignment(func::FuncOp func, const LayoutPrices &prices) : func(func), prices(prices) {}

  /// How many ops have channels last now, of how many that could have.
  std::pair<unsigned, unsigned> run() {
    func.walk<WalkOrder::PreOrder>([&](Operation *op) { addNodes(op); });
    if (nodes.empty())
      return {0, 0};
    for (Value value : values)
      addRelayouts(value);
    cut.solve();
    last = cut.secondSide();
    apply();
    return {llvm::count_if(nodes, [&](auto &entry) { return last[entry.second]; }), nodes.size()};
  }

  unsigned getNumTransposes() const { return relayouts.size(); }

private:
  static bool isImage(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.getRank() >= 3;
  }

  /// Picoseconds: integers, for the cut.
  static int64_t price(double ns) { return (int64_t)std::min(ns * 1000, 1e15); }

  void addNodes(Operation *op) {
    for (Value result : op->getResults())
      if (isImage(result))
        values.push_back(result);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (Value argument : block.getArguments())
          if (isImage(argument))
            values.push_back(argument);
    if (auto branch = dyn_cast<IfOp>(op)) {
      for (Value result : branch.getResults())
        if (isImage(result))
          ties[result] = cut.addNode();
    } else if (auto loop = dyn_cast<LoopOp>(op)) {
      for (auto [carried, argument, result] :
           llvm::zip(loop.getCarried(), loop.getBody().getArguments().drop_front(), loop.getResults()))
        if (isImage(carried)) {
          unsigned node = cut.addNode();
          ties[argument] = node;
          ties[result] = node;
        }
    } else if (auto offer = dyn_cast<LayoutInterface>(op)) {
      auto costFirst = offer.layoutCost(Layout::channelsFirst, prices);
      auto costLast = offer.layoutCost(Layout::channelsLast, prices);
      if (!costFirst || !costLast)
        return;
      unsigned node = cut.addNode();
      nodes.push_back({op, node});
      nodeOf[op] = node;
      cut.addCost(node, MinimumCut::second, price(*costFirst));
      cut.addCost(MinimumCut::first, node, price(*costLast));
    }
  }

  /// The node whose layout a value has.
  unsigned nodeOfValue(Value value) {
    if (auto tie = ties.find(value); tie != ties.end())
      return tie->second;
    auto offer = dyn_cast_if_present<LayoutInterface>(value.getDefiningOp());
    auto found = nodeOf.find(offer);
    bool takes = offer && found != nodeOf.end() && offer.resultTakesLayout(cast<OpResult>(value).getResultNumber());
    return takes ? found->second : MinimumCut::first;
  }

  /// The node whose layout an operand is wanted in.
  unsigned nodeOfUse(OpOperand &use) {
    Operation *user = use.getOwner();
    unsigned number = use.getOperandNumber();
    auto tied = [&](Value value) {
      auto tie = ties.find(value);
      return tie == ties.end() ? MinimumCut::first : tie->second;
    };
    if (auto loop = dyn_cast<LoopOp>(user))
      return number >= 2 ? tied(loop.getResult(number - 2)) : MinimumCut::first;
    if (auto yield = dyn_cast<YieldOp>(user)) {
      if (isa<IfOp>(user->getParentOp()))
        return tied(user->getParentOp()->getResult(number));
      return number == 0 ? MinimumCut::first : tied(user->getParentOp()->getResult(number - 1));
    }
    auto offer = dyn_cast<LayoutInterface>(user);
    auto found = nodeOf.find(user);
    return offer && found != nodeOf.end() && offer.operandTakesLayout(number) ? found->second : MinimumCut::first;
  }

  /// A value is brought into the other layout at most once, for all that want it.
  void addRelayouts(Value value) {
    if (value.getDefiningOp<ConstantOp>())
      return;
    unsigned producer = nodeOfValue(value);
    llvm::SetVector<unsigned> wanted;
    for (OpOperand &use : value.getUses())
      wanted.insert(nodeOfUse(use));
    wanted.remove(producer);
    if (wanted.empty())
      return;
    auto [toLast, toFirst] = relayoutCosts(value, wanted.size() == 1);
    unsigned anyLast = wanted.size() == 1 ? wanted[0] : cut.addNode(), allLast = anyLast;
    if (wanted.size() > 1) {
      allLast = cut.addNode();
      for (unsigned node : wanted) {
        cut.addCost(anyLast, node, MinimumCut::infinite);
        cut.addCost(node, allLast, MinimumCut::infinite);
      }
    }
    cut.addCost(producer, anyLast, toLast);
    cut.addCost(allLast, producer, toFirst);
  }

  /// To channels last and to channels first, where one node or several want that.
  std::pair<int64_t, int64_t> relayoutCosts(Value value, bool isWantedOnce) {
    auto type = cast<RankedTensorType>(value.getType());
    auto isUnit = [](int64_t size) { return size == 1; };
    // Sizes of 1 move for nothing.
    if (type.hasStaticShape() && (type.getDimSize(1) == 1 || llvm::all_of(type.getShape().drop_front(2), isUnit)))
      return {0, 0};
    double elements = countElements(value, prices), toLast = prices.toLast * elements,
           toFirst = prices.toFirst * elements;
    if (auto offer = dyn_cast_if_present<LayoutInterface>(value.getDefiningOp())) {
      unsigned number = cast<OpResult>(value).getResultNumber();
      toLast = offer.resultRelayoutCost(number, Layout::channelsLast, prices);
      if (isWantedOnce)
        toFirst = offer.resultRelayoutCost(number, Layout::channelsFirst, prices);
    }
    return {price(toLast), price(toFirst)};
  }

  //===--------------------------------------------------------------------===//
  // Rewriting
  //===--------------------------------------------------------------------===//

  void apply() {
    DenseMap<Value, bool> isLast;
    for (Value value : values)
      isLast[value] = last[nodeOfValue(value)];
    // What each use wants is asked before anything changes.
    SmallVector<std::pair<OpOperand *, bool>> uses;
    for (Value value : values)
      for (OpOperand &use : value.getUses())
        if (bool wantsLast = last[nodeOfUse(use)]; wantsLast != isLast[value])
          uses.push_back({&use, wantsLast});
    for (Value value : values)
      if (isLast[value])
        value.setType(typeIn(Layout::channelsLast, cast<RankedTensorType>(value.getType())));
    for (auto [use, wantsLast] : uses)
      use->set(relayout(use->get(), wantsLast ? Layout::channelsLast : Layout::channelsFirst));
    for (auto [op, node] : nodes)
      if (last[node]) {
        remark::passed(op->getLoc(), remark::RemarkOpts::name("channels-last").category("tenon-assign-layouts"))
            << remark::metric("op", op->getName().getStringRef());
        OpBuilder builder(op);
        cast<LayoutInterface>(op).setChannelsLast(builder);
      }
  }

  Value relayout(Value value, Layout layout) {
    Value &result = relayouts[value];
    if (result)
      return result;
    OpBuilder builder(func.getContext());
    builder.setInsertionPointAfterValue(value);
    auto type = cast<RankedTensorType>(value.getType());
    SmallVector<int64_t> permutation = permutationTo(layout, type.getRank());
    SmallVector<int64_t> shape = llvm::map_to_vector(permutation, [&](int64_t dim) { return type.getDimSize(dim); });
    remark::analysis(value.getLoc(), remark::RemarkOpts::name("transpose").category("tenon-assign-layouts"))
        << remark::metric("to",
                          layout == Layout::channelsLast ? StringRef("channels last") : StringRef("channels first"));
    return result = TransposeOp::create(builder, value.getLoc(), type.clone(shape), value, permutation);
  }

  func::FuncOp func;
  const LayoutPrices &prices;
  MinimumCut cut;
  SmallVector<Value> values;
  SmallVector<std::pair<Operation *, unsigned>> nodes;
  DenseMap<Operation *, unsigned> nodeOf;
  DenseMap<Value, unsigned> ties;
  DenseMap<Value, Value> relayouts;
  std::vector<bool> last;
};

class AssignLayoutsPass : public tenon::impl::AssignLayoutsPassBase<AssignLayoutsPass> {
public:
  explicit AssignLayoutsPass(LayoutPricesResolver resolver) : resolver(std::move(resolver)) {}
  AssignLayoutsPass(const AssignLayoutsPass &other) : AssignLayoutsPassBase(other), resolver(other.resolver) {}

  void runOnOperation() override {
    FailureOr<LayoutPrices> prices = resolve(getOperation(), resolver, target);
    if (failed(prices))
      return signalPassFailure();
    LayoutAssignment assignment(getOperation(), *prices);
    auto [last, all] = assignment.run();
    if (remarks)
      emitRemark(getOperation().getLoc())
          << "channels last: " << last << " of " << all << " ops, " << assignment.getNumTransposes() << " transposes";
  }

private:
  LayoutPricesResolver resolver;
};
} // namespace

std::unique_ptr<Pass> tenon::createAssignLayoutsPass(LayoutPricesResolver resolver) {
  return std::make_unique<AssignLayoutsPass>(std::move(resolver));
}
