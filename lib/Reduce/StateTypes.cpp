//===- StateTypes.cpp - States types of imported models ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reductions.h"

#include "tenon/Compiler/Pipelines.h"
#include "tenon/Dialect/ONNX/IR/ONNXOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::reduce;

static bool isStated(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  return isa<NoneType>(type) || (ranked && ranked.hasStaticShape());
}

/// The results of the first ops of a function that don't state their type.
static SmallVector<Value> unstatedOf(func::FuncOp function, unsigned numOps) {
  SmallVector<Value> values;
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (numOps-- == 0)
      break;
    for (Value result : op.getResults())
      if (isa<onnx::NodeOp>(op) && !isStated(result.getType()))
        values.push_back(result);
  }
  return values;
}

/// Types of these results by converting what leads to them; nothing where that has no conversion.
static std::optional<SmallVector<Type>> infer(ModuleOp module, StringRef name, unsigned numOps) {
  OwningOpRef<ModuleOp> copy = module.clone();
  auto function = copy->lookupSymbol<func::FuncOp>(name);
  SmallVector<Value> values = unstatedOf(function, numOps);
  Operation *terminator = function.getBody().front().getTerminator();
  terminator->setOperands(values);
  function.removeResAttrsAttr();
  function.setFunctionType(
      FunctionType::get(module.getContext(), function.getArgumentTypes(), ValueRange(values).getTypes()));
  for (unsigned i = 0; i < values.size(); ++i)
    function.setResultAttr(i, "tenon.name", StringAttr::get(module.getContext(), "value" + std::to_string(i)));
  eraseDeadOps(*copy);
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &) { return success(); });
  PassManager passes(module.getContext());
  buildConversionPipeline(passes);
  if (failed(passes.run(*copy)))
    return std::nullopt;
  function = copy->lookupSymbol<func::FuncOp>(name);
  if (!function || function.getNumResults() != values.size())
    return std::nullopt;
  return llvm::to_vector(function.getResultTypes());
}

bool tenon::reduce::stateTypes(ModuleOp module) {
  bool isChanged = false;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal() || !function.getBody().hasOneBlock())
      continue;
    // As far as ops have a conversion: the largest number of them, by halves.
    unsigned most = llvm::range_size(function.getBody().front()), least = 0;
    SmallVector<Type> types;
    for (unsigned tried = most; least < most; tried = (least + most + 1) / 2) {
      if (std::optional<SmallVector<Type>> inferred = infer(module, function.getName(), tried)) {
        types = std::move(*inferred);
        least = tried;
      } else {
        most = tried - 1;
      }
    }
    for (auto [value, type] : llvm::zip(unstatedOf(function, least), types))
      if (value.getType() != type && isa<RankedTensorType>(type)) {
        value.setType(type);
        isChanged = true;
      }
    Operation *terminator = function.getBody().front().getTerminator();
    function.setFunctionType(
        FunctionType::get(module.getContext(), function.getArgumentTypes(), terminator->getOperandTypes()));
  }
  return isChanged;
}
