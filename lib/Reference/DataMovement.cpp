//===- DataMovement.cpp - Ops that move elements in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RawElements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace tenon::reference;

/// The result of reading an operand by offset tables.
static llvm::Error move(Call &call, const Tensor &source, const OffsetTables &offsets, const Tensor *fill = nullptr) {
  SmallVector<int64_t> shape;
  for (const std::vector<int64_t> &table : offsets)
    shape.push_back(table.size());
  llvm::Expected<RawResult> result = RawResult::create(source.getElementType(), shape);
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  RawElements elements(source);
  std::optional<RawElements> outsideElement;
  if (fill)
    outsideElement.emplace(*fill);
  copyByTables(elements.data, result->data(), offsets, elements.bytes, fill ? outsideElement->data : nullptr);
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

/// Fails if a size is negative or the sizes have too many elements, before tables of them are made.
static llvm::Error checkSizes(Call &call, ArrayRef<int64_t> sizes) {
  int64_t count = 1;
  for (int64_t size : sizes) {
    if (size < 0)
      return call.fail("has a negative size in " + describeShape(sizes));
    if (size > (int64_t(1) << 40) || __builtin_mul_overflow(count, std::max<int64_t>(size, 1), &count) ||
        count > (int64_t(1) << 40))
      return call.fail("has too many elements with sizes " + describeShape(sizes));
  }
  // A table of places and the result.
  if (!isAvailable(count * 16))
    return call.fail("has no memory for sizes " + describeShape(sizes));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static llvm::Error evaluateConstant(Call &call) {
  return push(call, Tensor::fromAttribute(cast<tenon::ConstantOp>(call.op).getValue()));
}

static llvm::Error evaluateReshape(Call &call) {
  auto op = cast<tenon::ReshapeOp>(call.op);
  SmallVector<int64_t> sizes = mixedValues(call, op.getStaticSizes(), 1);
  if (llvm::Error error = checkSizes(call, sizes))
    return error;
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  if (count != call.tensor(0).getNumElements())
    return call.fail("can't give the " + llvm::Twine(call.tensor(0).getNumElements()) + " elements of " +
                     call.tensor(0).describe() + " the sizes " + describeShape(sizes));
  call.results.push_back(call.tensor(0).reshaped(sizes));
  return llvm::Error::success();
}

static llvm::Error evaluateBroadcast(Call &call) {
  auto op = cast<tenon::BroadcastOp>(call.op);
  const Tensor &operand = call.tensor(0);
  SmallVector<int64_t> sizes = mixedValues(call, op.getStaticSizes(), 1);
  if (llvm::Error error = checkSizes(call, sizes))
    return error;
  SmallVector<int64_t> strides(sizes.size(), 0), operandStrides = rowMajorStrides(operand.getShape());
  for (auto [i, dim] : llvm::enumerate(op.getDims())) {
    int64_t size = operand.getDimSize(i);
    if (size != 1 && size != sizes[dim])
      return call.fail("can't repeat dimension " + llvm::Twine(i) + " of " + operand.describe() + " to size " +
                       llvm::Twine(sizes[dim]));
    strides[dim] = size == 1 ? 0 : operandStrides[i];
  }
  return move(call, operand, stridedTables(sizes, strides));
}

static llvm::Error transpose(Call &call, const Tensor &operand, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> sizes, strides, operandStrides = rowMajorStrides(operand.getShape());
  for (int64_t dim : permutation) {
    sizes.push_back(operand.getDimSize(dim));
    strides.push_back(operandStrides[dim]);
  }
  return move(call, operand, stridedTables(sizes, strides));
}

static llvm::Error evaluateTranspose(Call &call) {
  return transpose(call, call.tensor(0), cast<tenon::TransposeOp>(call.op).getPermutation());
}

llvm::Error tenon::reference::evaluatePermuted(Call &call, ArrayRef<SmallVector<int64_t>> operandPermutations,
                                               ArrayRef<int64_t> resultPermutation, Evaluate evaluate) {
  SmallVector<tenon::reference::Value> operands, results;
  Call movement{call.op, call.operands, operands, call.interpreter};
  for (auto [i, permutation] : llvm::enumerate(operandPermutations))
    if (llvm::Error error = transpose(movement, call.tensor(i), permutation))
      return error;
  Call inner{call.op, operands, results, call.interpreter};
  if (llvm::Error error = evaluate(inner))
    return error;
  return transpose(call, std::get<Tensor>(results.front()), invertPermutationVector(resultPermutation));
}

SmallVector<int64_t> tenon::reference::channelsLastToFirst(int64_t rank) {
  SmallVector<int64_t> permutation = {0, rank - 1};
  llvm::append_range(permutation, llvm::seq<int64_t>(1, rank - 1));
  return permutation;
}

static llvm::Error evaluateSlice(Call &call) {
  auto op = cast<tenon::SliceOp>(call.op);
  const Tensor &operand = call.tensor(0);
  SmallVector<int64_t> offsets = mixedValues(call, op.getStaticOffsets(), 1);
  SmallVector<int64_t> sizes = mixedValues(call, op.getStaticSizes(), 1 + op.getOffsets().size());
  SmallVector<int64_t> steps =
      mixedValues(call, op.getStaticStrides(), 1 + op.getOffsets().size() + op.getSizes().size());
  if (llvm::Error error = checkSizes(call, sizes))
    return error;
  SmallVector<int64_t> strides = rowMajorStrides(operand.getShape());
  bool empty = llvm::is_contained(sizes, 0);
  OffsetTables tables;
  for (int64_t d = 0; d < operand.getRank(); ++d) {
    int64_t span, last, size = operand.getDimSize(d);
    if (!empty &&
        (__builtin_mul_overflow(sizes[d] - 1, steps[d], &span) || __builtin_add_overflow(offsets[d], span, &last) ||
         offsets[d] < 0 || offsets[d] >= size || last < 0 || last >= size))
      return call.fail("reads from place " + llvm::Twine(offsets[d]) + " on, " + llvm::Twine(sizes[d]) +
                       " in steps of " + llvm::Twine(steps[d]) + ", of dimension " + llvm::Twine(d) +
                       ", which has size " + llvm::Twine(size));
    tables.emplace_back(sizes[d]);
    for (int64_t i = 0; !empty && i < sizes[d]; ++i)
      tables.back()[i] = (offsets[d] + i * steps[d]) * strides[d];
  }
  return move(call, operand, tables);
}

/// The place of the operand that stands at a place before or after it, or `outside`.
static int64_t padSource(tenon::PadMode mode, int64_t at, int64_t size) {
  if (at >= 0 && at < size)
    return at;
  switch (mode) {
  case tenon::PadMode::constant:
    return outside;
  case tenon::PadMode::edge:
    return at < 0 ? 0 : size - 1;
  case tenon::PadMode::wrap:
    return ((at % size) + size) % size;
  case tenon::PadMode::reflect:
    break;
  }
  if (size == 1)
    return 0;
  int64_t period = 2 * (size - 1), place = ((at % period) + period) % period;
  return place < size ? place : period - place;
}

static llvm::Error evaluatePad(Call &call) {
  auto op = cast<tenon::PadOp>(call.op);
  const Tensor &operand = call.tensor(0);
  SmallVector<int64_t> low = mixedValues(call, op.getStaticLow(), 2);
  SmallVector<int64_t> high = mixedValues(call, op.getStaticHigh(), 2 + op.getLow().size());
  SmallVector<int64_t> sizes;
  for (auto [size, before, after] : llvm::zip(operand.getShape(), low, high)) {
    int64_t sum;
    if (__builtin_add_overflow(size, before, &sum) || __builtin_add_overflow(sum, after, &sum))
      return call.fail("has too large amounts");
    sizes.push_back(sum);
  }
  if (llvm::Error error = checkSizes(call, sizes))
    return error;
  SmallVector<int64_t> strides = rowMajorStrides(operand.getShape());
  OffsetTables tables;
  for (int64_t d = 0; d < operand.getRank(); ++d) {
    if (operand.getDimSize(d) == 0 && sizes[d] > 0 && op.getMode() != tenon::PadMode::constant)
      return call.fail("has no elements to repeat in dimension " + llvm::Twine(d));
    tables.emplace_back(sizes[d]);
    for (int64_t i = 0; i < sizes[d]; ++i) {
      int64_t source = padSource(op.getMode(), i - low[d], operand.getDimSize(d));
      tables.back()[i] = source == outside ? outside : source * strides[d];
    }
  }
  return move(call, operand, tables, &call.tensor(1));
}

static llvm::Error evaluateUnfold(Call &call) {
  auto op = cast<tenon::UnfoldOp>(call.op);
  const Tensor &operand = call.tensor(0);
  int64_t spatial = op.getSizes().size(), planes = operand.getDimSize(0) * operand.getDimSize(1);
  int64_t taps = 1, places = 1, inputPlaces = 1;
  SmallVector<int64_t> shape(operand.getShape().take_front(2)), outputSizes, inputStrides(spatial);
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t extent = operand.getDimSize(i + 2) + op.getPads()[i] + op.getPads()[i + spatial] -
                     op.getDilations()[i] * (op.getSizes()[i] - 1) - 1;
    outputSizes.push_back(llvm::divideFloorSigned(extent, op.getStrides()[i]) + 1);
    if (outputSizes.back() < 0)
      return call.fail("has a window that is larger than the padded operand in dimension " + llvm::Twine(i + 2));
    taps *= op.getSizes()[i];
    places *= outputSizes.back();
  }
  for (int64_t i = spatial - 1; i >= 0; --i) {
    inputStrides[i] = inputPlaces;
    inputPlaces *= operand.getDimSize(i + 2);
  }
  shape.append(op.getSizes().begin(), op.getSizes().end());
  shape.append(outputSizes);
  if (operand.holdsStrings())
    return call.fail("is not defined on strings");
  llvm::Expected<RawResult> result = RawResult::create(operand.getElementType(), shape);
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  RawElements elements(operand);
  const char zero[8] = {};
  for (int64_t tap = 0; tap < taps; ++tap) {
    OffsetTables tables(spatial);
    for (int64_t i = spatial - 1, rest = tap; i >= 0; rest /= op.getSizes()[i], --i)
      for (int64_t o = 0; o < outputSizes[i]; ++o) {
        int64_t at = o * op.getStrides()[i] + rest % op.getSizes()[i] * op.getDilations()[i] - op.getPads()[i];
        tables[i].push_back(at >= 0 && at < operand.getDimSize(i + 2) ? at * inputStrides[i] : outside);
      }
    for (int64_t plane = 0; places > 0 && plane < planes; ++plane)
      copyByTables(elements.data + plane * inputPlaces * elements.bytes,
                   result->data() + (plane * taps + tap) * places * elements.bytes, tables, elements.bytes, zero);
  }
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

static llvm::Error evaluateConcat(Call &call) {
  int64_t dim = cast<tenon::ConcatOp>(call.op).getDim(), total = 0;
  if (call.operands.empty())
    return call.fail("expects an operand");
  SmallVector<int64_t> shape(call.tensor(0).getShape());
  for (unsigned i = 0; i < call.operands.size(); ++i) {
    const Tensor &operand = call.tensor(i);
    for (int64_t d = 0; d < operand.getRank(); ++d)
      if (d != dim && operand.getDimSize(d) != shape[d])
        return call.fail("expects size " + llvm::Twine(shape[d]) + " of dimension " + llvm::Twine(d) +
                         " in every operand, but operand " + llvm::Twine(i) + " has " +
                         llvm::Twine(operand.getDimSize(d)));
    total += operand.getDimSize(dim);
  }
  shape[dim] = total;
  llvm::Expected<RawResult> result = RawResult::create(call.resultElementType(), shape);
  if (!result)
    return call.fail(llvm::toString(result.takeError()));
  int64_t outer = 1, inner = 1, start = 0;
  for (auto [d, size] : llvm::enumerate(shape))
    if ((int64_t)d != dim)
      ((int64_t)d < dim ? outer : inner) *= size;
  for (unsigned i = 0; i < call.operands.size(); ++i) {
    RawElements elements(call.tensor(i));
    int64_t length = call.tensor(i).getDimSize(dim) * inner;
    if (length > 0)
      for (int64_t o = 0; o < outer; ++o)
        copyByTables(elements.data + o * length * elements.bytes,
                     result->data() + (o * total * inner + start) * elements.bytes, stridedTables({length}, {1}),
                     elements.bytes, nullptr);
    start += length;
  }
  call.results.push_back(result->finish());
  return llvm::Error::success();
}

static llvm::Error evaluateIota(Call &call) {
  auto op = cast<tenon::IotaOp>(call.op);
  SmallVector<int64_t> sizes = mixedValues(call, op.getStaticSizes(), 0);
  if (llvm::Error error = checkSizes(call, sizes))
    return error;
  if (!Format(call.resultElementType()).valid)
    return call.fail("is not defined on elements of this type");
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  std::vector<int64_t> positions(count);
  int64_t stride = 1;
  for (int64_t size : ArrayRef(sizes).drop_front(op.getDim() + 1))
    stride *= size;
  for (int64_t i = 0; i < count; ++i)
    positions[i] = i / stride % sizes[op.getDim()];
  return push(call, storeAll(call.resultElementType(), sizes, positions));
}

void tenon::reference::registerDataMovement(Interpreter &interpreter) {
  interpreter.registerOp(tenon::ConstantOp::getOperationName(), evaluateConstant);
  interpreter.registerOp(tenon::ReshapeOp::getOperationName(), evaluateReshape);
  interpreter.registerOp(tenon::BroadcastOp::getOperationName(), evaluateBroadcast);
  interpreter.registerOp(tenon::TransposeOp::getOperationName(), evaluateTranspose);
  interpreter.registerOp(tenon::SliceOp::getOperationName(), evaluateSlice);
  interpreter.registerOp(tenon::PadOp::getOperationName(), evaluatePad);
  interpreter.registerOp(tenon::UnfoldOp::getOperationName(), evaluateUnfold);
  interpreter.registerOp(tenon::ConcatOp::getOperationName(), evaluateConcat);
  interpreter.registerOp(tenon::IotaOp::getOperationName(), evaluateIota);
}
