//===- OrderedStrategy.cpp - Kernels of one element after the other ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OrderedStrategy.h"
#include "TileCombination.h"
#include "tenon/Codegen/Common/VectorSpace.h"
#include "tenon/Runtime/tenon_kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

static Operation *orderedOf(const OpGroup &group) {
  return *llvm::find_if(group.ops(), [](Operation *op) { return roleOf(op) == Role::ordered; });
}

bool OrderedStrategy::accepts(const OpGroup &group, raw_ostream *reason) const {
  return group.ops().size() == 1 ||
         refuse(reason, "{0} goes through its elements in order, in a kernel of its own", nodeNameOf(orderedOf(group)));
}

KernelStructure OrderedStrategy::structureOf(const OpGroup &group) const {
  KernelStructure result;
  Operation *op = orderedOf(group);
  result.space = group.sizes.sizesOf(op->getOperand(0));
  result.reduced = roleDimsOf(op);
  result.unitDims = result.kept();
  result.work = group.sizes.constant(1);
  for (int64_t dim : result.unitDims)
    result.work = result.work * result.space[dim];
  return result;
}

std::unique_ptr<ScheduleSpace> OrderedStrategy::spaceOf(KernelOp kernel, TargetAttrInterface target) const {
  auto cpu = dyn_cast<CPUTargetAttr>(target);
  return cpu ? std::make_unique<VectorSpace>(kernel, cpu, "ordered kernels", /*hasVectors=*/false) : nullptr;
}

namespace {
/// The program of a kernel whose elements depend on those before them: loops over scalars, and over vectors where rows
/// are copied or added.
class OrderedProgram {
public:
  OrderedProgram(KernelOp kernel, const KernelStrategy &strategy, int64_t lanes)
      : builder(kernel), structure(strategy.structureOf(OpGroup(kernel, builder.sizes))), lanes(lanes) {
    for (AffineExpr size : structure.space)
      space.push_back(builder.size(size));
    place.assign(space.size(), zero());
  }

  void write() {
    SmallVector<TileBuilder::Dim> units;
    for (int64_t dim : structure.unitDims)
      units.push_back({zero(), space[dim]});
    if (units.empty())
      units.push_back({zero(), builder.constant(1)});
    builder.grid(units, [&](Expressions at) {
      unit = at.front();
      for (auto [dim, position] : llvm::zip(structure.unitDims, at))
        place[dim] = position;
      Operation *op = builder.results().front().getDefiningOp();
      if (auto nonzero = dyn_cast<NonZeroOp>(op))
        write(nonzero, 0, builder.splat({}, number(0)));
      else if (auto scan = dyn_cast<ScanOp>(op))
        write(scan);
      else if (auto suppress = dyn_cast<SuppressOp>(op))
        write(suppress);
      else
        write(cast<ScatterOp>(op));
    });
  }

private:
  using Expressions = TileBuilder::Expressions;

  AffineExpr zero() { return builder.constant(0); }
  TypedAttr number(int64_t value) { return Builder(builder.kernel.getContext()).getI64IntegerAttr(value); }
  Value scalarAt(Value tensor, Expressions at) { return builder.compute(tensor, at, {}, {}).front(); }

  /// Positions of the elements that aren't zero, each behind those that came before; gives how many there are.
  Value write(NonZeroOp op, size_t dim, Value count) {
    if (dim < space.size())
      return builder.carry({zero(), space[dim]}, count, [&](AffineExpr position, Value carried) {
        place[dim] = position;
        return write(op, dim + 1, carried);
      });
    Type boolean = IntegerType::get(op.getContext(), 1);
    Value element = scalarAt(op.getOperand(), place);
    auto type = cast<RankedTensorType>(element.getType());
    Value isSet = type.getElementType() == boolean ? element : builder.create<CastOp>(type.clone(boolean), element);
    builder.when(builder.create<tensor::ExtractOp>(isSet, ValueRange()), [&] {
      AffineExpr column = builder.extract(count);
      for (auto [row, position] : llvm::enumerate(place))
        builder.store(builder.position(position), builder.result(0), {builder.constant(row), column});
    });
    return builder.create<AddOp>(count, builder.create<CastOp>(count.getType(), isSet));
  }

  void write(ScanOp op) {
    int64_t dim = op.getDim();
    TileCombination combination(builder, op.getCombiner(), getElementTypeOrSelf(op.getType()));
    builder.carry({zero(), space[dim]}, builder.splat({}, combination.identity()), [&](AffineExpr step, Value sum) {
      place[dim] = op.getReverse() ? space[dim] - 1 - step : step;
      Value next = combination.combine(sum, combination.widen(scalarAt(op.getOperand(), place)));
      builder.store(combination.narrow(op.getExclusive() ? sum : next), builder.result(0), place);
      return next;
    });
  }

  //===--------------------------------------------------------------------===//
  // Suppress
  //===--------------------------------------------------------------------===//

  /// The result holds who is still a candidate: whoever is kept takes away those behind that it overlaps.
  void write(SuppressOp op) {
    Value kept = builder.result(0);
    AffineExpr count = space.back();
    place.back() = zero();
    copy(op.getCandidates(), place.size() - 1);
    Value most = scalarAt(op.getMost(), {}), threshold = scalarAt(op.getThreshold(), {});
    Type boolean = getElementTypeOrSelf(op.getType());
    Value none = builder.splat({}, builder.zero(boolean));
    builder.carry({zero(), count}, builder.splat({}, number(0)), [&](AffineExpr position, Value sum) {
      place.back() = position;
      Value isLeft = builder.load(kept, place, {});
      Value hasRoom = builder.create<CompareOp>(isLeft.getType(), Predicate::lt, sum, most);
      Value takes = builder.create<AndOp>(isLeft, hasRoom);
      builder.when(
          builder.create<tensor::ExtractOp>(takes, ValueRange()), [&] { suppressBehind(op, position, threshold); },
          [&] { builder.store(none, kept, place); });
      return builder.create<AddOp>(sum, builder.create<CastOp>(sum.getType(), takes));
    });
  }

  void suppressBehind(SuppressOp op, AffineExpr position, Value threshold) {
    Expressions row = ArrayRef(place).drop_back();
    auto corner = [&](int64_t number, AffineExpr at, ArrayRef<int64_t> shape, Expressions extents) {
      SmallVector<AffineExpr> there(row);
      there.append({builder.constant(number), at});
      return builder.compute(op.getBoxes(), there, shape, extents).front();
    };
    SmallVector<Value> own;
    for (int64_t number = 0; number < 4; ++number)
      own.push_back(corner(number, position, {}, {}));
    builder.tiles(position + 1, space.back(), lanes, [&](AffineExpr start, AffineExpr extent) {
      auto everywhere = [&](Value scalar) {
        auto type = RankedTensorType::get(lanes, getElementTypeOrSelf(scalar.getType()));
        return builder.create<BroadcastOp>(type, scalar, ValueRange(), ArrayRef<int64_t>(), type.getShape());
      };
      Value nothing = everywhere(builder.splat({}, builder.zero(getElementTypeOrSelf(threshold.getType()))));
      auto length = [&](Value low, Value high) {
        return builder.create<MaxOp>(builder.create<SubOp>(high, low), nothing);
      };
      Value both, first, second;
      auto times = [&](Value &area, Value length) { area = area ? builder.create<MulOp>(area, length) : length; };
      for (int64_t axis : {0, 1}) {
        Value low = everywhere(own[axis]), high = everywhere(own[axis + 2]);
        Value otherLow = corner(axis, start, lanes, extent), otherHigh = corner(axis + 2, start, lanes, extent);
        times(both, length(builder.create<MaxOp>(low, otherLow), builder.create<MinOp>(high, otherHigh)));
        times(first, length(low, high));
        times(second, length(otherLow, otherHigh));
      }
      Value covered = builder.create<SubOp>(builder.create<AddOp>(first, second), both);
      auto isMore = [&](Value a, Value b) {
        auto type = cast<RankedTensorType>(a.getType());
        return builder.create<CompareOp>(type.clone(Builder(type.getContext()).getI1Type()), Predicate::gt, a, b);
      };
      Value overlaps = builder.create<AndOp>(isMore(both, nothing),
                                             isMore(builder.create<DivOp>(both, covered), everywhere(threshold)));
      SmallVector<AffineExpr> behind(row);
      behind.push_back(start);
      Value memory = builder.result(0), old = builder.load(memory, behind, lanes, extent);
      builder.store(builder.create<AndOp>(old, builder.create<NotOp>(overlaps)), memory, behind, extent);
    });
  }

  //===--------------------------------------------------------------------===//
  // Scatter
  //===--------------------------------------------------------------------===//

  /// A copy of the operand, unless it is there, then each slice where its indices say.
  void write(ScatterOp op) {
    if (op->hasAttr(kInPlaceAttr))
      builder.setPresent(0, op.getOperand());
    else
      copy(op.getOperand(), 0);
    int64_t indexRank = cast<RankedTensorType>(op.getIndices().getType()).getRank() - 1;
    for (AffineExpr size : builder.sizes.sizesOf(op.getUpdates()))
      updateSizes.push_back(builder.size(size));
    SmallVector<TileBuilder::Dim> slices;
    for (AffineExpr size : ArrayRef(updateSizes).take_front(indexRank))
      slices.push_back({zero(), size});
    auto slice = [&](Expressions at) { writeSlice(op, at); };
    slices.empty() ? slice({}) : builder.loop(slices, slice);
  }

  void copy(Value operand, size_t dim) {
    auto at = [&](ArrayRef<int64_t> shape, Expressions extents) {
      builder.store(builder.compute(operand, place, shape, extents).front(), builder.result(0), place, extents);
    };
    if (space.empty())
      return at({}, {});
    if (dim + 1 == space.size())
      return builder.tiles(zero(), space[dim], lanes, [&](AffineExpr start, AffineExpr extent) {
        place[dim] = start;
        at(lanes, extent);
      });
    builder.loop({{zero(), space[dim]}}, [&](Expressions position) {
      place[dim] = position.front();
      copy(operand, dim + 1);
    });
  }

  /// Where a slice goes is found once.
  void writeSlice(ScatterOp op, Expressions slice) {
    SmallVector<AffineExpr> target(space.size(), zero());
    llvm::copy(slice.take_front(op.getBatchDims()), target.begin());
    Value exists;
    for (auto [i, dim] : llvm::enumerate(op.getDims())) {
      SmallVector<AffineExpr> at(slice);
      at.push_back(builder.constant(i));
      auto [position, isThere] = resolve(op, builder.extract(scalarAt(op.getIndices(), at)), space[dim]);
      target[dim] = position;
      if (isThere)
        exists = exists ? builder.create<arith::AndIOp>(exists, isThere) : isThere;
    }
    SmallVector<AffineExpr> update(slice);
    update.resize(updateSizes.size(), zero());
    SmallVector<int64_t> dims; // of the operand, along which slices lie
    for (int64_t dim = op.getBatchDims(); dim < (int64_t)space.size(); ++dim)
      if (!llvm::is_contained(op.getDims(), dim))
        dims.push_back(dim);
    auto write = [&] { writeElements(op, target, update, dims); };
    exists ? builder.when(exists, write) : write();
  }

  /// The position that an index names, and whether there is such a place; null where there always is.
  std::pair<AffineExpr, Value> resolve(ScatterOp op, AffineExpr index, AffineExpr size) {
    Value given = builder.value(index), extent = builder.value(size), none = builder.value(zero());
    auto select = [&](Value condition, Value yes, Value no) {
      return builder.create<arith::SelectOp>(condition, yes, no);
    };
    auto compare = [&](arith::CmpIPredicate predicate, Value a, Value b) {
      return builder.create<arith::CmpIOp>(predicate, a, b);
    };
    if (op.getMode() == IndexMode::wrap) {
      Value rest = builder.create<arith::RemSIOp>(given, extent);
      Value isBelow = compare(arith::CmpIPredicate::slt, rest, none);
      return {builder.index(select(isBelow, builder.create<arith::AddIOp>(rest, extent), rest)), Value()};
    }
    Value isNegative = compare(arith::CmpIPredicate::slt, given, none);
    Value position = select(isNegative, builder.create<arith::AddIOp>(given, extent), given);
    if (op.getMode() == IndexMode::clamp) {
      position = builder.create<arith::MinSIOp>(position, builder.value(size - 1));
      return {builder.index(builder.create<arith::MaxSIOp>(position, none)), Value()};
    }
    Value exists = builder.create<arith::AndIOp>(compare(arith::CmpIPredicate::sge, position, none),
                                                 compare(arith::CmpIPredicate::slt, position, extent));
    if (op.getMode() == IndexMode::error)
      builder.when(exists, [] {}, [&] { builder.report(TENON_CODE_INDEX_OUT_OF_RANGE, unit, given, extent); });
    return {builder.index(position), exists};
  }

  /// The elements of one slice, in vectors where it lies along the last dimension.
  void writeElements(ScatterOp op, SmallVector<AffineExpr> target, SmallVector<AffineExpr> update,
                     ArrayRef<int64_t> dims) {
    size_t number = update.size() - dims.size();
    auto at = [&](ArrayRef<int64_t> shape, Expressions extents) {
      Value memory = builder.result(0), tile = builder.compute(op.getUpdates(), update, shape, extents).front();
      if (auto combiner = op.getCombiner()) {
        TileCombination combination(builder, *combiner, getElementTypeOrSelf(op.getType()));
        Value old = builder.load(memory, target, shape, extents);
        tile = combination.narrow(combination.combine(combination.widen(old), combination.widen(tile)));
      }
      builder.store(tile, memory, target, extents);
    };
    if (dims.empty())
      return at({}, {});
    if (dims.front() + 1 == (int64_t)space.size())
      return builder.tiles(zero(), updateSizes[number], lanes, [&](AffineExpr start, AffineExpr extent) {
        target[dims.front()] = update[number] = start;
        at(lanes, extent);
      });
    builder.loop({{zero(), updateSizes[number]}}, [&](Expressions position) {
      target[dims.front()] = update[number] = position.front();
      writeElements(op, target, update, dims.drop_front());
    });
  }

  TileBuilder builder;
  KernelStructure structure;
  int64_t lanes;
  SmallVector<AffineExpr> space, place, updateSizes;
  AffineExpr unit;
};
} // namespace

LogicalResult OrderedStrategy::build(KernelOp kernel, ScheduleAttr schedule) const {
  SizeAnalysis sizes(kernel.getContext());
  Operation *ordered = orderedOf(OpGroup(kernel, sizes));
  for (Value yielded : kernel.getBody().front().getTerminator()->getOperands())
    if (yielded.getDefiningOp() != ordered)
      return ordered->emitOpError("is alone in a kernel, which yields its results only");
  write(kernel, schedule);
  return success();
}

void OrderedStrategy::write(KernelOp kernel, ScheduleAttr schedule) const {
  OrderedProgram(kernel, *this, lanesOf(schedule)).write();
}

void codegen::addOrderedStrategy(TileDialect *dialect) { addStrategy<OrderedStrategy>(dialect); }
