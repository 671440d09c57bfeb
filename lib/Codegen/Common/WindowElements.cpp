//===- WindowElements.cpp - Elements of windows ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "WindowReader.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

Coordinate codegen::coordinateInWindow(ElementEmitter &e, const Coordinate &window, int64_t stride, int64_t pad,
                                       Value tap, int64_t dilation) {
  Value shift = e.sub(e.mul(tap, e.index(dilation)), e.index(pad));
  if (!window.lanes)
    return {e.add(e.mul(e.first(window), e.index(stride)), shift), window.step * stride, Value()};
  Value scaled = e.mul(window.lanes, e.asVector(e.index(stride)));
  return {Value(), 0, e.add(scaled, e.asVector(shift))};
}

namespace {
FailureOr<Value> emit(UnfoldOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  int64_t spatial = op.getSizes().size();
  Coordinates place(coordinates.take_front(2));
  SmallVector<int64_t> checked;
  for (int64_t i = 0; i < spatial; ++i) {
    const Coordinate &tap = coordinates[2 + i];
    if (!tap.isUniform())
      return op.emitOpError("can't be computed along its windows");
    place.push_back(coordinateInWindow(e, coordinates[2 + spatial + i], op.getStrides()[i], op.getPads()[i],
                                       e.positions(tap), op.getDilations()[i]));
    if (op.getPads()[i] != 0 || op.getPads()[spatial + i] != 0)
      checked.push_back(2 + i);
  }
  if (checked.empty())
    return e.at(op.getOperand(), place);
  return emitWithin(e, op.getOperand(), place, e.number(registerType(getElementTypeOrSelf(op.getOperand())), 0),
                    checked);
}

FailureOr<Value> emit(WindowOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value operand = op.getOperand();
  Combination combination(e, op.getCombiner(), getElementTypeOrSelf(operand));
  int64_t spatial = op.getSizes().size(), first = op.getSpatialDim();
  bool isMean = op.getCombiner() == Combiner::mean, hasLanes = dependsOnLanes(coordinates);
  SmallVector<Value> extents;
  for (int64_t size : op.getSizes())
    extents.push_back(e.index(size));
  WindowReader<WindowOp> windows(e, op, operand, Coordinates(coordinates), first, extents);
  // What is outside combines as nothing does.
  Type element = registerType(getElementTypeOrSelf(operand));
  Value identity = combination.identity();
  Value init = hasLanes ? e.asVector(identity) : identity;
  FailureOr<Value> result = nest(e, windows.taps, init, [&](ArrayRef<Value> taps, Value state) -> FailureOr<Value> {
    Value outside = identity;
    if (outside.getType() != element)
      outside = arith::TruncFOp::create(e.builder, e.loc, element, outside);
    FailureOr<Value> value = windows.at(taps, outside);
    if (failed(value))
      return failure();
    return combination.combine(state, combination.widen(*value));
  });
  if (failed(result))
    return failure();
  if (!isMean)
    return combination.finish(*result, Value());
  // How many places of the window count, as a product over dimensions.
  Value count;
  for (int64_t i = 0; i < spatial; ++i) {
    Value position = e.positions(coordinates[first + i]), total = e.index(0);
    if (isa<VectorType>(position.getType()))
      total = e.asVector(total);
    Value size = e.size(operand, first + i), low = e.index(0);
    if (op.getCountPads()) {
      low = e.index(-op.getPads()[i]);
      size = e.add(size, e.index(op.getPads()[spatial + i]));
    }
    for (int64_t tap = 0; tap < op.getSizes()[i]; ++tap) {
      Value all[] = {
          position,   size, low, e.index(op.getStrides()[i]), e.index(tap * op.getDilations()[i] - op.getPads()[i]),
          e.index(1), total};
      e.unify(all);
      Value place = e.add(e.mul(all[0], all[3]), all[4]);
      auto compare = [&](arith::CmpIPredicate p, Value bound) {
        return arith::CmpIOp::create(e.builder, e.loc, p, place, bound).getResult();
      };
      Value within = arith::AndIOp::create(e.builder, e.loc, compare(arith::CmpIPredicate::sge, all[2]),
                                           compare(arith::CmpIPredicate::slt, all[1]));
      total = arith::SelectOp::create(e.builder, e.loc, within, e.add(all[6], all[5]), all[6]);
    }
    Value both[] = {total, count ? count : total};
    e.unify(both);
    count = count ? e.mul(both[0], both[1]) : total;
  }
  Type wide = getElementTypeOrSelf(result->getType());
  Value number = arith::IndexCastOp::create(e.builder, e.loc, e.typeLike(count, e.builder.getI64Type()), count);
  if (!isa<FloatType>(wide))
    return op.emitError() << "a mean of integers can't be compiled";
  number = arith::SIToFPOp::create(e.builder, e.loc, e.typeLike(count, wide), number);
  Value both[] = {*result, number};
  e.unify(both);
  return combination.finish(arith::DivFOp::create(e.builder, e.loc, both[0], both[1]), Value());
}

/// Windows along the last dimension, if they go along it.
bool readsNeighbours(WindowOp op) {
  bool isAlong = op.getSpatialDim() + op.getSizes().size() == cast<RankedTensorType>(op.getType()).getRank();
  return !isAlong || op.getStrides().back() <= ElementEmitter::maxStep;
}
bool readsNeighbours(UnfoldOp) { return false; }

/// Where windows begin and end to lie within the operand.
SmallVector<AffineExpr> cutsOf(WindowOp op, SizeAnalysis &sizes) {
  int64_t spatial = op.getSizes().size(), rank = cast<RankedTensorType>(op.getType()).getRank();
  if ((int64_t)op.getSpatialDim() + spatial != rank)
    return {};
  int64_t stride = op.getStrides().back(), pad = op.getPads()[spatial - 1];
  int64_t reach = (op.getSizes().back() - 1) * op.getDilations().back();
  AffineExpr end = (sizes.sizesOf(op.getOperand()).back() + (pad - reach - 1)).floorDiv(stride) + 1;
  return {sizes.constant(llvm::divideCeil(pad, stride)), end};
}
SmallVector<AffineExpr> cutsOf(UnfoldOp, SizeAnalysis &) { return {}; }

template <typename OpT> struct WindowModel : ElementInterface::ExternalModel<WindowModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    return emit(cast<OpT>(op), emitter, coordinates);
  }
  bool readsNeighbours(Operation *op) const { return ::readsNeighbours(cast<OpT>(op)); }
  SmallVector<AffineExpr> cutsOf(Operation *op, SizeAnalysis &sizes) const { return ::cutsOf(cast<OpT>(op), sizes); }
};
} // namespace

void codegen::registerWindowElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    UnfoldOp::attachInterface<WindowModel<UnfoldOp>>(*context);
    WindowOp::attachInterface<WindowModel<WindowOp>>(*context);
  });
}
