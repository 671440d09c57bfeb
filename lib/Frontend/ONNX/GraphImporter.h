//===- GraphImporter.h - Graphs, nodes and functions as IR ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
#define TENON_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H

#include "NodeOrder.h"
#include "Tensors.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"

namespace tenon::onnx {

/// The values that names stand for in a graph or function, and what the model says of their types.
struct Scope {
  /// The scope around a subgraph; null for the main graph and for functions, which see nothing else.
  const Scope *parent = nullptr;
  llvm::StringMap<mlir::Value> values;
  llvm::StringMap<mlir::Type> types;

  mlir::Value lookup(llvm::StringRef name) const;
};

/// What nodes are read in: the main graph, or one call of a function.
struct Activation {
  /// Null for the main graph.
  const ::onnx::FunctionProto *function = nullptr;
  const Activation *caller = nullptr;
  llvm::StringMap<int64_t> opsets;
  /// What precedes the names of nodes.
  std::string prefix;
  /// An attribute of the call, with the scope and the activation that its subgraphs belong to.
  struct Argument {
    const ::onnx::AttributeProto *attribute;
    const Scope *scope;
    const Activation *activation;
  };
  llvm::StringMap<Argument> arguments;
};

/// Builds the IR of one model. Errors are emitted where they are found.
class GraphImporter {
public:
  GraphImporter(const ::onnx::ModelProto &model, TensorReader &tensors, mlir::Location location)
      : model(model), tensors(tensors), fileLocation(location), builder(location.getContext()) {}

  mlir::OwningOpRef<mlir::ModuleOp> importModel();

private:
  /// A subgraph among a node's attributes.
  struct Subgraph {
    std::string name;
    const ::onnx::GraphProto *graph;
    const Scope *scope;
    const Activation *activation;
  };

  mlir::LogicalResult readModel();
  void describeModel(mlir::ModuleOp module);
  mlir::LogicalResult importMain(mlir::ModuleOp module);
  mlir::LogicalResult importInitializers(const ::onnx::GraphProto &graph, Scope &scope);
  mlir::LogicalResult importNodes(const NodeList &nodes, Scope &scope, const Activation &activation);
  mlir::LogicalResult importNode(const ::onnx::NodeProto &node, mlir::Location location, Scope &scope,
                                 const Activation &activation);
  mlir::LogicalResult importSubgraph(const Subgraph &subgraph, mlir::Region &region, mlir::Location location);
  mlir::LogicalResult importCall(const ::onnx::NodeProto &node, const ::onnx::FunctionProto &function,
                                 mlir::Location location, Scope &scope, const Activation &activation);
  mlir::LogicalResult bindArguments(const ::onnx::NodeProto &node, mlir::Location location, const Scope &scope,
                                    const Activation &activation, Activation &callee);

  mlir::LogicalResult importAttributes(const ::onnx::NodeProto &node, mlir::Location location, const Scope &scope,
                                       const Activation &activation, mlir::NamedAttrList &attributes,
                                       llvm::SmallVectorImpl<Subgraph> &subgraphs);
  /// Null for subgraphs, which it adds.
  llvm::Expected<mlir::Attribute> convertAttribute(const ::onnx::AttributeProto &attribute, const Scope &scope,
                                                   const Activation &activation,
                                                   llvm::SmallVectorImpl<Subgraph> &subgraphs);

  /// The argument that a function's attribute refers to, or null if the call gives none.
  mlir::FailureOr<const Activation::Argument *> findArgument(const ::onnx::AttributeProto &attribute,
                                                             mlir::Location location, const Activation &activation);

  mlir::LogicalResult readTypes(const google::protobuf::RepeatedPtrField<::onnx::ValueInfoProto> &infos, Scope &scope);
  mlir::LogicalResult readOpsets(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &imports,
                                 mlir::Location location, llvm::StringMap<int64_t> &opsets);
  mlir::LogicalResult define(Scope &scope, llvm::StringRef name, mlir::Value value, mlir::Location location);
  mlir::LogicalResult lookupAll(const google::protobuf::RepeatedPtrField<std::string> &names, const Scope &scope,
                                mlir::Location location, llvm::SmallVectorImpl<mlir::Value> &values);
  mlir::Location named(llvm::StringRef name);
  mlir::Type unknownType();
  /// The value of operands that are left out.
  mlir::Value none();
  const ::onnx::FunctionProto *findFunction(const ::onnx::NodeProto &node) const;
  /// Bounds what inlining may make of a small file, and how deep it nests.
  mlir::LogicalResult checkGrowth(const ::onnx::NodeProto &node, mlir::Location location);

  const ::onnx::ModelProto &model;
  TensorReader &tensors;
  mlir::Location fileLocation;
  mlir::OpBuilder builder;
  mlir::Block *entry = nullptr;
  mlir::Value noneValue;
  llvm::StringMap<const ::onnx::FunctionProto *> functions;
  llvm::StringMap<int64_t> modelOpsets;
  /// What a subgraph sees that is an attribute's default.
  const Scope noScope;
  uint64_t inlinedSize = 0;
  unsigned depth = 0, openCalls = 0;
};

/// "" for the standard's domain, which has two names.
llvm::StringRef normalDomain(llvm::StringRef domain);

/// What a function is found by.
std::string keyOf(llvm::StringRef domain, llvm::StringRef name, llvm::StringRef overload);

/// A function's name for people, as in `local::Gelu`.
std::string nameOf(const ::onnx::FunctionProto &function);

} // namespace tenon::onnx

#endif // TENON_LIB_FRONTEND_ONNX_GRAPHIMPORTER_H
