//===- FoldScales.cpp - Factors per channel into the weights before them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace tenon;

namespace {
/// A constant that is the same along all dimensions of a tensor but at most one.
struct PerChannel {
  Value vector;     ///< the constant: of rank 1, or of one element
  int64_t dim = -1; ///< of the tensor, where there is one
};
} // namespace

/// A constant, or what these patterns made of some and constant folding will compute.
static bool isConstant(Value value, int depth = 8) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<ConstantOp>(op))
    return op;
  return depth > 0 && isa<AddOp, SubOp, MulOp, DivOp, BroadcastOp, ReshapeOp>(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) { return isConstant(operand, depth - 1); });
}

/// A constant that was broadcast, or of one element.
static std::optional<PerChannel> perChannel(Value value) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  Value constant = broadcast ? broadcast.getOperand() : value;
  auto type = cast<RankedTensorType>(constant.getType());
  if (!isConstant(constant) || !isa<FloatType>(type.getElementType()) || !type.hasStaticShape())
    return std::nullopt;
  PerChannel channels;
  channels.vector = constant;
  for (auto [i, size] : llvm::enumerate(type.getShape())) {
    if (size == 1)
      continue;
    if (channels.dim != -1)
      return std::nullopt;
    channels.dim = broadcast ? broadcast.getDims()[i] : i;
  }
  return channels;
}

/// The constant over the sizes of a tensor, along one of its dimensions.
static Value spread(OpBuilder &builder, Location loc, const PerChannel &channels, int64_t dim, RankedTensorType type) {
  auto from = cast<RankedTensorType>(channels.vector.getType());
  SmallVector<int64_t> shape, dims;
  if (channels.dim != -1) {
    shape.push_back(from.getNumElements());
    dims.push_back(dim);
  }
  Value vector = channels.vector;
  if (from.getShape() != ArrayRef(shape))
    vector = ReshapeOp::create(builder, loc, RankedTensorType::get(shape, from.getElementType()), vector, ValueRange(),
                               shape);
  return BroadcastOp::create(builder, loc, type, vector, ValueRange(), dims, type.getShape());
}

/// The place among the weights' dimensions of a dimension of the result; nothing if it isn't theirs alone.
static std::optional<int64_t> weightsDim(ConvOp op, int64_t dim, bool) {
  return dim == op.getChannelDim() ? std::optional<int64_t>(op.getFilterDim()) : std::nullopt;
}
static std::optional<int64_t> weightsDim(ContractOp op, int64_t dim, bool weightsFirst) {
  SmallVector<AffineMap> maps = op.getOperandMaps();
  AffineExpr expression = op.getResultMaps()[0].getResult(dim);
  ArrayRef<AffineExpr> weights = maps[weightsFirst ? 0 : 1].getResults();
  if (llvm::is_contained(maps[weightsFirst ? 1 : 0].getResults(), expression))
    return std::nullopt;
  auto found = llvm::find(weights, expression);
  return found == weights.end() ? std::nullopt : std::optional<int64_t>(found - weights.begin());
}

/// A convolution or contraction that nothing else uses, and which of its operands are constant weights.
static Operation *weighted(Value value, unsigned &weights) {
  Operation *op = value.getDefiningOp();
  if (!op || !isa<ConvOp, ContractOp>(op) || !op->hasOneUse())
    return nullptr;
  weights = isConstant(op->getOperand(1)) || !isa<ContractOp>(op) ? 1 : 0;
  auto type = cast<RankedTensorType>(op->getOperand(weights).getType());
  return isConstant(op->getOperand(weights)) && !isConstant(op->getOperand(1 - weights)) &&
                 isa<FloatType>(type.getElementType()) &&
                 type.getElementType() == getElementTypeOrSelf(op->getResult(0).getType())
             ? op
             : nullptr;
}

static std::optional<int64_t> weightsDim(Operation *op, int64_t dim, unsigned weights) {
  if (auto conv = dyn_cast<ConvOp>(op))
    return weightsDim(conv, dim, false);
  return weightsDim(cast<ContractOp>(op), dim, weights == 0);
}

/// Whether a factor can go into the weights.
static bool takes(Operation *op, unsigned weights, const PerChannel &scale) {
  return scale.dim == -1 || weightsDim(op, scale.dim, weights).has_value();
}

namespace {
/// `contract(x, w) * s` is `contract(x, w * s)`; so is division by s.
template <typename Op> struct ScaleIntoWeights : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value product = op.getLhs(), factor = op.getRhs();
    if (std::is_same_v<Op, MulOp> && !isa_and_nonnull<ConvOp, ContractOp>(product.getDefiningOp()))
      std::swap(product, factor);
    unsigned weights;
    Operation *producer = weighted(product, weights);
    std::optional<PerChannel> scale = perChannel(factor);
    if (!producer || !scale || !takes(producer, weights, *scale) || !scale->vector.getDefiningOp<ConstantOp>())
      return failure();
    auto type = cast<RankedTensorType>(producer->getOperand(weights).getType());
    if (getElementTypeOrSelf(factor.getType()) != type.getElementType())
      return failure();
    rewriter.setInsertionPoint(producer);
    // The factor may be defined between the two.
    PerChannel local = *scale;
    local.vector = rewriter.clone(*scale->vector.getDefiningOp())->getResult(0);
    int64_t dim = scale->dim == -1 ? -1 : *weightsDim(producer, scale->dim, weights);
    Value wide = spread(rewriter, op.getLoc(), local, dim, type);
    Value scaled = Op::create(rewriter, op.getLoc(), type, producer->getOperand(weights), wide);
    rewriter.modifyOpInPlace(producer, [&] { producer->setOperand(weights, scaled); });
    rewriter.replaceOp(op, product);
    return success();
  }
};

/// `(contract(x, w) + b) * s` is `contract(x, w) * s + b * s`, b and s constants along the same dimension.
struct ScalePastBias : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (bool swapped : {false, true}) {
      Value sum = swapped ? op.getRhs() : op.getLhs(), factor = swapped ? op.getLhs() : op.getRhs();
      Operation *adds = sum.getDefiningOp();
      std::optional<PerChannel> scale = perChannel(factor);
      if (!isa_and_nonnull<AddOp, SubOp>(adds) || !adds->hasOneUse() || !scale)
        continue;
      unsigned weights, position = weighted(adds->getOperand(0), weights) ? 0 : 1;
      Operation *producer = weighted(adds->getOperand(position), weights);
      std::optional<PerChannel> bias = perChannel(adds->getOperand(1 - position));
      if (!producer || !bias || !takes(producer, weights, *scale) ||
          (bias->dim != scale->dim && bias->dim != -1 && scale->dim != -1))
        continue;
      auto resultType = cast<RankedTensorType>(op.getType());
      auto like = adds->getOperand(1 - position).getDefiningOp<BroadcastOp>();
      like = like ? like : factor.getDefiningOp<BroadcastOp>();
      if (!like && !resultType.hasStaticShape())
        continue;
      // What both are spread over: the dimension of either.
      auto vectorOf = [](const PerChannel &channels) { return cast<RankedTensorType>(channels.vector.getType()); };
      const PerChannel &longer = bias->dim != -1 ? *bias : *scale;
      SmallVector<int64_t> shape, dims;
      if (longer.dim != -1) {
        shape.push_back(vectorOf(longer).getNumElements());
        dims.push_back(longer.dim);
      }
      auto vectorType = RankedTensorType::get(shape, vectorOf(longer).getElementType());
      Value b = spread(rewriter, op.getLoc(), *bias, 0, vectorType);
      Value s = spread(rewriter, op.getLoc(), *scale, 0, vectorType);
      Value product = MulOp::create(rewriter, op.getLoc(), vectorType, b, s);
      Value wide =
          BroadcastOp::create(rewriter, op.getLoc(), resultType, product, like ? like.getSizes() : ValueRange(), dims,
                              like ? like.getStaticSizes() : resultType.getShape());
      Value scaled = MulOp::create(rewriter, op.getLoc(), resultType, producer->getResult(0), factor);
      bool isSum = isa<AddOp>(adds);
      Value lhs = position == 0 ? scaled : wide, rhs = position == 0 ? wide : scaled;
      if (isSum)
        rewriter.replaceOpWithNewOp<AddOp>(op, resultType, lhs, rhs);
      else
        rewriter.replaceOpWithNewOp<SubOp>(op, resultType, lhs, rhs);
      rewriter.eraseOp(adds);
      return success();
    }
    return failure();
  }
};

/// `(x + a) + b` is `x + (a + b)`, a and b constants along the same dimension.
struct JoinBiases : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getLhs().getDefiningOp<AddOp>();
    unsigned weights;
    if (!inner || !inner->hasOneUse() || !weighted(inner.getLhs(), weights))
      return failure();
    auto first = inner.getRhs().getDefiningOp<BroadcastOp>(), second = op.getRhs().getDefiningOp<BroadcastOp>();
    if (!first || !second || first.getDims() != second.getDims() ||
        first.getOperand().getType() != second.getOperand().getType() || !isConstant(first.getOperand()) ||
        !isConstant(second.getOperand()) || !isa<FloatType>(getElementTypeOrSelf(op.getType())))
      return failure();
    Value sum =
        AddOp::create(rewriter, op.getLoc(), first.getOperand().getType(), first.getOperand(), second.getOperand());
    Value wide = BroadcastOp::create(rewriter, op.getLoc(), second.getType(), sum, second.getSizes(), second.getDims(),
                                     second.getStaticSizes());
    rewriter.replaceOpWithNewOp<AddOp>(op, op.getType(), inner.getLhs(), wide);
    return success();
  }
};
} // namespace

void tenon::populateFoldScalesPatterns(RewritePatternSet &patterns) {
  patterns.add<ScaleIntoWeights<MulOp>, ScaleIntoWeights<DivOp>, ScalePastBias, JoinBiases>(patterns.getContext());
}
