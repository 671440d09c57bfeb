//===- Programs.cpp - Tile programs in the reference interpreter ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramInterpreter.h"

#include "llvm/Support/MathExtras.h"

#include <random>

using namespace mlir;
using namespace tenon::reference;
using namespace tenon::tile;
using RuntimeValue = tenon::reference::Value;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

llvm::Expected<SmallVector<int64_t>> tenon::reference::evaluateMap(Call &call, AffineMap map, unsigned &first) {
  SmallVector<int64_t> operands, values;
  for (unsigned i = 0; i < map.getNumInputs(); ++i)
    operands.push_back(call.index(first++));
  for (AffineExpr expression : map.getResults()) {
    std::optional<int64_t> value = valueOf(expression, ArrayRef(operands).take_front(map.getNumDims()),
                                           ArrayRef(operands).drop_front(map.getNumDims()));
    if (!value)
      return call.fail("overflows or divides by a number that isn't positive, with operands " +
                       describeShape(operands));
    values.push_back(*value);
  }
  return values;
}

llvm::Expected<SmallVector<int64_t>> tenon::reference::evaluateExtents(Call &call, std::optional<AffineMap> map,
                                                                       unsigned &first, ArrayRef<int64_t> tile,
                                                                       bool mayBeEmpty) {
  if (!map)
    return SmallVector<int64_t>(tile);
  llvm::Expected<SmallVector<int64_t>> extents = evaluateMap(call, *map, first);
  if (!extents)
    return extents;
  for (auto [extent, size] : llvm::zip(*extents, tile))
    if (extent < (mayBeEmpty ? 0 : 1) || extent > size)
      return call.fail("has extents " + describeShape(*extents) + " of a tile " + describeShape(tile));
  return extents;
}

//===----------------------------------------------------------------------===//
// Units and loops
//===----------------------------------------------------------------------===//

namespace {
/// The tuples of block arguments of a grid or loop, row by row.
struct Places {
  std::vector<std::vector<RuntimeValue>> tuples;
};
} // namespace

/// What the bounds of a grid or loop give; `first` ends behind their operands.
template <typename Op> static llvm::Expected<Places> placesOf(Call &call, Op op, unsigned &first) {
  llvm::Expected<SmallVector<int64_t>> lower = evaluateMap(call, op.getLower(), first);
  if (!lower)
    return lower.takeError();
  llvm::Expected<SmallVector<int64_t>> upper = evaluateMap(call, op.getUpper(), first);
  if (!upper)
    return upper.takeError();
  Places places;
  places.tuples.emplace_back();
  for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
    std::vector<std::vector<RuntimeValue>> longer;
    int64_t step = op.getSteps()[dim];
    for (const std::vector<RuntimeValue> &tuple : places.tuples)
      for (int64_t i = (*lower)[dim], end = (*upper)[dim];
           i<end; i = uint64_t(end) - uint64_t(i)> uint64_t(step) ? i + step : end) {
        longer.push_back(tuple);
        longer.back().push_back(i);
        if (op.getExtents()[dim])
          longer.back().push_back(std::min(step, (*upper)[dim] - i));
        if (longer.size() > (1u << 22))
          return call.fail("has more units than the interpreter runs");
      }
    places.tuples = std::move(longer);
  }
  return places;
}

/// A unit that begins sees scratch that nobody wrote and rings that nobody filled.
static llvm::Error runUnit(Call &call, Block &body, ArrayRef<RuntimeValue> places) {
  ProgramInterpreter &state = interpreterOf(call);
  ++state.unit;
  state.beginStage();
  for (std::shared_ptr<Ring> &ring : state.rings)
    *ring = Ring(ring->slots);
  llvm::Expected<std::vector<RuntimeValue>> results = state.runBlock(body, places);
  if (!results)
    return results.takeError();
  for (std::shared_ptr<Ring> &ring : state.rings)
    for (auto [n, number] : llvm::enumerate(ring->numbers))
      if (number.hasCopies && !number.wasTaken)
        return call.fail("ends a unit whose ring's number " + llvm::Twine(n) + " was never taken");
  if (state.loose)
    return call.fail("ends a unit with copies outside of any stage");
  return llvm::Error::success();
}

static llvm::Error evaluateGrid(Call &call) {
  auto op = cast<GridOp>(call.op);
  ProgramInterpreter &state = interpreterOf(call);
  unsigned first = 0;
  llvm::Expected<Places> places = placesOf(call, op, first);
  if (!places)
    return places.takeError();
  if (state.choices.order == RunChoices::Order::Reversed)
    std::reverse(places->tuples.begin(), places->tuples.end());
  if (state.choices.order == RunChoices::Order::Shuffled)
    std::shuffle(places->tuples.begin(), places->tuples.end(), std::mt19937(1));
  state.firstUnitOfGrid = state.unit + 1;
  for (const std::vector<RuntimeValue> &tuple : places->tuples)
    if (llvm::Error error = runUnit(call, op.getBody().front(), tuple))
      return error;
  return llvm::Error::success();
}

static llvm::Error evaluateFor(Call &call) {
  auto op = cast<ForOp>(call.op);
  unsigned first = 0;
  llvm::Expected<Places> places = placesOf(call, op, first);
  if (!places)
    return places.takeError();
  std::vector<RuntimeValue> carried(call.operands.begin() + first, call.operands.end());
  for (std::vector<RuntimeValue> &tuple : places->tuples) {
    tuple.insert(tuple.end(), carried.begin(), carried.end());
    llvm::Expected<std::vector<RuntimeValue>> results = call.interpreter.runBlock(op.getBody().front(), tuple);
    if (!results)
      return results.takeError();
    carried = std::move(*results);
  }
  call.results.append(carried.begin(), carried.end());
  return llvm::Error::success();
}

/// Runs a region and takes what it yields.
static llvm::Error runRegion(Call &call, Region &region, ArrayRef<RuntimeValue> arguments) {
  if (region.empty())
    return llvm::Error::success();
  llvm::Expected<std::vector<RuntimeValue>> results = call.interpreter.runBlock(region.front(), arguments);
  if (!results)
    return results.takeError();
  call.results.append(results->begin(), results->end());
  return llvm::Error::success();
}

static llvm::Error evaluatePeel(Call &call) {
  int64_t step = cast<PeelOp>(call.op).getStep();
  return runRegion(call, call.op->getRegion(0), RuntimeValue(std::min(call.index(0), step)));
}

static llvm::Error evaluateStage(Call &call) {
  ProgramInterpreter &state = interpreterOf(call);
  state.beginStage();
  if (llvm::Error error = runRegion(call, call.op->getRegion(0), {}))
    return error;
  if (std::optional<Transfer> loose = std::exchange(state.loose, std::nullopt))
    if (llvm::Error error = state.finish(*loose))
      return error;
  state.beginStage();
  return llvm::Error::success();
}

static llvm::Error evaluateIf(Call &call) { return runRegion(call, call.op->getRegion(call.index(0) ? 0 : 1), {}); }

static llvm::Error evaluateScalarFor(Call &call) {
  std::vector<RuntimeValue> carried(call.operands.begin() + 3, call.operands.end());
  if (call.index(2) <= 0)
    return call.fail("expects a positive step, but has " + llvm::Twine(call.index(2)));
  for (int64_t i = call.index(0), end = call.index(1), step = call.index(2);
       i<end; i = uint64_t(end) - uint64_t(i)> uint64_t(step) ? i + step : end) {
    std::vector<RuntimeValue> arguments = {i};
    arguments.insert(arguments.end(), carried.begin(), carried.end());
    llvm::Expected<std::vector<RuntimeValue>> results =
        call.interpreter.runBlock(call.op->getRegion(0).front(), arguments);
    if (!results)
      return results.takeError();
    carried = std::move(*results);
  }
  call.results.append(carried.begin(), carried.end());
  return llvm::Error::success();
}

static llvm::Error evaluateProcessors(Call &call) {
  call.results.push_back(interpreterOf(call).choices.processors);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

static llvm::Error evaluatePosition(Call &call) {
  auto op = cast<PositionOp>(call.op);
  unsigned first = 0;
  llvm::Expected<SmallVector<int64_t>> index = evaluateMap(call, op.getIndex(), first);
  if (!index)
    return index.takeError();
  auto type = cast<RankedTensorType>(op.getResult().getType());
  if (type.getNumElements() > kMostElements)
    return call.fail("has a tile of sizes " + describeShape(type.getShape()));
  std::vector<int64_t> elements(type.getNumElements(), index->front());
  if (op.getDim()) {
    int64_t stride = rowMajorStrides(type.getShape())[*op.getDim()], size = type.getDimSize(*op.getDim());
    for (auto [n, element] : llvm::enumerate(elements))
      element += n / stride % size;
  }
  return push(call, storeAll(type.getElementType(), type.getShape(), elements));
}

static llvm::Error evaluateFill(Call &call) {
  auto op = cast<FillOp>(call.op);
  const Tensor &tile = call.tensor(0);
  unsigned first = 1;
  llvm::Expected<SmallVector<int64_t>> extents = evaluateExtents(call, op.getExtents(), first, tile.getShape(), true);
  if (!extents)
    return extents.takeError();
  llvm::Expected<Tensor> value = Tensor::fromAttribute(DenseElementsAttr::get(
                             RankedTensorType::get({}, tile.getElementType()), Attribute(op.getValue()))),
                         result = Tensor::create(tile.getElementType(), tile.getShape());
  if (!value || !result)
    return push(call, value ? std::move(result) : std::move(value));
  Format format(tile.getElementType());
  SmallVector<int64_t> strides = rowMajorStrides(tile.getShape());
  for (int64_t n = 0; n < tile.getNumElements(); ++n) {
    bool isWithin = true;
    for (auto [d, extent] : llvm::enumerate(*extents))
      isWithin &= n / strides[d] % tile.getDimSize(d) < extent;
    copyElement(format, isWithin ? tile.getData() : value->getData(), isWithin ? n : 0, result->getData(), n);
  }
  return push(call, std::move(result));
}

/// Sums of products in f64 or 64-bit integers, rounded to the type of the sums once.
template <typename Sum> static llvm::Error multiply(Call &call, MmaOp op) {
  auto elements = [&](const Tensor &tensor) {
    return withCompute(Format(tensor.getElementType()), [&](auto zero) {
      std::vector<decltype(zero)> values = loadAll<decltype(zero)>(tensor);
      return std::vector<Sum>(values.begin(), values.end());
    });
  };
  const Tensor &acc = call.tensor(2);
  std::vector<Sum> lhs = elements(call.tensor(0)), rhs = elements(call.tensor(1)), sums = elements(acc);
  int64_t depth = call.tensor(0).getShape().empty() ? 1 : call.tensor(0).getShape().back(), factor = op.getFactor();
  if (depth == 0 || sums.empty())
    return push(call, storeAll(acc.getElementType(), acc.getShape(), sums));
  int64_t rows = lhs.size() / depth, columns = rhs.size() / depth;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t c = 0; c < columns; ++c)
        sums[r * columns + c] += lhs[r * depth + k] * rhs[(k / factor * columns + c) * factor + k % factor];
  return push(call, storeAll(acc.getElementType(), acc.getShape(), sums));
}

static llvm::Error evaluateMma(Call &call) {
  auto op = cast<MmaOp>(call.op);
  bool isFloat = isa<FloatType>(call.resultElementType());
  return isFloat ? multiply<double>(call, op) : multiply<int64_t>(call, op);
}

static llvm::Error evaluateExtract(Call &call) {
  Format format(call.tensor(0).getElementType());
  if (!format.valid || format.isFloat() || call.tensor(0).getRank() != 0)
    return call.fail("is only known on integers of rank 0");
  int64_t value;
  format.load(call.tensor(0).getData(), 0, 1, &value);
  call.results.push_back(value);
  return llvm::Error::success();
}

static llvm::Error evaluateReport(Call &call) {
  return call.fail("reports error " + llvm::Twine(cast<ReportOp>(call.op).getCode()) + " of value " +
                   llvm::Twine(call.index(1)) + " and limit " + llvm::Twine(call.index(2)));
}

static llvm::Error evaluateCompute(Call &call) { return interpreterOf(call).compute(call); }

void tenon::reference::registerPrograms(ProgramInterpreter &interpreter) {
  interpreter.registerOp(GridOp::getOperationName(), evaluateGrid);
  interpreter.registerOp(ForOp::getOperationName(), evaluateFor);
  interpreter.registerOp(PeelOp::getOperationName(), evaluatePeel);
  interpreter.registerOp(StageOp::getOperationName(), evaluateStage);
  interpreter.registerOp("scf.if", evaluateIf);
  interpreter.registerOp("scf.for", evaluateScalarFor);
  interpreter.registerOp(ProcessorsOp::getOperationName(), evaluateProcessors);
  interpreter.registerOp(PositionOp::getOperationName(), evaluatePosition);
  interpreter.registerOp(FillOp::getOperationName(), evaluateFill);
  interpreter.registerOp(MmaOp::getOperationName(), evaluateMma);
  interpreter.registerOp("tensor.extract", evaluateExtract);
  interpreter.registerOp(ComputeOp::getOperationName(), evaluateCompute);
  interpreter.registerOp(ReportOp::getOperationName(), evaluateReport);
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

ProgramInterpreter::ProgramInterpreter(ProgramOp program, const RunChoices &choices)
    : program(program), choices(choices), hasThreads(program.getWarps().has_value()),
      resizedModule(ModuleOp::create(program.getLoc())) {
  registerPrograms(*this);
  registerProgramMemory(*this);
  registerProgramPipelines(*this);
}

ProgramInterpreter::~ProgramInterpreter() = default;

uint32_t ProgramInterpreter::storeWriter() {
  if (lastStoreStage != stage) {
    lastStoreWriter = addWriter({role, stage});
    lastStoreStage = stage;
  }
  return lastStoreWriter;
}

llvm::Error ProgramInterpreter::finish(const Transfer &done) {
  for (const std::function<llvm::Error()> &copy : done.copies)
    if (llvm::Error error = copy())
      return error;
  writers[done.writer].hasArrived = true;
  return llvm::Error::success();
}

llvm::Expected<int64_t> tenon::reference::indexValue(Interpreter &interpreter, mlir::Value value,
                                                     ArrayRef<int64_t> indices) {
  if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getArgNumber() < indices.size())
    return indices[argument.getArgNumber()];
  if (!value.getType().isIntOrIndex() || !value.getDefiningOp())
    return llvm::createStringError("has sizes that don't follow from indices");
  Operation *op = value.getDefiningOp();
  std::vector<RuntimeValue> operands;
  for (mlir::Value operand : op->getOperands()) {
    llvm::Expected<int64_t> known = indexValue(interpreter, operand, indices);
    if (!known)
      return known;
    operands.push_back(*known);
  }
  llvm::Expected<std::vector<RuntimeValue>> results = interpreter.evaluate(op, operands);
  if (!results)
    return results.takeError();
  return std::get<int64_t>((*results)[cast<OpResult>(value).getResultNumber()]);
}

llvm::Expected<SmallVector<int64_t>> tenon::reference::mapValues(Interpreter &interpreter, Operation *op, AffineMap map,
                                                                 OperandRange operands, ArrayRef<int64_t> indices) {
  SmallVector<RuntimeValue> values, none;
  for (mlir::Value operand : operands) {
    llvm::Expected<int64_t> value = indexValue(interpreter, operand, indices);
    if (!value)
      return value.takeError();
    values.push_back(*value);
  }
  Call call{op, values, none, interpreter};
  unsigned first = 0;
  return evaluateMap(call, map, first);
}

llvm::Expected<std::shared_ptr<Buffer>> tenon::reference::allocate(Memory::Kind kind, std::string name,
                                                                   Type elementType, ArrayRef<int64_t> sizes,
                                                                   ArrayRef<int64_t> strides) {
  int64_t elements = llvm::is_contained(sizes, 0) ? 0 : 1;
  for (auto [size, stride] : llvm::zip(sizes, strides))
    if (int64_t between = 0;
        elements != 0 && (llvm::MulOverflow(size - 1, stride, between) ||
                          llvm::AddOverflow(elements, between, elements) || elements > kMostElements))
      return llvm::createStringError(name + " has sizes " + describeShape(sizes) + " and strides " +
                                     describeShape(strides));
  auto buffer = std::make_shared<Buffer>();
  buffer->elementType = elementType;
  if (!isAvailable(elements * int64_t(buffer->bytesPerElement() + sizeof(Mark))))
    return llvm::createStringError("there is no memory for " + name + " of sizes " + describeShape(sizes));
  buffer->sizes.assign(sizes.begin(), sizes.end());
  buffer->strides.assign(strides.begin(), strides.end());
  buffer->memory = std::make_shared<Memory>(kind, std::move(name), elements, buffer->bytesPerElement());
  return buffer;
}

/// An argument's buffer, with the sizes and strides of its `bind`.
static llvm::Expected<std::shared_ptr<Buffer>> bindArgument(ProgramInterpreter &state, unsigned i,
                                                            ArrayRef<int64_t> indices) {
  ProgramOp program = state.program;
  auto type = cast<MemRefType>(program.getArgumentTypes()[i]);
  SmallVector<int64_t> sizes(type.getShape());
  SmallVector<int64_t> strides =
      type.getLayout().isIdentity() ? rowMajorStrides(sizes) : type.getStridesAndOffset().first;
  for (Operation *user : program.getBody().getArgument(i).getUsers()) {
    auto bind = dyn_cast<BindOp>(user);
    if (!bind)
      continue;
    llvm::Expected<SmallVector<int64_t>> values =
        mapValues(state, bind, bind.getSizes(), bind.getSizeIndices(), indices);
    if (!values)
      return values.takeError();
    sizes = *values;
    strides = rowMajorStrides(sizes);
    if (!bind.getStrides())
      continue;
    values = mapValues(state, bind, *bind.getStrides(), bind.getStrideIndices(), indices);
    if (!values)
      return values.takeError();
    strides = *values;
  }
  for (int64_t value : llvm::concat<int64_t>(sizes, strides))
    if (value < 0 || value > (int64_t(1) << 31))
      return llvm::createStringError("argument " + llvm::Twine(i) + " has sizes " + describeShape(sizes) +
                                     " and strides " + describeShape(strides));
  bool isResult = i >= program.getFirstResult();
  return allocate(isResult ? Memory::Kind::Result : Memory::Kind::Operand,
                  std::string(isResult ? "result " : "operand ") +
                      std::to_string(i - (isResult ? program.getFirstResult() : program.getNumIndices())),
                  type.getElementType(), sizes, strides);
}

/// Calls `f` with the place in memory of each element of a buffer, row by row.
template <typename F> static void forEachElement(const Buffer &buffer, F f) {
  Access access{&buffer, SmallVector<int64_t>(buffer.sizes.size(), 0), {}, {}, buffer.sizes, buffer.sizes, {}};
  for (unsigned d = 0; d < buffer.sizes.size(); ++d) {
    access.dims.push_back(d);
    access.steps.push_back(1);
  }
  access.forEach([&](bool, std::optional<int64_t> place) { f(*place); });
}

llvm::Expected<std::vector<Tensor>> tenon::reference::runProgram(ProgramOp program, ArrayRef<int64_t> indices,
                                                                 ArrayRef<Tensor> operands, const RunChoices &choices) {
  ProgramInterpreter state(program, choices);
  unsigned numIndices = program.getNumIndices(), firstResult = program.getFirstResult();
  if (indices.size() != numIndices || operands.size() != firstResult - numIndices)
    return llvm::createStringError("program '" + program.getSymName() + "' expects " + llvm::Twine(numIndices) +
                                   " indices and " + llvm::Twine(firstResult - numIndices) + " operands");
  std::vector<RuntimeValue> arguments(indices.begin(), indices.end());
  std::vector<std::shared_ptr<Buffer>> buffers;
  for (unsigned i = numIndices; i < program.getArgumentTypes().size(); ++i) {
    llvm::Expected<std::shared_ptr<Buffer>> buffer = bindArgument(state, i, indices);
    if (!buffer)
      return buffer.takeError();
    auto tied = program.getArgAttrOfType<IntegerAttr>(i, kTiedAttr);
    if (tied && (choices.reuseOperands || program.getArgAttr(i, kPresentAttr))) {
      (*buffer)->memory = buffers[tied.getInt() - numIndices]->memory;
      (*buffer)->memory->kind = Memory::Kind::Result;
    }
    buffers.push_back(*buffer);
    arguments.push_back(std::shared_ptr<Object>(*buffer));
    if (i >= firstResult)
      continue;
    const Tensor &tensor = operands[i - numIndices];
    if (tensor.getShape() != ArrayRef<int64_t>((*buffer)->sizes) || tensor.getElementType() != (*buffer)->elementType)
      return llvm::createStringError("argument " + llvm::Twine(i) + " of program '" + program.getSymName() +
                                     "' has sizes " + describeShape((*buffer)->sizes) + ", but is given " +
                                     tensor.describe());
    Memory &memory = *(*buffer)->memory;
    // Elements that share bytes have one each here.
    Format format(tensor.getElementType());
    int64_t n = 0;
    forEachElement(**buffer, [&](int64_t place) {
      copyElement(format, tensor.getData(), n++, memory.bytes.data() + place * memory.elementBytes, 0);
      memory.marks[place].unit = 1;
    });
  }
  llvm::Expected<std::vector<RuntimeValue>> ran = state.runBody(program.getBody(), arguments);
  if (!ran)
    return ran.takeError();
  std::vector<Tensor> results;
  for (unsigned i = firstResult; i < arguments.size(); ++i) {
    const Buffer &buffer = *buffers[i - numIndices];
    // What isn't stored is what was there, if that is a result.
    uint32_t stored = program.getArgAttr(i, kPresentAttr) ? 1 : 2;
    llvm::Expected<Tensor> result = Tensor::create(buffer.elementType, buffer.sizes);
    if (!result)
      return result.takeError();
    Format format(buffer.elementType);
    int64_t n = 0, missing = -1;
    forEachElement(buffer, [&](int64_t place) {
      const Memory &memory = *buffer.memory;
      if (memory.marks[place].unit < stored && missing < 0)
        missing = n;
      copyElement(format, memory.bytes.data() + place * memory.elementBytes, 0, result->getData(), n++);
    });
    if (missing >= 0)
      return llvm::createStringError("program '" + program.getSymName() + "' never stores element " +
                                     llvm::Twine(missing) + " of " + buffer.memory->name);
    results.push_back(std::move(*result));
  }
  return results;
}
