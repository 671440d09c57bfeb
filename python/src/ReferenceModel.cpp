//===- ReferenceModel.cpp - The reference interpreter behind plain types ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReferenceModel.h"

#include "ModelSource.h"
#include "tenon/Compiler/Diagnostics.h"
#include "tenon/Compiler/Pipelines.h"
#include "tenon/Dialect/Tenon/IR/OutputKeys.h"
#include "tenon/Dialect/Tenon/IR/TenonDialect.h"
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

/// What a sequence or optional holds; null of any other type.
static Type heldType(Type type) {
  if (auto sequence = dyn_cast<tenon::SequenceType>(type))
    return sequence.getElementType();
  auto optional = dyn_cast<tenon::OptionalType>(type);
  return optional ? optional.getElementType() : Type();
}

static PlainKind kindOf(Type type) {
  return isa<tenon::SequenceType>(type)   ? PlainKind::sequence
         : isa<tenon::OptionalType>(type) ? PlainKind::optional
                                          : PlainKind::tensor;
}

static int32_t dtypeOf(Type element) {
  return int32_t(isa<tenon::StringType>(element) ? tenon::artifact::DType::String : tenon::host::dtypeOf(element));
}

/// A value of that type, or an error that says what is wrong with it.
static llvm::Expected<reference::Value> fromPlain(const PlainValue &plain, Type type) {
  auto mismatch = [&] {
    std::string expected;
    llvm::raw_string_ostream(expected) << type;
    return llvm::createStringError("expects " + expected);
  };
  if (plain.kind != kindOf(type))
    return mismatch();
  if (Type held = heldType(type)) {
    std::vector<reference::Value> items;
    for (const PlainValue &item : plain.items) {
      llvm::Expected<reference::Value> value = fromPlain(item, held);
      if (!value)
        return value;
      items.push_back(std::move(*value));
    }
    if (plain.kind == PlainKind::sequence)
      return std::make_shared<reference::Sequence>(reference::Sequence{std::move(items)});
    return std::make_shared<reference::Optional>(reference::Optional{std::move(items)});
  }
  auto shaped = cast<ShapedType>(type);
  if (plain.dtype != dtypeOf(shaped.getElementType()) ||
      (shaped.hasRank() && ((int64_t)plain.shape.size() != shaped.getRank() ||
                            failed(verifyCompatibleShape(plain.shape, shaped.getShape())))))
    return mismatch();
  bool isString = isa<tenon::StringType>(shaped.getElementType());
  llvm::Expected<reference::Tensor> tensor =
      isString ? reference::Tensor::create(shaped.getElementType(), plain.shape)
               : reference::Tensor::fromWholeBytes(shaped.getElementType(), plain.shape,
                                                   llvm::ArrayRef(plain.bytes.data(), plain.bytes.size()));
  if (!tensor)
    return tensor.takeError();
  if (isString && (int64_t)plain.strings.size() != tensor->getNumElements())
    return mismatch();
  if (isString)
    tensor->getStrings() = plain.strings;
  return std::move(*tensor);
}

static PlainValue toPlain(const reference::Value &value) {
  PlainValue plain;
  auto take = [&](PlainKind kind, const std::vector<reference::Value> &items) {
    plain.kind = kind;
    for (const reference::Value &item : items)
      plain.items.push_back(toPlain(item));
  };
  if (const auto *tensor = std::get_if<reference::Tensor>(&value)) {
    plain.dtype = dtypeOf(tensor->getElementType());
    plain.shape.assign(tensor->getShape().begin(), tensor->getShape().end());
    if (tensor->holdsStrings()) {
      plain.strings = tensor->getStrings();
    } else {
      std::vector<char> bytes = tensor->toWholeBytes();
      plain.bytes.assign(bytes.begin(), bytes.end());
    }
  } else if (const auto *sequence = std::get_if<std::shared_ptr<reference::Sequence>>(&value)) {
    take(PlainKind::sequence, (*sequence)->values);
  } else if (const auto *optional = std::get_if<std::shared_ptr<reference::Optional>>(&value)) {
    take(PlainKind::optional, (*optional)->value);
  }
  return plain;
}

std::string ReferenceModel::load(const CompileRequest &request) {
  state->module = importModel(request, &state->session.context);
  if (!state->module)
    return state->session.takeErrors();
  PassManager pm(&state->session.context);
  tenon::buildConversionPipeline(pm, request.sizes);
  if (failed(pm.run(*state->module)))
    return state->session.takeErrors();
  warnings = state->session.takeWarnings();
  state->main = state->module->lookupSymbol<func::FuncOp>("main");
  if (!state->main)
    return "the model has no function 'main'";
  auto describe = [](Type type, std::string name, ArrayAttr dims) {
    PlainInfo info{std::move(name), 0, {}, {}, kindOf(type)};
    while (Type held = heldType(type))
      type = held;
    info.dtype = int32_t(dtypeOf(getElementTypeOrSelf(type)));
    if (info.kind != PlainKind::tensor)
      return info;
    if (auto tensor = dyn_cast<RankedTensorType>(type)) {
      for (int64_t size : tensor.getShape())
        info.shape.push_back(ShapedType::isDynamic(size) ? -1 : size);
      info.symbols.resize(info.shape.size());
      for (auto [symbol, dim] : llvm::zip(info.symbols, dims ? dims.getValue() : ArrayRef<Attribute>()))
        if (auto text = dyn_cast<StringAttr>(dim))
          symbol = text.str();
    }
    return info;
  };
  for (auto [i, type] : llvm::enumerate(state->main.getArgumentTypes()))
    inputs.push_back(describe(type, reference::argumentName(state->main, i),
                              state->main.getArgAttrOfType<ArrayAttr>(i, "tenon.dims")));
  for (auto [i, type] : llvm::enumerate(state->main.getResultTypes())) {
    PlainInfo &output = outputs.emplace_back(describe(type, reference::resultName(state->main, i),
                                                      state->main.getResultAttrOfType<ArrayAttr>(i, "tenon.dims")));
    for (Attribute key : tenon::keysOf(*state->module, output.name)) {
      if (auto text = dyn_cast<StringAttr>(key))
        output.texts.push_back(text.str());
      else
        output.numbers.push_back(cast<IntegerAttr>(key).getInt());
    }
  }
  return "";
}

std::string ReferenceModel::run(const std::map<std::string, PlainValue> &feeds, std::vector<PlainValue> &results,
                                const std::atomic<bool> &isCancelled) {
  std::lock_guard<std::mutex> lock(state->mutex);
  std::vector<reference::Value> arguments;
  for (auto [info, type] : llvm::zip(inputs, state->main.getArgumentTypes())) {
    auto it = feeds.find(info.name);
    if (it == feeds.end())
      return "input '" + info.name + "' is not given";
    llvm::Expected<reference::Value> value = fromPlain(it->second, type);
    if (!value)
      return "input '" + info.name + "': " + llvm::toString(value.takeError());
    arguments.push_back(std::move(*value));
  }
  llvm::Expected<std::vector<reference::Value>> values = reference::runFunction(state->main, arguments, &isCancelled);
  if (!values)
    return tenon::escapeText(llvm::toString(values.takeError()));
  for (const reference::Value &value : *values)
    results.push_back(toPlain(value));
  return "";
}
