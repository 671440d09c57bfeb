//===- SimplifyMovement.cpp - Ops that move elements, where sizes or neighbours must be known ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
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

} // namespace

void tenon::populateSimplifyMovementPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  ReshapeOp::getCanonicalizationPatterns(patterns, context);
  BroadcastOp::getCanonicalizationPatterns(patterns, context);
  TransposeOp::getCanonicalizationPatterns(patterns, context);
  patterns.add<RemoveIdentity<ReshapeOp>, RemoveIdentity<BroadcastOp>, RemoveIdentity<SliceOp>, ContinueConcat>(
      context);
}
