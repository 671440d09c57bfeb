//===- Attributes.cpp - Attributes of nodes ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphImporter.h"

#include "Types.h"

#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace tenon::onnx;
using ::onnx::AttributeProto;

/// The attribute's type; files of IR version 1 leave it to the field that is there.
static AttributeProto::AttributeType typeOf(const AttributeProto &attribute) {
  if (attribute.type() != AttributeProto::UNDEFINED)
    return attribute.type();
  if (attribute.has_f())
    return AttributeProto::FLOAT;
  if (attribute.has_i())
    return AttributeProto::INT;
  if (attribute.has_s())
    return AttributeProto::STRING;
  if (attribute.has_t())
    return AttributeProto::TENSOR;
  if (attribute.has_g())
    return AttributeProto::GRAPH;
  if (attribute.floats_size())
    return AttributeProto::FLOATS;
  if (attribute.ints_size())
    return AttributeProto::INTS;
  if (attribute.strings_size())
    return AttributeProto::STRINGS;
  return AttributeProto::UNDEFINED;
}

/// An array of what `convert` makes of each element.
template <typename List, typename Convert>
static llvm::Expected<Attribute> convertAll(Builder &builder, const List &list, Convert convert) {
  SmallVector<Attribute> elements;
  for (const auto &element : list) {
    auto converted = convert(element);
    if (!converted)
      return converted.takeError();
    elements.push_back(*converted);
  }
  return builder.getArrayAttr(elements);
}

/// What the standard's checker asks of an attribute: one value at most, of the kind that is stated. Kinds are stated
/// from IR version 2 on.
static llvm::Error checkFields(const AttributeProto &attribute, int64_t irVersion) {
  const std::pair<bool, AttributeProto::AttributeType> fields[] = {
      {attribute.has_f(), AttributeProto::FLOAT},
      {attribute.has_i(), AttributeProto::INT},
      {attribute.has_s(), AttributeProto::STRING},
      {attribute.has_t(), AttributeProto::TENSOR},
      {attribute.has_g(), AttributeProto::GRAPH},
      {attribute.has_sparse_tensor(), AttributeProto::SPARSE_TENSOR},
      {attribute.has_tp(), AttributeProto::TYPE_PROTO},
      {attribute.floats_size() != 0, AttributeProto::FLOATS},
      {attribute.ints_size() != 0, AttributeProto::INTS},
      {attribute.strings_size() != 0, AttributeProto::STRINGS},
      {attribute.tensors_size() != 0, AttributeProto::TENSORS},
      {attribute.graphs_size() != 0, AttributeProto::GRAPHS},
      {attribute.sparse_tensors_size() != 0, AttributeProto::SPARSE_TENSORS},
      {attribute.type_protos_size() != 0, AttributeProto::TYPE_PROTOS}};
  auto nameOf = [](AttributeProto::AttributeType type) { return ::onnx::AttributeProto_AttributeType_Name(type); };
  if (attribute.type() == AttributeProto::UNDEFINED && irVersion >= 2)
    return llvm::createStringError("its type is not stated");
  if (llvm::count_if(fields, [](const auto &field) { return field.first; }) > 1)
    return llvm::createStringError("it has values of more than one type");
  for (auto [holds, type] : fields)
    if (holds && attribute.type() != AttributeProto::UNDEFINED && attribute.type() != type)
      return llvm::createStringError("it is stated to be " + nameOf(attribute.type()) + ", but holds " + nameOf(type));
  return llvm::Error::success();
}

llvm::Expected<Attribute> GraphImporter::convertAttribute(const AttributeProto &attribute, const Scope &scope,
                                                          const Activation &activation,
                                                          SmallVectorImpl<Subgraph> &subgraphs) {
  auto readTensor = [&](const auto &tensor) { return tensors.read(tensor); };
  auto readType = [&](const ::onnx::TypeProto &proto) -> llvm::Expected<TypeAttr> {
    llvm::Expected<Type> type = convertType(proto, builder.getContext());
    if (!type)
      return type.takeError();
    return TypeAttr::get(*type ? *type : unknownType());
  };
  if (llvm::Error error = checkFields(attribute, model.ir_version()))
    return std::move(error);
  // A field that holds a zero may be left out, a message may not.
  auto missing = [&] { return llvm::createStringError("it has no value"); };
  switch (typeOf(attribute)) {
  case AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case AttributeProto::TENSOR:
    return attribute.has_t() ? tensors.read(attribute.t()) : missing();
  case AttributeProto::SPARSE_TENSOR:
    return attribute.has_sparse_tensor() ? tensors.read(attribute.sparse_tensor()) : missing();
  case AttributeProto::TYPE_PROTO:
    if (!attribute.has_tp())
      return missing();
    return readType(attribute.tp());
  case AttributeProto::GRAPH:
    if (!attribute.has_g())
      return missing();
    subgraphs.push_back({attribute.name(), &attribute.g(), &scope, &activation});
    return Attribute();
  case AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(ArrayRef<float>(attribute.floats().data(), attribute.floats_size()));
  case AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
  case AttributeProto::STRINGS:
    return builder.getStrArrayAttr(SmallVector<StringRef>(attribute.strings().begin(), attribute.strings().end()));
  case AttributeProto::TENSORS:
    return convertAll(builder, attribute.tensors(), readTensor);
  case AttributeProto::SPARSE_TENSORS:
    return convertAll(builder, attribute.sparse_tensors(), readTensor);
  case AttributeProto::TYPE_PROTOS:
    return convertAll(builder, attribute.type_protos(), readType);
  case AttributeProto::GRAPHS:
    for (auto [i, graph] : llvm::enumerate(attribute.graphs()))
      subgraphs.push_back({attribute.name() + "[" + std::to_string(i) + "]", &graph, &scope, &activation});
    return Attribute();
  case AttributeProto::UNDEFINED:
    break;
  }
  return llvm::createStringError("its kind %d is unknown", int(attribute.type()));
}

FailureOr<const Activation::Argument *> GraphImporter::findArgument(const AttributeProto &attribute, Location location,
                                                                    const Activation &activation) {
  const std::string &name = attribute.ref_attr_name();
  if (!activation.function)
    return emitError(location) << "the attribute '" << attribute.name() << "' refers to '" << name
                               << "', an attribute of a function, but is in none";
  auto found = activation.arguments.find(name);
  if (found != activation.arguments.end())
    return &found->second;
  if (llvm::is_contained(activation.function->attribute(), name))
    return nullptr;
  return emitError(location) << "the attribute '" << attribute.name() << "' refers to '" << name
                             << "', which the function '" << nameOf(*activation.function) << "' does not have";
}

LogicalResult GraphImporter::importAttributes(const ::onnx::NodeProto &node, Location location, const Scope &scope,
                                              const Activation &activation, NamedAttrList &attributes,
                                              SmallVectorImpl<Subgraph> &subgraphs) {
  llvm::StringSet<> names;
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.name().empty())
      return emitError(location) << "an attribute has no name";
    if (!names.insert(attribute.name()).second)
      return emitError(location) << "the attribute '" << attribute.name() << "' is given twice";
    Activation::Argument argument{&attribute, &scope, &activation};
    if (!attribute.ref_attr_name().empty()) {
      FailureOr<const Activation::Argument *> given = findArgument(attribute, location, activation);
      if (failed(given))
        return failure();
      if (!*given)
        continue;
      argument = **given;
    }
    size_t first = subgraphs.size();
    llvm::Expected<Attribute> value =
        convertAttribute(*argument.attribute, *argument.scope, *argument.activation, subgraphs);
    if (!value)
      return emitError(location) << "the attribute '" << attribute.name()
                                 << "' cannot be imported: " << llvm::toString(value.takeError());
    if (*value)
      attributes.set(attribute.name(), *value);
    // A subgraph that a caller passes goes under the name that it is referred to by.
    for (Subgraph &subgraph : MutableArrayRef<Subgraph>(subgraphs).drop_front(first))
      subgraph.name.replace(0, argument.attribute->name().size(), attribute.name());
  }
  return success();
}
