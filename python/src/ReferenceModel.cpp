//===- ReferenceModel.cpp - The reference interpreter behind plain types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceModel.h"

#include "ModelSource.h"
#include "tenon/Conversion/Passes.h"
#include "tenon/Reference/Interpreter.h"
#include "tenon/Target/Host/HostProgram.h"

#include "mlir/Pass/PassManager.h"

#include <mutex>

using namespace mlir;
using namespace tenon::python;
namespace reference = tenon::reference;

struct ReferenceModel::State {
  State() : session(1) {}
  Session session;
  OwningOpRef<ModuleOp> module;
  func::FuncOp main;
  std::mutex mutex; ///< the interpreter is not made for several threads
};

ReferenceModel::ReferenceModel() : state(std::make_unique<State>()) {}
ReferenceModel::~ReferenceModel() = default;

std::string ReferenceModel::load(const CompileRequest &request) {
  state->module = importModel(request, &state->session.context);
  if (!state->module)
    return state->session.takeErrors();
  PassManager pm(&state->session.context);
  pm.addPass(createConvertONNXToTenonPass());
  if (failed(pm.run(*state->module)))
    return state->session.takeErrors();
  state->main = state->module->lookupSymbol<func::FuncOp>("main");
  if (!state->main)
    return "the model has no function 'main'";
  auto describe = [](Type type, std::string name) {
    PlainInfo info{std::move(name), 0, {}};
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      info.dtype = int32_t(host::dtypeOf(tensor.getElementType()));
      for (int64_t size : tensor.getShape())
        info.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
    }
    return info;
  };
  for (auto [i, type] : llvm::enumerate(state->main.getArgumentTypes()))
    inputs.push_back(describe(type, reference::argumentName(state->main, i)));
  for (auto [i, type] : llvm::enumerate(state->main.getResultTypes()))
    outputs.push_back(describe(type, reference::resultName(state->main, i)));
  return "";
}

std::string ReferenceModel::run(const std::map<std::string, PlainTensor> &feeds, std::vector<PlainTensor> &results) {
  std::lock_guard<std::mutex> lock(state->mutex);
  std::vector<reference::Value> arguments;
  for (auto [info, type] : llvm::zip(inputs, state->main.getArgumentTypes())) {
    auto it = feeds.find(info.name);
    auto ranked = dyn_cast<RankedTensorType>(type);
    if (!ranked)
      return "input '" + info.name + "' is no tensor, which the interpreter takes from Python alone";
    if (it == feeds.end())
      return "input '" + info.name + "' is not given";
    const PlainTensor &plain = it->second;
    if (plain.dtype != info.dtype || (int64_t)plain.shape.size() != ranked.getRank() ||
        failed(verifyCompatibleShape(plain.shape, ranked.getShape()))) {
      std::string expected;
      llvm::raw_string_ostream(expected) << ranked;
      return "input '" + info.name + "' expects " + expected;
    }
    llvm::Expected<reference::Tensor> tensor =
        reference::Tensor::fromWholeBytes(ranked.getElementType(), plain.shape, llvm::ArrayRef(plain.bytes.data(), plain.bytes.size()));
    if (!tensor)
      return "input '" + info.name + "': " + llvm::toString(tensor.takeError());
    arguments.push_back(std::move(*tensor));
  }
  llvm::Expected<std::vector<reference::Value>> values = reference::runFunction(state->main, arguments);
  if (!values)
    return llvm::toString(values.takeError());
  for (auto [info, value] : llvm::zip(outputs, *values)) {
    const auto *tensor = std::get_if<reference::Tensor>(&value);
    if (!tensor || tensor->holdsStrings())
      return "output '" + info.name + "' is no tensor of numbers, which the interpreter gives to Python alone";
    std::vector<char> bytes = tensor->toWholeBytes();
    results.push_back({int32_t(host::dtypeOf(tensor->getElementType())),
                       std::vector<int64_t>(tensor->getShape().begin(), tensor->getShape().end()),
                       std::string(bytes.begin(), bytes.end())});
  }
  return "";
}
