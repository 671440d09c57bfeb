//===- RoleInterface.td - What an op is to a kernel --------------------===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===--------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_IR_ROLEINTERFACE
#define TENON_DIALECT_TENON_IR_ROLEINTERFACE

include "mlir/IR/OpBase.td"

def Tenon_RoleInterface : OpInterface<"RoleInterface"> {
  let cppNamespace = "::tenon";
  let description = [{
    An op that states what it is to a kernel. Of those that don't, the graph dialect's are computed element by element, and
    those of other dialects are no kernel's (`roleOf`).
  }];
  let methods = [
    InterfaceMethod<"The op's role.", "::tenon::Role", "getRole">,
    InterfaceMethod<"The dimensions of the first operand that it reduces or goes along in order, ascending.",
      "::llvm::SmallVector<int64_t>", "getRoleDims", (ins), [{}], [{ return {}; }]>
  ];
}

#endif // TENON_DIALECT_TENON_IR_ROLEINTERFACE
