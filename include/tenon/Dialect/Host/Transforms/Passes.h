//===- Passes.h - Passes on the host program ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_HOST_TRANSFORMS_PASSES_H
#define TENON_DIALECT_HOST_TRANSFORMS_PASSES_H

#include "tenon/Dialect/Host/Analysis/ProgramChecks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace tenon::host {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tenon/Dialect/Host/Transforms/Passes.h.inc"
} // namespace tenon::host

#endif // TENON_DIALECT_HOST_TRANSFORMS_PASSES_H
