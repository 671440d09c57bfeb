//===- MinimumCut.h - The cheapest labelling of a graph with two labels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TENON_TRANSFORMS_MINIMUMCUT_H
#define TENON_LIB_DIALECT_TENON_TRANSFORMS_MINIMUMCUT_H

#include <cstdint>
#include <vector>

namespace tenon {

/// Splits nodes into two sides such that the edges that lead from the first to the second cost least (Dinic 1970).
/// Costs are integers, so that the answer doesn't depend on the order of additions.
class MinimumCut {
public:
  static constexpr unsigned first = 0, second = 1; ///< nodes whose side is known
  static constexpr int64_t infinite = int64_t(1) << 60;

  unsigned addNode() {
    edges.emplace_back();
    return edges.size() - 1;
  }
  /// What it costs that `from` is on the first side and `to` on the second.
  void addCost(unsigned from, unsigned to, int64_t cost);

  /// The least cost.
  int64_t solve();
  /// Whether a node is on the second side; where both sides cost the same, it is on the first.
  std::vector<bool> secondSide() const;

private:
  struct Edge {
    unsigned to;
    int64_t left;   ///< capacity that isn't used
    size_t reverse; ///< place among the other node's edges
  };
  bool layer();
  int64_t augment(unsigned start);

  std::vector<std::vector<Edge>> edges = std::vector<std::vector<Edge>>(2);
  std::vector<int> level;
  std::vector<size_t> next;
};

} // namespace tenon

#endif // TENON_LIB_DIALECT_TENON_TRANSFORMS_MINIMUMCUT_H
