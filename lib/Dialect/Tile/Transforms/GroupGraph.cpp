//===- GroupGraph.cpp - Which groups of ops need which others ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupGraph.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace tenon::tile;

/// A search gives up beyond so many edges: groups that are so far apart share nothing in a cache any more.
static constexpr unsigned mostEdges = 4096;

GroupGraph::GroupGraph(Block &block) {
  for (Operation &op : block) {
    numbers[&op] = groups.size();
    groups.push_back({{&op}, {}, {}, (unsigned)groups.size()});
  }
  for (unsigned i = 0; i < groups.size(); ++i)
    parents.push_back(i);
  // An op needs what it reads, and what the ops in its regions do.
  for (auto &[op, number] : numbers) {
    llvm::SmallDenseSet<unsigned> sources;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (Operation *source = operand.getDefiningOp(); source && source->getBlock() == &block)
          sources.insert(numbers.lookup(source));
    });
    groups[number].needs.assign(sources.begin(), sources.end());
    llvm::sort(groups[number].needs);
  }
  for (unsigned i = 0; i < groups.size(); ++i)
    for (unsigned source : groups[i].needs)
      groups[source].neededBy.push_back(i);
}

unsigned GroupGraph::leaderOf(unsigned group) {
  while (parents[group] != group)
    group = parents[group] = parents[parents[group]];
  return group;
}

SmallVector<Operation *> GroupGraph::unionOf(Operation *a, Operation *b) {
  SmallVector<Operation *> result;
  auto isBefore = [&](Operation *x, Operation *y) { return numbers.lookup(x) < numbers.lookup(y); };
  ArrayRef<Operation *> first = groupOf(a), second = groupOf(b);
  std::merge(first.begin(), first.end(), second.begin(), second.end(), std::back_inserter(result), isBefore);
  return result;
}

std::optional<SmallVector<unsigned>> GroupGraph::between(unsigned start, unsigned end, Edges edges) {
  auto [low, high] = std::minmax(groups[start].place, groups[end].place);
  SmallVector<unsigned> reached, work{start};
  llvm::DenseSet<unsigned> seen{start};
  unsigned count = 0;
  while (!work.empty()) {
    unsigned group = work.pop_back_val();
    for (unsigned next : groups[group].*edges) {
      if (++count > mostEdges)
        return std::nullopt;
      next = leaderOf(next);
      if (next == end && group != start)
        return std::nullopt;
      unsigned place = groups[next].place;
      if (place <= low || place >= high || !seen.insert(next).second)
        continue;
      reached.push_back(next);
      work.push_back(next);
    }
  }
  return reached;
}

bool GroupGraph::unite(Operation *a, Operation *b) {
  unsigned from = leaderOf(a), to = leaderOf(b);
  if (groups[from].place > groups[to].place)
    std::swap(from, to);
  auto later = between(from, to, &Group::neededBy);
  if (!later)
    return false;
  // Where nothing has to come after the first, the union can take the place of the second, and the other way round.
  unsigned place = groups[to].place;
  if (!later->empty()) {
    auto earlier = between(to, from, &Group::needs);
    if (!earlier)
      return false;
    if (earlier->empty()) {
      place = groups[from].place;
    } else {
      // What the second needs, the union, what needs the first: each in the order that it has.
      auto isBefore = [&](unsigned x, unsigned y) { return groups[x].place < groups[y].place; };
      llvm::sort(*earlier, isBefore);
      llvm::sort(*later, isBefore);
      SmallVector<unsigned> places{groups[from].place, groups[to].place};
      for (unsigned group : llvm::concat<unsigned>(*earlier, *later))
        places.push_back(groups[group].place);
      llvm::sort(places);
      for (auto [group, free] : llvm::zip(*earlier, places))
        groups[group].place = free;
      for (auto [group, free] : llvm::zip(*later, ArrayRef(places).take_back(later->size())))
        groups[group].place = free;
      place = places[earlier->size()];
    }
  }
  SmallVector<Operation *> ops = unionOf(a, b);
  Group &into = groups[to], &gone = groups[from];
  into.ops.assign(ops.begin(), ops.end());
  into.needs.append(gone.needs);
  into.neededBy.append(gone.neededBy);
  into.place = place;
  gone = Group();
  parents[from] = to;
  return true;
}
