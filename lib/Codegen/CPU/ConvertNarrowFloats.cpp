//===- ConvertNarrowFloats.cpp - Conversions to 16 bits that need no library ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace tenon::cpu {
#define GEN_PASS_DEF_CONVERTNARROWFLOATSPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
/// Numbers and vectors of them; tensors are none of code.
bool isOfCode(Type type) { return !isa<ShapedType>(type) || isa<VectorType>(type); }

Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

/// Arithmetic on the bits of f32 numbers of one shape.
struct Bits {
  Bits(PatternRewriter &rewriter, Location loc, Type shape)
      : rewriter(rewriter), loc(loc), floats(withElement(shape, rewriter.getF32Type())),
        integers(withElement(shape, rewriter.getI32Type())) {}

  Value of(Value number) { return arith::BitcastOp::create(rewriter, loc, integers, number); }
  Value number(Value bits) { return arith::BitcastOp::create(rewriter, loc, floats, bits); }
  Value constant(int64_t value) {
    TypedAttr attr = rewriter.getIntegerAttr(rewriter.getI32Type(), value);
    if (auto vector = dyn_cast<VectorType>(integers))
      attr = DenseElementsAttr::get(vector, Attribute(attr));
    return arith::ConstantOp::create(rewriter, loc, attr);
  }
  template <typename Op> Value make(Value a, Value b) { return Op::create(rewriter, loc, a, b); }
  Value less(Value a, Value b) { return arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OLT, a, b); }
  Value select(Value condition, Value a, Value b) { return arith::SelectOp::create(rewriter, loc, condition, a, b); }

  PatternRewriter &rewriter;
  Location loc;
  Type floats, integers;
};

/// f64 to 16 bits through an f32 that is rounded to odd: then the second rounding sees on which side of a tie
/// the f64 was (Boldo and Melquiond, "When double rounding is odd", 2005).
struct NarrowDouble : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType(), from = op.getIn().getType();
    if (!isOfCode(type) || !getElementTypeOrSelf(from).isF64() ||
        getElementTypeOrSelf(type).getIntOrFloatBitWidth() != 16)
      return failure();
    Bits b(rewriter, op.getLoc(), type);
    Value exact = op.getIn();
    Value nearest = arith::TruncFOp::create(rewriter, b.loc, b.floats, exact);
    Value back = arith::ExtFOp::create(rewriter, b.loc, from, nearest);
    Value bits = b.of(nearest), zero = arith::ConstantOp::create(rewriter, b.loc, rewriter.getZeroAttr(from));
    // An even f32 that isn't exact moves to the odd one on the other side: one away from zero in its bits
    // when its magnitude is too small. Comparisons are false on NaN.
    Value isBelow = b.less(back, exact), isAbove = b.less(exact, back), isNegative = b.less(exact, zero);
    Value isSmall = b.select(isNegative, isAbove, isBelow), isLarge = b.select(isNegative, isBelow, isAbove);
    Value one = b.constant(1), none = b.constant(0);
    Value step = b.select(isSmall, one, b.select(isLarge, b.constant(-1), none));
    Value odd = b.make<arith::AndIOp>(bits, one);
    Value isOdd = arith::CmpIOp::create(rewriter, b.loc, arith::CmpIPredicate::eq, odd, one);
    Value moved = b.make<arith::AddIOp>(bits, b.select(isOdd, none, step));
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, type, b.number(moved));
    return success();
  }
};

/// LLVM takes a sign out of all roundings, and would round the f64 that it is of to f16, by a call, only for its
/// sign: so it is of an f32 that has the upper bits of that f64. Of vectors it leaves signs where they are.
struct NarrowSigned : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    auto isSigned = op.getIn().getDefiningOp<math::CopySignOp>();
    if (!isSigned || !op.getType().isF32() || !isSigned.getType().isF64())
      return failure();
    Bits b(rewriter, op.getLoc(), op.getType());
    Value pattern = arith::BitcastOp::create(rewriter, b.loc, rewriter.getI64Type(), isSigned.getRhs());
    Value distance = arith::ConstantOp::create(rewriter, b.loc, rewriter.getI64IntegerAttr(32));
    Value upper = arith::TruncIOp::create(rewriter, b.loc, b.integers, b.make<arith::ShRUIOp>(pattern, distance));
    Value magnitude = arith::TruncFOp::create(rewriter, b.loc, b.floats, isSigned.getLhs());
    rewriter.replaceOpWithNewOp<math::CopySignOp>(op, magnitude, b.number(upper));
    return success();
  }
};

/// f32 to bf16 to nearest, ties to even; NaN stays one.
struct NarrowToBFloat : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!isOfCode(type) || !getElementTypeOrSelf(op.getIn().getType()).isF32() || !getElementTypeOrSelf(type).isBF16())
      return failure();
    Bits b(rewriter, op.getLoc(), type);
    Value bits = b.of(op.getIn()), sixteen = b.constant(16);
    Value last = b.make<arith::AndIOp>(b.make<arith::ShRUIOp>(bits, sixteen), b.constant(1));
    Value rounded = b.make<arith::AddIOp>(bits, b.make<arith::AddIOp>(last, b.constant(0x7fff)));
    Value quiet = b.make<arith::OrIOp>(bits, b.constant(0x400000));
    Value isNaN = arith::CmpFOp::create(rewriter, b.loc, arith::CmpFPredicate::UNO, op.getIn(), op.getIn());
    Value high = b.make<arith::ShRUIOp>(b.select(isNaN, quiet, rounded), sixteen);
    Value half = arith::TruncIOp::create(rewriter, b.loc, withElement(type, rewriter.getI16Type()), high);
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, half);
    return success();
  }
};

/// LLVM would choose between two narrow numbers in f32 and convert the result by a call.
struct SelectBits : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp op, PatternRewriter &rewriter) const override {
    Type type = op.getType(), element = getElementTypeOrSelf(type);
    if (!isOfCode(type) || (!element.isBF16() && !element.isF16()))
      return failure();
    Type integers = withElement(type, rewriter.getI16Type());
    auto bits = [&](Value value) { return arith::BitcastOp::create(rewriter, op.getLoc(), integers, value); };
    Value chosen = arith::SelectOp::create(rewriter, op.getLoc(), op.getCondition(), bits(op.getTrueValue()),
                                           bits(op.getFalseValue()));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, type, chosen);
    return success();
  }
};

/// What is narrowed and widened again within a kernel keeps its bits, where both say that they may.
void keepBits(arith::ExtFOp widened) {
  auto narrowed = widened.getIn().getDefiningOp<arith::TruncFOp>();
  auto mayKeep = [](std::optional<arith::FastMathFlags> flags) {
    return bitEnumContainsAll(flags.value_or(arith::FastMathFlags::none), arith::FastMathFlags::contract);
  };
  if (!narrowed || narrowed.getIn().getType() != widened.getType() || !mayKeep(narrowed.getFastmath()) ||
      !mayKeep(widened.getFastmath()))
    return;
  widened.replaceAllUsesWith(narrowed.getIn());
  widened.erase();
}

struct ConvertNarrowFloatsPass : tenon::cpu::impl::ConvertNarrowFloatsPassBase<ConvertNarrowFloatsPass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet patterns(context);
    patterns.add<NarrowDouble, NarrowSigned, NarrowToBFloat, SelectBits>(context);
    frozen = std::make_shared<const FrozenRewritePatternSet>(std::move(patterns));
    return success();
  }

  void runOnOperation() override {
    getOperation()->walk([](arith::ExtFOp op) { keepBits(op); });
    GreedyRewriteConfig config;
    config.enableFolding(false).enableConstantCSE(true);
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), *frozen, config)))
      signalPassFailure();
  }

  std::shared_ptr<const FrozenRewritePatternSet> frozen;
};
} // namespace
