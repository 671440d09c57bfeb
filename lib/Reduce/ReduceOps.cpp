//===- ReduceOps.cpp - Takes away ops and the values that functions have ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::reduce;

void tenon::reduce::eraseDeadOps(ModuleOp module) {
  module.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (op != module && !isa<SymbolOpInterface>(op) && isOpTriviallyDead(op))
      op->erase();
  });
}

//===----------------------------------------------------------------------===//
// Results and arguments of functions
//===----------------------------------------------------------------------===//

/// The function of each result or argument, and its number there.
template <typename F>
static SmallVector<std::pair<func::FuncOp, unsigned>> valuesOfFunctions(ModuleOp module, F numberOf) {
  SmallVector<std::pair<func::FuncOp, unsigned>> values;
  module.walk([&](func::FuncOp function) {
    if (!function.isExternal() && function.getBody().hasOneBlock())
      for (unsigned i = 0; i < numberOf(function); ++i)
        values.emplace_back(function, i);
  });
  return values;
}

static SmallVector<std::pair<func::FuncOp, unsigned>> outputsOf(ModuleOp module) {
  return valuesOfFunctions(module, [](func::FuncOp function) { return function.getNumResults(); });
}

static SmallVector<std::pair<func::FuncOp, unsigned>> argumentsOf(ModuleOp module) {
  return valuesOfFunctions(module, [](func::FuncOp function) { return function.getNumArguments(); });
}

static bool eraseOutputs(ModuleOp module, unsigned begin, unsigned end) {
  auto outputs = outputsOf(module);
  for (auto [function, number] : llvm::reverse(ArrayRef(outputs).slice(begin, end - begin))) {
    Operation *terminator = function.getBody().front().getTerminator();
    if (!isa<func::ReturnOp>(terminator) || failed(function.eraseResult(number)))
      return false;
    terminator->eraseOperand(number);
  }
  return true;
}

static bool eraseArguments(ModuleOp module, unsigned begin, unsigned end) {
  auto arguments = argumentsOf(module);
  bool isChanged = false;
  for (auto [function, number] : llvm::reverse(ArrayRef(arguments).slice(begin, end - begin))) {
    BlockArgument argument = function.getArgument(number);
    if (!llvm::all_of(argument.getUsers(), llvm::IsaPred<BindShapeOp>))
      continue;
    for (Operation *user : llvm::make_early_inc_range(argument.getUsers()))
      user->erase();
    isChanged |= succeeded(function.eraseArgument(number));
  }
  return isChanged;
}

Reduction tenon::reduce::outputReduction() {
  return {[](ModuleOp module) -> unsigned { return outputsOf(module).size(); }, eraseOutputs};
}

namespace {
struct OutputOperand {
  func::FuncOp function;
  unsigned output;
  Value operand;
};
} // namespace

/// What ops compute that outputs come from directly.
static SmallVector<OutputOperand> operandsOfOutputs(ModuleOp module) {
  SmallVector<OutputOperand> operands;
  for (auto [function, number] : outputsOf(module))
    if (Operation *op = function.getBody().front().getTerminator()->getOperand(number).getDefiningOp())
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp(); source &&
                                                         isa<TensorType, onnx::UnknownType>(operand.getType()) &&
                                                         !source->hasTrait<OpTrait::ConstantLike>())
          operands.push_back({function, number, operand});
  return operands;
}

static bool moveOutputs(ModuleOp module, unsigned begin, unsigned end) {
  auto operands = operandsOfOutputs(module);
  for (auto [function, output, operand] : ArrayRef(operands).slice(begin, end - begin)) {
    Operation *terminator = function.getBody().front().getTerminator();
    terminator->setOperand(output, operand);
    function.removeResultAttr(output, StringAttr::get(module.getContext(), "tenon.dims"));
    function.setFunctionType(
        FunctionType::get(module.getContext(), function.getArgumentTypes(), terminator->getOperandTypes()));
  }
  return true;
}

Reduction tenon::reduce::outputToOperandReduction() {
  return {[](ModuleOp module) -> unsigned { return operandsOfOutputs(module).size(); }, moveOutputs};
}

Reduction tenon::reduce::argumentReduction() {
  return {[](ModuleOp module) -> unsigned { return argumentsOf(module).size(); }, eraseArguments};
}

Reduction tenon::reduce::symbolReduction() {
  auto count = [](ModuleOp module) -> unsigned { return llvm::range_size(module.getOps<SymbolOpInterface>()); };
  auto apply = [](ModuleOp module, unsigned begin, unsigned end) {
    auto symbols = llvm::to_vector(module.getOps<SymbolOpInterface>());
    bool isChanged = false;
    for (SymbolOpInterface symbol : ArrayRef(symbols).slice(begin, end - begin))
      if (SymbolTable::symbolKnownUseEmpty(symbol, module)) {
        symbol->erase();
        isChanged = true;
      }
    return isChanged;
  };
  return {count, apply};
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Ops that compute something, in order.
static SmallVector<Operation *> opsOf(ModuleOp module) {
  SmallVector<Operation *> ops;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op != module && !isa<SymbolOpInterface>(op) && !op->hasTrait<OpTrait::IsTerminator>() &&
        !op->hasTrait<OpTrait::ConstantLike>() && !isa<onnx::NoneOp>(op))
      ops.push_back(op);
  });
  return ops;
}

static unsigned countOps(ModuleOp module) { return opsOf(module).size(); }

/// Erases ops, those behind first, where `replacement` gives a value for each result that is used.
static bool eraseOps(ArrayRef<Operation *> ops, function_ref<Value(OpResult)> replacement) {
  bool isChanged = false;
  for (Operation *op : llvm::reverse(ops)) {
    SmallVector<Value> values;
    for (OpResult result : op->getResults())
      values.push_back(result.use_empty() ? Value() : replacement(result));
    bool isComplete = llvm::all_of(llvm::zip_equal(op->getResults(), values),
                                   [](auto pair) { return std::get<0>(pair).use_empty() || std::get<1>(pair); });
    if (!isComplete)
      continue;
    for (auto [result, value] : llvm::zip_equal(op->getResults(), values))
      if (value)
        result.replaceAllUsesWith(value);
    op->erase();
    isChanged = true;
  }
  return isChanged;
}

static std::string newArgumentName(func::FuncOp function) {
  llvm::StringSet<> names;
  for (unsigned i = 0; i < function.getNumArguments(); ++i)
    if (auto name = function.getArgAttrOfType<StringAttr>(i, "tenon.name"))
      names.insert(name.getValue());
  for (unsigned i = 0;; ++i)
    if (std::string name = "cut" + std::to_string(i); !names.contains(name))
      return name;
}

/// A new argument of the function around, with the sizes that the graph knows of the result.
static Value newArgument(OpResult result) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  auto function = result.getOwner()->getParentOfType<func::FuncOp>();
  if (!type || !function || function.isExternal())
    return {};
  Builder attributes(result.getContext());
  auto name = attributes.getDictionaryAttr(
      attributes.getNamedAttr("tenon.name", attributes.getStringAttr(newArgumentName(function))));
  if (failed(function.insertArgument(function.getNumArguments(), type, name, result.getLoc())))
    return {};
  Value argument = function.getBody().front().getArguments().back();
  if (!type.hasStaticShape() && !isa<onnx::NodeOp>(result.getOwner())) {
    OpBuilder builder(result.getOwner());
    SizeAnalysis analysis(result.getContext());
    SmallVector<OpFoldResult> sizes = analysis.materialize(builder, result.getLoc(), analysis.sizesOf(result));
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(sizes, dynamic, fixed);
    BindShapeOp::create(builder, result.getLoc(), argument, dynamic, fixed);
  }
  return argument;
}

/// An operand that may stand for a result: of its type, or any where an imported model doesn't state one.
static Value operandFor(OpResult result) {
  bool isStated = !isa<onnx::UnknownType, UnrankedTensorType>(result.getType());
  for (Value operand : result.getOwner()->getOperands())
    if (operand.getType() == result.getType() || (!isStated && !isa<NoneType>(operand.getType())))
      return operand;
  return {};
}

static Value zeroFor(OpResult result) {
  OpBuilder builder(result.getOwner());
  if (result.getType().isIndex())
    return arith::ConstantIndexOp::create(builder, result.getLoc(), 1);
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isIntOrFloat())
    return {};
  return tenon::ConstantOp::create(builder, result.getLoc(), type, cast<TypedAttr>(builder.getZeroAttr(type)));
}

Reduction tenon::reduce::opToArgumentReduction() {
  return {countOps, [](ModuleOp module, unsigned begin, unsigned end) {
            return eraseOps(ArrayRef(opsOf(module)).slice(begin, end - begin), newArgument);
          }};
}

Reduction tenon::reduce::opToOperandReduction() {
  return {countOps, [](ModuleOp module, unsigned begin, unsigned end) {
            return eraseOps(ArrayRef(opsOf(module)).slice(begin, end - begin), operandFor);
          }};
}

Reduction tenon::reduce::opToZeroReduction() {
  return {countOps, [](ModuleOp module, unsigned begin, unsigned end) {
            return eraseOps(ArrayRef(opsOf(module)).slice(begin, end - begin), zeroFor);
          }};
}

/// Constants that take room in text.
static SmallVector<Operation *> largeConstants(ModuleOp module) {
  SmallVector<Operation *> constants;
  module.walk([&](ConstantOp constant) {
    if (!isa<SplatElementsAttr>(constant.getValue()) && constant.getType().getNumElements() > 32)
      constants.push_back(constant);
  });
  return constants;
}

Reduction tenon::reduce::constantToArgumentReduction() {
  return {[](ModuleOp module) -> unsigned { return largeConstants(module).size(); },
          [](ModuleOp module, unsigned begin, unsigned end) {
            return eraseOps(ArrayRef(largeConstants(module)).slice(begin, end - begin), newArgument);
          }};
}
