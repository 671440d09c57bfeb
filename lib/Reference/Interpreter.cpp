//===- Interpreter.cpp - The reference interpreter of the graph dialect ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Elements.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Reference/NotInterpretable.h"

using namespace mlir;

namespace tenon::reference {

char NotInterpretable::ID;

std::string describe(Location location) {
  if (auto name = dyn_cast<NameLoc>(location))
    return name.getName().str();
  if (auto file = dyn_cast<FileLineColLoc>(location))
    return file.getFilename().str() + ":" + std::to_string(file.getLine()) + ":" + std::to_string(file.getColumn());
  if (auto fused = dyn_cast<FusedLoc>(location); fused && !fused.getLocations().empty())
    return describe(fused.getLocations().front());
  if (auto call = dyn_cast<CallSiteLoc>(location))
    return describe(call.getCallee());
  return "unknown location";
}

llvm::Error Call::fail(const llvm::Twine &message) const {
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 describe(op->getLoc()) + ": '" + op->getName().getStringRef() + "' " + message);
}

SmallVector<int64_t> mixedValues(const Call &call, ArrayRef<int64_t> fixed, unsigned firstOperand) {
  SmallVector<int64_t> values;
  for (int64_t value : fixed)
    values.push_back(ShapedType::isDynamic(value) ? call.index(firstOperand++) : value);
  return values;
}

static std::string nameOr(DictionaryAttr attributes, const char *otherwise, unsigned position) {
  if (attributes)
    if (auto name = attributes.getAs<StringAttr>("tenon.name"))
      return name.str();
  return otherwise + std::to_string(position);
}
std::string argumentName(func::FuncOp function, unsigned position) {
  return nameOr(function.getArgAttrDict(position), "arg", position);
}
std::string resultName(func::FuncOp function, unsigned position) {
  return nameOr(function.getResultAttrDict(position), "result", position);
}

Interpreter::Interpreter() {
  registerElementwise(*this);
  registerContraction(*this);
  registerReduction(*this);
  registerNormalization(*this);
  registerAttention(*this);
  registerDataMovement(*this);
  registerIndexing(*this);
  registerShape(*this);
  registerControlFlow(*this);
  registerSequences(*this);
  registerStrings(*this);
}

std::optional<int64_t> Interpreter::sizeOfSymbol(StringRef name) const {
  auto found = symbols.find(name);
  return found == symbols.end() ? std::nullopt : std::optional(found->second);
}

/// Whether a value can stand for an SSA value of a type.
static bool fits(const Value &value, Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return isa<SequenceType>(type)      ? std::holds_alternative<std::shared_ptr<Sequence>>(value)
           : isa<OptionalType>(type)    ? std::holds_alternative<std::shared_ptr<Optional>>(value)
           : type.isIntOrIndexOrFloat() ? type.isIntOrIndex() && std::holds_alternative<int64_t>(value)
                                        : std::holds_alternative<std::shared_ptr<Object>>(value);
  const Tensor *tensor = std::get_if<Tensor>(&value);
  if (!tensor || tensor->getElementType() != ranked.getElementType() || tensor->getRank() != ranked.getRank())
    return false;
  for (auto [expected, actual] : llvm::zip(ranked.getShape(), tensor->getShape()))
    if (!ShapedType::isDynamic(expected) && expected != actual)
      return false;
  return true;
}

/// What is wrong with a value that stands for an SSA value of a type, if something is.
static std::optional<std::string> mismatch(const Value &value, Type type) {
  if (fits(value, type))
    return std::nullopt;
  std::string expected;
  llvm::raw_string_ostream(expected) << type;
  const Tensor *tensor = std::get_if<Tensor>(&value);
  return "expects " + expected + (tensor && isa<RankedTensorType>(type) ? ", but has " + tensor->describe() : "");
}

llvm::Error Interpreter::bindSymbols(func::FuncOp function, ArrayRef<Value> arguments) {
  auto failure = [](const llvm::Twine &message) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), message);
  };
  llvm::StringMap<std::string> boundBy;
  for (auto bind : function.getBody().front().getOps<BindShapeOp>()) {
    auto argument = dyn_cast<BlockArgument>(bind.getOperand());
    if (!argument || argument.getOwner() != &function.getBody().front())
      continue;
    const Tensor &tensor = std::get<Tensor>(arguments[argument.getArgNumber()]);
    for (auto [dim, size] : llvm::enumerate(bind.getMixedSizes())) {
      auto value = dyn_cast<mlir::Value>(size);
      auto symbol = value ? value.getDefiningOp<SymbolOp>() : SymbolOp();
      if (!symbol)
        continue;
      std::string input = "input '" + argumentName(function, argument.getArgNumber()) + "'";
      int64_t actual = tensor.getDimSize(dim);
      std::string where = "dimension " + std::to_string(dim) + " of " + input;
      auto [known, isNew] = symbols.try_emplace(symbol.getName(), actual);
      if (isNew)
        boundBy[symbol.getName()] = where;
      if (known->second != actual)
        return failure("size '" + symbol.getName() + "' is " + llvm::Twine(known->second) + " by " +
                       boundBy[symbol.getName()] + ", but " + llvm::Twine(actual) + " by " + where);
      if (auto range = symbol.getRange(); range && (actual < (*range)[0] || actual > (*range)[1]))
        return failure(where + " is " + llvm::Twine(actual) + ", but '" + symbol.getName() + "' is from " +
                       llvm::Twine((*range)[0]) + " to " + llvm::Twine((*range)[1]));
      if (auto divisor = symbol.getDivisible(); divisor && actual % int64_t(*divisor) != 0)
        return failure(where + " is " + llvm::Twine(actual) + ", but '" + symbol.getName() + "' is a multiple of " +
                       llvm::Twine(int64_t(*divisor)));
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<Value>> Interpreter::run(func::FuncOp function, ArrayRef<Value> arguments) {
  auto failure = [&](const llvm::Twine &message) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(), "function '" + function.getName() + "' " + message);
  };
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return notInterpretable(failure("has no body of one block"));
  if (arguments.size() != function.getNumArguments())
    return failure("expects " + llvm::Twine(function.getNumArguments()) + " inputs, but has " +
                   llvm::Twine(arguments.size()));
  for (auto [i, argument] : llvm::enumerate(arguments))
    if (auto wrong = mismatch(argument, function.getArgumentTypes()[i]))
      return failure("input '" + argumentName(function, i) + "' " + *wrong);
  symbols.clear();
  if (llvm::Error error = bindSymbols(function, arguments))
    return error;
  return runBody(function.getBody(), arguments);
}

llvm::Expected<std::vector<Value>> Interpreter::runBody(Region &body, ArrayRef<Value> arguments) {
  values.clear();
  lastUses.clear();
  return runBlock(body.front(), arguments);
}

const DenseMap<Operation *, SmallVector<mlir::Value>> &Interpreter::lastUsesIn(Block &block) {
  auto &uses = lastUses[&block];
  if (uses)
    return *uses;
  uses = std::make_unique<DenseMap<Operation *, SmallVector<mlir::Value>>>();
  auto visit = [&](mlir::Value value, Operation *defining) {
    Operation *last = defining;
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = block.findAncestorOpInBlock(*user);
      if (ancestor && (!last || last->isBeforeInBlock(ancestor)))
        last = ancestor;
    }
    if (last)
      (*uses)[last].push_back(value);
  };
  for (BlockArgument argument : block.getArguments())
    visit(argument, nullptr);
  for (Operation &op : block)
    for (mlir::Value result : op.getResults())
      visit(result, &op);
  return *uses;
}

llvm::Expected<std::vector<Value>> Interpreter::evaluate(Operation *op, ArrayRef<Value> operands) {
  SmallVector<Value> results;
  Call call{op, operands, results, *this};
  if (isCancelled && isCancelled->load(std::memory_order_relaxed))
    return call.fail("was cancelled");
  if (operands.size() != op->getNumOperands())
    return call.fail("expects " + llvm::Twine(op->getNumOperands()) + " operands, but has " +
                     llvm::Twine(operands.size()));
  for (auto [i, operand] : llvm::enumerate(operands))
    if (auto wrong = mismatch(operand, op->getOperand(i).getType()))
      return call.fail("operand " + llvm::Twine(i) + " " + *wrong);
  auto entry = table.find(op->getName().getStringRef());
  if (entry == table.end())
    return notInterpretable(call.fail("is not known to the interpreter"));
  if (llvm::Error error = entry->second(call))
    return error;
  if (results.size() != op->getNumResults())
    return call.fail("gave " + llvm::Twine(results.size()) + " results");
  for (auto [result, value] : llvm::zip(op->getResults(), results))
    if (auto wrong = mismatch(value, result.getType()))
      return call.fail("result " + *wrong);
  return std::vector<Value>(std::make_move_iterator(results.begin()), std::make_move_iterator(results.end()));
}

llvm::Error Interpreter::evaluateInBlock(Operation &op) {
  SmallVector<Value> operands;
  for (mlir::Value operand : op.getOperands()) {
    auto found = values.find(operand);
    if (found == values.end())
      return Call{&op, {}, operands, *this}.fail("uses a value that was not computed");
    operands.push_back(found->second);
  }
  llvm::Expected<std::vector<Value>> results = evaluate(&op, operands);
  if (!results)
    return results.takeError();
  for (auto [result, value] : llvm::zip(op.getResults(), *results))
    values[result] = std::move(value);
  return llvm::Error::success();
}

llvm::Expected<std::vector<Value>> Interpreter::runBlock(Block &block, ArrayRef<Value> arguments) {
  for (auto [argument, value] : llvm::zip(block.getArguments(), arguments))
    values[argument] = value;
  const auto &uses = lastUsesIn(block);
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      std::vector<Value> results;
      SmallVector<Value> none;
      for (mlir::Value operand : op.getOperands()) {
        auto found = values.find(operand);
        if (found == values.end())
          return Call{&op, {}, none, *this}.fail("uses a value that was not computed");
        results.push_back(found->second);
      }
      return results;
    }
    if (llvm::Error error = evaluateInBlock(op))
      return error;
    if (auto found = uses.find(&op); found != uses.end())
      for (mlir::Value value : found->second)
        values.erase(value);
  }
  return std::vector<Value>();
}

llvm::Expected<std::vector<Value>> runFunction(func::FuncOp function, ArrayRef<Value> inputs,
                                               const std::atomic<bool> *isCancelled) {
  Interpreter interpreter;
  interpreter.setCancellation(isCancelled);
  return interpreter.run(function, inputs);
}

llvm::Expected<std::vector<Value>> evaluateOp(Operation *op, ArrayRef<Value> operands) {
  return Interpreter().evaluate(op, operands);
}

} // namespace tenon::reference
