//===- TurnedResults.cpp - Results of a contraction whose rows are next to each other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TurnedResults.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

TurnedResults::TurnedResults(ContractionPlan &plan) : b(plan.b), plan(plan) {
  turnedSums = b.scratch({plan.unitColumns, plan.sumsRows}, plan.element);
  run = rowsTogether();
  together = plan.one;
  for (AffineExpr size : ArrayRef(plan.rowSizes).take_back(run))
    together = together * size;
  int64_t rank = plan.turned.getType().getRank();
  SmallVector<AffineExpr> sizes =
      llvm::map_to_vector(b.sizes.sizesOf(plan.turned.getResult()), [&](AffineExpr size) { return b.size(size); });
  for (unsigned dim : ArrayRef(plan.roles.rows).take_back(run))
    sizes[dimOf(dim)] = dim == plan.roles.rows.back() ? together : plan.one;
  for (unsigned i = 0; i < b.results().size(); ++i)
    results.push_back(run == 1
                          ? b.result(i)
                          : b.view(b.result(i), AffineMap::getMultiDimIdentityMap(rank, plan.op.getContext()), sizes));
}

/// The dimension of what is turned that a dimension of the iteration space is.
int64_t TurnedResults::dimOf(unsigned dim) {
  ArrayRef<int64_t> permutation = plan.turned.getPermutation();
  return llvm::find(permutation, (int64_t)*plan.positionIn(2, dim)) - permutation.begin();
}

/// How many of the last dimensions of rows run together in all that has the results' sizes: no op asks for a place
/// along one of them.
int64_t TurnedResults::rowsTogether() {
  SmallVector<AffineExpr> space = b.sizes.sizesOf(plan.turned.getResult());
  int64_t firstFree = 0;
  for (unsigned i = 0; i < b.results().size(); ++i)
    if (b.takesStrides(i))
      return 1;
  for (auto [i, tensor] : llvm::enumerate(b.kernel.getBody().getArguments().drop_front(b.kernel.getNumSymbols())))
    if (b.kernel.takesStrides(i) && b.sizes.sizesOf(tensor) == space)
      return 1;
  for (Operation &other : b.kernel.getBody().front().without_terminator()) {
    if (auto broadcast = dyn_cast<BroadcastOp>(other)) {
      for (int64_t dim : broadcast.getDims())
        firstFree = std::max(firstFree, dim + 1);
    } else if (other.getNumResults() == 1 && isa<RankedTensorType>(other.getResult(0).getType()) &&
               !other.hasTrait<OpTrait::Elementwise>() && !isa<ConstantOp, ContractOp, WindowRowsOp>(other) &&
               &other != plan.turned) {
      return 1;
    }
  }
  int64_t count = 1, rank = plan.roles.rows.size();
  for (int64_t dim = dimOf(plan.roles.rows.back()); dim >= firstFree && count < rank; ++count) {
    int64_t before = dimOf(plan.roles.rows[rank - 1 - count]);
    if (before < firstFree || !areNeighbours(before, dim, plan.turned.getType().getShape()))
      break;
    dim = before;
  }
  return count;
}

void TurnedResults::emit(const ContractionUnit &unit, Value sums) {
  AffineExpr first = plan.hasLines() ? unit.firstLine * *constantOf(plan.length) : unit.firstRow,
             end = first + unit.rows(), width = unit.columns();
  int64_t lanes = plan.vectorLanes;
  b.loop({{plan.zero, unit.rows(), lanes}, {plan.zero, width, lanes}}, [&](TileBuilder::Expressions at) {
    Value block = b.load(sums, {at[0], at[1]}, {lanes, lanes}, {}, {1, 0});
    b.store(block, turnedSums, {at[1], at[0]});
  });
  ArrayRef<AffineExpr> outer = ArrayRef(plan.rowSizes).drop_back(run);
  b.loop({{plan.zero, width}}, [&](TileBuilder::Expressions column) {
    forEachLineOf(b, first, end, together, outer,
                  [&](ArrayRef<AffineExpr> line, AffineExpr start, AffineExpr low, AffineExpr high) {
                    RegisterTile tile{unit};
                    tile.line = SmallVector<AffineExpr>(line);
                    tile.line.append(run - 1, plan.zero);
                    b.tiles(low, high, lanes, [&](AffineExpr row, AffineExpr extent) {
                      Value part = b.load(turnedSums, {column[0], start + row - first}, lanes, extent);
                      emitRun(tile, row, column[0], part, extent);
                    });
                  });
  });
}

/// A vector of rows of one column.
void TurnedResults::emitRun(const RegisterTile &tile, AffineExpr row, AffineExpr column, Value sums,
                            AffineExpr extent) {
  SmallVector<AffineExpr> source = tile.resultPlace(row, tile.unit.column(column)), place;
  for (int64_t dim : plan.turned.getPermutation())
    place.push_back(source[dim]);
  int64_t dim = dimOf(plan.roles.rows.back());
  Value rounded = b.cast(sums, getElementTypeOrSelf(plan.op.getResult()));
  TileBuilder::Known known{plan.turned.getResult(), rounded};
  for (auto [i, result] : llvm::enumerate(b.compute(b.results(), place, plan.vectorLanes, extent, dim, known)))
    b.store(result, results[i], place, extent, dim);
}
