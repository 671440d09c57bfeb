//===- LayoutInterface.td - Ops that can be computed with channels last ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_LAYOUTINTERFACE
#define TENON_DIALECT_TENON_TRANSFORMS_LAYOUTINTERFACE

include "mlir/IR/OpBase.td"

def Tenon_LayoutInterface : OpInterface<"LayoutInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op on images, tensors `[N, C, D1..Dn]` with n of at least 1, that may be computed with channels last,
    `[N, D1..Dn, C]`. An op has one layout, which the operands and results that say so take; all its other operands, and
    those of ops without this interface, stay as they are.
  }];
  let methods = [
    InterfaceMethod<"The time of computing the op in a layout, in ns; none where it can't be.",
      "::std::optional<double>", "layoutCost",
      (ins "::tenon::Layout":$layout, "const ::tenon::LayoutPrices &":$prices)>,
    InterfaceMethod<"Whether an operand takes the op's layout; it has a rank of at least 3.",
      "bool", "operandTakesLayout", (ins "unsigned":$operand)>,
    InterfaceMethod<"Whether a result takes the op's layout; it has a rank of at least 3.",
      "bool", "resultTakesLayout", (ins "unsigned":$result)>,
    InterfaceMethod<"The time of giving a result, computed in the other layout, in this one alone, in ns.",
      "double", "resultRelayoutCost",
      (ins "unsigned":$result, "::tenon::Layout":$layout, "const ::tenon::LayoutPrices &":$prices)>,
    InterfaceMethod<[{
        Rewrites attributes and other operands for channels last, when the operands and results that take the layout
        have it already.
      }], "void", "setChannelsLast", (ins "::mlir::OpBuilder &":$builder)>
  ];
}

#endif // TENON_DIALECT_TENON_TRANSFORMS_LAYOUTINTERFACE
