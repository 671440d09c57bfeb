//===- Canonicalization.cpp - Folds and canonicalisation patterns of the graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an op's own text and that of its operands' ops show, so that a stock `canonicalize` does it wherever the dialect
// is used. Nothing here computes with constants, which is `tenon-fold-constants`, or asks an analysis. All of it is
// equal bit by bit, on infinities, signed zeros and NaN too.
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tenon;

/// A value that may stand for the result of an op: of the same type. In patterns and types that are being refined
/// operands may be known better than results.
static OpFoldResult asResult(Operation *op, Value value) {
  return value && value.getType() == op->getResult(0).getType() ? OpFoldResult(value) : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

TypedAttr tenon::splatOf(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getOperand();
  auto constant = value.getDefiningOp<ConstantOp>();
  auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!dense || !dense.getElementType().isIntOrFloat() || dense.getNumElements() == 0)
    return {};
  if (!dense.isSplat() && dense.getNumElements() != 1)
    return {};
  return dyn_cast<TypedAttr>(*dense.getValues<Attribute>().begin());
}

namespace {
/// What leaves the other operand as it is.
enum class Neutral { zero, negativeZero, one };
} // namespace

static bool is(TypedAttr value, Neutral neutral) {
  if (auto number = dyn_cast_if_present<FloatAttr>(value)) {
    APFloat x = number.getValue();
    return neutral == Neutral::one ? x.isExactlyValue(1) : x.isZero() && x.isNegative() == (neutral != Neutral::zero);
  }
  auto number = dyn_cast_if_present<IntegerAttr>(value);
  return number && (neutral == Neutral::one ? number.getValue().isOne() : number.getValue().isZero());
}

/// `x op neutral`, and `neutral op x` where the op commutes.
template <typename Op> static OpFoldResult foldNeutral(Op op, Neutral neutral) {
  if (is(splatOf(op.getRhs()), neutral))
    return asResult(op, op.getLhs());
  if (op->template hasTrait<OpTrait::IsCommutative>() && is(splatOf(op.getLhs()), neutral))
    return asResult(op, op.getRhs());
  return {};
}

/// `f(f(x))` where that is `x`.
template <typename Op> static OpFoldResult foldTwice(Op op) {
  auto inner = op.getOperand().template getDefiningOp<Op>();
  return inner ? asResult(op, inner.getOperand()) : OpFoldResult();
}

/// `x op x` where that is `x`.
template <typename Op> static OpFoldResult foldSame(Op op) {
  return op.getLhs() == op.getRhs() ? asResult(op, op.getLhs()) : OpFoldResult();
}

// -0 + 0 is 0: what leaves a float as it is is -0.
OpFoldResult AddOp::fold(FoldAdaptor) { return foldNeutral(*this, Neutral::negativeZero); }
OpFoldResult SubOp::fold(FoldAdaptor) { return foldNeutral(*this, Neutral::zero); }
OpFoldResult MulOp::fold(FoldAdaptor) { return foldNeutral(*this, Neutral::one); }
OpFoldResult DivOp::fold(FoldAdaptor) { return foldNeutral(*this, Neutral::one); }
OpFoldResult NegOp::fold(FoldAdaptor) { return foldTwice(*this); }
OpFoldResult NotOp::fold(FoldAdaptor) { return foldTwice(*this); }
OpFoldResult MinOp::fold(FoldAdaptor) { return foldSame(*this); }
OpFoldResult MaxOp::fold(FoldAdaptor) { return foldSame(*this); }
OpFoldResult AndOp::fold(FoldAdaptor) { return foldSame(*this); }
OpFoldResult OrOp::fold(FoldAdaptor) { return foldSame(*this); }

OpFoldResult SelectOp::fold(FoldAdaptor) {
  return getTrueValue() == getFalseValue() ? asResult(*this, getTrueValue()) : OpFoldResult();
}

/// Whether each value of one type is one of another.
static bool holdsAllOf(Type wide, Type narrow) {
  if (auto a = dyn_cast<FloatType>(wide))
    if (auto b = dyn_cast<FloatType>(narrow))
      return b.getWidth() >= 16 && (a.isF64() || (a.isF32() && b.getWidth() == 16));
  auto a = dyn_cast<IntegerType>(wide), b = dyn_cast<IntegerType>(narrow);
  return a && b && b.getWidth() > 1 && a.getWidth() >= b.getWidth();
}

/// To the type that `x` has, also by way of a wider one.
OpFoldResult CastOp::fold(FoldAdaptor) {
  if (OpFoldResult same = asResult(*this, getOperand()))
    return same;
  auto inner = getOperand().getDefiningOp<CastOp>();
  if (!inner || !holdsAllOf(getElementTypeOrSelf(inner.getType()), getElementTypeOrSelf(getType())))
    return {};
  return asResult(*this, inner.getOperand());
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

OpFoldResult SizeOp::fold(FoldAdaptor) {
  auto type = cast<RankedTensorType>(getOperand().getType());
  if (type.isDynamicDim(getDim()))
    return {};
  return IntegerAttr::get(IndexType::get(getContext()), type.getDimSize(getDim()));
}

/// The sizes that the op which makes a tensor lists, if it does.
static SmallVector<OpFoldResult> listedSizes(Value tensor) {
  Operation *op = tensor.getDefiningOp();
  if (!op)
    return {};
  return llvm::TypeSwitch<Operation *, SmallVector<OpFoldResult>>(op)
      .Case<ReshapeOp, BroadcastOp, SliceOp, IotaOp>([](auto listed) { return listed.getMixedSizes(); })
      .Default(SmallVector<OpFoldResult>());
}

/// Whether sizes that are listed are those of a tensor of the same type: each that isn't static is written as its
/// size, or is the value that its own op lists.
static bool areSizesOf(ArrayRef<OpFoldResult> sizes, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<OpFoldResult> listed = listedSizes(tensor);
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (!type.isDynamicDim(dim))
      continue;
    auto value = dyn_cast<Value>(size);
    auto stated = value ? value.getDefiningOp<SizeOp>() : SizeOp();
    bool isStated = stated && stated.getOperand() == tensor && stated.getDim() == dim;
    if (!isStated && !(value && dim < listed.size() && listed[dim] == size))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Movement of elements that moves none
//===----------------------------------------------------------------------===//

static bool areAll(ArrayRef<int64_t> numbers, int64_t number) {
  return llvm::all_of(numbers, [&](int64_t other) { return other == number; });
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  return isIdentityPermutation(getPermutation()) ? asResult(*this, getOperand()) : OpFoldResult();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  OpFoldResult same = asResult(*this, getOperand());
  return same && areSizesOf(getMixedSizes(), getOperand()) ? same : OpFoldResult();
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  OpFoldResult same = asResult(*this, getOperand());
  return same && isIdentityPermutation(getDims()) && areSizesOf(getMixedSizes(), getOperand()) ? same : OpFoldResult();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  OpFoldResult same = asResult(*this, getOperand());
  bool isWhole = areAll(getStaticOffsets(), 0) && areAll(getStaticStrides(), 1);
  return same && isWhole && areSizesOf(getMixedSizes(), getOperand()) ? same : OpFoldResult();
}

OpFoldResult PadOp::fold(FoldAdaptor) {
  return areAll(getStaticLow(), 0) && areAll(getStaticHigh(), 0) ? asResult(*this, getOperand()) : OpFoldResult();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getOperands().size() == 1 ? asResult(*this, getOperands().front()) : OpFoldResult();
}

//===----------------------------------------------------------------------===//
// Movements in a row
//===----------------------------------------------------------------------===//

/// For sizes that differ from others only by dimensions of size 1 that were added: the place of each
/// dimension of `few` in `many`. With more than one dynamic size it isn't known which is which.
static std::optional<SmallVector<int64_t>> placesAmong(ArrayRef<int64_t> few, ArrayRef<int64_t> many) {
  if (llvm::count(few, ShapedType::kDynamic) > 1 || llvm::count(many, ShapedType::kDynamic) > 1 ||
      llvm::is_contained(few, 0))
    return std::nullopt;
  SmallVector<int64_t> places;
  for (auto [i, size] : llvm::enumerate(many)) {
    if (places.size() < few.size() && few[places.size()] == size)
      places.push_back(i);
    else if (size != 1)
      return std::nullopt;
  }
  return places.size() == few.size() ? std::optional(places) : std::nullopt;
}

namespace {
struct JoinReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<ReshapeOp>();
    if (!inner)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.getOperandMutable().set(inner.getOperand()); });
    return success();
  }
};

struct JoinTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<TransposeOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> permutation;
    for (int64_t dim : op.getPermutation())
      permutation.push_back(inner.getPermutation()[dim]);
    rewriter.replaceOpWithNewOp<TransposeOp>(op, op.getType(), inner.getOperand(), permutation);
    return success();
  }
};

struct JoinBroadcasts : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<BroadcastOp>();
    if (!inner)
      return failure();
    SmallVector<int64_t> dims;
    for (int64_t dim : inner.getDims())
      dims.push_back(op.getDims()[dim]);
    rewriter.modifyOpInPlace(op, [&] {
      op.getOperandMutable().set(inner.getOperand());
      op.setDims(dims);
    });
    return success();
  }
};

/// What is repeated is converted once.
struct CastOfBroadcast : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getOperand().getDefiningOp<BroadcastOp>();
    if (!broadcast)
      return failure();
    auto narrow = cast<RankedTensorType>(broadcast.getOperand().getType());
    auto element = cast<RankedTensorType>(op.getType()).getElementType();
    Value once = CastOp::create(rewriter, op.getLoc(), narrow.clone(element), broadcast.getOperand(), op.getSaturate());
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), once, broadcast.getSizes(), broadcast.getDims(),
                                             broadcast.getStaticSizes());
    return success();
  }
};

/// Broadcast of a reshape that adds or drops dimensions of size 1.
struct BroadcastOfReshape : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getOperand().getDefiningOp<ReshapeOp>();
    if (!reshape)
      return failure();
    ArrayRef<int64_t> from = cast<RankedTensorType>(reshape.getOperand().getType()).getShape();
    ArrayRef<int64_t> to = cast<RankedTensorType>(reshape.getType()).getShape();
    SmallVector<int64_t> dims;
    if (auto added = placesAmong(from, to)) {
      for (int64_t place : *added)
        dims.push_back(op.getDims()[place]);
    } else if (auto kept = placesAmong(to, from)) {
      // A dropped dimension needs a place of its own among those of the result, in order.
      int64_t rank = cast<RankedTensorType>(op.getType()).getRank(), next = 0;
      for (int64_t i = 0, e = from.size(); i < e; ++i) {
        auto found = llvm::find(*kept, i);
        int64_t place = found == kept->end() ? next : op.getDims()[found - kept->begin()];
        if (place < next || place >= rank)
          return failure();
        dims.push_back(place);
        next = place + 1;
      }
    } else {
      return failure();
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getOperandMutable().set(reshape.getOperand());
      op.setDims(dims);
    });
    return success();
  }
};

/// A reshape that adds dimensions of size 1 to a broadcast, or drops some that it made.
struct ReshapeOfBroadcast : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getOperand().getDefiningOp<BroadcastOp>();
    if (!broadcast)
      return failure();
    ArrayRef<int64_t> from = cast<RankedTensorType>(broadcast.getType()).getShape();
    ArrayRef<int64_t> to = cast<RankedTensorType>(op.getType()).getShape();
    SmallVector<int64_t> dims;
    if (auto added = placesAmong(from, to)) {
      for (int64_t dim : broadcast.getDims())
        dims.push_back((*added)[dim]);
    } else if (auto kept = placesAmong(to, from)) {
      for (int64_t dim : broadcast.getDims()) {
        auto found = llvm::find(*kept, dim);
        if (found == kept->end())
          return failure();
        dims.push_back(found - kept->begin());
      }
    } else {
      return failure();
    }
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), broadcast.getOperand(), op.getSizes(), dims,
                                             op.getStaticSizes());
    return success();
  }
};

/// A transpose that only moves dimensions of size 1 is a reshape.
struct TransposeOfUnits : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    if (!type.hasStaticShape() || isIdentityPermutation(op.getPermutation()))
      return failure();
    int64_t last = -1;
    for (auto [size, dim] : llvm::zip(type.getShape(), op.getPermutation())) {
      if (size == 1)
        continue;
      if (dim < last)
        return failure();
      last = dim;
    }
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, type, op.getOperand(), ValueRange(), type.getShape());
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<JoinReshapes, ReshapeOfBroadcast>(context);
}

void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<JoinBroadcasts, BroadcastOfReshape, CastOfBroadcast>(context);
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<JoinTransposes, TransposeOfUnits>(context);
}
