//===- ShapeArithmeticInterface.td - Ops whose results may be sizes -----===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_SHAPEARITHMETICINTERFACE
#define TENON_DIALECT_TENON_IR_SHAPEARITHMETICINTERFACE

include "mlir/IR/OpBase.td"

def Tenon_ShapeArithmeticInterface : OpInterface<"ShapeArithmeticInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op whose result may be sizes, as elements of a small integer tensor: it says how they follow from those of its
    operands, for which `sizes` answers.
  }];
  let methods = [
    InterfaceMethod<[{
        The elements of the result, a small integer tensor of static shape, row by row.
      }], "::tenon::ShapeElements", "resultElements", (ins "::tenon::SizeAnalysis &":$sizes)>
  ];
}

#endif // TENON_DIALECT_TENON_IR_SHAPEARITHMETICINTERFACE
