//===- ONNXOps.td - ONNX models as they are -------------------------------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_ONNX_IR_ONNXOPS
#define TENON_DIALECT_ONNX_IR_ONNXOPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "tenon_onnx";
  let cppNamespace = "::tenon::onnx";
  let summary = "ONNX models, node by node, with nothing lost and nothing understood";
  let description = [{
    What the importer gives: one generic op per node. Initialisers are `tenon.constant`, the graph is `func.func
    @main` whose arguments and results carry `tenon.name` and, where the model states them, `tenon.dims`: one string
    per dimension, the symbol's name or "". Subgraphs are regions that see the values around them.
  }];
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::tenon::TenonDialect"];
}

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_UnknownType : TypeDef<ONNX_Dialect, "Unknown"> {
  let mnemonic = "unknown";
  let summary = "The type of a value of which the model says nothing";
}

def ONNX_NodeOp : ONNX_Op<"node", [RecursiveMemoryEffects]> {
  let summary = "a node of a model";
  let description = [{
    `version` is the version of the domain's operator set that the model imports. `node_attributes` has the node's
    attributes under their names: integers as `i64`, floats as `f32`, strings as strings, lists as
    `array<i64: ..>`, `array<f32: ..>` or arrays of strings, tensors as elements (`dense` or `#tenon.blob`), types as
    types. A subgraph is the region whose position is that of its name in `regions`. An operand that is left out is
    `tenon_onnx.none`; a result that is left out has no users and type `none`. Types of results are what the model
    states; where it states none, `!tenon_onnx.unknown`. The node's name is the name of its location.

    ```mlir
    %y = tenon_onnx.node "Gemm" version 17 (%a, %b, %none) {transB = 1 : i64}
         : (tensor<?x8xf32>, tensor<4x8xf32>, none) -> !tenon_onnx.unknown
    ```
  }];
  let arguments = (ins StrAttr:$op_type, DefaultValuedAttr<StrAttr, "\"\"">:$domain, I64Attr:$version,
                       Variadic<AnyType>:$operands, DictionaryAttr:$node_attributes,
                       DefaultValuedAttr<StrArrayAttr, "{}">:$region_names);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let assemblyFormat = [{
    $op_type (`domain` $domain^)? `version` $version `(` $operands `)` $node_attributes
    (`regions` $region_names^ $bodies)? attr-dict `:` functional-type($operands, $results)
  }];
  let extraClassDeclaration = [{
    /// The node's name in the model, or "".
    llvm::StringRef getNodeName();
    /// The subgraph of that attribute name, or null.
    mlir::Region *getBody(llvm::StringRef name);
  }];
  let hasVerifier = 1;
}

def ONNX_YieldOp : ONNX_Op<"yield", [Pure, Terminator, ReturnLike, HasParent<"NodeOp">]> {
  let summary = "ends a subgraph and gives its outputs";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def ONNX_NoneOp : ONNX_Op<"none", [Pure]> {
  let summary = "stands for an operand that is left out";
  let results = (outs NoneType:$result);
  let assemblyFormat = "attr-dict";
}

#endif // TENON_DIALECT_ONNX_IR_ONNXOPS
