//===- Targets.h - The CPUs that there is code for ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_CPU_TARGETS_H
#define TENON_CODEGEN_CPU_TARGETS_H

#include "tenon/Codegen/Common/TargetFamily.h"

namespace tenon::cpu {

/// `host`, a level (`avx2`, `avx512`), or a core by LLVM's name; null if it is none of them. The host is found by
/// CPUID: whose rates and prices it has by the core's name, or by its features where a virtual machine hides that.
llvm::Expected<tile::CPUTargetAttr> describeTarget(mlir::MLIRContext *context, llvm::StringRef name);
/// Their names, `host` and the levels first.
llvm::SmallVector<llvm::StringRef> targetNames();
/// Any x86-64: what the host program is compiled for.
tile::CPUTargetAttr baselineTarget(mlir::MLIRContext *context);

} // namespace tenon::cpu

namespace tenon {
std::unique_ptr<codegen::TargetFamily> createCPUTargetFamily();
} // namespace tenon

#endif // TENON_CODEGEN_CPU_TARGETS_H
