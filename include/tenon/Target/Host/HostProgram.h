//===- HostProgram.h - From the placed host program to its functions and metadata ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_TARGET_HOST_HOSTPROGRAM_H
#define TENON_TARGET_HOST_HOSTPROGRAM_H

#include "tenon/Artifact/Metadata.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tenon::host {

/// What a launch reads.
struct LaunchOperands {
  /// For each operand the number of the constant that it is, from its first element to the last in rows; or none.
  llvm::SmallVector<std::optional<unsigned>> constants;
  std::optional<unsigned> device; ///< the number of the device that it runs on
};

/// What becomes of a host program.
struct HostCode {
  /// `plan_0`, `execute_0` and `run` of Runtime/tenon_kernel.h, in the LLVM dialect.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// All but the offsets of code and constants, and the variants. The kernels are in the order of their first launch.
  artifact::ModelMetadata metadata;
  /// The elements of each constant storage, by its number.
  llvm::SmallVector<mlir::TypedAttr> constants;
  llvm::SmallVector<bool> isReadElsewhere; ///< by constant: not only as an operand of launches
  std::vector<LaunchOperands> launches;    ///< in the order of the metadata
};

/// Makes functions of a program after `tenon-outline-plan`, and describes it. Errors are diagnostics.
mlir::FailureOr<HostCode> convertHostProgram(mlir::func::FuncOp main);

/// The type of an input or output in the artifact, `Undefined` when it has none.
artifact::DType dtypeOf(mlir::Type element);

} // namespace tenon::host

#endif // TENON_TARGET_HOST_HOSTPROGRAM_H
