//===- MovementElements.cpp - Elements of ops that read elsewhere ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/ElementEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/IR/TileOps.h"
#include "tenon/Runtime/tenon_kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

static ArrayRef<int64_t> shapeOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getShape(); }

static Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

/// Index arithmetic on scalars and vectors alike.
template <typename OpT> static Value apply(ElementEmitter &e, Value a, Value b) {
  Value both[] = {a, b};
  e.unify(both);
  return OpT::create(e.builder, e.loc, both[0], both[1]);
}

static Value compare(ElementEmitter &e, arith::CmpIPredicate predicate, Value a, Value b) {
  Value both[] = {a, b};
  e.unify(both);
  return arith::CmpIOp::create(e.builder, e.loc, predicate, both[0], both[1]);
}

static Value select(ElementEmitter &e, Value condition, Value a, Value b) {
  Value all[] = {condition, a, b};
  e.unify(all);
  return arith::SelectOp::create(e.builder, e.loc, all[0], all[1], all[2]);
}

//===----------------------------------------------------------------------===//
// The rules
//===----------------------------------------------------------------------===//

/// Of a tile of several values those at a place that is known.
static Value knownElements(DenseElementsAttr elements, Type element, ElementEmitter &e,
                           ArrayRef<Coordinate> coordinates) {
  int64_t place = 0, step = 0;
  for (auto [coordinate, size] : llvm::zip(coordinates, elements.getType().getShape())) {
    std::optional<int64_t> base = coordinate.base ? getConstantIntValue(coordinate.base) : std::optional<int64_t>(0);
    if (coordinate.lanes || !base)
      return {};
    place = place * size + *base + coordinate.offset;
    step = step * size + coordinate.step;
  }
  auto at = [&](int64_t i) { return elements.getValues<Attribute>()[i]; };
  if (step == 0 || e.lanes == 1)
    return e.constant(at(place), element);
  SmallVector<Attribute> values;
  for (int64_t lane = 0; lane < e.lanes; ++lane)
    values.push_back(at(place + lane * step));
  auto type = VectorType::get(e.lanes, registerType(element));
  if (type.getElementType() != element)
    return {};
  return arith::ConstantOp::create(e.builder, e.loc, DenseElementsAttr::get(type, values));
}

static FailureOr<Value> emit(ConstantOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  auto elements = dyn_cast<DenseElementsAttr>(op.getValue());
  if (elements && !elements.isSplat())
    if (Value known = knownElements(elements, elementOf(op.getResult()), e, coordinates))
      return known;
  if (!elements || (!elements.isSplat() && elements.getNumElements() != 1))
    return op.emitError() << "a constant of several values must be an operand of the kernel";
  return e.constant(*elements.value_begin<Attribute>(), elementOf(op.getResult()));
}

static FailureOr<Value> emit(BroadcastOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Coordinates source;
  ArrayRef<int64_t> shape = shapeOf(op.getOperand());
  SmallVector<AffineExpr> from = e.sizes.sizesOf(op.getOperand()), to = e.sizes.sizesOf(op.getResult());
  for (auto [i, dim] : llvm::enumerate(op.getDims())) {
    if (shape[i] == 1 || from[i] == to[dim]) {
      // A dimension of size 1 on both sides keeps its coordinate: it says more than the constant 0.
      source.push_back(shape[i] == 1 && from[i] != to[dim] ? Coordinate{e.index(0), 0, Value()} : coordinates[dim]);
      continue;
    }
    if (!ShapedType::isDynamic(shape[i])) {
      source.push_back(coordinates[dim]);
      continue;
    }
    // Whether the operand has one element here shows at run time.
    Value repeats = compare(e, arith::CmpIPredicate::eq, e.index(from[i]), e.index(1));
    source.push_back(ElementEmitter::coordinate(select(e, repeats, e.index(0), e.positions(coordinates[dim]))));
  }
  return e.at(op.getOperand(), source);
}

static FailureOr<Value> emit(TransposeOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Coordinates source(coordinates.size());
  for (auto [i, dim] : llvm::enumerate(op.getPermutation()))
    source[dim] = coordinates[i];
  return e.at(op.getOperand(), source);
}

static FailureOr<Value> emit(SliceOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Coordinates source;
  for (auto [coordinate, offset, stride] : llvm::zip(coordinates, op.getMixedOffsets(), op.getMixedStrides())) {
    std::optional<int64_t> fixed = getConstantIntValue(stride);
    if (!coordinate.lanes && (fixed || coordinate.step == 0)) {
      Value base = e.add(e.index(offset), e.mul(e.first(coordinate), e.index(stride)));
      source.push_back({base, coordinate.step * fixed.value_or(0), Value()});
    } else {
      Value scaled = apply<arith::MulIOp>(e, e.positions(coordinate), e.index(stride));
      source.push_back(ElementEmitter::coordinate(apply<arith::AddIOp>(e, scaled, e.index(offset))));
    }
  }
  return e.at(op.getOperand(), source);
}

/// A position modulo a size, never negative.
static Value wrapped(ElementEmitter &e, Value position, Value size) {
  Value rest = apply<arith::RemSIOp>(e, position, size);
  Value below = compare(e, arith::CmpIPredicate::slt, rest, e.index(0));
  return select(e, below, apply<arith::AddIOp>(e, rest, size), rest);
}

static Value clamped(ElementEmitter &e, Value position, Value size) {
  Value last = apply<arith::SubIOp>(e, size, e.index(1));
  return apply<arith::MaxSIOp>(e, apply<arith::MinSIOp>(e, position, last), e.index(0));
}

/// Mirrors at the first and last element, which aren't repeated.
static Value reflected(ElementEmitter &e, Value position, Value size) {
  Value last = apply<arith::SubIOp>(e, size, e.index(1));
  Value period = apply<arith::MaxSIOp>(e, apply<arith::MulIOp>(e, last, e.index(2)), e.index(1));
  Value rest = wrapped(e, position, period);
  Value beyond = compare(e, arith::CmpIPredicate::sgt, rest, last);
  return select(e, beyond, apply<arith::SubIOp>(e, period, rest), rest);
}

using Emit = function_ref<FailureOr<Value>()>;

/// One of two computations of elements of a type.
static FailureOr<Value> choose(ElementEmitter &e, Type type, Value condition, Emit then, Emit otherwise) {
  auto choice = scf::IfOp::create(e.builder, e.loc, TypeRange(type), condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(e.builder);
  Emit arms[] = {then, otherwise};
  for (auto [region, emit] : llvm::zip(choice->getRegions(), arms)) {
    ElementEmitter::Scope scope(e);
    e.builder.setInsertionPointToEnd(&region.front());
    FailureOr<Value> value = emit();
    if (failed(value))
      return failure();
    scf::YieldOp::create(e.builder, e.loc, isa<VectorType>(type) ? e.asVector(*value) : *value);
  }
  return choice.getResult(0);
}

/// Whether what vectors seldom read, one by one, is a loop: narrow elements have many lanes, and kernels of them cut
/// rows where that would be often.
static bool isOneByOne(ElementEmitter &e, Value tensor) {
  constexpr int64_t maxUnrolled = 8;
  return e.lanes > maxUnrolled && registerType(elementOf(tensor)).getIntOrFloatBitWidth() < 32;
}

/// A vector whose lanes are computed one after the other.
static FailureOr<Value> laneByLane(ElementEmitter &e, VectorType type, ArrayRef<Coordinate> coordinates,
                                   function_ref<FailureOr<Value>(ArrayRef<Coordinate>, Value)> emit) {
  Value none = arith::ConstantOp::create(e.builder, e.loc, e.builder.getZeroAttr(type));
  auto step = [&](Value lane, ValueRange state) -> FailureOr<SmallVector<Value>> {
    Coordinates place;
    for (const Coordinate &c : coordinates) {
      if (c.lanes)
        place.push_back({vector::ExtractOp::create(e.builder, e.loc, c.lanes, lane), 0, Value()});
      else
        place.push_back(c.step == 0 ? c : Coordinate{e.add(e.first(c), e.mul(lane, e.index(c.step))), 0, Value()});
    }
    Value valid = std::exchange(e.valid, Value());
    FailureOr<Value> element = emit(place, lane);
    e.valid = valid;
    if (failed(element))
      return failure();
    return SmallVector<Value>{vector::InsertOp::create(e.builder, e.loc, *element, state[0], lane)};
  };
  FailureOr<SmallVector<Value>> result = e.loop(e.valid ? e.valid : e.index(e.lanes), none, step);
  if (failed(result))
    return failure();
  return result->front();
}

FailureOr<Value> codegen::emitWithin(ElementEmitter &e, Value tensor, ArrayRef<Coordinate> coordinates, Value outside,
                                     ArrayRef<int64_t> checked) {
  Value allWithin, anyWithin, within;
  Coordinates nearest;
  bool isVector = false, isUniform = true;
  auto both = [&](Value &all, Value next) { all = all ? apply<arith::AndIOp>(e, all, next) : next; };
  for (auto [dim, coordinate] : llvm::enumerate(coordinates)) {
    isVector |= !coordinate.isUniform();
    if (!llvm::is_contained(checked, (int64_t)dim)) {
      nearest.push_back(coordinate);
      continue;
    }
    Value size = e.size(tensor, dim), positions = e.positions(coordinate);
    isUniform &= coordinate.isUniform();
    both(within, apply<arith::AndIOp>(e, compare(e, arith::CmpIPredicate::sge, positions, e.index(0)),
                                      compare(e, arith::CmpIPredicate::slt, positions, size)));
    nearest.push_back(ElementEmitter::coordinate(clamped(e, positions, size)));
    if (!coordinate.lanes) {
      Value lastLane = e.valid ? e.sub(e.valid, e.index(1)) : e.index(e.lanes - 1);
      Value first = e.first(coordinate), last = e.add(first, e.mul(lastLane, e.index(coordinate.step)));
      Value least = coordinate.step < 0 ? last : first, most = coordinate.step < 0 ? first : last;
      auto reaches = [&](Value low, Value high) {
        return arith::AndIOp::create(e.builder, e.loc, compare(e, arith::CmpIPredicate::sge, low, e.index(0)),
                                     compare(e, arith::CmpIPredicate::slt, high, size))
            .getResult();
      };
      both(allWithin, reaches(least, most));
      both(anyWithin, reaches(most, least));
    }
  }
  if (!within)
    return e.at(tensor, coordinates);
  Type scalar = registerType(elementOf(tensor));
  bool hasLanes = llvm::any_of(coordinates, [](const Coordinate &c) { return (bool)c.lanes; });
  Type type = isVector ? (Type)VectorType::get(e.lanes, scalar) : scalar;
  auto general = [&]() -> FailureOr<Value> {
    // An operand without elements has none to read.
    FailureOr<Value> inside = e.at(tensor, nearest);
    if (failed(inside))
      return failure();
    return select(e, within, *inside, outside);
  };
  auto branch = [&](Value condition, Emit then, Emit otherwise) { return choose(e, type, condition, then, otherwise); };
  auto exact = [&] { return e.at(tensor, coordinates); };
  auto nothing = [&]() -> FailureOr<Value> { return outside; };
  if (isUniform)
    return branch(within, exact, nothing);
  Value hasElements;
  for (auto [dim, size] : llvm::enumerate(shapeOf(tensor)))
    if (ShapedType::isDynamic(size) || size == 0)
      both(hasElements, compare(e, arith::CmpIPredicate::sgt, e.size(tensor, dim), e.index(0)));
  auto guarded = [&]() -> FailureOr<Value> { return hasElements ? branch(hasElements, general, nothing) : general(); };
  if (hasLanes)
    return guarded();
  auto oneByOne = [&] {
    return laneByLane(e, cast<VectorType>(type), coordinates, [&](ArrayRef<Coordinate> place, Value lane) {
      Value other = isa<VectorType>(outside.getType())
                        ? vector::ExtractOp::create(e.builder, e.loc, outside, lane).getResult()
                        : outside;
      return emitWithin(e, tensor, place, other, checked);
    });
  };
  auto partly = [&] { return branch(anyWithin, oneByOne, nothing); };
  // The interior is read as it lies.
  return branch(allWithin, exact, isOneByOne(e, tensor) ? Emit(partly) : Emit(guarded));
}

/// Where in the operand a place along one dimension is read; outside of it where nothing is.
static Coordinate sourceOf(PadOp op, ElementEmitter &e, unsigned dim, const Coordinate &coordinate) {
  OpFoldResult low = op.getMixedLow()[dim];
  if (getConstantIntValue(low) == 0 && getConstantIntValue(op.getMixedHigh()[dim]) == 0)
    return coordinate;
  if (op.getMode() == PadMode::constant && !coordinate.lanes)
    return {e.sub(e.first(coordinate), e.index(low)), coordinate.step, Value()};
  Value position = apply<arith::SubIOp>(e, e.positions(coordinate), e.index(low));
  Value size = e.size(op.getOperand(), dim);
  if (op.getMode() == PadMode::reflect)
    position = reflected(e, position, size);
  else if (op.getMode() == PadMode::edge)
    position = clamped(e, position, size);
  else if (op.getMode() == PadMode::wrap)
    position = wrapped(e, position, size);
  return ElementEmitter::coordinate(position);
}

static FailureOr<Value> emit(PadOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  // Within the operand borders of other elements read it as it lies.
  bool isAlong = !coordinates.empty() && !coordinates.back().lanes && coordinates.back().step != 0;
  if (op.getMode() != PadMode::constant && isAlong && isOneByOne(e, op.getOperand())) {
    Coordinates within(coordinates);
    Value low = e.index(op.getMixedLow().back()), size = e.size(op.getOperand(), coordinates.size() - 1);
    Coordinate &last = within.back();
    Value start = e.sub(e.first(last), low);
    Value reach = e.mul(e.valid ? e.sub(e.valid, e.index(1)) : e.index(e.lanes - 1), e.index(last.step));
    Value isWithin = arith::AndIOp::create(e.builder, e.loc, compare(e, arith::CmpIPredicate::sge, start, e.index(0)),
                                           compare(e, arith::CmpIPredicate::slt, e.add(start, reach), size));
    auto type = VectorType::get(e.lanes, registerType(elementOf(op.getResult())));
    return choose(
        e, type, isWithin,
        [&]() -> FailureOr<Value> {
          for (auto [dim, place] : llvm::enumerate(within))
            if (dim + 1 < within.size())
              place = sourceOf(op, e, dim, place);
          last = {start, last.step, Value()};
          return e.at(op.getOperand(), within);
        },
        [&] {
          return laneByLane(e, type, coordinates,
                            [&](ArrayRef<Coordinate> place, Value) { return emit(op, e, place); });
        });
  }
  Coordinates source;
  for (auto [dim, coordinate] : llvm::enumerate(coordinates))
    source.push_back(sourceOf(op, e, dim, coordinate));
  if (op.getMode() != PadMode::constant)
    return e.at(op.getOperand(), source);
  FailureOr<Value> value = e.at(op.getValue(), {});
  if (failed(value))
    return failure();
  return emitWithin(e, op.getOperand(), source, *value, llvm::to_vector(llvm::seq<int64_t>(0, (int64_t)source.size())));
}

static FailureOr<Value> emit(ConcatOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  int64_t dim = op.getDim();
  const Coordinate &place = coordinates[dim];
  bool isAlong = !place.lanes && place.step != 0 && isOneByOne(e, op.getResult());
  Value position = isAlong ? e.first(place) : e.positions(place), start = e.index(0);
  FailureOr<Value> result = failure();
  for (Value operand : op.getOperands()) {
    Coordinates source(coordinates);
    source[dim] = ElementEmitter::coordinate(apply<arith::SubIOp>(e, position, start));
    source[dim].step = isAlong ? place.step : 0;
    if (!result.value_or(Value())) {
      Type type = registerType(elementOf(operand));
      result = e.number(type, 0);
    }
    result = emitWithin(e, operand, source, *result, {dim});
    if (failed(result))
      return failure();
    start = e.add(start, e.size(operand, dim));
  }
  return result;
}

static FailureOr<Value> emit(IotaOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Value position = e.positions(coordinates[op.getDim()]);
  Type type = registerType(elementOf(op.getResult()));
  if (auto integer = dyn_cast<IntegerType>(type); integer && integer.getWidth() < 64) {
    Value wide = arith::IndexCastOp::create(e.builder, e.loc, e.typeLike(position, e.builder.getI64Type()), position);
    return arith::TruncIOp::create(e.builder, e.loc, e.typeLike(position, type), wide).getResult();
  }
  if (isa<IntegerType>(type))
    return arith::IndexCastOp::create(e.builder, e.loc, e.typeLike(position, type), position).getResult();
  Value wide = arith::IndexCastOp::create(e.builder, e.loc, e.typeLike(position, e.builder.getI64Type()), position);
  return arith::SIToFPOp::create(e.builder, e.loc, e.typeLike(position, type), wide).getResult();
}

static FailureOr<Value> emit(FromSizesOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  Type type = registerType(elementOf(op.getResult()));
  Value result;
  for (auto [i, size] : llvm::enumerate(op.getMixedSizes())) {
    Value number = arith::IndexCastOp::create(e.builder, e.loc, type, e.index(size));
    if (!result)
      result = number;
    else
      result =
          select(e, compare(e, arith::CmpIPredicate::eq, e.positions(coordinates.front()), e.index(i)), number, result);
  }
  return result ? result : e.number(type, 0);
}

/// Records each position out of range and gives 0 in its place.
static Value checked(ElementEmitter &e, Value position, Value size) {
  Value below = compare(e, arith::CmpIPredicate::slt, position, e.index(0));
  Value above = compare(e, arith::CmpIPredicate::sge, position, size);
  Value wrong = arith::OrIOp::create(e.builder, e.loc, below, above);
  auto report = [&](Value isWrong, Value scalar) {
    auto branch = scf::IfOp::create(e.builder, e.loc, isWrong, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(e.builder);
    e.builder.setInsertionPointToStart(branch.thenBlock());
    Type i64 = e.builder.getI64Type();
    tile::ReportOp::create(e.builder, e.loc, TENON_CODE_INDEX_OUT_OF_RANGE, e.unit ? e.unit : e.index(0),
                           arith::IndexCastOp::create(e.builder, e.loc, i64, scalar),
                           arith::IndexCastOp::create(e.builder, e.loc, i64, size));
  };
  if (!isa<VectorType>(wrong.getType())) {
    report(wrong, position);
  } else {
    if (Value used = e.mask())
      wrong = arith::AndIOp::create(e.builder, e.loc, wrong, used);
    for (int64_t lane = 0; lane < e.lanes; ++lane)
      report(vector::ExtractOp::create(e.builder, e.loc, wrong, lane),
             vector::ExtractOp::create(e.builder, e.loc, position, lane));
  }
  return select(e, wrong, e.index(0), position);
}

static FailureOr<Value> emit(GatherOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  int64_t batch = op.getBatchDims(), indexRank = shapeOf(op.getIndices()).size() - 1;
  Type indexType = elementOf(op.getIndices());
  Coordinates source(shapeOf(op.getOperand()).size());
  for (int64_t dim = 0; dim < batch; ++dim)
    source[dim] = coordinates[dim];
  for (auto [i, dim] : llvm::enumerate(op.getDims())) {
    Coordinates place(coordinates.take_front(indexRank));
    place.push_back({e.index(i), 0, Value()});
    FailureOr<Value> number = e.at(op.getIndices(), place);
    if (failed(number))
      return failure();
    Type index = e.typeLike(*number, e.builder.getIndexType());
    Value position = indexType.isUnsignedInteger()
                         ? arith::IndexCastUIOp::create(e.builder, e.loc, index, *number).getResult()
                         : arith::IndexCastOp::create(e.builder, e.loc, index, *number).getResult();
    Value size = e.size(op.getOperand(), dim);
    if (op.getMode() == IndexMode::wrap) {
      position = wrapped(e, position, size);
    } else {
      Value negative = compare(e, arith::CmpIPredicate::slt, position, e.index(0));
      position = select(e, negative, apply<arith::AddIOp>(e, position, size), position);
      position = op.getMode() == IndexMode::clamp ? clamped(e, position, size) : checked(e, position, size);
    }
    source[dim] = ElementEmitter::coordinate(position);
  }
  int64_t next = indexRank;
  for (int64_t dim = batch; dim < (int64_t)source.size(); ++dim)
    if (!llvm::is_contained(op.getDims(), dim))
      source[dim] = coordinates[next++];
  return e.at(op.getOperand(), source);
}

static FailureOr<Value> emit(tile::WindowRowsOp op, ElementEmitter &e, ArrayRef<Coordinate> coordinates) {
  // The place within a window, from its last dimension on.
  Value rest = e.positions(coordinates.back());
  SmallVector<Coordinate> source(coordinates.size());
  SmallVector<int64_t> checked;
  auto next = [&](int64_t size) {
    Value extent = e.index(size), place = apply<arith::RemUIOp>(e, rest, extent);
    rest = apply<arith::DivUIOp>(e, rest, extent);
    return place;
  };
  source.front() = coordinates.front();
  source.back() = ElementEmitter::coordinate(next(cast<RankedTensorType>(op.getOperand().getType()).getShape().back()));
  for (int64_t i = (int64_t)op.getSizes().size() - 1; i >= 0; --i) {
    Value tap = apply<arith::MulIOp>(e, next(op.getSizes()[i]), e.index(op.getDilations()[i]));
    Value place = apply<arith::MulIOp>(e, e.positions(coordinates[1 + i]), e.index(op.getStrides()[i]));
    place = apply<arith::AddIOp>(e, place, tap);
    if (op.getPads()) {
      place = apply<arith::SubIOp>(e, place, e.index(op.getLowPad(i)));
      checked.push_back(1 + i);
    }
    source[1 + i] = ElementEmitter::coordinate(place);
  }
  if (checked.empty())
    return e.at(op.getOperand(), source);
  return emitWithin(e, op.getOperand(), source, e.number(registerType(elementOf(op.getOperand())), 0), checked);
}

//===----------------------------------------------------------------------===//
// Which of them read neighbours
//===----------------------------------------------------------------------===//

template <typename OpT> static bool readsNeighbours(OpT) { return true; }
static bool readsNeighbours(IotaOp) { return false; }
static bool readsNeighbours(FromSizesOp) { return false; }
static bool readsNeighbours(tile::WindowRowsOp) { return false; }
static bool readsNeighbours(TransposeOp op) {
  ArrayRef<int64_t> permutation = op.getPermutation();
  return permutation.empty() || permutation.back() == (int64_t)permutation.size() - 1;
}
static bool readsNeighbours(SliceOp op) {
  SmallVector<OpFoldResult> strides = op.getMixedStrides();
  return strides.empty() || getConstantIntValue(strides.back()) == 1;
}
static bool readsNeighbours(GatherOp op) {
  // The last dimension must be one of those that aren't chosen.
  int64_t last = (int64_t)shapeOf(op.getOperand()).size() - 1;
  return last >= (int64_t)op.getBatchDims() && !llvm::is_contained(op.getDims(), last);
}

template <typename OpT> static SmallVector<AffineExpr> cutsOf(OpT, SizeAnalysis &) { return {}; }
static SmallVector<AffineExpr> cutsOf(PadOp op, SizeAnalysis &sizes) {
  if (shapeOf(op.getResult()).empty())
    return {};
  AffineExpr low = sizes.expressionOf(op.getMixedLow().back());
  return {low, low + sizes.sizesOf(op.getOperand()).back()};
}
static SmallVector<AffineExpr> cutsOf(ConcatOp op, SizeAnalysis &sizes) {
  SmallVector<AffineExpr> result;
  if ((int64_t)op.getDim() + 1 != (int64_t)shapeOf(op.getResult()).size())
    return result;
  AffineExpr end = sizes.constant(0);
  for (Value operand : op.getOperands().drop_back())
    result.push_back(end = end + sizes.sizesOf(operand).back());
  return result;
}

namespace {
template <typename OpT> struct MovementModel : ElementInterface::ExternalModel<MovementModel<OpT>, OpT> {
  FailureOr<Value> emitElement(Operation *op, ElementEmitter &emitter, ArrayRef<Coordinate> coordinates) const {
    return emit(cast<OpT>(op), emitter, coordinates);
  }
  bool readsNeighbours(Operation *op) const { return ::readsNeighbours(cast<OpT>(op)); }
  SmallVector<AffineExpr> cutsOf(Operation *op, SizeAnalysis &sizes) const { return ::cutsOf(cast<OpT>(op), sizes); }
};

template <typename... Ops> void attach(MLIRContext *context) {
  (Ops::template attachInterface<MovementModel<Ops>>(*context), ...);
}
} // namespace

void codegen::registerMovementElements(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, TenonDialect *) {
    attach<ConstantOp, FromSizesOp, BroadcastOp, TransposeOp, SliceOp, PadOp, ConcatOp, IotaOp, GatherOp>(context);
  });
  registry.addExtension(+[](MLIRContext *context, tile::TileDialect *) { attach<tile::WindowRowsOp>(context); });
}
