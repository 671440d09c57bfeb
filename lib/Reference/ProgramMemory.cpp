//===- ProgramMemory.cpp - Memory of tile programs in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Order.h"
#include "ProgramInterpreter.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon::reference;
using namespace tenon::tile;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

llvm::Expected<const char *> ProgramInterpreter::read(Call &call, const Buffer &buffer, int64_t place) {
  Memory &memory = *buffer.memory;
  int64_t byte = place * buffer.bytesPerElement();
  if (byte < 0 || byte + buffer.bytesPerElement() > (int64_t)memory.bytes.size())
    return call.fail("reads outside of " + memory.name);
  Mark &mark = memory.marks[byte / memory.elementBytes];
  const Writer &writer = writers[mark.writer];
  if (mark.unit == 0 || (memory.kind == Memory::Kind::Workgroup && mark.unit != unit))
    return call.fail("reads " + memory.name + " where " +
                     (memory.kind == Memory::Kind::Operand ? "it has no elements" : "nothing was written"));
  if (mark.unit >= firstUnitOfGrid && mark.unit != unit)
    return call.fail("reads " + memory.name + " where another unit of the grid writes");
  if (mark.unit == unit && writer.isCopy && (!writer.hasArrived || writer.wasReleased))
    return call.fail("reads " + memory.name +
                     (writer.hasArrived ? " after the slot was released" : " before what is copied there was taken"));
  if (mark.unit == unit && hasThreads && !writer.isCopy && (writer.stage == stage || writer.role != role))
    return call.fail("reads " + memory.name + " in the stage that wrote it");
  mark.readIn = stage;
  return memory.bytes.data() + byte;
}

llvm::Error ProgramInterpreter::write(Call &call, const Buffer &buffer, int64_t place, const char *bytes,
                                      uint32_t writer) {
  Memory &memory = *buffer.memory;
  int64_t size = buffer.bytesPerElement(), byte = place * size;
  if (byte < 0 || byte + size > (int64_t)memory.bytes.size())
    return call.fail("writes outside of " + memory.name);
  if (memory.kind == Memory::Kind::Operand)
    return call.fail("writes " + memory.name);
  Mark &mark = memory.marks[byte / memory.elementBytes];
  bool isOthers = memory.kind != Memory::Kind::Workgroup && mark.unit >= firstUnitOfGrid && mark.unit != unit;
  if (isOthers && bytes && std::memcmp(memory.bytes.data() + byte, bytes, size) != 0)
    return call.fail("writes other bits to " + memory.name + " than another unit of the grid");
  if (hasThreads && mark.readIn == stage && !writers[writer].isCopy)
    return call.fail("writes " + memory.name + " in the stage that read it");
  mark.unit = unit;
  mark.writer = writer;
  if (bytes)
    std::memcpy(memory.bytes.data() + byte, bytes, size);
  return llvm::Error::success();
}

llvm::Expected<Tensor> ProgramInterpreter::unspecified(RankedTensorType type) {
  llvm::Expected<Tensor> tensor = Tensor::create(type.getElementType(), type.getShape());
  if (tensor)
    std::memset(tensor->getData(), type.getElementType().isInteger(1) ? choices.filler & 1 : choices.filler,
                tensor->getNumBytes());
  return tensor;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

static llvm::Error evaluateBind(Call &call) { return llvm::Error::success(); } // done before the program runs

static llvm::Error evaluateScratch(Call &call) {
  auto op = cast<ScratchOp>(call.op);
  auto type = cast<MemRefType>(op.getResult().getType());
  SmallVector<int64_t> sizes(type.getShape()), dynamic;
  unsigned first = 0;
  if (op.getSizes()) {
    llvm::Expected<SmallVector<int64_t>> values = evaluateMap(call, *op.getSizes(), first);
    if (!values)
      return values.takeError();
    dynamic = *values;
  }
  for (int64_t &size : sizes)
    if (ShapedType::isDynamic(size)) {
      size = dynamic.front();
      dynamic.erase(dynamic.begin());
    }
  int64_t count = 1;
  for (int64_t size : sizes)
    if (size < 0 || __builtin_mul_overflow(count, size, &count) || count > kMostElements)
      return call.fail("has sizes " + describeShape(sizes));
  bool isLaunch = cast<MemoryAttr>(type.getMemorySpace()).getKind() == MemoryKind::launch;
  llvm::Expected<std::shared_ptr<Buffer>> buffer =
      allocate(isLaunch ? Memory::Kind::Launch : Memory::Kind::Workgroup, "scratch of " + describe(op.getLoc()),
               type.getElementType(), sizes, rowMajorStrides(sizes));
  if (!buffer)
    return buffer.takeError();
  call.results.push_back(std::shared_ptr<Object>(*buffer));
  return llvm::Error::success();
}

static llvm::Error evaluateView(Call &call) {
  auto op = cast<ViewOp>(call.op);
  const Buffer &source = *bufferOf(call.operands[0]);
  unsigned first = 1;
  llvm::Expected<SmallVector<int64_t>> sizes = evaluateMap(call, op.getSizes(), first);
  if (!sizes)
    return sizes.takeError();
  auto view = std::make_shared<Buffer>(source);
  view->elementType = cast<MemRefType>(op.getResult().getType()).getElementType();
  view->sizes = *sizes;
  int64_t ratio = source.bytesPerElement() / view->bytesPerElement();
  // Where an element of the view is, and how far the next one is along each dimension.
  bool isCountable = true;
  auto placeOf = [&](ArrayRef<int64_t> dims) {
    int64_t place = source.offset * ratio, step;
    for (auto [d, expression] : llvm::enumerate(op.getMap().getResults())) {
      std::optional<int64_t> value = valueOf(expression, dims, {});
      int64_t stride = source.strides[d] * (d + 1 == source.strides.size() ? 1 : ratio);
      isCountable &= value && !llvm::MulOverflow(*value, stride, step) && !llvm::AddOverflow(place, step, place);
    }
    return place;
  };
  SmallVector<int64_t> dims(sizes->size(), 0);
  view->offset = placeOf(dims);
  view->strides.clear();
  int64_t least = view->offset, greatest = view->offset;
  for (auto [d, size] : llvm::enumerate(*sizes)) {
    if (size < 0)
      return call.fail("has sizes " + describeShape(*sizes));
    dims[d] = 1;
    view->strides.push_back(placeOf(dims) - view->offset);
    dims[d] = 0;
    int64_t &end = view->strides.back() < 0 ? least : greatest, between;
    isCountable &= !llvm::MulOverflow(view->strides.back(), std::max<int64_t>(size - 1, 0), between) &&
                   !llvm::AddOverflow(end, between, end);
  }
  int64_t elements = source.memory->bytes.size() / view->bytesPerElement();
  if (!llvm::is_contained(*sizes, 0) && (!isCountable || least < 0 || greatest >= elements))
    return call.fail("runs out of " + source.memory->name + ", which has " + llvm::Twine(elements) +
                     " elements, from " + llvm::Twine(least) + " to " + llvm::Twine(greatest));
  call.results.push_back(std::shared_ptr<Object>(std::move(view)));
  return llvm::Error::success();
}

/// The places of a load or store, whose operands are the memory, at `first`, and those behind it.
template <typename Op>
static llvm::Expected<Access> accessOf(Call &call, Op op, unsigned first, const Buffer &buffer, bool mayBeEmpty) {
  auto tile = cast<RankedTensorType>(op.getTile().getType());
  Access access;
  access.buffer = &buffer;
  access.dims = op.getTileDims();
  access.steps = op.getTileSteps();
  access.tile.assign(tile.getShape().begin(), tile.getShape().end());
  llvm::Expected<SmallVector<int64_t>> coordinates = evaluateMap(call, op.getCoordinates(), ++first);
  if (!coordinates)
    return coordinates.takeError();
  access.coordinates = *coordinates;
  for (int64_t dim : op.getGathered().value_or(ArrayRef<int64_t>())) {
    access.gathered.push_back({dim, loadAll<int64_t>(call.tensor(first++))});
    if (access.gatheredAlong < 0)
      access.gatheredAlong = llvm::find(access.dims, dim) - access.dims.begin();
  }
  llvm::Expected<SmallVector<int64_t>> extents = evaluateExtents(call, op.getExtents(), first, access.tile, mayBeEmpty);
  if (!extents)
    return extents.takeError();
  access.extents = *extents;
  return access;
}

static llvm::Error evaluateLoad(Call &call) {
  auto op = cast<LoadOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  const Buffer &buffer = *bufferOf(call.operands[0]);
  llvm::Expected<Access> access = accessOf(call, op, 0, buffer, op.getFill().has_value());
  if (!access)
    return access.takeError();
  llvm::Expected<Tensor> tile = state.unspecified(cast<RankedTensorType>(op.getTile().getType()));
  if (!tile)
    return push(call, std::move(tile));
  Tensor fill;
  if (op.getFill()) {
    llvm::Expected<Tensor> value = Tensor::fromAttribute(
        DenseElementsAttr::get(RankedTensorType::get({}, tile->getElementType()), Attribute(*op.getFill())));
    if (!value)
      return push(call, std::move(value));
    fill = *value;
  }
  Format format(tile->getElementType());
  int64_t next = 0;
  llvm::Error failure = llvm::Error::success();
  access->forEach([&](bool isWithin, std::optional<int64_t> place) {
    int64_t n = next++;
    if (failure)
      return;
    if (isWithin && place) {
      llvm::Expected<const char *> from = state.read(call, buffer, *place);
      if (from)
        copyElement(format, *from, 0, tile->getData(), n);
      else
        failure = from.takeError();
    } else if (op.getFill()) {
      copyElement(format, fill.getData(), 0, tile->getData(), n);
    } else if (isWithin) {
      failure = call.fail("reads outside of memory of sizes " + describeShape(buffer.sizes) + ", a tile " +
                          describeShape(access->tile) + " at " + describeShape(access->coordinates));
    }
  });
  if (failure)
    return failure;
  return push(call, std::move(tile));
}

static llvm::Error evaluateStore(Call &call) {
  auto op = cast<StoreOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  const Buffer &buffer = *bufferOf(call.operands[1]);
  llvm::Expected<Access> access = accessOf(call, op, 1, buffer, /*mayBeEmpty=*/false);
  if (!access)
    return access.takeError();
  const char *from = call.tensor(0).getData();
  Format format(call.tensor(0).getElementType());
  int64_t next = 0;
  llvm::Error failure = llvm::Error::success();
  uint32_t writer = state.storeWriter();
  access->forEach([&](bool isWithin, std::optional<int64_t> place) {
    int64_t n = next++;
    if (failure || !isWithin)
      return;
    char element[sizeof(uint64_t)] = {};
    copyElement(format, from, n, element, 0);
    if (place)
      failure = state.write(call, buffer, *place, element, writer);
    else
      failure = call.fail("writes outside of memory of sizes " + describeShape(buffer.sizes) + ", a tile " +
                          describeShape(access->tile) + " at " + describeShape(access->coordinates));
  });
  return failure;
}

static llvm::Error evaluateTopKRow(Call &call) {
  auto op = cast<TopKRowOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  const Buffer &source = *bufferOf(call.operands[0]);
  unsigned first = 1;
  llvm::Expected<SmallVector<int64_t>> row = evaluateMap(call, op.getCoordinates(), first);
  if (!row)
    return row.takeError();
  auto next = [&](mlir::Value operand) { return operand ? bufferOf(call.operands[first++]).get() : nullptr; };
  const Buffer *values = next(op.getValues()), *positions = next(op.getPositions()), *scratch = next(op.getScratch());
  int64_t dim = op.getDim(), size = source.sizes[dim], k = (values ? values : positions)->sizes[dim];
  for (const Buffer *buffer : {&source, values, positions})
    for (auto [d, place] : llvm::enumerate(*row))
      if (buffer && (int64_t)d != dim && (place < 0 || place >= buffer->sizes[d]))
        return call.fail("names a row at " + describeShape(*row) + " of memory of sizes " +
                         describeShape(buffer->sizes));
  if (k > size)
    return call.fail("expects up to " + llvm::Twine(size) + " results, as many as there are elements, but has " +
                     llvm::Twine(k));
  int64_t candidate = TopKRowOp::getCandidateBytes(source.elementType);
  if (scratch && scratch->sizes[0] / candidate - TopKRowOp::chunk < k)
    return call.fail("has too little scratch for " + llvm::Twine(k) + " results");
  auto placeIn = [&](const Buffer &buffer, int64_t position) {
    int64_t place = buffer.offset + position * buffer.strides[dim];
    for (auto [coordinate, stride] : llvm::zip(*row, buffer.strides))
      place += coordinate * stride;
    return place;
  };
  llvm::Expected<Tensor> line = Tensor::create(source.elementType, {size});
  if (!line)
    return line.takeError();
  int64_t bytes = source.bytesPerElement();
  for (int64_t i = 0; i < size; ++i) {
    llvm::Expected<const char *> element = state.read(call, source, placeIn(source, i));
    if (!element)
      return element.takeError();
    std::memcpy(line->getData() + i * bytes, *element, bytes);
  }
  std::vector<int64_t> order(size);
  Format format(source.elementType);
  if (!format.valid)
    return call.fail("is not defined on elements of this type");
  withCompute(format, [&](auto zero) {
    orderLine(loadAll<decltype(zero)>(*line).data(), 1, op.getSmallest(), order);
    return 0;
  });
  uint32_t writer = state.storeWriter();
  for (int64_t i = 0; i < k; ++i) {
    if (values)
      if (llvm::Error error =
              state.write(call, *values, placeIn(*values, i), line->getData() + order[i] * bytes, writer))
        return error;
    if (positions)
      if (llvm::Error error =
              state.write(call, *positions, placeIn(*positions, i), reinterpret_cast<const char *>(&order[i]), writer))
        return error;
  }
  return llvm::Error::success();
}

/// It has no effect, wherever it points.
static llvm::Error evaluatePrefetch(Call &call) { return llvm::Error::success(); }

void tenon::reference::registerProgramMemory(ProgramInterpreter &interpreter) {
  interpreter.registerOp(BindOp::getOperationName(), evaluateBind);
  interpreter.registerOp(ScratchOp::getOperationName(), evaluateScratch);
  interpreter.registerOp(ViewOp::getOperationName(), evaluateView);
  interpreter.registerOp(LoadOp::getOperationName(), evaluateLoad);
  interpreter.registerOp(StoreOp::getOperationName(), evaluateStore);
  interpreter.registerOp(TopKRowOp::getOperationName(), evaluateTopKRow);
  interpreter.registerOp(PrefetchOp::getOperationName(), evaluatePrefetch);
}
