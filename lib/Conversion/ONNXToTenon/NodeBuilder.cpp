//===- NodeBuilder.cpp - Graph ops from sizes: result types follow from operand types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"
#include "tenon/Dialect/Tenon/IR/ConstantElements.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

namespace {
/// Mixed sizes in the two lists that ops take.
struct Split {
  Split(Node &node, ArrayRef<AffineExpr> sizes) {
    SmallVector<OpFoldResult> mixed;
    for (AffineExpr size : sizes)
      mixed.push_back(node.materialize(size));
    dispatchIndexOpFoldResults(mixed, dynamic, fixed);
  }
  SmallVector<Value> dynamic;
  SmallVector<int64_t> fixed;
};
} // namespace

RankedTensorType Node::typeFor(Type element, ArrayRef<AffineExpr> list) {
  SmallVector<int64_t> shape;
  for (AffineExpr size : list) {
    size = sizes.simplify(size);
    shape.push_back(SizeAnalysis::staticSize(size));
    if (shape.back() < 0 && isStatic(size)) {
      error() << "gives a negative size, " << shape.back();
      shape.back() = 0;
    }
  }
  if (!areCountable(shape)) {
    error() << "gives more than 2^56 elements";
    shape.assign(shape.size(), 0);
  }
  return RankedTensorType::get(shape, element);
}

/// What builders give once the node has failed, so that nothing goes on with half a result: no elements, in a tensor of
/// the rank and the element type that were asked for.
static Value placeholder(Node &node, Type element, int64_t rank) {
  OpBuilder outside(node.builder.getContext());
  outside.restoreInsertionPoint(node.builder.saveInsertionPoint());
  return tensor::EmptyOp::create(outside, node.loc, SmallVector<int64_t>(std::max<int64_t>(rank, 0), 0), element);
}

Value Node::refine(SizesInterface op) {
  Value result = op->getResult(0);
  failed = failed || mlir::failed(verify(op, /*verifyRecursively=*/false));
  if (failed)
    return placeholder(*this, elementOf(result), rankOf(result));
  Sizes stated = op.resultSizes(sizes, 0);
  for (auto [dim, size] : llvm::enumerate(stated))
    if (!size)
      size = sizes.sizesOf(result)[dim];
  sizes.erase(result);
  result.setType(typeFor(elementOf(result), stated));
  return result;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static Attribute numberAttr(double value, Type element) {
  if (auto type = dyn_cast<FloatType>(element))
    return FloatAttr::get(type, value);
  auto type = cast<IntegerType>(element);
  // Through 64 bits: a double holds no more than 53.
  return IntegerAttr::get(type, APInt(64, (uint64_t)(int64_t)value, /*isSigned=*/true).sextOrTrunc(type.getWidth()));
}

Value Node::scalar(double value, Type element) {
  if (isa<tenon::StringType>(element) && value == 0)
    return constant(DenseStringElementsAttr::get(RankedTensorType::get({}, element), StringRef()));
  if (!isNumber(element)) {
    if (!failed)
      error() << "can't compute with elements of " << element;
    return placeholder(*this, element, 0);
  }
  auto type = RankedTensorType::get({}, element);
  return constant(DenseElementsAttr::get(type, numberAttr(value, element)));
}

Value Node::scalarInteger(int64_t value, Type element) {
  auto type = cast<IntegerType>(element);
  APInt number = APInt(64, value, /*isSigned=*/true).sextOrTrunc(type.getWidth());
  return constant(
      DenseElementsAttr::get(RankedTensorType::get({}, element), Attribute(IntegerAttr::get(type, number))));
}

Value Node::integersConstant(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({(int64_t)values.size()}, builder.getI64Type());
  return constant(DenseElementsAttr::get(type, values));
}

Value Node::numbersConstant(ArrayRef<double> values, Type element) {
  SmallVector<Attribute> elements;
  for (double value : values)
    elements.push_back(numberAttr(value, element));
  return constant(DenseElementsAttr::get(RankedTensorType::get({(int64_t)values.size()}, element), elements));
}

Value Node::splat(double value, Value like) { return broadcast(scalar(value, elementOf(like)), {}, sizesOf(like)); }

Value Node::boolean(bool value) { return scalar(value, builder.getI1Type()); }

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

std::pair<Value, Value> Node::align(Value a, Value b) {
  if (failed)
    return {a, a};
  if (elementOf(a) != elementOf(b)) {
    error() << "expects operands of one element type, but has " << elementOf(a) << " and " << elementOf(b);
    return {a, a};
  }
  if (rankOf(a) == 0 && rankOf(b) != 0)
    a = broadcast(a, {}, sizesOf(b));
  else if (rankOf(b) == 0 && rankOf(a) != 0)
    b = broadcast(b, {}, sizesOf(a));
  return {a, b};
}

Value Node::compare(Predicate predicate, Value a, Value b) {
  std::tie(a, b) = align(a, b);
  return CompareOp::create(builder, loc, typeOf(a).clone(builder.getI1Type()), predicate, a, b);
}

Value Node::select(Value condition, Value x, Value y) {
  if (failed)
    return x;
  std::tie(x, y) = align(x, y);
  if (rankOf(condition) == 0 && rankOf(x) != 0)
    condition = broadcast(condition, {}, sizesOf(x));
  else if (rankOf(x) == 0 && rankOf(condition) != 0) {
    x = broadcast(x, {}, sizesOf(condition));
    y = broadcast(y, {}, sizesOf(condition));
  }
  return SelectOp::create(builder, loc, x.getType(), condition, x, y);
}

Value Node::clamp(Value x, double low, double high) { return binary<MinOp>(binary<MaxOp>(x, low), high); }

Value Node::cast(Value x, Type element, bool saturate) {
  if (elementOf(x) == element)
    return x;
  return CastOp::create(builder, loc, typeOf(x).clone(element), x, saturate);
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

Value Node::reshape(Value x, ArrayRef<AffineExpr> target) {
  if (failed)
    return placeholder(*this, elementOf(x), target.size());
  if (sizesOf(x) == target)
    return x;
  RankedTensorType type = typeFor(elementOf(x), target);
  // A constant is the same bytes under another type.
  auto known = x.getDefiningOp<ConstantOp>();
  if (known && type.hasStaticShape() && type.getNumElements() == typeOf(x).getNumElements())
    if (TypedAttr elements = reshapedElements(known.getValue(), type))
      return constant(elements);
  Split split(*this, target);
  return ReshapeOp::create(builder, loc, type, x, split.dynamic, split.fixed);
}

Value Node::unsqueeze(Value x, ArrayRef<int64_t> dims) {
  if (failed)
    return placeholder(*this, elementOf(x), rankOf(x) + dims.size());
  Sizes result, old = sizesOf(x);
  size_t next = 0;
  for (int64_t i = 0, e = old.size() + dims.size(); i < e; ++i)
    result.push_back(llvm::is_contained(dims, i) ? size(1) : old[next++]);
  return reshape(x, result);
}

Value Node::squeeze(Value x, ArrayRef<int64_t> dims) {
  if (failed)
    return placeholder(*this, elementOf(x), rankOf(x) - dims.size());
  Sizes result;
  for (auto [i, extent] : llvm::enumerate(sizesOf(x))) {
    if (!llvm::is_contained(dims, (int64_t)i))
      result.push_back(extent);
    else if (isStatic(extent) && !isStatic(extent, 1))
      error() << "expects size 1 of dimension " << i << ", but it is " << SizeAnalysis::staticSize(extent);
  }
  return reshape(x, result);
}

Value Node::broadcast(Value x, ArrayRef<int64_t> dims, ArrayRef<AffineExpr> target) {
  if (failed)
    return placeholder(*this, elementOf(x), target.size());
  RankedTensorType type = typeFor(elementOf(x), target);
  if (sizesOf(x) == target)
    return x.getType() == type ? x : tensor::CastOp::create(builder, loc, type, x).getResult();
  Split split(*this, target);
  return BroadcastOp::create(builder, loc, type, x, split.dynamic, dims, split.fixed);
}

Value Node::broadcastTo(Value x, ArrayRef<AffineExpr> target) {
  int64_t first = (int64_t)target.size() - rankOf(x);
  if (first < 0)
    error() << "cannot broadcast rank " << rankOf(x) << " to rank " << target.size();
  if (failed)
    return placeholder(*this, elementOf(x), target.size());
  for (auto [i, from, to] : llvm::enumerate(sizesOf(x), target.drop_front(first)))
    if (isStatic(from) && isStatic(to) && from != to && !isStatic(from, 1)) {
      error() << "cannot broadcast size " << SizeAnalysis::staticSize(from) << " to " << SizeAnalysis::staticSize(to);
      return placeholder(*this, elementOf(x), target.size());
    }
  return broadcast(x, llvm::to_vector(llvm::seq<int64_t>(first, target.size())), target);
}

Value Node::along(Value vector, int64_t dim, Value like) {
  AffineExpr from = sizeOf(vector, 0), to = sizeOf(like, dim);
  if (isStatic(from) && isStatic(to) && from != to && !isStatic(from, 1)) {
    error() << "expects a vector of " << SizeAnalysis::staticSize(to) << ", the size of dimension " << dim
            << ", but has " << SizeAnalysis::staticSize(from);
    return placeholder(*this, elementOf(vector), rankOf(like));
  }
  // One that isn't known to be for all is for each.
  if (!isStatic(from) && from != to)
    vector = withSize(vector, 0, to, "a vector as long as dimension " + Twine(dim));
  return broadcast(vector, {dim}, sizesOf(like));
}

bool Node::broadcastAll(MutableArrayRef<Value> values) {
  auto common = broadcastSizes(values);
  if (!common)
    return false;
  for (Value &value : values)
    value = broadcastTo(value, *common);
  return !failed;
}

Value Node::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, llvm::seq<int64_t>(0, rankOf(x))))
    return x;
  if (failed)
    return placeholder(*this, elementOf(x), permutation.size());
  Sizes result, old = sizesOf(x);
  for (int64_t dim : permutation)
    result.push_back(old[dim]);
  return TransposeOp::create(builder, loc, typeFor(elementOf(x), result), x, permutation);
}

Value Node::moveDim(Value x, int64_t from, int64_t to) {
  if (failed)
    return x;
  SmallVector<int64_t> permutation = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x)));
  permutation.erase(permutation.begin() + from);
  permutation.insert(permutation.begin() + to, from);
  return transpose(x, permutation);
}

Value Node::slice(Value x, ArrayRef<AffineExpr> offsets, ArrayRef<AffineExpr> target, ArrayRef<AffineExpr> strides) {
  if (failed)
    return placeholder(*this, elementOf(x), target.size());
  auto isWhole = [&](auto all) { return isStatic(std::get<0>(all), 0) && isStatic(std::get<1>(all), 1); };
  if (sizesOf(x) == target && llvm::all_of(llvm::zip(offsets, strides), isWhole))
    return x;
  Split from(*this, offsets), count(*this, target), step(*this, strides);
  return SliceOp::create(builder, loc, typeFor(elementOf(x), target), x, from.dynamic, count.dynamic, step.dynamic,
                         from.fixed, count.fixed, step.fixed);
}

Value Node::slice(Value x, int64_t dim, AffineExpr offset, AffineExpr count, int64_t stride) {
  if (failed)
    return x;
  Sizes offsets(rankOf(x), size(0)), target = sizesOf(x), strides(rankOf(x), size(1));
  offsets[dim] = offset;
  target[dim] = count;
  strides[dim] = size(stride);
  return slice(x, offsets, target, strides);
}

Value Node::pad(Value x, Value value, ArrayRef<AffineExpr> low, ArrayRef<AffineExpr> high, PadMode mode) {
  if (failed)
    return x;
  auto isZero = [&](AffineExpr amount) { return isStatic(amount, 0); };
  if (llvm::all_of(low, isZero) && llvm::all_of(high, isZero))
    return x;
  Sizes result = sizesOf(x);
  for (auto [extent, before, after] : llvm::zip(result, low, high))
    extent = extent + before + after;
  Split from(*this, low), to(*this, high);
  return PadOp::create(builder, loc, typeFor(elementOf(x), result), mode, x, value, from.dynamic, to.dynamic,
                       from.fixed, to.fixed);
}

Value Node::concat(ArrayRef<Value> values, int64_t dim) {
  if (values.size() == 1)
    return values.front();
  for (Value value : values)
    if (elementOf(value) != elementOf(values.front())) {
      error() << "expects operands of one element type, but has " << elementOf(values.front()) << " and "
              << elementOf(value);
      return values.front();
    }
  return failed ? values.front() : sized<ConcatOp>(rankOf(values.front()), elementOf(values.front()), values, dim);
}

Value Node::iota(ArrayRef<AffineExpr> target, int64_t dim, Type element) {
  if (failed)
    return placeholder(*this, element, target.size());
  Split split(*this, target);
  return IotaOp::create(builder, loc, typeFor(element, target), split.dynamic, split.fixed, dim);
}

Value Node::fromSizes(ArrayRef<AffineExpr> elements, RankedTensorType type) {
  Split split(*this, elements);
  return FromSizesOp::create(builder, loc, type, split.dynamic, split.fixed);
}

//===----------------------------------------------------------------------===//
// Indexing, reductions, contractions
//===----------------------------------------------------------------------===//

Value Node::gather(Value x, Value indices, ArrayRef<int64_t> dims, int64_t batchDims, IndexMode mode) {
  int64_t rank = rankOf(indices) - 1 + rankOf(x) - batchDims - (int64_t)dims.size();
  if (rank < 0)
    error() << "has indices of too low a rank, " << rankOf(indices);
  if (failed)
    return placeholder(*this, elementOf(x), rank);
  return sized<GatherOp>(rank, elementOf(x), mode, x, indices, dims, batchDims);
}

Value Node::reduce(Combiner combiner, Value x, ArrayRef<int64_t> dims, bool keepDims) {
  if (failed)
    return placeholder(*this, elementOf(x), keepDims ? rankOf(x) : rankOf(x) - (int64_t)dims.size());
  Sizes kept, all = sizesOf(x);
  for (auto [i, extent] : llvm::enumerate(all))
    if (!llvm::is_contained(dims, (int64_t)i))
      kept.push_back(extent);
  Value result = x;
  if (!dims.empty())
    result = ReduceOp::create(builder, loc, typeFor(elementOf(x), kept), combiner, x, dims);
  return keepDims ? unsqueeze(result, dims) : result;
}

/// An operand that is only transposed is taken as it lies: its map says the rest.
static std::pair<Value, SmallVector<unsigned>> lookThrough(Value value, ArrayRef<unsigned> dims) {
  SmallVector<unsigned> result(dims);
  while (auto transpose = value.getDefiningOp<TransposeOp>()) {
    SmallVector<unsigned> before(result);
    for (auto [to, from] : llvm::enumerate(transpose.getPermutation()))
      result[from] = before[to];
    value = transpose.getOperand();
  }
  return {value, result};
}

Value Node::contract(Value a, Value b, unsigned dims, ArrayRef<unsigned> aDims, ArrayRef<unsigned> bDims,
                     ArrayRef<unsigned> resultDims, Type element) {
  if (failed)
    return placeholder(*this, element, resultDims.size());
  auto [lhs, lhsDims] = lookThrough(a, aDims);
  auto [rhs, rhsDims] = lookThrough(b, bDims);
  Sizes space(dims);
  for (auto [value, list] : {std::pair(lhs, ArrayRef(lhsDims)), std::pair(rhs, ArrayRef(rhsDims))})
    for (auto [dim, extent] : llvm::zip(list, sizesOf(value)))
      if (!space[dim] || isStatic(extent))
        space[dim] = extent;
  Sizes result;
  for (unsigned dim : resultDims)
    result.push_back(space[dim]);
  auto map = [&](ArrayRef<unsigned> list) {
    Sizes expressions;
    for (unsigned dim : list)
      expressions.push_back(builder.getAffineDimExpr(dim));
    return AffineMap::get(dims, 0, expressions, builder.getContext());
  };
  ArrayAttr maps = builder.getAffineMapArrayAttr({map(lhsDims), map(rhsDims), map(resultDims)});
  return ContractOp::create(builder, loc, typeFor(element, result), lhs, rhs, maps);
}
