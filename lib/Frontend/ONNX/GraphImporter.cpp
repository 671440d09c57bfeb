//===- GraphImporter.cpp - Graphs and nodes as IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

#include "Types.h"
#include "tenon/Dialect/ONNX/IR/ONNXOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tenon::onnx;
using ::onnx::GraphProto;
using ::onnx::NodeProto;
using ::onnx::ValueInfoProto;

/// The newest IR_VERSION that onnx-ml.proto knows.
static constexpr int64_t kNewestIRVersion = ::onnx::IR_VERSION;
/// The newest version of the standard's operators whose meaning is known.
static constexpr int64_t kNewestOpset = 28;

llvm::StringRef tenon::onnx::normalDomain(StringRef domain) { return domain == "ai.onnx" ? "" : domain; }

static StringRef printedDomain(StringRef domain) { return domain.empty() ? "ai.onnx" : domain; }

Value Scope::lookup(StringRef name) const {
  for (const Scope *scope = this; scope; scope = scope->parent)
    if (Value value = scope->values.lookup(name))
      return value;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Names, types and values
//===----------------------------------------------------------------------===//

Location GraphImporter::named(StringRef name) { return NameLoc::get(builder.getStringAttr(name), fileLocation); }

Type GraphImporter::unknownType() { return UnknownType::get(builder.getContext()); }

Value GraphImporter::none() {
  if (!noneValue) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(entry);
    noneValue = NoneOp::create(builder, fileLocation, builder.getNoneType());
  }
  return noneValue;
}

LogicalResult GraphImporter::define(Scope &scope, StringRef name, Value value, Location location) {
  if (!scope.values.try_emplace(name, value).second)
    return emitError(location) << "the value '" << name << "' is defined twice";
  return success();
}

LogicalResult GraphImporter::lookupAll(const google::protobuf::RepeatedPtrField<std::string> &names, const Scope &scope,
                                       Location location, SmallVectorImpl<Value> &values) {
  for (const std::string &name : names) {
    values.push_back(name.empty() ? none() : scope.lookup(name));
    if (!values.back())
      return emitError(location) << "uses the value '" << name << "', which nothing defines";
  }
  return success();
}

LogicalResult GraphImporter::readTypes(const google::protobuf::RepeatedPtrField<ValueInfoProto> &infos, Scope &scope) {
  for (const ValueInfoProto &info : infos) {
    llvm::Expected<Type> type = convertType(info.type(), builder.getContext());
    if (!type)
      return emitError(named(info.name()))
             << "the type of the value '" << info.name() << "' is invalid: " << llvm::toString(type.takeError());
    if (*type)
      scope.types.try_emplace(info.name(), *type);
  }
  return success();
}

LogicalResult GraphImporter::readOpsets(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports,
                                        Location location, llvm::StringMap<int64_t> &opsets) {
  for (const auto &import : imports) {
    StringRef domain = normalDomain(import.domain());
    if (import.version() < 1)
      return emitError(location) << "the imported version " << import.version() << " of the operator set '"
                                 << printedDomain(domain) << "' doesn't exist, versions start at 1";
    if (domain.empty() && import.version() > kNewestOpset)
      return emitError(location) << "the imported version " << import.version() << " of the operator set '"
                                 << printedDomain(domain) << "' is newer than the " << kNewestOpset
                                 << " that is supported";
    // The standard: where a domain is imported twice, nodes mean the newest.
    int64_t &version = opsets[domain];
    version = std::max<int64_t>(version, import.version());
  }
  return success();
}

LogicalResult GraphImporter::importInitializers(const GraphProto &graph, Scope &scope) {
  auto add = [&](const auto &tensor, StringRef name) -> LogicalResult {
    Location location = named(name);
    if (name.empty())
      return emitError(location) << "an initializer has no name";
    llvm::Expected<TypedAttr> value = tensors.read(tensor);
    if (!value)
      return emitError(location) << "the initializer '" << name
                                 << "' cannot be imported: " << llvm::toString(value.takeError());
    return define(scope, name, tenon::ConstantOp::create(builder, location, value->getType(), *value), location);
  };
  for (const auto &tensor : graph.initializer())
    if (failed(add(tensor, tensor.name())))
      return failure();
  for (const auto &tensor : graph.sparse_initializer())
    if (failed(add(tensor, tensor.values().name())))
      return failure();
  return success();
}

/// While inputs are read, whether an initializer gives one its value.
static bool isInitializer(const Scope &scope, StringRef name) {
  Value value = scope.values.lookup(name);
  return value && !isa<BlockArgument>(value);
}

//===----------------------------------------------------------------------===//
// Nodes and subgraphs
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::importNodes(const NodeList &nodes, Scope &scope, const Activation &activation) {
  auto nameOfNode = [&](int i) {
    const NodeProto &node = nodes[i];
    return activation.prefix + (node.name().empty() ? node.op_type() + "_" + std::to_string(i) : node.name());
  };
  // Before the order is sought, which needs to know which node gives a name its value.
  llvm::StringSet<> made;
  for (auto [i, node] : llvm::enumerate(nodes))
    for (const std::string &output : node.output())
      if (!output.empty() && (scope.values.count(output) || !made.insert(output).second))
        return emitError(named(nameOfNode(i))) << "the value '" << output << "' is defined twice";
  SmallVector<int> order;
  if (!orderNodes(nodes, order)) {
    InFlightDiagnostic error = emitError(named(nameOfNode(order.front()))) << "nodes use each other's results: ";
    constexpr size_t kShown = 8;
    for (int i : ArrayRef<int>(order).take_front(kShown))
      error << "'" << nameOfNode(i) << "' <- ";
    if (order.size() > kShown)
      error << "... <- ";
    return error << "'" << nameOfNode(order.front()) << "'";
  }
  for (int i : order)
    if (failed(importNode(nodes[i], named(nameOfNode(i)), scope, activation)))
      return failure();
  return success();
}

/// Where a node comes from, in the words of torch.onnx, which writes them to the node's metadata: the innermost module
/// of a list like `['', 'encoder', 'encoder.layer.0']`, and the last place of a stack trace in Python. Empty where it
/// says nothing.
static std::string originOf(const NodeProto &node) {
  StringRef module, file, line;
  for (const auto &entry : node.metadata_props()) {
    StringRef text(entry.value());
    if (entry.key() == "pkg.torch.onnx.name_scopes") {
      module = text.rsplit(',').second.empty() ? text : text.rsplit(',').second;
      module = module.trim("[] '\"");
    } else if (entry.key() == "pkg.torch.onnx.stack_trace") {
      size_t last = text.rfind("File \"");
      if (last == StringRef::npos)
        continue;
      std::tie(file, line) = text.substr(last + 6).split("\", line ");
      line = line.take_while([](char c) { return llvm::isDigit(c); });
      file = file.substr(file.find_last_of("/\\") + 1);
    }
  }
  std::string origin = module.empty() ? "" : "'" + module.str() + "'";
  if (!file.empty() && !line.empty())
    origin += (origin.empty() ? "" : " at ") + file.str() + ":" + line.str();
  return origin;
}

LogicalResult GraphImporter::importNode(const NodeProto &node, Location location, Scope &scope,
                                        const Activation &activation) {
  if (node.op_type().empty())
    return emitError(location) << "a node has no op_type";
  if (failed(checkGrowth(node, location)))
    return failure();
  if (const ::onnx::FunctionProto *function = findFunction(node))
    return importCall(node, *function, location, scope, activation);

  StringRef domain = normalDomain(node.domain());
  int64_t version = activation.opsets.lookup(domain);
  // ONNX Runtime's tools leave out the one version that there is.
  if (version == 0 && domain == "com.microsoft")
    version = 1;
  if (version == 0)
    return emitError(location) << "the operator '" << node.op_type() << "' is of the operator set '"
                               << printedDomain(domain) << "', of which the model imports no version";
  SmallVector<Value> operands;
  if (failed(lookupAll(node.input(), scope, location, operands)))
    return failure();
  NamedAttrList attributes;
  SmallVector<Subgraph> subgraphs;
  if (failed(importAttributes(node, location, scope, activation, attributes, subgraphs)))
    return failure();
  SmallVector<Type> types;
  for (const std::string &output : node.output()) {
    Type known = output.empty() ? builder.getNoneType() : scope.types.lookup(output);
    types.push_back(known ? known : unknownType());
  }
  SmallVector<StringRef> regionNames;
  for (const Subgraph &subgraph : subgraphs)
    regionNames.push_back(subgraph.name);
  auto op = NodeOp::create(builder, location, types, node.op_type(), domain, version, operands,
                           attributes.getDictionary(builder.getContext()), builder.getStrArrayAttr(regionNames),
                           subgraphs.size());
  if (std::string origin = originOf(node); !origin.empty())
    op->setAttr("tenon_onnx.origin", builder.getStringAttr(origin));
  for (auto [subgraph, region] : llvm::zip(subgraphs, op.getBodies()))
    if (failed(importSubgraph(subgraph, region, location)))
      return failure();
  for (auto [name, result] : llvm::zip(node.output(), op.getResults()))
    if (!name.empty())
      scope.values[name] = result;
  return success();
}

LogicalResult GraphImporter::importSubgraph(const Subgraph &subgraph, Region &region, Location location) {
  const GraphProto &graph = *subgraph.graph;
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region);
  Scope scope;
  scope.parent = subgraph.scope;
  if (failed(readTypes(graph.input(), scope)) || failed(readTypes(graph.output(), scope)) ||
      failed(readTypes(graph.value_info(), scope)) || failed(importInitializers(graph, scope)))
    return failure();
  for (const ValueInfoProto &input : graph.input()) {
    // As in the main graph, an initializer of that name is its value.
    if (isInitializer(scope, input.name()))
      continue;
    Type type = scope.types.lookup(input.name());
    Value value = block->addArgument(type ? type : unknownType(), named(input.name()));
    if (failed(define(scope, input.name(), value, location)))
      return failure();
  }
  ++depth;
  LogicalResult imported = importNodes(graph.node(), scope, *subgraph.activation);
  --depth;
  if (failed(imported))
    return failure();
  SmallVector<Value> results;
  for (const ValueInfoProto &output : graph.output()) {
    results.push_back(scope.lookup(output.name()));
    if (!results.back())
      return emitError(location) << "the output '" << output.name() << "' of the subgraph '" << subgraph.name
                                 << "' is defined by nothing";
  }
  YieldOp::create(builder, location, results);
  return success();
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::readModel() {
  if (!model.has_graph())
    return emitError(fileLocation) << "the model has no graph";
  if (model.ir_version() < 1)
    return emitError(fileLocation) << "the model states no IR version, which says how it is to be read";
  if (model.ir_version() > kNewestIRVersion)
    return emitError(fileLocation) << "the model is of IR version " << model.ir_version() << ", newer than the "
                                   << kNewestIRVersion << " that is supported";
  // Before IR version 3 there was one set of operators.
  if (model.opset_import().empty() && model.ir_version() < 3)
    modelOpsets[""] = 1;
  else if (model.opset_import().empty())
    return emitError(fileLocation) << "the model imports no operator set";
  if (failed(readOpsets(model.opset_import(), fileLocation, modelOpsets)))
    return failure();
  for (const ::onnx::FunctionProto &function : model.functions()) {
    std::string key = keyOf(function.domain(), function.name(), function.overload());
    if (!functions.try_emplace(key, &function).second)
      return emitError(fileLocation) << "the function '" << nameOf(function) << "' is defined twice";
  }
  return success();
}

void GraphImporter::describeModel(ModuleOp module) {
  auto setString = [&](const char *name, StringRef value) {
    if (!value.empty())
      module->setAttr(name, builder.getStringAttr(value));
  };
  setString("tenon_onnx.model", model.graph().name());
  setString("tenon_onnx.producer", model.producer_name());
  setString("tenon_onnx.producer_version", model.producer_version());
  setString("tenon_onnx.domain", model.domain());
  if (model.model_version() != 0)
    setString("tenon_onnx.version", std::to_string(model.model_version()));
  setString("tenon_onnx.description", model.doc_string());
  setString("tenon_onnx.graph_description", model.graph().doc_string());
  module->setAttr("tenon_onnx.ir_version", builder.getI64IntegerAttr(model.ir_version()));
  SmallVector<NamedAttribute> opsets;
  for (const auto &opset : modelOpsets)
    opsets.push_back(builder.getNamedAttr(printedDomain(opset.getKey()), builder.getI64IntegerAttr(opset.second)));
  module->setAttr("tenon_onnx.opsets", builder.getDictionaryAttr(opsets));
  NamedAttrList metadata;
  for (const auto &entry : model.metadata_props())
    if (!entry.key().empty())
      metadata.set(entry.key(), builder.getStringAttr(entry.value()));
  if (!metadata.empty())
    module->setAttr("tenon_onnx.metadata", metadata.getDictionary(builder.getContext()));
}

/// The attributes that give an argument or a result of @main its name and its dimensions' names.
static DictionaryAttr describeValue(const ValueInfoProto &info, Builder &builder) {
  SmallVector<NamedAttribute> attributes;
  if (ArrayAttr names = dimensionNames(info.type(), builder.getContext()))
    attributes.push_back(builder.getNamedAttr("tenon.dims", names));
  attributes.push_back(builder.getNamedAttr("tenon.name", builder.getStringAttr(info.name())));
  return builder.getDictionaryAttr(attributes);
}

LogicalResult GraphImporter::importMain(ModuleOp module) {
  Activation main;
  main.opsets = modelOpsets;
  const GraphProto &graph = model.graph();
  auto function = func::FuncOp::create(builder, fileLocation, "main", builder.getFunctionType({}, {}));
  entry = function.addEntryBlock();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(entry);
  Scope scope;
  if (failed(importInitializers(graph, scope)) || failed(readTypes(graph.input(), scope)))
    return failure();

  SmallVector<Attribute> described;
  for (const ValueInfoProto &input : graph.input()) {
    if (isInitializer(scope, input.name()))
      continue;
    Location location = named(input.name());
    Type type = scope.types.lookup(input.name());
    if (input.name().empty())
      return emitError(location) << "an input has no name";
    if (!type)
      return emitError(location) << "the input '" << input.name()
                                 << "' has no type, or one that is neither a tensor, a sequence nor an optional";
    if (failed(define(scope, input.name(), entry->addArgument(type, location), location)))
      return failure();
    described.push_back(describeValue(input, builder));
  }
  // What is said of an output where it is declared comes before what is said beside.
  if (failed(readTypes(graph.output(), scope)) || failed(readTypes(graph.value_info(), scope)) ||
      failed(importNodes(graph.node(), scope, main)))
    return failure();

  if (graph.output().empty())
    return emitError(fileLocation) << "the model has no outputs";
  SmallVector<Value> results;
  SmallVector<Attribute> describedResults;
  for (const ValueInfoProto &output : graph.output()) {
    results.push_back(scope.lookup(output.name()));
    if (!results.back())
      return emitError(named(output.name())) << "the output '" << output.name() << "' is defined by nothing";
    describedResults.push_back(describeValue(output, builder));
  }
  func::ReturnOp::create(builder, fileLocation, results);
  function.setFunctionType(builder.getFunctionType(entry->getArgumentTypes(), ValueRange(results).getTypes()));
  function.setArgAttrsAttr(builder.getArrayAttr(described));
  function.setResAttrsAttr(builder.getArrayAttr(describedResults));
  return success();
}

OwningOpRef<ModuleOp> GraphImporter::importModel() {
  if (failed(readModel()))
    return nullptr;
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder, fileLocation);
  builder.setInsertionPointToStart(module->getBody());
  describeModel(*module);
  if (failed(importMain(*module)))
    return nullptr;
  return module;
}
