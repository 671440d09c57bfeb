//===- Passes.h - From kernels to loops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_PASSES_H
#define TENON_CODEGEN_COMMON_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon::codegen {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tenon/Codegen/Common/Passes.h.inc"
} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_PASSES_H
