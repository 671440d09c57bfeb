//===- ElementwiseElements.cpp - Elements of elementwise ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KnownDivisor.h"
#include "NarrowFloats.h"
#include "tenon/Codegen/Common/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

namespace {
/// What the formula of an op works with: its operands' elements, scalars or vectors alike.
struct Formula {
  ElementEmitter &emitter;
  SmallVector<Value> operands;
  Type element; ///< of operand 0, with its sign

  OpBuilder &builder() const { return emitter.builder; }
  Location loc() const { return emitter.loc; }
  Value x() const { return operands[0]; }
  Value y() const { return operands[1]; }
  Type type() const { return operands[0].getType(); }
  bool isFloat() const { return isa<FloatType>(element); }
  bool isUnsigned() const { return element.isUnsignedInteger() || element.isInteger(1); }
  unsigned width() const { return element.getIntOrFloatBitWidth(); }

  template <typename OpT, typename... Args> Value make(Args &&...args) const {
    return OpT::create(builder(), loc(), std::forward<Args>(args)...);
  }
  /// Sums and products may be contracted into fused multiply-adds.
  template <typename OpT> Value contracted(Value a, Value b) const {
    return OpT::create(builder(), loc(), a, b, emitter.contraction());
  }
  /// A number of the operands' type.
  Value number(double value) const { return like(x(), emitter.number(registerType(element), value)); }
  Value integer(int64_t value) const { return like(x(), emitter.integer(registerType(element), value)); }
  Value like(Value pattern, Value scalar) const {
    return isa<VectorType>(pattern.getType()) ? emitter.asVector(scalar) : scalar;
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) const { return make<arith::CmpIOp>(predicate, a, b); }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) const { return make<arith::CmpFOp>(predicate, a, b); }
  Value select(Value condition, Value a, Value b) const { return make<arith::SelectOp>(condition, a, b); }
  template <typename FloatOp, typename SignedOp, typename UnsignedOp> Value byType() const {
    if (isFloat())
      return make<FloatOp>(x(), y());
    return isUnsigned() ? make<UnsignedOp>(x(), y()) : make<SignedOp>(x(), y());
  }
};

//===----------------------------------------------------------------------===//
// Unary
//===----------------------------------------------------------------------===//

Value build(NegOp, const Formula &f) {
  return f.isFloat() ? f.make<arith::NegFOp>(f.x()) : f.make<arith::SubIOp>(f.integer(0), f.x());
}
Value build(AbsOp, const Formula &f) {
  if (f.isFloat())
    return f.make<math::AbsFOp>(f.x());
  if (f.isUnsigned())
    return f.x();
  Value negative = f.compare(arith::CmpIPredicate::slt, f.x(), f.integer(0));
  return f.select(negative, f.make<arith::SubIOp>(f.integer(0), f.x()), f.x());
}
Value build(SignOp, const Formula &f) {
  if (f.isFloat()) {
    Value above = f.compare(arith::CmpFPredicate::OGT, f.x(), f.number(0));
    Value below = f.compare(arith::CmpFPredicate::OLT, f.x(), f.number(0));
    Value isNaN = f.compare(arith::CmpFPredicate::UNO, f.x(), f.x());
    return f.select(above, f.number(1), f.select(below, f.number(-1), f.select(isNaN, f.x(), f.number(0))));
  }
  Value zero = f.compare(arith::CmpIPredicate::eq, f.x(), f.integer(0));
  if (f.isUnsigned())
    return f.select(zero, f.integer(0), f.integer(1));
  Value below = f.compare(arith::CmpIPredicate::slt, f.x(), f.integer(0));
  return f.select(zero, f.integer(0), f.select(below, f.integer(-1), f.integer(1)));
}
Value build(NotOp, const Formula &f) { return f.make<arith::XOrIOp>(f.x(), f.integer(-1)); }
Value build(ExpOp, const Formula &f) { return f.make<math::ExpOp>(f.x()); }
Value build(Expm1Op, const Formula &f) { return f.make<math::ExpM1Op>(f.x()); }
Value build(LogOp, const Formula &f) { return f.make<math::LogOp>(f.x()); }
Value build(Log1pOp, const Formula &f) { return f.make<math::Log1pOp>(f.x()); }
Value build(SqrtOp, const Formula &f) { return f.make<math::SqrtOp>(f.x()); }
Value build(RsqrtOp, const Formula &f) { return f.make<arith::DivFOp>(f.number(1), f.make<math::SqrtOp>(f.x())); }
Value build(ReciprocalOp, const Formula &f) { return f.make<arith::DivFOp>(f.number(1), f.x()); }
Value build(SinOp, const Formula &f) { return f.make<math::SinOp>(f.x()); }
Value build(CosOp, const Formula &f) { return f.make<math::CosOp>(f.x()); }
Value build(TanOp, const Formula &f) { return f.make<math::TanOp>(f.x()); }
Value build(AsinOp, const Formula &f) { return f.make<math::AsinOp>(f.x()); }
Value build(AcosOp, const Formula &f) { return f.make<math::AcosOp>(f.x()); }
Value build(AtanOp, const Formula &f) { return f.make<math::AtanOp>(f.x()); }
Value build(SinhOp, const Formula &f) { return f.make<math::SinhOp>(f.x()); }
Value build(CoshOp, const Formula &f) { return f.make<math::CoshOp>(f.x()); }
Value build(AsinhOp, const Formula &f) { return f.make<math::AsinhOp>(f.x()); }
Value build(AcoshOp, const Formula &f) { return f.make<math::AcoshOp>(f.x()); }
Value build(AtanhOp, const Formula &f) { return f.make<math::AtanhOp>(f.x()); }
Value build(TanhOp, const Formula &f) { return f.make<math::TanhOp>(f.x()); }
Value build(ErfOp, const Formula &f) { return f.make<math::ErfOp>(f.x()); }
Value build(SigmoidOp, const Formula &f) {
  Value exp = f.make<math::ExpOp>(f.make<arith::NegFOp>(f.x()));
  return f.make<arith::DivFOp>(f.number(1), f.make<arith::AddFOp>(f.number(1), exp));
}
Value build(FloorOp, const Formula &f) { return f.make<math::FloorOp>(f.x()); }
Value build(CeilOp, const Formula &f) { return f.make<math::CeilOp>(f.x()); }
Value build(RoundOp, const Formula &f) { return f.make<math::RoundEvenOp>(f.x()); }

//===----------------------------------------------------------------------===//
// Binary
//===----------------------------------------------------------------------===//

Value build(AddOp, const Formula &f) {
  return f.isFloat() ? f.contracted<arith::AddFOp>(f.x(), f.y()) : f.make<arith::AddIOp>(f.x(), f.y());
}
Value build(SubOp, const Formula &f) {
  return f.isFloat() ? f.contracted<arith::SubFOp>(f.x(), f.y()) : f.make<arith::SubIOp>(f.x(), f.y());
}

/// Whether a number is an integer times scales, of which there are two of a product: what was quantised, or a sum of
/// such products.
static bool isScaledInteger(Value value, int64_t scales) {
  if (auto product = value.getDefiningOp<MulOp>())
    return scales > 0 &&
           (isScaledInteger(product.getLhs(), scales - 1) || isScaledInteger(product.getRhs(), scales - 1));
  auto cast = value.getDefiningOp<CastOp>();
  Type from = cast ? getElementTypeOrSelf(cast.getOperand()) : Type();
  return isa_and_present<IntegerType>(from) && !from.isInteger(1);
}

Value build(MulOp op, const Formula &f) {
  if (!f.isFloat())
    return f.make<arith::MulIOp>(f.x(), f.y());
  // Quantisers make integers again of what was dequantised: ties are where the standard has them.
  if (isScaledInteger(op.getResult(), 2))
    return f.make<arith::MulFOp>(f.x(), f.y());
  return f.contracted<arith::MulFOp>(f.x(), f.y());
}

/// The divisor with 1 in place of what traps: zero, and -1 under the least value.
static Value safeDivisor(const Formula &f, Value &isZero) {
  isZero = f.compare(arith::CmpIPredicate::eq, f.y(), f.integer(0));
  Value unsafe = isZero;
  if (!f.isUnsigned()) {
    Value least =
        f.like(f.x(), arith::ConstantOp::create(
                          f.builder(), f.loc(),
                          f.builder().getIntegerAttr(registerType(f.element), APInt::getSignedMinValue(f.width()))));
    Value wraps = f.make<arith::AndIOp>(f.compare(arith::CmpIPredicate::eq, f.x(), least),
                                        f.compare(arith::CmpIPredicate::eq, f.y(), f.integer(-1)));
    unsafe = f.make<arith::OrIOp>(unsafe, wraps);
  }
  return f.select(unsafe, f.integer(1), f.y());
}

Value build(DivOp, const Formula &f) {
  if (f.isFloat())
    return f.make<arith::DivFOp>(f.x(), f.y());
  Value isZero, divisor = safeDivisor(f, isZero);
  Value quotient = f.isUnsigned() ? f.make<arith::DivUIOp>(f.x(), divisor) : f.make<arith::DivSIOp>(f.x(), divisor);
  return f.select(isZero, f.integer(0), quotient);
}
Value build(RemOp, const Formula &f) {
  if (f.isFloat())
    return f.make<arith::RemFOp>(f.x(), f.y());
  Value isZero, divisor = safeDivisor(f, isZero);
  return f.isUnsigned() ? f.make<arith::RemUIOp>(f.x(), divisor) : f.make<arith::RemSIOp>(f.x(), divisor);
}
Value build(ModOp, const Formula &f) {
  Value rest = build(RemOp(), f);
  if (f.isUnsigned() && !f.isFloat())
    return rest;
  Value other, differs;
  if (f.isFloat()) {
    Value nonZero = f.compare(arith::CmpFPredicate::ONE, rest, f.number(0));
    Value below = f.compare(arith::CmpFPredicate::OLT, rest, f.number(0));
    differs = f.make<arith::AndIOp>(
        nonZero, f.make<arith::XOrIOp>(below, f.compare(arith::CmpFPredicate::OLT, f.y(), f.number(0))));
    other = f.make<arith::AddFOp>(rest, f.y());
    // A zero has the sign of the divisor.
    rest = f.select(nonZero, rest, f.make<math::CopySignOp>(rest, f.y()));
  } else {
    Value nonZero = f.compare(arith::CmpIPredicate::ne, rest, f.integer(0));
    Value below = f.compare(arith::CmpIPredicate::slt, rest, f.integer(0));
    differs = f.make<arith::AndIOp>(
        nonZero, f.make<arith::XOrIOp>(below, f.compare(arith::CmpIPredicate::slt, f.y(), f.integer(0))));
    other = f.make<arith::AddIOp>(rest, f.y());
  }
  return f.select(differs, other, rest);
}

/// Powers of integers by squaring, one bit of the exponent after the other.
static Value integerPower(const Formula &f) {
  Value one = f.integer(1), zero = f.integer(0);
  Value negative = f.isUnsigned() ? Value() : f.compare(arith::CmpIPredicate::slt, f.y(), zero);
  Value exponent = negative ? f.select(negative, f.make<arith::SubIOp>(zero, f.y()), f.y()) : f.y();
  // Fails never: nothing is asked.
  auto step = [&](Value, ValueRange state) -> FailureOr<SmallVector<Value>> {
    Value odd = f.compare(arith::CmpIPredicate::ne, f.make<arith::AndIOp>(state[2], one), zero);
    Value power = f.select(odd, f.make<arith::MulIOp>(state[0], state[1]), state[0]);
    return SmallVector<Value>{power, f.make<arith::MulIOp>(state[1], state[1]), f.make<arith::ShRUIOp>(state[2], one)};
  };
  Value power = f.emitter.loop(f.emitter.index(f.width()), ValueRange{one, f.x(), exponent}, step)->front();
  if (!negative)
    return power;
  // 1 / x^|y| is not zero for 1 and -1 alone, whose powers are their own inverses.
  Value isUnit = f.make<arith::OrIOp>(f.compare(arith::CmpIPredicate::eq, f.x(), one),
                                      f.compare(arith::CmpIPredicate::eq, f.x(), f.integer(-1)));
  return f.select(negative, f.select(isUnit, power, zero), power);
}

Value build(PowOp, const Formula &f) { return f.isFloat() ? f.make<math::PowFOp>(f.x(), f.y()) : integerPower(f); }
Value build(MinOp, const Formula &f) { return f.byType<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(); }
Value build(MaxOp, const Formula &f) { return f.byType<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(); }
Value build(Atan2Op, const Formula &f) { return f.make<math::Atan2Op>(f.x(), f.y()); }
Value build(AndOp, const Formula &f) { return f.make<arith::AndIOp>(f.x(), f.y()); }
Value build(OrOp, const Formula &f) { return f.make<arith::OrIOp>(f.x(), f.y()); }
Value build(XorOp, const Formula &f) { return f.make<arith::XOrIOp>(f.x(), f.y()); }

/// Whether y is a shift that moves every bit out.
static Value shiftsAll(const Formula &f) { return f.compare(arith::CmpIPredicate::uge, f.y(), f.integer(f.width())); }
Value build(ShlOp, const Formula &f) {
  Value all = shiftsAll(f), amount = f.select(all, f.integer(0), f.y());
  return f.select(all, f.integer(0), f.make<arith::ShLIOp>(f.x(), amount));
}
Value build(ShrOp, const Formula &f) {
  Value all = shiftsAll(f);
  if (f.isUnsigned()) {
    Value amount = f.select(all, f.integer(0), f.y());
    return f.select(all, f.integer(0), f.make<arith::ShRUIOp>(f.x(), amount));
  }
  return f.make<arith::ShRSIOp>(f.x(), f.select(all, f.integer(f.width() - 1), f.y()));
}

//===----------------------------------------------------------------------===//
// Comparisons and conversions
//===----------------------------------------------------------------------===//

Value build(CompareOp op, const Formula &f) {
  static constexpr arith::CmpFPredicate floats[] = {arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE,
                                                    arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
                                                    arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE};
  static constexpr arith::CmpIPredicate signedOnes[] = {arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
                                                        arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
                                                        arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge};
  static constexpr arith::CmpIPredicate unsignedOnes[] = {arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne,
                                                          arith::CmpIPredicate::ult, arith::CmpIPredicate::ule,
                                                          arith::CmpIPredicate::ugt, arith::CmpIPredicate::uge};
  unsigned predicate = (unsigned)op.getPredicate();
  if (f.isFloat())
    return f.compare(floats[predicate], f.x(), f.y());
  return f.compare(f.isUnsigned() ? unsignedOnes[predicate] : signedOnes[predicate], f.x(), f.y());
}
Value build(IsNanOp, const Formula &f) {
  if (!f.isFloat())
    return f.like(f.x(), f.emitter.integer(f.builder().getI1Type(), 0));
  return f.compare(arith::CmpFPredicate::UNO, f.x(), f.x());
}
Value build(SelectOp, const Formula &f) { return f.select(f.operands[0], f.operands[1], f.operands[2]); }

Value build(BitcastOp op, const Formula &f) {
  Type to = getElementTypeOrSelf(op.getResult()), target = registerType(to);
  if (registerType(f.element) != target)
    return f.make<arith::BitcastOp>(f.emitter.typeLike(f.x(), target), f.x());
  unsigned width = f.width();
  if (width >= 8)
    return f.x();
  // A packed element is held widened, with its sign or with zeros.
  Value unused = f.like(f.x(), f.emitter.integer(target, 8 - width)), top = f.make<arith::ShLIOp>(f.x(), unused);
  bool isSigned = isa<IntegerType>(to) && !to.isUnsignedInteger();
  return isSigned ? f.make<arith::ShRSIOp>(top, unused) : f.make<arith::ShRUIOp>(top, unused);
}

/// A strategy's own casts keep bits, the graph's round.
Value convertFloat(const Formula &f, Value value, Type to, bool rounds) {
  unsigned from = getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (getElementTypeOrSelf(value.getType()) == to)
    return value;
  if (from < width)
    return rounds ? f.make<arith::ExtFOp>(f.emitter.typeLike(value, to), value) : widen(f.emitter, value, to);
  if (from > width)
    return rounds ? f.make<arith::TruncFOp>(f.emitter.typeLike(value, to), value) : narrow(f.emitter, value, to);
  return convertFloat(f, convertFloat(f, value, f.builder().getF32Type(), rounds), to, rounds);
}

/// Between which numbers the elements of a tensor lie, and whether some may be NaN.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool mayBeNaN = true;

  explicit Bounds(Value tensor, int64_t depth = 8) {
    Operation *op = depth == 0 ? nullptr : tensor.getDefiningOp();
    auto of = [&](unsigned i) { return Bounds(op->getOperand(i), depth - 1); };
    if (auto constant = dyn_cast_if_present<ConstantOp>(op)) {
      auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
      if (elements && elements.isSplat() && isa<FloatType>(elements.getElementType()))
        setNumber(elements.getSplatValue<APFloat>());
    } else if (auto cast = dyn_cast_if_present<CastOp>(op)) {
      auto from = dyn_cast<IntegerType>(getElementTypeOrSelf(cast.getOperand()));
      if (from && from.getWidth() <= 16 && isa<FloatType>(getElementTypeOrSelf(cast.getResult())))
        setRange(from);
    } else if (isa_and_present<BroadcastOp>(op)) {
      *this = of(0);
    } else if (isa_and_present<RoundOp, FloorOp, CeilOp>(op)) {
      *this = of(0);
      low = std::floor(low);
      high = std::ceil(high);
    } else if (isa_and_present<MaxOp, MinOp, AddOp, SubOp, MulOp>(op)) {
      combine(op, of(0), of(1));
    }
  }

  bool isWithin(double least, double most) const { return low >= least && high <= most; }

private:
  void setNumber(APFloat value) {
    bool loses;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &loses);
    mayBeNaN = value.isNaN();
    if (!mayBeNaN)
      low = high = value.convertToDouble();
  }

  void setRange(IntegerType type) {
    unsigned width = type.getWidth();
    bool isUnsigned = type.isUnsigned() || width == 1;
    low = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
    high = std::ldexp(1.0, isUnsigned ? width : width - 1) - 1;
    mayBeNaN = false;
  }

  void combine(Operation *op, const Bounds &x, const Bounds &y) {
    mayBeNaN = x.mayBeNaN || y.mayBeNaN;
    if (isa<MaxOp>(op)) {
      low = std::max(x.low, y.low);
      high = std::max(x.high, y.high);
    } else if (isa<MinOp>(op)) {
      low = std::min(x.low, y.low);
      high = std::min(x.high, y.high);
    } else if (double all[] = {x.low, x.high, y.low, y.high};
               !llvm::all_of(all, [](double v) { return std::isfinite(v); })) {
      mayBeNaN = true; // of infinities
    } else if (isa<MulOp>(op)) {
      std::tie(low, high) = std::minmax({x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high});
      widen();
    } else {
      bool isSum = isa<AddOp>(op);
      low = x.low + (isSum ? y.low : -y.high);
      high = x.high + (isSum ? y.high : -y.low);
      widen();
    }
  }

  /// What is rounded may lie a little beyond.
  void widen() {
    double slack = std::max(std::abs(low), std::abs(high)) / 1024;
    low -= slack;
    high += slack;
  }
};

Value build(CastOp op, const Formula &f);

constexpr double limitOf32Bits = 2147483648.0;

/// Floats to integers of up to 32 bits by way of 32 bits, which targets have vectors of: null where that would wrap
/// otherwise than 64 bits do.
Value castBy32Bits(CastOp op, const Formula &f, unsigned width) {
  constexpr double period = 65536;
  Value number = f.x();
  if (!Bounds(op.getOperand()).isWithin(-limitOf32Bits, limitOf32Bits - 1)) {
    // Numbers of f64 beyond 64 bits may end in other bits than the least one, which they become.
    if (width > 16 || !f.element.isF32())
      return Value();
    // Whole periods are taken off, exactly: what wraps modulo 2^16 stays, NaN and infinities are NaN.
    Value whole = f.make<math::TruncOp>(f.make<arith::MulFOp>(number, f.number(1 / period)));
    number = f.make<arith::SubFOp>(number, f.make<arith::MulFOp>(whole, f.number(period)));
  }
  Value result = f.make<arith::FPToSIOp>(f.emitter.typeLike(number, f.builder().getI32Type()), number);
  Type narrow = f.emitter.typeLike(number, f.builder().getIntegerType(width));
  return width == 32 ? result : f.make<arith::TruncIOp>(narrow, result);
}

/// Floats to integers by way of 64 bits. What these don't hold becomes the least of them, which other conversions give
/// on some targets only.
Value castBy64Bits(const Formula &f, Type to, Type target) {
  constexpr double limit = 9223372036854775808.0;
  bool isUnsigned = to.isUnsignedInteger(64);
  Value isHeld =
      f.make<arith::AndIOp>(f.compare(arith::CmpFPredicate::OGE, f.x(), f.number(-limit)),
                            f.compare(arith::CmpFPredicate::OLT, f.x(), f.number(isUnsigned ? 2 * limit : limit)));
  Value x = f.select(isHeld, f.x(), f.number(-limit));
  Type wide = f.emitter.typeLike(x, f.builder().getI64Type());
  Value number = f.make<arith::FPToSIOp>(wide, x);
  if (isUnsigned)
    number =
        f.select(f.compare(arith::CmpFPredicate::OGE, x, f.number(limit)), f.make<arith::FPToUIOp>(wide, x), number);
  return target.isInteger(64) ? number : f.make<arith::TruncIOp>(f.emitter.typeLike(x, target), number);
}

/// To or from a type that is only stored: by way of f32.
Value castStorageFloat(CastOp op, const Formula &f, Type to) {
  Formula wide = f;
  wide.element = f.builder().getF32Type();
  if (isStorageFloat(f.element)) {
    wide.operands = {decodeFloat(f.emitter, f.x(), cast<FloatType>(f.element))};
  } else if (isa<FloatType>(f.element)) {
    wide.operands = {convertFloat(f, f.x(), wide.element, /*rounds=*/true)};
  } else {
    Type real = f.emitter.typeLike(f.x(), wide.element);
    wide.operands = {f.isUnsigned() ? f.make<arith::UIToFPOp>(real, f.x()) : f.make<arith::SIToFPOp>(real, f.x())};
  }
  if (isStorageFloat(to))
    return encodeFloat(f.emitter, wide.x(), cast<FloatType>(to), op.getSaturate());
  return to.isF32() ? wide.x() : build(op, wide);
}

Value build(CastOp op, const Formula &f) {
  Type to = cast<RankedTensorType>(op.getResult().getType()).getElementType(), target = registerType(to);
  Type from = f.element;
  if (from != to && (isStorageFloat(from) || isStorageFloat(to)))
    return castStorageFloat(op, f, to);
  if (registerType(from) == target && !to.isInteger(1))
    return f.x();
  if (f.isFloat() && f.width() < 32 && !isa<FloatType>(to)) {
    Formula exact = f;
    exact.element = f.builder().getF32Type();
    exact.operands = {convertFloat(f, f.x(), exact.element, /*rounds=*/true)};
    return build(op, exact);
  }
  if (to.isInteger(1)) {
    if (from.isInteger(1))
      return f.x();
    return f.isFloat() ? f.compare(arith::CmpFPredicate::UNE, f.x(), f.number(0))
                       : f.compare(arith::CmpIPredicate::ne, f.x(), f.integer(0));
  }
  if (f.isFloat() && isa<FloatType>(to))
    return convertFloat(f, f.x(), to, /*rounds=*/(bool)op->getParentOfType<tile::ComputeOp>());
  if (f.isFloat()) {
    unsigned width = target.getIntOrFloatBitWidth();
    Value number = width <= 32 ? castBy32Bits(op, f, width) : Value();
    if (!number)
      number = castBy64Bits(f, to, target);
    // What has no value is the least number of 64 bits, whose last ones are zero; that of 32 bits has 32.
    bool isUnsigned = to.isUnsignedInteger();
    if ((isUnsigned ? width < 32 : width == 64) || !Bounds(op.getOperand()).mayBeNaN)
      return number;
    Value least = f.emitter.integer(target, isUnsigned ? 0 : -(int64_t(1) << (to.getIntOrFloatBitWidth() - 1)));
    return f.select(f.compare(arith::CmpFPredicate::UNO, f.x(), f.x()), f.like(number, least), number);
  }
  Type result = f.emitter.typeLike(f.x(), target);
  if (isa<FloatType>(to))
    return f.isUnsigned() ? f.make<arith::UIToFPOp>(result, f.x()) : f.make<arith::SIToFPOp>(result, f.x());
  if (f.width() > target.getIntOrFloatBitWidth())
    return f.make<arith::TruncIOp>(result, f.x());
  return f.isUnsigned() ? f.make<arith::ExtUIOp>(result, f.x()) : f.make<arith::ExtSIOp>(result, f.x());
}

/// Whether the op computes with numbers of a narrow floating-point type: in f32, and rounded where it leaves the
/// kernel. What only looks at bits or chooses stays as it is.
template <typename OpT> bool computesNarrow(Type element) {
  constexpr bool keeps = std::is_same_v<OpT, CastOp> || std::is_same_v<OpT, SelectOp> || std::is_same_v<OpT, NegOp> ||
                         std::is_same_v<OpT, AbsOp> || std::is_same_v<OpT, BitcastOp>;
  return !keeps && (element.isF16() || element.isBF16());
}

/// Whether the op jumps: what is next to a step must be on the side of it that the type has.
template <typename OpT>
constexpr bool hasSteps = llvm::is_one_of<OpT, FloorOp, CeilOp, RoundOp, SignOp, RemOp, ModOp>::value;

/// Whether the op is a function that is expanded into polynomials.
template <typename OpT>
constexpr bool isFunction =
    llvm::is_one_of<OpT, ExpOp, Expm1Op, LogOp, Log1pOp, SinOp, CosOp, TanOp, AsinOp, AcosOp, AtanOp, SinhOp, CoshOp,
                    AsinhOp, AcoshOp, AtanhOp, TanhOp, ErfOp, SigmoidOp, PowOp, Atan2Op>::value;

/// A number that may be divided by another one, is rounded, moved by an integer, clamped, and then stored in few bits.
struct Rounding {
  Value x;
  std::optional<double> divisor = {}; ///< where it is known, and far from the limits of f32
  int64_t offset = 0;
  Value anyDivisor = {}, anyOffset = {}; ///< tensors of what isn't known
  double low = -std::numeric_limits<double>::infinity(), high = -low;

  /// The rounding in front of a conversion, whose numbers are exact in f32 with all their integers; none if it has
  /// none.
  static std::optional<Rounding> of(CastOp op) {
    auto to = cast<RankedTensorType>(op.getType()).getElementType();
    if (!getElementTypeOrSelf(op.getOperand()).isF32() || !isa<IntegerType>(to) || to.isInteger(1) ||
        to.getIntOrFloatBitWidth() > 16)
      return std::nullopt;
    Rounding result{op.getOperand()};
    while (Operation *bound = result.x.getDefiningOp()) {
      std::optional<double> number = result.step(bound, isa<MinOp, MaxOp>(bound));
      if (!number)
        break;
      // What is bounded first is bounded again by what follows.
      double limit = std::clamp(*number, result.low, result.high);
      (isa<MinOp>(bound) ? result.high : result.low) = limit;
    }
    Operation *sum = result.x.getDefiningOp();
    double offset = sum ? result.step(sum, isa<AddOp>(sum)).value_or(0) : 0;
    for (unsigned i = 0; result.x.getDefiningOp<AddOp>() && i < 2; ++i)
      if (sum->getOperand(i).getDefiningOp<RoundOp>()) {
        result.anyOffset = sum->getOperand(1 - i);
        result.x = sum->getOperand(i);
      }
    auto round = result.x.getDefiningOp<RoundOp>();
    auto isSmall = [](double number) { return std::abs(number) <= mostOffset && number == std::rint(number); };
    if (!round || !isSmall(offset) || !isSmall(result.low) || !isSmall(result.high))
      return std::nullopt;
    result.offset = int64_t(offset);
    result.x = round.getOperand();
    auto quotient = result.x.getDefiningOp<DivOp>();
    auto divisor = quotient ? dyn_cast_if_present<FloatAttr>(splatOf(quotient.getRhs())) : FloatAttr();
    if (double number = divisor ? divisor.getValueAsDouble() : 0;
        number >= 1 / largeDivisor && number <= largeDivisor) {
      result.divisor = number;
      result.x = quotient.getLhs();
    } else if (quotient && !divisor) {
      result.anyDivisor = quotient.getRhs();
      result.x = quotient.getLhs();
    }
    return result;
  }
  /// That of the numbers that a conversion widens, if all of them are numbers of the type that they are stored in.
  static std::optional<Rounding> ofStored(CastOp op) {
    auto stored = op.getOperand().getDefiningOp<CastOp>();
    auto type = stored ? dyn_cast<IntegerType>(getElementTypeOrSelf(stored.getType())) : IntegerType();
    std::optional<Rounding> result = type ? of(stored) : std::nullopt;
    Type to = getElementTypeOrSelf(op.getType());
    if (!result || !(to.isInteger(32) || to.isF32()))
      return std::nullopt;
    double least = type.isUnsigned() ? 0 : -std::ldexp(1.0, type.getWidth() - 1),
           most = least + std::ldexp(1.0, type.getWidth()) - 1;
    return result->low >= least && result->high <= most ? result : std::nullopt;
  }

  bool isKnown() const { return !anyDivisor && !anyOffset; }

  /// By the addition of a number whose last bit is 1, ties to even, which leaves the integer in the low bits.
  Value emit(const Formula &f, Type target) const {
    double factor = divisor.value_or(1);
    Value x = clamped(f, f.x(), f.number((low - offset) * factor), f.number((high - offset) * factor));
    if (divisor)
      x = divide(f, x, KnownDivisor{float(*divisor)});
    Value sum = f.make<arith::AddFOp>(x, f.number(leavesIntegers));
    if (target.isF32())
      return f.make<arith::SubFOp>(sum, f.number(leavesIntegers - offset));
    return moved(f, sum, target, f.emitter.integer(f.builder().getI32Type(), offset));
  }

  /// The same with a divisor and an offset, or one of them, that is a scalar of f32 of which nothing is known: where
  /// they are far from the limits of f32, and the offset is a small integer, else by the model's own arithmetic.
  Value emit(const Formula &f, Type target, Value by, Value from) const {
    OpBuilder &builder = f.builder();
    auto scalar = [&](double value) { return f.emitter.number(builder.getF32Type(), value); };
    Value isUsual = f.emitter.integer(builder.getI1Type(), 1);
    auto expect = [&](arith::CmpFPredicate predicate, Value a, Value b) {
      isUsual = f.make<arith::AndIOp>(isUsual, f.compare(predicate, a, b));
    };
    Value least = scalar(low - offset), most = scalar(high - offset), inverse;
    if (from) {
      expect(arith::CmpFPredicate::OGE, from, scalar(-double(mostOffset)));
      expect(arith::CmpFPredicate::OLE, from, scalar(mostOffset));
      expect(arith::CmpFPredicate::OEQ, from, f.make<math::RoundEvenOp>(from));
      least = f.make<arith::SubFOp>(scalar(low), from);
      most = f.make<arith::SubFOp>(scalar(high), from);
    }
    Value factor = by ? by : scalar(divisor.value_or(1));
    least = f.make<arith::MulFOp>(least, factor);
    most = f.make<arith::MulFOp>(most, factor);
    if (by) {
      expect(arith::CmpFPredicate::OGE, by, scalar(1 / largeDivisor));
      expect(arith::CmpFPredicate::OLE, by, scalar(largeDivisor));
      inverse = f.make<arith::DivFOp>(scalar(1), by);
    }
    auto branch = scf::IfOp::create(builder, f.loc(), f.emitter.typeLike(f.x(), target), isUsual, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(builder);
    auto like = [&](Value number) { return f.like(f.x(), number); };
    builder.setInsertionPointToStart(branch.thenBlock());
    Value x = clamped(f, f.x(), like(least), like(most));
    if (by)
      x = divide(f, x, like(inverse), like(f.make<arith::NegFOp>(by)));
    else if (divisor)
      x = divide(f, x, KnownDivisor{float(*divisor)});
    Value sum = f.make<arith::AddFOp>(x, f.number(leavesIntegers)), result;
    Value added = from ? from : scalar(offset);
    if (target.isF32())
      result = f.make<arith::SubFOp>(sum, like(f.make<arith::SubFOp>(scalar(leavesIntegers), added)));
    else
      result = moved(f, sum, target, f.make<arith::FPToSIOp>(builder.getI32Type(), added));
    scf::YieldOp::create(builder, f.loc(), result);
    builder.setInsertionPointToStart(branch.elseBlock());
    x = by || divisor ? f.make<arith::DivFOp>(f.x(), like(factor)) : f.x();
    x = f.make<arith::AddFOp>(f.make<math::RoundEvenOp>(x), like(added));
    x = clamped(f, x, f.number(low), f.number(high));
    if (!target.isF32())
      x = f.make<arith::FPToSIOp>(f.emitter.typeLike(x, builder.getI32Type()), x);
    if (!target.isF32() && !target.isInteger(32))
      x = f.make<arith::TruncIOp>(f.emitter.typeLike(x, target), x);
    scf::YieldOp::create(builder, f.loc(), x);
    return branch.getResult(0);
  }

private:
  static constexpr double leavesIntegers = 3 << 22, largeDivisor = 1LL << 60;
  static constexpr int64_t bitsOfIntegers = 0x4B400000; ///< as which f32 has it
  static constexpr int64_t mostOffset = 1 << 20;

  /// What is divided has the quotient's limits, whose quotients round to those. NaN becomes the least number.
  static Value clamped(const Formula &f, Value x, Value least, Value most) {
    x = f.select(f.compare(arith::CmpFPredicate::OLT, most, x), most, x);
    return f.select(f.compare(arith::CmpFPredicate::OGT, x, least), x, least);
  }

  /// The integer in the low bits, and one that is added.
  static Value moved(const Formula &f, Value sum, Type target, Value offset) {
    OpBuilder &builder = f.builder();
    Value bits = f.make<arith::BitcastOp>(f.emitter.typeLike(sum, builder.getI32Type()), sum);
    if (target.isInteger(32))
      offset = f.make<arith::SubIOp>(offset, f.emitter.integer(builder.getI32Type(), bitsOfIntegers));
    else
      bits = f.make<arith::TruncIOp>(f.emitter.typeLike(sum, target), bits);
    if (matchPattern(offset, m_Zero()))
      return bits;
    if (!target.isInteger(32))
      offset = f.make<arith::TruncIOp>(target, offset);
    return f.make<arith::AddIOp>(bits, f.like(bits, offset));
  }

  /// The quotient as division rounds it, by its inverse: N. Brisebarre, J.-M. Muller, S. K. Raina, "Accelerating
  /// Correctly Rounded Floating-Point Division when the Divisor Is Known in Advance", by what the inverse is short of
  /// where that does for the divisor, else by what the quotient is.
  static Value divide(const Formula &f, Value x, const KnownDivisor &known) {
    Value inverse = f.number(known.inverse);
    if (!known.restDoes())
      return divide(f, x, inverse, f.number(-known.divisor));
    Value small = f.make<arith::MulFOp>(x, f.number(known.rest));
    return f.make<math::FmaOp>(x, inverse, small);
  }
  static Value divide(const Formula &f, Value x, Value inverse, Value negated) {
    Value quotient = f.make<arith::MulFOp>(x, inverse);
    Value rest = f.make<math::FmaOp>(quotient, negated, x);
    return f.make<math::FmaOp>(rest, inverse, quotient);
  }

  /// Goes on to the other operand of an op that combines it with one number, which is the result.
  std::optional<double> step(Operation *op, bool isOne) {
    for (unsigned i = 0; isOne && i < 2; ++i)
      if (auto number = dyn_cast_if_present<FloatAttr>(splatOf(op->getOperand(i)));
          number && !number.getValue().isNaN()) {
        x = op->getOperand(1 - i);
        return number.getValueAsDouble();
      }
    return std::nullopt;
  }
};

template <typename OpT> struct ElementwiseModel : ElementInterface::ExternalModel<ElementwiseModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    Formula formula{emitter, {}, cast<RankedTensorType>(op->getOperand(0).getType()).getElementType()};
    if constexpr (std::is_same_v<OpT, CastOp>) {
      std::optional<Rounding> rounding = Rounding::of(cast<CastOp>(op));
      if (!rounding)
        rounding = Rounding::ofStored(cast<CastOp>(op));
      if (rounding) {
        FailureOr<Value> x = emitter.at(rounding->x, coordinates);
        if (failed(x))
          return failure();
        Formula rounded{emitter, {*x}, getElementTypeOrSelf(rounding->x.getType())};
        Type target = registerType(getElementTypeOrSelf(op->getResult(0).getType()));
        if (rounding->isKnown())
          return rounding->emit(rounded, target);
        SmallVector<Value, 2> numbers;
        for (Value tensor : {rounding->anyDivisor, rounding->anyOffset}) {
          FailureOr<Value> number = tensor ? emitter.at(tensor, coordinates) : FailureOr<Value>(Value());
          if (failed(number))
            return failure();
          numbers.push_back(*number);
        }
        // What differs from lane to lane is divided by as it is.
        bool areScalars = llvm::none_of(numbers, [](Value x) { return x && isa<VectorType>(x.getType()); });
        if (areScalars && isa<VectorType>(x->getType()))
          return rounding->emit(rounded, target, numbers[0], numbers[1]);
      }
    }
    for (Value operand : op->getOperands()) {
      FailureOr<Value> element = emitter.at(operand, coordinates);
      if (failed(element))
        return failure();
      formula.operands.push_back(*element);
    }
    emitter.unify(formula.operands);
    if (isStorageFloat(formula.element) && !std::is_same_v<OpT, CastOp> && !std::is_same_v<OpT, BitcastOp>)
      return op->emitOpError() << "can't compute with elements of " << formula.element;
    if (!computesNarrow<OpT>(formula.element))
      return build(cast<OpT>(op), formula);
    Type element = formula.element, f32 = emitter.builder.getF32Type();
    // What is asked of numbers is asked of those that the type has.
    bool rounds = hasSteps<OpT> || !isa<FloatType>(getElementTypeOrSelf(op->getResult(0)));
    for (Value &operand : formula.operands)
      operand = convertFloat(formula, operand, f32, rounds);
    formula.element = f32;
    Value result = build(cast<OpT>(op), formula);
    if (getElementTypeOrSelf(result.getType()) != f32)
      return result;
    return narrow(emitter, result, element);
  }

  int64_t estimateInstructions(Operation *) const { return isFunction<OpT> ? 20 : 1; }
};

/// Casts of what is limited to numbers of an integer type: the same limits of integers, by which targets have narrower
/// vectors saturate, if what is limited fits 32 bits.
struct CastModel : ElementInterface::ExternalModel<CastModel, CastOp> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) const {
    auto cast = mlir::cast<CastOp>(op);
    auto to = dyn_cast<IntegerType>(getElementTypeOrSelf(cast.getResult()));
    if (!to || to.getWidth() < 8 || to.getWidth() > 16 || !getElementTypeOrSelf(cast.getOperand()).isF32())
      return ElementwiseModel<CastOp>().emitElement(op, e, coordinates);
    Value number = cast.getOperand();
    std::optional<double> low, high;
    // The inner limits are those that count first: of the same kind the outer one is not taken off.
    for (bool isLimit = true; isLimit;) {
      Operation *limit = number.getDefiningOp();
      isLimit = false;
      if (!isa_and_present<MaxOp, MinOp>(limit))
        break;
      std::optional<double> &bound = isa<MaxOp>(limit) ? low : high;
      for (unsigned i : {0u, 1u}) {
        Bounds constant(limit->getOperand(i));
        if (bound || isLimit || constant.low != constant.high || std::trunc(constant.low) != constant.low)
          continue;
        bound = constant.low;
        number = limit->getOperand(1 - i);
        isLimit = true;
      }
    }
    Bounds bounds(number), all(cast.getOperand());
    double least = to.isUnsigned() ? 0 : -std::ldexp(1.0, to.getWidth() - 1),
           most = least + std::ldexp(1.0, to.getWidth()) - 1;
    if (!low || !high || *low > *high || bounds.mayBeNaN || !bounds.isWithin(1 - limitOf32Bits, limitOf32Bits - 1) ||
        !all.isWithin(least, most))
      return ElementwiseModel<CastOp>().emitElement(op, e, coordinates);
    FailureOr<Value> element = e.at(number, coordinates);
    if (failed(element))
      return failure();
    Formula f{e, {*element}, e.builder.getI32Type()};
    Value integer = f.make<arith::FPToSIOp>(e.typeLike(*element, f.element), *element);
    f.operands = {integer};
    integer = f.make<arith::MaxSIOp>(integer, f.integer((int64_t)*low));
    integer = f.make<arith::MinSIOp>(integer, f.integer((int64_t)*high));
    return f.make<arith::TruncIOp>(e.typeLike(integer, registerType(to)), integer);
  }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<ElementwiseModel<Ops>>(*context), ...);
}
} // namespace

void codegen::registerElementwiseElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    attach<NegOp, AbsOp, SignOp, NotOp, ExpOp, Expm1Op, LogOp, Log1pOp, SqrtOp, RsqrtOp, ReciprocalOp, SinOp, CosOp,
           TanOp, AsinOp, AcosOp, AtanOp, SinhOp, CoshOp, AsinhOp, AcoshOp, AtanhOp, TanhOp, ErfOp, SigmoidOp, FloorOp,
           CeilOp, RoundOp>(context);
    attach<AddOp, SubOp, MulOp, DivOp, RemOp, ModOp, PowOp, MinOp, MaxOp, Atan2Op, AndOp, OrOp, XorOp, ShlOp, ShrOp,
           CompareOp, IsNanOp, SelectOp, BitcastOp>(context);
    CastOp::attachInterface<CastModel>(*context);
  });
}
