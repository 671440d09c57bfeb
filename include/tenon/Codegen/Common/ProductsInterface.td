//===- ProductsInterface.td - Instructions that multiply and add ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PRODUCTSINTERFACE
#define TENON_CODEGEN_COMMON_PRODUCTSINTERFACE

include "mlir/IR/OpBase.td"

def Codegen_ProductsInterface : AttrInterface<"ProductsInterface"> {
  let cppNamespace = "::tenon::codegen";
  let description = [{
    A target whose instructions work on registers: what `mma via` one of them is, in vectors.
  }];
  let methods = [
    InterfaceMethod<[{
        The sums and, added to each, the products of a run of `lhs` and one of `rhs`: vectors of as many sums as the
        instruction has columns, and of a run for each of them, or fragments. Null where it isn't written so.
      }], "::mlir::Value", "emitProducts",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "::tenon::tile::InstructionAttr":$instruction,
           "::mlir::Value":$sums, "::mlir::Value":$lhs, "::mlir::Value":$rhs)>,
    InterfaceMethod<[{
        A fragment of an instruction that multiplies matrices: rows of so many bytes, `stride` bytes apart from `address` on, or
        zeros where that is null.
      }], "::mlir::Value", "emitFragment",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "int64_t":$rows, "int64_t":$bytes,
           "::mlir::Value":$address, "::mlir::Value":$stride)>,
    InterfaceMethod<"Writes one to memory.", "void", "storeFragment",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc, "int64_t":$rows, "int64_t":$bytes,
           "::mlir::Value":$address, "::mlir::Value":$stride, "::mlir::Value":$fragment)>
  ];
}

#endif // TENON_CODEGEN_COMMON_PRODUCTSINTERFACE
