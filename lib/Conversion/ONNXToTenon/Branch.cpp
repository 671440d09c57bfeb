//===- Branch.cpp - One of two subgraphs, by a condition ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Branch.h"

#include "Loop.h"
#include "Values.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

/// Each branch whose rank differs doubles what follows it.
static constexpr unsigned maxCopies = 256;

/// What a condition says about sizes, where it says no more than whether two of them are equal.
static std::optional<Equality> equalityOf(SizeAnalysis &sizes, Value condition) {
  bool holds = true;
  Operation *op = condition.getDefiningOp();
  for (; isa_and_present<ReshapeOp, NotOp>(op); op = op->getOperand(0).getDefiningOp())
    holds ^= isa<NotOp>(op);
  auto compare = dyn_cast_if_present<CompareOp>(op);
  if (!compare || (compare.getPredicate() != Predicate::eq && compare.getPredicate() != Predicate::ne))
    return std::nullopt;
  auto a = sizes.elementsOf(compare.getLhs()), b = sizes.elementsOf(compare.getRhs());
  if (!a || !b || a->size() != 1 || b->size() != 1 || !a->front() || !b->front())
    return std::nullopt;
  return Equality{a->front(), b->front(), holds == (compare.getPredicate() == Predicate::eq)};
}

namespace {
/// Converts both subgraphs. Where they differ in the rank of a result, what follows the node becomes part of
/// both, and so on outwards through the branches that hold it, until they agree.
class Branch {
public:
  explicit Branch(Node &node) : node(node), graph(node.graph) {}

  Results convert() {
    if (!setSources())
      return failure();
    equality = equalityOf(node.sizes, node[0]);
    // A condition on sizes that are known leaves one branch; the other need not even make sense.
    if (auto known = knownCondition()) {
      auto reached = graph.convertBlock(*sources[*known ? 0 : 1], {});
      return succeeded(reached) ? resultsOf(*reached) : Results(failure());
    }
    bool failed = false;
    for (size_t i : {0, 1}) {
      arms[i].region = &graph.newRegion();
      auto reached = inside(i, [&] { return graph.convertBlock(*sources[i], {}); });
      failed |= mlir::failed(reached);
      if (succeeded(reached))
        arms[i].reached = *reached;
    }
    if (failed || !checkCounts())
      return failure();
    return join();
  }

private:
  struct Arm {
    Region *region;
    Reached reached;
  };

  bool setSources() {
    sources[0] = node.op.getBody("then_branch"), sources[1] = node.op.getBody("else_branch");
    if (!sources[0] || !sources[1]) {
      node.error() << "expects the subgraphs 'then_branch' and 'else_branch'";
      return false;
    }
    if (!elementOf(node[0]).isInteger(1))
      node.error() << "expects one truth value as condition, but has " << typeOf(node[0]);
    condition = node.single(node[0], "one truth value as condition");
    for (Region *source : sources)
      if (source->front().getNumArguments() != 0)
        node.error() << "expects subgraphs without inputs";
    return !node.hasFailed();
  }

  std::optional<bool> knownCondition() {
    if (auto known = node.constantIntegers(node[0]))
      return known->front() != 0;
    return equality ? graph.isKnown(*equality) : std::nullopt;
  }

  /// Builds at the end of a branch, where its condition holds.
  FailureOr<Reached> inside(size_t i, llvm::function_ref<FailureOr<Reached>()> build) {
    Graph::Inside inside(graph, *arms[i].region);
    if (equality)
      graph.assume({equality->a, equality->b, equality->holds == (i == 0)});
    return build();
  }

  Results resultsOf(const Reached &reached) {
    Results results(reached.values);
    results.of = reached.op;
    return results;
  }

  bool checkCounts() {
    size_t counts[2];
    for (size_t i : {0, 1})
      counts[i] = arms[i].reached.op == node.op ? arms[i].reached.values.size() : node.op->getNumResults();
    if (counts[0] == node.op->getNumResults() && counts[1] == counts[0])
      return true;
    node.error() << "expects " << node.op->getNumResults() << " results of both subgraphs, but has " << counts[0]
                 << " and " << counts[1];
    return false;
  }

  //===--------------------------------------------------------------------===//
  // Branches of different ranks
  //===--------------------------------------------------------------------===//

  Results join() {
    while (true) {
      Operation *ends[] = {arms[0].reached.op, arms[1].reached.op};
      if (ends[0] == ends[1] && !differInRank())
        return build();
      // The one that ended further inside goes on, at one place both do.
      for (size_t i : {0, 1}) {
        if (ends[i] != ends[1 - i] && !ends[1 - i]->isProperAncestor(ends[i]))
          continue;
        std::string error;
        if (succeeded(extend(i, error)))
          continue;
        return error.empty() ? Results(failure()) : refuse(i, error);
      }
    }
  }

  bool differInRank() {
    return llvm::any_of(llvm::zip(arms[0].reached.values, arms[1].reached.values), [](auto pair) {
      auto a = dyn_cast<RankedTensorType>(std::get<0>(pair).getType());
      auto b = dyn_cast<RankedTensorType>(std::get<1>(pair).getType());
      return a && b && a.getElementType() == b.getElementType() && a.getRank() != b.getRank();
    });
  }

  /// Makes what follows an arm's end part of it. In `message` why ONNX gives it no meaning, if so; other
  /// errors are reported.
  LogicalResult extend(size_t i, std::string &message) {
    Reached &reached = arms[i].reached;
    // Nothing follows the function's end, and the values of an iteration have one rank.
    auto end = dyn_cast<NodeOp>(reached.op);
    if (!end || end.getOpType() != "If")
      return reportTypes();
    if (reached.values.size() != end->getNumResults())
      return node.error() << "expects " << end->getNumResults() << " results of the subgraph that holds it, but it has "
                          << reached.values.size();
    if (graph.copies >= maxCopies)
      return node.unsupported() << "its results differ in rank, and what follows them is already there " << graph.copies
                                << " times";
    ++graph.copies;
    SmallVector<Diagnostic> errors;
    unsigned unsupported = graph.unsupported;
    FailureOr<Reached> further = failure();
    {
      ScopedDiagnosticHandler handler(node.builder.getContext(), [&](Diagnostic &error) {
        errors.push_back(std::move(error));
        return success();
      });
      Graph::Copy copy(graph);
      further = inside(i, [&] { return graph.convertAfter(reached); });
    }
    if (succeeded(further)) {
      reached = *further;
      return success();
    }
    if (graph.unsupported == unsupported && !errors.empty()) {
      message = errors.front().str();
      return failure();
    }
    for (Diagnostic &error : errors)
      node.builder.getContext()->getDiagEngine().emit(std::move(error));
    return failure();
  }

  LogicalResult reportTypes() {
    for (auto [a, b] : llvm::zip(arms[0].reached.values, arms[1].reached.values))
      if (auto x = dyn_cast<RankedTensorType>(a.getType()), y = dyn_cast<RankedTensorType>(b.getType());
          x && y && x.getRank() != y.getRank())
        node.unsupported() << "the subgraphs give " << x << " and " << y
                           << " as one result, of different rank or element type";
    return failure();
  }

  /// The condition has to choose the other arm, which takes the node's place.
  Results refuse(size_t i, StringRef message) {
    bool wanted = i == 1;
    OpBuilder &builder = node.builder;
    Value holds;
    auto number = [&](AffineExpr size) {
      return getValueOrCreateConstantIndexOp(builder, node.loc, node.materialize(size));
    };
    if (equality) {
      bool isEqual = equality->holds == wanted;
      holds = arith::CmpIOp::create(builder, node.loc, isEqual ? arith::CmpIPredicate::eq : arith::CmpIPredicate::ne,
                                    number(equality->a), number(equality->b));
      graph.assume({equality->a, equality->b, isEqual});
    } else {
      Value truth =
          ItemOp::create(builder, node.loc, builder.getIndexType(), node.cast(condition, builder.getI64Type()), 0);
      holds = arith::CmpIOp::create(builder, node.loc, arith::CmpIPredicate::eq, truth, number(node.size(wanted)));
    }
    cf::AssertOp::create(builder, node.loc, holds,
                         "what follows the branch that is chosen here has no meaning: " + message.str());
    Arm &other = arms[1 - i];
    builder.getInsertionBlock()->getOperations().splice(builder.getInsertionPoint(),
                                                        other.region->front().getOperations());
    return resultsOf(other.reached);
  }

  //===--------------------------------------------------------------------===//
  // The op
  //===--------------------------------------------------------------------===//

  Results build() {
    for (Arm &arm : arms) {
      Graph::Inside inside(graph, *arm.region);
      tenon::YieldOp::create(node.builder, node.loc, arm.reached.values);
    }
    SmallVector<Type> types;
    SmallVector<Sizes> common;
    for (auto [a, b] : llvm::zip(arms[0].reached.values, arms[1].reached.values)) {
      types.push_back(joinTypes(a.getType(), b.getType()));
      common.emplace_back();
      if (heldType(a.getType()) && types.back())
        continue;
      auto x = dyn_cast<RankedTensorType>(a.getType()), y = dyn_cast<RankedTensorType>(b.getType());
      if (!x || !y)
        return node.unsupported() << "the subgraphs give " << a.getType() << " and " << b.getType() << " as one result";
      if (x.getElementType() != y.getElementType())
        return node.unsupported() << "the subgraphs give " << x << " and " << y
                                  << " as one result, of different rank or element type";
      common.back() = commonSizes(a, b);
      SmallVector<int64_t> shape = llvm::map_to_vector(common.back(), &SizeAnalysis::staticSize);
      types.back() = RankedTensorType::get(shape, x.getElementType());
    }
    auto op = IfOp::create(node.builder, node.loc, types, condition);
    op.getThenRegion().takeBody(*arms[0].region);
    op.getElseRegion().takeBody(*arms[1].region);
    for (auto [result, sizes] : llvm::zip(op.getResults(), common))
      if (isa<RankedTensorType>(result.getType()))
        bindSizes(node, result, sizes);
    return resultsOf({arms[0].reached.op, llvm::to_vector_of<Value>(op.getResults())});
  }

  /// The sizes that both arms give outside of them, null where they differ.
  Sizes commonSizes(Value a, Value b) {
    Sizes sizes = sizesOutside(node, a, *arms[0].region);
    for (auto [size, other] : llvm::zip(sizes, sizesOutside(node, b, *arms[1].region)))
      size = size == other ? size : AffineExpr();
    return sizes;
  }

  Node &node;
  Graph &graph;
  Region *sources[2];
  Arm arms[2];
  Value condition;
  std::optional<Equality> equality;
};
} // namespace

Results onnx::branch(Node &node) { return Branch(node).convert(); }
