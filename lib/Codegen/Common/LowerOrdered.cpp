//===- LowerOrdered.cpp - Ops whose elements depend on those before them ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Combination.h"
#include "Lowerings.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "tenon/Runtime/tenon_kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
class OrderedLowering {
public:
  explicit OrderedLowering(KernelBody &body) : body(body), e(body.e) {}

  LogicalResult run() {
    Operation *op = body.results.front().getDefiningOp();
    return body.loop(body.begin, body.end, 1, [&](Value unit) -> LogicalResult {
      e.unit = unit;
      place = body.rowAt(unit);
      if (auto nonzero = dyn_cast<NonZeroOp>(op))
        return emit(nonzero);
      if (auto scan = dyn_cast<ScanOp>(op))
        return emit(scan);
      return emit(cast<ScatterOp>(op));
    });
  }

private:
  static Type elementOf(Value tensor) { return cast<RankedTensorType>(tensor.getType()).getElementType(); }

  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(e.builder, e.loc, predicate, a, b);
  }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(e.builder, e.loc, predicate, a, b);
  }
  Value both(Value a, Value b) { return arith::AndIOp::create(e.builder, e.loc, a, b); }
  Value select(Value condition, Value a, Value b) {
    return arith::SelectOp::create(e.builder, e.loc, condition, a, b);
  }
  Value number(Value index) { return arith::IndexCastOp::create(e.builder, e.loc, e.builder.getI64Type(), index); }

  /// A loop over [0, extent) with one carried value.
  FailureOr<Value> loop(Value extent, Value init, function_ref<FailureOr<Value>(Value, Value)> step) {
    FailureOr<SmallVector<Value>> results =
        e.loop(extent, init, [&](Value position, ValueRange state) -> FailureOr<SmallVector<Value>> {
          FailureOr<Value> next = step(position, state[0]);
          if (failed(next))
            return failure();
          return SmallVector<Value>{*next};
        });
    if (failed(results))
      return failure();
    return results->front();
  }

  /// Loops over a box with one carried value, innermost last.
  FailureOr<Value> nest(MutableArrayRef<Coordinate> places, ArrayRef<Value> extents, Value init,
                        function_ref<FailureOr<Value>(Value)> step) {
    if (extents.empty())
      return step(init);
    return loop(extents.front(), init, [&](Value position, Value state) -> FailureOr<Value> {
      places.front() = {position, 0, Value()};
      return nest(places.drop_front(), extents.drop_front(), state, step);
    });
  }

  /// Positions of the elements that aren't zero, each behind those that came before.
  LogicalResult emit(NonZeroOp op) {
    return nest(place, body.space, e.index(0), [&](Value count) -> FailureOr<Value> {
      FailureOr<Value> element = e.at(op.getOperand(), place);
      if (failed(element))
        return failure();
      Value zero = e.number(element->getType(), 0);
      Value isSet = isa<FloatType>(zero.getType()) ? compare(arith::CmpFPredicate::UNE, *element, zero)
                                                   : compare(arith::CmpIPredicate::ne, *element, zero);
      if (failed(body.when(isSet, [&] {
            for (auto [row, coordinate] : llvm::enumerate(place))
              e.store(number(e.first(coordinate)), body.outputs.front(),
                      {Coordinate{e.index(row), 0, Value()}, Coordinate{count, 0, Value()}});
            return success();
          })))
        return failure();
      return select(isSet, e.add(count, e.index(1)), count);
    });
  }

  LogicalResult emit(ScanOp op) {
    int64_t dim = op.getDim();
    Type element = elementOf(op.getOperand());
    Combination combination(e, op.getCombiner(), element);
    Value extent = body.space[dim];
    return loop(extent, combination.identity(), [&](Value step, Value sum) -> FailureOr<Value> {
      Value position = op.getReverse() ? e.sub(e.sub(extent, e.index(1)), step) : step;
      place[dim] = {position, 0, Value()};
      FailureOr<Value> value = e.at(op.getOperand(), place);
      if (failed(value))
        return failure();
      Value next = combination.combine(sum, combination.widen(*value));
      e.store(combination.finish(op.getExclusive() ? sum : next, Value()), body.outputs.front(), place);
      return next;
    });
  }

  /// The position that an index names, and whether there is such a place.
  std::pair<Value, Value> resolve(ScatterOp op, Value index, Value size) {
    Value zero = e.index(0), isNegative = compare(arith::CmpIPredicate::slt, index, zero);
    if (op.getMode() == IndexMode::wrap) {
      Value rest = arith::RemSIOp::create(e.builder, e.loc, index, size);
      Value isBelow = compare(arith::CmpIPredicate::slt, rest, zero);
      return {select(isBelow, e.add(rest, size), rest), Value()};
    }
    Value position = select(isNegative, e.add(index, size), index);
    if (op.getMode() == IndexMode::clamp) {
      Value last = e.sub(size, e.index(1));
      position = arith::MinSIOp::create(e.builder, e.loc, position, last);
      return {arith::MaxSIOp::create(e.builder, e.loc, position, zero), Value()};
    }
    Value exists = both(compare(arith::CmpIPredicate::sge, position, zero),
                        compare(arith::CmpIPredicate::slt, position, size));
    if (op.getMode() == IndexMode::error) {
      auto branch = scf::IfOp::create(e.builder, e.loc, exists, /*withElseRegion=*/true);
      OpBuilder::InsertionGuard guard(e.builder);
      e.builder.setInsertionPointToStart(branch.elseBlock());
      ReportOp::create(e.builder, e.loc, TENON_CODE_INDEX_OUT_OF_RANGE, e.unit, number(index), number(size));
    }
    return {position, exists};
  }

  /// A copy of the operand, unless it is there, then each slice where its indices say.
  LogicalResult emit(ScatterOp op) {
    const Buffer &output = body.outputs.front();
    Type element = elementOf(op.getOperand());
    Value none = e.index(0);
    auto copy = [&](Value state) -> FailureOr<Value> {
      FailureOr<Value> value = e.at(op.getOperand(), place);
      if (failed(value))
        return failure();
      e.store(*value, output, place);
      return state;
    };
    if (!op->hasAttr(kInPlaceAttr) && failed(nest(place, body.space, none, copy)))
      return failure();
    int64_t rank = place.size(), batch = op.getBatchDims();
    int64_t indexRank = cast<RankedTensorType>(op.getIndices().getType()).getRank() - 1;
    Coordinates update(cast<RankedTensorType>(op.getUpdates().getType()).getRank());
    SmallVector<Value> extents;
    for (size_t dim = 0; dim < update.size(); ++dim)
      extents.push_back(e.size(op.getUpdates(), dim));
    // Where a slice goes is found once.
    auto [places, slice] = std::pair(MutableArrayRef(update).take_front(indexRank),
                                     MutableArrayRef(update).drop_front(indexRank));
    ArrayRef<Value> sliceExtents = ArrayRef(extents).drop_front(indexRank);
    return nest(places, ArrayRef(extents).take_front(indexRank), none, [&](Value state) -> FailureOr<Value> {
      Coordinates target(rank);
      for (int64_t dim = 0; dim < batch; ++dim)
        target[dim] = update[dim];
      Value exists;
      for (auto [i, dim] : llvm::enumerate(op.getDims())) {
        Coordinates index(places);
        index.push_back({e.index(i), 0, Value()});
        FailureOr<Value> value = e.at(op.getIndices(), index);
        if (failed(value))
          return failure();
        Value wide = arith::IndexCastOp::create(e.builder, e.loc, e.builder.getIndexType(), *value);
        auto [position, isThere] = resolve(op, wide, body.space[dim]);
        target[dim] = {position, 0, Value()};
        if (isThere)
          exists = exists ? both(exists, isThere) : isThere;
      }
      auto write = [&](Value none) -> FailureOr<Value> {
        int64_t next = indexRank;
        for (int64_t dim = batch; dim < rank; ++dim)
          if (!llvm::is_contained(op.getDims(), dim))
            target[dim] = update[next++];
        FailureOr<Value> result = e.at(op.getUpdates(), update);
        if (failed(result))
          return failure();
        if (auto combiner = op.getCombiner()) {
          Combination combination(e, *combiner, element);
          FailureOr<Value> old = e.load(output, element, target);
          if (failed(old))
            return failure();
          result = combination.finish(
              combination.combine(combination.widen(*old), combination.widen(*result)), Value());
        }
        e.store(*result, output, target);
        return none;
      };
      auto writeSlice = [&]() -> LogicalResult { return nest(slice, sliceExtents, none, write); };
      if (failed(exists ? body.when(exists, writeSlice) : writeSlice()))
        return failure();
      return state;
    });
  }

  KernelBody &body;
  ElementEmitter &e;
  Coordinates place;
};
} // namespace

LogicalResult codegen::emitOrdered(KernelBody &body) { return OrderedLowering(body).run(); }
