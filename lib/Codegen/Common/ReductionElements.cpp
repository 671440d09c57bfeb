//===- ReductionElements.cpp - Elements of ops that combine many ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "NarrowFloats.h"
#include "tenon/Codegen/Common/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

namespace {
Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

/// A range of positions along one dimension.
struct Range {
  Value low, high;
};

/// Loops over boxes: calls `body` with one position per range, innermost.
FailureOr<Value> nest(ElementEmitter &e, ArrayRef<Range> ranges, Value init,
                      function_ref<FailureOr<Value>(ArrayRef<Value>, Value)> body) {
  SmallVector<Value> places;
  std::function<FailureOr<Value>(Value)> next = [&](Value state) -> FailureOr<Value> {
    if (places.size() == ranges.size())
      return body(places, state);
    auto step = [&](Value place, ValueRange states) -> FailureOr<SmallVector<Value>> {
      places.push_back(place);
      FailureOr<Value> result = next(states[0]);
      places.pop_back();
      if (failed(result))
        return failure();
      return SmallVector<Value>{*result};
    };
    auto [low, high] = ranges[places.size()];
    FailureOr<SmallVector<Value>> results = e.loop(low, high, state, step);
    if (failed(results))
      return failure();
    return results->front();
  };
  return next(init);
}

bool dependsOnLanes(ArrayRef<Coordinate> coordinates) {
  return llvm::any_of(coordinates, [](const Coordinate &c) { return !c.isUniform(); });
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

FailureOr<Value> emit(ReduceOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value operand = op.getOperand();
  int64_t rank = cast<RankedTensorType>(operand.getType()).getRank();
  Combination combination(e, op.getCombiner(), elementOf(operand));
  SmallVector<int64_t> dims(op.getDims());
  llvm::sort(dims);
  bool across = !dims.empty() && dims.back() == rank - 1 && !dependsOnLanes(coordinates);
  Value count = e.index(1);
  SmallVector<Range> extents;
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
    // Whole vectors of the last dimension, then what is left of it.
    Value extent = extents.pop_back_val().high, width = e.index(e.lanes);
    Value whole = arith::DivUIOp::create(e.builder, e.loc, extent, width);
    Value start = e.mul(whole, width), rest = e.sub(extent, start);
    result = nest(e, extents, e.asVector(identity), [&](ArrayRef<Value> outer, Value state) -> FailureOr<Value> {
      SmallVector<Value> places(outer);
      places.push_back(Value());
      auto step = [&](Value i, ValueRange states) -> FailureOr<SmallVector<Value>> {
        places.back() = e.mul(i, width);
        FailureOr<Value> element = read(places, 1);
        if (failed(element))
          return failure();
        return SmallVector<Value>{combination.combine(states[0], *element)};
      };
      FailureOr<SmallVector<Value>> sums = e.loop(whole, state, step);
      if (failed(sums))
        return failure();
      Value sum = sums->front();
      if (getConstantIntValue(rest) == 0)
        return sum;
      Value hasRest = arith::CmpIOp::create(e.builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0));
      auto tail = scf::IfOp::create(e.builder, e.loc, TypeRange(sum.getType()), hasRest, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(e.builder);
      e.builder.setInsertionPointToEnd(tail.elseBlock());
      scf::YieldOp::create(e.builder, e.loc, sum);
      e.builder.setInsertionPointToEnd(tail.thenBlock());
      ElementEmitter::Scope scope(e);
      Value valid = std::exchange(e.valid, rest);
      places.back() = start;
      FailureOr<Value> element = read(places, 1);
      Value mask = e.mask();
      e.valid = valid;
      if (failed(element))
        return failure();
      Value used = arith::SelectOp::create(e.builder, e.loc, mask, e.asVector(*element), e.asVector(identity));
      scf::YieldOp::create(e.builder, e.loc, combination.combine(sum, used));
      return tail.getResult(0);
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
  Type element = elementOf(operand);
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

/// Where a window starts and its elements lie, along one dimension.
Coordinate windowPlace(ElementEmitter &e, const Coordinate &window, int64_t stride, int64_t pad, Value tap,
                       int64_t dilation) {
  Value shift = e.sub(e.mul(tap, e.index(dilation)), e.index(pad));
  if (!window.lanes)
    return {e.add(e.mul(e.first(window), e.index(stride)), shift), window.step * stride, Value()};
  Value scaled = e.mul(window.lanes, e.asVector(e.index(stride)));
  return {Value(), 0, e.add(scaled, e.asVector(shift))};
}

/// The taps of the windows at a place that read inside of an operand, where those are the same for all lanes, and how
/// windows read it. `place` are the coordinates of the windows, `first` the first spatial dimension of both.
template <typename Op> class Windows {
public:
  Windows(ElementEmitter &e, Op op, Value operand, Coordinates place, int64_t first, ArrayRef<Value> sizes)
      : place(std::move(place)), e(e), op(op), operand(operand), first(first) {
    int64_t spatial = op.getStrides().size();
    for (int64_t i = 0; i < spatial; ++i) {
      Range range{e.index(0), sizes[i]};
      if (op.getPads()[i] != 0 || op.getPads()[spatial + i] != 0 || readsBeyond()) {
        if (this->place[first + i].isUniform())
          range = clip(i, sizes[i]);
        else
          checked.push_back(first + i);
      }
      taps.push_back(range);
    }
  }

  /// What the windows read at these taps; outside of the operand stands `outside`.
  FailureOr<Value> at(ArrayRef<Value> positions, Value outside) {
    Coordinates read(place);
    for (auto [i, tap] : llvm::enumerate(positions))
      read[first + i] =
          windowPlace(e, place[first + i], op.getStrides()[i], op.getPads()[i], tap, op.getDilations()[i]);
    return checked.empty() ? e.at(operand, read) : emitWithin(e, operand, read, outside, checked);
  }

  SmallVector<Range> taps;
  Coordinates place; ///< may change in dimensions that aren't spatial

private:
  /// A last window that was rounded up reads beyond the padding.
  bool readsBeyond() {
    if constexpr (std::is_same_v<Op, WindowOp>)
      return op.getCeil();
    return false;
  }

  Range clip(int64_t i, Value size) {
    // The first tap at or after 0, and the first at or after the operand's end.
    Value start = e.sub(e.mul(e.positions(place[first + i]), e.index(op.getStrides()[i])), e.index(op.getPads()[i]));
    Value dilation = e.index(op.getDilations()[i]);
    auto firstFrom = [&](Value at) -> Value {
      Value distance = e.sub(at, start);
      if (op.getDilations()[i] != 1)
        distance = arith::CeilDivSIOp::create(e.builder, e.loc, distance, dilation);
      return distance;
    };
    Value low = arith::MaxSIOp::create(e.builder, e.loc, firstFrom(e.index(0)), e.index(0));
    Value high = arith::MinSIOp::create(e.builder, e.loc, firstFrom(e.size(operand, first + i)), size);
    return {low, high};
  }

  ElementEmitter &e;
  Op op;
  Value operand;
  int64_t first;
  SmallVector<int64_t> checked;
};

FailureOr<Value> emit(UnfoldOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  int64_t spatial = op.getSizes().size();
  Coordinates place(coordinates.take_front(2));
  SmallVector<int64_t> checked;
  for (int64_t i = 0; i < spatial; ++i) {
    const Coordinate &tap = coordinates[2 + i];
    if (!tap.isUniform())
      return op.emitOpError("can't be computed along its windows");
    place.push_back(windowPlace(e, coordinates[2 + spatial + i], op.getStrides()[i], op.getPads()[i], e.positions(tap),
                                op.getDilations()[i]));
    if (op.getPads()[i] != 0 || op.getPads()[spatial + i] != 0)
      checked.push_back(2 + i);
  }
  if (checked.empty())
    return e.at(op.getOperand(), place);
  return emitWithin(e, op.getOperand(), place, e.number(registerType(elementOf(op.getOperand())), 0), checked);
}

FailureOr<Value> emit(WindowOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value operand = op.getOperand();
  Combination combination(e, op.getCombiner(), elementOf(operand));
  int64_t spatial = op.getSizes().size(), first = op.getSpatialDim();
  bool isMean = op.getCombiner() == Combiner::mean, hasLanes = dependsOnLanes(coordinates);
  SmallVector<Value> extents;
  for (int64_t size : op.getSizes())
    extents.push_back(e.index(size));
  Windows<WindowOp> windows(e, op, operand, Coordinates(coordinates), first, extents);
  // What is outside combines as nothing does.
  Type element = registerType(elementOf(operand));
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

/// A product of two elements in the type in which products are summed.
struct Products {
  Products(ElementEmitter &e, Type result) : e(e), type(registerType(result)), result(type) {
    if (type.isF16() || type.isBF16())
      type = e.builder.getF32Type();
  }

  Value convert(Value value, Type element) const {
    // Floating point of 8 bits is in registers as it is stored.
    if (isStorageFloat(element))
      value = decodeFloat(e, value, cast<FloatType>(element));
    Type from = getElementTypeOrSelf(value.getType()), to = e.typeLike(value, type);
    if (from == type)
      return value;
    if (isa<FloatType>(from))
      return arith::ExtFOp::create(e.builder, e.loc, to, value);
    if (from.getIntOrFloatBitWidth() > type.getIntOrFloatBitWidth())
      return arith::TruncIOp::create(e.builder, e.loc, to, value);
    if (element.isUnsignedInteger() || element.isInteger(1))
      return arith::ExtUIOp::create(e.builder, e.loc, to, value);
    return arith::ExtSIOp::create(e.builder, e.loc, to, value);
  }

  Value accumulate(Value sum, Value a, Value b) const {
    Value all[] = {sum, a, b};
    e.unify(all);
    if (isa<FloatType>(type)) {
      auto flags = arith::FastMathFlagsAttr::get(e.builder.getContext(), arith::FastMathFlags::contract);
      Value product = arith::MulFOp::create(e.builder, e.loc, all[1], all[2], flags);
      return arith::AddFOp::create(e.builder, e.loc, all[0], product, flags);
    }
    return arith::AddIOp::create(e.builder, e.loc, all[0], arith::MulIOp::create(e.builder, e.loc, all[1], all[2]));
  }

  Value finish(Value sum) const {
    if (type == result)
      return sum;
    return arith::TruncFOp::create(e.builder, e.loc, e.typeLike(sum, result), sum);
  }

  ElementEmitter &e;
  Type type, result;
};

FailureOr<Value> emit(ContractOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  SmallVector<AffineMap> maps = llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  Products products(e, elementOf(op.getResult()));
  Coordinates space(maps[2].getNumDims());
  for (auto [expression, coordinate] : llvm::zip(maps[2].getResults(), coordinates))
    space[cast<AffineDimExpr>(expression).getPosition()] = coordinate;
  SmallVector<Range> extents;
  SmallVector<unsigned> summed;
  Value operands[] = {op.getLhs(), op.getRhs()};
  for (unsigned dim = 0; dim < space.size(); ++dim) {
    if (maps[2].isFunctionOfDim(dim))
      continue;
    summed.push_back(dim);
    for (unsigned i = 0; i < 2 && extents.size() < summed.size(); ++i)
      if (auto position = maps[i].getResultPosition(getAffineDimExpr(dim, op.getContext())))
        extents.push_back({e.index(0), e.size(operands[i], *position)});
  }
  auto read = [&](unsigned i) -> FailureOr<Value> {
    Coordinates place;
    for (AffineExpr expression : maps[i].getResults())
      place.push_back(space[cast<AffineDimExpr>(expression).getPosition()]);
    FailureOr<Value> value = e.at(operands[i], place);
    if (failed(value))
      return failure();
    return products.convert(*value, elementOf(operands[i]));
  };
  Value zero = e.number(products.type, 0);
  FailureOr<Value> sum = nest(e, extents, dependsOnLanes(coordinates) ? e.asVector(zero) : zero,
                              [&](ArrayRef<Value> places, Value state) -> FailureOr<Value> {
                                for (auto [dim, place] : llvm::zip(summed, places))
                                  space[dim] = {place, 0, Value()};
                                FailureOr<Value> a = read(0), b = read(1);
                                if (failed(a) || failed(b))
                                  return failure();
                                return products.accumulate(state, *a, *b);
                              });
  if (failed(sum))
    return failure();
  return products.finish(*sum);
}

FailureOr<Value> emit(ConvOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value input = op.getInput(), filter = op.getFilter();
  int64_t spatial = op.getStrides().size(), groups = op.getGroups();
  Products products(e, elementOf(op.getResult()));
  SmallVector<Value> sizes;
  for (int64_t i = 0; i < spatial; ++i)
    sizes.push_back(e.size(filter, op.getTapDim() + i));
  int64_t channels = cast<RankedTensorType>(filter.getType()).getDimSize(op.getSummedDim());
  int64_t filters = cast<RankedTensorType>(filter.getType()).getDimSize(op.getFilterDim());
  Coordinate filterPlace = coordinates[op.getChannelDim()], group{e.index(0), 0, Value()};
  if (groups != 1 && filters == groups) {
    group = filterPlace;
  } else if (groups != 1) {
    Value perGroup = arith::DivUIOp::create(e.builder, e.loc, e.size(filter, op.getFilterDim()), e.index(groups));
    Value both[] = {e.positions(filterPlace), perGroup};
    e.unify(both);
    group = ElementEmitter::coordinate(arith::DivUIOp::create(e.builder, e.loc, both[0], both[1]));
  }
  Value perGroup = e.size(filter, op.getSummedDim());
  Value zero = e.number(products.type, 0);
  Value outside = e.number(registerType(elementOf(input)), 0);
  // Channels are the outer loop: which taps are inside is known before.
  Windows<ConvOp> windows(e, op, input, Coordinates(coordinates), op.getSpatialDim(), sizes);
  SmallVector<Range> ranges(windows.taps);
  if (channels != 1)
    ranges.insert(ranges.begin(), {e.index(0), perGroup});
  FailureOr<Value> sum =
      nest(e, ranges, dependsOnLanes(coordinates) ? e.asVector(zero) : zero,
           [&](ArrayRef<Value> taps, Value state) -> FailureOr<Value> {
             Value channel = channels == 1 ? e.index(0) : taps.front();
             Coordinate place = group;
             if (channels != 1 && !place.isUniform())
               place = {Value(), 0, e.add(e.mul(e.positions(place), e.asVector(perGroup)), e.asVector(channel))};
             else if (channels != 1)
               place = {e.add(e.mul(e.positions(place), perGroup), channel), 0, Value()};
             taps = taps.take_back(spatial);
             Coordinates weight(spatial + 2);
             weight[op.getFilterDim()] = filterPlace;
             weight[op.getSummedDim()] = {channel, 0, Value()};
             for (auto [i, tap] : llvm::enumerate(taps))
               weight[op.getTapDim() + i] = {tap, 0, Value()};
             windows.place[op.getChannelDim()] = place;
             FailureOr<Value> a = windows.at(taps, outside), b = e.at(filter, weight);
             if (failed(a) || failed(b))
               return failure();
             return products.accumulate(state, products.convert(*a, elementOf(input)),
                                        products.convert(*b, elementOf(filter)));
           });
  if (failed(sum))
    return failure();
  return products.finish(*sum);
}

template <typename OpT> struct ReductionModel : ElementInterface::ExternalModel<ReductionModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    return emit(cast<OpT>(op), emitter, coordinates);
  }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<ReductionModel<Ops>>(*context), ...);
}
} // namespace

void codegen::registerReductionElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    attach<ReduceOp, ArgReduceOp, UnfoldOp, WindowOp, ContractOp, ConvOp>(context);
  });
}
