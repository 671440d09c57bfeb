//===- ContractionElements.cpp - Elements of sums of products ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementLoops.h"
#include "NarrowFloats.h"
#include "WindowReader.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

namespace {
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
      return widen(e, value, type);
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
    return narrow(e, sum, result);
  }

  ElementEmitter &e;
  Type type, result;
};

FailureOr<Value> emit(ContractOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  SmallVector<AffineMap> maps = llvm::to_vector(op.getIndexingMaps().getAsValueRange<AffineMapAttr>());
  Products products(e, getElementTypeOrSelf(op.getResult()));
  Coordinates space(maps[2].getNumDims());
  for (auto [expression, coordinate] : llvm::zip(maps[2].getResults(), coordinates))
    space[cast<AffineDimExpr>(expression).getPosition()] = coordinate;
  SmallVector<PositionRange> extents;
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
    return products.convert(*value, getElementTypeOrSelf(operands[i]));
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
  Products products(e, getElementTypeOrSelf(op.getResult()));
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
  Value outside = e.number(registerType(getElementTypeOrSelf(input)), 0);
  // Channels are the outer loop: which taps are inside is known before.
  WindowReader<ConvOp> windows(e, op, input, Coordinates(coordinates), op.getSpatialDim(), sizes);
  SmallVector<PositionRange> ranges(windows.taps);
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
             return products.accumulate(state, products.convert(*a, getElementTypeOrSelf(input)),
                                        products.convert(*b, getElementTypeOrSelf(filter)));
           });
  if (failed(sum))
    return failure();
  return products.finish(*sum);
}

template <typename OpT> struct ContractionModel : ElementInterface::ExternalModel<ContractionModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    return emit(cast<OpT>(op), emitter, coordinates);
  }
};
} // namespace

void codegen::registerContractionElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    ContractOp::attachInterface<ContractionModel<ContractOp>>(*context);
    ConvOp::attachInterface<ContractionModel<ConvOp>>(*context);
  });
}
