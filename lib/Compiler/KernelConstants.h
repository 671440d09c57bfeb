//===- KernelConstants.h - What a kernel's code takes of a launch ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_LIB_COMPILER_KERNELCONSTANTS_H
#define TENON_LIB_COMPILER_KERNELCONSTANTS_H

#include "tenon/Dialect/Tile/IR/TilePrograms.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <vector>

namespace tenon {

/// A constant that a kernel's code takes in a form: what that makes of operands of the launch.
struct FormedConstant {
  tile::FormOp form;
  llvm::SmallVector<int64_t> operands;
};

/// What the code of a kernel for one target takes of a launch. Code in the compile cache has it as text beside it.
struct KernelConstants {
  std::vector<FormedConstant> constants;
  /// The buffers of a launch that it reads or writes; all, where it says none.
  std::optional<llvm::SmallVector<int64_t>> places;
  mlir::OwningOpRef<mlir::ModuleOp> forms; ///< those that aren't in the model's module

  bool takesBuffer(int64_t buffer) const { return !places || llvm::is_contained(*places, buffer); }

  /// Reads it off a variant that is loops.
  mlir::LogicalResult find(tile::VariantOp variant);
  /// The text that `parse` reads back; empty where all operands come as they are.
  std::string print(mlir::MLIRContext *context) const;
  bool parse(llvm::StringRef text, mlir::MLIRContext *context);
};

/// What a variant takes in forms, programs or loops, or will: operands of a kernel that are constants, without a form
/// yet.
std::vector<FormedConstant> constantsOf(tile::VariantOp variant);
/// What the forms compute that a variant names, programs or loops: they may stand outside of it.
std::string contentOfForms(tile::VariantOp variant);
/// What a form computes, without its name.
std::string contentOf(tile::FormOp form);

} // namespace tenon

#endif // TENON_LIB_COMPILER_KERNELCONSTANTS_H
