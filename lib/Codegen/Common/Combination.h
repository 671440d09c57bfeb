//===- Combination.h - How elements are combined ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_COMMON_COMBINATION_H
#define TENON_LIB_CODEGEN_COMMON_COMBINATION_H

#include "NarrowFloats.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tenon::codegen {

/// How elements are combined: sums and products of narrow floating-point types in f32.
class Combination {
public:
  Combination(ElementEmitter &e, Combiner combiner, mlir::Type element)
      : e(e), combiner(combiner == Combiner::mean ? Combiner::sum : combiner), element(element),
        type(registerType(element)) {
    if (type.isF16() || type.isBF16())
      type = e.builder.getF32Type();
  }

  /// What no elements combine to.
  mlir::Value identity() const {
    if (combiner == Combiner::sum || combiner == Combiner::prod)
      return e.number(type, combiner == Combiner::prod);
    bool most = combiner == Combiner::min;
    if (auto floating = mlir::dyn_cast<mlir::FloatType>(type)) {
      llvm::APFloat value = llvm::APFloat::getInf(floating.getFloatSemantics(), /*Negative=*/!most);
      return mlir::arith::ConstantOp::create(e.builder, e.loc, e.builder.getFloatAttr(type, value));
    }
    unsigned width = type.getIntOrFloatBitWidth();
    llvm::APInt value = isUnsigned()
                            ? (most ? llvm::APInt::getMaxValue(width) : llvm::APInt::getMinValue(width))
                            : (most ? llvm::APInt::getSignedMaxValue(width) : llvm::APInt::getSignedMinValue(width));
    return mlir::arith::ConstantOp::create(e.builder, e.loc, e.builder.getIntegerAttr(type, value));
  }

  /// An element in the type of the combination.
  mlir::Value widen(mlir::Value value) const {
    if (mlir::getElementTypeOrSelf(value.getType()) == type)
      return value;
    return codegen::widen(e, value, type);
  }

  mlir::Value combine(mlir::Value a, mlir::Value b) const {
    mlir::Value both[] = {a, b};
    e.unify(both);
    return mlir::vector::makeArithReduction(e.builder, e.loc, kind(), both[0], both[1]);
  }

  /// All lanes as one.
  mlir::Value across(mlir::Value value) const {
    if (!mlir::isa<mlir::VectorType>(value.getType()))
      return value;
    auto flags = mlir::arith::FastMathFlagsAttr::get(e.builder.getContext(), mlir::arith::FastMathFlags::reassoc);
    if (!mlir::isa<mlir::FloatType>(type))
      return mlir::vector::ReductionOp::create(e.builder, e.loc, kind(), value);
    return mlir::vector::ReductionOp::create(
        e.builder, e.loc, kind(), value,
        combiner == Combiner::sum || combiner == Combiner::prod ? flags.getValue() : mlir::arith::FastMathFlags::none);
  }

  /// The result from all elements combined; `count` is how many there were, of a mean.
  mlir::Value finish(mlir::Value value, mlir::Value count) const {
    mlir::Type result = registerType(element);
    if (count) {
      mlir::Value wide = mlir::arith::IndexCastOp::create(e.builder, e.loc, e.builder.getI64Type(), count);
      if (mlir::isa<mlir::FloatType>(type)) {
        mlir::Value number = mlir::arith::SIToFPOp::create(e.builder, e.loc, type, wide);
        mlir::Value both[] = {value, number};
        e.unify(both);
        value = mlir::arith::DivFOp::create(e.builder, e.loc, both[0], both[1]);
      } else {
        // Of no integers it is 0, which is what they add up to.
        mlir::Value one = mlir::arith::ConstantIntOp::create(e.builder, e.loc, e.builder.getI64Type(), 1);
        mlir::Value number = mlir::arith::MaxSIOp::create(e.builder, e.loc, wide, one);
        if (type != e.builder.getI64Type())
          number = mlir::arith::TruncIOp::create(e.builder, e.loc, type, number);
        mlir::Value both[] = {value, number};
        e.unify(both);
        value = isUnsigned() ? mlir::arith::DivUIOp::create(e.builder, e.loc, both[0], both[1]).getResult()
                             : mlir::arith::DivSIOp::create(e.builder, e.loc, both[0], both[1]).getResult();
      }
    }
    if (mlir::getElementTypeOrSelf(value.getType()) == result)
      return value;
    return narrow(e, value, result);
  }

private:
  bool isUnsigned() const { return element.isUnsignedInteger() || element.isInteger(1); }

  mlir::vector::CombiningKind kind() const {
    switch (combiner) {
    case Combiner::sum:
      return element.isInteger(1) ? mlir::vector::CombiningKind::OR : mlir::vector::CombiningKind::ADD;
    case Combiner::prod:
      return element.isInteger(1) ? mlir::vector::CombiningKind::AND : mlir::vector::CombiningKind::MUL;
    case Combiner::min:
      return mlir::isa<mlir::FloatType>(type) ? mlir::vector::CombiningKind::MINIMUMF
             : isUnsigned()                   ? mlir::vector::CombiningKind::MINUI
                                              : mlir::vector::CombiningKind::MINSI;
    default:
      return mlir::isa<mlir::FloatType>(type) ? mlir::vector::CombiningKind::MAXIMUMF
             : isUnsigned()                   ? mlir::vector::CombiningKind::MAXUI
                                              : mlir::vector::CombiningKind::MAXSI;
    }
  }

  ElementEmitter &e;
  Combiner combiner;
  mlir::Type element, type;
};

} // namespace tenon::codegen

#endif // TENON_LIB_CODEGEN_COMMON_COMBINATION_H
