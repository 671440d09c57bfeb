//===- RunnableParts.cpp - What of a module can be interpreted by itself ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RunnableParts.h"

#include "Kernels.h"
#include "RandomInputs.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/NotInterpretable.h"
#include "tenon/Reference/Programs.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::reference;
using RuntimeValue = tenon::reference::Value;

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

int64_t SizeChoice::of(StringRef name, std::optional<ArrayRef<int64_t>> range, int64_t divisor) {
  for (const auto &[known, size] : chosen)
    if (known == name)
      return size;
  int64_t size = cycle[chosen.size() % cycle.size()];
  if (given && given->contains(name)) {
    size = given->lookup(name);
  } else {
    int64_t least = range ? (*range)[0] : 0;
    size = llvm::divideCeil(std::max(size, least), divisor) * divisor;
    if (range && size > (*range)[1])
      size = (*range)[1] / divisor * divisor;
  }
  chosen.emplace_back(name, size);
  return size;
}

std::string SizeChoice::describe() const {
  std::string text;
  for (const auto &[name, size] : chosen)
    text += (text.empty() ? "" : ", ") + name + " = " + std::to_string(size);
  return text;
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

static bool hasLaunches(ModuleOp module) {
  return module.walk([](host::LaunchOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

bool RunnablePart::isWithinProgram() const { return hasLaunches(op->getParentOfType<ModuleOp>()); }

std::vector<RunnablePart> RunnablePart::of(ModuleOp module) {
  std::vector<RunnablePart> parts;
  bool isProgram = hasLaunches(module);
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal() && !function->hasAttr(host::kPlanAttr))
      parts.push_back({function, ("function '" + function.getName() + "'").str()});
  for (Operation &op : *module.getBody())
    if (auto kernel = dyn_cast<tile::KernelOp>(op)) {
      if (!isProgram)
        parts.push_back({&op, ("kernel '" + kernel.getSymName() + "'").str()});
    } else if (auto variants = dyn_cast<tile::VariantsOp>(op)) {
      for (auto variant : variants.getOps<tile::VariantOp>())
        parts.push_back(
            {variant, ("variant '" + variant.getSymName() + "' of kernel '" + variants.getSymName() + "'").str()});
    }
  return parts;
}

SmallVector<Operation *> RunnablePart::definingOps() const {
  SmallVector<Operation *> ops = {op};
  if (!isa<func::FuncOp>(op))
    return ops;
  std::optional<SymbolTable::UseRange> uses = SymbolTable::getSymbolUses(op);
  if (!uses)
    return ops;
  for (const SymbolTable::SymbolUse &use : *uses) {
    Operation *symbol = SymbolTable::lookupNearestSymbolFrom(op, use.getSymbolRef());
    // The interpreter runs the first variant.
    if (auto variants = dyn_cast_if_present<tile::VariantsOp>(symbol))
      symbol = variants.getBody().front().empty() ? nullptr : &variants.getBody().front().front();
    if (symbol && !llvm::is_contained(ops, symbol))
      ops.push_back(symbol);
  }
  return ops;
}

StringRef RunnablePart::launchedAs() const {
  return isa<tile::VariantOp>(op) ? cast<tile::VariantsOp>(op->getParentOp()).getSymName() : StringRef();
}

std::string RunnablePart::resultName(unsigned number) const {
  auto function = dyn_cast<func::FuncOp>(op);
  std::vector<ProgramValue> results = function ? resultsOf(function) : std::vector<ProgramValue>();
  std::string text = "result " + std::to_string(number);
  return number < results.size() ? text + " ('" + results[number].name + "')" : text;
}

/// The kernel that a part is, or that a variant still holds.
static tile::KernelOp kernelOf(Operation *op) {
  if (auto variant = dyn_cast<tile::VariantOp>(op))
    op = variant.getBody().front().empty() ? op : variant.getFunction();
  return dyn_cast<tile::KernelOp>(op);
}

Attribute RunnablePart::interface() const {
  tile::KernelOp kernel = kernelOf(op);
  return kernel ? kernel.getFunctionTypeAttr() : TypeAttr();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Binds each symbol of a body to a size.
static void bindSymbols(Region &body, Interpreter &interpreter, SizeChoice &sizes) {
  body.walk([&](SymbolOp symbol) {
    int64_t divisor = symbol.getDivisible() ? *symbol.getDivisible() : 1;
    interpreter.bindSymbol(symbol.getName(), sizes.of(symbol.getName(), symbol.getRange(), divisor));
  });
}

/// Binds the symbols that say the sizes of a given input to what it has.
static void bindSymbolsOf(BlockArgument argument, const Tensor &tensor, llvm::StringMap<int64_t> &known) {
  for (Operation *user : argument.getUsers())
    if (auto bind = dyn_cast<BindShapeOp>(user))
      for (auto [size, mixed] : llvm::zip(tensor.getShape(), bind.getMixedSizes()))
        if (auto value = dyn_cast<mlir::Value>(mixed))
          if (auto symbol = value.getDefiningOp<SymbolOp>())
            known.try_emplace(symbol.getName(), size);
}

static llvm::Expected<NamedValues> makeInputsOfFunction(func::FuncOp function, const SemanticsOptions &options,
                                                        SizeChoice &sizes, std::optional<int64_t> limit) {
  NamedValues inputs;
  std::vector<ProgramValue> declared = inputsOf(function);
  std::vector<std::optional<RuntimeValue>> given(declared.size());
  Interpreter interpreter;
  llvm::StringMap<int64_t> known;
  for (auto [i, input] : llvm::enumerate(declared)) {
    if (!options.given)
      continue;
    llvm::Expected<std::optional<RuntimeValue>> value = options.given(input.name, input.type);
    if (!value)
      return value.takeError();
    given[i] = std::move(*value);
    if (given[i] && std::holds_alternative<Tensor>(*given[i]) && i < function.getNumArguments())
      bindSymbolsOf(function.getArgument(i), std::get<Tensor>(*given[i]), known);
  }
  SizeChoice others = known.empty() ? sizes : SizeChoice(sizes.getCycle(), &known);
  bindSymbols(function.getBody(), interpreter, others);
  sizes = others;
  std::mt19937_64 random(options.seed);
  for (auto [i, input] : llvm::enumerate(declared)) {
    if (given[i]) {
      inputs.emplace_back(input.name, std::move(*given[i]));
      continue;
    }
    auto type = dyn_cast<RankedTensorType>(input.type);
    if (!type)
      return llvm::make_error<NotInterpretable>("input '" + input.name + "' is no tensor, and can't be random");
    llvm::Expected<SmallVector<int64_t>> shape =
        i < function.getNumArguments() ? sizesOf(interpreter, function.getArgument(i), {})
                                       : llvm::Expected<SmallVector<int64_t>>(SmallVector<int64_t>(type.getShape()));
    if (!shape)
      return shape.takeError();
    // What nothing says may have to be equal.
    for (int64_t &size : *shape)
      if (ShapedType::isDynamic(size))
        size = sizes.of("any other", std::nullopt, 1);
    llvm::Expected<Tensor> tensor = randomTensor(type.getElementType(), *shape, random, limit);
    if (!tensor)
      return tensor.takeError();
    inputs.emplace_back(input.name, std::move(*tensor));
  }
  return inputs;
}

static llvm::Expected<NamedValues> makeInputsOfKernel(tile::KernelOp kernel, const SemanticsOptions &options,
                                                      SizeChoice &sizes, std::optional<int64_t> limit) {
  NamedValues inputs;
  Interpreter interpreter;
  SmallVector<int64_t> symbols;
  for (unsigned i = 0; i < kernel.getNumSymbols(); ++i) {
    symbols.push_back(sizes.of("s" + std::to_string(i), std::nullopt, 1));
    inputs.emplace_back("s" + std::to_string(i), symbols.back());
  }
  std::mt19937_64 random(options.seed);
  for (BlockArgument argument : kernel.getBody().getArguments().drop_front(symbols.size())) {
    llvm::Expected<SmallVector<int64_t>> shape = sizesOf(interpreter, argument, symbols);
    if (!shape)
      return shape.takeError();
    llvm::Expected<Tensor> tensor = randomTensor(getElementTypeOrSelf(argument.getType()), *shape, random, limit);
    if (!tensor)
      return tensor.takeError();
    inputs.emplace_back("arg" + std::to_string(argument.getArgNumber()), std::move(*tensor));
  }
  return inputs;
}

llvm::Expected<NamedValues> RunnablePart::makeInputs(const SemanticsOptions &options, SizeChoice &sizes,
                                                     std::optional<int64_t> limit) const {
  if (auto function = dyn_cast<func::FuncOp>(op))
    return makeInputsOfFunction(function, options, sizes, limit);
  if (tile::KernelOp kernel = kernelOf(op))
    return makeInputsOfKernel(kernel, options, sizes, limit);
  return llvm::make_error<NotInterpretable>("the kernel that it computes is not there any more");
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

llvm::Expected<RuntimeValue> tenon::reference::withElementType(const RuntimeValue &value, Type elementType) {
  const Tensor *tensor = std::get_if<Tensor>(&value);
  if (!tensor || tensor->getElementType() == elementType || tensor->holdsStrings() || !elementType.isIntOrFloat() ||
      elementType.getIntOrFloatBitWidth() != tensor->getElementType().getIntOrFloatBitWidth())
    return value;
  llvm::Expected<Tensor> other = Tensor::fromWholeBytes(elementType, tensor->getShape(), tensor->toWholeBytes());
  if (!other)
    return other.takeError();
  return RuntimeValue(*other);
}

llvm::Expected<std::vector<RuntimeValue>> RunnablePart::run(const NamedValues &inputs, LaunchObserver observer) const {
  std::vector<RuntimeValue> arguments;
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    for (const auto &[name, type] : inputsOf(function)) {
      auto found = llvm::find_if(inputs, [&](const auto &input) { return input.first == name; });
      if (found == inputs.end())
        return llvm::createStringError("has a new input '" + name + "'");
      llvm::Expected<RuntimeValue> value = withElementType(found->second, getElementTypeOrSelf(type));
      if (!value)
        return value.takeError();
      arguments.push_back(std::move(*value));
    }
    return runProgram(function, arguments, /*isCancelled=*/nullptr, observer);
  }
  SmallVector<int64_t> symbols;
  std::vector<Tensor> operands;
  for (const auto &[name, value] : inputs) {
    arguments.push_back(value);
    if (const int64_t *symbol = std::get_if<int64_t>(&value))
      symbols.push_back(*symbol);
    else
      operands.push_back(std::get<Tensor>(value));
  }
  if (tile::KernelOp kernel = kernelOf(op)) {
    Interpreter interpreter;
    registerKernels(interpreter);
    return interpreter.runBody(kernel.getBody(), arguments);
  }
  auto variant = cast<tile::VariantOp>(op);
  if (!isa<tile::ProgramOp>(variant.getFunction()))
    return llvm::make_error<NotInterpretable>("'" + variant.getFunction()->getName().getStringRef() +
                                              "' is not known to the interpreter");
  llvm::Expected<std::vector<Tensor>> results = runVariant(variant, symbols, operands, {RunChoices::Order::Shuffled});
  if (!results)
    return results.takeError();
  return std::vector<RuntimeValue>(results->begin(), results->end());
}
