//===- RecognizeGelu.cpp - x * Phi(x) in the forms that exporters write it ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Forms.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"

#include <array>

using namespace mlir;
using namespace tenon;

namespace {
/// `a0 + a1 x + a2 x^2 + a3 x^3`.
using Cubic = std::array<double, 4>;

std::optional<Cubic> product(const Cubic &a, const Cubic &b) {
  Cubic result{};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      double term = a[i] * b[j];
      if (term == 0)
        continue;
      if (i + j > 3)
        return std::nullopt;
      result[i + j] += term;
    }
  return result;
}

/// What `value` computes from `x`, as a polynomial; nothing where it is none up to the third degree.
std::optional<Cubic> cubicIn(Value value, Value x, int depth = 8) {
  if (value == x)
    return Cubic{0, 1, 0, 0};
  if (std::optional<double> number = numberOf(value))
    return Cubic{*number, 0, 0, 0};
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0 || !isa<AddOp, MulOp, DivOp, PowOp>(op))
    return std::nullopt;
  std::optional<Cubic> a = cubicIn(op->getOperand(0), x, depth - 1), b = cubicIn(op->getOperand(1), x, depth - 1);
  if (!a || !b)
    return std::nullopt;
  bool isByNumber = (*b)[1] == 0 && (*b)[2] == 0 && (*b)[3] == 0;
  if (isa<AddOp>(op)) {
    for (int i = 0; i < 4; ++i)
      (*a)[i] += (*b)[i];
    return a;
  }
  if (isa<MulOp>(op))
    return product(*a, *b);
  if (!isByNumber || (*b)[0] == 0)
    return std::nullopt;
  if (isa<DivOp>(op)) {
    for (double &coefficient : *a)
      coefficient /= (*b)[0];
    return a;
  }
  if ((*b)[0] == 2)
    return product(*a, *a);
  std::optional<Cubic> square = (*b)[0] == 3 ? product(*a, *a) : std::nullopt;
  return square ? product(*square, *a) : std::nullopt;
}

/// A product taken apart: its numbers as one, and all other factors.
struct Factors {
  double number = 1;
  SmallVector<Value> others;
};

/// Takes products apart that are used once, but for `whole`, which stays as it is.
void collect(Value value, Value whole, bool isRoot, Factors &factors) {
  if (std::optional<double> number = value == whole ? std::nullopt : numberOf(value)) {
    factors.number *= *number;
    return;
  }
  Operation *op = value.getDefiningOp();
  bool isProduct = op && value != whole && (isRoot || value.hasOneUse());
  if (isProduct && isa<MulOp>(op)) {
    collect(op->getOperand(0), whole, false, factors);
    collect(op->getOperand(1), whole, false, factors);
    return;
  }
  if (isProduct && isa<DivOp>(op))
    if (std::optional<double> divisor = numberOf(op->getOperand(1)); divisor && *divisor != 0) {
      factors.number /= *divisor;
      collect(op->getOperand(0), whole, false, factors);
      return;
    }
  factors.others.push_back(value);
}

/// `1 + f(z)` with f the error function or the hyperbolic tangent: its argument z.
Value argumentOf(Value value, bool &isTanh) {
  auto sum = value.getDefiningOp<AddOp>();
  if (!sum || !value.hasOneUse())
    return {};
  Value argument;
  eitherOrder(sum, [&](Value one, Value function) {
    Operation *op = function.getDefiningOp();
    if (numberOf(one) != 1.0 || !op || !isa<ErfOp, TanhOp>(op) || !function.hasOneUse())
      return false;
    isTanh = isa<TanhOp>(op);
    argument = op->getOperand(0);
    return true;
  });
  return argument;
}

/// Whether `argument` is what the gaussian error unit of `x` applies its function to.
bool isArgument(Value argument, Value x, bool isTanh) {
  std::optional<Cubic> cubic = cubicIn(argument, x);
  if (!cubic || (*cubic)[0] != 0 || (*cubic)[2] != 0)
    return false;
  constexpr double inverseRoot = 0.70710678118654752, factor = 0.79788456080286536, cube = 0.044715;
  if (!isTanh)
    return (*cubic)[3] == 0 && isNearly((*cubic)[1], inverseRoot, x);
  return isNearly((*cubic)[1], factor, x) && isNearly((*cubic)[3], factor * cube, x);
}

/// `x / 2 * (1 + f(z))` with its factors in any order.
template <typename Op> struct RecognizeGelu : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    // The product may hang under another one that belongs to it.
    Factors all;
    collect(op.getResult(), Value(), true, all);
    for (Value factor : all.others) {
      bool isTanh = false;
      Value argument = argumentOf(factor, isTanh);
      for (Value x : argument ? candidatesIn(argument) : SmallVector<Value>()) {
        if (!isArgument(argument, x, isTanh))
          continue;
        Factors factors;
        collect(op.getResult(), x, true, factors);
        bool isWhole = factors.others.size() == 2 && llvm::is_contained(factors.others, x) &&
                       llvm::is_contained(factors.others, factor);
        if (!isWhole || !isNearly(factors.number, 0.5, x))
          continue;
        rewriter.replaceOpWithNewOp<GeluOp>(op, op.getType(), x, isTanh);
        return success();
      }
    }
    return failure();
  }

private:
  /// What the argument's arithmetic starts from, the nearest first.
  static SmallVector<Value> candidatesIn(Value argument) {
    SmallVector<Value> candidates, work = {argument};
    while (!work.empty() && candidates.size() < 16) {
      Value value = work.pop_back_val();
      Operation *op = value.getDefiningOp();
      if (value != argument && !llvm::is_contained(candidates, value) && !numberOf(value))
        candidates.push_back(value);
      if (op && isa<AddOp, MulOp, DivOp, PowOp>(op))
        llvm::append_range(work, op->getOperands());
    }
    return candidates;
  }
};
} // namespace

void tenon::populateRecognizeGeluPatterns(RewritePatternSet &patterns) {
  patterns.add<RecognizeGelu<MulOp>, RecognizeGelu<DivOp>>(patterns.getContext());
}
