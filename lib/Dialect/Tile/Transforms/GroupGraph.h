//===- GroupGraph.h - Which groups of ops need which others ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_DIALECT_TILE_TRANSFORMS_GROUPGRAPH_H
#define TENON_LIB_DIALECT_TILE_TRANSFORMS_GROUPGRAPH_H

#include "mlir/IR/Block.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <optional>

namespace tenon::tile {

/// The ops of a block as groups, each of one op at first. An order in which all groups could be launched is kept as
/// they are united (Pearce and Kelly, A dynamic topological sort algorithm, 2006), so that a union looks only at what
/// comes between the two.
class GroupGraph {
public:
  explicit GroupGraph(mlir::Block &block);

  /// The ops of the group of an op, in order.
  llvm::ArrayRef<mlir::Operation *> groupOf(mlir::Operation *op) { return groups[leaderOf(op)].ops; }
  bool areOne(mlir::Operation *a, mlir::Operation *b) { return leaderOf(a) == leaderOf(b); }
  /// The ops of two groups, in order.
  llvm::SmallVector<mlir::Operation *> unionOf(mlir::Operation *a, mlir::Operation *b);

  /// Makes one group of two. Not so where a group in between needs the one and is needed by the other, or where there
  /// is too much in between to say.
  bool unite(mlir::Operation *a, mlir::Operation *b);

private:
  struct Group {
    llvm::SmallVector<mlir::Operation *, 1> ops;
    llvm::SmallVector<unsigned, 2> needs, neededBy;
    unsigned place; ///< in the order
  };
  using Edges = llvm::SmallVector<unsigned, 2> Group::*;

  unsigned leaderOf(unsigned group);
  unsigned leaderOf(mlir::Operation *op) { return leaderOf(numbers.lookup(op)); }
  /// The groups between two that edges lead to from `start`; none where they lead to `end` by a detour.
  std::optional<llvm::SmallVector<unsigned>> between(unsigned start, unsigned end, Edges edges);

  std::vector<Group> groups;
  std::vector<unsigned> parents;
  llvm::DenseMap<mlir::Operation *, unsigned> numbers;
};

} // namespace tenon::tile

#endif // TENON_LIB_DIALECT_TILE_TRANSFORMS_GROUPGRAPH_H
