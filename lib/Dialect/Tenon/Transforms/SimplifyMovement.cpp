//===- SimplifyMovement.cpp - Ops that move elements, where sizes or neighbours must be known ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantExpression.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
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

namespace {
/// An op that gives its operand, as an analysis of sizes shows. What shows without one, `fold` does.
template <typename Op> struct RemoveIdentity : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  static bool movesNothing(ReshapeOp op) { return true; }
  static bool movesNothing(BroadcastOp op) { return isIdentityPermutation(op.getDims()); }
  static bool movesNothing(SliceOp op) {
    return llvm::all_of(op.getStaticOffsets(), [](int64_t offset) { return offset == 0; }) &&
           llvm::all_of(op.getStaticStrides(), [](int64_t stride) { return stride == 1; });
  }

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!movesNothing(op) || !haveEqualSizes(op.getOperand(), op.getResult()))
      return failure();
    rewriter.replaceOp(op, op.getOperand());
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

/// Rows of a table that is arithmetic on smaller constants, as embeddings are whose weights a graph widens and scales:
/// the rows are gathered first, and arithmetic is done on those that are read, not on the whole table in each run.
struct GatherBeforeArithmetic : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    auto table = cast<RankedTensorType>(op.getOperand().getType());
    if (op.getBatchDims() != 0 || op.getDims() != ArrayRef<int64_t>{0} || !table.hasStaticShape() ||
        table.getDimSize(0) == 1 || !ConstantExpression::of(op.getOperand()))
      return failure();
    if (isReadOften(op.getType(), table))
      return failure();
    Rows rows(rewriter, op, table.getDimSize(0));
    if (!rows.canGather(op.getOperand()) || !rows.hasTable)
      return failure();
    rewriter.replaceOp(op, rows.gather(op.getOperand()));
    return success();
  }

private:
  /// Whether elements of the table are read more than once on average, and are computed once for that. Of a result of
  /// unknown size it is the elements that there surely are that count, but a table which takes some microseconds isn't
  /// worth what a large result would.
  static bool isReadOften(RankedTensorType result, RankedTensorType table) {
    constexpr int64_t smallTable = 1 << 14;
    int64_t known = 1;
    for (int64_t size : result.getShape())
      known *= ShapedType::isDynamic(size) ? 1 : size;
    return known > table.getNumElements() || (!result.hasStaticShape() && table.getNumElements() <= smallTable);
  }

  /// Rows of tensors that have as many as the table.
  struct Rows {
    OpBuilder &builder;
    GatherOp op;
    int64_t count;
    bool hasTable = false; ///< places out of range are found
    // A value that is read several times is looked at, and gathered, once.
    llvm::DenseMap<Value, bool> gatherable;
    llvm::DenseMap<Value, Value> gathered;

    Rows(OpBuilder &builder, GatherOp op, int64_t count) : builder(builder), op(op), count(count) {}

    static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }
    static bool isSplat(Value value) {
      DenseElementsAttr known;
      return matchPattern(value, m_Constant(&known)) && known.isSplat();
    }
    /// Whether each row of a broadcast's result is of a row of its operand.
    bool hasRows(BroadcastOp broadcast) const {
      return !broadcast.getDims().empty() && broadcast.getDims()[0] == 0 && shapeOf(broadcast.getOperand())[0] == count;
    }

    bool canGather(Value value) {
      if (auto known = gatherable.find(value); known != gatherable.end())
        return known->second;
      bool can = findWhetherGatherable(value);
      gatherable[value] = can;
      return can;
    }
    bool findWhetherGatherable(Value value) {
      if (shapeOf(value).empty() || shapeOf(value)[0] != count)
        return false;
      Operation *defining = value.getDefiningOp();
      if (isa_and_present<ConstantOp>(defining)) {
        hasTable |= !isSplat(value);
        return isSplat(value) || !StorageFormat(getElementTypeOrSelf(value.getType())).sharesBytes();
      }
      if (isa_and_present<ReshapeOp>(defining))
        return canGather(defining->getOperand(0));
      if (auto broadcast = dyn_cast_if_present<BroadcastOp>(defining))
        return hasRows(broadcast) ? canGather(broadcast.getOperand()) : !llvm::is_contained(broadcast.getDims(), 0);
      return defining && defining->hasTrait<OpTrait::Elementwise>() &&
             llvm::all_of(defining->getOperands(), [&](Value operand) { return canGather(operand); });
    }

    Value gather(Value value) {
      if (Value known = gathered.lookup(value))
        return known;
      Value rows = makeGathered(value);
      gathered[value] = rows;
      return rows;
    }
    Value makeGathered(Value value) {
      Operation *defining = value.getDefiningOp();
      RankedTensorType type = typeOf(value);
      if (isSplat(value)) {
        auto scalar = RankedTensorType::get({}, type.getElementType());
        DenseElementsAttr known;
        matchPattern(value, m_Constant(&known));
        return broadcast(ConstantOp::create(builder, value.getLoc(), scalar, known.resizeSplat(scalar)), {}, type);
      }
      if (isa<ConstantOp>(defining))
        return GatherOp::create(builder, op.getLoc(), type, op.getMode(), value, op.getIndices(), op.getDims(), 0);
      if (isa<ReshapeOp>(defining)) {
        SmallVector<int64_t> fixed;
        SmallVector<Value> dynamic;
        dispatchIndexOpFoldResults(sizesOf(type), dynamic, fixed);
        return ReshapeOp::create(builder, value.getLoc(), type, gather(defining->getOperand(0)), dynamic, fixed);
      }
      if (auto repeat = dyn_cast<BroadcastOp>(defining)) {
        int64_t places = op.getIndices().getType().getRank() - 1;
        SmallVector<int64_t> dims;
        if (hasRows(repeat))
          llvm::append_range(dims, llvm::seq<int64_t>(0, places));
        for (int64_t dim : repeat.getDims())
          if (dim != 0)
            dims.push_back(places + dim - 1);
        return broadcast(hasRows(repeat) ? gather(repeat.getOperand()) : repeat.getOperand(), dims, type);
      }
      IRMapping known;
      for (Value operand : defining->getOperands())
        known.map(operand, gather(operand));
      Operation *repeated = builder.clone(*defining, known);
      repeated->getResult(0).setType(type);
      return repeated->getResult(0);
    }

    /// The type of a tensor's rows.
    RankedTensorType typeOf(Value value) {
      SmallVector<int64_t> shape(shapeOf(op.getIndices()).drop_back());
      llvm::append_range(shape, shapeOf(value).drop_front());
      return RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
    }
    SmallVector<OpFoldResult> sizesOf(RankedTensorType type) {
      SizeAnalysis analysis(op.getContext());
      SmallVector<AffineExpr> sizes = analysis.sizesOf(op.getIndices());
      sizes.pop_back();
      for (int64_t size : type.getShape().drop_front(sizes.size()))
        sizes.push_back(analysis.constant(size));
      return analysis.materialize(builder, op.getLoc(), sizes);
    }
    Value broadcast(Value value, ArrayRef<int64_t> dims, RankedTensorType type) {
      SmallVector<int64_t> fixed;
      SmallVector<Value> dynamic;
      dispatchIndexOpFoldResults(sizesOf(type), dynamic, fixed);
      return BroadcastOp::create(builder, op.getLoc(), type, value, dynamic, dims, fixed);
    }
  };
};
} // namespace

void tenon::populateSimplifyMovementPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  ReshapeOp::getCanonicalizationPatterns(patterns, context);
  BroadcastOp::getCanonicalizationPatterns(patterns, context);
  TransposeOp::getCanonicalizationPatterns(patterns, context);
  patterns.add<RemoveIdentity<ReshapeOp>, RemoveIdentity<BroadcastOp>, RemoveIdentity<SliceOp>, ContinueConcat,
               GatherBeforeArithmetic>(context);
}
