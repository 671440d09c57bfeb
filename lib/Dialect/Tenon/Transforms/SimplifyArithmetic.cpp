//===- SimplifyArithmetic.cpp - Arithmetic that is the same in another form, bit by bit ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

namespace {
/// `x ** 2` is `x * x`, and `x ** 1` is `x`.
struct ExpandPower : OpRewritePattern<PowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(PowOp op, PatternRewriter &rewriter) const override {
    TypedAttr exponent = splatOf(op.getRhs());
    if (!exponent || op.getLhs().getType() != op.getType())
      return failure();
    auto isNumber = [&](int64_t number) {
      if (auto real = dyn_cast<FloatAttr>(exponent))
        return real.getValue().isExactlyValue(number);
      return cast<IntegerAttr>(exponent).getValue() == number;
    };
    if (isNumber(1))
      rewriter.replaceOp(op, op.getLhs());
    else if (isNumber(2))
      rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), op.getLhs(), op.getLhs());
    else
      return failure();
    return success();
  }
};

/// `x / 2^n` is `x * 2^-n`, as long as that is no denormal.
struct DivideByPowerOfTwo : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    auto divisor = dyn_cast_if_present<FloatAttr>(splatOf(op.getRhs()));
    APFloat inverse(0.0);
    if (!divisor || !divisor.getValue().getExactInverse(&inverse) || inverse.isDenormal())
      return failure();
    auto type = RankedTensorType::get({}, divisor.getType());
    Value constant = ConstantOp::create(rewriter, op.getLoc(), type, DenseElementsAttr::get(type, inverse));
    auto shaped = cast<RankedTensorType>(op.getRhs().getType());
    if (auto broadcast = op.getRhs().getDefiningOp<BroadcastOp>())
      constant = BroadcastOp::create(rewriter, op.getLoc(), shaped, constant, broadcast.getSizes(), ArrayRef<int64_t>(),
                                     broadcast.getStaticSizes());
    else
      constant = BroadcastOp::create(rewriter, op.getLoc(), shaped, constant, ValueRange(), ArrayRef<int64_t>(),
                                     shaped.getShape());
    rewriter.replaceOpWithNewOp<MulOp>(op, op.getType(), op.getLhs(), constant);
    return success();
  }
};
/// `(x - a) + b` of integers, of constants that are repeated alike, is `x - (a - b)`.
struct JoinConstantTerms : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    if (!isa<IntegerType>(getElementTypeOrSelf(op.getType())))
      return failure();
    for (auto [sum, term] : {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto sub = sum.getDefiningOp<SubOp>();
      auto first = sub ? sub.getRhs().getDefiningOp<BroadcastOp>() : BroadcastOp();
      auto second = term.getDefiningOp<BroadcastOp>();
      if (!first || !second || !sub->hasOneUse() || sub.getType() != op.getType() ||
          first.getDims() != second.getDims() || first.getType() != second.getType() ||
          first.getOperand().getType() != second.getOperand().getType() ||
          !first.getOperand().getDefiningOp<ConstantOp>() || !second.getOperand().getDefiningOp<ConstantOp>())
        continue;
      Value both = SubOp::create(rewriter, op.getLoc(), first.getOperand(), second.getOperand());
      Value repeated = BroadcastOp::create(rewriter, op.getLoc(), first.getType(), both, first.getSizes(),
                                           first.getDims(), first.getStaticSizes());
      rewriter.replaceOpWithNewOp<SubOp>(op, sub.getLhs(), repeated);
      return success();
    }
    return failure();
  }
};
} // namespace

void tenon::populateSimplifyArithmeticPatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandPower, DivideByPowerOfTwo, JoinConstantTerms>(patterns.getContext());
}
