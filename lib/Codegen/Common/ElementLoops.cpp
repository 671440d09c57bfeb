//===- ElementLoops.cpp - Loops within the rule of an element ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementLoops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;

FailureOr<Value> codegen::nest(ElementEmitter &e, ArrayRef<PositionRange> ranges, Value init,
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

FailureOr<Value> codegen::loopOverVectors(ElementEmitter &e, Value extent, Value init,
                                          function_ref<FailureOr<Value>(Value, Value, bool)> body) {
  Value width = e.index(e.lanes), whole = arith::DivUIOp::create(e.builder, e.loc, extent, width);
  Value start = e.mul(whole, width), rest = e.sub(extent, start);
  auto step = [&](Value i, ValueRange states) -> FailureOr<SmallVector<Value>> {
    FailureOr<Value> state = body(e.mul(i, width), states[0], /*isMasked=*/false);
    if (failed(state))
      return failure();
    return SmallVector<Value>{*state};
  };
  FailureOr<SmallVector<Value>> states = e.loop(whole, init, step);
  if (failed(states))
    return failure();
  Value state = states->front();
  if (getConstantIntValue(rest) == 0)
    return state;
  Value hasRest = arith::CmpIOp::create(e.builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0));
  auto tail = scf::IfOp::create(e.builder, e.loc, TypeRange(state.getType()), hasRest, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(e.builder);
  e.builder.setInsertionPointToEnd(tail.elseBlock());
  scf::YieldOp::create(e.builder, e.loc, state);
  e.builder.setInsertionPointToEnd(tail.thenBlock());
  ElementEmitter::Scope scope(e);
  Value valid = std::exchange(e.valid, rest);
  FailureOr<Value> last = body(start, state, /*isMasked=*/true);
  e.valid = valid;
  if (failed(last))
    return failure();
  scf::YieldOp::create(e.builder, e.loc, *last);
  return tail.getResult(0);
}

bool codegen::dependsOnLanes(ArrayRef<Coordinate> coordinates) {
  return llvm::any_of(coordinates, [](const Coordinate &c) { return !c.isUniform(); });
}
