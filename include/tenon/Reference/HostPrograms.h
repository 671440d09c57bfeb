//===- HostPrograms.h - The interpreter of level 2 ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Computes programs that launch kernels: on tensors, as they are formed, or on buffers, once each tensor has its place.
// So every pass between the graph and code is held against the graph. What was never written is no number; an access
// outside of a buffer is an error.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_REFERENCE_HOSTPROGRAMS_H
#define TENON_REFERENCE_HOSTPROGRAMS_H

#include "tenon/Reference/Interpreter.h"

namespace tenon::reference {

/// An input or output of a program.
struct ProgramValue {
  std::string name;
  mlir::Type type; ///< a tensor's, or another value's
};

/// The inputs of a function, in order: its arguments, or of a placed program what its storages name.
std::vector<ProgramValue> inputsOf(mlir::func::FuncOp function);
/// Its results, in order.
std::vector<ProgramValue> resultsOf(mlir::func::FuncOp function);

/// Sees each launch before it runs: the symbol that it names, and what it hands over, sizes before tensors.
using LaunchObserver = llvm::function_ref<void(llvm::StringRef symbol, llvm::ArrayRef<Value> arguments)>;

/// Computes a function of level 1 or 2: one value per input in, one per result out.
llvm::Expected<std::vector<Value>> runProgram(mlir::func::FuncOp function, llvm::ArrayRef<Value> inputs,
                                              const std::atomic<bool> *isCancelled = nullptr,
                                              LaunchObserver observer = nullptr);

} // namespace tenon::reference

#endif // TENON_REFERENCE_HOSTPROGRAMS_H
