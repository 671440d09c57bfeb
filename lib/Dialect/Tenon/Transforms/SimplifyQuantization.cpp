//===- SimplifyQuantization.cpp - What quantised numbers needn't become numbers for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;
using namespace tenon;

namespace {
/// `(stored - zero) * scale` in f32, of integers of 8 or 16 bits.
struct Dequantized {
  Value stored;
  SubOp difference; ///< or null
  MulOp product;
  int64_t zero = 0;
  double scale = 0;

  static std::optional<Dequantized> of(Value value) {
    Dequantized result;
    result.product = value.getDefiningOp<MulOp>();
    auto scale = result.product ? dyn_cast_if_present<FloatAttr>(splatOf(result.product.getRhs())) : FloatAttr();
    auto real = scale ? result.product.getLhs().getDefiningOp<CastOp>() : CastOp();
    // Whatever scales are, numbers of 16 bits times normal ones are in order.
    if (!real || !scale.getType().isF32() || !(scale.getValueAsDouble() > 1e-30 && scale.getValueAsDouble() < 1e30))
      return std::nullopt;
    result.scale = scale.getValueAsDouble();
    Value number = real.getOperand();
    if ((result.difference = number.getDefiningOp<SubOp>())) {
      auto zero = dyn_cast_if_present<IntegerAttr>(splatOf(result.difference.getRhs()));
      if (!zero || !zero.getType().isSignlessInteger(32) || std::abs(zero.getInt()) > UINT16_MAX)
        return std::nullopt;
      result.zero = zero.getInt();
      number = result.difference.getLhs();
    }
    if (getElementTypeOrSelf(number).isSignlessInteger(32)) {
      auto wide = number.getDefiningOp<CastOp>();
      if (!wide)
        return std::nullopt;
      number = wide.getOperand();
    }
    auto type = dyn_cast<IntegerType>(getElementTypeOrSelf(number));
    if (!type || (type.getWidth() != 8 && type.getWidth() != 16))
      return std::nullopt;
    result.stored = number;
    return result;
  }
};

/// The other operand of an op that combines it with one number.
template <typename Op> std::optional<double> step(Value &x) {
  auto op = x.getDefiningOp<Op>();
  auto number = op ? dyn_cast_if_present<FloatAttr>(splatOf(op.getRhs())) : FloatAttr();
  if (!number || number.getValue().isNaN())
    return std::nullopt;
  x = op.getLhs();
  return number.getValueAsDouble();
}

/// The least and the greatest of numbers are those of what is stored.
struct PoolStored : OpRewritePattern<WindowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(WindowOp op, PatternRewriter &rewriter) const override {
    std::optional<Dequantized> numbers = Dequantized::of(op.getOperand());
    if (!numbers || (op.getCombiner() != Combiner::max && op.getCombiner() != Combiner::min))
      return failure();
    // Of no element the result is infinite, which integers aren't.
    ArrayRef<int64_t> pads = op.getPads();
    for (auto [i, size] : llvm::enumerate(op.getSizes()))
      if (pads[i] + pads[i + op.getSizes().size()] >= size || op.getDilations()[i] != 1)
        return failure();
    auto type = cast<RankedTensorType>(op.getType());
    auto typed = [&](Value like) { return type.clone(getElementTypeOrSelf(like.getType())); };
    Location loc = op.getLoc();
    Value result = WindowOp::create(rewriter, loc, typed(numbers->stored), op.getCombiner(), numbers->stored,
                                    op.getSizes(), op.getStrides(), op.getDilations(), pads, op.getCeil(),
                                    op.getCountPads(), op.getChannelsLast());
    SizeAnalysis sizes(op.getContext());
    SmallVector<AffineExpr> extents = sizes.sizesOf(result);
    auto repeated = [&](Value splat) -> Value {
      auto scalar = RankedTensorType::get({}, getElementTypeOrSelf(splat.getType()));
      Value value = ConstantOp::create(rewriter, loc, scalar, DenseElementsAttr::get(scalar, splatOf(splat)));
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed;
      dispatchIndexOpFoldResults(sizes.materialize(rewriter, loc, extents), dynamic, fixed);
      return BroadcastOp::create(rewriter, loc, typed(value), value, dynamic, ArrayRef<int64_t>(), fixed);
    };
    Value factor = numbers->product.getRhs();
    if (numbers->difference) {
      Value zero = numbers->difference.getRhs();
      result = CastOp::create(rewriter, loc, typed(zero), result);
      result = SubOp::create(rewriter, loc, result, repeated(zero));
    }
    result = CastOp::create(rewriter, loc, type, result);
    rewriter.replaceOpWithNewOp<MulOp>(op, type, result, repeated(factor));
    return success();
  }
};

/// What is dequantised and quantised alike is what it was: the quotient of `n * s` and `s` rounds to `n`.
struct RestoreStored : OpRewritePattern<CastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CastOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<IntegerType>(getElementTypeOrSelf(op.getType()));
    if (!type || type.getWidth() > 16 || type.getWidth() == 1)
      return failure();
    double least = type.isUnsigned() ? 0 : -std::ldexp(1.0, type.getWidth() - 1),
           most = least + std::ldexp(1.0, type.getWidth()) - 1;
    Value x = op.getOperand();
    std::optional<double> high = step<MinOp>(x), low = step<MaxOp>(x);
    if (!high || !low || *high < most || *low > least)
      return failure();
    double offset = step<AddOp>(x).value_or(0);
    auto round = x.getDefiningOp<RoundOp>();
    x = round ? round.getOperand() : Value();
    std::optional<double> scale = round ? step<DivOp>(x) : std::nullopt;
    std::optional<Dequantized> numbers = scale ? Dequantized::of(x) : std::nullopt;
    if (!numbers || numbers->scale != *scale || numbers->zero != offset || numbers->stored.getType() != op.getType())
      return failure();
    rewriter.replaceOp(op, numbers->stored);
    return success();
  }
};
} // namespace

void tenon::populateSimplifyQuantizationPatterns(RewritePatternSet &patterns) {
  patterns.add<PoolStored, RestoreStored>(patterns.getContext());
}
