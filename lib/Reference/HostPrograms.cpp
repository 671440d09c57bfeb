//===- HostPrograms.cpp - The interpreter of level 2 ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Reference/HostPrograms.h"

#include "Elements.h"
#include "Kernels.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/NotInterpretable.h"
#include "tenon/Reference/Programs.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/Support/MathExtras.h"

#include <map>

using namespace mlir;
using namespace tenon;
using namespace tenon::reference;
using RuntimeValue = tenon::reference::Value;

namespace {
/// Each byte of what nobody has written: of floating point it is no number.
constexpr char kUnwritten = char(0xff);

/// Elements of a storage beyond these are none that a run has.
constexpr int64_t kMostElements = int64_t(1) << 32;

/// The bytes of a storage.
using Bytes = std::shared_ptr<std::vector<char>>;

/// What a memref stands for.
struct View : Object {
  Bytes bytes;
  Type elementType;
  int64_t offset = 0; ///< like strides, in elements
  SmallVector<int64_t> sizes, strides;

  /// How many elements; nothing where there are more than memory has, or a size is negative.
  std::optional<int64_t> count() const {
    int64_t result = 1;
    for (int64_t size : sizes)
      if (size < 0 || llvm::MulOverflow(result, size, result) || result > kMostElements)
        return std::nullopt;
    return result;
  }
};

class HostInterpreter : public Interpreter {
public:
  HostInterpreter(func::FuncOp function, LaunchObserver observer);

  llvm::Expected<std::vector<RuntimeValue>> runPlaced(ArrayRef<RuntimeValue> inputs);

  /// The results of a kernel.
  llvm::Expected<std::vector<RuntimeValue>> launch(Call &call, ArrayRef<RuntimeValue> arguments);

  Bytes &storage(host::StorageKind kind, int64_t number) { return storages[{kind, number}]; }
  /// Sizes of an input of a placed program.
  ArrayRef<int64_t> inputShape(int64_t number) const { return std::get<Tensor>(inputs[number]).getShape(); }
  size_t inputCount() const { return inputs.size(); }

private:
  llvm::Error bindInputs();

  func::FuncOp function;
  LaunchObserver observer;
  Interpreter kernels;
  ArrayRef<RuntimeValue> inputs;
  std::map<std::pair<host::StorageKind, int64_t>, Bytes> storages;
};

HostInterpreter &interpreterOf(Call &call) { return static_cast<HostInterpreter &>(call.interpreter); }

View &viewOf(const RuntimeValue &value) { return static_cast<View &>(*std::get<std::shared_ptr<Object>>(value)); }

/// The type of elements as they are stored: indices of programs are integers in buffers.
Type storedType(Type element) { return element.isIndex() ? IntegerType::get(element.getContext(), 64) : element; }

//===----------------------------------------------------------------------===//
// Views as tensors
//===----------------------------------------------------------------------===//

/// Calls `f` with the place of each element, row by row; an error where one is outside of the storage.
template <typename F> llvm::Error forEachPlace(Call &call, const View &view, F f) {
  Format format(view.elementType);
  if (!format.valid)
    return call.fail("has elements that aren't numbers");
  std::optional<int64_t> count = view.count();
  if (!count)
    return call.fail("has sizes " + describeShape(view.sizes));
  SmallVector<int64_t> at(view.sizes.size(), 0);
  for (int64_t n = 0; n < *count; ++n) {
    int64_t place = view.offset, between;
    for (auto [i, stride] : llvm::zip(at, view.strides))
      if (llvm::MulOverflow(i, stride, between) || llvm::AddOverflow(place, between, place))
        place = -1;
    if (place < 0 || place >= kMostElements || format.bytesFor(place + 1) > (int64_t)view.bytes->size())
      return call.fail("reaches element " + llvm::Twine(place) + " of a buffer of " + llvm::Twine(view.bytes->size()) +
                       " bytes");
    f(format, n, place);
    for (int64_t d = (int64_t)at.size() - 1; d >= 0 && ++at[d] == view.sizes[d]; --d)
      at[d] = 0;
  }
  return llvm::Error::success();
}

llvm::Expected<Tensor> read(Call &call, const View &view) {
  llvm::Expected<Tensor> result = Tensor::create(view.elementType, view.sizes);
  if (!result)
    return result;
  if (llvm::Error error = forEachPlace(call, view, [&](const Format &format, int64_t n, int64_t place) {
        copyElement(format, view.bytes->data(), place, result->getData(), n);
      }))
    return error;
  return result;
}

llvm::Error write(Call &call, const View &view, const Tensor &tensor) {
  if (tensor.getShape() != ArrayRef(view.sizes))
    return call.fail("writes " + tensor.describe() + " into a buffer of sizes " + describeShape(view.sizes));
  return forEachPlace(call, view, [&](const Format &format, int64_t n, int64_t place) {
    copyElement(format, tensor.getData(), n, view.bytes->data(), place);
  });
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// The operands of one segment of an op that has several.
ArrayRef<RuntimeValue> segment(Call &call, OperandRange range) {
  return range.empty() ? ArrayRef<RuntimeValue>() : call.operands.slice(range.getBeginOperandIndex(), range.size());
}

/// A kernel, or what its first variant makes of it: a kernel still, or a program.
Operation *launchedBy(host::LaunchOp launch) {
  Operation *symbol = SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernelAttr());
  if (auto variants = dyn_cast_if_present<tile::VariantsOp>(symbol))
    for (auto variant : variants.getOps<tile::VariantOp>())
      return variant.getFunction();
  return symbol;
}

llvm::Error evaluateLaunch(Call &call) {
  auto launch = cast<host::LaunchOp>(call.op);
  std::vector<RuntimeValue> arguments(segment(call, launch.getSymbols()));
  for (const RuntimeValue &in : segment(call, launch.getIns())) {
    if (std::holds_alternative<Tensor>(in)) {
      arguments.push_back(in);
      continue;
    }
    llvm::Expected<Tensor> tensor = read(call, viewOf(in));
    if (!tensor)
      return tensor.takeError();
    arguments.push_back(std::move(*tensor));
  }
  llvm::Expected<std::vector<RuntimeValue>> results = interpreterOf(call).launch(call, arguments);
  if (!results)
    return results.takeError();
  ArrayRef<RuntimeValue> outs = segment(call, launch.getOuts());
  if (results->size() != outs.size() ||
      !llvm::all_of(*results, [](const RuntimeValue &result) { return std::holds_alternative<Tensor>(result); }))
    return call.fail("launches a kernel that gives other results than it has outs");
  for (auto [i, result] : llvm::enumerate(*results)) {
    const Tensor &tensor = std::get<Tensor>(result);
    if (const Tensor *out = std::get_if<Tensor>(&outs[i])) {
      if (tensor.getShape() != out->getShape())
        return call.fail("gives " + tensor.describe() + ", but has room for " + out->describe());
      call.results.push_back(tensor);
    } else if (llvm::Error error = write(call, viewOf(outs[i]), tensor)) {
      return error;
    }
  }
  return llvm::Error::success();
}

llvm::Error evaluateEmpty(Call &call) {
  auto op = cast<tensor::EmptyOp>(call.op);
  llvm::Expected<Tensor> result =
      Tensor::create(op.getType().getElementType(), mixedValues(call, op.getType().getShape(), 0));
  if (result && !result->holdsStrings())
    std::memset(result->getData(), kUnwritten, result->getNumBytes());
  return push(call, std::move(result));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

llvm::Error evaluateStorage(Call &call) {
  auto op = cast<host::StorageOp>(call.op);
  auto view = std::make_shared<View>();
  view->elementType = storedType(cast<MemRefType>(op.getType()).getElementType());
  view->sizes = mixedValues(call, op.getStaticSizes(), 0);
  std::optional<int64_t> count = view->count();
  if (!count)
    return call.fail("has sizes " + describeShape(view->sizes));
  view->strides = rowMajorStrides(view->sizes);
  for (auto [stride, stated] : llvm::zip(view->strides, segment(call, op.getStrides())))
    stride = std::get<int64_t>(stated);
  // Elements up to the last one, whatever lies between rows.
  int64_t elements = *count == 0 ? 0 : 1;
  for (auto [size, stride] : llvm::zip(view->sizes, view->strides))
    if (int64_t between = 0;
        elements != 0 && (llvm::MulOverflow(size - 1, stride, between) ||
                          llvm::AddOverflow(elements, between, elements) || elements > kMostElements))
      return call.fail("has sizes " + describeShape(view->sizes) + " and strides " + describeShape(view->strides));
  Format format(view->elementType);
  if (!format.valid)
    return call.fail("has elements that aren't numbers");
  Bytes &bytes = interpreterOf(call).storage(op.getKind(), op.getNumber());
  if (!bytes)
    bytes = std::make_shared<std::vector<char>>();
  if (op.getKind() == host::StorageKind::constant && bytes->empty()) {
    auto value = dyn_cast_if_present<TypedAttr>(op.getValueAttr());
    llvm::Expected<Tensor> tensor = value ? Tensor::fromAttribute(value) : llvm::createStringError("has no elements");
    if (!tensor)
      return call.fail(llvm::toString(tensor.takeError()));
    bytes->assign(tensor->getData(), tensor->getData() + tensor->getNumBytes());
  }
  bool hasFixedSize = op.getKind() == host::StorageKind::input || op.getKind() == host::StorageKind::constant;
  if (int64_t needed = format.bytesFor(elements); needed > (int64_t)bytes->size()) {
    if (hasFixedSize)
      return call.fail("has " + llvm::Twine(bytes->size()) + " bytes, but needs " + llvm::Twine(needed));
    if (!isAvailable(needed))
      return call.fail("finds no memory for " + llvm::Twine(needed) + " bytes");
    bytes->resize(needed, kUnwritten);
  }
  view->bytes = bytes;
  call.results.push_back(std::move(view));
  return llvm::Error::success();
}

llvm::Error evaluateView(Call &call) {
  auto op = cast<host::ViewOp>(call.op);
  const View &source = viewOf(call.operands.front());
  auto view = std::make_shared<View>(source);
  auto type = cast<MemRefType>(op.getType());
  view->elementType = storedType(type.getElementType());
  auto valuesOf = [&](ArrayRef<int64_t> fixed, OperandRange dynamic) {
    return mixedValues(call, fixed, dynamic.empty() ? 0 : dynamic.getBeginOperandIndex());
  };
  if (llvm::AddOverflow(view->offset, valuesOf(op.getStaticOffsets(), op.getOffsets()).front(), view->offset))
    return call.fail("has an offset beyond 64 bits");
  view->sizes = valuesOf(op.getStaticSizes(), op.getSizes());
  view->strides = valuesOf(op.getStaticStrides(), op.getStrides());
  call.results.push_back(std::move(view));
  return llvm::Error::success();
}

llvm::Error evaluateCopy(Call &call) {
  llvm::Expected<Tensor> tensor = read(call, viewOf(call.operands[0]));
  return tensor ? write(call, viewOf(call.operands[1]), *tensor) : tensor.takeError();
}

llvm::Error evaluateExchange(Call &call) {
  viewOf(call.operands[0]).bytes->swap(*viewOf(call.operands[1]).bytes);
  return llvm::Error::success();
}

/// One element of a buffer, by its position from the first.
View scalarOf(const View &buffer, int64_t position) {
  View view = buffer;
  if (llvm::AddOverflow(view.offset, position, view.offset))
    view.offset = -1; // outside
  view.sizes.clear();
  view.strides.clear();
  return view;
}

llvm::Error evaluateReadScalar(Call &call) {
  auto op = cast<host::ReadScalarOp>(call.op);
  llvm::Expected<Tensor> tensor = read(call, scalarOf(viewOf(call.operands[0]), op.getPosition()));
  if (!tensor)
    return tensor.takeError();
  int64_t value;
  Format(tensor->getElementType()).load(tensor->getData(), 0, 1, &value);
  call.results.push_back(op.getType().isInteger(1) ? int64_t(value != 0) : value);
  return llvm::Error::success();
}

llvm::Error evaluateWriteScalar(Call &call) {
  auto op = cast<host::WriteScalarOp>(call.op);
  View view = scalarOf(viewOf(call.operands[1]), op.getPosition());
  llvm::Expected<Tensor> tensor = storeAll<int64_t>(view.elementType, {}, {call.index(0)});
  return tensor ? write(call, view, *tensor) : tensor.takeError();
}

llvm::Error evaluateBoundStride(Call &call) {
  auto op = cast<host::BoundStrideOp>(call.op);
  HostInterpreter &interpreter = interpreterOf(call);
  if (op.getInput() >= interpreter.inputCount())
    return call.fail("has no such input");
  SmallVector<int64_t> strides = rowMajorStrides(interpreter.inputShape(op.getInput()));
  if (op.getDim() >= strides.size())
    return call.fail("has no such dimension");
  call.results.push_back(strides[op.getDim()]);
  return llvm::Error::success();
}

llvm::Error evaluateBoundSize(Call &call) {
  auto op = cast<host::BoundSizeOp>(call.op);
  HostInterpreter &interpreter = interpreterOf(call);
  if (op.getInput() >= interpreter.inputCount() || op.getDim() >= interpreter.inputShape(op.getInput()).size())
    return call.fail("has no such input or dimension");
  call.results.push_back(interpreter.inputShape(op.getInput())[op.getDim()]);
  return llvm::Error::success();
}

/// Nothing that is bound here shares a buffer.
llvm::Error evaluateIsAliased(Call &call) {
  call.results.push_back(int64_t(0));
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

llvm::Error evaluateSCFIf(Call &call) {
  Region &region = call.op->getRegion(call.index(0) ? 0 : 1);
  if (region.empty())
    return llvm::Error::success();
  llvm::Expected<std::vector<RuntimeValue>> results = call.interpreter.runBlock(region.front(), {});
  if (!results)
    return results.takeError();
  call.results.append(results->begin(), results->end());
  return llvm::Error::success();
}

llvm::Error evaluateWhile(Call &call) {
  auto loop = cast<scf::WhileOp>(call.op);
  std::vector<RuntimeValue> carried(call.operands.begin(), call.operands.end());
  while (true) {
    llvm::Expected<std::vector<RuntimeValue>> passed = call.interpreter.runBlock(*loop.getBeforeBody(), carried);
    if (!passed)
      return passed.takeError();
    bool goesOn = std::get<int64_t>(passed->front());
    passed->erase(passed->begin());
    if (!goesOn) {
      call.results.append(passed->begin(), passed->end());
      return llvm::Error::success();
    }
    llvm::Expected<std::vector<RuntimeValue>> next = call.interpreter.runBlock(*loop.getAfterBody(), *passed);
    if (!next)
      return next.takeError();
    carried = std::move(*next);
  }
}

llvm::Error evaluateAsync(Call &call) {
  llvm::Expected<std::vector<RuntimeValue>> nothing = call.interpreter.runBlock(call.op->getRegion(0).front(), {});
  if (!nothing)
    return nothing.takeError();
  call.results.push_back(std::make_shared<Object>());
  return llvm::Error::success();
}

llvm::Error evaluateSegment(Call &call) {
  llvm::Expected<std::vector<RuntimeValue>> results = call.interpreter.runBlock(call.op->getRegion(0).front(), {});
  if (!results)
    return results.takeError();
  call.results.append(results->begin(), results->end());
  return llvm::Error::success();
}

llvm::Error evaluatePlan(Call &call) {
  auto plan = cast<host::PlanOp>(call.op);
  auto function = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(plan, plan.getFunctionAttr());
  if (!function || !function.getBody().hasOneBlock())
    return call.fail("is computed by no function of one block");
  llvm::Expected<std::vector<RuntimeValue>> results =
      call.interpreter.runBlock(function.getBody().front(), call.operands);
  if (!results)
    return results.takeError();
  call.results.append(results->begin(), results->end());
  return llvm::Error::success();
}

llvm::Error evaluateBufferBytes(Call &call) {
  auto op = cast<host::BufferBytesOp>(call.op);
  Format format(storedType(cast<MemRefType>(op.getBuffer()).getElementType()));
  View view;
  view.sizes = mixedValues(call, op.getStaticSizes(), 0);
  std::optional<int64_t> count = view.count();
  if (!format.valid || !count)
    return call.fail("has sizes " + describeShape(view.sizes));
  call.results.push_back(format.bytesFor(*count));
  return llvm::Error::success();
}

llvm::Error evaluateNothing(Call &) { return llvm::Error::success(); }

llvm::Error evaluateCheckEqual(Call &call) {
  if (call.index(0) == call.index(1))
    return llvm::Error::success();
  return call.fail(cast<host::CheckEqualOp>(call.op).getMessage() + ": " + llvm::Twine(call.index(0)) + ", not " +
                   llvm::Twine(call.index(1)));
}

llvm::Error evaluateCheckAtMost(Call &call) {
  if (call.index(0) <= call.index(1))
    return llvm::Error::success();
  return call.fail(cast<host::CheckAtMostOp>(call.op).getMessage() + ": " + llvm::Twine(call.index(0)) + ", above " +
                   llvm::Twine(call.index(1)));
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

HostInterpreter::HostInterpreter(func::FuncOp function, LaunchObserver observer)
    : function(function), observer(observer) {
  registerKernels(kernels);
  registerKernels(*this);
  registerOp(tensor::EmptyOp::getOperationName(), evaluateEmpty);
  registerOp(host::LaunchOp::getOperationName(), evaluateLaunch);
  registerOp(host::StorageOp::getOperationName(), evaluateStorage);
  registerOp(host::ViewOp::getOperationName(), evaluateView);
  registerOp(host::CopyOp::getOperationName(), evaluateCopy);
  registerOp(host::ExchangeOp::getOperationName(), evaluateExchange);
  registerOp(host::ReadScalarOp::getOperationName(), evaluateReadScalar);
  registerOp(host::WriteScalarOp::getOperationName(), evaluateWriteScalar);
  registerOp(host::BoundStrideOp::getOperationName(), evaluateBoundStride);
  registerOp(host::IsAliasedOp::getOperationName(), evaluateIsAliased);
  registerOp(host::BindStridesOp::getOperationName(), evaluateNothing);
  registerOp(host::AsyncOp::getOperationName(), evaluateAsync);
  registerOp(host::AwaitOp::getOperationName(), evaluateNothing);
  registerOp(host::SegmentOp::getOperationName(), evaluateSegment);
  registerOp(host::PlanOp::getOperationName(), evaluatePlan);
  registerOp(host::BoundSizeOp::getOperationName(), evaluateBoundSize);
  registerOp(host::BufferBytesOp::getOperationName(), evaluateBufferBytes);
  registerOp(host::CheckRowsOp::getOperationName(), evaluateNothing);
  registerOp(host::CheckEqualOp::getOperationName(), evaluateCheckEqual);
  registerOp(host::CheckAtMostOp::getOperationName(), evaluateCheckAtMost);
  registerOp(scf::IfOp::getOperationName(), evaluateSCFIf);
  registerOp(scf::WhileOp::getOperationName(), evaluateWhile);
}

llvm::Expected<std::vector<RuntimeValue>> HostInterpreter::launch(Call &call, ArrayRef<RuntimeValue> arguments) {
  auto launch = cast<host::LaunchOp>(call.op);
  if (observer)
    observer(launch.getKernel(), arguments);
  Operation *launched = launchedBy(launch);
  if (auto kernel = dyn_cast_if_present<tile::KernelOp>(launched))
    return kernels.runBody(kernel.getBody(), arguments);
  auto program = dyn_cast_if_present<tile::ProgramOp>(launched);
  if (!program)
    return notInterpretable(call.fail("launches no kernel of tenon ops"));
  SmallVector<int64_t> symbols;
  std::vector<Tensor> operands;
  for (const RuntimeValue &argument : arguments)
    if (const int64_t *symbol = std::get_if<int64_t>(&argument))
      symbols.push_back(*symbol);
    else
      operands.push_back(std::get<Tensor>(argument));
  llvm::Expected<std::vector<Tensor>> results =
      runVariant(cast<tile::VariantOp>(program->getParentOp()), symbols, operands, {RunChoices::Order::Shuffled});
  if (!results)
    return results.takeError();
  return std::vector<RuntimeValue>(results->begin(), results->end());
}

/// The storage of each input or output, by number: of several the last, which states the sizes of an output.
std::map<int64_t, host::StorageOp> storagesOf(func::FuncOp function, host::StorageKind kind) {
  std::map<int64_t, host::StorageOp> result;
  function.walk([&](host::StorageOp storage) {
    if (storage.getKind() == kind)
      result[storage.getNumber()] = storage;
  });
  return result;
}

llvm::Error HostInterpreter::bindInputs() {
  for (auto [number, input] : llvm::enumerate(inputs))
    if (!std::holds_alternative<Tensor>(input))
      return llvm::createStringError("input " + llvm::Twine(number) + " is no tensor of numbers");
  for (auto &[number, op] : storagesOf(function, host::StorageKind::input)) {
    if (number < 0 || (size_t)number >= inputs.size())
      return llvm::createStringError("there is no input " + llvm::Twine(number));
    const Tensor &tensor = std::get<Tensor>(inputs[number]);
    SmallVector<OpFoldResult> sizes = op.getMixedSizes();
    if (sizes.size() != (size_t)tensor.getRank())
      return llvm::createStringError("input " + llvm::Twine(number) + " has " + llvm::Twine(sizes.size()) +
                                     " dimensions, not those of " + tensor.describe());
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      int64_t actual = tensor.getDimSize(dim), expected = actual;
      auto value = dyn_cast<mlir::Value>(size);
      if (auto symbol = value ? value.getDefiningOp<SymbolOp>() : SymbolOp())
        expected = bindSymbol(symbol.getName(), actual);
      else if (!value)
        expected = *getConstantIntValue(size);
      if (actual != expected)
        return llvm::createStringError("dimension " + llvm::Twine(dim) + " of input " + llvm::Twine(number) + " is " +
                                       llvm::Twine(actual) + ", not " + llvm::Twine(expected));
    }
    if (!isAvailable(tensor.getNumBytes()))
      return llvm::createStringError("there is no memory for input " + llvm::Twine(number) + ", " + tensor.describe());
    storage(host::StorageKind::input, number) =
        std::make_shared<std::vector<char>>(tensor.getData(), tensor.getData() + tensor.getNumBytes());
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<RuntimeValue>> HostInterpreter::runPlaced(ArrayRef<RuntimeValue> given) {
  inputs = given;
  if (!function.getBody().hasOneBlock())
    return llvm::make_error<NotInterpretable>("function '" + function.getName() + "' has no body of one block");
  if (llvm::Error error = bindInputs())
    return error;
  llvm::Expected<std::vector<RuntimeValue>> results = runBody(function.getBody(), {});
  if (!results)
    return results;
  SmallVector<RuntimeValue> none;
  Call call{function.getBody().front().getTerminator(), {}, none, *this};
  for (RuntimeValue &result : *results) {
    if (!std::holds_alternative<std::shared_ptr<Object>>(result))
      return call.fail("gives what is no buffer");
    llvm::Expected<Tensor> tensor = read(call, viewOf(result));
    if (!tensor)
      return tensor.takeError();
    result = std::move(*tensor);
  }
  return results;
}

std::vector<ProgramValue> valuesOf(func::FuncOp function, host::StorageKind kind, const char *unnamed) {
  std::vector<ProgramValue> result;
  for (auto &[number, storage] : storagesOf(function, kind)) {
    auto type = cast<MemRefType>(storage.getType());
    result.push_back({storage.getName().value_or(unnamed + std::to_string(number)).str(),
                      RankedTensorType::get(type.getShape(), storedType(type.getElementType()))});
  }
  return result;
}
} // namespace

std::vector<ProgramValue> tenon::reference::inputsOf(func::FuncOp function) {
  if (host::isPlaced(function))
    return valuesOf(function, host::StorageKind::input, "arg");
  std::vector<ProgramValue> result;
  for (auto [i, type] : llvm::enumerate(function.getArgumentTypes()))
    result.push_back({argumentName(function, i), type});
  return result;
}

std::vector<ProgramValue> tenon::reference::resultsOf(func::FuncOp function) {
  if (host::isPlaced(function))
    return valuesOf(function, host::StorageKind::output, "result");
  std::vector<ProgramValue> result;
  for (auto [i, type] : llvm::enumerate(function.getResultTypes()))
    result.push_back({resultName(function, i), type});
  return result;
}

llvm::Expected<std::vector<RuntimeValue>> tenon::reference::runProgram(func::FuncOp function,
                                                                       ArrayRef<RuntimeValue> inputs,
                                                                       const std::atomic<bool> *isCancelled,
                                                                       LaunchObserver observer) {
  HostInterpreter interpreter(function, observer);
  interpreter.setCancellation(isCancelled);
  return host::isPlaced(function) ? interpreter.runPlaced(inputs) : interpreter.run(function, inputs);
}
