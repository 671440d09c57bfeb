//===- CollapseDims.cpp - Fewer dimensions where they run together ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CollapseDims.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"

#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// Which dimensions of a kernel's tensors are the same dimension of its iteration space.
class Dimensions {
public:
  Dimensions(KernelOp kernel, ArrayRef<SmallVector<bool>> breaks) : kernel(kernel), sizes(kernel.getContext()) {
    Block &body = kernel.getBody().front();
    for (Value argument : body.getArguments().drop_front(kernel.getNumSymbols()))
      add(argument);
    for (Operation &op : body)
      for (Value result : op.getResults())
        if (isa<RankedTensorType>(result.getType()))
          add(result);
    for (Operation &op : body.without_terminator())
      relate(&op);
    relateResults(body);
    SmallVector<Value> tensors(body.getArguments().drop_front(kernel.getNumSymbols()));
    llvm::append_range(tensors, body.getTerminator()->getOperands());
    for (auto [tensor, isBreak] : llvm::zip(tensors, breaks))
      for (size_t dim = 1; dim < isBreak.size(); ++dim)
        if (isBreak[dim])
          separate.push_back(dims[tensor][dim - 1]);
  }

  /// Runs of dimensions that become one, per tensor.
  llvm::MapVector<Value, SmallVector<ReassociationIndices>> runs() {
    DenseMap<int, int> next = successors();
    llvm::MapVector<Value, SmallVector<ReassociationIndices>> result;
    for (auto &[value, ids] : dims) {
      SmallVector<ReassociationIndices> &groups = result[value];
      for (auto [dim, id] : llvm::enumerate(ids)) {
        if (dim > 0 && next.lookup(leader(ids[dim - 1])) == leader(id) + 1)
          groups.back().push_back(dim);
        else
          groups.push_back({(int64_t)dim});
      }
    }
    return result;
  }

private:
  void add(Value value) {
    for (int64_t i = 0; i < cast<RankedTensorType>(value.getType()).getRank(); ++i) {
      classes.insert(count);
      dims[value].push_back(count++);
    }
    dims.try_emplace(value);
  }

  int leader(int id) { return classes.getLeaderValue(id); }

  void unite(Value a, int64_t i, Value b, int64_t j) { classes.unionSets(dims[a][i], dims[b][j]); }

  /// The dimension is read in a way of its own.
  void fix(Value value, int64_t dim) { fixed.push_back(dims[value][dim]); }

  void fixAll(Operation *op) {
    for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
      for (int64_t dim = 0; dim < (int64_t)dims.lookup(value).size(); ++dim)
        fix(value, dim);
  }

  void relate(Operation *op) {
    if (isa<ConstantOp, BindShapeOp>(op) || !isa_and_present<TenonDialect, TileDialect>(op->getDialect()))
      return;
    if (op->hasTrait<OpTrait::Elementwise>() || isa<SoftmaxOp, NormalizeOp>(op)) {
      for (Value operand : op->getOperands())
        for (int64_t dim = 0; dim < (int64_t)dims[operand].size(); ++dim)
          unite(operand, dim, op->getResult(0), dim);
      if (auto softmax = dyn_cast<SoftmaxOp>(op))
        keepApart(op, softmax.getDims());
      if (auto normalize = dyn_cast<NormalizeOp>(op))
        keepApart(op, normalize.getDims());
    } else if (auto maps = dyn_cast<IndexingMapsInterface>(op); maps && isa<ContractOp, ReduceOp, TransposeOp>(op)) {
      relateMaps(maps);
    } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
      SmallVector<AffineExpr> from = sizes.sizesOf(broadcast.getOperand()), to = sizes.sizesOf(broadcast.getResult());
      for (auto [i, dim] : llvm::enumerate(broadcast.getDims())) {
        if (from[i] == to[dim])
          unite(broadcast.getOperand(), i, broadcast.getResult(), dim);
        else
          fix(broadcast.getOperand(), i), fix(broadcast.getResult(), dim);
      }
    } else {
      fixAll(op);
    }
  }

  /// Dimensions that are reduced don't join others.
  void keepApart(Operation *op, ArrayRef<int64_t> reduced) {
    for (int64_t dim : reduced)
      fix(op->getResult(0), dim);
  }

  /// What has the sizes of the iteration space is computed at one place of it, whether it is read together or not.
  void relateResults(Block &body) {
    SmallVector<Value> wholes(body.getTerminator()->getOperands());
    for (Operation &op : body)
      if (reducedDims(&op))
        wholes.push_back(op.getOperand(0));
    for (auto [i, whole] : llvm::enumerate(wholes))
      for (Value other : ArrayRef(wholes).drop_front(i + 1))
        if (sizes.sizesOf(whole) == sizes.sizesOf(other))
          for (int64_t dim = 0; dim < (int64_t)dims[whole].size(); ++dim)
            unite(whole, dim, other, dim);
  }

  void relateMaps(IndexingMapsInterface op) {
    DenseMap<unsigned, int> ids;
    auto visit = [&](Value value, AffineMap map) {
      for (auto [dim, expression] : llvm::enumerate(map.getResults())) {
        unsigned position = cast<AffineDimExpr>(expression).getPosition();
        auto [it, inserted] = ids.try_emplace(position, dims[value][dim]);
        if (!inserted)
          classes.unionSets(it->second, dims[value][dim]);
      }
    };
    for (auto [value, map] : llvm::zip(op->getOperands(), op.getOperandMaps()))
      visit(value, map);
    for (auto [value, map] : llvm::zip(op->getResults(), op.getResultMaps()))
      visit(value, map);
    // A reduction's dimensions are written in its attribute: they stay.
    if (auto reduce = dyn_cast<ReduceOp>(op.getOperation()))
      for (int64_t dim : reduce.getDims())
        fix(reduce.getOperand(), dim);
  }

  /// For each dimension the one that always follows it, plus 1.
  DenseMap<int, int> successors() {
    DenseMap<int, int> next, previous;
    DenseSet<int> apart;
    for (int id : fixed)
      apart.insert(leader(id));
    constexpr int none = -1;
    for (auto &[value, ids] : dims) {
      DenseSet<int> seen;
      for (auto [dim, id] : llvm::enumerate(ids)) {
        int here = leader(id), follows = dim + 1 < ids.size() ? leader(ids[dim + 1]) + 1 : none;
        int precedes = dim > 0 ? leader(ids[dim - 1]) + 1 : none;
        if (!seen.insert(here).second)
          apart.insert(here);
        if (auto [it, inserted] = next.try_emplace(here, follows); !inserted && it->second != follows)
          it->second = none;
        if (auto [it, inserted] = previous.try_emplace(here, precedes); !inserted && it->second != precedes)
          it->second = none;
      }
    }
    // In memory the next dimension isn't next to it.
    for (int id : separate)
      next[leader(id)] = none;
    DenseMap<int, int> result;
    for (auto [id, follows] : next)
      if (follows > 0 && previous.lookup(follows - 1) == id + 1 && !apart.contains(id) &&
          !apart.contains(follows - 1))
        result[id] = follows;
    return result;
  }

  KernelOp kernel;
  SizeAnalysis sizes;
  llvm::MapVector<Value, SmallVector<int>> dims;
  llvm::EquivalenceClasses<int> classes;
  SmallVector<int> fixed, separate;
  int count = 0;
};

using Runs = llvm::MapVector<Value, SmallVector<ReassociationIndices>>;

/// Where a dimension goes.
int64_t newDim(ArrayRef<ReassociationIndices> groups, int64_t dim) {
  for (auto [i, group] : llvm::enumerate(groups))
    if (llvm::is_contained(group, dim))
      return i;
  return -1;
}

RankedTensorType collapsed(RankedTensorType type, ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : groups) {
    int64_t size = 1;
    for (int64_t dim : group)
      size = type.isDynamicDim(dim) || ShapedType::isDynamic(size) ? ShapedType::kDynamic : size * type.getDimSize(dim);
    shape.push_back(size);
  }
  return type.clone(shape);
}

/// Products of sizes over each group.
SmallVector<OpFoldResult> collapsed(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> extents,
                                    ArrayRef<ReassociationIndices> groups) {
  return llvm::map_to_vector(groups, [&](const ReassociationIndices &group) {
    OpFoldResult product = extents[group.front()];
    for (int64_t dim : llvm::drop_begin(group))
      product = affine::makeComposedFoldedAffineApply(
          builder, loc, builder.getAffineSymbolExpr(0) * builder.getAffineSymbolExpr(1), {product, extents[dim]});
    return product;
  });
}

SmallVector<int64_t> collapsed(ArrayRef<int64_t> dims, ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t> result;
  for (int64_t dim : dims)
    if (int64_t target = newDim(groups, dim); !llvm::is_contained(result, target))
      result.push_back(target);
  return result;
}

/// Rewrites the op's attributes and sizes; its types are set by the caller.
void rewrite(Operation *op, const Runs &runs) {
  OpBuilder builder(op);
  auto groupsOf = [&](Value value) { return ArrayRef(runs.find(value)->second); };
  auto setSizes = [&](auto sized, ArrayRef<ReassociationIndices> groups) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(collapsed(builder, op->getLoc(), sized.getMixedSizes(), groups), dynamic, fixed);
    sized.getSizesMutable().assign(dynamic);
    sized.setStaticSizes(fixed);
  };
  if (auto bind = dyn_cast<BindShapeOp>(op)) {
    setSizes(bind, groupsOf(bind.getOperand()));
  } else if (auto broadcast = dyn_cast<BroadcastOp>(op)) {
    setSizes(broadcast, groupsOf(broadcast.getResult()));
    broadcast.setDims(collapsed(broadcast.getDims(), groupsOf(broadcast.getResult())));
  } else if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
    softmax.setDims(collapsed(softmax.getDims(), groupsOf(softmax.getOperand())));
  } else if (auto normalize = dyn_cast<NormalizeOp>(op)) {
    normalize.setDims(collapsed(normalize.getDims(), groupsOf(normalize.getOperand())));
  } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
    reduce.setDims(collapsed(reduce.getDims(), groupsOf(reduce.getOperand())));
  } else if (auto transpose = dyn_cast<TransposeOp>(op)) {
    SmallVector<int64_t> permutation;
    for (const ReassociationIndices &group : groupsOf(transpose.getResult()))
      permutation.push_back(newDim(groupsOf(transpose.getOperand()), transpose.getPermutation()[group.front()]));
    transpose.setPermutation(permutation);
  } else if (auto contract = dyn_cast<ContractOp>(op)) {
    // The first of the dimensions that became one stands for it.
    Value values[] = {contract.getLhs(), contract.getRhs(), contract.getResult()};
    SmallVector<AffineMap> maps = llvm::to_vector(contract.getIndexingMaps().getAsValueRange<AffineMapAttr>());
    SmallVector<bool> stays(maps[0].getNumDims(), false);
    for (auto [value, map] : llvm::zip(values, maps))
      for (const ReassociationIndices &group : groupsOf(value))
        stays[cast<AffineDimExpr>(map.getResult(group.front())).getPosition()] = true;
    SmallVector<unsigned> position(stays.size());
    unsigned count = 0;
    for (auto [i, kept] : llvm::enumerate(stays))
      position[i] = kept ? count++ : 0;
    for (auto [value, map] : llvm::zip(values, maps)) {
      SmallVector<AffineExpr> results;
      for (const ReassociationIndices &group : groupsOf(value))
        results.push_back(builder.getAffineDimExpr(
            position[cast<AffineDimExpr>(map.getResult(group.front())).getPosition()]));
      map = AffineMap::get(count, 0, results, op->getContext());
    }
    contract.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  }
}
} // namespace

std::optional<SmallVector<SmallVector<ReassociationIndices>>> tile::collapseDims(KernelOp kernel,
                                                                                ArrayRef<SmallVector<bool>> breaks) {
  Runs runs = Dimensions(kernel, breaks).runs();
  if (llvm::all_of(runs, [](auto &entry) {
        return (int64_t)entry.second.size() == cast<RankedTensorType>(entry.first.getType()).getRank();
      }))
    return std::nullopt;
  Block &body = kernel.getBody().front();
  // Sizes first, while operands still have their old types.
  for (Operation &op : llvm::make_early_inc_range(body.without_terminator()))
    rewrite(&op, runs);
  SmallVector<SmallVector<ReassociationIndices>> result;
  SmallVector<Type> arguments(kernel.getArgumentTypes().take_front(kernel.getNumSymbols()));
  for (auto &[value, groups] : runs) {
    auto type = collapsed(cast<RankedTensorType>(value.getType()), groups);
    value.setType(type);
    if (auto constant = value.getDefiningOp<ConstantOp>())
      if (auto splat = dyn_cast<DenseElementsAttr>(constant.getValue()))
        constant.setValueAttr(splat.reshape(type));
    if (isa<BlockArgument>(value)) {
      arguments.push_back(type);
      result.push_back(groups);
    }
  }
  SmallVector<Type> results;
  for (Value value : body.getTerminator()->getOperands()) {
    results.push_back(value.getType());
    result.push_back(runs.find(value)->second);
  }
  kernel.setFunctionType(FunctionType::get(kernel.getContext(), arguments, results));
  return result;
}
