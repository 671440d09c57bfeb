//===- ControlFlow.cpp - Control flow of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

using namespace mlir;
using namespace tenon::reference;

static llvm::Error evaluateIf(Call &call) {
  auto op = cast<tenon::IfOp>(call.op);
  bool condition = call.tensor(0).getData()[0];
  llvm::Expected<std::vector<tenon::reference::Value>> results =
      call.interpreter.runBlock((condition ? op.getThenRegion() : op.getElseRegion()).front(), {});
  if (!results)
    return results.takeError();
  call.results.append(results->begin(), results->end());
  return llvm::Error::success();
}

/// Values of all iterations along a new first dimension.
static llvm::Expected<Tensor> stack(const std::vector<Tensor> &values, RankedTensorType type) {
  SmallVector<int64_t> shape = {(int64_t)values.size()};
  for (int64_t i = 1; i < type.getRank(); ++i)
    shape.push_back(!values.empty() ? values.front().getDimSize(i - 1) : type.isDynamicDim(i) ? 0 : type.getDimSize(i));
  llvm::Expected<Tensor> result = Tensor::create(type.getElementType(), shape);
  if (!result)
    return result;
  int64_t at = 0;
  for (const Tensor &value : values) {
    if (value.getShape() != values.front().getShape())
      return llvm::createStringError("gives scan values of different sizes: " + values.front().describe() + " and " +
                                     value.describe());
    int64_t count = value.getNumElements();
    if (value.holdsStrings()) {
      llvm::copy(value.getStrings(), result->getStrings().begin() + at);
    } else if (Format format(type.getElementType()); !format.isPacked()) {
      std::memcpy(result->getData() + format.bytesFor(at), value.getData(), value.getNumBytes());
    } else {
      Format raw(IntegerType::get(type.getContext(), format.bits, IntegerType::Unsigned));
      for (int64_t i = 0; i < count; ++i) {
        uint64_t bits;
        raw.load(value.getData(), i, 1, &bits);
        raw.store(result->getData(), at + i, 1, &bits);
      }
    }
    at += count;
  }
  return result;
}

static llvm::Error evaluateLoop(Call &call) {
  auto op = cast<tenon::LoopOp>(call.op);
  int64_t trips;
  Format integers(call.tensor(0).getElementType());
  integers.load(call.tensor(0).getData(), 0, 1, &trips);
  bool goesOn = call.tensor(1).getData()[0];
  std::vector<tenon::reference::Value> carried(call.operands.begin() + 2, call.operands.end());
  std::vector<std::vector<Tensor>> scans(op.getNumResults() - carried.size());
  for (int64_t i = 0; i < trips && goesOn; ++i) {
    llvm::Expected<Tensor> iteration = storeAll<int64_t>(integers.type, {}, {i});
    if (!iteration)
      return push(call, std::move(iteration));
    std::vector<tenon::reference::Value> arguments = {std::move(*iteration)};
    arguments.insert(arguments.end(), carried.begin(), carried.end());
    llvm::Expected<std::vector<tenon::reference::Value>> results =
        call.interpreter.runBlock(op.getBody().front(), arguments);
    if (!results)
      return results.takeError();
    const Tensor *condition = std::get_if<Tensor>(&results->front());
    if (!condition || condition->getNumElements() != 1 || !Format(condition->getElementType()).isBool())
      return call.fail("expects its body to yield a condition of type tensor<i1> first");
    goesOn = condition->getData()[0];
    for (size_t c = 0; c < carried.size(); ++c)
      carried[c] = (*results)[c + 1];
    for (size_t s = 0; s < scans.size(); ++s)
      scans[s].push_back(std::get<Tensor>((*results)[carried.size() + 1 + s]));
  }
  call.results.append(carried.begin(), carried.end());
  for (auto [i, values] : llvm::enumerate(scans)) {
    auto type = cast<RankedTensorType>(op.getResult(carried.size() + i).getType());
    for (const Tensor &value : values)
      if (value.getElementType() != type.getElementType())
        return call.fail("stacks " + value.describe() + " as another element type");
    if (llvm::Error error = push(call, stack(values, type)))
      return error;
  }
  return llvm::Error::success();
}

static llvm::Error evaluateAssert(Call &call) {
  if (!call.index(0))
    return call.fail(cast<cf::AssertOp>(call.op).getMsg());
  return llvm::Error::success();
}

void tenon::reference::registerControlFlow(Interpreter &interpreter) {
  interpreter.registerOp(cf::AssertOp::getOperationName(), evaluateAssert);
  interpreter.registerOp(tenon::IfOp::getOperationName(), evaluateIf);
  interpreter.registerOp(tenon::LoopOp::getOperationName(), evaluateLoop);
}
