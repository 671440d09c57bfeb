//===- CheckedPass.td - Passes that say what IR they take ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS
#define TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS

include "mlir/Pass/PassBase.td"

// A pass on operations of one kind (or any, where `op` is empty) for which the function `check` holds: CheckedPass.h.
class Tenon_CheckedPass<string argument, string op, string check>
    : PassBase<argument, "::tenon::CheckedPass<::mlir::OperationPass<" # op # ">, &" # check # ">">;

#endif // TENON_DIALECT_TENON_TRANSFORMS_CHECKEDPASS
