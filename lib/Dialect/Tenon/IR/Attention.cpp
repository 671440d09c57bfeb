//===- Attention.cpp - Attention, and what it decomposes to ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeBuilder.h"

#include <limits>

using namespace mlir;
using namespace tenon;

/// The dimensions that the results of a map are.
static SmallVector<unsigned> dimsOf(AffineMap map) {
  return llvm::map_to_vector(map.getResults(),
                             [](AffineExpr result) { return cast<AffineDimExpr>(result).getPosition(); });
}

static SmallVector<AffineMap> mapsOf(AttentionOp op) {
  return llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
}

/// Which operands and results have a dimension.
namespace {
struct Presence {
  bool query, key, value, mask, result;
};
} // namespace

static Presence presenceOf(AttentionOp op, unsigned dim) {
  SmallVector<AffineMap> maps = mapsOf(op);
  auto has = [&](const AffineMap &map) { return llvm::is_contained(dimsOf(map), dim); };
  return {has(maps[0]), has(maps[1]), has(maps[2]), op.getMask() && has(maps[3]), has(maps.back())};
}

static bool isKeyDim(const Presence &in) { return in.key && in.value && !in.query && !in.result; }
static bool isSummed(const Presence &in) { return (in.query || in.key) && !in.value && !in.mask && !in.result; }
static bool isOfScores(const Presence &in) { return in.result && (in.query || in.key); }
static bool isOfValue(const Presence &in) { return in.result && in.value && !in.query && !in.key && !in.mask; }

//===----------------------------------------------------------------------===//
// The iteration space
//===----------------------------------------------------------------------===//

SmallVector<AffineMap> AttentionOp::getOperandMaps() {
  return SmallVector<AffineMap>(ArrayRef(mapsOf(*this)).drop_back());
}

SmallVector<AffineMap> AttentionOp::getResultMaps() { return {mapsOf(*this).back()}; }

SmallVector<utils::IteratorType> AttentionOp::getLoopIterators() {
  AffineMap result = getResultMaps().front();
  SmallVector<utils::IteratorType> iterators(result.getNumDims(), utils::IteratorType::reduction);
  for (unsigned dim : dimsOf(result))
    iterators[dim] = utils::IteratorType::parallel;
  return iterators;
}

unsigned AttentionOp::getKeyDim() {
  unsigned dims = getResultMaps().front().getNumDims();
  return *llvm::find_if(llvm::seq<unsigned>(0, dims), [&](unsigned dim) { return isKeyDim(presenceOf(*this, dim)); });
}

SmallVector<unsigned> AttentionOp::getScoreDims() {
  // Those of the batch first: then each batch's scores are one matrix product.
  SmallVector<unsigned> batch, rest;
  for (unsigned dim : dimsOf(getResultMaps().front()))
    if (Presence in = presenceOf(*this, dim); isOfScores(in))
      (in.query && in.key ? batch : rest).push_back(dim);
  batch.append(rest);
  batch.push_back(getKeyDim());
  return batch;
}

SmallVector<unsigned> AttentionOp::getSummedDims() {
  unsigned dims = getResultMaps().front().getNumDims();
  return llvm::filter_to_vector(llvm::seq<unsigned>(0, dims),
                                [&](unsigned dim) { return isSummed(presenceOf(*this, dim)); });
}

LogicalResult AttentionOp::verify() {
  SmallVector<Value> tensors(getOperands());
  tensors.push_back(getResult());
  if (getIndexingMaps().size() != tensors.size())
    return emitOpError("expects ") << tensors.size() << " indexing maps, one per operand and result, but has "
                                   << getIndexingMaps().size();
  SmallVector<AffineMap> maps = mapsOf(*this);
  unsigned dims = maps.front().getNumDims();
  SmallVector<int64_t> sizes(dims, ShapedType::kDynamic);
  for (auto [i, map, tensor] : llvm::enumerate(maps, tensors)) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (map.getNumDims() != dims || map.getNumSymbols() != 0 || !map.isProjectedPermutation() ||
        map.getNumResults() != type.getRank())
      return emitOpError("expects map ") << i << " to be a projected permutation of " << dims << " dimensions with "
                                         << type.getRank() << " results, but has " << getIndexingMaps()[i];
    for (auto [dim, size] : llvm::zip(dimsOf(map), type.getShape())) {
      if (ShapedType::isDynamic(size))
        continue;
      if (!ShapedType::isDynamic(sizes[dim]) && sizes[dim] != size)
        return emitOpError("expects one size of dimension d") << dim << ", but has " << sizes[dim] << " and " << size;
      sizes[dim] = size;
    }
  }
  unsigned keyDims = 0;
  for (unsigned dim = 0; dim < dims; ++dim) {
    Presence in = presenceOf(*this, dim);
    keyDims += isKeyDim(in);
    if (!isKeyDim(in) && !isSummed(in) && !isOfScores(in) && !isOfValue(in))
      return emitOpError("expects dimension d") << dim << " to be the keys', one that scores sum, or one of the result";
  }
  if (keyDims != 1)
    return emitOpError("expects one dimension in key and value alone, along which the softmax runs, but has ")
           << keyDims;
  Type element = getElementTypeOrSelf(getQuery());
  for (Value tensor : {getKey(), getValue(), getResult()})
    if (getElementTypeOrSelf(tensor) != element)
      return emitOpError("expects query, key, value and result of one element type, but has ")
             << element << " and " << getElementTypeOrSelf(tensor);
  if (Value mask = getMask())
    if (Type type = getElementTypeOrSelf(mask); type != element && !type.isInteger(1))
      return emitOpError("expects a mask of ") << element << " or i1, but has " << type;
  if (getFill() && (!getMask() || !getElementTypeOrSelf(getMask()).isInteger(1)))
    return emitOpError("expects a mask of i1 beside fill");
  return success();
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

namespace {
/// The maps of a contraction over some of the dimensions of attention.
class Dimensions {
public:
  explicit Dimensions(AttentionOp op) : op(op), context(op.getContext()) {
    SmallVector<AffineMap> maps = mapsOf(op);
    sizes.assign(maps.front().getNumDims(), ShapedType::kDynamic);
    SmallVector<Value> tensors(op.getOperands());
    tensors.push_back(op.getResult());
    for (auto [map, tensor] : llvm::zip(maps, tensors))
      for (auto [dim, size] : llvm::zip(dimsOf(map), cast<RankedTensorType>(tensor.getType()).getShape()))
        if (!ShapedType::isDynamic(size))
          sizes[dim] = size;
  }

  RankedTensorType type(ArrayRef<unsigned> dims, Type element) {
    return RankedTensorType::get(llvm::map_to_vector(dims, [&](unsigned dim) { return sizes[dim]; }), element);
  }

  /// Maps from the iteration space of `parallel`, then `summed` dimensions.
  ArrayAttr maps(ArrayRef<unsigned> parallel, ArrayRef<unsigned> summed,
                 std::initializer_list<SmallVector<unsigned>> operands) {
    SmallVector<unsigned> all(parallel);
    all.append(summed.begin(), summed.end());
    SmallVector<AffineMap> result;
    for (ArrayRef<unsigned> dims : operands)
      result.push_back(AffineMap::get(
          all.size(), 0,
          llvm::map_to_vector(
              dims, [&](unsigned dim) { return getAffineDimExpr(llvm::find(all, dim) - all.begin(), context); }),
          context));
    return Builder(context).getAffineMapArrayAttr(result);
  }

private:
  AttentionOp op;
  MLIRContext *context;
  SmallVector<int64_t> sizes;
};
} // namespace

/// A tensor whose dimensions are these of another one, in the order that they have there.
static Value inOrder(OpBuilder &builder, Value tensor, SmallVector<int64_t> &dims) {
  if (llvm::is_sorted(dims))
    return tensor;
  auto permutation = llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
  llvm::sort(permutation, [&](int64_t a, int64_t b) { return dims[a] < dims[b]; });
  llvm::sort(dims);
  auto type = cast<RankedTensorType>(tensor.getType());
  auto shape = llvm::map_to_vector(permutation, [&](int64_t dim) { return type.getDimSize(dim); });
  return TransposeOp::create(builder, tensor.getLoc(), type.clone(shape), tensor, permutation);
}

FailureOr<SmallVector<Value>> AttentionOp::decompose(OpBuilder &builder) {
  CompositeBuilder build(builder, *this);
  Dimensions dimensions(*this);
  SmallVector<AffineMap> maps = mapsOf(*this);
  Value query = build.toCompute(getQuery()), key = build.toCompute(getKey()), value = build.toCompute(getValue());
  Type element = getElementTypeOrSelf(query);
  SmallVector<unsigned> scoreDims = getScoreDims(), resultDims = dimsOf(maps.back());
  Value scores =
      ContractOp::create(builder, getLoc(), dimensions.type(scoreDims, element), query, key,
                         dimensions.maps(scoreDims, getSummedDims(), {dimsOf(maps[0]), dimsOf(maps[1]), scoreDims}));
  if (double scale = getScale().convertToDouble(); scale != 1)
    scores = build.binary<MulOp>(scores, build.splat(scale, scores));
  if (Value mask = getMask()) {
    SmallVector<int64_t> dims = llvm::map_to_vector(
        dimsOf(maps[3]), [&](unsigned dim) { return int64_t(llvm::find(scoreDims, dim) - scoreDims.begin()); });
    mask = inOrder(builder, mask, dims);
    if (getElementTypeOrSelf(mask).isInteger(1)) {
      double fill = getFill() ? getFill()->convertToDouble() : -std::numeric_limits<double>::infinity();
      scores = SelectOp::create(builder, getLoc(), scores.getType(), build.broadcast(mask, dims, scores), scores,
                                build.splat(fill, scores));
    } else {
      scores = build.binary<AddOp>(scores, build.broadcast(build.toCompute(mask), dims, scores));
    }
  }
  Value weights = SoftmaxOp::create(builder, getLoc(), scores.getType(), scores,
                                    ArrayRef<int64_t>(scoreDims.size() - 1), /*log=*/false);
  if (getZeroNan()) {
    auto condition = cast<RankedTensorType>(weights.getType()).clone(builder.getI1Type());
    Value isNaN = IsNanOp::create(builder, getLoc(), condition, weights);
    weights = SelectOp::create(builder, getLoc(), weights.getType(), isNaN, build.splat(0, weights), weights);
  }
  Value result =
      ContractOp::create(builder, getLoc(), dimensions.type(resultDims, element), weights, value,
                         dimensions.maps(resultDims, {getKeyDim()}, {scoreDims, dimsOf(maps[2]), resultDims}));
  return SmallVector<Value>{build.fromCompute(result, getType())};
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonAttention.cpp.inc"
