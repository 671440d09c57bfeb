//===- Sequences.cpp - Sequences and optionals of the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RawElements.h"
#include "tenon/Dialect/Tenon/IR/TenonBits.h"
#include "llvm/Support/RandomNumberGenerator.h"

using namespace mlir;
using namespace tenon::reference;

static const std::vector<tenon::reference::Value> &items(Call &call) {
  return std::get<std::shared_ptr<Sequence>>(call.operands[0])->values;
}

static llvm::Error give(Call &call, std::vector<tenon::reference::Value> values) {
  call.results.push_back(std::make_shared<Sequence>(Sequence{std::move(values)}));
  return llvm::Error::success();
}

static int64_t scalar(const Tensor &tensor) { return loadAll<int64_t>(tensor).front(); }

/// A position below `limit`, counted from the end where it is negative.
static llvm::Expected<int64_t> position(Call &call, unsigned operand, int64_t length, int64_t limit) {
  int64_t given = scalar(call.tensor(operand)), place = given < 0 ? given + length : given;
  if (place < 0 || place >= limit)
    return call.fail("position " + llvm::Twine(given) + " is out of range for a sequence of length " +
                     llvm::Twine(length));
  return place;
}

static llvm::Error evaluateConstruct(Call &call) {
  return give(call, std::vector<tenon::reference::Value>(call.operands.begin(), call.operands.end()));
}

static llvm::Error evaluateInsert(Call &call) {
  std::vector<tenon::reference::Value> values = items(call);
  int64_t length = values.size(), place = length;
  if (call.operands.size() > 2) {
    llvm::Expected<int64_t> given = position(call, 2, length, length + 1);
    if (!given)
      return given.takeError();
    place = *given;
  }
  values.insert(values.begin() + place, call.operands[1]);
  return give(call, std::move(values));
}

static llvm::Error evaluateErase(Call &call) {
  std::vector<tenon::reference::Value> values = items(call);
  int64_t length = values.size(), place = length - 1;
  if (call.operands.size() > 1) {
    llvm::Expected<int64_t> given = position(call, 1, length, length);
    if (!given)
      return given.takeError();
    place = *given;
  } else if (length == 0) {
    return call.fail("cannot take a value from an empty sequence");
  }
  values.erase(values.begin() + place);
  return give(call, std::move(values));
}

static llvm::Error evaluateAt(Call &call) {
  int64_t length = items(call).size();
  llvm::Expected<int64_t> place = position(call, 1, length, length);
  if (!place)
    return place.takeError();
  call.results.push_back(items(call)[*place]);
  return llvm::Error::success();
}

static llvm::Error evaluateLength(Call &call) {
  return push(call, storeAll<int64_t>(call.resultElementType(), {}, {(int64_t)items(call).size()}));
}

/// Copies a block of `count` elements of each of `outer` rows.
static void copyRows(const char *from, int64_t fromRow, char *to, int64_t toRow, int64_t count, int64_t outer,
                     int64_t bytes) {
  for (int64_t o = 0; o < outer && count > 0; ++o)
    copyByTables(from + o * fromRow * bytes, to + o * toRow * bytes, stridedTables({count}, {1}), bytes, nullptr);
}

static llvm::Error evaluateConcat(Call &call) {
  auto op = cast<tenon::SequenceConcatOp>(call.op);
  const std::vector<tenon::reference::Value> &values = items(call);
  int64_t dim = op.getDim();
  if (values.empty())
    return call.fail("cannot concatenate an empty sequence");
  std::vector<Tensor> parts;
  for (const tenon::reference::Value &value : values) {
    Tensor part = std::get<Tensor>(value);
    SmallVector<int64_t> shape(part.getShape());
    if (op.getNewDim())
      shape.insert(shape.begin() + dim, 1);
    if (dim >= (int64_t)shape.size())
      return call.fail("has no dimension " + llvm::Twine(dim) + " in " + part.describe());
    parts.push_back(part.reshaped(shape));
  }
  SmallVector<int64_t> shape(parts.front().getShape());
  shape[dim] = 0;
  for (const Tensor &part : parts) {
    SmallVector<int64_t> expected(shape);
    expected[dim] = part.getRank() == (int64_t)shape.size() ? part.getDimSize(dim) : 0;
    if (part.getShape() != ArrayRef(expected) || part.getElementType() != parts.front().getElementType())
      return call.fail("cannot concatenate " + parts.front().describe() + " and " + part.describe());
    shape[dim] += part.getDimSize(dim);
  }
  llvm::Expected<RawResult> result = RawResult::create(call.resultElementType(), shape);
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  int64_t outer = 1, inner = 1, start = 0;
  for (auto [d, size] : llvm::enumerate(shape))
    if ((int64_t)d != dim)
      ((int64_t)d < dim ? outer : inner) *= size;
  for (const Tensor &part : parts) {
    RawElements elements(part);
    int64_t row = part.getDimSize(dim) * inner;
    copyRows(elements.data, row, result->data() + start * elements.bytes, shape[dim] * inner, row, outer,
             elements.bytes);
    start += row;
  }
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

static llvm::Error evaluateSplit(Call &call) {
  auto op = cast<tenon::SequenceSplitOp>(call.op);
  const Tensor &operand = call.tensor(0);
  int64_t dim = op.getDim(), whole = operand.getDimSize(dim);
  std::vector<int64_t> lengths;
  bool isList = call.operands.size() > 1 && call.tensor(1).getRank() == 1;
  if (isList) {
    lengths = loadAll<int64_t>(call.tensor(1));
  } else {
    int64_t each = call.operands.size() > 1 ? scalar(call.tensor(1)) : 1;
    if (each < 1)
      return call.fail("cannot split into parts of size " + llvm::Twine(each));
    for (int64_t at = 0; at < whole; at += each)
      lengths.push_back(std::min(each, whole - at));
  }
  int64_t outer = 1, inner = 1, start = 0;
  for (auto [d, size] : llvm::enumerate(operand.getShape()))
    if ((int64_t)d != dim)
      ((int64_t)d < dim ? outer : inner) *= size;
  RawElements elements(operand);
  std::vector<tenon::reference::Value> parts;
  for (int64_t length : lengths) {
    if (length < 0 || length > whole - start)
      return call.fail("expects parts that make up size " + llvm::Twine(whole));
    SmallVector<int64_t> shape(operand.getShape());
    shape[dim] = length;
    llvm::Expected<RawResult> part = RawResult::create(operand.getElementType(), shape);
    if (!part)
      return call.fail(llvm::toString(part.takeError()));
    copyRows(elements.data + start * inner * elements.bytes, whole * inner, part->data(), length * inner,
             length * inner, outer, elements.bytes);
    Tensor tensor = part->finish();
    if (op.getDropDim())
      shape.erase(shape.begin() + dim);
    parts.push_back(tensor.reshaped(shape));
    start += length;
  }
  if (start != whole)
    return call.fail("expects parts that make up size " + llvm::Twine(whole));
  return give(call, std::move(parts));
}

static llvm::Error evaluateOptional(Call &call) {
  call.results.push_back(std::make_shared<Optional>(Optional{{call.operands.begin(), call.operands.end()}}));
  return llvm::Error::success();
}

static const std::vector<tenon::reference::Value> &held(Call &call) {
  return std::get<std::shared_ptr<Optional>>(call.operands[0])->value;
}

static llvm::Error evaluateHas(Call &call) {
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), {});
  if (result)
    result->getData()[0] = !held(call).empty();
  return push(call, std::move(result));
}

static llvm::Error evaluateGet(Call &call) {
  if (held(call).empty())
    return call.fail("holds no value");
  call.results.push_back(held(call).front());
  return llvm::Error::success();
}

static llvm::Error evaluateRandomSeed(Call &call) {
  llvm::Expected<Tensor> result = Tensor::create(call.resultElementType(), {});
  if (result && llvm::getRandomBytes(result->getData(), sizeof(int64_t)))
    return call.fail("gets no random bits from the system");
  return push(call, std::move(result));
}

static llvm::Error evaluateExternal(Call &call) {
  return call.fail("calls a function that the interpreter does not have");
}

void tenon::reference::registerSequences(Interpreter &interpreter) {
  interpreter.registerOp(tenon::CallExternalOp::getOperationName(), evaluateExternal);
  interpreter.registerOp(tenon::RandomSeedOp::getOperationName(), evaluateRandomSeed);
  interpreter.registerOp(tenon::SequenceConstructOp::getOperationName(), evaluateConstruct);
  interpreter.registerOp(tenon::SequenceInsertOp::getOperationName(), evaluateInsert);
  interpreter.registerOp(tenon::SequenceEraseOp::getOperationName(), evaluateErase);
  interpreter.registerOp(tenon::SequenceAtOp::getOperationName(), evaluateAt);
  interpreter.registerOp(tenon::SequenceLengthOp::getOperationName(), evaluateLength);
  interpreter.registerOp(tenon::SequenceConcatOp::getOperationName(), evaluateConcat);
  interpreter.registerOp(tenon::SequenceSplitOp::getOperationName(), evaluateSplit);
  interpreter.registerOp(tenon::OptionalMakeOp::getOperationName(), evaluateOptional);
  interpreter.registerOp(tenon::OptionalHasOp::getOperationName(), evaluateHas);
  interpreter.registerOp(tenon::OptionalGetOp::getOperationName(), evaluateGet);
}
