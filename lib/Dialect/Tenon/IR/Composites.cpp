//===- Composites.cpp - Composites that normalise or activate, and what they decompose to ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompositeBuilder.h"
#include "tenon/Dialect/Tenon/IR/Verification.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tenon;

/// Each element of the result follows from all of the operand along `dims`.
static SmallVector<utils::IteratorType> rowIterators(Operation *op, ArrayRef<int64_t> dims) {
  SmallVector<utils::IteratorType> iterators = parallelIterators(op);
  for (int64_t dim : dims)
    iterators[dim] = utils::IteratorType::reduction;
  return iterators;
}

//===----------------------------------------------------------------------===//
// SoftmaxOp
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() { return verifyDims(*this, getDims(), cast<RankedTensorType>(getType()).getRank()); }

SmallVector<utils::IteratorType> SoftmaxOp::getLoopIterators() { return rowIterators(*this, getDims()); }
SmallVector<AffineMap> SoftmaxOp::getOperandMaps() { return identityOperandMaps(*this); }
SmallVector<AffineMap> SoftmaxOp::getResultMaps() { return identityResultMaps(*this); }

FailureOr<SmallVector<Value>> SoftmaxOp::decompose(OpBuilder &builder) {
  CompositeBuilder build(builder, *this);
  Value x = build.toCompute(getOperand());
  Value largest = build.expand(build.reduce(Combiner::max, x, getDims()), getDims(), x);
  Value shifted = build.binary<SubOp>(x, largest);
  Value exponential = build.unary<ExpOp>(shifted);
  Value sum = build.reduce(Combiner::sum, exponential, getDims());
  Value result = getLog() ? build.binary<SubOp>(shifted, build.expand(build.unary<LogOp>(sum), getDims(), x))
                          : build.binary<DivOp>(exponential, build.expand(sum, getDims(), x));
  return SmallVector<Value>{build.fromCompute(result, getType())};
}

//===----------------------------------------------------------------------===//
// NormalizeOp
//===----------------------------------------------------------------------===//

LogicalResult NormalizeOp::verify() {
  return verifyDims(*this, getDims(), cast<RankedTensorType>(getType()).getRank());
}

SmallVector<utils::IteratorType> NormalizeOp::getLoopIterators() { return rowIterators(*this, getDims()); }
SmallVector<AffineMap> NormalizeOp::getOperandMaps() { return identityOperandMaps(*this); }
SmallVector<AffineMap> NormalizeOp::getResultMaps() { return identityResultMaps(*this); }

/// A power of two by which elements are multiplied before they are squared, as squares of what is beyond 2^64 leave
/// f32. Nothing is rounded by it, and with it epsilon, which is above all squares that vanish, stays a normal number.
static double scaleOfSquares(Type element, double epsilon) {
  constexpr int most = 52;
  if (!(element.isF32() || element.isBF16()) || !(epsilon > 0) || !std::isfinite(epsilon))
    return 1;
  constexpr int leastExponent = -120;
  return std::ldexp(1.0, -std::clamp((std::ilogb(epsilon) - leastExponent) / 2, 0, most));
}

FailureOr<SmallVector<Value>> NormalizeOp::decompose(OpBuilder &builder) {
  CompositeBuilder build(builder, *this);
  double epsilon = getEpsilon().convertToDouble(), factor = scaleOfSquares(getElementTypeOrSelf(getType()), epsilon);
  auto scaled = [&](Value value) {
    return factor == 1 ? value : build.binary<MulOp>(value, build.splat(factor, value));
  };
  Value x = build.toCompute(getOperand()), centred = scaled(x);
  // The mean is subtracted before squaring: a large mean would cancel the digits of the variance.
  if (!getRms())
    centred =
        build.binary<SubOp>(centred, build.expand(scaled(build.reduce(Combiner::mean, x, getDims())), getDims(), x));
  Value variance = build.reduce(Combiner::mean, build.binary<MulOp>(centred, centred), getDims());
  Value scale = build.unary<RsqrtOp>(build.binary<AddOp>(variance, build.splat(epsilon * factor * factor, variance)));
  Value result = getRms() ? build.binary<MulOp>(x, build.expand(scaled(scale), getDims(), x))
                          : build.binary<MulOp>(centred, build.expand(scale, getDims(), x));
  return SmallVector<Value>{build.fromCompute(result, getType())};
}

//===----------------------------------------------------------------------===//
// GeluOp
//===----------------------------------------------------------------------===//

SmallVector<utils::IteratorType> GeluOp::getLoopIterators() { return parallelIterators(*this); }
SmallVector<AffineMap> GeluOp::getOperandMaps() { return identityOperandMaps(*this); }
SmallVector<AffineMap> GeluOp::getResultMaps() { return identityResultMaps(*this); }

FailureOr<SmallVector<Value>> GeluOp::decompose(OpBuilder &builder) {
  CompositeBuilder build(builder, *this);
  Value x = build.toCompute(getOperand());
  Value inner;
  if (getTanh()) {
    Value cube = build.binary<MulOp>(build.binary<MulOp>(x, x), x);
    Value sum = build.binary<AddOp>(x, build.binary<MulOp>(cube, build.splat(0.044715, x)));
    inner = build.unary<TanhOp>(build.binary<MulOp>(sum, build.splat(0.7978845608028654, x))); // sqrt(2 / pi)
  } else {
    inner = build.unary<ErfOp>(build.binary<MulOp>(x, build.splat(0.7071067811865476, x))); // 1 / sqrt(2)
  }
  Value half = build.binary<MulOp>(x, build.splat(0.5, x));
  Value result = build.binary<MulOp>(half, build.binary<AddOp>(inner, build.splat(1.0, x)));
  return SmallVector<Value>{build.fromCompute(result, getType())};
}

#define GET_OP_CLASSES
#include "tenon/Dialect/Tenon/IR/TenonNormalization.cpp.inc"
