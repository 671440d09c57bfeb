//===- Passes.h - From the host program to machine code ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_HOST_PASSES_H
#define TENON_TARGET_HOST_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace tenon::host {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tenon/Target/Host/Passes.h.inc"
} // namespace tenon::host

#endif // TENON_TARGET_HOST_PASSES_H
