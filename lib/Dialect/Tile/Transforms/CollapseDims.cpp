//===- CollapseDims.cpp - Fewer dimensions where they run together ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CollapseDims.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/KernelDimensions.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace {
/// Runs of dimensions that become one.
class CollapsibleRuns {
public:
  CollapsibleRuns(KernelOp kernel, ArrayRef<SmallVector<bool>> breaks) : dimensions(kernel) {
    Block &body = kernel.getBody().front();
    SmallVector<Value> tensors(body.getArguments().drop_front(kernel.getNumSymbols()));
    llvm::append_range(tensors, body.getTerminator()->getOperands());
    for (auto [tensor, isBreak] : llvm::zip(tensors, breaks))
      for (size_t dim = 1; dim < isBreak.size(); ++dim)
        if (isBreak[dim])
          separate.push_back(dimensions.of(tensor)[dim - 1]);
  }

  llvm::MapVector<Value, SmallVector<ReassociationIndices>> find() {
    DenseMap<int, int> next = successors();
    llvm::MapVector<Value, SmallVector<ReassociationIndices>> result;
    for (Value tensor : dimensions.tensors()) {
      SmallVector<ReassociationIndices> &groups = result[tensor];
      ArrayRef<int> ids = dimensions.of(tensor);
      for (auto [dim, id] : llvm::enumerate(ids)) {
        if (dim > 0 && next.lookup(ids[dim - 1]) == id + 1)
          groups.back().push_back(dim);
        else
          groups.push_back({(int64_t)dim});
      }
    }
    return result;
  }

private:
  /// For each dimension the one that always follows it, plus 1.
  DenseMap<int, int> successors() {
    DenseMap<int, int> next, previous;
    DenseSet<int> repeated;
    constexpr int none = -1;
    for (Value tensor : dimensions.tensors()) {
      DenseSet<int> seen;
      ArrayRef<int> ids = dimensions.of(tensor);
      for (auto [dim, here] : llvm::enumerate(ids)) {
        int follows = dim + 1 < ids.size() ? ids[dim + 1] + 1 : none;
        int precedes = dim > 0 ? ids[dim - 1] + 1 : none;
        if (!seen.insert(here).second)
          repeated.insert(here);
        if (auto [it, inserted] = next.try_emplace(here, follows); !inserted && it->second != follows)
          it->second = none;
        if (auto [it, inserted] = previous.try_emplace(here, precedes); !inserted && it->second != precedes)
          it->second = none;
      }
    }
    // In memory the next dimension isn't next to it.
    for (int id : separate)
      next[id] = none;
    auto staysApart = [&](int id) { return repeated.contains(id) || dimensions.isFixed(id); };
    DenseMap<int, int> result;
    for (auto [id, follows] : next)
      if (follows > 0 && previous.lookup(follows - 1) == id + 1 && !staysApart(id) && !staysApart(follows - 1))
        result[id] = follows;
    return result;
  }

  KernelDimensions dimensions;
  SmallVector<int> separate;
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
        results.push_back(
            builder.getAffineDimExpr(position[cast<AffineDimExpr>(map.getResult(group.front())).getPosition()]));
      map = AffineMap::get(count, 0, results, op->getContext());
    }
    contract.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  }
}
} // namespace

std::optional<SmallVector<SmallVector<ReassociationIndices>>> tile::collapseDims(KernelOp kernel,
                                                                                 ArrayRef<SmallVector<bool>> breaks) {
  Runs runs = CollapsibleRuns(kernel, breaks).find();
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
