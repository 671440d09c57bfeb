//===- ConvertMath.cpp - Expand elementary functions into arithmetic ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementaryFunctions.h"
#include "tenon/Codegen/CPU/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;
using namespace tenon;
using namespace tenon::cpu;
using Number = Reals::Number;

namespace tenon::cpu {
#define GEN_PASS_DEF_CONVERTMATHPASS
#include "tenon/Codegen/CPU/Passes.h.inc"
} // namespace tenon::cpu

namespace {
using Unary = Number (Reals::*)(Number);

/// Numbers and vectors of them; tensors are none of code.
bool isCovered(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (isa<ShapedType>(type) && !isa<VectorType>(type))
    return false;
  return element.isF32() || element.isF64();
}

Type doubleOf(Type type) {
  Type element = Float64Type::get(type.getContext());
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(vector.clone(element)) : element;
}

/// Computes in f64 where the operation isn't already, and rounds once.
Value inDouble(OpBuilder &builder, Operation *op, llvm::function_ref<Number(Reals &, ArrayRef<Number>)> compute) {
  Location loc = op->getLoc();
  Type type = op->getResult(0).getType(), wide = doubleOf(type);
  Reals reals(builder, loc, wide);
  SmallVector<Number> operands;
  for (Value operand : op->getOperands())
    operands.push_back(reals.number(type == wide ? operand : arith::ExtFOp::create(builder, loc, wide, operand)));
  Value result = compute(reals, operands).value;
  return type == wide ? result : arith::TruncFOp::create(builder, loc, type, result);
}

/// A function with a form of its own in both precisions, and perhaps one for f32 that is approximated.
template <typename Op> struct ExpandNative : OpRewritePattern<Op> {
  ExpandNative(MLIRContext *context, Unary function, Unary approximation = nullptr)
      : OpRewritePattern<Op>(context), function(function), approximation(approximation) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    Reals reals(rewriter, op.getLoc(), op.getType());
    bool isApproximated =
        approximation && !reals.isDouble && arith::bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn);
    rewriter.replaceOp(op, (reals.*(isApproximated ? approximation : function))(reals.number(op.getOperand())).value);
    return success();
  }
  Unary function, approximation;
};

/// A function that f32 borrows from f64.
template <typename Op> struct ExpandInDouble : OpRewritePattern<Op> {
  ExpandInDouble(MLIRContext *context, Unary function) : OpRewritePattern<Op>(context), function(function) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    rewriter.replaceOp(op, inDouble(rewriter, op, [&](Reals &reals, ArrayRef<Number> operands) {
                         return (reals.*function)(operands[0]);
                       }));
    return success();
  }
  Unary function;
};

template <typename Op> struct ExpandBinary : OpRewritePattern<Op> {
  ExpandBinary(MLIRContext *context, Number (Reals::*function)(Number, Number))
      : OpRewritePattern<Op>(context), function(function) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    rewriter.replaceOp(op, inDouble(rewriter, op, [&](Reals &reals, ArrayRef<Number> operands) {
                         return (reals.*function)(operands[0], operands[1]);
                       }));
    return success();
  }
  Number (Reals::*function)(Number, Number);
};

/// Those that take multiples of pi/2 off their argument: how many digits of pi that wants depends on its type.
template <typename Op> struct ExpandPeriodic : OpRewritePattern<Op> {
  ExpandPeriodic(MLIRContext *context, Number (*function)(Reals &, Number, int64_t))
      : OpRewritePattern<Op>(context), function(function) {}
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    int64_t largestExponent = getElementTypeOrSelf(op.getType()).isF64() ? 1023 : 127;
    rewriter.replaceOp(op, inDouble(rewriter, op, [&](Reals &reals, ArrayRef<Number> operands) {
                         return function(reals, operands[0], largestExponent);
                       }));
    return success();
  }
  Number (*function)(Reals &, Number, int64_t);
};

/// 1 / (1 + e^-x) as a whole: its exponential needs neither bounds nor denormals of its own.
struct ExpandSigmoid : OpRewritePattern<math::ExpOp> {
  ExpandSigmoid(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override {
    auto negated = op.getOperand().getDefiningOp<arith::NegFOp>();
    if (!negated || !isCovered(op.getType()) || !op->hasOneUse())
      return failure();
    auto sum = dyn_cast<arith::AddFOp>(*op->user_begin());
    auto quotient = sum && sum->hasOneUse() ? dyn_cast<arith::DivFOp>(*sum->user_begin()) : arith::DivFOp();
    if (!quotient || quotient.getRhs() != sum || !matchPattern(quotient.getLhs(), m_OneFloat()) ||
        !(matchPattern(sum.getLhs(), m_OneFloat()) || matchPattern(sum.getRhs(), m_OneFloat())))
      return failure();
    Reals reals(rewriter, op.getLoc(), op.getType());
    if (!reals.isDouble && arith::bitEnumContainsAll(op.getFastmath(), arith::FastMathFlags::afn))
      return rewriter.notifyMatchFailure(op, "is approximated");
    rewriter.setInsertionPoint(quotient);
    rewriter.replaceOp(quotient, reals.sigmoid(reals.number(negated.getOperand())).value);
    rewriter.eraseOp(sum);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ExpandRsqrt : OpRewritePattern<math::RsqrtOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::RsqrtOp op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    Reals reals(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, (1.0 / reals.sqrt(reals.number(op.getOperand()))).value);
    return success();
  }
};

/// The remainder of truncated division, exact: multiples of y times a power of two are taken off until it is below y.
struct ExpandRemainder : OpRewritePattern<arith::RemFOp> {
  using OpRewritePattern::OpRewritePattern;

  static Value exponentOf(Reals &r, Number x) {
    // Denormals are made normal for this.
    Number factor = r.constant(std::ldexp(1.0, r.mantissaBits + 2));
    Reals::Flag isDenormal = r.less(x, r.constant(std::ldexp(1.0, 1 - r.bias)));
    Value pattern = r.bits(r.select(isDenormal, x * factor, x));
    Value exponent = arith::ShRUIOp::create(r.builder, r.loc, pattern, r.integer(r.mantissaBits));
    Value lowered = arith::SubIOp::create(r.builder, r.loc, exponent, r.integer(r.mantissaBits + 2));
    return arith::SelectOp::create(r.builder, r.loc, isDenormal, lowered, exponent);
  }

  /// Takes off one multiple of y: the quotient has fewer bits than the mantissa, so nothing is rounded.
  static Number reduce(Reals &r, Number x, Number y) {
    Value distance = arith::SubIOp::create(r.builder, r.loc, exponentOf(r, x), exponentOf(r, y));
    Value shift = arith::SubIOp::create(r.builder, r.loc, distance, r.integer(r.mantissaBits - 3));
    shift = arith::MaxSIOp::create(r.builder, r.loc, shift, r.integer(0));
    Value part = arith::ShRUIOp::create(r.builder, r.loc, shift, r.integer(2));
    Value three = arith::MulIOp::create(r.builder, r.loc, part, r.integer(3));
    Number power = r.powerOfTwo(part);
    Number multiple = y * power * power * power * r.powerOfTwo(arith::SubIOp::create(r.builder, r.loc, shift, three));
    Number rest = r.fma(-r.trunc(x / multiple), multiple, x);
    rest = r.select(r.less(rest, r.constant(0)), rest + multiple, rest);
    rest = r.select(r.less(rest, multiple), rest, rest - multiple);
    return r.select(r.less(x, y), x, rest);
  }

  LogicalResult matchAndRewrite(arith::RemFOp op, PatternRewriter &rewriter) const override {
    if (!isCovered(op.getType()))
      return failure();
    Location loc = op.getLoc();
    Reals r(rewriter, loc, op.getType());
    Number x = r.number(op.getLhs()), y = r.number(op.getRhs()), divisor = r.abs(y);
    Number infinite = r.constant(INFINITY);
    Reals::Flag isInvalid = arith::OrIOp::create(rewriter, loc, r.equal(r.abs(x), infinite), r.equal(y, r.constant(0)));
    isInvalid = arith::OrIOp::create(rewriter, loc, isInvalid, r.isNaN(y));
    Number start = r.select(isInvalid, r.constant(NAN), r.abs(x));
    auto loop = scf::WhileOp::create(
        rewriter, loc, TypeRange(op.getType()), ValueRange(start.value),
        [&](OpBuilder &builder, Location, ValueRange values) {
          Value open = r.any(r.compare(arith::CmpFPredicate::OGE, r.number(values[0]), divisor));
          scf::ConditionOp::create(builder, loc, open, values);
        },
        [&](OpBuilder &builder, Location, ValueRange values) {
          scf::YieldOp::create(builder, loc, reduce(r, r.number(values[0]), divisor).value);
        });
    rewriter.replaceOp(op, r.withSign(r.number(loop.getResult(0)), x).value);
    return success();
  }
};

struct ConvertMathPass : cpu::impl::ConvertMathPassBase<ConvertMathPass> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet patterns(context);
    patterns.add<ExpandNative<math::ExpOp>>(context, &Reals::exp, &Reals::approximateExp);
    patterns.add<ExpandNative<math::Exp2Op>>(context, &Reals::exp2);
    patterns.add<ExpandNative<math::ExpM1Op>>(context, &Reals::expm1);
    patterns.add<ExpandNative<math::LogOp>>(context, &Reals::log);
    patterns.add<ExpandNative<math::Log1pOp>>(context, &Reals::log1p);
    patterns.add<ExpandNative<math::TanhOp>>(context, &Reals::tanh, &Reals::approximateTanh);
    patterns.add<ExpandNative<math::ErfOp>>(context, &Reals::erf, &Reals::approximateErf);
    patterns.add<ExpandInDouble<math::Log2Op>>(context, &Reals::log2);
    patterns.add<ExpandInDouble<math::Log10Op>>(context, &Reals::log10);
    patterns.add<ExpandInDouble<math::SinhOp>>(context, &Reals::sinh);
    patterns.add<ExpandInDouble<math::CoshOp>>(context, &Reals::cosh);
    patterns.add<ExpandInDouble<math::AsinOp>>(context, &Reals::asin);
    patterns.add<ExpandInDouble<math::AcosOp>>(context, &Reals::acos);
    patterns.add<ExpandInDouble<math::AtanOp>>(context, &Reals::atan);
    patterns.add<ExpandInDouble<math::AsinhOp>>(context, &Reals::asinh);
    patterns.add<ExpandInDouble<math::AcoshOp>>(context, &Reals::acosh);
    patterns.add<ExpandInDouble<math::AtanhOp>>(context, &Reals::atanh);
    patterns.add<ExpandInDouble<math::CbrtOp>>(context, &Reals::cbrt);
    patterns.add<ExpandBinary<math::PowFOp>>(context, &Reals::pow);
    patterns.add<ExpandBinary<math::Atan2Op>>(context, &Reals::atan2);
    patterns.add<ExpandPeriodic<math::SinOp>>(
        context, [](Reals &r, Number x, int64_t largest) { return r.sinOrCos(x, /*wantsCos=*/false, largest); });
    patterns.add<ExpandPeriodic<math::CosOp>>(
        context, [](Reals &r, Number x, int64_t largest) { return r.sinOrCos(x, /*wantsCos=*/true, largest); });
    patterns.add<ExpandPeriodic<math::TanOp>>(context,
                                              [](Reals &r, Number x, int64_t largest) { return r.tan(x, largest); });
    patterns.add<ExpandSigmoid, ExpandRsqrt, ExpandRemainder>(context);
    frozen = std::make_shared<const FrozenRewritePatternSet>(std::move(patterns));
    return success();
  }

  void runOnOperation() override {
    GreedyRewriteConfig config;
    // Each function is expanded in one step: nothing is to be folded on the way.
    config.enableFolding(false).enableConstantCSE(true);
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), *frozen, config)))
      signalPassFailure();
  }

  std::shared_ptr<const FrozenRewritePatternSet> frozen;
};
} // namespace
