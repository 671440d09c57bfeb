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

#ifndef TENON_TARGET_CPU_COMPILEMODULE_H
#define TENON_TARGET_CPU_COMPILEMODULE_H

#include "tenon/Target/CPU/TargetDescription.h"

#include "mlir/IR/BuiltinOps.h"

#include <vector>

namespace tenon::cpu {

enum class CodeKind { object, assembly, llvmIR };

/// A compiled module.
struct ObjectCode {
  std::string name;
  /// An ELF object, or text.
  llvm::SmallVector<char, 0> bytes;
  /// LLVM instructions before LLVM's passes: what compile time follows.
  int64_t instructions = 0;
  /// Bytes of machine code (objects only).
  int64_t codeBytes = 0;
};

/// What LLVM's time is spent for: code that runs fast, or code that is there fast. Straight-line code that only calls gains
/// nothing from scheduling, whose time grows with the square of a block's length.
enum class CodeGoal { speed, compileTime };

struct NamedModule {
  std::string name;
  mlir::ModuleOp module;
  CodeGoal goal = CodeGoal::speed;
};

/// Compiles modules of the LLVM dialect on the threads of their context, in parallel where it allows that. The
/// result's order is that of the modules. `finished`, if given, is called with the number of modules done, from any
/// of the threads, one call at a time. Errors are diagnostics.
mlir::FailureOr<std::vector<ObjectCode>> compileModules(llvm::ArrayRef<NamedModule> modules,
                                                        const TargetDescription &target,
                                                        CodeKind kind = CodeKind::object,
                                                        llvm::function_ref<void(size_t)> finished = nullptr);

} // namespace tenon::cpu

#endif // TENON_TARGET_CPU_COMPILEMODULE_H
