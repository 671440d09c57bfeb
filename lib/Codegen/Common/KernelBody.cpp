//===- KernelBody.cpp - The function that a kernel becomes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Codegen/Common/KernelBody.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

LogicalResult KernelBody::loop(Value low, Value high, int64_t step, function_ref<LogicalResult(Value)> body) {
  Value stepValue = e.index(step);
  auto loop = scf::ForOp::create(e.builder, e.loc, low, high, stepValue);
  OpBuilder::InsertionGuard guard(e.builder);
  ElementEmitter::Scope scope(e);
  e.builder.setInsertionPointToStart(loop.getBody());
  return body(loop.getInductionVar());
}

LogicalResult KernelBody::when(Value condition, function_ref<LogicalResult()> body) {
  auto branch = scf::IfOp::create(e.builder, e.loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(e.builder);
  ElementEmitter::Scope scope(e);
  e.builder.setInsertionPointToStart(branch.thenBlock());
  return body();
}

LogicalResult KernelBody::vectors(Value low, Value high, function_ref<LogicalResult(Value)> body) {
  std::optional<int64_t> first = getConstantIntValue(low), last = getConstantIntValue(high);
  Value extent = e.sub(high, low), width = e.index(e.lanes);
  Value rest, wholeEnd;
  if (first && last) {
    rest = e.index((*last - *first) % e.lanes);
    wholeEnd = e.index(*last - (*last - *first) % e.lanes);
  } else {
    rest = arith::RemUIOp::create(e.builder, e.loc, extent, width);
    wholeEnd = e.sub(high, rest);
  }
  if (!first || getConstantIntValue(wholeEnd) != first)
    if (failed(loop(low, wholeEnd, e.lanes, body)))
      return failure();
  if (getConstantIntValue(rest) == 0)
    return success();
  auto tail = [&] {
    Value previous = std::exchange(e.valid, rest);
    LogicalResult result = body(wholeEnd);
    e.valid = previous;
    return result;
  };
  if (getConstantIntValue(rest)) {
    ElementEmitter::Scope scope(e);
    return tail();
  }
  return when(arith::CmpIOp::create(e.builder, e.loc, arith::CmpIPredicate::sgt, rest, e.index(0)), tail);
}

LogicalResult codegen::storeResults(KernelBody &body, ArrayRef<Coordinate> coordinates, bool wholeRows) {
  for (auto [result, output] : llvm::zip(body.results, body.outputs)) {
    if ((output.strides.size() == body.structure.space.size()) != wholeRows)
      continue;
    FailureOr<Value> element = body.e.at(result, coordinates);
    if (failed(element))
      return failure();
    body.e.store(*element, output, coordinates);
  }
  return success();
}
