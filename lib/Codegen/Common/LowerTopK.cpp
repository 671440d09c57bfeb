//===- LowerTopK.cpp - The first elements of a row in order, and whole rows sorted ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A row is looked at once, a vector at a time: nearly all vectors of a long row have nothing that comes before the k-th
// best element so far. What does is a candidate. A few best ones are kept in order as insertion sort does it. More of
// them are collected behind the best ones in scratch, and sorted by their digits when that is full (a stable radix
// sort, least digit first): so whole rows are sorted in time that grows as their length, and the order of the elements
// doesn't matter.
//
// Elements are compared as keys, unsigned integers in the order of the results; equal elements have equal keys and stay
// in the order in which they stand.
//
//===----------------------------------------------------------------------===//

#include "ProgramLowering.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "tenon/Runtime/tenon_kernel.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

namespace {
class TopKLowering {
public:
  /// Memory and sizes are those of the op's operands.
  TopKLowering(ElementEmitter &e, TopKRowOp op, Buffer source, std::optional<Buffer> values,
               std::optional<Buffer> indices, Value extent, Value k)
      : e(e), op(op), source(std::move(source)), values(std::move(values)), indices(std::move(indices)),
        dim(op.getDim()), element(cast<MemRefType>(op.getSource().getType()).getElementType()),
        keyType(e.builder.getIntegerType(8 * TopKRowOp::getKeyBytes(element))),
        positionType(e.builder.getIntegerType(8 * TopKRowOp::positionBytes)), extent(extent), k(k) {}

  /// Where candidates are, of a scratch of so many bytes if there is one.
  void prepare(const Buffer *scratch, Value bytes) {
    std::optional<int64_t> results = getConstantIntValue(k);
    if (!results || *results <= TopKRowOp::mostKept) {
      // Before the first one stands a key that none comes before.
      insertedKeys = onStack(TopKRowOp::mostKept + 1, keyType);
      insertedPositions = onStack(TopKRowOp::mostKept + 1, positionType);
    }
    if (!scratch)
      return;
    half = arith::DivUIOp::create(e.builder, e.loc, bytes, e.index(TopKRowOp::getCandidateBytes(element)));
    capacity = e.sub(half, e.index(TopKRowOp::chunk));
    Value entries = e.mul(half, e.index(2));
    auto part = [&](Type type, Value start) -> Value {
      return memref::ViewOp::create(e.builder, e.loc, MemRefType::get(ShapedType::kDynamic, type), scratch->memref,
                                    start, entries);
    };
    keys = part(keyType, e.index(0));
    positions = part(positionType, e.mul(entries, e.index(TopKRowOp::getKeyBytes(element))));
    counts = onStack(digits() * buckets, positionType);
  }

  /// The row at `place`, whose coordinate along the dimension is open.
  LogicalResult emitRow(Coordinates row) {
    place = std::move(row);
    Value results = checked();
    if (std::optional<int64_t> known = getConstantIntValue(k))
      return *known <= TopKRowOp::mostKept ? insertRow(results) : sortRow(results);
    auto branch =
        scf::IfOp::create(e.builder, e.loc, compare(arith::CmpIPredicate::sle, results, e.index(TopKRowOp::mostKept)),
                          /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(e.builder);
    auto emitIn = [&](Block *block, auto emit) {
      ElementEmitter::Scope scope(e);
      e.builder.setInsertionPointToStart(block);
      return emit();
    };
    return success(succeeded(emitIn(branch.thenBlock(), [&] { return insertRow(results); })) &&
                   succeeded(emitIn(branch.elseBlock(), [&] { return sortRow(results); })));
  }

private:
  static constexpr int64_t digitBits = 8, buckets = 1 << digitBits;

  int64_t digits() { return llvm::divideCeil(registerType(element).getIntOrFloatBitWidth(), digitBits); }

  //===--------------------------------------------------------------------===//
  // Building blocks
  //===--------------------------------------------------------------------===//

  /// Once per call of the function, not per row.
  Value onStack(int64_t count, Type type) {
    OpBuilder::InsertionGuard guard(e.builder);
    Operation *around = e.builder.getInsertionBlock()->getParentOp();
    auto function = isa<func::FuncOp>(around) ? cast<func::FuncOp>(around) : around->getParentOfType<func::FuncOp>();
    e.builder.setInsertionPointToStart(&function.getBody().front());
    return memref::AllocaOp::create(e.builder, e.loc, MemRefType::get(count, type), e.builder.getI64IntegerAttr(64));
  }
  Value compare(arith::CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(e.builder, e.loc, predicate, a, b);
  }
  Value either(Value a, Value b) { return arith::OrIOp::create(e.builder, e.loc, a, b); }
  Value select(Value condition, Value a, Value b) { return arith::SelectOp::create(e.builder, e.loc, condition, a, b); }
  Value integer(Value index, Type type) { return arith::IndexCastOp::create(e.builder, e.loc, type, index); }
  Value load(Value memref, Value at) { return memref::LoadOp::create(e.builder, e.loc, memref, at); }
  void store(Value value, Value memref, Value at) { memref::StoreOp::create(e.builder, e.loc, value, memref, at); }
  Value truth(bool value) { return e.integer(e.builder.getI1Type(), value); }

  /// A branch that gives values; `otherwise` are those that it gives when the condition doesn't hold.
  SmallVector<Value> when(Value condition, ValueRange otherwise, function_ref<SmallVector<Value>()> then) {
    auto branch = scf::IfOp::create(e.builder, e.loc, otherwise.getTypes(), condition, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(e.builder);
    {
      ElementEmitter::Scope scope(e);
      e.builder.setInsertionPointToStart(branch.thenBlock());
      scf::YieldOp::create(e.builder, e.loc, then());
    }
    e.builder.setInsertionPointToStart(branch.elseBlock());
    scf::YieldOp::create(e.builder, e.loc, otherwise);
    return SmallVector<Value>(branch.getResults());
  }

  using Step = function_ref<SmallVector<Value>(Value, ValueRange)>;
  SmallVector<Value> loop(Value low, Value high, int64_t step, ValueRange init, Step body) {
    auto loop = scf::ForOp::create(e.builder, e.loc, low, high, e.index(step), init);
    OpBuilder::InsertionGuard guard(e.builder);
    ElementEmitter::Scope scope(e);
    e.builder.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
    if (!init.empty())
      scf::YieldOp::create(e.builder, e.loc, next);
    return SmallVector<Value>(loop.getResults());
  }

  /// How many results there are. What can't be is an error, after which the row ends somewhere.
  Value checked() {
    auto refuse = [&](Value condition, Value value, Value limit) {
      auto branch = scf::IfOp::create(e.builder, e.loc, condition, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(e.builder);
      e.builder.setInsertionPointToStart(branch.thenBlock());
      Type i64 = e.builder.getI64Type();
      ReportOp::create(e.builder, e.loc, TENON_CODE_CAPACITY, e.unit, integer(value, i64), integer(limit, i64));
    };
    Value longest = e.index((int64_t(1) << 8 * TopKRowOp::positionBytes) - 1);
    refuse(compare(arith::CmpIPredicate::sgt, k, extent), k, extent);
    refuse(compare(arith::CmpIPredicate::sgt, extent, longest), extent, longest);
    Value results = arith::MinSIOp::create(e.builder, e.loc, k, extent);
    if (capacity) {
      // Scratch of a program that somebody wrote may be too small for what is kept.
      refuse(compare(arith::CmpIPredicate::sgt, results, capacity), results, capacity);
      results = arith::MaxSIOp::create(e.builder, e.loc, arith::MinSIOp::create(e.builder, e.loc, results, capacity),
                                       e.index(0));
    }
    // None ask for no elements.
    length = select(compare(arith::CmpIPredicate::sgt, results, e.index(0)),
                    arith::MinSIOp::create(e.builder, e.loc, extent, longest), e.index(0));
    return results;
  }

  //===--------------------------------------------------------------------===//
  // Keys
  //===--------------------------------------------------------------------===//

  /// An unsigned integer that is less for what comes first, from an element or a vector of them.
  Value keyOf(Value value) {
    Type type = registerType(element);
    unsigned width = type.getIntOrFloatBitWidth();
    auto constant = [&](APInt number) -> Value {
      Value scalar = arith::ConstantOp::create(
          e.builder, e.loc, e.builder.getIntegerAttr(e.builder.getIntegerType(number.getBitWidth()), number));
      return isa<VectorType>(value.getType()) ? e.asVector(scalar) : scalar;
    };
    auto exclusiveOr = [&](Value a, Value b) -> Value { return arith::XOrIOp::create(e.builder, e.loc, a, b); };
    Value key = value;
    APInt sign = APInt::getSignMask(width), ones = APInt::getAllOnes(width);
    if (auto floating = dyn_cast<FloatType>(type)) {
      // The bits of positive numbers are in order, those of negative ones in the opposite one. Both zeros are one
      // number, and what is no number, whatever its bits, is the largest.
      key = arith::BitcastOp::create(e.builder, e.loc, e.typeLike(value, e.builder.getIntegerType(width)), value);
      APInt infinity = APFloat::getInf(floating.getFloatSemantics()).bitcastToAPInt();
      Value magnitude = arith::AndIOp::create(e.builder, e.loc, key, constant(~sign));
      Value isNan = compare(arith::CmpIPredicate::ugt, magnitude, constant(infinity));
      key = select(compare(arith::CmpIPredicate::eq, magnitude, constant(APInt::getZero(width))), magnitude, key);
      Value isNegative = arith::ShRSIOp::create(e.builder, e.loc, key, constant(APInt(width, width - 1)));
      key = exclusiveOr(key, arith::OrIOp::create(e.builder, e.loc, isNegative, constant(sign)));
      key = select(isNan, constant(ones), key);
    } else if (width == 1) {
      width = 8;
      ones = APInt::getAllOnes(width);
      key = arith::ExtUIOp::create(e.builder, e.loc, e.typeLike(value, e.builder.getI8Type()), value);
    } else if (!element.isUnsignedInteger()) {
      key = exclusiveOr(key, constant(sign));
    }
    if (!op.getSmallest())
      key = exclusiveOr(key, constant(ones));
    if (width < keyType.getWidth())
      key = arith::ExtUIOp::create(e.builder, e.loc, e.typeLike(value, keyType), key);
    return key;
  }

  Value elementAt(Coordinate position) {
    place[dim] = position;
    FailureOr<Value> value = e.load(source, element, place);
    failed |= mlir::failed(value);
    return mlir::failed(value) ? e.number(registerType(element), 0) : *value;
  }

  //===--------------------------------------------------------------------===//
  // The row
  //===--------------------------------------------------------------------===//

  /// Calls `take` with the bounds of each chunk that has candidates, elements before `state[0]`, a key, in the order of
  /// the results, or any while `isOpen`; and with those of the last chunk.
  SmallVector<Value> scan(ValueRange init, function_ref<Value(ValueRange)> isOpen,
                          function_ref<SmallVector<Value>(Value, Value, ValueRange)> take) {
    bool inVectors = dim + 1 == (int64_t)place.size();
    int64_t step = inVectors ? e.lanes : TopKRowOp::chunk;
    return loop(e.index(0), length, step, init, [&](Value start, ValueRange state) {
      Value wholeEnd = e.add(start, e.index(step));
      Value end = arith::MinSIOp::create(e.builder, e.loc, wholeEnd, length), hasAny = truth(true);
      if (inVectors) {
        // The last chunk may be short, and ends the row: its elements are looked at in any case.
        hasAny = when(compare(arith::CmpIPredicate::slt, wholeEnd, length), truth(true), [&]() -> SmallVector<Value> {
          Value comesBefore =
              compare(arith::CmpIPredicate::ult, keyOf(elementAt({start, 1, Value()})), e.asVector(state[0]));
          Value any = vector::ReductionOp::create(e.builder, e.loc, vector::CombiningKind::OR, comesBefore);
          return {either(any, isOpen(state))};
        })[0];
      }
      return when(hasAny, state, [&] { return take(start, end, state); });
    });
  }

  Value scalarKey(Value position) { return keyOf(elementAt({position, 0, Value()})); }

  /// Keeps the best ones in order.
  LogicalResult insertRow(Value results) {
    Value one = e.index(1), least = e.integer(keyType, 0);
    store(least, insertedKeys, e.index(0));
    auto isOpen = [&](ValueRange state) { return compare(arith::CmpIPredicate::slt, state[1], results); };
    scan({least, e.index(0)}, isOpen, [&](Value start, Value end, ValueRange state) {
      return loop(start, end, 1, state, [&](Value position, ValueRange state) {
        Value key = scalarKey(position);
        Value takes = either(isOpen(state), compare(arith::CmpIPredicate::ult, key, state[0]));
        return when(takes, state, [&]() -> SmallVector<Value> {
          Value count = arith::MinSIOp::create(e.builder, e.loc, e.add(state[1], one), results);
          Value free = makeRoom(key, count);
          store(key, insertedKeys, free);
          store(integer(position, positionType), insertedPositions, free);
          return {load(insertedKeys, count), count};
        });
      });
    });
    writeResults(results, insertedPositions, one);
    return failure(failed);
  }

  /// Moves what comes behind the key up by one place, the last one away from place `last`; gives the place that is
  /// free.
  Value makeRoom(Value key, Value last) {
    auto loop = scf::WhileOp::create(e.builder, e.loc, last.getType(), last);
    OpBuilder::InsertionGuard guard(e.builder);
    Block *before = e.builder.createBlock(&loop.getBefore(), {}, last.getType(), e.loc);
    Value free = before->getArgument(0), previous = e.sub(free, e.index(1));
    Value isBehind = compare(arith::CmpIPredicate::ugt, load(insertedKeys, previous), key);
    scf::ConditionOp::create(e.builder, e.loc, isBehind, free);
    Block *after = e.builder.createBlock(&loop.getAfter(), {}, last.getType(), e.loc);
    free = after->getArgument(0);
    previous = e.sub(free, e.index(1));
    store(load(insertedKeys, previous), insertedKeys, free);
    store(load(insertedPositions, previous), insertedPositions, free);
    scf::YieldOp::create(e.builder, e.loc, previous);
    return loop.getResult(0);
  }

  /// Collects candidates, and sorts them whenever there are many.
  LogicalResult sortRow(Value results) {
    Value none = e.index(0), any = truth(true);
    auto isOpen = [&](ValueRange state) { return state[3]; };
    // The k-th key; how many there are and in which half; whether every element is a candidate.
    Value init[] = {e.integer(keyType, 0), none, none, any};
    Value first = scan(init, isOpen, [&](Value start, Value end, ValueRange state) {
      Value count = loop(start, end, 1, state[1], [&](Value position, ValueRange counts) -> SmallVector<Value> {
        // Written in any case: the next one takes the place of what is none.
        Value key = scalarKey(position), at = e.add(state[2], counts[0]);
        store(key, keys, at);
        store(integer(position, positionType), positions, at);
        Value takes = either(state[3], compare(arith::CmpIPredicate::ult, key, state[0]));
        return {select(takes, e.add(counts[0], e.index(1)), counts[0])};
      })[0];
      Value isFull =
          either(compare(arith::CmpIPredicate::sgt, count, capacity), compare(arith::CmpIPredicate::eq, end, length));
      return when(isFull, {state[0], count, state[2], state[3]}, [&]() -> SmallVector<Value> {
        Value half = sort(state[2], count);
        Value kept = arith::MinSIOp::create(e.builder, e.loc, count, results);
        Value last = load(keys, e.add(half, e.sub(kept, e.index(1))));
        return {last, kept, half, compare(arith::CmpIPredicate::slt, kept, results)};
      });
    })[2];
    writeResults(results, positions, first);
    return failure(failed);
  }

  void writeResults(Value count, Value from, Value first) {
    loop(e.index(0), count, 1, {}, [&](Value rank, ValueRange) -> SmallVector<Value> {
      Value position =
          arith::IndexCastUIOp::create(e.builder, e.loc, e.builder.getIndexType(), load(from, e.add(first, rank)));
      Coordinates target = place;
      target[dim] = {rank, 0, Value()};
      if (values)
        e.store(elementAt({position, 0, Value()}), *values, target);
      if (indices)
        e.store(integer(position, e.builder.getI64Type()), *indices, target);
      return {};
    });
  }

  //===--------------------------------------------------------------------===//
  // Sorting by digits
  //===--------------------------------------------------------------------===//

  /// Where a key is counted for a digit, given where its counters begin and its lowest bit.
  Value counterOf(Value key, Value start, Value shift) {
    Value moved = arith::ShRUIOp::create(e.builder, e.loc, key, shift);
    Value digit = arith::AndIOp::create(e.builder, e.loc, moved, e.integer(keyType, buckets - 1));
    return e.add(start, arith::IndexCastUIOp::create(e.builder, e.loc, e.builder.getIndexType(), digit));
  }

  /// Sorts `count` candidates of the half that begins at `from`; gives the half in which they are then.
  Value sort(Value from, Value count) {
    Value zero = e.integer(positionType, 0), one = e.integer(positionType, 1);
    loop(e.index(0), e.index(digits() * buckets), 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      store(zero, counts, i);
      return {};
    });
    loop(e.index(0), count, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
      Value key = load(keys, e.add(from, i));
      for (int64_t digit = 0; digit < digits(); ++digit) {
        Value counter = counterOf(key, e.index(digit * buckets), e.integer(keyType, digit * digitBits));
        store(arith::AddIOp::create(e.builder, e.loc, load(counts, counter), one), counts, counter);
      }
      return {};
    });
    return loop(e.index(0), e.index(digits()), 1, from, [&](Value digit, ValueRange state) -> SmallVector<Value> {
      Value from = state[0], to = e.sub(half, from);
      Value start = e.mul(digit, e.index(buckets)), shift = integer(e.mul(digit, e.index(digitBits)), keyType);
      // Where all have the same digit nothing moves.
      Value same = load(counts, counterOf(load(keys, from), start, shift));
      Value differs = compare(arith::CmpIPredicate::ne, same, integer(count, positionType));
      return when(differs, from, [&]() -> SmallVector<Value> {
        // How many come before each digit: where its first one goes.
        loop(start, e.add(start, e.index(buckets)), 1, zero, [&](Value i, ValueRange sum) -> SmallVector<Value> {
          Value number = load(counts, i);
          store(sum[0], counts, i);
          return {arith::AddIOp::create(e.builder, e.loc, sum[0], number)};
        });
        loop(e.index(0), count, 1, {}, [&](Value i, ValueRange) -> SmallVector<Value> {
          Value source = e.add(from, i), key = load(keys, source), counter = counterOf(key, start, shift);
          Value number = load(counts, counter);
          store(arith::AddIOp::create(e.builder, e.loc, number, one), counts, counter);
          Value target = e.add(to, arith::IndexCastUIOp::create(e.builder, e.loc, e.builder.getIndexType(), number));
          store(key, keys, target);
          store(load(positions, source), positions, target);
          return {};
        });
        return {to};
      });
    })[0];
  }

  ElementEmitter &e;
  TopKRowOp op;
  Buffer source;
  std::optional<Buffer> values, indices;
  int64_t dim;
  Type element;
  IntegerType keyType, positionType;
  Coordinates place;
  Value extent, k, length;               ///< the row's length, as it is, and what of it is looked at
  Value insertedKeys, insertedPositions; ///< a few best ones, from place 1 on
  Value keys, positions, capacity,
      half;     ///< candidates in scratch: how many are collected, and where the second half begins
  Value counts; ///< of each digit's values
  bool failed = false;
};
} // namespace

LogicalResult ProgramLowering::emit(TopKRowOp op) {
  auto sizeOf = [&](Value memref, int64_t dim) {
    auto type = cast<MemRefType>(memref.getType());
    auto stated = shapes.find(memref);
    return stated == shapes.end() ? e.index(type.getDimSize(dim))
                                  : e.index(sizes.materialize(builder, e.loc, stated->second[dim]));
  };
  for (Value memref : {op.getSource(), op.getValues(), op.getPositions(), op.getScratch()})
    if (memref && !cast<MemRefType>(memref.getType()).hasStaticShape() && !shapes.contains(memref))
      return op.emitOpError("expects memory that is an argument or scratch, or has static sizes");
  e.lanes = op.getLanes();
  // Copies: asking for one may move others.
  auto copyOf = [&](Value memref) { return memref ? std::optional(Buffer(bufferOf(memref))) : std::nullopt; };
  int64_t dim = op.getDim();
  TopKLowering lowering(e, op, *copyOf(op.getSource()), copyOf(op.getValues()), copyOf(op.getPositions()),
                        sizeOf(op.getSource(), dim), sizeOf(op.getValues() ? op.getValues() : op.getPositions(), dim));
  std::optional<Buffer> scratch = copyOf(op.getScratch());
  lowering.prepare(scratch ? &*scratch : nullptr, scratch ? sizeOf(op.getScratch(), 0) : Value());
  return lowering.emitRow(coordinatesOf(op.getCoordinates(), op.getIndices()));
}
