//===- ReductionElements.cpp - Elements of reductions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "ElementLoops.h"
#include "tenon/Codegen/Common/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

namespace {
FailureOr<Value> emit(ReduceOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value operand = op.getOperand();
  int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
  Combination combination(e, op.getCombiner(), getElementTypeOrSelf(operand));
  SmallVector<int64_t> dims(op.getDims());
  llvm::sort(dims);
  bool across = !dims.empty() && dims.back() == rank - 1 && !dependsOnLanes(coordinates);
  Value count = e.index(1);
  SmallVector<PositionRange> extents;
  for (int64_t dim : dims) {
    extents.push_back({e.index(0), e.size(operand, dim)});
    count = e.mul(count, extents.back().high);
  }
  Coordinates place(rank);
  for (int64_t dim = 0, next = 0; dim < rank; ++dim)
    if (!llvm::is_contained(dims, dim))
      place[dim] = coordinates[next++];

  Value identity = combination.identity();
  auto read = [&](ArrayRef<Value> places, int64_t step) -> FailureOr<Value> {
    for (auto [dim, value] : llvm::zip(dims, places))
      place[dim] = {value, 0, Value()};
    if (across)
      place[rank - 1].step = step;
    FailureOr<Value> element = e.at(operand, place);
    if (failed(element))
      return failure();
    return combination.widen(*element);
  };
  FailureOr<Value> result;
  if (!across) {
    Value init = dependsOnLanes(coordinates) ? e.asVector(identity) : identity;
    result = nest(e, extents, init, [&](ArrayRef<Value> places, Value state) -> FailureOr<Value> {
      FailureOr<Value> element = read(places, 0);
      if (failed(element))
        return failure();
      return combination.combine(state, *element);
    });
  } else {
    Value extent = extents.pop_back_val().high;
    result = nest(e, extents, e.asVector(identity), [&](ArrayRef<Value> outer, Value sum) {
      SmallVector<Value> places(outer);
      places.push_back(Value());
      return loopOverVectors(e, extent, sum, [&](Value at, Value state, bool isMasked) -> FailureOr<Value> {
        places.back() = at;
        FailureOr<Value> element = read(places, 1);
        if (failed(element))
          return failure();
        if (isMasked)
          element = arith::SelectOp::create(e.builder, e.loc, e.mask(), e.asVector(*element), e.asVector(identity))
                        .getResult();
        return combination.combine(state, *element);
      });
    });
    if (succeeded(result))
      result = combination.across(*result);
  }
  if (failed(result))
    return failure();
  return combination.finish(*result, op.getCombiner() == Combiner::mean ? count : Value());
}

FailureOr<Value> emit(ArgReduceOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value operand = op.getOperand();
  Type element = getElementTypeOrSelf(operand);
  bool isFloat = isa<FloatType>(element), isMax = op.getCombiner() == Combiner::max;
  Coordinates place(coordinates);
  place.insert(place.begin() + op.getDim(), Coordinate{e.index(0), 0, Value()});
  FailureOr<Value> first = e.at(operand, place);
  if (failed(first))
    return failure();
  Value zero = e.integer(e.builder.getI64Type(), 0);
  if (isa<VectorType>(first->getType()))
    zero = e.asVector(zero);
  auto compareF = [&](arith::CmpFPredicate p, Value a, Value b) {
    return arith::CmpFOp::create(e.builder, e.loc, p, a, b).getResult();
  };
  auto step = [&](Value i, ValueRange state) -> FailureOr<SmallVector<Value>> {
    place[op.getDim()].base = i;
    FailureOr<Value> next = e.at(operand, place);
    if (failed(next))
      return failure();
    Value better;
    if (isFloat) {
      auto strict = isMax ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
      auto loose = isMax ? arith::CmpFPredicate::OGE : arith::CmpFPredicate::OLE;
      better = compareF(op.getLast() ? loose : strict, *next, state[0]);
      // NaN is the extreme: the first one, or with `last` the last one.
      Value isNan = compareF(arith::CmpFPredicate::UNO, *next, *next);
      if (!op.getLast()) {
        Value wasNan = compareF(arith::CmpFPredicate::ORD, state[0], state[0]);
        isNan = arith::AndIOp::create(e.builder, e.loc, isNan, wasNan);
      }
      better = arith::OrIOp::create(e.builder, e.loc, better, isNan);
    } else {
      bool isUnsigned = element.isUnsignedInteger() || element.isInteger(1);
      using P = arith::CmpIPredicate;
      P predicate = isUnsigned ? (op.getLast() ? (isMax ? P::uge : P::ule) : (isMax ? P::ugt : P::ult))
                               : (op.getLast() ? (isMax ? P::sge : P::sle) : (isMax ? P::sgt : P::slt));
      better = arith::CmpIOp::create(e.builder, e.loc, predicate, *next, state[0]);
    }
    Value number = arith::IndexCastOp::create(e.builder, e.loc, e.builder.getI64Type(), i);
    if (isa<VectorType>(next->getType()))
      number = e.asVector(number);
    return SmallVector<Value>{arith::SelectOp::create(e.builder, e.loc, better, *next, state[0]),
                              arith::SelectOp::create(e.builder, e.loc, better, number, state[1])};
  };
  FailureOr<SmallVector<Value>> result = e.loop(e.size(operand, op.getDim()), ValueRange{*first, zero}, step);
  if (failed(result))
    return failure();
  return (*result)[1];
}

template <typename OpT> struct ReductionModel : ElementInterface::ExternalModel<ReductionModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    return emit(cast<OpT>(op), emitter, coordinates);
  }
};
} // namespace

void codegen::registerReductionElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    ReduceOp::attachInterface<ReductionModel<ReduceOp>>(*context);
    ArgReduceOp::attachInterface<ReductionModel<ArgReduceOp>>(*context);
  });
}
