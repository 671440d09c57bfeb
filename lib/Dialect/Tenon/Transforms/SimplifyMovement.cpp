//===- SimplifyMovement.cpp - Ops that move elements: those that move none, those in a row ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

/// Whether all sizes are known to agree.
static bool haveEqualSizes(Value a, Value b) {
  auto first = cast<RankedTensorType>(a.getType()), second = cast<RankedTensorType>(b.getType());
  if (first != second)
    return false;
  if (first.hasStaticShape())
    return true;
  SizeAnalysis sizes(a.getContext());
  return sizes.sizesOf(a) == sizes.sizesOf(b);
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  for (auto [i, dim] : llvm::enumerate(permutation))
    if ((int64_t)i != dim)
      return false;
  return true;
}

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
/// An op that gives its operand.
template <typename Op> struct RemoveIdentity : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  static bool changesNothing(TransposeOp op) { return isIdentity(op.getPermutation()); }
  static bool changesNothing(ReshapeOp op) { return haveEqualSizes(op.getOperand(), op.getResult()); }
  static bool changesNothing(BroadcastOp op) {
    return isIdentity(op.getDims()) && haveEqualSizes(op.getOperand(), op.getResult());
  }
  static bool changesNothing(SliceOp op) {
    auto all = [](ArrayRef<int64_t> values, int64_t value) {
      return llvm::all_of(values, [&](int64_t other) { return other == value; });
    };
    return all(op.getStaticOffsets(), 0) && all(op.getStaticStrides(), 1) &&
           haveEqualSizes(op.getOperand(), op.getResult());
  }
  static bool changesNothing(PadOp op) {
    auto zero = [](int64_t amount) { return amount == 0; };
    return llvm::all_of(op.getStaticLow(), zero) && llvm::all_of(op.getStaticHigh(), zero);
  }
  static bool changesNothing(CastOp op) { return true; }
  static bool changesNothing(ConcatOp op) { return op.getOperands().size() == 1; }

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (op->getOperand(0).getType() != op.getType() || !changesNothing(op))
      return failure();
    rewriter.replaceOp(op, op->getOperand(0));
    return success();
  }
};

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
    if (!type.hasStaticShape() || isIdentity(op.getPermutation()))
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

/// A concat that begins with all that another one joins continues it: the parts of dense blocks, each with the outputs
/// of all layers before it, become parts of one buffer.
struct ContinueConcat : OpRewritePattern<ConcatOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConcatOp op, PatternRewriter &rewriter) const override {
    ConcatOp longest;
    for (Operation *user : op.getOperand(0).getUsers()) {
      auto other = dyn_cast<ConcatOp>(user);
      if (!other || other->getBlock() != op->getBlock() || !other->isBeforeInBlock(op) || other.getDim() != op.getDim())
        continue;
      unsigned count = other.getNumOperands();
      if (count > 1 && count < op.getNumOperands() && op.getOperands().take_front(count) == other.getOperands() &&
          (!longest || count > longest.getNumOperands()))
        longest = other;
    }
    if (!longest)
      return failure();
    SmallVector<Value> operands = {longest.getResult()};
    llvm::append_range(operands, op.getOperands().drop_front(longest.getNumOperands()));
    rewriter.replaceOpWithNewOp<ConcatOp>(op, op.getType(), operands, op.getDim());
    return success();
  }
};

/// `x` as a wider type, then back.
struct CastThereAndBack : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool holdsAllOf(Type wide, Type narrow) {
    if (auto a = dyn_cast<FloatType>(wide))
      if (auto b = dyn_cast<FloatType>(narrow))
        return b.getWidth() >= 16 && (a.isF64() || (a.isF32() && b.getWidth() == 16));
    auto a = dyn_cast<IntegerType>(wide), b = dyn_cast<IntegerType>(narrow);
    return a && b && b.getWidth() > 1 && a.getWidth() >= b.getWidth();
  }

  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getOperand().getDefiningOp<CastOp>();
    if (!inner || inner.getOperand().getType() != op.getType() ||
        !holdsAllOf(getElementTypeOrSelf(inner.getType()), getElementTypeOrSelf(op.getType())))
      return failure();
    rewriter.replaceOp(op, inner.getOperand());
    return success();
  }
};
} // namespace

void tenon::populateSimplifyMovementPatterns(RewritePatternSet &patterns) {
  patterns
      .add<RemoveIdentity<TransposeOp>, RemoveIdentity<ReshapeOp>, RemoveIdentity<BroadcastOp>, RemoveIdentity<SliceOp>,
           RemoveIdentity<PadOp>, RemoveIdentity<CastOp>, RemoveIdentity<ConcatOp>, JoinReshapes, JoinTransposes,
           JoinBroadcasts, BroadcastOfReshape, ReshapeOfBroadcast, TransposeOfUnits, ContinueConcat, CastThereAndBack>(
          patterns.getContext());
}
