//===- KernelStructure.cpp - The iteration space of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

bool tile::isPlacement(Operation *op) {
  Role role = roleOf(op);
  return role == Role::placement || role == Role::form || host::isPlaced(op, 0);
}

/// Whether a tensor is a constant, at each launch of a kernel.
static bool isConstant(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto kernel = argument ? dyn_cast<KernelOp>(argument.getOwner()->getParentOp()) : KernelOp();
  return kernel ? (bool)kernel.getArgAttr(argument.getArgNumber(), kConstantAttr)
                : (bool)value.getDefiningOp<ConstantOp>();
}

std::optional<ConstantExpression> tile::columnsExpression(ContractOp op) {
  if (!isa<KernelOp>(op->getParentOp()))
    return constantColumns(op);
  auto isOperand = [](Value value) { return isa<BlockArgument>(value) && isConstant(value); };
  return constantColumns(op, isOperand);
}

std::optional<int64_t> tile::constantDepth(ContractOp op) {
  AffineMap rhs = cast<AffineMapAttr>(op.getIndexingMaps()[1]).getValue(),
            result = cast<AffineMapAttr>(op.getIndexingMaps()[2]).getValue();
  auto kernel = dyn_cast<KernelOp>(op->getParentOp());
  bool isStored = isConstant(op.getRhs()) && (!kernel || isa<BlockArgument>(op.getRhs()));
  if (!(isStored || columnsExpression(op)) || result.getNumResults() == 0 ||
      !cast<RankedTensorType>(op.getRhs().getType()).hasStaticShape() ||
      !llvm::is_contained(rhs.getResults(), result.getResults().back()))
    return std::nullopt;
  // The only one that the result doesn't have.
  std::optional<int64_t> depth;
  for (auto [i, dim] : llvm::enumerate(rhs.getResults()))
    if (!llvm::is_contained(result.getResults(), dim)) {
      if (depth)
        return std::nullopt;
      depth = i;
    }
  return depth;
}

/// Whether products are added in f32: those of narrower floating-point numbers, too.
static bool addsInF32(ContractOp op) {
  return llvm::all_of(ValueRange{op.getLhs(), op.getRhs(), op.getResult()}, [](Value value) {
    Type element = getElementTypeOrSelf(value);
    return element.isF32() || element.isF16() || element.isBF16();
  });
}

/// Whether integers of 8 bits are multiplied, and added in 32 bits: with a constant, which comes in runs of products.
static bool addsBytes(ContractOp op) {
  auto isByte = [](Value value) { return getElementTypeOrSelf(value).isInteger(8); };
  return isByte(op.getLhs()) && isByte(op.getRhs()) && getElementTypeOrSelf(op.getResult()).isSignlessInteger(32) &&
         constantDepth(op);
}

std::optional<ContractionRoles> tile::contractionRoles(ContractOp op) {
  SmallVector<AffineMap> maps = llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  AffineMap lhs = maps[0], rhs = maps[1], result = maps[2];
  if (!(addsInF32(op) || addsBytes(op)) || result.getNumResults() < 1 || rhs.getNumResults() < 1)
    return std::nullopt;
  ContractionRoles roles;
  std::optional<unsigned> depth;
  for (unsigned dim = 0; dim < result.getNumDims(); ++dim) {
    if (result.isFunctionOfDim(dim))
      continue;
    if (depth || !lhs.isFunctionOfDim(dim) || !rhs.isFunctionOfDim(dim))
      return std::nullopt;
    depth = dim;
  }
  if (!depth)
    return std::nullopt;
  roles.depth = *depth;
  roles.column = cast<AffineDimExpr>(result.getResults().back()).getPosition();
  if (lhs.isFunctionOfDim(roles.column) || !rhs.isFunctionOfDim(roles.column))
    return std::nullopt;
  for (AffineExpr expression : result.getResults().drop_back()) {
    unsigned dim = cast<AffineDimExpr>(expression).getPosition();
    (rhs.isFunctionOfDim(dim) ? roles.batch : roles.rows).push_back(dim);
  }
  bool packed = constantDepth(op).has_value();
  if (!packed && cast<AffineDimExpr>(rhs.getResults().back()).getPosition() != roles.column)
    return std::nullopt;
  return roles;
}

SmallVector<int64_t> KernelStructure::kept() const {
  return llvm::to_vector(
      llvm::make_filter_range(llvm::seq<int64_t>(0, space.size()), [&](int64_t dim) { return !isReduced(dim); }));
}

AffineMap tile::workOf(KernelOp kernel) {
  const KernelStrategy *strategy = strategyOf(kernel);
  if (!strategy)
    return AffineMap();
  SizeAnalysis sizes(kernel.getContext());
  AffineExpr work = strategy->structureOf(OpGroup(kernel, sizes)).work;
  auto symbols = kernel.getBody().front().getArguments().take_front(kernel.getNumSymbols());
  return sizes.mapOf(work, symbols).value_or(AffineMap());
}
