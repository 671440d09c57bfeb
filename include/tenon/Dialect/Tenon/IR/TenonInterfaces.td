//===- TenonInterfaces.td - What graph passes ask of an op --------------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_TENONINTERFACES
#define TENON_DIALECT_TENON_IR_TENONINTERFACES

include "mlir/IR/OpBase.td"

def Tenon_IndexingMapsInterface : OpInterface<"IndexingMapsInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op whose result is computed over one iteration space of parallel and reduction dimensions, with an affine
    map from that space to each tensor operand and result. Inference and checks of sizes, the dimensions that a
    kernel's tensors share and rewrites of contractions ask it.

    Where windows lie in a border, a map names places outside of the operand; the op says what stands there. A
    reduction dimension that a result's map names is one along which each element of the result follows from all
    of the operand, as in `softmax`.
  }];
  let methods = [
    InterfaceMethod<"Iterator types of the iteration space, outermost first.",
      "::llvm::SmallVector<::mlir::utils::IteratorType>", "getLoopIterators">,
    InterfaceMethod<"Maps from the iteration space to each tensor operand, in operand order.",
      "::llvm::SmallVector<::mlir::AffineMap>", "getOperandMaps">,
    InterfaceMethod<"Maps from the iteration space to each result, projected permutations.",
      "::llvm::SmallVector<::mlir::AffineMap>", "getResultMaps">
  ];
}

def Tenon_SizesInterface : OpInterface<"SizesInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op that states the sizes of its results that don't follow from an indexing map. `sizes` answers for
    operands.
  }];
  let methods = [
    InterfaceMethod<"Sizes of result `result`, one expression per dimension; a null expression is unknown.",
      "::llvm::SmallVector<::mlir::AffineExpr>", "resultSizes",
      (ins "::tenon::SizeAnalysis &":$sizes, "unsigned":$result)>
  ];
}

def Tenon_DecomposableInterface : OpInterface<"DecomposableInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    A composite that is equal to a few simpler ops. The decomposition is built at the insertion point, gives one
    value per result of exactly its type, may use lower composites, and erases nothing.
  }];
  let methods = [
    InterfaceMethod<"Builds the decomposition.",
      "::mlir::FailureOr<::llvm::SmallVector<::mlir::Value>>", "decompose",
      (ins "::mlir::OpBuilder &":$builder)>
  ];
}

def Tenon_HostCallInterface : OpInterface<"HostCallInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op that no kernel computes: a function on the host does, which the host program calls by name with the
    parameters, then the operands, as its inputs and the results as its outputs.
  }];
  let methods = [
    InterfaceMethod<"The function's name.", "::llvm::StringRef", "getHostFunction", (ins), "",
      [{ return $_op->getName().stripDialect(); }]>,
    InterfaceMethod<"The library that has it; `tenon_runtime` is the runtime itself.",
      "::llvm::StringRef", "getHostLibrary", (ins), "", [{ return "tenon_runtime"; }]>,
    InterfaceMethod<"Constants that the function takes before the op's operands: what attributes say.",
      "::llvm::SmallVector<::mlir::TypedAttr>", "getHostParameters", (ins), "",
      [{ return {}; }]>
  ];
}

#endif // TENON_DIALECT_TENON_IR_TENONINTERFACES
