//===- InlinedFunctions.cpp - Calls of a model's own functions ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace tenon::onnx;
using ::onnx::AttributeProto;
using ::onnx::FunctionProto;
using ::onnx::NodeProto;

/// Nodes and what they list that functions may come to: some ten times what the largest models have.
static constexpr uint64_t kLargestInlined = uint64_t(1) << 20;

/// Functions and subgraphs in each other.
static constexpr unsigned kDeepest = 200;

std::string tenon::onnx::nameOf(const FunctionProto &function) {
  return function.domain() + "::" + function.name() + (function.overload().empty() ? "" : ":") + function.overload();
}

std::string tenon::onnx::keyOf(StringRef domain, StringRef name, StringRef overload) {
  // The lengths keep ("a", "bc") and ("ab", "c") apart.
  domain = normalDomain(domain);
  return std::to_string(domain.size()) + " " + std::to_string(name.size()) + " " + (domain + name + overload).str();
}

const FunctionProto *GraphImporter::findFunction(const NodeProto &node) const {
  if (functions.empty())
    return nullptr;
  return functions.lookup(keyOf(node.domain(), node.op_type(), node.overload()));
}

LogicalResult GraphImporter::checkGrowth(const NodeProto &node, Location location) {
  if (depth > kDeepest)
    return emitError(location) << "functions and subgraphs are nested more than " << kDeepest << " deep";
  // Nodes outside functions are as many as the file has.
  if (openCalls == 0)
    return success();
  inlinedSize += 1 + node.input_size() + node.output_size();
  for (const AttributeProto &attribute : node.attribute())
    inlinedSize += attribute.ints_size() + attribute.floats_size() + attribute.strings_size();
  if (inlinedSize > kLargestInlined)
    return emitError(location) << "the model's functions come to more than " << kLargestInlined
                               << " nodes, operands and elements of attributes when inlined";
  return success();
}

/// What precedes the names of nodes in a call. It is cut to its end before names grow with the depth of
/// calls.
static std::string prefixOf(Location call) {
  constexpr size_t kLongest = 1024;
  StringRef name = cast<NameLoc>(call).getName().getValue();
  return (name.size() > kLongest ? "..." : "") + name.take_back(kLongest).str() + "/";
}

LogicalResult GraphImporter::bindArguments(const NodeProto &node, Location location, const Scope &scope,
                                           const Activation &activation, Activation &callee) {
  const FunctionProto &function = *callee.function;
  for (const AttributeProto &attribute : node.attribute()) {
    bool isDeclared = llvm::is_contained(function.attribute(), attribute.name()) ||
                      llvm::any_of(function.attribute_proto(),
                                   [&](const AttributeProto &known) { return known.name() == attribute.name(); });
    if (!isDeclared)
      return emitError(location) << "the function '" << nameOf(function) << "' has no attribute '" << attribute.name()
                                 << "'";
    Activation::Argument argument{&attribute, &scope, &activation};
    if (!attribute.ref_attr_name().empty()) {
      // An attribute that the caller was not given is not passed on either.
      FailureOr<const Activation::Argument *> passed = findArgument(attribute, location, activation);
      if (failed(passed))
        return failure();
      if (!*passed)
        continue;
      argument = **passed;
    }
    if (!callee.arguments.try_emplace(attribute.name(), argument).second)
      return emitError(location) << "the attribute '" << attribute.name() << "' is given twice";
  }
  for (const AttributeProto &attribute : function.attribute_proto())
    callee.arguments.try_emplace(attribute.name(), Activation::Argument{&attribute, &noScope, &callee});
  return success();
}

LogicalResult GraphImporter::importCall(const NodeProto &node, const FunctionProto &function, Location location,
                                        Scope &scope, const Activation &activation) {
  for (const Activation *active = &activation; active; active = active->caller)
    if (active->function == &function)
      return emitError(location) << "the function '" << nameOf(function) << "' calls itself";
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
    return emitError(location) << "the function '" << nameOf(function) << "' has " << function.input_size()
                               << " inputs and " << function.output_size() << " outputs, but is called with "
                               << node.input_size() << " and " << node.output_size();

  Activation callee;
  callee.function = &function;
  callee.caller = &activation;
  callee.prefix = prefixOf(location);
  callee.opsets = modelOpsets;
  llvm::StringMap<int64_t> own;
  if (failed(readOpsets(function.opset_import(), location, own)))
    return failure();
  for (const auto &opset : own)
    callee.opsets[opset.getKey()] = opset.second;
  if (failed(bindArguments(node, location, scope, activation, callee)))
    return failure();

  Scope body;
  SmallVector<Value> operands;
  if (failed(lookupAll(node.input(), scope, location, operands)))
    return failure();
  for (auto [i, name] : llvm::enumerate(function.input()))
    if (failed(define(body, name, i < operands.size() ? operands[i] : none(), location)))
      return failure();
  if (failed(readTypes(function.value_info(), body)))
    return failure();
  // What the caller knows of the results holds inside too.
  for (auto [name, inner] : llvm::zip(node.output(), function.output()))
    if (Type type = scope.types.lookup(name))
      body.types.try_emplace(inner, type);
  inlinedSize += function.input_size() + function.value_info_size();
  ++depth;
  ++openCalls;
  LogicalResult imported = importNodes(function.node(), body, callee);
  --openCalls;
  --depth;
  if (failed(imported))
    return failure();
  for (auto [name, inner] : llvm::zip(node.output(), function.output())) {
    if (name.empty())
      continue;
    Value value = body.lookup(inner);
    if (!value)
      return emitError(location) << "the output '" << inner << "' of the function '" << nameOf(function)
                                 << "' is defined by nothing";
    scope.values[name] = value;
  }
  return success();
}
