//===- Instructions.h - Instructions of x86 that multiply and add ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_CODEGEN_CPU_INSTRUCTIONS_H
#define TENON_LIB_CODEGEN_CPU_INSTRUCTIONS_H

#include "mlir/IR/DialectRegistry.h"

namespace tenon::cpu {

/// Attaches `ProductsInterface` to CPUs.
void registerInstructions(mlir::DialectRegistry &registry);

} // namespace tenon::cpu

#endif // TENON_LIB_CODEGEN_CPU_INSTRUCTIONS_H
