//===- ProgramCompute.cpp - Tiles of what the graph computes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A box of a tensor is asked for: ops that work at the same place (elementwise, broadcast, transpose) ask their
// operands for the boxes that it needs, all others compute whole tensors, which must not depend on tiles.
//
//===----------------------------------------------------------------------===//

#include "ProgramInterpreter.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon::reference;
using namespace tenon::tile;
using RuntimeValue = tenon::reference::Value;

namespace {
struct Box {
  SmallVector<int64_t> offsets, sizes;
  bool operator==(const Box &other) const { return offsets == other.offsets && sizes == other.sizes; }
};
} // namespace

namespace tenon::reference {
class Asked {
public:
  Asked(Call &call, ComputeOp op) : call(call), op(op), state(interpreterOf(call)) {
    firstInput = op.getIndices().size() + op.getExtentIndices().size();
  }

  llvm::Expected<Tensor> ask(mlir::Value value, const Box &box);

private:
  llvm::Expected<RuntimeValue> whole(mlir::Value value);
  llvm::Expected<Tensor> askTile(unsigned input, const Box &box);
  llvm::Expected<Tensor> askMemory(const Buffer &buffer, const Box &box);
  llvm::Expected<Tensor> askElementwise(Operation *op, const Box &box);
  llvm::Expected<Tensor> askBroadcast(tenon::BroadcastOp op, const Box &box);
  llvm::Expected<Tensor> askTranspose(tenon::TransposeOp op, const Box &box);

  /// The elements of a tensor from `first` on, by strides, as a tensor of `sizes`.
  llvm::Expected<Tensor> walk(const Tensor &source, int64_t first, ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
    llvm::Expected<Tensor> result = Tensor::create(source.getElementType(), sizes);
    if (!result)
      return result;
    Format format(source.getElementType());
    if (format.isPacked()) {
      SmallVector<int64_t> at(sizes.size(), 0);
      for (int64_t n = 0, count = result->getNumElements(); n < count; ++n) {
        int64_t place = first;
        for (auto [i, stride] : llvm::zip(at, strides))
          place += i * stride;
        copyElement(format, source.getData(), place, result->getData(), n);
        for (int64_t d = (int64_t)at.size() - 1; d >= 0 && ++at[d] == sizes[d]; --d)
          at[d] = 0;
      }
      return result;
    }
    int64_t bytes = format.bytesFor(1);
    copyByTables(source.getData() + first * bytes, result->getData(), stridedTables(sizes, strides), bytes, nullptr);
    return result;
  }
  llvm::Expected<Tensor> slice(const Tensor &source, const Box &box) {
    SmallVector<int64_t> strides = rowMajorStrides(source.getShape());
    int64_t first = 0;
    for (auto [d, offset] : llvm::enumerate(box.offsets)) {
      if (offset < 0 || offset + box.sizes[d] > source.getDimSize(d))
        return call.fail("asks for " + describeShape(box.sizes) + " at " + describeShape(box.offsets) + " of " +
                         source.describe());
      first += offset * strides[d];
    }
    return walk(source, first, box.sizes, strides);
  }

  Call &call;
  ComputeOp op;
  ProgramInterpreter &state;
  unsigned firstInput;
  DenseMap<mlir::Value, std::pair<Box, Tensor>> known;
  DenseMap<mlir::Value, RuntimeValue> knownWhole;
};
} // namespace tenon::reference

llvm::Expected<Tensor> Asked::ask(mlir::Value value, const Box &box) {
  if (auto found = known.find(value); found != known.end() && found->second.first == box)
    return found->second.second;
  llvm::Expected<Tensor> result = [&]() -> llvm::Expected<Tensor> {
    if (const RuntimeValue *outside = state.find(value))
      return slice(std::get<Tensor>(*outside), box);
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      unsigned input = argument.getArgNumber();
      if (isa<MemRefType>(op.getInputs()[input].getType()))
        return askMemory(*bufferOf(call.operands[firstInput + input]), box);
      return askTile(input, box);
    }
    Operation *defining = value.getDefiningOp();
    if (defining->hasTrait<mlir::OpTrait::Elementwise>())
      return askElementwise(defining, box);
    if (auto broadcast = dyn_cast<tenon::BroadcastOp>(defining))
      return askBroadcast(broadcast, box);
    if (auto transpose = dyn_cast<tenon::TransposeOp>(defining))
      return askTranspose(transpose, box);
    llvm::Expected<RuntimeValue> all = whole(value);
    if (!all)
      return all.takeError();
    return slice(std::get<Tensor>(*all), box);
  }();
  if (result)
    known[value] = {box, *result};
  return result;
}

llvm::Expected<RuntimeValue> Asked::whole(mlir::Value value) {
  if (auto found = knownWhole.find(value); found != knownWhole.end())
    return found->second;
  if (const RuntimeValue *outside = state.find(value))
    return *outside;
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (!isa<MemRefType>(op.getInputs()[argument.getArgNumber()].getType()))
      return call.fail("asks for the whole of a tensor that is known at a tile");
    const Buffer &buffer = *bufferOf(call.operands[firstInput + argument.getArgNumber()]);
    llvm::Expected<Tensor> tensor = askMemory(buffer, {SmallVector<int64_t>(buffer.sizes.size(), 0), buffer.sizes});
    if (!tensor)
      return tensor.takeError();
    return knownWhole[value] = *tensor;
  }
  Operation *defining = value.getDefiningOp();
  std::vector<RuntimeValue> operands;
  for (mlir::Value operand : defining->getOperands()) {
    llvm::Expected<RuntimeValue> known = whole(operand);
    if (!known)
      return known.takeError();
    operands.push_back(std::move(*known));
  }
  llvm::Expected<std::vector<RuntimeValue>> results = state.evaluate(defining, operands);
  if (!results)
    return results.takeError();
  for (auto [result, tensor] : llvm::zip(defining->getResults(), *results))
    knownWhole[result] = tensor;
  return knownWhole[value];
}

llvm::Expected<Tensor> Asked::askTile(unsigned input, const Box &box) {
  ComputeOp::Place place = op.getPlace(input);
  SmallVector<RuntimeValue> operands;
  for (mlir::Value index : place.operands)
    operands.push_back(*state.find(index));
  SmallVector<RuntimeValue> none;
  Call indices{call.op, operands, none, state};
  unsigned first = 0;
  llvm::Expected<SmallVector<int64_t>> at = evaluateMap(indices, place.coordinates, first);
  if (!at)
    return at.takeError();
  const Tensor &tile = call.tensor(firstInput + input);
  Box within{SmallVector<int64_t>(tile.getRank(), 0), SmallVector<int64_t>(tile.getRank(), 1)};
  bool fits = true;
  for (auto [d, offset] : llvm::enumerate(box.offsets)) {
    auto *found = llvm::find(place.dims, (int64_t)d);
    int64_t size = found == place.dims.end() ? 1 : tile.getDimSize(found - place.dims.begin()),
            from = offset - (*at)[d];
    fits &= from >= 0 && from + box.sizes[d] <= size;
    if (found == place.dims.end())
      continue;
    within.offsets[found - place.dims.begin()] = from;
    within.sizes[found - place.dims.begin()] = box.sizes[d];
  }
  if (!fits)
    return call.fail("asks for " + describeShape(box.sizes) + " at " + describeShape(box.offsets) +
                     " of a tensor that is known at a tile " + describeShape(tile.getShape()) + " at " +
                     describeShape(*at));
  llvm::Expected<Tensor> part = slice(tile, within);
  if (!part)
    return part;
  // The box has the whole tensor's dimensions, in their order.
  SmallVector<int64_t> strides(box.sizes.size(), 0), partStrides = rowMajorStrides(part->getShape());
  for (auto [t, dim] : llvm::enumerate(place.dims))
    strides[dim] = partStrides[t];
  return walk(*part, 0, box.sizes, strides);
}

llvm::Expected<Tensor> Asked::askMemory(const Buffer &buffer, const Box &box) {
  llvm::Expected<Tensor> result = Tensor::create(buffer.elementType, box.sizes);
  if (!result)
    return result;
  // In memory the last dimension runs on.
  Buffer running = buffer;
  if (!box.sizes.empty() && ArrayRef(buffer.strides) == ArrayRef(rowMajorStrides(buffer.sizes))) {
    int64_t left = llvm::product_of(buffer.sizes);
    for (size_t d = 0; d + 1 < box.sizes.size(); ++d)
      left -= (box.offsets[d] + box.sizes[d] - 1) * buffer.strides[d];
    running.sizes.back() = std::max(running.sizes.back(), left);
  }
  Access access{&running,
                box.offsets,
                llvm::to_vector(llvm::seq<int64_t>(0, box.sizes.size())),
                SmallVector<int64_t>(box.sizes.size(), 1),
                box.sizes,
                box.sizes,
                {}};
  Format format(buffer.elementType);
  int64_t n = 0;
  llvm::Error failure = llvm::Error::success();
  access.forEach([&](bool, std::optional<int64_t> place) {
    if (failure)
      return;
    if (!place) {
      failure = call.fail("asks for " + describeShape(box.sizes) + " at " + describeShape(box.offsets) +
                          " of memory of sizes " + describeShape(buffer.sizes));
      return;
    }
    llvm::Expected<const char *> from = state.read(call, buffer, *place);
    if (from)
      copyElement(format, *from, 0, result->getData(), n++);
    else
      failure = from.takeError();
  });
  if (failure)
    return failure;
  return result;
}

llvm::Expected<Tensor> Asked::askElementwise(Operation *elementwise, const Box &box) {
  std::vector<RuntimeValue> operands;
  for (mlir::Value operand : elementwise->getOperands()) {
    llvm::Expected<Tensor> tensor = ask(operand, box);
    if (!tensor)
      return tensor;
    operands.push_back(std::move(*tensor));
  }
  llvm::Expected<std::vector<RuntimeValue>> results = state.evaluate(state.resized(elementwise, box.sizes), operands);
  if (!results)
    return results.takeError();
  return std::get<Tensor>(results->front());
}

llvm::Expected<Tensor> Asked::askBroadcast(tenon::BroadcastOp broadcast, const Box &box) {
  auto operand = cast<RankedTensorType>(broadcast.getOperand().getType());
  auto result = cast<RankedTensorType>(broadcast.getResult().getType());
  Box asked{SmallVector<int64_t>(operand.getRank(), 0), SmallVector<int64_t>(operand.getRank(), 1)};
  for (auto [i, dim] : llvm::enumerate(broadcast.getDims())) {
    if (operand.getDimSize(i) == 1 && result.getDimSize(dim) != 1)
      continue;
    asked.offsets[i] = box.offsets[dim];
    asked.sizes[i] = box.sizes[dim];
  }
  llvm::Expected<Tensor> tensor = ask(broadcast.getOperand(), asked);
  if (!tensor)
    return tensor;
  SmallVector<int64_t> strides(box.sizes.size(), 0), operandStrides = rowMajorStrides(asked.sizes);
  for (auto [i, dim] : llvm::enumerate(broadcast.getDims()))
    strides[dim] = asked.sizes[i] == 1 ? 0 : operandStrides[i];
  return walk(*tensor, 0, box.sizes, strides);
}

llvm::Expected<Tensor> Asked::askTranspose(tenon::TransposeOp transpose, const Box &box) {
  Box asked = box;
  for (auto [i, dim] : llvm::enumerate(transpose.getPermutation())) {
    asked.offsets[dim] = box.offsets[i];
    asked.sizes[dim] = box.sizes[i];
  }
  llvm::Expected<Tensor> tensor = ask(transpose.getOperand(), asked);
  if (!tensor)
    return tensor;
  SmallVector<int64_t> strides, operandStrides = rowMajorStrides(asked.sizes);
  for (int64_t dim : transpose.getPermutation())
    strides.push_back(operandStrides[dim]);
  return walk(*tensor, 0, box.sizes, strides);
}

Operation *ProgramInterpreter::resized(Operation *op, ArrayRef<int64_t> sizes) {
  Operation *&known = resizedOps[{op, sizes.vec()}];
  if (known)
    return known;
  Block &block = resizedModule->getBodyRegion().front();
  IRMapping mapping;
  auto withSizes = [&](mlir::Value value) {
    return RankedTensorType::get(sizes, getElementTypeOrSelf(value.getType()));
  };
  for (mlir::Value operand : op->getOperands())
    if (!mapping.contains(operand))
      mapping.map(operand, block.addArgument(withSizes(operand), op->getLoc()));
  known = OpBuilder::atBlockEnd(&block).clone(*op, mapping);
  for (mlir::Value result : known->getResults())
    result.setType(withSizes(result));
  return known;
}

llvm::Error ProgramInterpreter::compute(Call &call) {
  auto op = cast<ComputeOp>(call.op);
  unsigned first = 0;
  llvm::Expected<SmallVector<int64_t>> at = evaluateMap(call, op.getCoordinates(), first);
  if (!at)
    return at.takeError();
  ArrayRef<int64_t> tile = cast<RankedTensorType>(op.getResultTypes().front()).getShape();
  llvm::Expected<SmallVector<int64_t>> extents = evaluateExtents(call, op.getExtents(), first, tile, false);
  if (!extents)
    return extents.takeError();
  SmallVector<int64_t> dims = op.getTileDims();
  Box box{*at, SmallVector<int64_t>(at->size(), 1)};
  for (auto [dim, extent] : llvm::zip(dims, *extents))
    box.sizes[dim] = extent;
  Asked asked(call, op);
  for (auto [yielded, result] : llvm::zip(op.getBody().front().getTerminator()->getOperands(), op.getResults())) {
    llvm::Expected<Tensor> part = asked.ask(yielded, box),
                           whole = unspecified(cast<RankedTensorType>(result.getType()));
    if (!part || !whole)
      return part ? push(call, std::move(whole)) : part.takeError();
    // Elements within extents come from the box; its other dimensions have one place.
    SmallVector<int64_t> strides, boxStrides = rowMajorStrides(box.sizes), tileStrides = rowMajorStrides(tile);
    for (int64_t dim : dims)
      strides.push_back(boxStrides[dim]);
    Format format(part->getElementType());
    for (int64_t n = 0; n < whole->getNumElements(); ++n) {
      int64_t from = 0;
      bool isWithin = true;
      for (auto [d, extent] : llvm::enumerate(*extents)) {
        int64_t i = n / tileStrides[d] % tile[d];
        isWithin &= i < extent;
        from += i * strides[d];
      }
      if (isWithin)
        copyElement(format, part->getData(), from, whole->getData(), n);
    }
    call.results.push_back(std::move(*whole));
  }
  return llvm::Error::success();
}
