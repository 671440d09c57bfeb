//===- KernelStructure.cpp - The iteration space of a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

/// How far a unit of short rows may exceed that of a long one: no loss of parallelism for the sake of a
/// division.
static constexpr int64_t maxRowsPerBlock = 8;

bool tile::isPlacement(Operation *op) {
  if (isa<PadOp>(op))
    return host::isPlaced(op, 0);
  return isa<ConstantOp, ReshapeOp, SliceOp, ConcatOp, SymbolOp, BindShapeOp, SizeOp, ItemOp, UnpackOp>(op) ||
         !isa<TenonDialect>(op->getDialect());
}

std::optional<ContractionRoles> tile::contractionRoles(ContractOp op) {
  SmallVector<AffineMap> maps = llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  AffineMap lhs = maps[0], rhs = maps[1], result = maps[2];
  auto isF32 = [](Value value) { return getElementTypeOrSelf(value).isF32(); };
  if (!isF32(op.getResult()) || !isF32(op.getLhs()) || !isF32(op.getRhs()) ||
      result.getNumResults() < 1 || rhs.getNumResults() < 1)
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
  bool packed = op.getRhs().getDefiningOp<UnpackOp>();
  if (!packed && cast<AffineDimExpr>(rhs.getResults().back()).getPosition() != roles.column)
    return std::nullopt;
  if (packed && !roles.batch.empty())
    return std::nullopt;
  return roles;
}

std::optional<SmallVector<int64_t>> tile::reducedDims(Operation *op) {
  ArrayRef<int64_t> dims;
  if (auto reduce = dyn_cast<ReduceOp>(op))
    dims = reduce.getDims();
  else if (auto softmax = dyn_cast<SoftmaxOp>(op))
    dims = softmax.getDims();
  else if (auto normalize = dyn_cast<NormalizeOp>(op))
    dims = normalize.getDims();
  else
    return std::nullopt;
  SmallVector<int64_t> result(dims);
  llvm::sort(result);
  return result;
}

bool tile::isOrdered(Operation *op) { return isa<NonZeroOp, ScanOp, ScatterOp, TopKOp>(op); }

SmallVector<int64_t> KernelStructure::kept() const {
  return llvm::to_vector(llvm::make_filter_range(llvm::seq<int64_t>(0, space.size()),
                                                 [&](int64_t dim) { return !isReduced(dim); }));
}

SmallVector<int64_t> KernelStructure::unitDims() const {
  SmallVector<int64_t> result = kept();
  if (turned)
    return result;
  if (!result.empty() && result.back() == (int64_t)space.size() - 1)
    result.pop_back();
  if (kind != elements || space.empty())
    return result;
  // Short rows together make up a unit: finding a unit's place costs divisions.
  int64_t elements = SizeAnalysis::staticSize(space.back());
  while (!result.empty() && !ShapedType::isDynamic(elements) && elements < blockElements) {
    int64_t size = SizeAnalysis::staticSize(space[result.back()]);
    if (ShapedType::isDynamic(size) || elements * size > blockElements * maxRowsPerBlock)
      break;
    elements *= size;
    result.pop_back();
  }
  return result;
}

int64_t KernelStructure::turnedPlaces(int64_t dim) const {
  constexpr int64_t side = 64, mostLanes = 16;
  static_assert(side * side == blockElements);
  int64_t last = space.size() - 1;
  if (dim != turned && dim != last)
    return 1;
  int64_t other = SizeAnalysis::staticSize(space[dim == last ? *turned : last]);
  if (ShapedType::isDynamic(other) || other >= side)
    return side;
  return llvm::alignTo(blockElements / std::max<int64_t>(other, 1), mostLanes);
}

bool KernelStructure::isBlocked() const {
  return kind == elements && !space.empty() && llvm::all_of(ArrayRef(space).drop_back(), [](AffineExpr size) {
           return SizeAnalysis::staticSize(size) == 1;
         });
}

AffineExpr KernelStructure::work(SizeAnalysis &sizes) const {
  if (kind == contraction) {
    ContractionRoles roles = *contractionRoles(contract);
    ContractOp op = contract;
    AffineMap result = cast<AffineMapAttr>(op.getIndexingMaps()[2]).getValue();
    auto product = [&](ArrayRef<unsigned> dims) {
      AffineExpr total = sizes.constant(1);
      for (auto [expression, size] : llvm::zip(result.getResults(), space))
        if (llvm::is_contained(dims, cast<AffineDimExpr>(expression).getPosition()))
          total = total * size;
      return total;
    };
    return product(roles.batch) * space.back().ceilDiv(panelColumns) * product(roles.rows).ceilDiv(blockRows);
  }
  if (isBlocked())
    return space.back().ceilDiv(blockElements);
  AffineExpr total = sizes.constant(1);
  for (int64_t dim : kind == ordered ? kept() : unitDims())
    total = total * (turned ? space[dim].ceilDiv(turnedPlaces(dim)) : space[dim]);
  return total;
}

bool tile::isTurned(TransposeOp op, int64_t dim) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  int64_t last = (int64_t)permutation.size() - 1;
  return last > 0 && dim < last && permutation[dim] == last &&
         isa<BlockArgument>(op.getOperand()) && cast<RankedTensorType>(op.getType()).getElementTypeBitWidth() >= 8;
}

/// The dimension along which transposed operands of the ops lie, of kernels that do little else: each row of a block of
/// vectors is code of its own. It must fill vectors; the last dimension must do so, or be so short that rows of it are
/// written together.
static std::optional<int64_t> turnedDim(ArrayRef<Operation *> ops, ArrayRef<AffineExpr> space, SizeAnalysis &sizes) {
  constexpr int64_t maxOps = 6;
  auto isShort = [](AffineExpr size) {
    int64_t known = SizeAnalysis::staticSize(size);
    return !ShapedType::isDynamic(known) && known < shortRow;
  };
  auto computes = [](Operation *op) { return op->hasTrait<OpTrait::Elementwise>(); };
  if (llvm::count_if(ops, computes) > maxOps || llvm::any_of(ops, llvm::IsaPred<DecomposableInterface>))
    return std::nullopt;
  for (Operation *op : ops)
    if (auto transpose = dyn_cast<TransposeOp>(op))
      for (int64_t dim = 0; dim + 1 < (int64_t)space.size(); ++dim)
        if (isTurned(transpose, dim) && ArrayRef(sizes.sizesOf(transpose.getResult())) == space && !isShort(space[dim]))
          return dim;
  return std::nullopt;
}

KernelStructure tile::structureOf(ArrayRef<Operation *> ops, ValueRange results, SizeAnalysis &sizes) {
  KernelStructure structure;
  structure.space = sizes.sizesOf(results.front());
  for (Operation *op : ops) {
    if (auto dims = reducedDims(op)) {
      structure.kind = KernelStructure::rows;
      structure.reduced = *dims;
      structure.space = sizes.sizesOf(op->getOperand(0));
      break;
    }
    if (isOrdered(op)) {
      structure.kind = KernelStructure::ordered;
      // Rows along the dimension are independent of each other.
      if (auto scan = dyn_cast<ScanOp>(op))
        structure.reduced = {(int64_t)scan.getDim()};
      else if (auto topk = dyn_cast<TopKOp>(op))
        structure.reduced = {(int64_t)topk.getDim()};
      else
        llvm::append_range(
            structure.reduced,
            llvm::seq<int64_t>(0, cast<RankedTensorType>(op->getOperand(0).getType()).getRank()));
      structure.space = sizes.sizesOf(op->getOperand(0));
      break;
    }
    if (auto contract = dyn_cast<ContractOp>(op); contract && contractionRoles(contract)) {
      structure.kind = KernelStructure::contraction;
      structure.contract = contract;
      structure.space = sizes.sizesOf(contract.getResult());
      break;
    }
  }
  if (structure.kind == KernelStructure::elements)
    structure.turned = turnedDim(ops, structure.space, sizes);
  return structure;
}

AffineMap tile::workOf(KernelOp kernel) {
  SizeAnalysis sizes(kernel.getContext());
  Block &body = kernel.getBody().front();
  SmallVector<Operation *> ops;
  for (Operation &op : body.without_terminator())
    ops.push_back(&op);
  AffineExpr work = structureOf(ops, body.getTerminator()->getOperands(), sizes).work(sizes);
  return sizes.mapOf(work, body.getArguments().take_front(kernel.getNumSymbols())).value_or(AffineMap());
}

AffineMap tile::scratchOf(KernelOp kernel) {
  auto ops = kernel.getBody().getOps<TopKOp>();
  if (ops.empty())
    return AffineMap();
  TopKOp op = *ops.begin();
  SizeAnalysis sizes(kernel.getContext());
  AffineExpr row = sizes.sizesOf(op.getOperand())[op.getDim()], k = sizes.sizesOf(op.getValues())[op.getDim()];
  int64_t results = SizeAnalysis::staticSize(k);
  if (!ShapedType::isDynamic(results) && results <= TopKCandidates::mostInserted)
    return AffineMap();
  Type element = cast<RankedTensorType>(op.getOperand().getType()).getElementType();
  int64_t bytes = 2 * (TopKCandidates::keyBytes(element) + TopKCandidates::positionBytes);
  SmallVector<AffineExpr> bounds;
  unsigned symbols = kernel.getNumSymbols();
  for (AffineExpr count : {row, k * TopKCandidates::perResult})
    bounds.push_back(sizes.mapOf((count + TopKCandidates::chunk) * bytes,
                                 kernel.getBody().front().getArguments().take_front(symbols))
                         ->getResult(0));
  return AffineMap::get(0, symbols, bounds, kernel.getContext());
}

Value tile::scratchBytes(OpBuilder &builder, Location loc, AffineMap scratch, ValueRange symbols) {
  return getValueOrCreateConstantIndexOp(
      builder, loc, affine::makeComposedFoldedAffineMin(builder, loc, scratch, getAsOpFoldResult(symbols)));
}
