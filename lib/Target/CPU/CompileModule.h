//===- CompileModule.h - From the LLVM dialect to objects ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each module is compiled alone, in an LLVM context of its own, so that many are compiled at once.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_TARGET_CPU_COMPILEMODULE_H
#define TENON_LIB_TARGET_CPU_COMPILEMODULE_H

#include "tenon/Target/Common/TargetBackend.h"

namespace tenon::cpu {

/// `TargetBackend::compile`, for modules of the LLVM dialect.
mlir::FailureOr<std::vector<ObjectCode>> compileModules(llvm::ArrayRef<NamedModule> modules, tile::CPUTargetAttr target,
                                                        CodeKind kind, llvm::function_ref<void(size_t)> finished);

} // namespace tenon::cpu

#endif // TENON_LIB_TARGET_CPU_COMPILEMODULE_H
