//===- RecognizeNormalization.cpp - Layer and RMS normalisation, softmax ---===//
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
/// `sqrt(u)`, or its inverse; null if it is neither.
Value radicandOf(Value value, bool isInverse) {
  if (!isInverse) {
    auto root = value.getDefiningOp<SqrtOp>();
    return root ? root.getOperand() : Value();
  }
  if (auto root = value.getDefiningOp<RsqrtOp>())
    return root.getOperand();
  if (auto inverse = value.getDefiningOp<ReciprocalOp>())
    return radicandOf(inverse.getOperand(), false);
  if (auto quotient = value.getDefiningOp<DivOp>(); quotient && numberOf(quotient.getLhs()) == 1.0)
    return radicandOf(quotient.getRhs(), false);
  if (auto power = value.getDefiningOp<PowOp>(); power && numberOf(power.getRhs()) == -0.5)
    return power.getLhs();
  return {};
}

/// `x` of `x * x` or `x ^ 2`.
Value rootOf(Value square) {
  if (auto product = square.getDefiningOp<MulOp>(); product && product.getLhs() == product.getRhs())
    return product.getLhs();
  if (auto power = square.getDefiningOp<PowOp>(); power && numberOf(power.getRhs()) == 2.0)
    return power.getLhs();
  return {};
}

/// `x - mean(x)`: the operand, if the mean is along `dims`.
Value centeredOf(Value value, ArrayRef<int64_t> dims) {
  auto difference = value.getDefiningOp<SubOp>();
  std::optional<Spread> spread = difference ? spreadOf(difference.getRhs()) : std::nullopt;
  if (!spread)
    return {};
  FailureOr<ReduceOp> mean = reductionOf(spread->value, spread->broadcast);
  if (failed(mean) || mean->getCombiner() != Combiner::mean || mean->getOperand() != difference.getLhs() ||
      mean->getDims() != dims)
    return {};
  return difference.getLhs();
}

/// `c / sqrt(mean(c^2) + epsilon)`, where c may be `x - mean(x)`.
LogicalResult recognize(Operation *root, Value centered, Value factor, bool isInverse, PatternRewriter &rewriter) {
  std::optional<Spread> spread = spreadOf(factor);
  Value radicand = spread ? radicandOf(spread->value, isInverse) : Value();
  auto sum = radicand ? radicand.getDefiningOp<AddOp>() : AddOp();
  if (!sum || !factor.hasOneUse() || !radicand.hasOneUse())
    return failure();
  std::optional<double> epsilon;
  FailureOr<ReduceOp> variance = failure();
  eitherOrder(sum, [&](Value mean, Value constant) {
    epsilon = numberOf(constant);
    variance = reductionOf(mean, spread->broadcast);
    return epsilon && *epsilon >= 0 && succeeded(variance);
  });
  if (!epsilon || failed(variance) || variance->getCombiner() != Combiner::mean || !variance->getResult().hasOneUse())
    return failure();
  Value square = variance->getOperand();
  if (rootOf(square) != centered || !square.hasOneUse())
    return failure();
  SmallVector<int64_t> dims(variance->getDims());
  Value x = isUsedBy(centered, {root, square.getDefiningOp()}) ? centeredOf(centered, dims) : Value();
  rewriter.replaceOpWithNewOp<NormalizeOp>(root, root->getResult(0).getType(), x ? x : centered, dims,
                                           APFloat(*epsilon), /*rms=*/!x);
  return success();
}

struct RecognizeQuotient : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    return recognize(op, op.getLhs(), op.getRhs(), /*isInverse=*/false, rewriter);
  }
};

struct RecognizeProduct : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    return success(eitherOrder(op, [&](Value centered, Value factor) {
      return succeeded(recognize(op, centered, factor, /*isInverse=*/true, rewriter));
    }));
  }
};

/// `x` of `x - max(x)` along the dimensions that are found.
Value shiftedOf(Value value, SmallVectorImpl<int64_t> &dims) {
  auto difference = value.getDefiningOp<SubOp>();
  std::optional<Spread> spread = difference ? spreadOf(difference.getRhs()) : std::nullopt;
  if (!spread)
    return {};
  FailureOr<ReduceOp> largest = reductionOf(spread->value, spread->broadcast);
  if (failed(largest) || largest->getCombiner() != Combiner::max || largest->getOperand() != difference.getLhs())
    return {};
  dims.assign(largest->getDims().begin(), largest->getDims().end());
  return difference.getLhs();
}

/// `e^s` of what is summed along `dims` and spread again.
ExpOp summedExponential(Value sum, BroadcastOp broadcast, ArrayRef<int64_t> dims) {
  FailureOr<ReduceOp> reduce = reductionOf(sum, broadcast);
  if (failed(reduce) || reduce->getCombiner() != Combiner::sum || reduce->getDims() != dims ||
      !reduce->getResult().hasOneUse())
    return {};
  return reduce->getOperand().getDefiningOp<ExpOp>();
}

/// `e^(x - max) / sum(e^(x - max))`.
struct RecognizeSoftmax : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    auto exponential = op.getLhs().getDefiningOp<ExpOp>();
    std::optional<Spread> spread = spreadOf(op.getRhs());
    if (!exponential || !spread || !exponential.getOperand().hasOneUse())
      return failure();
    SmallVector<int64_t> dims;
    Value x = shiftedOf(exponential.getOperand(), dims);
    if (!x || summedExponential(spread->value, spread->broadcast, dims) != exponential)
      return failure();
    for (Operation *user : exponential->getUsers())
      if (user != op && !isa<ReduceOp>(user))
        return failure();
    rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getType(), x, dims, /*log=*/false);
    return success();
  }
};

/// `(x - max) - ln(sum(e^(x - max)))`.
struct RecognizeLogSoftmax : OpRewritePattern<SubOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(SubOp op, PatternRewriter &rewriter) const override {
    std::optional<Spread> spread = spreadOf(op.getRhs());
    auto logarithm = spread ? spread->value.getDefiningOp<LogOp>() : LogOp();
    SmallVector<int64_t> dims;
    Value x = logarithm && logarithm.getResult().hasOneUse() ? shiftedOf(op.getLhs(), dims) : Value();
    if (!x)
      return failure();
    ExpOp exponential = summedExponential(logarithm.getOperand(), spread->broadcast, dims);
    if (!exponential || exponential.getOperand() != op.getLhs() || !exponential.getResult().hasOneUse() ||
        !isUsedBy(op.getLhs(), {op, exponential}))
      return failure();
    rewriter.replaceOpWithNewOp<SoftmaxOp>(op, op.getType(), x, dims, /*log=*/true);
    return success();
  }
};
} // namespace

void tenon::populateRecognizeNormalizationPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeQuotient, RecognizeProduct, RecognizeSoftmax, RecognizeLogSoftmax>(patterns.getContext());
}
