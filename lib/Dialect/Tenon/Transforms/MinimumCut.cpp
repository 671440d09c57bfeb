//===- MinimumCut.cpp - The cheapest labelling of a graph with two labels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MinimumCut.h"

#include <algorithm>

using namespace tenon;

void MinimumCut::addCost(unsigned from, unsigned to, int64_t cost) {
  if (from == to || cost <= 0)
    return;
  edges[from].push_back({to, cost, edges[to].size()});
  edges[to].push_back({from, 0, edges[from].size() - 1});
}

/// Numbers nodes by their distance from the first side, along edges with capacity left.
bool MinimumCut::layer() {
  level.assign(edges.size(), -1);
  level[first] = 0;
  std::vector<unsigned> work = {first};
  for (size_t i = 0; i < work.size(); ++i)
    for (const Edge &edge : edges[work[i]])
      if (edge.left > 0 && level[edge.to] < 0) {
        level[edge.to] = level[work[i]] + 1;
        work.push_back(edge.to);
      }
  return level[second] >= 0;
}

/// Sends what is possible along one shortest path. Without recursion: graphs are as deep as models.
int64_t MinimumCut::augment(unsigned start) {
  std::vector<unsigned> path = {start};
  while (path.back() != second) {
    unsigned node = path.back();
    size_t &i = next[node];
    while (i < edges[node].size() && !(edges[node][i].left > 0 && level[edges[node][i].to] == level[node] + 1))
      ++i;
    if (i < edges[node].size()) {
      path.push_back(edges[node][i].to);
    } else {
      if (node == start)
        return 0;
      path.pop_back();
      ++next[path.back()];
    }
  }
  int64_t flow = infinite;
  for (size_t i = 0; i + 1 < path.size(); ++i)
    flow = std::min(flow, edges[path[i]][next[path[i]]].left);
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    Edge &edge = edges[path[i]][next[path[i]]];
    edge.left -= flow;
    edges[edge.to][edge.reverse].left += flow;
  }
  return flow;
}

int64_t MinimumCut::solve() {
  int64_t total = 0;
  while (layer()) {
    next.assign(edges.size(), 0);
    while (int64_t flow = augment(first))
      total += flow;
  }
  return total;
}

std::vector<bool> MinimumCut::secondSide() const {
  // Nodes from which the second side can be reached: all others may as well be on the first.
  std::vector<bool> result(edges.size(), false);
  result[second] = true;
  std::vector<unsigned> work = {second};
  while (!work.empty()) {
    unsigned node = work.back();
    work.pop_back();
    for (const Edge &edge : edges[node])
      if (edges[edge.to][edge.reverse].left > 0 && !result[edge.to]) {
        result[edge.to] = true;
        work.push_back(edge.to);
      }
  }
  return result;
}
