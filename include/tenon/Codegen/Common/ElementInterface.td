//===- ElementInterface.td - How one element of a result is computed ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_ELEMENTINTERFACE
#define TENON_CODEGEN_COMMON_ELEMENTINTERFACE

include "mlir/IR/OpBase.td"

def Codegen_ElementInterface : OpInterface<"ElementInterface"> {
  let cppNamespace = "::tenon::codegen";
  let description = [{
    An op of which any element of its result, or a vector of neighbours, can be computed on its own, from elements of
    its operands. All fusion comes from it: a kernel asks for the elements of its results, and everything that leads to
    them is computed in registers.
  }];
  let methods = [
    InterfaceMethod<[{
        Computes the elements at the coordinates, at the emitter's insertion point: a scalar where no coordinate
        depends on the lane, else a vector.
      }], "::mlir::FailureOr<::mlir::Value>", "emitElement",
      (ins "::tenon::codegen::ElementEmitter &":$emitter,
           "::llvm::ArrayRef<::tenon::codegen::Coordinate>":$coordinates)>,
    InterfaceMethod<[{
        About how many instructions a vector of the elements takes.
      }], "int64_t", "estimateInstructions", (ins), [{}], [{ return 1; }]>,
    InterfaceMethod<[{
        Whether neighbours along the result's last dimension come from neighbours in the operands, or from one element:
        else they are read one by one, and each lane is code of its own.
      }], "bool", "readsNeighbours", (ins), [{}], [{ return true; }]>,
    InterfaceMethod<[{
        Places along the result's last dimension, in order, where what it reads changes: the ends of a border, of the
        operands of a concat. Vectors that don't reach across them read neighbours. They may lie outside of it.
      }], "::llvm::SmallVector<::mlir::AffineExpr>", "cutsOf", (ins "::tenon::SizeAnalysis &":$sizes), [{}],
      [{ return {}; }]>
  ];
}

#endif // TENON_CODEGEN_COMMON_ELEMENTINTERFACE
