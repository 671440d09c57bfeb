//===- NodeOrder.cpp - Nodes after what they use ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NodeOrder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include <algorithm>
#include <queue>
#include <vector>

using namespace llvm;
using namespace tenon::onnx;
using ::onnx::GraphProto;
using ::onnx::NodeProto;

static void addUsedNames(const NodeProto &node, StringSet<> &names);

/// Adds the names that a subgraph takes from around it.
static void addCapturedNames(const GraphProto &graph, StringSet<> &names) {
  StringSet<> used;
  for (const NodeProto &node : graph.node())
    addUsedNames(node, used);
  for (const auto &output : graph.output())
    used.insert(output.name());
  for (const auto &input : graph.input())
    used.erase(input.name());
  for (const auto &tensor : graph.initializer())
    used.erase(tensor.name());
  for (const auto &tensor : graph.sparse_initializer())
    used.erase(tensor.values().name());
  for (const NodeProto &node : graph.node())
    for (const std::string &output : node.output())
      used.erase(output);
  for (const auto &name : used)
    names.insert(name.getKey());
}

static void addUsedNames(const NodeProto &node, StringSet<> &names) {
  for (const std::string &input : node.input())
    names.insert(input);
  for (const auto &attribute : node.attribute()) {
    if (attribute.has_g())
      addCapturedNames(attribute.g(), names);
    for (const GraphProto &graph : attribute.graphs())
      addCapturedNames(graph, names);
  }
}

/// A cycle among nodes of which each needs another one of them.
static void findCycle(ArrayRef<SmallVector<int>> needs, ArrayRef<unsigned> missing, SmallVectorImpl<int> &cycle) {
  int at = find_if(missing, [](unsigned count) { return count > 0; }) - missing.begin();
  std::vector<int> seenAt(missing.size(), -1);
  while (seenAt[at] < 0) {
    seenAt[at] = cycle.size();
    cycle.push_back(at);
    at = *find_if(needs[at], [&](int need) { return missing[need] > 0; });
  }
  cycle.erase(cycle.begin(), cycle.begin() + seenAt[at]);
}

bool tenon::onnx::orderNodes(const NodeList &nodes, SmallVectorImpl<int> &order) {
  StringMap<int> makers;
  for (auto [i, node] : enumerate(nodes))
    for (const std::string &output : node.output())
      if (!output.empty())
        makers.try_emplace(output, i);

  std::vector<SmallVector<int>> needs(nodes.size()), users(nodes.size());
  std::vector<unsigned> missing(nodes.size());
  for (auto [i, node] : enumerate(nodes)) {
    StringSet<> names;
    addUsedNames(node, names);
    for (const auto &name : names)
      if (auto maker = makers.find(name.getKey()); maker != makers.end())
        needs[i].push_back(maker->second);
    // Names come in no order, and cycles are for people to read.
    sort(needs[i]);
    needs[i].erase(llvm::unique(needs[i]), needs[i].end());
    missing[i] = needs[i].size();
    for (int need : needs[i])
      users[need].push_back(i);
  }

  std::priority_queue<int, std::vector<int>, std::greater<int>> ready;
  for (auto [i, count] : enumerate(missing))
    if (count == 0)
      ready.push(i);
  while (!ready.empty()) {
    int node = ready.top();
    ready.pop();
    order.push_back(node);
    for (int user : users[node])
      if (--missing[user] == 0)
        ready.push(user);
  }
  if (order.size() == size_t(nodes.size()))
    return true;
  order.clear();
  findCycle(needs, missing, order);
  return false;
}
