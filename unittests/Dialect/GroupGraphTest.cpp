//===- GroupGraphTest.cpp - Unions of groups, against a search of all paths ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dialect/Tile/Transforms/GroupGraph.h"
#include "Module.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// Whether, with the groups as they are and two of them as one, a path leaves a group and comes back to it.
bool hasCycle(ArrayRef<Operation *> ops, GroupGraph &graph, Operation *a, Operation *b) {
  auto leaderOf = [&](Operation *op) {
    return graph.areOne(op, b) ? graph.groupOf(a).front() : graph.groupOf(op).front();
  };
  DenseMap<Operation *, int> states; // 1 is on the path, 2 is done
  std::function<bool(Operation *)> visit = [&](Operation *leader) {
    states[leader] = 1;
    for (Operation *op : ops)
      if (leaderOf(op) == leader)
        for (Value operand : op->getOperands())
          if (Operation *source = operand.getDefiningOp(); source && leaderOf(source) != leader) {
            int state = states.lookup(leaderOf(source));
            if (state == 1 || (state == 0 && visit(leaderOf(source))))
              return true;
          }
    states[leader] = 2;
    return false;
  };
  for (Operation *op : ops)
    if (!states.lookup(leaderOf(op)) && visit(leaderOf(op)))
      return true;
  return false;
}

TEST(GroupGraph, unitesWhateverMakesNoCycle) {
  std::mt19937 random(0);
  Module empty("");
  OpBuilder builder(&empty.context);
  for (int round = 0; round < 60; ++round) {
    OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
    builder.setInsertionPointToStart(module->getBody());
    SmallVector<Operation *> ops;
    for (int i = 0; i < 24; ++i) {
      SmallVector<Value> operands;
      for (unsigned j = 0; j < random() % 3 && !ops.empty(); ++j)
        operands.push_back(ops[random() % ops.size()]->getResult(0));
      OperationState state(builder.getUnknownLoc(), "test.op", operands, {builder.getIndexType()});
      ops.push_back(builder.create(state));
    }
    GroupGraph graph(*module->getBody());
    for (int i = 0; i < 60; ++i) {
      Operation *a = ops[random() % ops.size()], *b = ops[random() % ops.size()];
      if (graph.areOne(a, b))
        continue;
      bool isPossible = !hasCycle(ops, graph, a, b);
      size_t count = graph.groupOf(a).size() + graph.groupOf(b).size();
      ASSERT_EQ(graph.unite(a, b), isPossible) << "round " << round << ", union " << i;
      ASSERT_EQ(graph.areOne(a, b), isPossible);
      if (isPossible) {
        ArrayRef<Operation *> united = graph.groupOf(a);
        EXPECT_EQ(united.size(), count);
        EXPECT_TRUE(llvm::is_sorted(united, [](Operation *x, Operation *y) { return x->isBeforeInBlock(y); }));
      }
    }
  }
}

TEST(GroupGraph, seesWhatIsReadInRegions) {
  Module given(R"(
    %a = "test.op"() : () -> index
    %b = "test.region"() ({ %inner = "test.op"(%a) : (index) -> index
                            "test.yield"(%inner) : (index) -> () }) : () -> index
    %c = "test.op"(%a, %b) : (index, index) -> index
  )");
  Block &block = *given.module->getBody();
  SmallVector<Operation *> ops = llvm::map_to_vector(block, [](Operation &op) { return &op; });
  GroupGraph graph(block);
  EXPECT_FALSE(graph.unite(ops[0], ops[2]));
  EXPECT_TRUE(graph.unite(ops[1], ops[2]));
  EXPECT_TRUE(graph.unite(ops[0], ops[2]));
}
} // namespace
