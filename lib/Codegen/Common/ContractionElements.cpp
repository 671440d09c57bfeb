//===- ContractionElements.cpp - Elements of sums of products ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementLoops.h"
#include "NarrowFloats.h"
#include "WindowReader.h"
#include "tenon/Codegen/Common/ProductsInterface.h"
#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

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

/// Bytes of channels that lie in the lanes of vectors, four taps at a time, by an instruction that adds four products
/// of each lane: the taps of a channel come next to each other by two steps of interleaving within 16 bytes, as targets
/// have it, and the sums back into their order at last.
class ChannelProducts {
public:
  /// None where the target has no such instruction.
  static std::optional<ChannelProducts> of(ConvOp op, ElementEmitter &e) {
    auto type = [](Value tensor) { return getElementTypeOrSelf(tensor); };
    auto variant = e.builder.getInsertionBlock()->getParentOp()->getParentOfType<tile::VariantOp>();
    auto target = variant ? dyn_cast<ProductsInterface>(variant.getTarget()) : ProductsInterface();
    if (!target)
      return std::nullopt;
    for (tile::RateAttr rate : variant.getTarget().getRates()) {
      tile::InstructionAttr via = rate.getInstruction();
      if (via.getM() == 1 && via.getK() == taps && rate.getLhs() == type(op.getInput()) &&
          rate.getRhs() == type(op.getFilter()) && rate.getSum() == type(op.getResult()) &&
          via.getN() * taps == e.lanes && e.lanes % block == 0)
        return ChannelProducts(e, target, via);
    }
    return std::nullopt;
  }

  static constexpr int64_t taps = 4; ///< at a time

  /// Adds products of numbers and weights, a vector of each tap.
  void add(ArrayRef<Value> numbers, ArrayRef<Value> weights) {
    SmallVector<Value> lhs = interleave(numbers), rhs = interleave(weights);
    for (auto [sum, a, b] : llvm::zip(sums, lhs, rhs))
      sum = target.emitProducts(e.builder, e.loc, via, sum, a, b);
  }

  Value finish() {
    auto join = [&](Value a, Value b, ArrayRef<int64_t> order) -> Value {
      return vector::ShuffleOp::create(e.builder, e.loc, a, b, order);
    };
    SmallVector<int64_t> all = llvm::to_vector(llvm::seq<int64_t>(0, 2 * via.getN())), order;
    for (int64_t first = 0; first < via.getN(); first += taps)
      for (int64_t quarter = 0; quarter < taps; ++quarter)
        for (int64_t i = 0; i < taps; ++i)
          order.push_back(quarter * via.getN() + first + i);
    return join(join(sums[0], sums[1], all), join(sums[2], sums[3], all), order);
  }

private:
  static constexpr int64_t block = 16; ///< bytes within which targets interleave at once

  ChannelProducts(ElementEmitter &e, ProductsInterface target, tile::InstructionAttr via)
      : e(e), target(target), via(via) {
    auto type = VectorType::get(via.getN(), e.builder.getI32Type());
    sums.assign(taps, arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(type)));
  }

  /// Units of so many bytes in turns, of the first or second half of each block.
  Value interleave(Value a, Value b, int64_t unit, bool isSecond) {
    SmallVector<int64_t> order;
    for (int64_t start = isSecond ? block / 2 : 0; start < e.lanes; start += block)
      for (int64_t i = 0; i < block / 2; i += unit)
        for (int64_t from : {int64_t(0), e.lanes})
          for (int64_t byte = 0; byte < unit; ++byte)
            order.push_back(from + start + i + byte);
    return vector::ShuffleOp::create(e.builder, e.loc, a, b, order);
  }

  /// Vectors of the four taps of a quarter of the channels each: within each block the first four of them, and so on.
  SmallVector<Value> interleave(ArrayRef<Value> bytes) {
    SmallVector<Value> result;
    for (bool isSecond : {false, true}) {
      Value low = interleave(bytes[0], bytes[1], 1, isSecond), high = interleave(bytes[2], bytes[3], 1, isSecond);
      for (bool isLast : {false, true})
        result.push_back(interleave(low, high, 2, isLast));
    }
    return result;
  }

  ElementEmitter &e;
  ProductsInterface target;
  tile::InstructionAttr via;
  SmallVector<Value> sums; ///< of each quarter of the channels
};

/// A convolution of each channel with its own filter, of bytes, all of whose taps are known to lie inside; null where
/// it is another one.
FailureOr<Value> emitChannels(ConvOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates, const Products &products,
                              WindowReader<ConvOp> &windows) {
  constexpr int64_t mostTaps = 32;
  auto filterType = cast<RankedTensorType>(op.getFilter().getType());
  int64_t spatial = op.getStrides().size();
  ArrayRef<int64_t> extents = filterType.getShape().slice(op.getTapDim(), spatial);
  const Coordinate &channel = coordinates[op.getChannelDim()];
  bool areInside = llvm::all_of(op.getPads(), [](int64_t pad) { return pad == 0; });
  bool isAlong = !channel.lanes && channel.step == 1 &&
                 llvm::count_if(coordinates, [](const Coordinate &place) { return !place.isUniform(); }) == 1;
  int64_t count = llvm::product_of(extents);
  if (!areInside || !isAlong || ShapedType::isDynamicShape(extents) || count < ChannelProducts::taps ||
      count > mostTaps)
    return Value();
  std::optional<ChannelProducts> quads = ChannelProducts::of(op, e);
  if (!quads)
    return Value();
  windows.place[op.getChannelDim()] = channel;
  SmallVector<Value> numbers, weights;
  auto read = [&](int64_t tap) -> LogicalResult {
    SmallVector<Value> place(spatial);
    Coordinates weight(spatial + 2);
    weight[op.getFilterDim()] = channel;
    weight[op.getSummedDim()] = {e.index(0), 0, Value()};
    for (int64_t i = spatial - 1; i >= 0; tap /= extents[i], --i) {
      place[i] = e.index(tap % extents[i]);
      weight[op.getTapDim() + i] = {place[i], 0, Value()};
    }
    FailureOr<Value> a = windows.at(place, Value()), b = e.at(op.getFilter(), weight);
    if (failed(a) || failed(b))
      return failure();
    numbers.push_back(e.asVector(*a));
    weights.push_back(e.asVector(*b));
    return success();
  };
  // A tap alone is cheaper by itself; two or three are added up with zeros.
  int64_t whole = count % ChannelProducts::taps == 1 ? count - 1 : count;
  for (int64_t tap = 0; tap < count; ++tap) {
    if (failed(read(tap)))
      return failure();
    if (tap >= whole || (tap + 1 != whole && (tap + 1) % ChannelProducts::taps != 0))
      continue;
    numbers.resize(ChannelProducts::taps, numbers.back());
    weights.resize(ChannelProducts::taps,
                   arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(weights.front().getType())));
    quads->add(numbers, weights);
    numbers.clear();
    weights.clear();
  }
  Value sum = quads->finish();
  if (whole != count)
    sum = products.accumulate(sum, products.convert(numbers.back(), getElementTypeOrSelf(op.getInput())),
                              products.convert(weights.back(), filterType.getElementType()));
  return products.finish(sum);
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
  if (channels == 1 && filters == groups) {
    FailureOr<Value> sum = emitChannels(op, e, coordinates, products, windows);
    if (failed(sum) || *sum)
      return sum;
  }
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
