//===- Reals.cpp - Arithmetic that elementary functions are made of ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementaryFunctions.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tenon::cpu;
using Number = Reals::Number;

Reals::Reals(OpBuilder &builder, Location loc, Type type) : builder(builder), loc(loc), type(type) {
  isDouble = getElementTypeOrSelf(type).isF64();
  mantissaBits = isDouble ? 52 : 23;
  bias = isDouble ? 1023 : 127;
  Type element = builder.getIntegerType(isDouble ? 64 : 32);
  auto vector = dyn_cast<VectorType>(type);
  integerType = vector ? Type(vector.clone(element)) : element;
}

Number Reals::constant(double value) {
  TypedAttr attr = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    attr = DenseElementsAttr::get(vector, attr);
  return number(arith::ConstantOp::create(builder, loc, attr));
}

Value Reals::integer(int64_t value) {
  TypedAttr attr = builder.getIntegerAttr(getElementTypeOrSelf(integerType), value);
  if (auto vector = dyn_cast<VectorType>(integerType))
    attr = DenseElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(builder, loc, attr);
}

Number Reals::fma(Number a, Number b, Number c) {
  return number(math::FmaOp::create(builder, loc, a.value, b.value, c.value));
}
Number Reals::abs(Number x) { return number(math::AbsFOp::create(builder, loc, x.value)); }
Number Reals::sqrt(Number x) { return number(math::SqrtOp::create(builder, loc, x.value)); }
Number Reals::trunc(Number x) { return number(math::TruncOp::create(builder, loc, x.value)); }
Number Reals::withSign(Number magnitude, Number sign) {
  return number(math::CopySignOp::create(builder, loc, magnitude.value, sign.value));
}
Number Reals::select(Flag condition, Number yes, Number no) {
  return number(arith::SelectOp::create(builder, loc, condition, yes.value, no.value));
}
Reals::Flag Reals::compare(arith::CmpFPredicate predicate, Number a, Number b) {
  return arith::CmpFOp::create(builder, loc, predicate, a.value, b.value);
}

Value Reals::any(Flag flag) {
  auto type = dyn_cast<VectorType>(flag.getType());
  if (!type)
    return flag;
  auto flat = VectorType::get(type.getNumElements(), type.getElementType());
  if (type != flat)
    flag = vector::ShapeCastOp::create(builder, loc, flat, flag);
  return vector::ReductionOp::create(builder, loc, vector::CombiningKind::OR, flag);
}

Number Reals::polynomial(ArrayRef<double> coefficients, Number x) {
  Number result = constant(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    result = fma(result, x, constant(coefficient));
  return result;
}

std::pair<Number, Value> Reals::roundToInteger(Number x) {
  // Adding 1.5 * 2^mantissaBits leaves the integer in the low bits.
  Number magic = constant(pick(6755399441055744.0, 12582912.0));
  Number shifted = x + magic;
  Value bitsOfInteger = arith::SubIOp::create(builder, loc, bits(shifted), bits(magic));
  return {shifted - magic, bitsOfInteger};
}

Number Reals::powerOfTwo(Value exponent) {
  Value biased = arith::AddIOp::create(builder, loc, exponent, integer(bias));
  return fromBits(arith::ShLIOp::create(builder, loc, biased, integer(mantissaBits)));
}

Number Reals::scale(Number x, Value n) {
  // In two steps, as 2^n itself may lie beyond the exponents, and the result among the denormals.
  Value half = arith::ShRSIOp::create(builder, loc, n, integer(1));
  Value rest = arith::SubIOp::create(builder, loc, n, half);
  return x * powerOfTwo(half) * powerOfTwo(rest);
}

Number Reals::clamp(Number x, double low, double high) {
  // Comparisons keep NaN.
  Number bottom = constant(low), top = constant(high);
  Number capped = select(less(top, x), top, x);
  return select(less(capped, bottom), bottom, capped);
}
